use std::f64::consts::PI;

use proptest::prelude::*;

use super::alpha::Alpha;
use super::kernel::Kernel;
use super::*;

/// A picture of interleaved samples.
#[derive(Clone, Debug, PartialEq)]
struct Picture {
    width: u32,
    height: u32,
    channels: usize,
    samples: Vec<u8>,
}

impl Picture {
    fn new(width: u32, height: u32, channels: usize, sample: impl Fn(u32, u32, usize) -> u8) -> Picture {
        let at = |i: u32| (i % width, i / width);
        let samples = (0..width * height)
            .flat_map(|i| (0..channels).map(move |c| (i, c)))
            .map(|(i, c)| sample(at(i).0, at(i).1, c))
            .collect();
        Picture { width, height, channels, samples }
    }

    fn constant(width: u32, height: u32, channels: usize, value: u8) -> Picture {
        Picture::new(width, height, channels, |_, _, _| value)
    }

    /// Every sample at random, black, white and all between: the worst there is for overshoot.
    fn noise(width: u32, height: u32, channels: usize, seed: u32) -> Picture {
        Picture::new(width, height, channels, |x, y, c| {
            let mut n = seed
                ^ x.wrapping_mul(374_761_393).wrapping_add(y.wrapping_mul(668_265_263))
                ^ (c as u32 * 97);
            n = (n ^ (n >> 13)).wrapping_mul(1_274_126_177);
            n = (n ^ (n >> 16)).wrapping_mul(2_246_822_519);
            match n >> 30 {
                0 => 0,
                1 => 255,
                _ => (n >> 8) as u8,
            }
        })
    }

    /// What photographs are like: smooth shapes, edges, and detail of all sizes.
    fn scene(width: u32, height: u32, channels: usize) -> Picture {
        Picture::new(width, height, channels, |x, y, c| {
            let (x, y) = (f64::from(x) + 40.0 * c as f64, f64::from(y));
            let waves = (x / 9.0).sin() + (y / 31.0 + x / 57.0).cos() + (x * y / 9000.0).sin();
            let edge = if (x - 90.0).hypot(y - 70.0) < 50.0 { 40.0 } else { -20.0 };
            (128.0 + 25.0 * waves + edge).round().clamp(0.0, 255.0) as u8
        })
    }

    fn resized_by(&self, mut resizer: Resizer, targets: &[Target]) -> Vec<Picture> {
        let mut out: Vec<Picture> = targets
            .iter()
            .map(|t| Picture {
                width: t.x.target,
                height: t.y.target,
                channels: self.channels,
                samples: vec![],
            })
            .collect();
        for row in self.samples.chunks_exact(self.width as usize * self.channels) {
            resizer.push(row, &mut |index, row| out[index].samples.extend_from_slice(row));
        }
        for picture in &out {
            assert_eq!(
                picture.samples.len(),
                picture.width as usize * picture.height as usize * self.channels
            );
        }
        out
    }

    fn resized(&self, targets: &[Target]) -> Vec<Picture> {
        self.resized_by(Resizer::new(self.channels, targets).unwrap(), targets)
    }

    fn resized_to(&self, width: u32, height: u32) -> Picture {
        self.resized(&[self.fit(width, height)]).remove(0)
    }

    fn fit(&self, width: u32, height: u32) -> Target {
        Target { x: Axis::fit(self.width, width), y: Axis::fit(self.height, height) }
    }
}

/// Lanczos3 of the whole picture in floating point, straight from the definition, not rounded.
fn reference(picture: &Picture, target: &Target) -> Vec<f64> {
    let (x, y) = (reference_weights(&target.x), reference_weights(&target.y));
    let (width, channels) = (picture.width as usize, picture.channels);
    let wide: Vec<f64> = picture.samples.iter().map(|&s| f64::from(s)).collect();
    let narrow: Vec<f64> = wide
        .chunks_exact(width * channels)
        .flat_map(|row| {
            x.iter().flat_map(move |taps| {
                (0..channels).map(move |c| taps.iter().map(|&(i, w)| w * row[i * channels + c]).sum::<f64>())
            })
        })
        .collect();
    let length = x.len() * channels;
    y.iter()
        .flat_map(|taps| {
            let narrow = &narrow;
            (0..length).map(move |k| taps.iter().map(|&(i, w)| w * narrow[i * length + k]).sum())
        })
        .collect()
}

