//! From samples in a picture's own colours to sRGB, by `moxcms`: matrices, curves and tables.

use std::sync::Arc;

use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, Layout, MatrixCoefficients, ParsingOptions,
    RenderingIntent, TransferCharacteristics, Transform8BitExecutor, TransformOptions,
};

use super::find::Found;
use super::{MAX_BYTES, Samples, icc};

/// A profile that moves no colour by more levels than this, in any channel, is sRGB: so do the roundings
/// and short curves of the many sRGB profiles in use.
pub(super) const TOLERANCE: u8 = 2;

/// Steps between the colours that are tried for that, in levels: 255 is a multiple.
const STEP: usize = 17;

/// Brings samples to sRGB.
pub(in crate::image) enum Conversion {
    /// Of each grey its own.
    Grey(Box<[u8; 256]>),
    /// Three channels to three.
    Rgb(Engine),
    /// Inks to three channels.
    Inks(Engine),
}

/// The transform of `moxcms`, from pixels to RGB.
pub(in crate::image) struct Engine(Arc<Transform8BitExecutor>);

impl Conversion {
    /// The conversion by what was found, if it fits the samples, has an effect and is not absurd.
    pub(super) fn new(found: &Found, samples: Samples) -> Option<Conversion> {
        let (profile, kind) = match found {
            Found::Icc(bytes) => (parse(&icc::pared(bytes)?)?, icc::samples(bytes)?),
            Found::CodePoints { primaries, transfer } => {
                (from_code_points(*primaries, *transfer)?, Samples::Rgb)
            }
        };
        match (samples, kind) {
            (Samples::Grey, Samples::Grey) => greys(&Engine::new(&profile, Layout::Gray)?, 1),
            // A grey picture's samples are the neutral colours of an RGB profile.
            (Samples::Grey, Samples::Rgb) => greys(&Engine::new(&profile, Layout::Rgb)?, 3),
            (Samples::Rgb, Samples::Rgb) => {
                let engine = Engine::new(&profile, Layout::Rgb)?;
                let sane = engine.is_sane([255; 3], [0; 3]);
                (sane && !engine.is_identity()).then_some(Conversion::Rgb(engine))
            }
            (Samples::Inks, Samples::Inks) => {
                let engine = Engine::new(&profile, Layout::Rgba)?;
                engine.is_sane([0; 4], [255; 4]).then_some(Conversion::Inks(engine))
            }
            _ => None,
        }
    }
}

impl Engine {
    fn new(profile: &ColorProfile, layout: Layout) -> Option<Engine> {
        let options = TransformOptions {
            rendering_intent: RenderingIntent::Perceptual,
            // Rather by the curves that are there: code points in a profile are often wrong.
            allow_use_cicp_transfer: false,
            prefer_fixed_point: false,
            ..TransformOptions::default()
        };
        let made = profile.create_transform_8bit(layout, &ColorProfile::new_srgb(), Layout::Rgb, options);
        made.ok().map(Engine)
    }

    /// Red, green and blue of `pixels`: whole pixels of as many channels as it was made for. Of inks, 255
    /// is most.
    pub(in crate::image) fn rgb(&self, pixels: &[u8], channels: usize) -> Vec<u8> {
        let pixels = &pixels[..pixels.len() - pixels.len() % channels];
        let mut rgb = vec![0; pixels.len() / channels * 3];
        // It fails for lengths alone, when they are no whole pixels or not as many on both sides.
        self.0.transform(pixels, &mut rgb).expect("as many whole pixels on both sides");
        rgb
    }

    /// Whether the brightest and the darkest pixel that there can be are bright and dark. A profile that
    /// fails this is wrong, or of a kind that no picture has (Firefox asks likewise).
    fn is_sane<const CHANNELS: usize>(&self, brightest: [u8; CHANNELS], darkest: [u8; CHANNELS]) -> bool {
        const BRIGHT: u8 = 180;
        const DARK: u8 = 100;
        let bright = self.rgb(&brightest, CHANNELS);
        let dark = self.rgb(&darkest, CHANNELS);
        bright.iter().all(|&level| level >= BRIGHT) && dark.iter().all(|&level| level <= DARK)
    }

    /// Whether RGB stays itself.
    fn is_identity(&self) -> bool {
        let levels = || (0..=255u8).step_by(STEP);
        let lattice =
            levels().flat_map(|r| levels().flat_map(move |g| levels().flat_map(move |b| [r, g, b])));
        let greys = (0..=255u8).flat_map(|grey| [grey; 3]);
        let all: Vec<u8> = lattice.chain(greys).collect();
        all.iter().zip(self.rgb(&all, 3)).all(|(&before, after)| before.abs_diff(after) <= TOLERANCE)
    }
}

/// The table of all greys, in pixels of `channels` equal samples.
fn greys(engine: &Engine, channels: usize) -> Option<Conversion> {
    let pixels: Vec<u8> = (0..=255u8).flat_map(|grey| std::iter::repeat_n(grey, channels)).collect();
    let mut table = Box::new([0; 256]);
    // Green stands for all three: they differ by no more than rounding where a profile is sane.
    for (grey, rgb) in table.iter_mut().zip(engine.rgb(&pixels, channels).chunks_exact(3)) {
        *grey = rgb[1];
    }
    let sane = table[255] >= 180 && table[0] <= 100;
    let identity = (0..=255u8).zip(table.iter()).all(|(before, &after)| before.abs_diff(after) <= TOLERANCE);
    (sane && !identity).then_some(Conversion::Grey(table))
}

fn parse(bytes: &[u8]) -> Option<ColorProfile> {
    let options = ParsingOptions { max_profile_size: 2 * MAX_BYTES, ..ParsingOptions::default() };
    ColorProfile::new_from_slice_with_options(bytes, options).ok()
}

fn from_code_points(primaries: u8, transfer: u8) -> Option<ColorProfile> {
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: CicpColorPrimaries::try_from(primaries).ok()?,
        transfer_characteristics: TransferCharacteristics::try_from(transfer).ok()?,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    profile.red_trc.is_some().then_some(profile)
}
