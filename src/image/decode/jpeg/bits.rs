//! The bits of a scan's entropy-coded data (ITU-T T.81, B.1.1.5 and F.1.2.3): what was stuffed is taken out
//! in bulk, a window at a time, so that a decoder loads eight bytes without a look at what they are. The next
//! bit is a register's top bit, or its bottom one where bits are rather laid out than read as numbers.
//!
//! A segment ends at a restart marker or with the scan. Ones stand behind it, and whoever takes those is
//! told that data lack: what is not there is never decoded as if it were.

use std::marker::PhantomData;

use memchr::memchr;

/// Bytes of a window, a power of two.
const WINDOW: usize = 4096;

/// A block takes no more bytes than this: 64 codes of at most 16 bits, each with at most 15 more.
const BLOCK_BYTES: usize = 64 * 4;

/// Bytes that are loaded at once.
const LOADED: usize = 8;

/// What there must be when a block is begun.
const AHEAD: usize = BLOCK_BYTES + LOADED;

/// Ones behind a segment: a block that begins within the segment never sees their end.
const PADDING: usize = AHEAD + 2 * LOADED;

/// Why a block could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The segment ends before its blocks do; whether it ends at a restart marker.
    Lacks(Cut),
    /// Bits that are no code of the Huffman table.
    Code,
    /// A coefficient of more than one bit, where a scan brings one bit of each.
    Size,
    /// A run of zeros that leads out of its block, or out of its band.
    Run,
}

/// What a segment ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Scan,
    Restart,
}

/// At which end of a register the next bit is.
pub(super) trait Order: Copy {
    /// Turns bytes of the data into bytes of the window.
    fn turn(bytes: &mut [u8]);
    /// `buffer`, of which `count` bits count, with what `bytes` hold behind them.
    fn joined(buffer: u64, count: u32, bytes: [u8; LOADED]) -> u64;
    /// `buffer` without its next `count` bits.
    fn without(buffer: u64, count: u32) -> u64;
}

/// The top, as in the data's bytes.
#[derive(Clone, Copy)]
pub(super) struct FromTop;

/// The bottom: each byte's bits are in reverse.
#[derive(Clone, Copy)]
pub(super) struct FromBottom;

impl Order for FromTop {
    #[inline(always)]
    fn turn(_: &mut [u8]) {}

    #[inline(always)]
    fn joined(buffer: u64, count: u32, bytes: [u8; LOADED]) -> u64 {
        buffer | u64::from_be_bytes(bytes).wrapping_shr(count)
    }

    #[inline(always)]
    fn without(buffer: u64, count: u32) -> u64 {
        buffer << count
    }
}

impl Order for FromBottom {
    #[inline(always)]
    fn turn(bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
    }

    #[inline(always)]
    fn joined(buffer: u64, count: u32, bytes: [u8; LOADED]) -> u64 {
        buffer | u64::from_le_bytes(bytes).wrapping_shl(count)
    }

    #[inline(always)]
    fn without(buffer: u64, count: u32) -> u64 {
        buffer >> count
    }
}

/// A scan's bits.
pub(super) struct Bits<'a, O = FromTop> {
    /// The data, stuffed.
    data: &'a [u8],
    /// The next byte of `data` that is not in the window.
    at: usize,
    window: [u8; WINDOW + LOADED],
    /// Bytes in the window, what stands behind a segment included.
    end: usize,
    /// Where in the window the segment ends, once that is known.
    stop: Option<usize>,
    register: Register<O>,
}

/// The bits at hand. Copied where they are used, so that they stay in a processor's registers.
#[derive(Clone, Copy)]
pub(super) struct Register<O = FromTop> {
    /// The next bits.
    buffer: u64,
    /// How many of them count; those beyond are what the next load puts there again.
    count: u32,
    /// The next byte of the window.
    start: usize,
    order: PhantomData<O>,
}

impl<O: Order> Register<O> {
    const EMPTY: Register<O> = Register { buffer: 0, count: 0, start: 0, order: PhantomData };