fn reference_weights(axis: &Axis) -> Vec<Vec<(usize, f64)>> {
    let lanczos = |x: f64| match x.abs() {
        0.0 => 1.0,
        x if x < 3.0 => 3.0 * (PI * x).sin() * (PI * x / 3.0).sin() / (PI * x).powi(2),
        _ => 0.0,
    };
    (0..axis.target)
        .map(|j| {
            let centre = (f64::from(j) + 0.5) * axis.scale + axis.offset;
            let centre = centre.clamp(0.0, f64::from(axis.source));
            let weight = |i: u32| lanczos((f64::from(i) + 0.5 - centre) / axis.scale.max(1.0));
            let sum: f64 = (0..axis.source).map(weight).sum();
            (0..axis.source).map(|i| (i as usize, weight(i) / sum)).filter(|(_, w)| *w != 0.0).collect()
        })
        .collect()
}

fn largest_error(got: &Picture, exact: &[f64]) -> f64 {
    let clamped = exact.iter().map(|e| e.clamp(0.0, 255.0));
    got.samples.iter().zip(clamped).map(|(&g, e)| (f64::from(g) - e).abs()).fold(0.0, f64::max)
}

fn psnr(got: &Picture, exact: &[f64]) -> f64 {
    let errors = got.samples.iter().zip(exact).map(|(&g, e)| (f64::from(g) - e.clamp(0.0, 255.0)).powi(2));
    10.0 * (255.0 * 255.0 * exact.len() as f64 / errors.sum::<f64>()).log10()
}

/// Rounding to a whole level, and a fiftieth for weights and the middle.
const DIRECT_ERROR: f64 = 0.52;

#[test]
fn direct_targets_are_the_reference_rounded() {
    for channels in 1..=4 {
        let picture = Picture::scene(301, 203, channels);
        for (width, height) in [(300, 200), (100, 67), (37, 199), (301, 1), (1, 203), (1, 1)] {
            let target = picture.fit(width, height);
            let error = largest_error(&picture.resized_to(width, height), &reference(&picture, &target));
            assert!(error <= DIRECT_ERROR, "{channels} ch to {width} × {height}: off by {error}");
        }
    }
}

#[test]
fn a_cascade_keeps_the_quality() {
    let picture = Picture::scene(800, 600, 3);
    let targets = [(300, 225), (150, 113), (50, 38)].map(|(w, h)| picture.fit(w, h));
    for (got, target) in picture.resized(&targets).iter().zip(&targets) {
        let quality = psnr(got, &reference(&picture, target));
        assert!(quality > 55.0, "{} px: {quality} dB", got.width);
    }
}

#[test]
fn a_target_close_to_a_larger_one_is_made_from_the_source() {
    let picture = Picture::noise(200, 150, 1, 7);
    let targets = [(100, 75), (90, 68)].map(|(w, h)| picture.fit(w, h));
    assert_eq!(picture.resized(&targets)[1], picture.resized_to(90, 68));
}

#[test]
fn targets_come_under_the_index_they_were_given_with() {
    let picture = Picture::scene(200, 100, 2);
    let targets = [(20, 10), (100, 50), (45, 22)].map(|(w, h)| picture.fit(w, h));
    let widths: Vec<u32> = picture.resized(&targets).iter().map(|p| p.width).collect();
    assert_eq!(widths, [20, 100, 45]);
}

