//! Measures the kernel against `fast_image_resize` and the JPEG encoder against `jpeg-encoder`, in
//! turns, in CPU time of this thread; prints medians and their ratios. Ratios are what to read: they
//! hold on a busy machine too.

use std::hint::black_box;
use std::time::Duration;

use fast_image_resize as peer;
use image_sharer::image::encode::{jpeg, png, ycbcr::Ycbcr};
use image_sharer::image::resize::{Axis, Resizer, Target};
use image_sharer::image::{Color, Size};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 15;
const OUTPUTS: [(u32, u32); 3] = [(600, 450), (300, 225), (100, 75)];

fn main() {
    for (channels, size) in [(3, (4000, 3000)), (1, (4000, 3000)), (1, (2000, 1500)), (4, (4000, 3000))] {
        resize(channels, Size { width: size.0, height: size.1 });
    }
    encode();
}

fn resize(channels: usize, size: Size) {
    let source = scene(size, channels);
    let [ours, theirs] =
        medians([&mut || ours(channels, size, &source), &mut || theirs(channels, size, &source)]);
    report(&format!("{size} × {channels} to 600, 300, 100"), ours, "three runs of fast_image_resize", theirs);
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
    for row in source.chunks_exact(size.width as usize * channels) {
        resizer.push(row, &mut |_, row| {
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

fn encode() {
    let pictures: Vec<(Size, Vec<u8>, Ycbcr)> = OUTPUTS
        .iter()
        .map(|&(width, height)| {
            let size = Size { width, height };
            let rgb = scene(size, 3);
            let planes = Ycbcr::from_rgb(size, &rgb);
            (size, rgb, planes)
        })
        .collect();
    let mut ours = || {
        for (_, _, planes) in &pictures {
            let mut out = Vec::new();
            jpeg::encode(&planes.planes(), 80, &mut out);
            black_box(out);
        }
    };
    let mut with_conversion = || {
        for (size, rgb, _) in &pictures {
            let mut out = Vec::new();
            jpeg::encode(&Ycbcr::from_rgb(*size, rgb).planes(), 80, &mut out);
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
    let mut png = || {
        for (size, rgb, _) in &pictures {
            black_box(png::encode(*size, Color::Rgb, rgb));
        }
    };
    let [ours, with_conversion, theirs, png] =
        medians([&mut ours, &mut with_conversion, &mut theirs, &mut png]);
    report("JPEG of three, from planes", ours, "jpeg-encoder", theirs);
    report("JPEG of three, from RGB", with_conversion, "jpeg-encoder", theirs);
    report("PNG of three", png, "jpeg-encoder", theirs);
}

fn report(what: &str, ours: f64, peer: &str, theirs: f64) {
    println!("{what}: {ours:.2} ms; {peer}: {theirs:.2} ms; ratio {:.3}", ours / theirs);
}

/// Median CPU time of each, in milliseconds.
fn medians<const N: usize>(mut programs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (program, times) in programs.iter_mut().zip(&mut times) {
            let start = cpu_time();
            program();
            times.push((cpu_time() - start).as_secs_f64() * 1e3);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    })
}

fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Shapes, waves and some noise, about as hard to code as a photograph.
fn scene(size: Size, channels: usize) -> Vec<u8> {
    let mut noise = 1u32;
    let mut samples = Vec::with_capacity(size.pixels() as usize * channels);
    let scale = 600.0 / f64::from(size.width);
    for y in 0..size.height {
        for x in 0..size.width {
            let (x, y) = (f64::from(x) * scale, f64::from(y) * scale);
            let edge = if (x % 90.0 - 45.0).hypot(y % 70.0 - 35.0) < 25.0 { 40.0 } else { 0.0 };
            let wave = 30.0 * (x / 7.0).sin() + 25.0 * (y / 11.0 + x / 40.0).cos();
            for c in 0..channels {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let grain = f64::from(noise >> 28) - 8.0;
                samples.push((110.0 + edge + wave * (1.0 - 0.2 * c as f64) + grain).clamp(0.0, 255.0) as u8);
            }
        }
    }
    samples
}
