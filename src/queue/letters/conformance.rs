//! What [`DeadLetters`] promises, as tests that every implementation passes.

use std::time::Duration;

use super::{Cause, DeadLetters, Which};

/// The promises, for tests: `queue` is empty, and nobody else uses it. A case panics where one is broken.
pub fn all(queue: &dyn DeadLetters) {
    let (visibility, wait) = (Duration::from_secs(60), Duration::from_secs(15));
    let bury = |body: &str| {
        queue.send(body).expect("send");
        let delivery = queue.receive(1, visibility, wait).expect("receive").remove(0);
        let cause =
            Cause { cause: format!("{body} is no job"), program: "test 1".into(), host: "here".into() };
        queue.bury(&delivery, &cause).expect("bury");
    };
    let bodies = || {
        let mut bodies: Vec<String> =
            queue.letters(100).expect("letters").into_iter().map(|letter| letter.body).collect();
        bodies.sort();
        bodies
    };
    let next = || {
        let delivery = queue.receive(1, visibility, wait).expect("receive").remove(0);
        queue.delete(std::slice::from_ref(&delivery.receipt)).remove(0).expect("delete");
        (delivery.body, delivery.receives)
    };

    ["a", "b", "c"].into_iter().for_each(bury);
    let letters = queue.letters(100).expect("letters");
    let b = letters.iter().find(|letter| letter.body == "b").expect("b is among them");
    assert_eq!((b.cause.cause.as_str(), b.cause.program.as_str()), ("b is no job", "test 1"));
    assert!(b.since > 1_600_000_000_000, "{b:?}");
    assert_eq!(bodies(), ["a", "b", "c"], "reading them takes none away");
    assert_eq!(queue.letters(2).expect("letters").len(), 2);

    let mut told = Vec::new();
    let mut put_back = |which: Which| {
        told.clear();
        let count = queue.put_back(&which, &mut |id| told.push(id.to_owned())).expect("put back");
        assert_eq!(told.len(), count);
        count
    };
    assert_eq!(put_back(Which::One("aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned())), 0, "there is none of this id");
    assert_eq!(bodies(), ["a", "b", "c"]);
    assert_eq!(put_back(Which::One(b.id.clone())), 1);
    assert_eq!(next(), ("b".to_owned(), 1), "as if never received");
    assert_eq!(bodies(), ["a", "c"]);
    assert_eq!(put_back(Which::All), 2);
    let mut rest = [next().0, next().0];
    rest.sort();
    assert_eq!(rest, ["a", "c"]);
    assert_eq!((bodies().len(), put_back(Which::All)), (0, 0));
    queue.flow(Duration::from_millis(100)).expect("flow");
}
