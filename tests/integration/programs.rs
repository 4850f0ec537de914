//! The programs' own interface: help, version, check, exit codes, drain, local files.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{Folder, Sharer, command, dimensions, noise_jpeg, picture};

fn run(program: &str, arguments: &[&str], settings: &[(&str, &str)]) -> (i32, String, String) {
    let output = command(program).args(arguments).envs(settings.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn help_and_version_go_to_standard_output() {
    for program in ["image-sharer", "image-server", "image-worker"] {
        let (code, help, _) = run(program, &["--help"], &[]);
        assert!(code == 0 && help.contains("SHARER_") && help.contains("default"), "{help}");
        let (code, version, _) = run(program, &["--version"], &[]);
        assert_eq!((code, version), (0, format!("{program} {}\n", env!("CARGO_PKG_VERSION"))));
    }
}

#[test]
fn a_wrong_argument_or_setting_is_named_with_what_it_may_be_and_exits_2() {
    let (code, _, error) = run("image-sharer", &["--chekc"], &[]);
    assert!(code == 2 && error.contains("--chekc"), "{error}");
    let (code, _, error) = run("image-sharer", &[], &[("SHARER_MAX_PIXELS", "many")]);
    assert!(code == 2 && error.contains("SHARER_MAX_PIXELS") && error.contains("1 to"), "{error}");
    let (code, _, error) = run("image-worker", &[], &[]);
    assert!(code == 2 && error.contains("SHARER_STORE") && error.contains("SHARER_QUEUE"), "{error}");
}

#[test]
fn check_says_what_it_found() {
    let folder = Folder::new("check");
    let data = folder.path().join("data");
    let (code, said, error) = run("image-sharer", &["--check"], &[("SHARER_DATA", data.to_str().unwrap())]);
    assert_eq!(code, 0, "{error}");
    assert!(said.contains("store:") && said.contains("0 waiting"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_used_is_said_at_the_start() {
    let folder = Folder::new("file");
    let file = folder.path().join("data");
    std::fs::write(&file, "not a folder").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).unwrap();
    let (code, _, error) = run("image-sharer", &[], &[("SHARER_DATA", file.to_str().unwrap())]);
    assert!(code == 1 && error.contains(file.to_str().unwrap()), "{code}: {error}");
}

#[test]
fn a_port_that_is_taken_is_said_at_the_start() {
    let sharer = Sharer::start();
    let folder = Folder::new("port");
    let (data, address) = (folder.path().join("d"), sharer.client.address.to_string());
    let settings = [("SHARER_DATA", data.to_str().unwrap()), ("SHARER_LISTEN", address.as_str())];
    let (code, _, error) = run("image-sharer", &[], &settings);
    assert!(code == 1 && error.contains(&address), "{code}: {error}");
}

#[test]
fn sigterm_finishes_what_is_in_flight_and_exits_0() {
    let mut sharer = Sharer::start();
    let reply = sharer.client.upload("a.jpg", &noise_jpeg(2000, 1500, 3));
    assert_eq!(sharer.process.stop(), Some(0), "{}", sharer.process.log());
    sharer.restart();
    sharer.client.wait_for(&reply.url("large"), std::time::Duration::from_secs(20));
}

#[test]
fn thumbnails_of_local_files() {
    let folder = Folder::new("local");
    let photo = folder.path().join("my photo.jpg");
    std::fs::write(&photo, noise_jpeg(400, 900, 5)).unwrap();
    let out = folder.path().to_str().unwrap();
    let (code, said, error) = run("image-worker", &["thumbnail", photo.to_str().unwrap(), "--out", out], &[]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert_eq!(said.lines().count(), 3);
    for (name, size) in [("small", (44, 100)), ("medium", (133, 300)), ("large", (267, 600))] {
        let bytes = std::fs::read(folder.path().join(format!("my photo-{name}.jpg"))).unwrap();
        let (_, width, height) = dimensions(&bytes);
        assert_eq!((width, height), size, "{name}");
    }
}

#[test]
fn a_local_file_that_is_no_image_exits_1_and_the_others_are_made() {
    let folder = Folder::new("local");
    let (bad, good) = (folder.path().join("bad.jpg"), folder.path().join("good.png"));
    std::fs::write(&bad, "text").unwrap();
    std::fs::write(&good, picture("rgb-8.png")).unwrap();
    let (bad, good, out) = (bad.to_str().unwrap(), good.to_str().unwrap(), folder.path().to_str().unwrap());
    let (code, said, error) = run("image-worker", &["thumbnail", bad, good, "--out", out], &[]);
    assert!(code == 1 && error.contains("bad.jpg") && said.contains("good-small.png"), "{said}{error}");
}
