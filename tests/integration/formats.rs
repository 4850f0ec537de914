//! Every kind of picture that is taken becomes three thumbnails of the right kind and size.

use std::time::Duration;

use crate::harness::{Sharer, dimensions, picture};

/// (picture, media type of its thumbnails)
const PICTURES: &[(&str, &str)] = &[
    ("baseline-420.jpg", "image/jpeg"),
    ("baseline-422.jpg", "image/jpeg"),
    ("baseline-444.jpg", "image/jpeg"),
    ("grey.jpg", "image/jpeg"),
    ("progressive-420.jpg", "image/jpeg"),
    ("cmyk.jpg", "image/jpeg"),
    ("ycck.jpg", "image/jpeg"),
    ("grey-1.png", "image/png"),
    ("grey-16.png", "image/png"),
    ("grey-alpha-16.png", "image/png"),
    ("palette-8-trns.png", "image/png"),
    ("rgb-16-interlaced.png", "image/png"),
    ("rgba-8.png", "image/png"),
    ("animated.png", "image/png"),
    ("static.gif", "image/png"),
    ("animated.gif", "image/png"),
    ("lossy.webp", "image/jpeg"),
    ("lossy-alpha.webp", "image/png"),
    ("lossless-alpha.webp", "image/png"),
    ("animated.webp", "image/png"),
];

#[test]
fn every_format_becomes_thumbnails_of_its_own_kind() {
    let sharer = Sharer::start();
    let uploads: Vec<_> = PICTURES
        .iter()
        .map(|(name, kind)| (name, kind, sharer.client.upload(name, &picture(name))))
        .collect();
    for (name, kind, reply) in uploads {
        assert_eq!(reply.status, 202, "{name}: {}", reply.text());
        let thumbnail = sharer.client.wait_for(&reply.url("small"), Duration::from_secs(30));
        let (format, width, height) = dimensions(&thumbnail.body);
        assert_eq!(format, *kind, "{name}");
        assert!(width.max(height) <= 100 && width.min(height) >= 1, "{name}: {width} × {height}");
    }
}

#[test]
fn all_eight_orientations_become_the_same_upright_thumbnail() {
    let sharer = Sharer::start();
    let mut first = None;
    for orientation in 1..=8 {
        let reply = sharer.client.upload("o.jpg", &picture(&format!("orientation-{orientation}.jpg")));
        let thumbnail = sharer.client.wait_for(&reply.url("small"), Duration::from_secs(30));
        let (_, width, height) = dimensions(&thumbnail.body);
        let upright = *first.get_or_insert((width, height));
        assert_eq!((width, height), upright, "orientation {orientation}");
    }
}