    /// Takes bytes in, so that at least 56 bits are at hand.
    #[inline(always)]
    pub fn fill(&mut self, window: &Window<'_>) {
        // Never beyond the window: `Bits::prepare` sees to that. Masked, it needs no check.
        let start = self.start & (WINDOW - 1);
        let mut bytes = [0; LOADED];
        bytes.copy_from_slice(&window.0[start..start + LOADED]);
        self.buffer = O::joined(self.buffer, self.count, bytes);
        self.start += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    /// As [`Register::fill`], if fewer than 32 bits are at hand: what any code with its value takes.
    #[inline(always)]
    pub fn fill_32(&mut self, window: &Window<'_>) {
        if self.count < 32 {
            self.fill(window);
        }
    }

    /// Takes `count` bits, at most as many as are at hand.
    #[inline(always)]
    pub fn take(&mut self, count: u32) {
        self.buffer = O::without(self.buffer, count);
        self.count -= count;
    }
}

impl Register<FromBottom> {
    /// The bits at hand, from the bottom.
    #[inline(always)]
    pub fn bottom(&self) -> u64 {
        self.buffer
    }
}

impl Register {
    /// The bits at hand, from the top.
    #[inline(always)]
    pub fn top(&self) -> u64 {
        self.buffer
    }

    /// The next bit.
    #[inline(always)]
    pub fn bit(&mut self) -> bool {
        let bit = self.buffer >> 63 != 0;
        self.take(1);
        bit
    }
}

/// What a [`Register`] is filled from.
pub(super) struct Window<'w>(&'w [u8; WINDOW + LOADED]);

