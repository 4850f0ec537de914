//! The sink between decoder and encoders: sends each plane's rows through a resizer and gathers what
//! comes out, for all thumbnails at once.
//!
//! Luma and chroma stay planes, unless a colour profile asks for RGB. A JPEG's chroma goes from the source's own
//! chroma plane straight to the thumbnail's, as large as its encoder takes it, with its samples where they will be
//! when it stands upright.

use super::finish::{self, HELD, chroma_of, encode};
use super::managed::managed;
use super::turn::turn;
use super::{Spec, Thumbnail, fit};
use crate::image::encode::jpeg::Sampling;
use crate::image::orientation::Orientation;
use crate::image::profile::Conversion;
use crate::image::resize::{Axis, Resizer, Target};
use crate::image::{Color, Detail, Effort, Error, Format, Layout, Plane, Sink, Size};

/// How many times as many columns and rows as the largest thumbnail a picture is decoded with at least. Below
/// this what a decoder's way of making pictures smaller does to the finest detail that is kept begins to show.
const DETAIL: u32 = 2;

/// One plane, rows × columns × interleaved channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) size: Size,
    pub(super) channels: usize,
    pub(super) samples: Vec<u8>,
}

/// One thumbnail in the making.
struct Output {
    format: Format,
    effort: Effort,
    /// Its size as the source is stored, not upright.
    stored: Size,
    planes: Vec<Image>,
}

/// One thumbnail before it is encoded: upright, in sRGB.
pub(super) struct Upright {
    pub(super) format: Format,
    pub(super) effort: Effort,
    pub(super) color: Color,
    /// Three for YCbCr, of which a JPEG's chroma is as `chroma_of` says; else one.
    pub(super) planes: Vec<Image>,
}

/// How much of a picture of `size`, as stored, thumbnails take; `converts` if its colours are brought to sRGB.
pub(super) fn detail(size: Size, orientation: Orientation, wanted: &[Spec], converts: bool) -> Detail {
    let mut detail = Detail { chroma: Size { width: 0, height: 0 }, luma: Size { width: 0, height: 0 } };
    for spec in wanted {
        let stored = orientation.apply(fit(orientation.apply(size), spec.bounds));
        let is_halved =
            spec.format == Format::Jpeg && !converts && chroma_of(spec.effort) == Sampling::Halved;
        let of = |side: u32| side.saturating_mul(DETAIL);
        let of_chroma = |side: u32| of(if is_halved { side.div_ceil(2) } else { side });
        let most = |so_far: Size, width: u32, height: u32| Size {
            width: so_far.width.max(width),
            height: so_far.height.max(height),
        };
        detail.luma = most(detail.luma, of(stored.width), of(stored.height));
        detail.chroma = most(detail.chroma, of_chroma(stored.width), of_chroma(stored.height));
    }
    detail
}

/// See the module.
pub(super) struct Press<'a> {
    orientation: Orientation,
    /// What brings the picture's colours to sRGB, if they are not that.
    conversion: Option<Conversion>,
    wanted: &'a [Spec],
    /// Bytes that resizers and thumbnails may hold.
    budget: u64,
    color: Color,
    /// One a plane.
    resizers: Vec<Resizer>,
    outputs: Vec<Output>,
}

impl<'a> Press<'a> {
    pub(super) fn new(
        orientation: Orientation,
        conversion: Option<Conversion>,
        wanted: &'a [Spec],
        budget: u64,
    ) -> Result<Press<'a>, Error> {
        if let Some(spec) = wanted.iter().find(|spec| !matches!(spec.format, Format::Jpeg | Format::Png)) {
            return Err(Error::Unsupported(format!("a {} thumbnail", spec.format)));
        }
        Ok(Press {
            orientation,
            conversion,
            wanted,
            budget,
            color: Color::Grey,
            resizers: Vec::new(),
            outputs: Vec::new(),
        })
    }

    /// The thumbnails, once all rows have come.
    pub(super) fn finish(self) -> Vec<Thumbnail> {
        self.uprights()
            .map(|Upright { format, effort, color, planes }| encode(format, effort, color, &planes))
            .collect()
    }

    /// All thumbnails before they are encoded.
    pub(super) fn uprights(self) -> impl Iterator<Item = Upright> {
        let Press { orientation, conversion, color, outputs, .. } = self;
        outputs.into_iter().map(move |Output { format, effort, planes, .. }| {
            let planes = planes.into_iter().map(|plane| turn(plane, orientation)).collect();
            let (color, planes) = match &conversion {
                Some(conversion) => managed(conversion, color, planes),
                None => (color, planes),
            };
            Upright { format, effort, color, planes }
        })
    }

    /// How `plane` of a picture of `source` size becomes that plane of an output.
    fn target(&self, source: Size, plane: &Plane, output: &Output, index: usize) -> Target {
        let stored = output.stored;
        // Colours are converted pixel by pixel, with chroma as large as luma.
        let planar = self.color == Color::YCbCr && self.conversion.is_none();
        let halved = planar
            && index > 0
            && output.format == Format::Jpeg
            && chroma_of(output.effort) == Sampling::Halved;
        let axis = |columns: u32, ratio: f64, source: u32, target: u32, reversed: bool| {
            let extent = f64::from(source) / ratio;
            let axis = if halved {
                Axis::span(columns, target.div_ceil(2), extent, f64::from(target) / 2.0)
            } else {
                Axis::span(columns, target, extent, f64::from(target))
            };
            if reversed { axis.from_end(extent) } else { axis }
        };
        let (reversed_x, reversed_y) =
            (self.orientation.reverses_columns(), self.orientation.reverses_rows());
        Target {
            x: axis(plane.size.width, plane.ratio.0, source.width, stored.width, reversed_x),
            y: axis(plane.size.height, plane.ratio.1, source.height, stored.height, reversed_y),
        }
    }
}

