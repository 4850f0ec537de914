//! The resampling kernel, in any geometry: rows come in order, constants stay, memory is foreseen.

use image_sharer::image::resize::{Axis, Resizer, Target};
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};

use crate::memory;

/// Longest side of a source and of an output.
const MAX_SIDE: u32 = 96;

/// Most outputs.
const MAX_TARGETS: usize = 4;

#[derive(Debug)]
struct Input {
    channels: usize,
    alpha: bool,
    source: (u32, u32),
    targets: Vec<Target>,
    /// A sample for each of the channels of all pixels, or samples over and over.
    constant: bool,
    samples: Vec<u8>,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Input> {
        let source = (u.int_in_range(1..=MAX_SIDE)?, u.int_in_range(1..=MAX_SIDE)?);
        let count = u.int_in_range(1..=MAX_TARGETS)?;
        let targets = (0..count).map(|_| Ok(Target { x: axis(u, source.0)?, y: axis(u, source.1)? }));
        let targets = targets.collect::<Result<Vec<Target>>>()?;
        let (channels, alpha, constant) = (u.int_in_range(0..=5)?, u.arbitrary()?, u.arbitrary()?);
        let samples = u.bytes(u.len())?.to_vec();
        Ok(Input { channels, alpha, source, targets, constant, samples })
    }
}

/// An axis as thumbnails have them, or any.
fn axis(u: &mut Unstructured<'_>, source: u32) -> Result<Axis> {
    let target = u.int_in_range(0..=MAX_SIDE)?;
    Ok(match u.int_in_range(0..=3)? {
        0 => Axis::fit(source, target),
        1 => {
            let extent = f64::from(source) - 0.5;
            let axis = Axis::span(source, target, extent, f64::from(target));
            if u.arbitrary()? { axis.from_end(extent) } else { axis }
        }
        2 => Axis {
            source,
            target,
            scale: f64::from(u.arbitrary::<u16>()?) / 256.0,
            offset: f64::from(u.arbitrary::<i16>()?) / 64.0,
        },
        _ => Axis { source, target, scale: u.arbitrary()?, offset: u.arbitrary()? },
    })
}

/// Any geometry and samples.
pub fn check(data: &[u8]) {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return };
    let (rows, peak) = memory::peak(|| run(&input));
    let Some(rows) = rows else { return };
    // The rows that are kept here, and the list of what each output follows, come on top.
    let kept: usize = rows.iter().map(|rows| rows.capacity()).sum();
    let foreseen = Resizer::memory(input.channels, &input.targets) + kept as u64 + 16 * 1024;
    assert!(peak <= foreseen, "{peak} bytes were held where {foreseen} were foreseen");
    for (target, rows) in input.targets.iter().zip(&rows) {
        let samples = target.x.target as usize * target.y.target as usize * input.channels;
        assert_eq!(rows.len(), samples, "rows lack");
        if input.constant {
            let pixel = constant(&input);
            let opaque = !input.alpha || pixel.last() == Some(&255);
            let same = rows.chunks_exact(input.channels).all(|found| found == pixel);
            assert!(!opaque || same, "{pixel:?} did not stay");
        }
    }
}

fn constant(input: &Input) -> Vec<u8> {
    (0..input.channels).map(|channel| input.samples.get(channel).copied().unwrap_or(0)).collect()
}

/// All rows of each output; nothing where the geometry is refused.
fn run(input: &Input) -> Option<Vec<Vec<u8>>> {
    let make = if input.alpha { Resizer::with_alpha } else { Resizer::new };
    let mut resizer = make(input.channels, &input.targets).ok()?;
    let length = input.source.0 as usize * input.channels;
    let pixel = constant(input);
    let samples = if input.constant || input.samples.is_empty() { &pixel } else { &input.samples };
    let mut samples = samples.iter().copied().cycle();
    let mut rows = vec![Vec::new(); input.targets.len()];
    let mut row = Vec::with_capacity(length);
    for _ in 0..input.source.1 {
        row.clear();
        row.extend(samples.by_ref().take(length));
        resizer.push(&row, &mut |index, row| {
            assert_eq!(row.len(), input.targets[index].x.target as usize * input.channels);
            rows[index].extend_from_slice(row);
        });
    }
    Some(rows)
}

/// The input in words, to see what a finding is.
pub fn describe(data: &[u8]) -> String {
    format!("{:?}", Input::arbitrary(&mut Unstructured::new(data)))
}
