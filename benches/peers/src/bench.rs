//! `make bench`: all peers in turns, round after round, on one core; then quality and memory; a page of
//! tables at the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use image_sharer::image::probe::probe_bytes;
use image_sharer::image::resize::{Axis, Resizer, Target};
use image_sharer::image::{self, Detail, Layout, Sink, Size};

use crate::child::{Cost, Peer};
use crate::decode;
use crate::kernel;
use crate::measure;
use crate::pictures::{self, SUBJECTS, Subject};
use crate::quality::{Planes, psnr, ssimulacra2};
use crate::report::{Table, at_most, median};
use crate::serve::SIDES;

/// Least CPU time that a peer works on a picture a round, in milliseconds: less is not worth measuring.
const LEAST_TURN: f64 = 40.0;

struct Options {
    tools: PathBuf,
    worker: PathBuf,
    out: PathBuf,
    images: Option<PathBuf>,
    rounds: usize,
    is_quick: bool,
}

impl Options {
    fn read(words: &[&str]) -> Result<Options, String> {
        let value = |name: &str| {
            let mut pairs = words.chunks_exact(2);
            pairs.find(|pair| pair[0] == name).map(|pair| pair[1]).filter(|value| !value.is_empty())
        };
        let needed = |name: &str| value(name).map(PathBuf::from).ok_or(format!("{name} lacks"));
        let is_quick = value("--set") == Some("quick");
        let rounds = value("--rounds").unwrap_or(if is_quick { "3" } else { "15" });
        Ok(Options {
            tools: needed("--tools")?,
            worker: needed("--worker")?,
            out: needed("--out")?,
            images: value("--images").map(PathBuf::from),
            rounds: rounds.parse().map_err(|_| "--rounds takes a number")?,
            is_quick,
        })
    }
}

/// One picture, and what was measured of it.
struct Measured {
    subject: &'static Subject,
    path: PathBuf,
    size: Size,
    /// Peer by peer.
    costs: Vec<Vec<Cost>>,
}

pub fn run(words: &[&str]) -> Result<(), String> {
    let mut options = Options::read(words)?;
    fs::create_dir_all(&options.out).map_err(|e| e.to_string())?;
    // Peers run in folders of their own.
    options.out = options.out.canonicalize().map_err(|e| e.to_string())?;
    options.images =
        options.images.map(|images| images.canonicalize()).transpose().map_err(|e| e.to_string())?;
    let core = measure::bind_to_one_core()?;
    let mut measured = Vec::new();
    for subject in SUBJECTS.iter().filter(|subject| !options.is_quick || subject.quick) {
        let path = pictures::path(subject, &options.out.join("pictures"), options.images.as_deref())?;
        let bytes = fs::read(&path).map_err(|e| e.to_string())?;
        let size = probe_bytes(&bytes).map_err(|e| format!("{}: {e}", path.display()))?.upright();
        measured.push(Measured { subject, path, size, costs: Vec::new() });
    }
    let mut peers = start(&options)?;
    time(&mut peers, &mut measured, &options)?;

    let mut page = format!("Measured on {}, bound to core {core}; ", measure::machine());
    let versions: Result<Vec<String>, String> = [0, 1, 3].map(|i| peers[i].version()).into_iter().collect();
    page += &format!(
        "{} rounds in turns; {}; fast_image_resize 6.1.0, jpeg-encoder 0.7.0.\n\n",
        options.rounds,
        versions?.join("; ")
    );
    page += &times_table(&peers, &measured);
    page += &quality_table(&mut peers, &measured, &options)?;
    page += &memory_table(&measured, &options)?;
    if !options.is_quick {
        let jpegs =
            measured.iter().filter(|m| m.path.extension().is_some_and(|extension| extension == "jpg"));
        let read =
            |m: &Measured| Ok((m.subject.title.to_owned(), fs::read(&m.path).map_err(|e| e.to_string())?));
        page += &decode::table(&jpegs.map(read).collect::<Result<Vec<_>, String>>()?)?;
        page += &kernel_table();
    }
    let name = if options.is_quick { "quick.md" } else { "bench.md" };
    let path = options.out.join(name);
    fs::write(&path, &page).map_err(|e| format!("{}: {e}", path.display()))?;
    println!("{page}");
    eprintln!("saved as {}", path.display());
    Ok(())
}

