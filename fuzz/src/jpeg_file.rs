//! JPEG files read by their markers alone, independently of the project's reader (ITU-T T.81, Annex B), and written
//! again as what a peer reads well: frame, tables and scans, and nothing else.

/// What a file's markers say.
pub enum Read<'a> {
    /// A file that a decoder should take, as far as its markers say.
    File(File<'a>),
    /// One that breaks the standard, or needs more of it than the project has: it must be refused.
    Refused,
    /// One that says nothing of its tables, as the frames of Motion JPEG.
    Unknown,
}

/// A file of one frame.
pub struct File<'a> {
    pub progressive: bool,
    pub width: u16,
    pub height: u16,
    pub components: Vec<Component>,
    pub scans: Vec<Scan<'a>>,
    /// Whether each coefficient's bits come from the top down, each once (G.1.1.1.2).
    pub is_ordered: bool,
}

/// A component of the frame.
pub struct Component {
    id: u8,
    pub h: u8,
    pub v: u8,
    place: u8,
    /// Those that held at its first scan.
    quantisers: Option<[u16; 64]>,
    /// Of each coefficient how many low bits lack; `None` for all.
    lacking: [Option<u8>; 64],
}

/// A scan, with its data up to the next marker that is not of a restart.
pub struct Scan<'a> {
    /// Components, and the bodies of their DC and AC tables.
    pub parts: Vec<Part>,
    band: [u8; 2],
    /// High and low bit.
    bits: u8,
    interval: u16,
    data: &'a [u8],
}

/// A scan's component.
pub struct Part {
    pub component: usize,
    dc: Option<Vec<u8>>,
    ac: Option<Vec<u8>>,
}

/// Behind each scan: ones, which are no code, so that a decoder that makes up what lacks is not believed.
const ENDING: [u8; 32] = {
    let mut ending = [0; 32];
    let mut i = 0;
    while i < 32 {
        ending[i] = 0xFF;
        i += 2;
    }
    ending
};

/// A table of one code, for the peer asks for one of DC where a scan brings further bits, which has no codes.
const SOME_TABLE: [u8; 17] = {
    let mut table = [0; 17];
    table[0] = 1;
    table
};

/// Reads a file.
pub fn read(bytes: &[u8]) -> Read<'_> {
    let mut reader = Reader::default();
    match reader.walk(bytes) {
        Some(()) if reader.is_unknown => Read::Unknown,
        Some(()) => reader.frame.map_or(Read::Refused, Read::File),
        None => Read::Refused,
    }
}

#[derive(Default)]
struct Reader<'a> {
    frame: Option<File<'a>>,
    quantisers: [Option<[u16; 64]>; 4],
    /// DC, AC.
    huffman: [[Option<Vec<u8>>; 4]; 2],
    interval: u16,
    is_unknown: bool,
}

impl<'a> Reader<'a> {
    /// Reads up to the file's end, or to where it is complete; `None` if it is to be refused.
    fn walk(&mut self, bytes: &'a [u8]) -> Option<()> {
        let mut at = bytes.strip_prefix(&[0xFF, 0xD8])?;
        loop {
            let Some((marker, rest)) = next_marker(at) else { return self.is_complete().then_some(()) };
            at = rest;
            match marker {
                0xD9 => {
                    let frame = self.frame.as_ref()?;
                    return frame.components.iter().all(|c| c.lacking[0].is_some()).then_some(());
                }
                0x01 | 0xD0..=0xD7 => continue,
                0x02..=0xBF => return self.is_complete().then_some(()),
                0xD8 => return None,
                _ => {}
            }
            let length = usize::from(u16::from_be_bytes(*at.first_chunk()?));
            let body = at.get(2..length)?;
            at = &at[length..];
            match marker {
                0xC0..=0xC2 if self.frame.is_none() => self.frame = Some(frame(body, marker == 0xC2)?),
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCF => return None,
                0xC4 => self.huffman(body)?,
                0xDB => self.quantisers(body)?,
                0xDD => self.interval = u16::from_be_bytes(body.try_into().ok()?),
                0xDA => {
                    let data = entropy_coded(at);
                    at = &at[data.len()..];
                    self.scan(body, data)?;
                    if self.frame.as_ref().is_some_and(|frame| !frame.progressive) && self.is_complete() {
                        return Some(());
                    }
                }
                _ => {}
            }
        }
    }

    fn is_complete(&self) -> bool {
        let is_complete = |frame: &File| frame.components.iter().all(|c| c.lacking == [Some(0); 64]);
        self.frame.as_ref().is_some_and(is_complete)
    }

