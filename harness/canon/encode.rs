//! Own form: the bytes of a value as its own column holds it.
//!
//! Lossless and injective: a tag for the shape, then a fixed number of bytes or a length and as many bytes. Nothing is
//! folded; that is what rules are for.

use super::cell::{Cell, Decimal, Nest, Sign};

/// Version of the canonical form; part of every row digest. Digests of different versions must not be compared.
pub const CANON_VERSION: u32 = 2;

/// Tag of NULL, in own form and under every rule.
pub(super) const NULL: u8 = 0;
const BOOLEAN: u8 = 1;
const INTEGER: u8 = 2;
const FLOAT32: u8 = 3;
const FLOAT64: u8 = 4;
const DECIMAL: u8 = 5;
const TEXT: u8 = 6;
const PADDED_TEXT: u8 = 7;
const BYTES: u8 = 8;
const UUID: u8 = 9;
const DATE: u8 = 10;
const TIME: u8 = 11;
const TIME_TZ: u8 = 12;
const TIMESTAMP: u8 = 13;
const TIMESTAMP_TZ: u8 = 14;
const INTERVAL: u8 = 15;
const JSON: u8 = 16;
const JSONB: u8 = 17;
const LABEL: u8 = 18;
const OPAQUE: u8 = 19;
const BITS: u8 = 20;
const NETWORK: u8 = 21;
const MAC_ADDRESS: u8 = 22;
const ARRAY: u8 = 23;
const COMPOSITE: u8 = 24;
const RANGE: u8 = 25;
const MULTIRANGE: u8 = 26;
const MAP: u8 = 27;

/// Appends the own form of a cell.
pub fn encode_own(cell: &Cell<'_>, out: &mut Vec<u8>) {
    match *cell {
        Cell::Null => out.push(NULL),
        Cell::Boolean(value) => out.extend([BOOLEAN, u8::from(value)]),
        Cell::Integer(value) => fixed(INTEGER, &value.to_le_bytes(), out),
        Cell::Float32(value) => fixed(FLOAT32, &value.to_bits().to_le_bytes(), out),
        Cell::Float64(value) => fixed(FLOAT64, &value.to_bits().to_le_bytes(), out),
        Cell::Decimal(value) => decimal(&value, out),
        Cell::Text(bytes) => counted(TEXT, bytes, out),
        Cell::PaddedText(bytes) => counted(PADDED_TEXT, bytes, out),
        Cell::Bytes(bytes) => counted(BYTES, bytes, out),
        Cell::Uuid(bytes) => fixed(UUID, &bytes, out),
        Cell::Date(days) => fixed(DATE, &days.to_le_bytes(), out),
        Cell::Time(micros) => fixed(TIME, &micros.to_le_bytes(), out),
        Cell::TimeTz(micros, offset) => {
            fixed(TIME_TZ, &micros.to_le_bytes(), out);
            out.extend(offset.to_le_bytes());
        }
        Cell::Timestamp(micros) => fixed(TIMESTAMP, &micros.to_le_bytes(), out),
        Cell::TimestampTz(micros) => fixed(TIMESTAMP_TZ, &micros.to_le_bytes(), out),
        Cell::Interval { months, days, micros } => {
            fixed(INTERVAL, &months.to_le_bytes(), out);
            out.extend(days.to_le_bytes());
            out.extend(micros.to_le_bytes());
        }
        Cell::Json(bytes) => counted(JSON, bytes, out),
        Cell::Jsonb(bytes) => counted(JSONB, bytes, out),
        Cell::Label(bytes) => counted(LABEL, bytes, out),
        Cell::Opaque(bytes) => counted(OPAQUE, bytes, out),
        Cell::Bits { length, bytes } => {
            fixed(BITS, &length.to_le_bytes(), out);
            length_prefixed(bytes, out);
        }
        Cell::Network { address, prefix, network } => {
            out.extend([NETWORK, prefix, u8::from(network)]);
            length_prefixed(address, out);
        }
        Cell::MacAddress(bytes) => counted(MAC_ADDRESS, bytes, out),
        Cell::Nested(nest, bytes) => counted(tag_of(nest), bytes, out),
    }
}