fn start(options: &Options) -> Result<Vec<Peer>, String> {
    let setup = Path::new(env!("CARGO_MANIFEST_DIR")).join("setup");
    let itself = std::env::current_exe().map_err(|e| e.to_string())?;
    let node = |way: &str| {
        let mut command = Command::new("node");
        command.arg(setup.join("sharp.mjs")).arg(way).current_dir(options.tools.join("sharp"));
        command
    };
    let mut pillow = Command::new(options.tools.join("pillow/bin/python"));
    pillow.arg(setup.join("pillow.py"));
    let mut peers = vec![
        Peer::start("ours", Command::new(&itself).arg("serve"))?,
        Peer::start("sharp, one decode", &mut node("cascade"))?,
        Peer::start("sharp, three pipelines", &mut node("pipelines"))?,
        Peer::start("Pillow", &mut pillow)?,
        Peer::start("ours, small", Command::new(&itself).args(["serve", "small"]))?,
    ];
    if cfg!(feature = "turbojpeg") {
        let title = "libjpeg-turbo + fast_image_resize";
        peers.push(Peer::start(title, Command::new(itself).args(["serve", "turbojpeg"]))?);
    }
    Ok(peers)
}

/// Lets each peer work on each picture in turns.
fn time(peers: &mut [Peer], measured: &mut [Measured], options: &Options) -> Result<(), String> {
    let start = Instant::now();
    let mut timed: Vec<&mut Measured> = measured.iter_mut().filter(|m| m.subject.timed).collect();
    let mut counts = Vec::new();
    for Measured { path, costs, .. } in &mut timed {
        // libjpeg-turbo, the last, is there for JPEG alone.
        let peers = &mut peers[..peers_of(path)];
        // The first time of everything is not counted, but tells how long a turn would be.
        let first: Result<Vec<Cost>, String> = peers.iter_mut().map(|peer| peer.job(path, 1)).collect();
        counts.push(
            first?.iter().map(|cost| (LEAST_TURN / cost.cpu).ceil().max(1.0) as u32).collect::<Vec<_>>(),
        );
        costs.resize_with(peers.len(), Vec::new);
    }
    for round in 0..options.rounds {
        eprintln!("round {} of {}, after {} s", round + 1, options.rounds, start.elapsed().as_secs());
        for (Measured { path, costs, .. }, counts) in timed.iter_mut().zip(&counts) {
            // As many as have costs.
            for ((peer, costs), &count) in peers.iter_mut().zip(costs).zip(counts) {
                costs.push(peer.job(path, count)?);
            }
        }
    }
    Ok(())
}

/// How many peers take the file.
fn peers_of(path: &Path) -> usize {
    let is_jpeg = path.extension().is_some_and(|extension| extension == "jpg");
    5 + usize::from(cfg!(feature = "turbojpeg") && is_jpeg)
}

