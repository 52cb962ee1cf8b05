//! Values made of values: arrays, composites, ranges, maps.
//!
//! Their bytes hold nothing that means something only in one database or one session (no OIDs, no printed floats): a
//! head, and then the [own forms](super::encode) of the values inside, which may be made of values again.
//!
//! | | head | values |
//! |---|---|---|
//! | array | number of dimensions; for each its length and its lower bound | the elements, row by row |
//! | composite | number of fields | the fields |
//! | range | a byte of flags | the bounds that are there |
//! | multirange | number of ranges | for each a byte of flags and the bounds that are there |
//! | map | number of keys | key and value in turns |

use super::{cell::Cell, encode::decode_own};

/// The range holds nothing.
pub const EMPTY: u8 = 1;
/// The lower bound belongs to the range.
pub const LOWER_INCLUDED: u8 = 2;
/// The upper bound belongs to the range.
pub const UPPER_INCLUDED: u8 = 4;
/// There is no lower bound.
pub const LOWER_INFINITE: u8 = 8;
/// There is no upper bound.
pub const UPPER_INFINITE: u8 = 16;

/// One dimension of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Number of elements.
    pub length: u32,
    /// Number of the first one; 1 unless somebody asked for another.
    pub lower: i32,
}

/// Writes the head of an array; its elements' own forms are to follow.
pub fn write_dimensions(dimensions: impl ExactSizeIterator<Item = Dimension>, out: &mut Vec<u8>) {
    write_count(dimensions.len(), out);
    for Dimension { length, lower } in dimensions {
        out.extend(length.to_le_bytes());
        out.extend(lower.to_le_bytes());
    }
}

/// Writes a number of fields, ranges or keys.
pub fn write_count(count: usize, out: &mut Vec<u8>) {
    out.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

/// The dimensions of an array, and the bytes of its elements.
pub fn dimensions(bytes: &[u8]) -> Option<(impl ExactSizeIterator<Item = Dimension> + Clone + '_, &[u8])> {
    let (count, rest) = count(bytes)?;
    let (heads, rest) = rest.split_at_checked(usize::try_from(count).ok()?.checked_mul(8)?)?;
    let dimensions = heads.chunks_exact(8).map(|head| {
        let word = |at: usize| [head[at], head[at + 1], head[at + 2], head[at + 3]];
        Dimension { length: u32::from_le_bytes(word(0)), lower: i32::from_le_bytes(word(4)) }
    });
    Some((dimensions, rest))
}

/// A number of fields, ranges or keys, and the bytes behind it.
pub fn count(bytes: &[u8]) -> Option<(u32, &[u8])> {
    bytes.split_first_chunk().map(|(count, rest)| (u32::from_le_bytes(*count), rest))
}

/// One range: its flags, its bounds, and the bytes behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds<'a> {
    /// [`EMPTY`] and the others.
    pub flags: u8,
    /// The lower bound, if there is one.
    pub lower: Option<Cell<'a>>,
    /// The upper bound, if there is one.
    pub upper: Option<Cell<'a>>,
}

/// Reads one range from the front.
pub fn bounds(bytes: &[u8]) -> Option<(Bounds<'_>, &[u8])> {
    let (&flags, mut rest) = bytes.split_first()?;
    let mut bound = |missing: u8| {
        if flags & missing != 0 {
            return Some(None);
        }
        let (cell, after) = decode_own(rest)?;
        rest = after;
        Some(Some(cell))
    };
    let lower = bound(EMPTY | LOWER_INFINITE)?;
    let upper = bound(EMPTY | UPPER_INFINITE)?;
    Some((Bounds { flags, lower, upper }, rest))
}