const fn tag_of(nest: Nest) -> u8 {
    match nest {
        Nest::Array => ARRAY,
        Nest::Composite => COMPOSITE,
        Nest::Range => RANGE,
        Nest::Multirange => MULTIRANGE,
        Nest::Map => MAP,
    }
}

/// Appends the own form of a value made of values, whose [bytes](super::nested) `write` appends; its `None` is handed on,
/// and what it appended is for the caller to take away.
pub fn nested<T>(nest: Nest, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Option<T>) -> Option<T> {
    out.push(tag_of(nest));
    let start = out.len();
    out.extend([0; 8]);
    let written = write(out)?;
    let length = (out.len() - start - 8) as u64;
    out[start..start + 8].copy_from_slice(&length.to_le_bytes());
    Some(written)
}

fn fixed(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(bytes);
}

fn counted(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    length_prefixed(bytes, out);
}

/// Appends a length of eight bytes and then the bytes.
pub(super) fn length_prefixed(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Groups of zero at either end say nothing, so they are left out: one value and scale, one encoding.
fn decimal(value: &Decimal<'_>, out: &mut Vec<u8>) {
    out.push(DECIMAL);
    let number = matches!(value.sign, Sign::Positive | Sign::Negative);
    let (groups, weight) = if number { trimmed(value) } else { (&[][..], 0) };
    out.push(match value.sign {
        // There is no negative zero among exact decimals.
        Sign::Negative if !groups.is_empty() => 1,
        Sign::Positive | Sign::Negative => 0,
        Sign::NaN => 2,
        Sign::Infinity => 3,
        Sign::NegativeInfinity => 4,
    });
    out.extend(if number { value.scale } else { 0 }.to_le_bytes());
    out.extend(weight.to_le_bytes());
    length_prefixed(groups, out);
}

/// The groups without zeros at either end, and the power of 10,000 of the first that is left.
fn trimmed<'a>(value: &Decimal<'a>) -> (&'a [u8], i32) {
    let (mut groups, mut weight) = (value.groups, i32::from(value.weight));
    while let [0, 0, rest @ ..] = groups {
        (groups, weight) = (rest, weight - 1);
    }
    while let [rest @ .., 0, 0] = groups {
        groups = rest;
    }
    if groups.is_empty() { (groups, 0) } else { (groups, weight) }
}

