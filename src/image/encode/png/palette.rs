//! The 256 colours, alpha among them, that a picture of more is best shown with.
//!
//! The quantizr crate (`vendor-notes/quantizr.md`) finds them, in Oklab instead of the RGB that it takes its
//! bytes for; they are then moved to the means of what is nearest to them (Lloyd 1982), where it stops early.

use std::panic::catch_unwind;

use super::nearest::{Nearest, order};
use super::oklab::{Eye, Point};

/// Most colours that are told apart when a palette is sought: bounds time and memory.
const MOST_SHADES: usize = 1 << 14;

/// Most pixels that a palette is sought for: of a larger picture, some, evenly spread.
pub(super) const MOST_PIXELS: usize = 3 << 16;

/// Turns of moving colours to their means.
const TURNS: usize = 3;

/// Pixels of about the same colour.
struct Shade {
    /// Their mean.
    point: Point,
    /// How many.
    count: usize,
    /// The pixel that is most frequent among them, and how many of that.
    common: ([u8; 4], usize),
}

impl Shade {
    /// What it counts for. A blue sky would take most of a palette by its area, and shows no more for it.
    fn weight(&self) -> f32 {
        (self.count as f32).sqrt()
    }
}

/// Up to 256 colours, each as what is seen and as a file holds it.
pub(super) struct Palette {
    pub(super) nearest: Nearest,
    /// In the same order.
    pub(super) pixels: Vec<[u8; 4]>,
}

/// The palette for `pixels`, of which there is at least one, with `seen` as their points. None if none is
/// found.
pub(super) fn palette(eye: Eye, pixels: &[[u8; 4]], seen: &[Point], width: usize) -> Option<Palette> {
    let shades = shades(eye, pixels, seen, width);
    // A panic there, of which none is known, leaves the picture all its colours.
    let mut nearest = Nearest::new(catch_unwind(|| first(&shades)).ok()?);
    for _ in 0..TURNS {
        nearest = Nearest::new(means(&shades, &nearest));
    }
    let mut pixels = held(eye, &shades, &nearest);
    pixels.sort_unstable();
    pixels.dedup();
    let points = eye.points(&pixels);
    let order = order(&points);
    let pixels = order.iter().map(|&at| pixels[at]).collect();
    Some(Palette { nearest: Nearest::new(order.iter().map(|&at| points[at]).collect()), pixels })
}

/// Tells pixels apart as finely as [`MOST_SHADES`] allows.
fn shades(eye: Eye, pixels: &[[u8; 4]], seen: &[Point], width: usize) -> Vec<Shade> {
    // Diagonals, that no column is left out.
    let every = pixels.len().div_ceil(MOST_PIXELS);
    let is_taken = |at: usize| every == 1 || (at % width + at / width).is_multiple_of(every);
    // By colour as it is seen and then as it is stored.
    let mut keys: Vec<u64> = pixels
        .iter()
        .zip(seen)
        .enumerate()
        .filter(|(at, _)| is_taken(*at))
        .map(|(_, (&pixel, point))| u64::from(coarse(point)) << 32 | u64::from(u32::from_be_bytes(pixel)))
        .collect();
    for dropped in 0..8 {
        let seen = 0x0101_0101 * (0xff << dropped & 0xff);
        keys.iter_mut().for_each(|key| *key &= seen << 32 | 0xffff_ffff);
        keys.sort_unstable();
        if keys.chunk_by(|a, b| a >> 32 == b >> 32).count() <= MOST_SHADES {
            break;
        }
    }
    let same: Vec<(u64, usize)> = keys.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect();
    let pixels: Vec<[u8; 4]> = same.iter().map(|(key, _)| (*key as u32).to_be_bytes()).collect();
    let points = eye.points(&pixels);
    let mut at = 0;
    same.chunk_by(|(a, _), (b, _)| a >> 32 == b >> 32)
        .map(|alike| {
            let range = at..at + alike.len();
            at = range.end;
            shade(alike, &pixels[range.clone()], &points[range])
        })
        .collect()
}