    fn quantisers(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = body.split_first() {
            let bytes = 1 + usize::from(kind >> 4);
            let (values, rest) = rest.split_at_checked(64 * bytes).filter(|_| bytes < 3)?;
            let value = |k: usize| values[k * bytes..][..bytes].iter().fold(0, |v, &b| v << 8 | u16::from(b));
            *self.quantisers.get_mut(usize::from(kind & 15))? = Some(std::array::from_fn(value));
            body = rest;
        }
        Some(())
    }

    fn huffman(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = body.split_first() {
            let counts: &[u8; 16] = rest.first_chunk()?;
            let length = 16 + counts.iter().map(|&count| usize::from(count)).sum::<usize>();
            let table = rest.get(..length).filter(|_| length <= 16 + 256)?;
            // Codes of a length are what shorter ones leave.
            counts.iter().try_fold(1u32, |free, &count| (free * 2).checked_sub(count.into()))?;
            *self.huffman.get_mut(usize::from(kind >> 4))?.get_mut(usize::from(kind & 15))? =
                Some(table.to_vec());
            body = &rest[length..];
        }
        Some(())
    }

    fn scan(&mut self, header: &[u8], data: &'a [u8]) -> Option<()> {
        let frame = self.frame.as_mut()?;
        let (&count, rest) = header.split_first()?;
        let count = usize::from(count);
        if !(1..=4).contains(&count) || rest.len() != 2 * count + 3 {
            return None;
        }
        let (ids, rest) = rest.split_at(2 * count);
        let (band, bits) = if frame.progressive { ([rest[0], rest[1]], rest[2]) } else { ([0, 63], 0) };
        let (first, last, low) = (usize::from(band[0]), usize::from(band[1]), bits & 15);
        let is_mixed = frame.progressive && last > 0 && (first == 0 || count > 1);
        if first > last || last > 63 || low > 13 || is_mixed {
            return None;
        }
        self.is_unknown |= !frame.progressive && self.huffman.iter().flatten().all(Option::is_none);
        let mut parts: Vec<Part> = Vec::new();
        for pair in ids.chunks_exact(2) {
            let component = frame.components.iter().position(|c| c.id == pair[0])?;
            if parts.iter().any(|part| part.component == component) {
                return None;
            }
            let c = &mut frame.components[component];
            if !frame.progressive && c.quantisers.is_some() {
                return None;
            }
            let quantisers = self.quantisers[usize::from(c.place)]?;
            c.quantisers.get_or_insert(quantisers);
            let before = if bits >> 4 > 0 { Some(low + 1) } else { None };
            frame.is_ordered &= c.lacking[first..=last].iter().all(|&lacking| lacking == before);
            c.lacking[first..=last].fill(Some(low));
            let table = |class: usize, place: u8| self.huffman[class].get(usize::from(place)).cloned();
            let (dc, ac) = (table(0, pair[1] >> 4)?, table(1, pair[1] & 15)?);
            let (uses_dc, uses_ac) = (first == 0 && bits >> 4 == 0, last > 0);
            if !self.is_unknown && (uses_dc && dc.is_none() || uses_ac && ac.is_none()) {
                return None;
            }
            if uses_dc && dc.iter().any(|table| table[16..].iter().any(|&size| size > 15)) {
                return None;
            }
            parts.push(Part { component, dc: dc.filter(|_| uses_dc), ac: ac.filter(|_| uses_ac) });
        }
        let data = first_segments(data, frame.segments(&parts, self.interval));
        frame.scans.push(Scan { parts, band, bits, interval: self.interval, data });
        Some(())
    }
}

/// The next marker's code, and what follows.
fn next_marker(mut at: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let found = at.iter().position(|&byte| byte == 0xFF)?;
        at = &at[found + 1..];
        match at.first()? {
            0 | 0xFF => {}
            &code => return Some((code, &at[1..])),
        }
    }
}

/// Data up to the next marker that is not of a restart.
fn entropy_coded(at: &[u8]) -> &[u8] {
    let ends = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF | 0xD0..=0xD7);
    let end = at.windows(2).position(ends);
    // A last byte of 0xFF is the beginning of a marker that lacks.
    let whole = at.len() - usize::from(at.ends_with(&[0xFF]));
    &at[..end.unwrap_or(whole)]
}

/// The first so many segments of data between restart markers: a scan has no more, and ours passes over what does
/// not belong to it, as the peer does not.
fn first_segments(data: &[u8], count: usize) -> &[u8] {
    let markers = data.windows(2).enumerate().filter(|(_, pair)| matches!(pair, [0xFF, 0xD0..=0xD7]));
    let end = markers.map(|(at, _)| at).nth(count - 1);
    &data[..end.unwrap_or(data.len())]
}

