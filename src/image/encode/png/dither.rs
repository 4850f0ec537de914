//! From points to numbers in a palette: error diffusion after Floyd and Steinberg (1976), rows to and fro.

use super::nearest::Nearest;
use super::oklab::{Point, distance};

/// Longer errors are cut to this: one colour that the palette lacks must not bleed across the picture.
const MOST: f32 = 0.05;

/// Squared; what is less than this is not seen, and costs bytes if it is handed on.
const LEAST: f32 = 0.000_01;

/// The palette's number of each point of a picture; `share` of an error is handed on.
pub(super) fn dither(points: &[Point], width: usize, palette: &Nearest, share: f32) -> Vec<u8> {
    let mut search = palette.search();
    let mut numbers = vec![0; points.len()];
    // With one more on either side, which nobody reads.
    let (mut errors, mut below) = (vec![[0.0; 4]; width + 2], vec![[0.0; 4]; width + 2]);
    for (y, (points, numbers)) in points.chunks_exact(width).zip(numbers.chunks_exact_mut(width)).enumerate()
    {
        for step in 0..width {
            let x = if y % 2 == 0 { step } else { width - 1 - step };
            let (ahead, behind) = if y % 2 == 0 { (x + 2, x) } else { (x, x + 2) };
            let wanted = sum(points[x], errors[x + 1], 1.0);
            let number = search.nearest(&wanted);
            numbers[x] = number as u8;
            let error = kept(&wanted, &palette.points()[number], share);
            errors[ahead] = sum(errors[ahead], error, 7.0 / 16.0);
            below[behind] = sum(below[behind], error, 3.0 / 16.0);
            below[x + 1] = sum(below[x + 1], error, 5.0 / 16.0);
            below[ahead] = sum(below[ahead], error, 1.0 / 16.0);
        }
        std::mem::swap(&mut errors, &mut below);
        below.fill([0.0; 4]);
    }
    numbers
}

/// What neighbours are told of the difference.
fn kept(wanted: &Point, got: &Point, share: f32) -> Point {
    let squared = distance(wanted, got);
    if squared < LEAST {
        return [0.0; 4];
    }
    let factor = if squared <= MOST * MOST { share } else { share * MOST / squared.sqrt() };
    std::array::from_fn(|i| (wanted[i] - got[i]) * factor)
}

fn sum(point: Point, error: Point, factor: f32) -> Point {
    std::array::from_fn(|i| point[i] + error[i] * factor)
}
