//! Turns a small plane upright. The source is never turned: only what is left of it.

use super::press::Image;
use crate::image::orientation::Orientation;

/// The plane as it stands upright.
pub(super) fn turn(image: Image, orientation: Orientation) -> Image {
    if orientation == Orientation::Upright {
        return image;
    }
    let stored = image.size;
    let size = orientation.apply(stored);
    let (columns, rows) = (stored.width as usize, stored.height as usize);
    let channels = image.channels;
    // Where in the stored plane the pixel of upright row y and column x is.
    let at = |x: usize, y: usize| {
        let (x, y) = if orientation.swaps_sides() { (y, x) } else { (x, y) };
        let x = if orientation.reverses_columns() { columns - 1 - x } else { x };
        let y = if orientation.reverses_rows() { rows - 1 - y } else { y };
        (y * columns + x) * channels
    };
    let mut samples = Vec::with_capacity(image.samples.len());
    for y in 0..size.height as usize {
        for x in 0..size.width as usize {
            let start = at(x, y);
            samples.extend_from_slice(&image.samples[start..start + channels]);
        }
    }
    Image { size, channels, samples }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;

    /// Two pixels of two channels in each of two rows and one more column: "aA" is one pixel.
    fn turned(orientation: Orientation) -> String {
        let image =
            Image { size: Size { width: 3, height: 2 }, channels: 2, samples: b"aAbBcCdDeEfF".to_vec() };
        let out = turn(image, orientation);
        let row = out.size.width as usize * 2;
        let rows: Vec<_> = out.samples.chunks(row).map(|row| String::from_utf8_lossy(row)).collect();
        rows.join(" ")
    }

    #[test]
    fn each_orientation_is_undone() {
        use Orientation::*;
        for (orientation, upright) in [
            (Upright, "aAbBcC dDeEfF"),
            (MirrorHorizontally, "cCbBaA fFeEdD"),
            (HalfTurn, "fFeEdD cCbBaA"),
            (MirrorVertically, "dDeEfF aAbBcC"),
            (Transpose, "aAdD bBeE cCfF"),
            (QuarterTurn, "dDaA eEbB fFcC"),
            (Transverse, "fFcC eEbB dDaA"),
            (ThreeQuarterTurn, "cCfF bBeE aAdD"),
        ] {
            assert_eq!(turned(orientation), upright, "{orientation:?}");
        }
    }
}