fn frame<'a>(body: &[u8], progressive: bool) -> Option<File<'a>> {
    let [8, h1, h0, w1, w0, count, components @ ..] = body else { return None };
    let (width, height) = (u16::from_be_bytes([*w1, *w0]), u16::from_be_bytes([*h1, *h0]));
    if width == 0 || height == 0 || !matches!(count, 1 | 3 | 4) || components.len() != 3 * usize::from(*count)
    {
        return None;
    }
    let component = |bytes: &[u8]| {
        let (h, v, place) = (bytes[1] >> 4, bytes[1] & 15, bytes[2]);
        let is_sound = (1..=4).contains(&h) && (1..=4).contains(&v) && place < 4;
        let (quantisers, lacking) = (None, [None; 64]);
        is_sound.then_some(Component { id: bytes[0], h, v, place, quantisers, lacking })
    };
    let mut components = components.chunks_exact(3).map(component).collect::<Option<Vec<_>>>()?;
    if let [only] = &mut components[..] {
        (only.h, only.v) = (1, 1);
    }
    Some(File { progressive, width, height, components, scans: Vec::new(), is_ordered: true })
}

impl Scan<'_> {
    /// Which bit it brings, if it brings one of coefficients that came before.
    pub fn refined(&self) -> Option<u8> {
        (self.bits >> 4 > 0).then_some(self.bits & 15)
    }

    /// Whether it is of further bits of DC, which have no codes.
    pub fn is_of_bits_alone(&self) -> bool {
        self.refined().is_some() && self.band[0] == 0
    }
}

impl File<'_> {
    /// How many segments of data a scan has, 1 without restart intervals (A.2, E.1.4).
    fn segments(&self, parts: &[Part], interval: u16) -> usize {
        let of = |side: u16, factor: u8, most: u8| {
            (usize::from(side) * usize::from(factor)).div_ceil(8 * usize::from(most))
        };
        let most = |factor: fn(&Component) -> u8| self.components.iter().map(factor).max().unwrap_or(1);
        let (h_max, v_max) = (most(|c| c.h), most(|c| c.v));
        let (h, v) = match parts {
            [only] => (self.components[only.component].h, self.components[only.component].v),
            _ => (1, 1),
        };
        let units = of(self.width, h, h_max) * of(self.height, v, v_max);
        if interval == 0 { 1 } else { units.div_ceil(interval.into()) }
    }

    /// As a file of its frame, tables and scans alone: every table before the scan that uses it, every restart
    /// interval repeated.
    pub fn written(&self) -> Vec<u8> {
        let mut out = vec![0xFF, 0xD8];
        let mut header = vec![8];
        header.extend(self.height.to_be_bytes().into_iter().chain(self.width.to_be_bytes()));
        header.push(self.components.len() as u8);
        for (index, c) in (0u8..).zip(&self.components) {
            let mut body = vec![0x10 | index];
            body.extend(c.quantisers.iter().flatten().flat_map(|value| value.to_be_bytes()));
            segment(&mut out, 0xDB, &body);
            header.extend([index + 1, c.h << 4 | c.v, index]);
        }
        segment(&mut out, if self.progressive { 0xC2 } else { 0xC1 }, &header);
        for scan in &self.scans {
            let mut header = vec![scan.parts.len() as u8];
            for (place, part) in (0u8..).zip(&scan.parts) {
                let dc = part.dc.as_deref().or((scan.band[0] == 0).then_some(&SOME_TABLE));
                for (class, table) in [(0, dc), (0x10, part.ac.as_deref())] {
                    if let Some(table) = table {
                        segment(&mut out, 0xC4, &[&[class | place], table].concat());
                    }
                }
                header.extend([part.component as u8 + 1, place << 4 | place]);
            }
            segment(&mut out, 0xDD, &scan.interval.to_be_bytes());
            // A scan that refines brings one bit, whatever its header says of those before.
            let high = scan.refined().map_or(0, |bit| bit + 1);
            header.extend([scan.band[0], scan.band[1], high << 4 | scan.bits & 15]);
            segment(&mut out, 0xDA, &header);
            out.extend_from_slice(scan.data);
            out.extend_from_slice(&ENDING);
        }
        out.extend_from_slice(&[0xFF, 0xD9]);
        out
    }
}

fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) {
    out.extend_from_slice(&[0xFF, marker]);
    out.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
    out.extend_from_slice(body);
}