#[test]
fn scale_one_is_an_exact_copy() {
    for (width, height) in [(1, 1), (5, 3), (64, 64), (131, 77)] {
        for channels in 1..=4 {
            let picture = Picture::noise(width, height, channels, 3);
            assert_eq!(picture.resized_to(width, height), picture);
        }
    }
}

#[test]
fn a_whole_shift_moves_samples_exactly() {
    let picture = Picture::noise(40, 30, 1, 5);
    let x = Axis { target: 30, scale: 1.0, offset: 10.0, ..Axis::fit(40, 1) };
    let shifted = picture.resized(&[Target { x, y: Axis::fit(30, 30) }]).remove(0);
    let expected = Picture::new(30, 30, 1, |x, y, _| picture.samples[(y * 40 + x + 10) as usize]);
    assert_eq!(shifted, expected);
}

#[test]
fn the_grid_can_be_laid_from_either_end() {
    let picture = Picture::noise(101, 1, 1, 9);
    let mirrored = Picture::new(101, 1, 1, |x, _, _| picture.samples[(100 - x) as usize]);
    let axis = Axis::span(101, 13, 101.0, 12.5);
    let line =
        |picture: &Picture, x: Axis| picture.resized(&[Target { x, y: Axis::fit(1, 1) }]).remove(0).samples;
    let mut backwards = line(&mirrored, axis.from_end(101.0));
    backwards.reverse();
    assert_eq!(backwards, line(&picture, axis));
}

#[test]
fn after_a_restart_another_picture_comes_out_the_same() {
    let (first, second) = (Picture::noise(90, 70, 3, 1), Picture::noise(90, 70, 3, 2));
    let targets = [first.fit(30, 23), first.fit(10, 8)];
    let mut resizer = Resizer::new(3, &targets).unwrap();
    for row in first.samples.chunks_exact(270).take(33) {
        resizer.push(row, &mut |_, _| ());
    }
    resizer.restart();
    assert_eq!(second.resized_by(resizer.clone(), &targets), second.resized(&targets));
}

#[test]
fn rows_beyond_the_last_are_ignored() {
    let mut resizer = Resizer::new(1, &[Target { x: Axis::fit(4, 2), y: Axis::fit(3, 2) }]).unwrap();
    let mut rows = 0;
    for _ in 0..20 {
        resizer.push(&[9; 4], &mut |_, _| rows += 1);
    }
    assert_eq!(rows, 2);
}

#[test]
fn transparent_colour_leaves_no_fringe() {
    let half = |x: u32| if x < 32 { [200, 100, 50, 255] } else { [0, 255, 255, 0] };
    let picture = Picture::new(64, 8, 4, |x, _, c| half(x)[c]);
    let targets = [picture.fit(9, 2)];
    let resizer = Resizer::with_alpha(4, &targets).unwrap();
    let small = picture.resized_by(resizer, &targets).remove(0);
    for pixel in small.samples.chunks_exact(4).filter(|pixel| pixel[3] > 20) {
        for (got, colour) in pixel.iter().zip([200u8, 100, 50]) {
            assert!(got.abs_diff(colour) <= 6, "{pixel:?}");
        }
    }
}

#[test]
fn opaque_alpha_changes_nothing() {
    let grey = Picture::noise(50, 40, 1, 8);
    let opaque = Picture::new(50, 40, 2, |x, y, c| [grey.samples[(y * 50 + x) as usize], 255][c]);
    let targets = [grey.fit(20, 16), grey.fit(10, 8)];
    let resizer = Resizer::with_alpha(2, &targets).unwrap();
    for (with, without) in opaque.resized_by(resizer, &targets).iter().zip(grey.resized(&targets)) {
        let expected: Vec<u8> = without.samples.iter().flat_map(|&s| [s, 255]).collect();
        assert_eq!(with.samples, expected);
    }
}

