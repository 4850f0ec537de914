//! The kernel and the JPEG encoder alone, against the crates that do the same.

use std::hint::black_box;

use fast_image_resize as peer;
use image_sharer::image::encode::{jpeg, png, ycbcr::Ycbcr};
use image_sharer::image::resize::{Axis, Resizer, Target};
use image_sharer::image::{Color, Effort, Size};

use crate::measure::{bind_to_one_core, cpu_time};
use crate::report::median;
use crate::scene::{Scene, Style};

const ROUNDS: usize = 15;
const OUTPUTS: [(u32, u32); 3] = [(600, 450), (300, 225), (100, 75)];

/// What one comparison gave.
pub struct Comparison {
    pub work: String,
    pub peer: &'static str,
    /// CPU milliseconds, medians.
    pub ours: f64,
    pub theirs: f64,
    /// Ours against theirs, at most.
    pub goal: Option<f64>,
}

pub fn print() -> Result<(), String> {
    bind_to_one_core()?;
    for Comparison { work, peer, ours, theirs, .. } in all(&|_| ()) {
        println!("{work}: {ours:.2} ms; {peer}: {theirs:.2} ms; ratio {:.3}", ours / theirs);
    }
    Ok(())
}

/// Compares all, one after the other; says before each what it is.
pub fn all(progress: &dyn Fn(&str)) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    let (large, small) = (Size { width: 4000, height: 3000 }, Size { width: 2000, height: 1500 });
    for (channels, size, goal) in
        [(3, large, Some(0.20)), (1, large, None), (1, small, None), (4, large, None)]
    {
        let work = format!("kernel, {size} × {channels} channels → 600 + 300 + 100");
        progress(&work);
        let source = scene(size, channels);
        let [ours, theirs] =
            medians([&mut || ours(channels, size, &source), &mut || theirs(channels, size, &source)]);
        comparisons.push(Comparison { work, peer: "fast_image_resize, three resizes", ours, theirs, goal });
    }
    progress("encoders");
    comparisons.extend(encode());
    comparisons
}

fn targets(size: Size) -> Vec<Target> {
    OUTPUTS
        .iter()
        .map(|&(w, h)| Target { x: Axis::fit(size.width, w), y: Axis::fit(size.height, h) })
        .collect()
}

fn ours(channels: usize, size: Size, source: &[u8]) {
    let targets = targets(size);
    let made =
        if channels == 4 { Resizer::with_alpha(4, &targets) } else { Resizer::new(channels, &targets) };
    let mut resizer = made.expect("a plain geometry");
    // Eight rows at a time, as the JPEG decoder has them.
    for rows in source.chunks(size.width as usize * channels * 8) {
        resizer.push(rows, &mut |_, row| {
            black_box(row);
        });
    }
}

fn theirs(channels: usize, size: Size, source: &[u8]) {
    let kind = match channels {
        1 => peer::PixelType::U8,
        3 => peer::PixelType::U8x3,
        _ => peer::PixelType::U8x4,
    };
    let image = peer::images::ImageRef::new(size.width, size.height, source, kind).expect("a whole picture");
    let options =
        peer::ResizeOptions::new().resize_alg(peer::ResizeAlg::Convolution(peer::FilterType::Lanczos3));
    for (width, height) in OUTPUTS {
        let mut out = peer::images::Image::new(width, height, kind);
        peer::Resizer::new().resize(&image, &mut out, &options).expect("fitting types");
        black_box(out.buffer());
    }
}

fn encode() -> Vec<Comparison> {
    let pictures: Vec<(Size, Vec<u8>, Ycbcr)> = OUTPUTS
        .iter()
        .map(|&(width, height)| {
            let size = Size { width, height };
            let rgb = scene(size, 3);
            let planes = Ycbcr::from_rgb(size, &rgb, jpeg::Sampling::Halved);
            (size, rgb, planes)
        })
        .collect();
    let mut from_planes = || {
        for (_, _, planes) in &pictures {
            let mut out = Vec::new();
            jpeg::encode(&planes.planes(), 80, &mut out);
            black_box(out);
        }
    };
    let mut from_rgb = || {
        for (size, rgb, _) in &pictures {
            let mut out = Vec::new();
            jpeg::encode(&Ycbcr::from_rgb(*size, rgb, jpeg::Sampling::Halved).planes(), 80, &mut out);
            black_box(out);
        }
    };
    let mut theirs = || {
        for (size, rgb, _) in &pictures {
            let mut out = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut out, 80);
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
            let (width, height) = (size.width as u16, size.height as u16);
            encoder.encode(rgb, width, height, jpeg_encoder::ColorType::Rgb).expect("a whole picture");
            black_box(out);
        }
    };
    let mut to_png = || {
        for (size, rgb, _) in &pictures {
            black_box(png::encode(*size, Color::Rgb, rgb, Effort::Fast));
        }
    };
    let [from_planes, from_rgb, theirs, to_png] =
        medians([&mut from_planes, &mut from_rgb, &mut theirs, &mut to_png]);
    let comparison = |work: &str, ours, goal| {
        let work = format!("encoding 600 + 300 + 100, {work}");
        Comparison { work, peer: "jpeg-encoder", ours, theirs, goal }
    };
    vec![
        comparison("planes → JPEG", from_planes, Some(0.5)),
        comparison("RGB → JPEG", from_rgb, None),
        comparison("RGB → PNG", to_png, None),
    ]
}

/// Median CPU time of each, in milliseconds, taking turns.
fn medians<const N: usize>(mut programs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (program, times) in programs.iter_mut().zip(&mut times) {
            let start = cpu_time();
            program();
            times.push((cpu_time() - start).as_secs_f64() * 1e3);
        }
    }
    times.map(|times| median(&times))
}

fn scene(size: Size, channels: usize) -> Vec<u8> {
    let mut scene = Scene::new(Style::Photo, size);
    let mut row = vec![0; size.width as usize * 3];
    let mut samples = Vec::with_capacity(size.pixels() as usize * channels);
    for _ in 0..size.height {
        scene.row(&mut row);
        for (x, &[r, g, b]) in row.as_chunks::<3>().0.iter().enumerate() {
            samples.extend_from_slice(&[r, g, b, x as u8][..channels]);
        }
    }
    samples
}
