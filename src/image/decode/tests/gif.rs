//! What the decoder makes of GIF files of the collection.

use super::*;

#[test]
fn a_frame_that_fills_the_canvas_is_rgb() {
    let reference = picture("static.gif");
    assert_eq!(reference.color(), Color::Rgb);
    for name in ["interlaced.gif", "local-palette.gif", "animated.gif", "no-trailer.gif", "zero-canvas.gif"] {
        assert!(picture(name).planes == reference.planes, "{name}");
    }
    let scene = picture("rgb-8.png");
    assert!(difference(&reference.planes[0], &scene.planes[0]).1 < 12.0);
}

#[test]
fn the_canvas_is_transparent_beside_the_frame() {
    let picture = picture("small-first-frame.gif");
    let inside = |i: usize| (9..40).contains(&(i % 45)) && (6..26).contains(&(i / 45));
    for (i, pixel) in picture.pixels::<4>().iter().enumerate() {
        assert_eq!(pixel[3], if inside(i) { 255 } else { 0 }, "pixel {i}");
    }
}

#[test]
fn what_reaches_over_the_canvas_is_cut_off() {
    let picture = picture("frame-outside.gif");
    assert_eq!(picture.layout().size.pixels(), 40 * 20);
    let opaque = picture.pixels::<4>().iter().filter(|p| p[3] == 255).count();
    assert!(opaque > 0 && opaque < 40 * 20);
}

#[test]
fn an_interlaced_frame_is_cut_off_as_any_other() {
    // The interlace flag is a bit of the image descriptor's last byte (GIF89a, 20).
    let mut bytes = file("interlaced.gif");
    let straight = picture("interlaced.gif");
    // A canvas four columns and three rows smaller than the frame.
    bytes[6..10].copy_from_slice(&[41, 0, 28, 0]);
    let clipped = decoded(&bytes).unwrap();
    let expected: Vec<[u8; 3]> =
        straight.pixels::<3>().chunks(45).take(28).flat_map(|row| row[..41].iter().copied()).collect();
    assert!(clipped.pixels::<3>() == expected);
}

#[test]
fn one_colour_may_be_transparent() {
    let picture = picture("transparent.gif");
    let clear = picture.pixels::<4>().iter().filter(|p| p[3] == 0).count();
    assert!(clear > 0 && clear < 45 * 31, "{clear}");
}

#[test]
fn frames_behind_the_first_are_not_looked_at() {
    let bytes = file("400-frames.gif");
    let first = picture("400-frames.gif");
    assert!(decoded(&bytes[..bytes.len() / 100]).unwrap().planes == first.planes);
}

#[test]
fn data_that_lack_are_noticed() {
    assert!(is_truncated(&error("cut-in-data.gif")));
}
