//! What settings are taken, what is refused, and with which words.

use super::parse::*;
use super::*;

fn read(program: Program, set: &[(&str, &str)]) -> Result<Settings, Wrong> {
    let find = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    Settings::read(program, &find)
}

#[test]
fn image_sharer_needs_no_settings() {
    let settings = read(Program::Sharer, &[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.store, StoreAddress::Directory("./data/objects".into()));
    assert_eq!(settings.queue, QueueAddress::Directory("./data/queue".into()));
    assert_eq!((settings.max_upload_bytes, settings.max_pixels), (67_108_864, 220_000_000));
}

#[test]
fn the_other_two_must_be_told_where_things_are() {
    let wrong = read(Program::Worker, &[]).unwrap_err().to_string();
    assert!(wrong.contains("SHARER_STORE is not set") && wrong.contains("SHARER_QUEUE is not set"));
    let both = [("SHARER_STORE", "dir:/a"), ("SHARER_QUEUE", "dir:/b")];
    assert_eq!(read(Program::Server, &both).unwrap().listen.to_string(), "0.0.0.0:80");
}

#[test]
fn store_and_queue_may_be_on_aws() {
    let set = [("SHARER_STORE", "s3://pics/a"), ("SHARER_QUEUE", "sqs://jobs")];
    let settings = read(Program::Worker, &set).unwrap();
    assert!(matches!(settings.store, StoreAddress::S3(_)) && matches!(settings.queue, QueueAddress::Sqs(_)));
    let Wrong(lines) =
        read(Program::Worker, &[("SHARER_STORE", "s3:pics"), ("SHARER_QUEUE", "sqs:jobs")]).unwrap_err();
    assert!(lines[0].contains("s3://BUCKET") && lines[1].contains("sqs://NAME"), "{lines:?}");
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_what_it_may_be() {
    let set = [("SHARER_LISTEN", "here"), ("SHARER_MAX_PIXELS", "0"), ("SHARER_LOG", "loud")];
    let Wrong(lines) = read(Program::Sharer, &set).unwrap_err();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("it may be")), "{lines:?}");
}

#[test]
fn times_must_fit_together() {
    let long = [("SHARER_VISIBILITY_SECONDS", "121")];
    assert!(read(Program::Sharer, &long).unwrap_err().to_string().contains("SHARER_JOB_SECONDS"));
    let short = [("SHARER_VISIBILITY_SECONDS", "1"), ("SHARER_QUEUE", "sqs://jobs")];
    assert!(read(Program::Sharer, &short).is_err());
    assert!(read(Program::Sharer, &short[..1]).is_ok());
}

#[test]
fn thumbnails_are_small_unless_they_are_to_be_made_fast() {
    let effort = |set: &[(&str, &str)]| read(Program::Sharer, set).map(|settings| settings.effort);
    assert_eq!(effort(&[]), Ok(Effort::Small));
    assert_eq!(effort(&[("SHARER_EFFORT", "fast")]), Ok(Effort::Fast));
    assert!(effort(&[("SHARER_EFFORT", "1")]).unwrap_err().to_string().contains("fast or small"));
}

#[test]
fn a_backlog_is_told_of_sqs_alone() {
    let read = |set: &[(&str, &str)]| read(Program::Sharer, set).map(|s| s.metric_namespace);
    let (queue, namespace) = (("SHARER_QUEUE", "sqs://jobs"), ("SHARER_METRIC_NAMESPACE", "sharer/a"));
    assert_eq!(read(&[queue, namespace, ("SHARER_METRIC_GROUP", "w")]), Ok(Some("sharer/a".to_owned())));
    assert!(read(&[namespace]).is_err() && read(&[queue, ("SHARER_METRIC_GROUP", "w")]).is_err());
    assert!(read(&[queue, ("SHARER_METRIC_NAMESPACE", "AWS/SQS")]).is_err());
}

#[test]
fn metrics_are_served_where_one_says_and_by_default_where_it_harms_nobody() {
    let both = [("SHARER_STORE", "dir:/a"), ("SHARER_QUEUE", "dir:/b")];
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 9090));
    assert_eq!(read(Program::Server, &both).unwrap().metrics, Metrics::IfFree(address));
    assert_eq!(read(Program::Worker, &both).unwrap().metrics, Metrics::Off);
    let set = |text| read(Program::Sharer, &[("SHARER_METRICS_LISTEN", text)]).map(|s| s.metrics);
    assert_eq!(set("127.0.0.1:9090"), Ok(Metrics::At(address)));
    assert_eq!((set("off"), set("")), (Ok(Metrics::Off), Ok(Metrics::Off)));
    assert!(set("9090").unwrap_err().to_string().contains("or off"));
}

#[test]
fn a_wrong_secret_is_not_repeated() {
    let Wrong(lines) = read(Program::Sharer, &[("SHARER_UPLOAD_TOKEN", "hunter2")]).unwrap_err();
    assert!(!lines[0].contains("hunter2"));
}

#[test]
fn every_default_is_a_value_that_may_be_set() {
    for knob in KNOBS.iter().filter(|k| !k.default.of(Program::Sharer).is_empty()) {
        let set = [(knob.name, knob.default.of(Program::Sharer))];
        read(Program::Sharer, &set).unwrap_or_else(|wrong| panic!("{}: {wrong}", knob.name));
    }
}

#[test]
fn the_readme_lists_every_setting_with_its_default() {
    let readme = include_str!("../../README.md");
    for knob in KNOBS {
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{}` |", knob.name)));
        let row = row.unwrap_or_else(|| panic!("{} is not in the README", knob.name));
        assert!(row.contains(knob.may_be) && row.contains(knob.about), "{row}");
        for program in [Program::Sharer, Program::Server] {
            assert!(row.contains(knob.default.of(program)), "{row}");
        }
    }
}

#[test]
fn urls_lose_their_last_slash_and_may_hold_no_query() {
    assert_eq!(url("https://cdn.example/x/").as_deref(), Some("https://cdn.example/x"));
    for bad in ["cdn.example", "http://", "ftp://x", "http://x/?a", "http://x/#a", "http://a b"] {
        assert_eq!(url(bad), None, "{bad}");
    }
}
