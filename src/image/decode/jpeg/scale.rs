//! How much of a picture's detail is decoded: blocks of 8 × 8 samples become N × N, of their N × N lowest
//! frequencies. That is the picture smaller, as by a filter that keeps all that the smaller one can show.

use super::frame::Frame;
use super::stream::Meaning;
use crate::image::encode::tables::ZIGZAG;
use crate::image::{Detail, Size};

/// Coefficients of one block, and room for those that are not kept.
pub(super) type Block = [i16; 128];

/// Where in a [`Block`] what is not kept goes.
const TRASH: u8 = 64;

/// Samples of a block's side, N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Scale {
    One = 1,
    Two = 2,
    Three = 3,
    Four = 4,
    Five = 5,
    Six = 6,
    Eight = 8,
}

impl Scale {
    pub const ALL: [Scale; 7] =
        [Scale::One, Scale::Two, Scale::Three, Scale::Four, Scale::Five, Scale::Six, Scale::Eight];

    /// The smallest at which a component of a picture of `size` has `least` columns and rows; `h` and `v` are its
    /// sampling factors and the largest.
    pub fn of(size: Size, h: (u64, u64), v: (u64, u64), least: Size) -> Scale {
        Scale::reaching(size.width, h, least.width).max(Scale::reaching(size.height, v, least.height))
    }

    /// The smallest at which a side of `length` × `ratio` samples has at least `least`.
    fn reaching(length: u32, ratio: (u64, u64), least: u32) -> Scale {
        let reaches = |scale: &Scale| {
            u64::from(length) * ratio.0 * scale.side() as u64 >= u64::from(least) * ratio.1 * 8
        };
        Scale::ALL.into_iter().find(reaches).unwrap_or(Scale::Eight)
    }

    /// The largest at which a component gives no more samples than one that is sampled as the picture, at this
    /// scale.
    pub fn within(self, h: (u64, u64), v: (u64, u64)) -> Scale {
        let most = self.side() as u64;
        let fits = |scale: &Scale| {
            let side = scale.side() as u64;
            side * h.0 <= most * h.1 && side * v.0 <= most * v.1
        };
        Scale::ALL.into_iter().rfind(fits).unwrap_or(self)
    }

    /// N.
    pub const fn side(self) -> usize {
        self as usize
    }

    /// Coefficients from one column of a [`Block`] to the next.
    pub fn stride(self) -> usize {
        if self <= Scale::Four { 4 } else { 8 }
    }

    /// How many coefficients of a [`Block`] are in use.
    pub fn used(self) -> usize {
        self.stride() * self.stride()
    }

    /// Whether enough coefficients lie behind the last that is kept that it pays to pass them several at a time.
    #[inline(always)]
    pub fn leaps(self) -> bool {
        self <= Scale::Three
    }

    /// Clears what is in use of a block.
    #[inline(always)]
    pub fn clear(self, block: &mut Block) {
        // By lengths that are known here: a few stores, and no call.
        if self <= Scale::Four {
            block[..16].fill(0);
        } else {
            block[..64].fill(0);
        }
    }

    /// Where in a [`Block`], *column by column*, each coefficient in zigzag order lies; of those that are
    /// not kept, and of indices beyond 63, in the room beside.
    pub fn places(self) -> &'static [u8; 256] {
        const fn places(side: u8, stride: u8) -> [u8; 256] {
            let mut places = [TRASH; 256];
            let mut k = 0;
            while k < 64 {
                let (row, column) = (ZIGZAG[k] / 8, ZIGZAG[k] % 8);
                if row < side && column < side {
                    places[k] = column * stride + row;
                }
                k += 1;
            }
            places
        }
        static PLACES: [[u8; 256]; 7] = [
            places(1, 4),
            places(2, 4),
            places(3, 4),
            places(4, 4),
            places(5, 8),
            places(6, 8),
            places(8, 8),
        ];
        &PLACES[self.index()]
    }

    /// Where among the N × N coefficients that are kept of a block, column by column without gaps, each in
    /// zigzag order lies; beyond them what is not kept.
    pub const fn packed(self) -> &'static [u8; 64] {
        const fn packed(side: u8) -> [u8; 64] {
            let mut places = [u8::MAX; 64];
            let mut k = 0;
            while k < 64 {
                let (row, column) = (ZIGZAG[k] / 8, ZIGZAG[k] % 8);
                if row < side && column < side {
                    places[k] = column * side + row;
                }
                k += 1;
            }
            places
        }
        static PLACES: [[u8; 64]; 7] =
            [packed(1), packed(2), packed(3), packed(4), packed(5), packed(6), packed(8)];
        &PLACES[self.index()]
    }

    const fn index(self) -> usize {
        if matches!(self, Scale::Eight) { 6 } else { self.side() - 1 }
    }

    /// The last coefficient in zigzag order that is kept.
    pub const fn last(self) -> usize {
        const LAST: [usize; 7] = [0, 4, 12, 24, 39, 51, 63];
        LAST[self.index()]
    }
}

/// At what scales a frame is decoded.
pub(super) struct Scales {
    /// Of the picture, where its components become one plane.
    pub whole: Scale,
    /// Of each component.
    pub components: Vec<Scale>,
}

impl Scales {
    /// Those of `frame` where `detail` is enough.
    pub fn new(frame: &Frame, meaning: Meaning, detail: Detail) -> Scales {
        let (h_max, v_max) = frame.factors();
        let scale = |h: u64, v: u64, least: Size| Scale::of(frame.size, (h, h_max), (v, v_max), least);
        let whole = scale(h_max, v_max, detail.luma);
        let components = frame.components.iter().enumerate().map(|(index, c)| match meaning {
            Meaning::Grey => whole,
            Meaning::YCbCr => scale(c.h, c.v, if index == 0 { detail.luma } else { detail.chroma }),
            // What is subsampled comes as large as the rest, as far as there is more of it.
            Meaning::Rgb | Meaning::Cmyk | Meaning::Ycck => whole.within((c.h, h_max), (c.v, v_max)),
        });
        Scales { whole, components: components.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_scale_that_suffices_is_taken() {
        for (length, ratio, least, scale) in [
            (4000, (1, 1), 1200, Scale::Three),
            (4000, (1, 2), 600, Scale::Three),
            (4000, (1, 2), 1200, Scale::Five),
            (1600, (1, 1), 1200, Scale::Six),
            (1599, (1, 1), 1200, Scale::Eight),
            (600, (1, 1), 1200, Scale::Eight),
            (65_535, (1, 1), 2, Scale::One),
        ] {
            assert_eq!(Scale::reaching(length, ratio, least), scale, "{length} × {ratio:?} → {least}");
        }
    }

    #[test]
    fn every_kept_coefficient_has_a_place_of_its_own() {
        for scale in Scale::ALL {
            let n = scale.side();
            let mut kept: Vec<u8> = scale.places().iter().copied().filter(|&place| place != TRASH).collect();
            let last = scale.places().iter().rposition(|&place| place != TRASH);
            assert_eq!(last, Some(scale.last()), "{scale:?}");
            kept.sort_unstable();
            kept.dedup();
            assert_eq!(kept.len(), n * n, "{scale:?}");
            assert!(kept.iter().all(|&place| usize::from(place) < scale.used()));
        }
    }
}