fn times_table(peers: &[Peer], measured: &[Measured]) -> String {
    let mut table = Table::new(&[
        "bytes in → 600 + 300 + 100 px out",
        "ratio to sharp, one decode",
        "ratio to three pipelines",
        "ratio to Pillow",
        "ratio to libjpeg-turbo + fast_image_resize",
        "ours ms",
        "ours, small, ms",
        "sharp ms",
        "three pipelines ms",
        "Pillow ms",
        "page faults, ours",
        "bytes, ours",
        "bytes, ours, small",
        "bytes, sharp",
    ]);
    assert!(peers.len() >= 5, "the columns above");
    for Measured { subject, path, costs, .. } in measured.iter().filter(|m| m.subject.timed) {
        let ms: Vec<f64> =
            costs.iter().map(|c| median(&c.iter().map(|c| c.cpu).collect::<Vec<_>>())).collect();
        // Of each round the ratio, then the median: what slows a whole round slows both.
        let ratio = |peer: usize| {
            median(&costs[0].iter().zip(&costs[peer]).map(|(a, b)| a.cpu / b.cpu).collect::<Vec<_>>())
        };
        let bytes = |peer: usize| {
            let sizes = costs[peer].first().map_or(&[][..], |cost| &cost.bytes);
            sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(" / ")
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut cells = vec![format!("{} (`{name}`)", subject.title), at_most(ratio(1), subject.ratio, 3)];
        cells.extend([ratio(2), ratio(3)].map(|ratio| format!("{ratio:.3}")));
        cells.push(if costs.len() > 5 { at_most(ratio(5), subject.turbo, 3) } else { "–".to_owned() });
        cells.extend([0, 4, 1, 2, 3].map(|peer| format!("{:.1}", ms[peer])));
        let faults = median(&costs[0].iter().map(|cost| cost.faults).collect::<Vec<_>>());
        cells.extend([format!("{faults:.0}"), bytes(0), bytes(4), bytes(1)]);
        table.row(&cells);
    }
    format!(
        "{}\nCPU time, user and system, medians. Bytes are of the files of 600 / 300 / 100 px. Ratios are those of \
         `SHARER_EFFORT=fast`; `small`, the default, buys fewer bytes with time ([bytes.md](bytes.md)).\n\n",
        table.text()
    )
}

fn quality_table(peers: &mut [Peer], measured: &[Measured], options: &Options) -> Result<String, String> {
    let mut table = Table::new(&[
        "600 / 300 / 100 px",
        "PSNR before encoding, ours",
        "PSNR, sharp",
        "SSIMULACRA2 of the file, ours",
        "SSIMULACRA2, ours, small",
        "SSIMULACRA2, sharp",
    ]);
    let folder = options.out.join("made");
    for one in measured.iter().filter(|m| m.subject.timed) {
        eprintln!("quality: {}", one.subject.title);
        let whole = raw(&mut peers[1], &one.path, 0, &folder)?;
        let luma = whole.luma();
        let before = lumas(&one.path)?;
        keep(&mut peers[0], &one.path, &folder.join("ours"))?;
        keep(&mut peers[1], &one.path, &folder.join("sharp"))?;
        keep(&mut peers[4], &one.path, &folder.join("small"))?;
        let mut cells = [const { Vec::new() }; 5];
        for (i, side) in SIDES.into_iter().enumerate() {
            let theirs = raw(&mut peers[1], &one.path, side, &folder)?;
            let reference = whole.resized(theirs.width, theirs.height);
            // Laid on white only once it is small: what a file can't hold of alpha shows there.
            let luma =
                if before.is_some() { luma.resized(theirs.width, theirs.height) } else { reference.luma() };
            let ours = match &before {
                Some(lumas) => psnr(&lumas[i], &luma),
                // PNG loses nothing.
                None => {
                    psnr(&raw(&mut peers[1], &folder.join(format!("ours/{side}")), 0, &folder)?.luma(), &luma)
                }
            };
            let mut score = |whose: &str| {
                let file = folder.join(format!("{whose}/{side}"));
                ssimulacra2(&raw(&mut peers[1], &file, 0, &folder)?, &reference)
            };
            let all = [ours, psnr(&theirs.luma(), &luma), score("ours")?, score("small")?, score("sharp")?];
            cells.iter_mut().zip(all).for_each(|(cells, value)| cells.push(format!("{value:.1}")));
        }
        let mut row = vec![one.subject.title.to_owned()];
        row.extend(cells.map(|cells| cells.join(" / ")));
        table.row(&row);
    }
    Ok(format!(
        "{}\nThe reference is Lanczos3 in double precision of the whole picture as libjpeg-turbo decodes it; alpha is \
         filtered with colours that are premultiplied, and laid on white afterwards. PSNR is \
         that of luma, in dB.\n\n",
        table.text()
    ))
}

/// Samples by sharp: of the file for side 0, else of its thumbnail.
fn raw(sharp: &mut Peer, path: &Path, side: u32, folder: &Path) -> Result<Planes, String> {
    fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    let out = folder.join("raw");
    let answer = sharp.ask(&["raw", &path.to_string_lossy(), &side.to_string(), &out.to_string_lossy()])?;
    let numbers: Vec<usize> = answer.iter().filter_map(|word| word.parse().ok()).collect();
    let samples = fs::read(&out).map_err(|e| e.to_string())?;
    match numbers[..] {
        [width, height, channels] => Ok(Planes::rgb(width, height, channels, &samples)),
        _ => Err(format!("sharp: {answer:?}")),
    }
}

fn keep(peer: &mut Peer, path: &Path, folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    peer.ask(&["keep", &path.to_string_lossy(), &folder.to_string_lossy()]).map(|_| ())
}

/// The luma planes that our thumbnails of a YCbCr JPEG are encoded from; `None` for any other picture.
fn lumas(path: &Path) -> Result<Option<Vec<Planes>>, String> {
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    let probe = probe_bytes(&bytes).map_err(|e| e.to_string())?;
    let mut luma = Luma { resizer: None, planes: Vec::new() };
    image::decode::decode(&bytes, &probe, &mut luma).map_err(|e| e.to_string())?;
    let made = luma
        .planes
        .iter()
        .map(|(size, samples)| Planes::grey(size.width as usize, size.height as usize, samples));
    Ok(luma.resizer.is_some().then(|| made.collect()))
}

/// Resizes the first plane of three as a job does.
struct Luma {
    resizer: Option<Resizer>,
    planes: Vec<(Size, Vec<u8>)>,
}

/// The size of a thumbnail of `side` of a picture of `size`.
fn fitted(size: Size, side: u32) -> Size {
    let scale = (f64::from(side) / f64::from(size.width.max(size.height))).min(1.0);
    let of = |source: u32| ((f64::from(source) * scale).round() as u32).max(1);
    Size { width: of(size.width), height: of(size.height) }
}

impl Sink for Luma {
    fn detail(&self, size: Size) -> Detail {
        let largest = fitted(size, SIDES[0]);
        let twice = Size { width: 2 * largest.width, height: 2 * largest.height };
        Detail { chroma: largest, luma: twice }
    }

    fn start(&mut self, layout: &Layout) -> Result<(), image::Error> {
        if layout.color != image::Color::YCbCr {
            return Ok(());
        }
        let plane = layout.planes[0];
        let targets = SIDES.map(|side| {
            let fitted = fitted(layout.size, side);
            let axis = |source: u32, target: u32, whole: u32, ratio: f64| {
                Axis::span(source, target, f64::from(whole) / ratio, f64::from(target))
            };
            Target {
                x: axis(plane.size.width, fitted.width, layout.size.width, plane.ratio.0),
                y: axis(plane.size.height, fitted.height, layout.size.height, plane.ratio.1),
            }
        });
        self.planes =
            targets.iter().map(|t| (Size { width: t.x.target, height: t.y.target }, Vec::new())).collect();
        self.resizer = Some(Resizer::new(1, &targets).map_err(|e| image::Error::Corrupt(e.to_string()))?);
        Ok(())
    }

    fn row(&mut self, plane: usize, samples: &[u8]) -> Result<(), image::Error> {
        if let Some(resizer) = self.resizer.as_mut().filter(|_| plane == 0) {
            let planes = &mut self.planes;
            resizer.push(samples, &mut |index, row| planes[index].1.extend_from_slice(row));
        }
        Ok(())
    }
}

fn memory_table(measured: &[Measured], options: &Options) -> Result<String, String> {
    let mut table = Table::new(&["`image-worker thumbnail`", "peak RSS, MB", "small, MB", "the file, MB"]);
    let (worker, out) = (options.worker.to_string_lossy(), options.out.join("made"));
    for Measured { subject, path, size, .. } in measured {
        eprintln!("memory: {}", subject.title);
        let (path_name, out_name) = (path.to_string_lossy(), out.to_string_lossy());
        let peak = |effort: &str| -> Result<f64, String> {
            let arguments = [effort, &worker, "thumbnail", &path_name, "--out", &out_name];
            Ok(measure::peak("env", &arguments)? as f64 / 1e6)
        };
        let file = fs::metadata(path).map_or(0, |m| m.len()) as f64 / 1e6;
        table.row(&[
            format!("{}, {size}", subject.title),
            at_most(peak("SHARER_EFFORT=fast")?, subject.memory, 1),
            format!("{:.1}", peak("SHARER_EFFORT=small")?),
            format!("{file:.1}"),
        ]);
    }
    Ok(format!("{}\nThe file is held in memory and counts.\n\n", table.text()))
}

fn kernel_table() -> String {
    let mut table = Table::new(&["part", "peer", "ratio", "ours ms", "peer ms"]);
    for comparison in kernel::all(&|what| eprintln!("{what}")) {
        table.row(&[
            comparison.work,
            comparison.peer.to_owned(),
            at_most(comparison.ours / comparison.theirs, comparison.goal, 3),
            format!("{:.2}", comparison.ours),
            format!("{:.2}", comparison.theirs),
        ]);
    }
    format!("{}\n", table.text())
}
