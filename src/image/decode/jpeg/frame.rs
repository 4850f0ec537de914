//! A JPEG's frame: its size, its components and their sampling, and what its scans bring (ITU-T T.81, A.1, A.2,
//! B.2.2, B.2.3, G.1.1). Headers are checked whole here; what is decoded by them need not look again.

use std::ops::RangeInclusive;

use super::stream::corrupt;
use crate::image::{Error, Size};

/// Marks a coefficient that no scan has brought so far.
const UNSEEN: u8 = u8::MAX;

/// What a frame header says.
pub(super) struct Frame {
    pub(super) size: Size,
    pub(super) progressive: bool,
    pub(super) components: Vec<Component>,
}

/// One component of a frame.
pub(super) struct Component {
    pub(super) id: u8,
    /// Horizontal sampling factor, 1 to 4.
    pub(super) h: u64,
    /// Vertical sampling factor, 1 to 4.
    pub(super) v: u64,
    /// Which quantisation table it uses, 0 to 3.
    pub(super) quantisers: usize,
    /// Of each coefficient in zigzag order: how many low bits lack still, or [`UNSEEN`].
    lacking: [u8; 64],
}

/// What a scan header says, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Its components, 1 to 4, each once.
    pub(super) parts: Vec<Part>,
    /// Its coefficients in zigzag order, of a sequential scan all.
    pub(super) band: RangeInclusive<usize>,
    /// Whether it brings further bits of coefficients that came before.
    pub(super) refines: bool,
    /// How many low bits it leaves out, 0 to 13.
    pub(super) low: u32,
    /// Its minimum coded units.
    pub(super) mcus: u64,
    /// Fewer bits can't code them.
    pub(super) least_bits: u64,
}

/// One component of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Which component of the frame.
    pub(super) component: usize,
    /// Which Huffman tables, 0 to 3.
    pub(super) dc: usize,
    pub(super) ac: usize,
}

impl Frame {
    /// Reads the body of a frame header.
    pub(super) fn parse(body: &[u8], progressive: bool) -> Result<Frame, Error> {
        let [precision, h1, h0, w1, w0, count, components @ ..] = body else {
            return Err(corrupt("its frame header is too short"));
        };
        if *precision != 8 {
            return Err(Error::Unsupported(format!("{precision}-bit JPEG")));
        }
        let size = Size {
            width: u32::from(u16::from_be_bytes([*w1, *w0])),
            height: u32::from(u16::from_be_bytes([*h1, *h0])),
        };
        if size.height == 0 {
            return Err(Error::Unsupported("JPEG with its height in a DNL marker".to_owned()));
        }
        if size.width == 0 || components.len() != 3 * usize::from(*count) {
            return Err(corrupt("its frame header contradicts itself"));
        }
        let components: Vec<Component> =
            components.chunks_exact(3).map(Component::parse).collect::<Result<_, _>>()?;
        if !matches!(components.len(), 1 | 3 | 4) {
            return Err(Error::Unsupported(format!("a JPEG of {} components", components.len())));
        }
        let mut frame = Frame { size, progressive, components };
        if let [only] = &mut frame.components[..] {
            // A scan of one component knows no sampling (T.81, A.2.2).
            (only.h, only.v) = (1, 1);
        }
        Ok(frame)
    }

    /// The largest horizontal and vertical sampling factors.
    pub(super) fn factors(&self) -> (u64, u64) {
        let h = self.components.iter().map(|c| c.h).max().unwrap_or(1);
        let v = self.components.iter().map(|c| c.v).max().unwrap_or(1);
        (h, v)
    }

    /// Reads a scan header, and takes note of what the scan brings.
    pub(super) fn scan(&mut self, header: &[u8]) -> Result<Header, Error> {
        let bad = || corrupt("a bad scan header");
        let (&count, rest) = header.split_first().ok_or_else(bad)?;
        let count = usize::from(count);
        if !(1..=4).contains(&count) || rest.len() != 2 * count + 3 {
            return Err(bad());
        }
        let (parts, rest) = rest.split_at(2 * count);
        let parts: Vec<Part> =
            parts.chunks_exact(2).map(|part| self.part(part[0], part[1])).collect::<Result<_, Error>>()?;
        if (1..count).any(|i| parts[..i].iter().any(|other| other.component == parts[i].component)) {
            return Err(bad());
        }
        let (band, high, low) = match self.progressive {
            true => (usize::from(rest[0])..=usize::from(rest[1]), rest[2] >> 4, rest[2] & 15),
            false => (0..=63, 0, 0),
        };
        let (first, last) = (*band.start(), *band.end());
        // DC stands alone, and AC are of one component (G.1.1.1.1).
        let mixed = self.progressive && last > 0 && (first == 0 || count > 1);
        if first > last || last > 63 || low > 13 || mixed {
            return Err(bad());
        }
        for part in &parts {
            self.components[part.component].lacking[band.clone()].fill(low);
        }
        let (mcus, blocks) = self.units(&parts);
        // At least one bit for a block's DC, and one that says that its AC are all zero; a run of
        // blocks without AC costs next to nothing in a progressive scan.
        let bits = if !self.progressive { 2 } else { u64::from(first == 0) };
        Ok(Header { parts, band, refines: high > 0, low: low.into(), mcus, least_bits: bits * blocks })
    }

    fn part(&self, id: u8, tables: u8) -> Result<Part, Error> {
        let component = self.components.iter().position(|c| c.id == id);
        let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
        match component {
            Some(component) if dc < 4 && ac < 4 => Ok(Part { component, dc, ac }),
            _ => Err(corrupt("a bad scan header")),
        }
    }

