//! Tables that scans are decoded by (ITU-T T.81, B.2.4): what a file defines, as it stands when a scan begins.

use std::rc::Rc;

use super::frame::Header;
use super::huffman::Spec;
use super::stream::corrupt;
use crate::image::Error;
use crate::image::encode::tables::{CHROMA_AC, CHROMA_DC, Huffman, LUMA_AC, LUMA_DC};

/// Quantisers in zigzag order.
pub(super) type Quantisers = [u16; 64];

/// A scan's Huffman tables, one a part, where it uses such.
pub(super) type Specs = Vec<Option<Rc<Spec>>>;

/// Tables at each of the four places.
#[derive(Default)]
pub(super) struct Tables {
    quantisers: [Option<Quantisers>; 4],
    /// DC, AC.
    huffman: [[Option<Rc<Spec>>; 4]; 2],
}

impl Tables {
    /// Takes in the body of a DQT segment.
    pub fn define_quantisers(&mut self, mut body: &[u8]) -> Result<(), Error> {
        let bad = || corrupt("a bad quantisation table");
        while let Some((&kind, rest)) = body.split_first() {
            let (bytes, place) = (1 + usize::from(kind >> 4), usize::from(kind & 15));
            if bytes > 2 || place > 3 || rest.len() < 64 * bytes {
                return Err(bad());
            }
            let (values, rest) = rest.split_at(64 * bytes);
            let mut quantisers = [0; 64];
            for (to, value) in quantisers.iter_mut().zip(values.chunks_exact(bytes)) {
                *to = value.iter().fold(0, |value, &byte| value << 8 | u16::from(byte));
            }
            self.quantisers[place] = Some(quantisers);
            body = rest;
        }
        Ok(())
    }

    /// Takes in the body of a DHT segment.
    pub fn define_huffman(&mut self, mut body: &[u8]) -> Result<(), Error> {
        while let Some((&kind, rest)) = body.split_first() {
            let (class, place) = (usize::from(kind >> 4), usize::from(kind & 15));
            if class > 1 || place > 3 {
                return Err(corrupt("a Huffman table of a class or place that there is none of"));
            }
            let (spec, rest) = Spec::parse(rest)?;
            self.huffman[class][place] = Some(Rc::new(spec));
            body = rest;
        }
        Ok(())
    }

    /// The quantisers at `place`, 0 to 3.
    pub fn quantisers(&self, place: usize) -> Result<&Quantisers, Error> {
        self.quantisers[place].as_ref().ok_or_else(|| corrupt("a quantisation table lacks"))
    }

    /// The DC and AC tables that a scan of `header` uses. A sequential file that has brought none at all, as
    /// the frames of Motion JPEG, is one of those of Annex K.
    pub fn of_scan(&mut self, header: &Header, progressive: bool) -> Result<(Specs, Specs), Error> {
        if !progressive && self.huffman.iter().flatten().all(Option::is_none) {
            self.huffman = standard()?;
        }
        let lacks = || corrupt("a Huffman table lacks");
        let uses_dc = *header.band.start() == 0 && !header.refines;
        let uses_ac = *header.band.end() > 0;
        let (mut dc, mut ac) = (Vec::new(), Vec::new());
        for part in &header.parts {
            let find = |class: usize, place: usize| self.huffman[class][place].clone().ok_or_else(lacks);
            dc.push(uses_dc.then(|| find(0, part.dc)).transpose()?);
            ac.push(uses_ac.then(|| find(1, part.ac)).transpose()?);
        }
        if dc.iter().flatten().any(|spec| !spec.is_of_differences()) {
            return Err(corrupt("a Huffman table of DC differences that are too large"));
        }
        Ok((dc, ac))
    }
}

fn standard() -> Result<[[Option<Rc<Spec>>; 4]; 2], Error> {
    let spec = |table: &Huffman| Spec::new(table.lengths, table.symbols).map(|spec| Some(Rc::new(spec)));
    Ok([[spec(&LUMA_DC)?, spec(&CHROMA_DC)?, None, None], [spec(&LUMA_AC)?, spec(&CHROMA_AC)?, None, None]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantisers_have_one_byte_or_two() {
        let mut tables = Tables::default();
        let one: Vec<u8> = [2].into_iter().chain(1..=64).collect();
        let two: Vec<u8> = [0x13].into_iter().chain((0..64).flat_map(|k| [k, 7])).collect();
        tables.define_quantisers(&[one, two].concat()).unwrap();
        assert_eq!(tables.quantisers(2).unwrap()[63], 64);
        assert_eq!(tables.quantisers(3).unwrap()[5], 5 * 256 + 7);
        assert!(tables.quantisers(0).is_err());
        for bad in [&[0x20; 200][..], &[4; 65], &[0; 64], &[0x10; 128]] {
            assert!(tables.define_quantisers(bad).is_err());
        }
    }
}