impl Sink for Press<'_> {
    fn takes_inks(&self) -> bool {
        matches!(self.conversion, Some(Conversion::Inks(_)))
    }

    fn detail(&self, size: Size) -> Detail {
        detail(size, self.orientation, self.wanted, self.conversion.is_some())
    }

    fn start(&mut self, layout: &Layout) -> Result<(), Error> {
        self.color = layout.color;
        let upright = self.orientation.apply(layout.size);
        self.outputs = self
            .wanted
            .iter()
            .map(|spec| Output {
                format: spec.format,
                effort: spec.effort,
                stored: self.orientation.apply(fit(upright, spec.bounds)),
                planes: Vec::new(),
            })
            .collect();
        let mut of_planes: Vec<Vec<Target>> = Vec::new();
        let mut needed = 0;
        for (index, plane) in layout.planes.iter().enumerate() {
            let of_plane: Vec<Target> =
                self.outputs.iter().map(|output| self.target(layout.size, plane, output, index)).collect();
            needed += Resizer::memory(plane.channels, &of_plane);
            needed += HELD * of_plane.iter().map(|t| samples(t, plane.channels)).sum::<u64>();
            of_planes.push(of_plane);
        }
        // One is encoded after the other.
        needed += self
            .outputs
            .iter()
            .map(|output| finish::encoding(output.format, output.effort, output.stored))
            .max()
            .unwrap_or(0);
        if needed > self.budget {
            return Err(Error::TooLargeForWorker { needed, available: self.budget });
        }
        for (index, (plane, targets)) in layout.planes.iter().zip(&of_planes).enumerate() {
            // Cr mostly lies as Cb does: weights are made once for both.
            let like = (0..index).find(|&i| layout.planes[i] == *plane && of_planes[i] == *targets);
            self.resizers.push(match like {
                Some(i) => self.resizers[i].clone(),
                None => resizer(self.color, plane, targets)?,
            });
            for (output, target) in self.outputs.iter_mut().zip(targets) {
                output.planes.push(Image {
                    size: Size { width: target.x.target, height: target.y.target },
                    channels: plane.channels,
                    // Within the budget, so within what can be addressed.
                    samples: Vec::with_capacity(samples(target, plane.channels) as usize),
                });
            }
        }
        Ok(())
    }

    fn row(&mut self, plane: usize, samples: &[u8]) -> Result<(), Error> {
        self.rows(plane, samples.len(), samples)
    }

    fn rows(&mut self, plane: usize, _length: usize, samples: &[u8]) -> Result<(), Error> {
        let outputs = &mut self.outputs;
        self.resizers[plane]
            .push(samples, &mut |index, row| outputs[index].planes[plane].samples.extend_from_slice(row));
        Ok(())
    }
}

fn samples(target: &Target, channels: usize) -> u64 {
    u64::from(target.x.target) * u64::from(target.y.target) * channels as u64
}

fn resizer(color: Color, plane: &Plane, targets: &[Target]) -> Result<Resizer, Error> {
    let resizer = match color {
        Color::GreyAlpha | Color::Rgba => Resizer::with_alpha(plane.channels, targets),
        Color::Grey | Color::Rgb | Color::YCbCr | Color::Cmyk => Resizer::new(plane.channels, targets),
    };
    // Only a decoder that announces nonsense gets here.
    resizer.map_err(|error| Error::Corrupt(error.to_string()))
}
