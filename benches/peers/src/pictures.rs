//! The pictures that are measured with: made once, and then found.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use image_sharer::image::Size;
use jpeg_encoder::{ImageBuffer, JpegColorType, SamplingFactor};

use crate::scene::{Scene, Style};

/// One picture, and how much time and memory it may take at most.
pub struct Subject {
    /// Its name in the folder of pictures; a file of this name in `IMAGES` takes its place.
    pub file: &'static str,
    /// What it is.
    pub title: &'static str,
    size: (u32, u32),
    kind: Kind,
    /// Whether it belongs to the bounded form.
    pub quick: bool,
    /// CPU time against sharp's, at most.
    pub ratio: Option<f64>,
    /// The same against libjpeg-turbo with fast_image_resize.
    pub turbo: Option<f64>,
    /// Resident memory at its peak, in MB, at most.
    pub memory: Option<f64>,
    /// Whether time is measured (else memory alone is).
    pub timed: bool,
}

enum Kind {
    Baseline,
    Progressive,
    /// RGBA, opaque but for one side.
    Photo,
    /// RGBA, mostly transparent.
    Cutout,
    /// RGB, flat colours.
    Drawing,
}

const PLAIN: Subject = Subject {
    file: "",
    title: "",
    size: (0, 0),
    kind: Kind::Baseline,
    quick: false,
    ratio: None,
    turbo: None,
    memory: None,
    timed: true,
};

/// All there are.
pub const SUBJECTS: [Subject; 10] = [
    Subject {
        file: "p12.jpg",
        title: "12 MP JPEG",
        size: (4000, 3000),
        ratio: Some(0.55),
        turbo: Some(0.75),
        memory: Some(8.0),
        ..PLAIN
    },
    Subject {
        file: "p12p.jpg",
        title: "12 MP JPEG, progressive",
        size: (4000, 3000),
        kind: Kind::Progressive,
        ratio: Some(0.38),
        turbo: Some(0.52),
        memory: Some(20.0),
        ..PLAIN
    },
    Subject {
        file: "p24.jpg",
        title: "24 MP JPEG",
        size: (6000, 4000),
        ratio: Some(0.60),
        turbo: Some(0.65),
        ..PLAIN
    },
    Subject {
        file: "p2.jpg",
        title: "2 MP JPEG",
        size: (1920, 1080),
        ratio: Some(0.32),
        turbo: Some(0.85),
        quick: true,
        ..PLAIN
    },
    Subject {
        file: "p1.jpg",
        title: "1 MP JPEG",
        size: (1280, 853),
        ratio: Some(0.32),
        turbo: Some(0.85),
        quick: true,
        ..PLAIN
    },
    Subject {
        file: "photo3rgba.png",
        title: "3 MP RGBA PNG, a photo",
        size: (2048, 1536),
        kind: Kind::Photo,
        ratio: Some(0.33),
        quick: true,
        ..PLAIN
    },
    Subject {
        file: "cutout15.png",
        title: "15 MP RGBA PNG, mostly transparent",
        size: (4472, 3354),
        kind: Kind::Cutout,
        ratio: Some(0.20),
        ..PLAIN
    },
    Subject {
        file: "p100.jpg",
        title: "100 MP JPEG",
        size: (11_648, 8736),
        memory: Some(24.0),
        timed: false,
        ..PLAIN
    },
    Subject {
        file: "p100p.jpg",
        title: "100 MP JPEG, progressive",
        size: (11_648, 8736),
        kind: Kind::Progressive,
        memory: Some(48.0),
        timed: false,
        ..PLAIN
    },
    Subject {
        file: "drawing100.png",
        title: "100 MP PNG",
        size: (11_648, 8736),
        kind: Kind::Drawing,
        memory: Some(16.0),
        timed: false,
        ..PLAIN
    },
];

