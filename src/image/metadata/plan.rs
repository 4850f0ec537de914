//! A stripped file in the making: what is kept and what is written, in order.

use std::ops::Range;

use super::Piece;
use crate::image::Error;

/// Most pieces of one file. Real files fall into a few; it bounds what a crafted one makes us hold.
const MAX_PIECES: usize = 65_536;

/// Pieces in order; neighbouring ranges are one.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pieces: Vec<Piece>,
}

impl Plan {
    /// Keeps a range of the source.
    pub(super) fn keep(&mut self, range: Range<u64>) -> Result<(), Error> {
        match self.pieces.last_mut() {
            _ if range.is_empty() => Ok(()),
            Some(Piece::Source(last)) if last.end == range.start => {
                last.end = range.end;
                Ok(())
            }
            _ => self.push(Piece::Source(range)),
        }
    }

    /// Writes new bytes.
    pub(super) fn write(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        self.push(Piece::Bytes(bytes))
    }

    /// Puts what another plan holds behind what this one does.
    pub(super) fn append(&mut self, other: Plan) -> Result<(), Error> {
        for piece in other.pieces {
            match piece {
                Piece::Source(range) => self.keep(range)?,
                Piece::Bytes(bytes) => self.write(bytes)?,
            }
        }
        Ok(())
    }

    fn push(&mut self, piece: Piece) -> Result<(), Error> {
        if self.pieces.len() >= MAX_PIECES {
            return Err(Error::Corrupt(format!("more than {MAX_PIECES} pieces between metadata")));
        }
        self.pieces.push(piece);
        Ok(())
    }

    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.pieces.iter().map(Piece::length).sum()
    }

    pub(super) fn into_pieces(self) -> Vec<Piece> {
        self.pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_ranges_are_one_piece() {
        let mut plan = Plan::default();
        plan.keep(0..4).unwrap();
        plan.keep(4..9).unwrap();
        plan.keep(9..9).unwrap();
        plan.keep(10..12).unwrap();
        assert_eq!(plan.length(), 11);
        assert_eq!(plan.into_pieces(), [Piece::Source(0..9), Piece::Source(10..12)]);
    }

    #[test]
    fn the_number_of_pieces_is_limited() {
        let mut plan = Plan::default();
        let filled = (0..=MAX_PIECES as u64).try_for_each(|i| plan.keep(2 * i..2 * i + 1));
        assert!(matches!(filled, Err(Error::Corrupt(_))));
    }
}
