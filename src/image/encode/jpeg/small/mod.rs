//! The encoder that takes its time: a progressive file of fewest bytes at the same likeness.
//!
//! All coefficients are held. Each is quantised by what its error costs the eye and its bits cost the file
//! ([`trellis`]), in two rounds, as what bits cost is only known from a first one; then each component's
//! bands of coefficients are written as scans of their own, with Huffman tables made for them.

mod huffman;
mod quantisers;
mod scan;
mod trellis;

use super::super::bits::Bits;
use super::super::dct::{Divisors, Transform};
use super::super::tables::{BLOCK, COLUMNWISE};
use super::{EOI, Grid, Planes, SOF2, write_frame};
use huffman::Histogram;
use scan::{Grain, Scan, Token};
use trellis::{Ends, Pricing, STEPS, Trellis};

/// Coefficients of a plane, block by block, each in zigzag order.
struct Coefficients {
    blocks: Vec<[i16; BLOCK]>,
}

/// Appends the picture as a whole file, at `quality` 1 to 100: about as like the picture as libjpeg's at that.
///
/// # Panics
/// If a side is not 1 to [`MAX_SIDE`](super::MAX_SIDE), or a plane's length is not as [`Planes`] says.
pub fn encode(planes: &Planes<'_>, quality: u8, out: &mut Vec<u8>) {
    planes.check();
    let luma = quantisers::luma(quality);
    let chroma = quantisers::chroma(quality);
    out.reserve(1024 + planes.luma.len() / 4);
    write_frame(SOF2, planes, [&luma, &chroma], out);

    let mut components: Vec<Coefficients> = planes
        .grids()
        .enumerate()
        .map(|(i, grid)| transformed(grid, if i == 0 { &luma } else { &chroma }))
        .collect();
    let (of_luma, of_chroma) = components.split_at_mut(1);
    quantise(of_luma, scan::LUMA, &luma);
    quantise(of_chroma, scan::CHROMA, &chroma);

    let mut tokens = Vec::new();
    for (table, components, bands) in [(0, &*of_luma, scan::LUMA), (1, &*of_chroma, scan::CHROMA)] {
        for band in bands {
            write_scans(components, table, *band, &mut tokens, out);
        }
    }
    out.extend_from_slice(&[0xff, EOI]);
}

/// A plane's coefficients in [`STEPS`] a quantiser.
fn transformed(grid: Grid<'_>, quantisers: &[u8; BLOCK]) -> Coefficients {
    let (transform, divisors) = (Transform::best(), Divisors::in_steps(STEPS, quantisers));
    let mut blocks = Vec::with_capacity(grid.columns() * grid.rows());
    for y in 0..grid.rows() {
        for x in 0..grid.columns() {
            let values = transform.run(&grid.block(x, y), &divisors).values;
            blocks.push(COLUMNWISE.map(|at| values[usize::from(at) % BLOCK]));
        }
    }
    Coefficients { blocks }
}

/// Quantises components that share tables.
fn quantise(components: &mut [Coefficients], bands: &[Scan], quantisers: &[u8; BLOCK]) {
    let mut tokens = Vec::new();
    let mut priced = Vec::new();
    for &band in bands.iter().filter(|band| band.first > 0) {
        tokens.clear();
        for component in &*components {
            band.tokens(&component.blocks, trellis::FORETOLD, &mut tokens);
        }
        priced.push((band, Pricing::new(&Histogram::of(&tokens), Ends::of(&tokens))));
    }
    let mut trellis = Trellis::new(quantisers);
    for block in components.iter_mut().flat_map(|component| &mut component.blocks) {
        let worth = trellis.worth(block);
        trellis::round_dc(block);
        for (band, pricing) in &priced {
            trellis.quantise(block, *band, pricing, worth);
        }
    }
}

/// Writes a band of each of some components, a scan each, by one Huffman table.
fn write_scans(
    components: &[Coefficients],
    table: u8,
    band: Scan,
    tokens: &mut Vec<Token>,
    out: &mut Vec<u8>,
) {
    if components.is_empty() {
        return;
    }
    tokens.clear();
    let ends: Vec<usize> = components
        .iter()
        .map(|component| {
            band.tokens(&component.blocks, Grain::WHOLE, tokens);
            tokens.len()
        })
        .collect();
    let fitted = Histogram::of(tokens).fitted();
    let codes = fitted.table().codes();
    super::write_table(band.class() << 4 | table, &fitted.table(), out);
    let mut start = 0;
    for (component, end) in (1 + table..).zip(ends) {
        band.write_header(component, table, out);
        let mut bits = Bits::new(out);
        tokens[start..end].iter().for_each(|token| token.put(&codes, &mut bits));
        bits.finish();
        start = end;
    }
}
