//! The one value of an Exif block that counts here: the orientation, in a TIFF header's first IFD.

use crate::image::orientation::Orientation;

/// Most bytes of an Exif block that are read. In JPEG it can't be longer (a segment's length has 16 bits).
pub(super) const MAX_BLOCK: usize = 65_535;

/// The orientation's tag (TIFF 6.0, section 8).
const ORIENTATION: u16 = 0x0112;

/// Bytes of an entry: tag, field type, count, value or offset.
const ENTRY: usize = 12;

/// The orientation in a block that begins with a TIFF header (TIFF 6.0, section 2), upright where
/// there is none or where the block is nonsense: a picture is not refused for its metadata.
pub(super) fn orientation(tiff: &[u8]) -> Orientation {
    find(tiff).and_then(Orientation::from_exif).unwrap_or_default()
}

fn find(tiff: &[u8]) -> Option<u32> {
    let order = Order::of(tiff)?;
    let ifd = tiff.get(usize::try_from(order.long(tiff, 4)?).ok()?..)?;
    let count = usize::from(order.short(ifd, 0)?);
    let entry = ifd[2..].chunks_exact(ENTRY).take(count).find(|e| order.short(e, 0) == Some(ORIENTATION))?;
    match (order.short(entry, 2)?, order.long(entry, 4)?) {
        (3, 1) => order.short(entry, 8).map(u32::from),
        (4, 1) => order.long(entry, 8),
        _ => None,
    }
}

enum Order {
    Little,
    Big,
}

impl Order {
    fn of(tiff: &[u8]) -> Option<Order> {
        match tiff.get(..4)? {
            b"II*\0" => Some(Order::Little),
            b"MM\0*" => Some(Order::Big),
            _ => None,
        }
    }

    fn short(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Order::Little => u16::from_le_bytes(two),
            Order::Big => u16::from_be_bytes(two),
        })
    }

    fn long(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Order::Little => u32::from_le_bytes(four),
            Order::Big => u32::from_be_bytes(four),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: &[u8] = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

    #[test]
    fn both_byte_orders_and_both_field_types_are_read() {
        assert_eq!(orientation(SIX), Orientation::QuarterTurn);
        let long = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\0";
        assert_eq!(orientation(long), Orientation::ThreeQuarterTurn);
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\xff\xff\0\0\0\0";
        assert_eq!(orientation(little), Orientation::HalfTurn);
    }

    #[test]
    fn nonsense_is_upright() {
        for end in 0..SIX.len() - 6 {
            assert_eq!(orientation(&SIX[..end]), Orientation::Upright, "cut at {end}");
        }
        for (at, byte) in
            [(0, b'X'), (3, b'+'), (4, 0xFF), (7, 0xFF), (9, 0), (13, 2), (17, 2), (19, 9), (18, 1)]
        {
            let mut bad = SIX.to_vec();
            bad[at] = byte;
            assert_eq!(orientation(&bad), Orientation::Upright, "byte {at} is {byte}");
        }
    }
}