    /// Minimum coded units and blocks of a scan (T.81, A.2).
    fn units(&self, parts: &[Part]) -> (u64, u64) {
        let (h_max, v_max) = self.factors();
        let (width, height) = (u64::from(self.size.width), u64::from(self.size.height));
        if let [only] = parts {
            let c = &self.components[only.component];
            let blocks = (width * c.h).div_ceil(8 * h_max) * (height * c.v).div_ceil(8 * v_max);
            return (blocks, blocks);
        }
        let mcus = width.div_ceil(8 * h_max) * height.div_ceil(8 * v_max);
        let components = parts.iter().map(|part| &self.components[part.component]);
        (mcus, mcus * components.map(|c| c.h * c.v).sum::<u64>())
    }

    /// Whether every component has had its first scan.
    pub(super) fn is_started(&self) -> bool {
        self.components.iter().all(|c| c.lacking[0] != UNSEEN)
    }

    /// Whether every coefficient has come, to its last bit.
    pub(super) fn is_refined(&self) -> bool {
        self.components.iter().all(|c| c.lacking == [0; 64])
    }
}

impl Component {
    fn parse(bytes: &[u8]) -> Result<Component, Error> {
        let (h, v) = (bytes[1] >> 4, bytes[1] & 15);
        if !(1..=4).contains(&h) || !(1..=4).contains(&v) {
            return Err(corrupt("a sampling factor that is not 1 to 4"));
        }
        if bytes[2] > 3 {
            return Err(corrupt("a quantisation table that there can't be"));
        }
        let (h, v, quantisers) = (h.into(), v.into(), bytes[2].into());
        Ok(Component { id: bytes[0], h, v, quantisers, lacking: [UNSEEN; 64] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 33 × 17 pixels, components 1, 2, … with these sampling factors.
    fn frame(factors: &[u8], progressive: bool) -> Result<Frame, Error> {
        let mut body = vec![8, 0, 17, 0, 33, factors.len() as u8];
        for (id, &both) in (1..).zip(factors) {
            body.extend_from_slice(&[id, both, 0]);
        }
        Frame::parse(&body, progressive)
    }

    /// MCUs and least bits of a scan of the components, coefficients `band`.
    fn scan(frame: &mut Frame, components: &[u8], band: [u8; 2]) -> Result<(u64, u64), Error> {
        let mut header = vec![components.len() as u8];
        header.extend(components.iter().flat_map(|&id| [id, 0]));
        header.extend_from_slice(&[band[0], band[1], 0]);
        frame.scan(&header).map(|scan| (scan.mcus, scan.least_bits))
    }

    #[test]
    fn units_are_counted_as_the_standard_lays_them() {
        let all = [0, 63];
        let mut sequential = frame(&[0x22, 0x11, 0x11], false).unwrap();
        // 3 × 2 MCUs of 6 blocks; alone, luma has 5 × 3 blocks and chroma 3 × 2.
        assert_eq!(scan(&mut sequential, &[1, 2, 3], all), Ok((6, 72)));
        assert_eq!(scan(&mut sequential, &[1], all), Ok((15, 30)));
        assert_eq!(scan(&mut sequential, &[3], all), Ok((6, 12)));
        let mut progressive = frame(&[0x22, 0x11, 0x11], true).unwrap();
        assert_eq!(scan(&mut progressive, &[1, 2, 3], [0, 0]), Ok((6, 36)));
        assert_eq!(scan(&mut progressive, &[1], [1, 63]), Ok((15, 0)));
        // The factors of a single component mean nothing.
        assert_eq!(scan(&mut frame(&[0x22], false).unwrap(), &[1], all), Ok((15, 30)));
    }

    #[test]
    fn it_knows_what_lacks() {
        let mut frame = frame(&[0x11, 0x11, 0x11], true).unwrap();
        scan(&mut frame, &[1, 2, 3], [0, 0]).unwrap();
        assert!(frame.is_started() && !frame.is_refined());
        for id in 1..=3 {
            scan(&mut frame, &[id], [1, 63]).unwrap();
        }
        assert!(frame.is_refined());
        // One bit of the first component's DC is to come once more.
        frame.scan(&[1, 1, 0, 0, 0, 1]).unwrap();
        assert!(!frame.is_refined());
    }

    #[test]
    fn what_the_standard_rules_out_is_not_decoded() {
        assert!(matches!(frame(&[0x11, 0x11], false), Err(Error::Unsupported(_))));
        for factors in [&[0x01, 0x11, 0x11][..], &[0x15, 0x11, 0x11]] {
            assert!(matches!(frame(factors, false), Err(Error::Corrupt(_))), "{factors:?}");
        }
        // Some components of several, interleaved: 3 × 2 MCUs of 5 blocks.
        let mut halved = frame(&[0x22, 0x11, 0x11], false).unwrap();
        assert_eq!(scan(&mut halved, &[1, 2], [0, 63]), Ok((6, 60)));
    }

    #[test]
    fn scan_headers_that_contradict_their_frame_are_refused() {
        let mut progressive = frame(&[0x11, 0x11, 0x11], true).unwrap();
        for (components, band) in
            [(&[4][..], [0, 0]), (&[1], [5, 2]), (&[1], [1, 64]), (&[1, 2], [1, 5]), (&[], [0, 0])]
                .into_iter()
                .chain([(&[1][..], [0, 1]), (&[1, 1], [0, 0])])
        {
            assert!(matches!(scan(&mut progressive, components, band), Err(Error::Corrupt(_))));
        }
    }
}
