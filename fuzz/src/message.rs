//! The message between server and worker.

use image_sharer::image::Format;
use image_sharer::job::{self, MAX_SIDE, MAX_THUMBNAILS};
use image_sharer::key::Key;

/// Any text: a job that can be acted on, or an error that says why not.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let job = match job::read(text) {
        Ok(job) => job,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    assert_eq!(job::read(&job.to_message()), Ok(job.clone()), "it does not read back");
    assert!((1..=MAX_THUMBNAILS).contains(&job.thumbnails.len()));
    let keys = job.thumbnails.iter().map(|wanted| &wanted.key).chain([&job.original]);
    for key in keys {
        let (id, same) = Key::parse_public(key.as_str()).expect("only public objects are named");
        assert_eq!((&id, &same), (&job.id, key), "another upload's object is named");
    }
    for wanted in &job.thumbnails {
        assert!((1..=MAX_SIDE).contains(&wanted.width) && (1..=MAX_SIDE).contains(&wanted.height));
        assert!(matches!(wanted.format, Format::Jpeg | Format::Png));
        assert_ne!(wanted.key, job.original, "a thumbnail would overwrite its original");
    }
}
