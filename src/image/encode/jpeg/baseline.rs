//! The baseline encoder: one pass with the typical Huffman tables, as fast as there is.

use super::super::bits::Bits;
use super::super::dct::{Coefficients, Divisors, Transform};
use super::super::tables::{self, BLOCK, COLUMNWISE, Codes};
use super::{
    Chroma, EOI, Grid, Planes, SOF0, SOS, Sampling, magnitude, put, segment, write_frame, write_table,
};

/// Appends the picture as a whole file, at `quality` 1 to 100 on libjpeg's scale.
///
/// # Panics
/// If a side is not 1 to [`MAX_SIDE`](super::MAX_SIDE), or a plane's length is not as [`Planes`] says.
pub fn encode(planes: &Planes<'_>, quality: u8, out: &mut Vec<u8>) {
    planes.check();
    let luma = tables::quantisers(&tables::LUMA, quality);
    let chroma = tables::quantisers(&tables::CHROMA, quality);
    // At usual qualities a pixel takes a bit or two.
    out.reserve(1024 + planes.luma.len() / 4);
    write_header(planes, [&luma, &chroma], out);
    let mut bits = Bits::new(out);
    let of_luma = Component::new(Grid::new(planes.size, planes.luma), &luma, &LUMA_CODES);
    match planes.chroma {
        None => encode_grey(of_luma, &mut bits),
        Some(Chroma { sampling, planes: [cb, cr] }) => {
            let size = sampling.of(planes.size);
            let of = |plane| Component::new(Grid::new(size, plane), &chroma, &CHROMA_CODES);
            encode_colour(of_luma, [of(cb), of(cr)], sampling, &mut bits);
        }
    }
    bits.finish();
    out.extend_from_slice(&[0xff, EOI]);
}

fn write_header(planes: &Planes<'_>, quantisers: [&[u8; BLOCK]; 2], out: &mut Vec<u8>) {
    write_frame(SOF0, planes, quantisers, out);
    let components: &[(u8, u8)] = if planes.chroma.is_some() { &[(1, 0), (2, 1), (3, 1)] } else { &[(1, 0)] };
    let huffman = [
        [(0x00, tables::LUMA_DC), (0x10, tables::LUMA_AC)],
        [(0x01, tables::CHROMA_DC), (0x11, tables::CHROMA_AC)],
    ];
    for (id, table) in huffman.iter().take(components.len().min(2)).flatten() {
        write_table(*id, table, out);
    }
    let mut scan = vec![components.len() as u8];
    scan.extend(components.iter().flat_map(|&(id, table)| [id, table << 4 | table]));
    scan.extend_from_slice(&[0, 63, 0]);
    segment(out, SOS, &scan);
}

fn encode_grey(mut luma: Component<'_>, bits: &mut Bits<'_>) {
    for y in 0..luma.grid.rows() {
        for x in 0..luma.grid.columns() {
            luma.encode_block(x, y, bits);
        }
    }
}

/// A minimum coded unit is one block of each component; or, where chroma is halved, 16 × 16 pixels: four
/// blocks of Y, then one of Cb and one of Cr.
fn encode_colour(
    mut luma: Component<'_>,
    mut chroma: [Component<'_>; 2],
    sampling: Sampling,
    bits: &mut Bits<'_>,
) {
    let (side, blocks) = match sampling {
        Sampling::Full => (1, &[(0, 0)][..]),
        Sampling::Halved => (2, &[(0, 0), (1, 0), (0, 1), (1, 1)][..]),
    };
    for y in 0..luma.grid.rows().div_ceil(side) {
        for x in 0..luma.grid.columns().div_ceil(side) {
            for (dx, dy) in blocks {
                luma.encode_block(side * x + dx, side * y + dy, bits);
            }
            for plane in &mut chroma {
                plane.encode_block(x, y, bits);
            }
        }
    }
}

/// Huffman codes of one kind of component.
struct CodeTables {
    dc: Codes,
    ac: Codes,
}

static LUMA_CODES: CodeTables = CodeTables { dc: tables::LUMA_DC.codes(), ac: tables::LUMA_AC.codes() };
static CHROMA_CODES: CodeTables = CodeTables { dc: tables::CHROMA_DC.codes(), ac: tables::CHROMA_AC.codes() };

/// One plane on its way into the file.
struct Component<'a> {
    grid: Grid<'a>,
    transform: Transform,
    divisors: Divisors,
    codes: &'static CodeTables,
    /// The last block's DC coefficient, which the next is coded as the difference to.
    dc: i16,
}

impl<'a> Component<'a> {
    fn new(grid: Grid<'a>, quantisers: &[u8; BLOCK], codes: &'static CodeTables) -> Self {
        let (transform, divisors) = (Transform::best(), Divisors::new(quantisers));
        Component { grid, transform, divisors, codes, dc: 0 }
    }

    /// Encodes the block in column `x` and row `y` of blocks. One that lies outside the picture is
    /// made like the one before: nobody sees it, and so it takes fewest bits.
    fn encode_block(&mut self, x: usize, y: usize, bits: &mut Bits<'_>) {
        if x >= self.grid.columns() || y >= self.grid.rows() {
            self.encode_dc(self.dc, bits);
            self.encode_ac(&Coefficients { values: [0; BLOCK], nonzero: 0 }, bits);
        } else {
            let coefficients = self.transform.run(&self.grid.block(x, y), &self.divisors);
            self.encode_dc(coefficients.values[0], bits);
            self.encode_ac(&coefficients, bits);
        }
    }

    fn encode_dc(&mut self, dc: i16, bits: &mut Bits<'_>) {
        let difference = dc - self.dc;
        self.dc = dc;
        let (value, size) = magnitude(difference);
        put(bits, self.codes.dc[size as usize], value, size);
    }

    /// Codes runs of zeros and the coefficients that end them, in zigzag order (T.81 F.1.2.2).
    fn encode_ac(&self, coefficients: &Coefficients, bits: &mut Bits<'_>) {
        let ac = &self.codes.ac;
        let mut nonzero = tables::in_zigzag(coefficients.nonzero & !1);
        let mut last = 0;
        while nonzero != 0 {
            let index = nonzero.trailing_zeros();
            nonzero &= nonzero - 1;
            let mut run = index - last - 1;
            last = index;
            while run > 15 {
                put(bits, ac[0xf0], 0, 0);
                run -= 16;
            }
            let at = usize::from(COLUMNWISE[index as usize]) % BLOCK;
            let (value, size) = magnitude(coefficients.values[at]);
            put(bits, ac[(run << 4 | size) as usize], value, size);
        }
        if last != 63 {
            put(bits, ac[0], 0, 0);
        }
    }
}
