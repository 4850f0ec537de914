//! Stopping in good order.

use super::*;

#[test]
fn stopping_closes_who_rests_and_refuses_who_comes() {
    // It may still be on its way to rest, and then gets a moment to read the last answer.
    let mut door = open(|config| config.linger_time = Duration::from_millis(200));
    let mut resting = door.client();
    resting.send(get("/echo", ""));
    assert_eq!(resting.reply().status, 200);
    door.stop();
    assert!(resting.is_at_end());
    assert!(TcpStream::connect(door.address).is_err());
}

#[test]
fn what_is_in_flight_is_finished() {
    let mut door = open(|_| {});
    let mut working = door.client();
    working.send(get("/wait", ""));
    let mut uploading = door.client();
    uploading.send(get("/echo", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
    assert_eq!(uploading.head().status, 100);
    door.echo.await_working(1);
    door.stopper.stop();
    door.stopper.stop();
    while TcpStream::connect(door.address).is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    uploading.send("body");
    let reply = uploading.reply();
    assert_eq!((reply.text(), reply.header("connection")), ("body", Some("close")));
    door.echo.open_gate();
    let reply = working.reply();
    assert_eq!((reply.text(), reply.header("connection")), ("waited", Some("close")));
    drop((uploading, working));
    door.stop();
}

#[test]
fn what_is_not_finished_in_time_is_cut_off() {
    let mut door = open(|config| config.drain_time = Duration::from_millis(200));
    let mut working = door.client();
    working.send(get("/wait", ""));
    door.echo.await_working(1);
    door.stop();
    assert!(working.is_at_end());
}

#[test]
fn a_door_that_nobody_came_to_stops() {
    open(|_| {}).stop();
}

#[test]
fn an_address_that_is_taken_is_named() {
    let door = open(|_| {});
    let error = Door::bind(Config::new(door.address)).unwrap_err();
    assert!(error.to_string().contains(&door.address.to_string()), "{error}");
}