#[test]
fn memory_is_known_beforehand_and_does_not_grow_with_the_rows() {
    let held = |height: u32| {
        let size = [(60, 45), (30, 22), (10, 8)].map(|(w, h)| (Axis::fit(400, w), Axis::fit(height, h)));
        let targets = size.map(|(x, y)| Target { x, y });
        let mut resizer = Resizer::with_alpha(4, &targets).unwrap();
        (0..height).for_each(|_| resizer.push(&[7; 1600], &mut |_, _| ()));
        let (held, foretold) = (resizer.feed.held() as u64, Resizer::memory(4, &targets));
        assert!(held <= foretold && foretold <= 2 * held, "{held} held, {foretold} foretold");
        held
    };
    // Weights do grow, by six taps of two bytes a row and output.
    let (low, high) = (held(300), held(3000));
    assert!(high - low < 2700 * 12 * 2, "{low}, {high}");
}

#[test]
fn nonsense_is_refused() {
    let fit = Target { x: Axis::fit(4, 2), y: Axis::fit(4, 2) };
    let with = |x: Axis| Resizer::new(1, &[Target { x, ..fit }]).err();
    assert_eq!(Resizer::new(1, &[]).err(), Some(Error::Empty));
    assert_eq!(with(Axis { source: 0, ..fit.x }), Some(Error::Empty));
    assert_eq!(with(Axis { target: 0, ..fit.x }), Some(Error::Empty));
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-11, 1e11] {
        assert_eq!(with(Axis { scale, ..fit.x }), Some(Error::Scale));
    }
    // Each of these is a number, but the second as seen from the first is none.
    let tiny = Target { y: Axis { scale: 1e-306, ..fit.y }, ..fit };
    let huge = Target { y: Axis { scale: 99.0, offset: -499.0, ..fit.y }, x: Axis::fit(4, 1) };
    assert_eq!(Resizer::new(1, &[tiny, huge]).err(), Some(Error::Scale));
    assert_eq!(with(Axis { offset: f64::NAN, ..fit.x }), Some(Error::Scale));
    assert_eq!(with(Axis { offset: -1e20, ..fit.x }), Some(Error::Scale));
    let other = Target { x: Axis::fit(5, 2), ..fit };
    assert_eq!(Resizer::new(1, &[fit, other]).err(), Some(Error::Sources));
    assert_eq!(Resizer::new(0, &[fit]).err(), Some(Error::Channels));
    assert_eq!(Resizer::new(5, &[fit]).err(), Some(Error::Channels));
    assert_eq!(Resizer::with_alpha(3, &[fit]).err(), Some(Error::Channels));
}

/// Any geometry that decoders and thumbnails come up with, and some that they don't.
fn any_axis() -> impl Strategy<Value = Axis> {
    axis_up_to(300)
}