/// Reads one own form back: the cell, and the bytes after it. `None` if the bytes are no own form.
pub fn decode_own<'a>(bytes: &'a [u8]) -> Option<(Cell<'a>, &'a [u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let text = |make: fn(&'a [u8]) -> Cell<'a>| take_counted(rest).map(|(bytes, rest)| (make(bytes), rest));
    let long =
        |make: fn(i64) -> Cell<'static>| take::<8>(rest).map(|(bytes, rest)| (make(i64::from_le_bytes(bytes)), rest));
    match tag {
        NULL => Some((Cell::Null, rest)),
        BOOLEAN => take::<1>(rest).map(|([byte], rest)| (Cell::Boolean(byte == 1), rest)),
        INTEGER => long(Cell::Integer),
        FLOAT32 => take(rest).map(|(bytes, rest)| (Cell::Float32(f32::from_le_bytes(bytes)), rest)),
        FLOAT64 => take(rest).map(|(bytes, rest)| (Cell::Float64(f64::from_le_bytes(bytes)), rest)),
        DECIMAL => take_decimal(rest),
        TEXT => text(Cell::Text),
        PADDED_TEXT => text(Cell::PaddedText),
        BYTES => text(Cell::Bytes),
        UUID => take(rest).map(|(bytes, rest)| (Cell::Uuid(bytes), rest)),
        DATE => take(rest).map(|(bytes, rest)| (Cell::Date(i32::from_le_bytes(bytes)), rest)),
        TIME => long(Cell::Time),
        TIME_TZ => {
            let (micros, rest) = take(rest)?;
            let (offset, rest) = take(rest)?;
            Some((Cell::TimeTz(i64::from_le_bytes(micros), i32::from_le_bytes(offset)), rest))
        }
        TIMESTAMP => long(Cell::Timestamp),
        TIMESTAMP_TZ => long(Cell::TimestampTz),
        INTERVAL => {
            let (months, rest) = take(rest)?;
            let (days, rest) = take(rest)?;
            let (micros, rest) = take(rest)?;
            let (months, days) = (i32::from_le_bytes(months), i32::from_le_bytes(days));
            Some((Cell::Interval { months, days, micros: i64::from_le_bytes(micros) }, rest))
        }
        JSON => text(Cell::Json),
        JSONB => text(Cell::Jsonb),
        LABEL => text(Cell::Label),
        OPAQUE => text(Cell::Opaque),
        BITS => {
            let (length, rest) = take(rest)?;
            let (bytes, rest) = take_counted(rest)?;
            Some((Cell::Bits { length: u32::from_le_bytes(length), bytes }, rest))
        }
        NETWORK => {
            let ([prefix, network], rest) = take(rest)?;
            let (address, rest) = take_counted(rest)?;
            Some((Cell::Network { address, prefix, network: network == 1 }, rest))
        }
        MAC_ADDRESS => text(Cell::MacAddress),
        ARRAY => text(|bytes| Cell::Nested(Nest::Array, bytes)),
        COMPOSITE => text(|bytes| Cell::Nested(Nest::Composite, bytes)),
        RANGE => text(|bytes| Cell::Nested(Nest::Range, bytes)),
        MULTIRANGE => text(|bytes| Cell::Nested(Nest::Multirange, bytes)),
        MAP => text(|bytes| Cell::Nested(Nest::Map, bytes)),
        _ => None,
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
    bytes.split_first_chunk::<N>().map(|(head, rest)| (*head, rest))
}

fn take_counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = take(bytes)?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(length)).ok()?)
}

fn take_decimal(bytes: &[u8]) -> Option<(Cell<'_>, &[u8])> {
    let ([sign], rest) = take(bytes)?;
    let (scale, rest) = take(rest)?;
    let (weight, rest) = take(rest)?;
    let (groups, rest) = take_counted(rest)?;
    let sign = match sign {
        0 => Sign::Positive,
        1 => Sign::Negative,
        2 => Sign::NaN,
        3 => Sign::Infinity,
        4 => Sign::NegativeInfinity,
        _ => return None,
    };
    let weight = i16::try_from(i32::from_le_bytes(weight)).ok()?;
    Some((Cell::Decimal(Decimal { sign, weight, scale: u16::from_le_bytes(scale), groups }), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(cell: Cell<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        encode_own(&cell, &mut out);
        out
    }

    fn groups(weight: i16, scale: u16, groups: &[u8]) -> Cell<'_> {
        Cell::Decimal(Decimal { sign: Sign::Positive, weight, scale, groups })
    }

    #[test]
    fn scale_is_kept_and_empty_groups_are_not() {
        // 1.10 and 1.1, then 1.10 with a group of zero before and after it.
        let stored = groups(0, 2, &[0, 1, 0x03, 0xe8]);
        assert_ne!(own(stored), own(groups(0, 1, &[0, 1, 0x03, 0xe8])));
        assert_eq!(own(stored), own(groups(1, 2, &[0, 0, 0, 1, 0x03, 0xe8, 0, 0])));
    }

    #[test]
    fn nothing_is_folded() {
        let alike = [
            Cell::Null,
            Cell::Text(b""),
            Cell::Bytes(b""),
            Cell::Text(b"1"),
            Cell::Label(b"1"),
            Cell::Integer(1),
            Cell::Boolean(true),
            Cell::Float64(1.0),
            Cell::Float32(1.0),
            Cell::Float64(0.0),
            Cell::Float64(-0.0),
            Cell::Timestamp(1),
            Cell::TimestampTz(1),
        ];
        for (at, first) in alike.iter().enumerate() {
            for second in &alike[at + 1..] {
                assert_ne!(own(*first), own(*second), "{first:?} {second:?}");
            }
        }
    }
}