/// Where the file of `subject` is: in `given`, if there is one of its name, else made in `folder`.
pub fn path(subject: &Subject, folder: &Path, given: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(path) = given.map(|given| given.join(subject.file)).filter(|path| path.is_file()) {
        return Ok(path);
    }
    let path = folder.join(subject.file);
    if !path.is_file() {
        eprintln!("making {} ({} × {})", subject.file, subject.size.0, subject.size.1);
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        // Under its name it is whole.
        let unfinished = folder.join("unfinished");
        write(subject, &unfinished).map_err(|e| format!("{}: {e}", path.display()))?;
        fs::rename(&unfinished, &path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(path)
}

/// Makes those of a set, `full` or `quick`, that are not there.
pub fn make(folder: &Path, set: &str) -> Result<(), String> {
    for subject in SUBJECTS.iter().filter(|subject| set == "full" || subject.quick) {
        let path = path(subject, folder, None)?;
        let bytes = fs::metadata(&path).map_or(0, |m| m.len());
        println!("{}: {bytes} bytes", path.display());
    }
    Ok(())
}

type Fault = Box<dyn std::error::Error>;

fn write(subject: &Subject, path: &Path) -> Result<(), Fault> {
    let size = Size { width: subject.size.0, height: subject.size.1 };
    let out = BufWriter::new(File::create(path)?);
    match subject.kind {
        Kind::Baseline => jpeg(size, false, out),
        Kind::Progressive => jpeg(size, true, out),
        Kind::Photo | Kind::Cutout | Kind::Drawing => png(subject, size, out),
    }
}

/// As cameras do: 4:2:0, of good quality.
fn jpeg(size: Size, progressive: bool, out: impl Write) -> Result<(), Fault> {
    let mut encoder = jpeg_encoder::Encoder::new(out, 88);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.set_progressive(progressive);
    let scene = Scene::new(Style::Photo, size);
    encoder.encode_image(Rows { size, state: RefCell::new((0, scene, Default::default())) })?;
    Ok(())
}

struct Rows {
    size: Size,
    /// The next row, what makes it, and the last one.
    state: RefCell<(u16, Scene, [Vec<u8>; 3])>,
}

impl ImageBuffer for Rows {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.size.width as u16
    }

    fn height(&self) -> u16 {
        self.size.height as u16
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let (next, scene, row) = &mut *self.state.borrow_mut();
        // Rows are asked for in turn, the last one as often as a block needs it.
        if y == *next {
            *next += 1;
            row.iter_mut().for_each(Vec::clear);
            scene.planes(row);
        }
        buffers.iter_mut().zip(row).for_each(|(buffer, row)| buffer.extend_from_slice(row));
    }
}

fn png(subject: &Subject, size: Size, out: impl Write) -> Result<(), Fault> {
    let width = size.width as usize;
    let style = if matches!(subject.kind, Kind::Drawing) { Style::Drawing } else { Style::Photo };
    let has_alpha = !matches!(subject.kind, Kind::Drawing);
    let mut encoder = png::Encoder::new(out, size.width, size.height);
    encoder.set_color(if has_alpha { png::ColorType::Rgba } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer()?;
    let mut scene = Scene::new(style, size);
    let mut mask = Scene::new(style, size);
    let (mut rgb, mut alphas, mut rgba) = (vec![0; width * 3], Vec::new(), vec![0; width * 4]);
    for _ in 0..size.height {
        scene.row(&mut rgb);
        if !has_alpha {
            stream.write_all(&rgb)?;
            continue;
        }
        match subject.kind {
            Kind::Cutout => mask.opacity(&mut alphas),
            _ => {
                alphas.clear();
                alphas.extend((0..width).map(|x| (x * 2048 / width).min(255) as u8));
            }
        }
        let pixels = rgb.as_chunks::<3>().0.iter().zip(&alphas);
        for (to, (rgb, &alpha)) in rgba.as_chunks_mut::<4>().0.iter_mut().zip(pixels) {
            *to = if alpha == 0 { [0; 4] } else { [rgb[0], rgb[1], rgb[2], alpha] };
        }
        stream.write_all(&rgba)?;
    }
    stream.finish()?;
    Ok(())
}
