//! Where a frame's blocks and samples lie, once it is known at which scale each component is decoded
//! (ITU-T T.81, A.1.1 and A.2).

use super::frame::{Component as FrameComponent, Frame};
use super::idct::{Inverse, WRITTEN};
use super::scale::{Scale, Scales};
use super::tables::Quantisers;
use crate::image::{Plane, Size};

/// Rows and columns of a block in the file.
const BLOCK: u64 = 8;

/// A frame laid out.
pub(super) struct Plan {
    pub size: Size,
    /// Rows of minimum coded units of all components.
    pub mcu_rows: usize,
    /// Their columns.
    pub mcu_columns: usize,
    pub components: Vec<Component>,
    /// Samples of a block's side in a plane of all components.
    pub side: usize,
    /// That plane, with one channel.
    pub whole: Plane,
}

/// One component laid out.
pub(super) struct Component {
    pub scale: Scale,
    pub inverse: Inverse,
    /// Blocks of one minimum coded unit, across and down.
    pub h: usize,
    pub v: usize,
    /// Blocks that show something of the picture.
    pub columns: usize,
    pub rows: usize,
    /// The plane's samples.
    pub plane: Plane,
}

impl Plan {
    pub fn new(frame: &Frame, scales: &Scales, quantisers: &[Quantisers]) -> Plan {
        let (h_max, v_max) = frame.factors();
        let (width, height) = (u64::from(frame.size.width), u64::from(frame.size.height));
        let component = |((c, &scale), quantisers): ((&FrameComponent, &Scale), &Quantisers)| {
            let side = scale.side() as u64;
            // At most the frame's sides.
            let size = Size {
                width: (width * c.h * side).div_ceil(h_max * BLOCK) as u32,
                height: (height * c.v * side).div_ceil(v_max * BLOCK) as u32,
            };
            let ratio = |most: u64, factor: u64| (most * BLOCK) as f64 / (factor * side) as f64;
            Component {
                scale,
                inverse: Inverse::new(scale, quantisers),
                h: c.h as usize,
                v: c.v as usize,
                columns: (width * c.h).div_ceil(h_max * BLOCK) as usize,
                rows: (height * c.v).div_ceil(v_max * BLOCK) as usize,
                plane: Plane { size, channels: 1, ratio: (ratio(h_max, c.h), ratio(v_max, c.v)) },
            }
        };
        let side = scales.whole.side() as u64;
        let length = |length: u32| (u64::from(length) * side).div_ceil(BLOCK) as u32;
        let ratio = BLOCK as f64 / side as f64;
        Plan {
            size: frame.size,
            mcu_rows: height.div_ceil(v_max * BLOCK) as usize,
            mcu_columns: width.div_ceil(h_max * BLOCK) as usize,
            components: frame
                .components
                .iter()
                .zip(&scales.components)
                .zip(quantisers)
                .map(component)
                .collect(),
            side: side as usize,
            whole: Plane {
                size: Size { width: length(frame.size.width), height: length(frame.size.height) },
                channels: 1,
                ratio: (ratio, ratio),
            },
        }
    }

    /// Columns and rows of blocks of a component, those included that fill up minimum coded units.
    pub fn padded(&self, component: usize) -> (usize, usize) {
        let c = &self.components[component];
        (self.mcu_columns * c.h, self.mcu_rows * c.v)
    }

    /// Room for `mcu_rows` rows of a component's minimum coded units.
    pub fn strip(&self, component: usize, mcu_rows: usize) -> Strip {
        let c = &self.components[component];
        let stride = self.padded(component).0 * c.scale.side() + WRITTEN;
        Strip { samples: vec![0; stride * c.v * mcu_rows * c.scale.side()], stride }
    }
}

/// Rows of blocks' samples, with room at their ends for what blocks write beyond theirs.
pub(super) struct Strip {
    pub samples: Vec<u8>,
    /// Samples from one row to the next.
    pub stride: usize,
}

impl Strip {
    /// The samples from block `column` of block row `row` on.
    #[inline]
    pub fn at(&mut self, scale: Scale, column: usize, row: usize) -> &mut [u8] {
        &mut self.samples[(row * self.stride + column) * scale.side()..]
    }

    /// Copies `count` rows from row `first` on, the first `width` samples of each, so that no gap is
    /// between them.
    pub fn copy(&self, first: usize, count: usize, width: usize, into: &mut Vec<u8>) {
        into.clear();
        for row in self.samples.chunks_exact(self.stride).skip(first).take(count) {
            into.extend_from_slice(&row[..width]);
        }
    }
}
