//! What decoding a JPEG holds, told from its header.

use super::scale::Scale;
use crate::image::probe::Process;
use crate::image::{Detail, Size};

/// Strips of rows that are in the making, and their copies: up to four components of 32 rows, each twice.
const STRIPS: u64 = 256;

/// Bytes that a decoder holds at most for a picture of `size` and `sampling` that is wanted in `detail`, the file
/// not counted.
pub(in crate::image) fn memory(size: Size, process: Process, sampling: &[(u8, u8)], detail: Detail) -> u64 {
    let most = |factors: &mut dyn Iterator<Item = u8>| u64::from(factors.max().unwrap_or(1).max(1));
    let h_max = most(&mut sampling.iter().map(|&(h, _)| h));
    let v_max = most(&mut sampling.iter().map(|&(_, v)| v));
    let mcus = u64::from(size.width).div_ceil(8 * h_max) * u64::from(size.height).div_ceil(8 * v_max);
    let held: u64 = sampling
        .iter()
        .map(|&(h, v)| {
            let (h, v) = (u64::from(h), u64::from(v));
            // What a component is is not known yet: luma is wanted in more detail than chroma, and what becomes
            // one plane is of one size.
            let (h_of, v_of) = ((h, h_max), (v, v_max));
            let alone = Scale::of(size, h_of, v_of, detail.luma);
            let whole = Scale::of(size, (1, 1), (1, 1), detail.luma).within(h_of, v_of);
            let scale = alone.max(whole).side() as u64;
            let of_block = match process {
                Process::Sequential => 0,
                Process::ScanByScan => scale * scale,
                Process::Progressive => 2 * scale * scale + 8,
            };
            mcus * h * v * of_block
        })
        .sum();
    held + STRIPS * u64::from(size.width)
}
