//! How large thumbnails are.

use super::*;

fn fitted(width: u32, height: u32, bound: (u32, u32)) -> (u32, u32) {
    let size = fit(Size { width, height }, Size { width: bound.0, height: bound.1 });
    (size.width, size.height)
}

#[test]
fn the_tighter_side_fills_its_bound() {
    assert_eq!(fitted(4000, 3000, (600, 600)), (600, 450));
    assert_eq!(fitted(3000, 4000, (600, 600)), (450, 600));
    assert_eq!(fitted(4000, 3000, (600, 100)), (133, 100));
    assert_eq!(fitted(1000, 667, (100, 100)), (100, 67));
    assert_eq!(fitted(601, 600, (600, 600)), (600, 599));
}

#[test]
fn nothing_is_enlarged_and_nothing_vanishes() {
    assert_eq!(fitted(600, 450, (600, 600)), (600, 450));
    assert_eq!(fitted(1, 1, (100, 100)), (1, 1));
    assert_eq!(fitted(65_535, 1, (600, 600)), (600, 1));
    assert_eq!(fitted(1, u32::MAX, (600, 600)), (1, 600));
    assert_eq!(fitted(5, 5, (0, 0)), (1, 1));
    assert_eq!(fitted(u32::MAX, u32::MAX, (u32::MAX, u32::MAX)), (MAX_SIDE, MAX_SIDE));
}

#[test]
fn a_quarter_turn_swaps_the_thumbnails_sides() {
    for (name, size) in [
        ("orientation-1.jpg", (48, 32)),
        ("orientation-6.jpg", (48, 32)),
        ("orientation-6.png", (48, 33)),
        ("baseline-420.jpg", (48, 32)),
        ("wide.jpg", (48, 1)),
        ("high.png", (1, 48)),
        ("one-pixel.gif", (1, 1)),
    ] {
        let format = probe_bytes(&file(name)).unwrap().format();
        let format = if format == Format::Jpeg { format } else { Format::Png };
        let made = one(name, spec(48, 48, format)).size;
        let fits = if name == "orientation-6.png" { (45, 31) } else { size };
        assert_eq!((made.width, made.height), fits, "{name}");
    }
}