/// Sides of at most `longest` samples, of source and target.
fn axis_up_to(longest: u32) -> impl Strategy<Value = Axis> {
    let sides = (1..=longest, 1..=longest);
    (sides, 0.9..1.1, -2.0..2.0, 0..2u8).prop_map(|((source, target), stretch, offset, plain)| {
        let fit = Axis::fit(source, target);
        if plain == 0 { fit } else { Axis { scale: fit.scale * stretch, offset, ..fit } }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_direct_target_is_the_reference(
        x in any_axis(), y in any_axis(), channels in 1usize..=4, seed: u32,
    ) {
        let picture = Picture::noise(x.source, y.source, channels, seed);
        let target = Target { x, y };
        let error = largest_error(&picture.resized(&[target])[0], &reference(&picture, &target));
        prop_assert!(error <= 1.0, "off by {error}");
    }

    #[test]
    fn any_long_side_is_the_reference(
        long in axis_up_to(4000), short in axis_up_to(9), channels in 1usize..=4, seed: u32, upright: bool,
    ) {
        let (x, y) = if upright { (short, long) } else { (long, short) };
        let picture = Picture::noise(x.source, y.source, channels, seed);
        let target = Target { x, y };
        let error = largest_error(&picture.resized(&[target])[0], &reference(&picture, &target));
        prop_assert!(error <= 1.0, "off by {error}");
    }

    #[test]
    fn what_is_black_all_around_is_the_reference(
        left in 0u32..1500, top in 0u32..60, width in 1u32..700, height in 1u32..40, channels in 1usize..=4,
        with_alpha: bool, seed: u32,
    ) {
        let alpha = if with_alpha { Alpha::of(channels).unwrap_or(Alpha::None) } else { Alpha::None };
        let inside = move |x, y| (left..left + width).contains(&x) && (top..top + height).contains(&y);
        let noise = Picture::noise(1500, 60, channels, seed);
        let at = |x: u32, y: u32, c: usize| noise.samples[(y as usize * 1500 + x as usize) * channels + c];
        let picture = Picture::new(1500, 60, channels, |x, y, c| if inside(x, y) { at(x, y, c) } else { 0 });
        let target = picture.fit(150, 6);
        let [scalar, best] = [Kernel::Scalar, Kernel::best()].map(|kernel| {
            picture.resized_by(Resizer::with_kernel(kernel, alpha, channels, &[target]).unwrap(), &[target])
        });
        prop_assert_eq!(&scalar, &best);
        if alpha == Alpha::None {
            let error = largest_error(&best[0], &reference(&picture, &target));
            prop_assert!(error <= 1.0, "off by {error}");
        }
    }

    #[test]
    fn a_constant_stays_constant(x in any_axis(), y in any_axis(), channels in 1usize..=4, value: u8) {
        let picture = Picture::constant(x.source, y.source, channels, value);
        let smaller = |axis: Axis| Axis { target: axis.target.div_ceil(3), scale: axis.scale * 3.0, ..axis };
        let targets = [Target { x, y }, Target { x: smaller(x), y: smaller(y) }];
        for got in picture.resized(&targets) {
            prop_assert!(got.samples.iter().all(|&s| s == value));
        }
    }

    #[test]
    fn no_geometry_holds_more_than_was_foretold(x in any_axis(), y in any_axis(), channels in 1usize..=4) {
        let targets = [Target { x, y }];
        let mut resizer = Resizer::new(channels, &targets).unwrap();
        let row = vec![7; x.source as usize * channels];
        (0..y.source).for_each(|_| resizer.push(&row, &mut |_, _| ()));
        prop_assert!(resizer.feed.held() as u64 <= Resizer::memory(channels, &targets), "{} > {}", resizer.feed.held(), Resizer::memory(channels, &targets));
    }

    #[test]
    fn every_kernel_gives_the_same_bits(
        x in any_axis(), y in any_axis(), channels in 1usize..=4, seed: u32, with_alpha: bool,
    ) {
        let alpha = if with_alpha { Alpha::of(channels).unwrap_or(Alpha::None) } else { Alpha::None };
        let picture = Picture::noise(x.source, y.source, channels, seed);
        let targets = [Target { x, y }];
        let by = |kernel| {
            let resizer = Resizer::with_kernel(kernel, alpha, channels, &targets).unwrap();
            picture.resized_by(resizer, &targets)
        };
        prop_assert_eq!(by(Kernel::Scalar), by(Kernel::best()));
    }
}

/// Every output row is then made of the same last source rows, and all are in the making at once.
#[test]
fn memory_is_known_where_a_grid_lies_beyond_the_edge() {
    for offset in [-900.0, 206.7] {
        let y = Axis { source: 21, target: 95, scale: 12.5, offset };
        let targets = [Target { x: Axis::fit(78, 60), y }];
        let mut resizer = Resizer::new(4, &targets).unwrap();
        (0..21).for_each(|_| resizer.push(&[7; 312], &mut |_, _| ()));
        let (held, foretold) = (resizer.feed.held() as u64, Resizer::memory(4, &targets));
        assert!(held <= foretold, "{offset}: {held} held, {foretold} foretold");
    }
}
