//! What a resizer will hold, from its geometry alone: a job's memory is known before it begins.

use super::kernel::{COLUMNS, Cell, PADDING, ROWS};
use super::strips::Strips;
use super::{Axis, LEAST_CASCADE_RATIO, Target};

/// Bytes that a resizer comes to hold, from its geometry alone, and somewhat more: as if each output
/// that may fed another, and all windows were aligned at their worst.
pub(super) fn memory(channels: usize, targets: &[Target]) -> u64 {
    let Some(first) = targets.first() else { return 0 };
    // Rows of a group, and a strip of them; `scale` is that of the outputs made of it.
    let gathered = |columns: u32, scale: f64| {
        let columns = columns as usize;
        // A window and three steps to the next, and what aligning adds.
        let reach = (9.0 * scale.max(1.0)) as usize + 4 * COLUMNS;
        let strips = Strips::new(columns, channels, reach.min(columns));
        let cells = (strips.overlap + strips.step) / COLUMNS * size_of::<Cell>();
        (channels * (columns * ROWS + cells)) as f64
    };
    let follows = |target: &Target| targets.iter().any(|larger| target.may_follow(larger));
    let scale_of = |target: &Target| target.x.scale;
    let largest = targets.iter().map(scale_of).fold(0.0, f64::max);
    let direct = targets.iter().filter(|target| !follows(target)).map(scale_of).fold(0.0, f64::max);
    let taps = |axis: &Axis, alignment: usize| {
        let aligned = 2.0 * alignment as f64;
        let window = (6.0 * axis.scale.max(1.0)).min(f64::from(axis.source)) + aligned;
        f64::from(axis.target) * (window * size_of::<i16>() as f64 + size_of::<u32>() as f64)
    };
    let stage = |target: &Target| {
        let row = (f64::from(target.x.target) + PADDING as f64) * channels as f64;
        // As many as lie under a window and a group of source rows; half as many again at the lower
        // edge, where windows that would reach beyond it begin earlier.
        let under = 9.0 * target.y.scale.max(1.0) + 4.0 * ROWS as f64;
        let rows = under / target.y.scale + 2.0 + clamped(&target.y);
        let sums = size_of::<i32>() as f64 * rows.min(f64::from(target.y.target));
        let pairs = (ROWS * size_of::<i16>()) as f64;
        let feeds = largest >= target.x.scale * LEAST_CASCADE_RATIO;
        taps(&target.x, COLUMNS)
            + taps(&target.y, ROWS)
            + row * (pairs + sums + 2.0)
            + if feeds { gathered(target.x.target, largest / target.x.scale) } else { 0.0 }
    };
    (gathered(first.x.source, direct) + targets.iter().map(stage).sum::<f64>()) as u64
}

/// How many output samples have their centre beyond an edge of the source, where all their windows are
/// one: at most so many.
fn clamped(axis: &Axis) -> f64 {
    // The index of the output sample whose centre lies there.
    let index = |place: f64| (place - axis.offset) / axis.scale - 0.5;
    let (target, source) = (f64::from(axis.target), f64::from(axis.source));
    let before = index(0.0).ceil().clamp(0.0, target);
    let behind = (target - 1.0 - index(source).floor()).clamp(0.0, target);
    before + behind
}