impl<'a, O: Order> Bits<'a, O> {
    /// The entropy-coded data of one scan, restart markers included, up to the next other marker.
    pub fn new(data: &'a [u8]) -> Bits<'a, O> {
        Bits { data, at: 0, window: [0; WINDOW + LOADED], end: 0, stop: None, register: Register::EMPTY }
    }

    /// Lays out bits for one more block.
    #[inline(always)]
    pub fn prepare(&mut self) -> Result<(), Fault> {
        if self.register.start + AHEAD > self.end { self.advance() } else { Ok(()) }
    }

    /// Lends the bits that were laid out. As many are at hand as the block before left, and 56 before a segment's
    /// first.
    #[inline(always)]
    pub fn lend(&self) -> (Register<O>, Window<'_>) {
        (self.register, Window(&self.window))
    }

    /// Takes back what a block left.
    #[inline(always)]
    pub fn put(&mut self, register: Register<O>) {
        self.register = register;
    }

    /// Fills the window anew.
    #[cold]
    #[inline(never)]
    fn advance(&mut self) -> Result<(), Fault> {
        if self.stop.is_some() {
            // What stands behind the segment has been taken.
            return Err(self.lacks());
        }
        let kept = self.end - self.register.start;
        self.window.copy_within(self.register.start..self.end, 0);
        self.register.start = 0;
        self.end = kept;
        self.unstuff();
        // Whoever begins a block may look up a code at once.
        let Bits { window, register, .. } = self;
        register.fill(&Window(window));
        Ok(())
    }

    /// Moves data into the window until that is full or the segment ends.
    fn unstuff(&mut self) {
        const FULL: usize = WINDOW - PADDING;
        while self.end < FULL {
            let rest = &self.data[self.at..];
            let rest = &rest[..rest.len().min(FULL - self.end)];
            let run = memchr(0xFF, rest).unwrap_or(rest.len());
            let into = &mut self.window[self.end..self.end + run];
            into.copy_from_slice(&rest[..run]);
            O::turn(into);
            self.end += run;
            self.at += run;
            match self.data.get(self.at..).unwrap_or_default() {
                [0xFF, 0, ..] => {
                    self.window[self.end] = 0xFF;
                    self.end += 1;
                    self.at += 2;
                }
                [0xFF, 0xFF, ..] => self.at += 1,
                [0xFF, ..] | [] => {
                    self.stop = Some(self.end);
                    self.window[self.end..self.end + PADDING].fill(0xFF);
                    self.end += PADDING;
                    return;
                }
                _ => {}
            }
        }
    }

    /// Goes on behind the next restart marker.
    ///
    /// # Errors
    /// If data lack before it, or it lacks itself. Data that are left over are passed over.
    pub fn restart(&mut self) -> Result<(), Fault> {
        self.finish()?;
        while let Some(found) = memchr(0xFF, &self.data[self.at..]) {
            self.at += found + 1;
            if matches!(self.data.get(self.at), Some(0xD0..=0xD7)) {
                self.at += 1;
                (self.end, self.stop, self.register) = (0, None, Register::EMPTY);
                return Ok(());
            }
        }
        Err(Fault::Lacks(Cut::Scan))
    }

    /// Checks that no more was taken than there was.
    pub fn finish(&self) -> Result<(), Fault> {
        if self.is_overdrawn(0) { Err(self.lacks()) } else { Ok(()) }
    }

    /// What is wrong where decoding failed by `fault`: that data lack, if it looked at what stands behind
    /// them.
    #[cold]
    pub fn fault(&self, fault: Fault) -> Fault {
        if self.is_overdrawn(16) { self.lacks() } else { fault }
    }

    /// Whether more has been taken than the segment has, when `more` bits are taken too.
    fn is_overdrawn(&self, more: usize) -> bool {
        // A window that was moved down may have given more bits than it has behind it.
        let taken = self.register.start * 8 + more;
        self.stop.is_some_and(|stop| taken > stop * 8 + self.register.count as usize)
    }

    fn lacks(&self) -> Fault {
        Fault::Lacks(if self.at < self.data.len() { Cut::Restart } else { Cut::Scan })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that come out of `data` before it lacks.
    fn bytes(bits: &mut Bits<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            let Ok(()) = bits.prepare() else { return out };
            let (mut register, window) = bits.lend();
            register.fill(&window);
            let byte = (register.top() >> 56) as u8;
            register.take(8);
            bits.put(register);
            if bits.finish().is_err() {
                return out;
            }
            out.push(byte);
        }
    }

    #[test]
    fn stuffing_and_fill_bytes_are_taken_out_wherever_they_stand() {
        let plain: Vec<u8> = (0..20_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
        let plain: Vec<u8> = plain.iter().map(|&byte| if byte > 200 { 0xFF } else { byte }).collect();
        let stuffed: Vec<u8> = plain
            .iter()
            .enumerate()
            .flat_map(|(i, &byte)| match (byte, i % 3) {
                (0xFF, 0) => vec![0xFF, 0xFF, 0],
                (0xFF, _) => vec![0xFF, 0],
                _ => vec![byte],
            })
            .collect();
        assert!(bytes(&mut Bits::new(&stuffed)) == plain);
        for cut in [0, 1, 2, 3, 7, 8, 9, 4000, 4096] {
            let data: Vec<u8> = (0..cut).map(|i| (i % 251) as u8).collect();
            assert!(bytes(&mut Bits::new(&data)) == data, "{cut}");
        }
    }

    #[test]
    fn a_segment_ends_at_its_marker_and_the_next_begins_behind_it() {
        let mut bits = Bits::new(b"ab\xFF\xD3cdef\xFF\0\xFF\xD4g\xFF\xD5");
        assert_eq!(bytes(&mut bits), b"ab");
        assert_eq!(bits.finish(), Err(Fault::Lacks(Cut::Restart)));
        let mut bits = Bits::new(b"ab\xFF\xD3cdef\xFF\0\xFF\xD4g\xFF\xD5");
        assert_eq!(bits.restart(), Ok(()), "what is left over is passed over");
        assert_eq!(bits.restart(), Ok(()));
        assert_eq!(bits.restart(), Ok(()));
        assert_eq!(bytes(&mut bits), b"");
        assert_eq!(bits.restart(), Err(Fault::Lacks(Cut::Scan)));
    }
}