/// Of pixels of about the same colour, with how many there are of each.
fn shade(alike: &[(u64, usize)], pixels: &[[u8; 4]], points: &[Point]) -> Shade {
    let (mut sum, mut count, mut common) = ([0.0; 4], 0, ([0; 4], 0));
    for (((_, same), pixel), point) in alike.iter().zip(pixels).zip(points) {
        (0..4).for_each(|i| sum[i] += point[i] * *same as f32);
        count += same;
        if *same > common.1 {
            common = (*pixel, *same);
        }
    }
    Shade { point: sum.map(|sum| sum / count as f32), count, common }
}

/// How many steps of a byte there are from black to white. More would tell apart what is the same to the eye.
const STEPS: f32 = 160.0;

/// What a and b, which lie between -0.32 and 0.28 times up to 2, are stored beyond.
const MIDDLE: f32 = 128.0;

/// A point in bytes, alpha first, none 0.
fn coarse([alpha, l, a, b]: &Point) -> u32 {
    let byte = |value: f32, zero: f32| (value * STEPS + zero).round().clamp(1.0, 255.0) as u8;
    u32::from_be_bytes([byte(*alpha, 1.0), byte(*l, 1.0), byte(*a, MIDDLE), byte(*b, MIDDLE)])
}

/// quantizr's palette.
fn first(shades: &[Shade]) -> Vec<Point> {
    // It counts pixels, so a shade's weight is told by repeating it. It does not know what the bytes are; a
    // fourth of 0 would mean that nothing is to be seen, which is never so here.
    let mut bytes = Vec::with_capacity(4 * shades.iter().map(repeated).sum::<usize>());
    for shade in shades {
        (0..repeated(shade)).for_each(|_| bytes.extend(coarse(&shade.point).to_be_bytes()));
    }
    // There are as many bytes as the sides say.
    let Ok(image) = quantizr::Image::new(&bytes, bytes.len() / 4, 1) else { unreachable!("whole pixels") };
    let quantized = quantizr::QuantizeResult::quantize(&image, &quantizr::Options::default());
    let palette = quantized.get_palette();
    palette.entries[..palette.count as usize]
        .iter()
        .map(|entry| {
            let point = |byte: u8, zero: f32| (f32::from(byte) - zero) / STEPS;
            [point(entry.r, 1.0), point(entry.g, 1.0), point(entry.b, MIDDLE), point(entry.a, MIDDLE)]
        })
        .collect()
}

/// Most that a shade is repeated: of sums of few shades that it takes, none is then rounded, and a mean lies
/// between the values that it is of, which it relies on.
const MOST_REPEATED: f32 = 255.0;

fn repeated(shade: &Shade) -> usize {
    shade.weight().round().clamp(1.0, MOST_REPEATED) as usize
}

/// The means of the shades that are nearest to each of a palette's points; a point without any stays.
fn means(shades: &[Shade], palette: &Nearest) -> Vec<Point> {
    let mut search = palette.search();
    let mut sums = vec![([0.0; 4], 0.0); palette.points().len()];
    for shade in shades {
        let (sum, weight) = &mut sums[search.nearest(&shade.point)];
        (0..4).for_each(|i| sum[i] += shade.point[i] * shade.weight());
        *weight += shade.weight();
    }
    let mean = |(sum, weight): &([f32; 4], f32), point: &Point| {
        if *weight > 0.0 { sum.map(|sum| sum / weight) } else { *point }
    };
    sums.iter().zip(palette.points()).map(|(sum, point)| mean(sum, point)).collect()
}

/// The palette's colours as a file holds them. Where most pixels that a point is nearest to are the same, a
/// ground for instance, it is theirs: the least difference over an area would show, or cost bytes in dithering.
fn held(eye: Eye, shades: &[Shade], palette: &Nearest) -> Vec<[u8; 4]> {
    let mut search = palette.search();
    let mut nearest = vec![(([0; 4], 0), 0); palette.points().len()];
    for shade in shades {
        let (common, count) = &mut nearest[search.nearest(&shade.point)];
        *count += shade.count;
        if shade.common.1 > common.1 {
            *common = shade.common;
        }
    }
    let pixels = nearest.iter().zip(palette.points());
    pixels
        .map(|((common, count), point)| if common.1 * 2 > *count { common.0 } else { eye.pixel(*point) })
        .collect()
}
