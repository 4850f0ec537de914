//! How a stored picture must be turned to stand upright: the eight values of Exif's orientation.
//!
//! [`probe`](super::probe) finds it, [`metadata`](super::metadata) keeps it, a worker applies it.

use super::Size;

/// Exif orientation (TIFF 6.0, tag 274), named by what turns the stored rows upright.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Orientation {
    /// 1: nothing to do.
    #[default]
    Upright = 1,
    /// 2: swap left and right.
    MirrorHorizontally = 2,
    /// 3: half a turn.
    HalfTurn = 3,
    /// 4: swap top and bottom.
    MirrorVertically = 4,
    /// 5: swap rows and columns.
    Transpose = 5,
    /// 6: a quarter turn clockwise.
    QuarterTurn = 6,
    /// 7: swap rows and columns about the other diagonal.
    Transverse = 7,
    /// 8: a quarter turn anticlockwise.
    ThreeQuarterTurn = 8,
}

impl Orientation {
    /// All eight, in the order of their values.
    pub const ALL: [Orientation; 8] = [
        Orientation::Upright,
        Orientation::MirrorHorizontally,
        Orientation::HalfTurn,
        Orientation::MirrorVertically,
        Orientation::Transpose,
        Orientation::QuarterTurn,
        Orientation::Transverse,
        Orientation::ThreeQuarterTurn,
    ];

    /// The orientation of Exif's `value`, 1 to 8; nothing for what Exif does not define.
    pub fn from_exif(value: u32) -> Option<Orientation> {
        let index = usize::try_from(value).ok()?.checked_sub(1)?;
        Orientation::ALL.get(index).copied()
    }

    /// Exif's value, 1 to 8.
    pub fn to_exif(self) -> u8 {
        self as u8
    }

    /// Whether upright width is stored height.
    pub fn swaps_sides(self) -> bool {
        self.to_exif() >= Orientation::Transpose.to_exif()
    }

    /// Whether the stored picture is a mirror image.
    pub fn is_mirrored(self) -> bool {
        use Orientation::{MirrorHorizontally, MirrorVertically, Transpose, Transverse};
        matches!(self, MirrorHorizontally | MirrorVertically | Transpose | Transverse)
    }

    /// Whether the first stored row's pixels come, upright, in the last row (or in the last column,
    /// where sides are swapped).
    pub fn reverses_rows(self) -> bool {
        use Orientation::{HalfTurn, MirrorVertically, QuarterTurn, Transverse};
        matches!(self, HalfTurn | MirrorVertically | QuarterTurn | Transverse)
    }

    /// Whether the first stored column's pixels come, upright, in the last column (or in the last
    /// row, where sides are swapped).
    pub fn reverses_columns(self) -> bool {
        use Orientation::{HalfTurn, MirrorHorizontally, ThreeQuarterTurn, Transverse};
        matches!(self, HalfTurn | MirrorHorizontally | ThreeQuarterTurn | Transverse)
    }

    /// The upright size of a picture stored at `size`; and the other way round.
    pub fn apply(self, size: Size) -> Size {
        if self.swaps_sides() { size.transposed() } else { size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored rows turned upright as the methods say: reverse, reverse, then swap sides.
    fn upright(orientation: Orientation, stored: [&str; 2]) -> Vec<String> {
        let mut rows: Vec<Vec<char>> = stored.iter().map(|row| row.chars().collect()).collect();
        if orientation.reverses_rows() {
            rows.reverse();
        }
        if orientation.reverses_columns() {
            rows.iter_mut().for_each(|row| row.reverse());
        }
        if orientation.swaps_sides() {
            rows = (0..rows[0].len()).map(|x| rows.iter().map(|row| row[x]).collect()).collect();
        }
        rows.into_iter().map(|row| row.into_iter().collect()).collect()
    }

    #[test]
    fn each_stored_form_of_an_f_stands_upright() {
        // The scene is AB over CD over EF; the stored forms are Exif's own figure.
        let scene = ["AB", "CD", "EF"];
        for (value, stored) in
            [(5, ["ACE", "BDF"]), (6, ["BDF", "ACE"]), (7, ["FDB", "ECA"]), (8, ["ECA", "FDB"])]
        {
            let orientation = Orientation::from_exif(value).unwrap();
            assert_eq!(upright(orientation, stored), scene, "{orientation:?}");
        }
        let scene = ["ABC", "DEF"];
        for (value, stored) in
            [(1, ["ABC", "DEF"]), (2, ["CBA", "FED"]), (3, ["FED", "CBA"]), (4, ["DEF", "ABC"])]
        {
            let orientation = Orientation::from_exif(value).unwrap();
            assert_eq!(upright(orientation, stored), scene, "{orientation:?}");
        }
    }

    #[test]
    fn a_mirror_image_reverses_an_odd_number_of_times() {
        for o in Orientation::ALL {
            let times = [o.reverses_rows(), o.reverses_columns(), o.swaps_sides()];
            assert_eq!(o.is_mirrored(), times.iter().filter(|&&t| t).count() % 2 == 1, "{o:?}");
            assert_eq!(Orientation::from_exif(o.to_exif().into()), Some(o));
        }
    }

    #[test]
    fn values_that_exif_does_not_define_are_none() {
        for value in [0, 9, 256 + 6, u32::MAX] {
            assert_eq!(Orientation::from_exif(value), None);
        }
    }
}
