//! The binary COPY format, us to server.

use super::{
    spell,
    types::{PgType, oid},
    wire::{EPOCH_DAYS, EPOCH_MICROS, SIGNATURE},
};
use crate::model::Value;

/// How values for a column are written in binary; chosen once for each column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Text,
    Jsonb,
    Bytes,
    Uuid,
    Date,
    Time,
    Timestamp,
    /// Whatever only the server can make from text: arrays, intervals, addresses, ranges, composites.
    FromText,
}

impl Writing {
    /// The writing for a type.
    pub(super) fn of(kind: &PgType) -> Self {
        match kind.oid {
            oid::BOOL => Self::Bool,
            oid::INT2 => Self::Int2,
            oid::INT4 => Self::Int4,
            oid::INT8 => Self::Int8,
            oid::OID => Self::Oid,
            oid::FLOAT4 => Self::Float4,
            oid::FLOAT8 => Self::Float8,
            oid::NUMERIC => Self::Numeric,
            oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::JSON => Self::Text,
            oid::JSONB => Self::Jsonb,
            oid::BYTEA => Self::Bytes,
            oid::UUID => Self::Uuid,
            oid::DATE => Self::Date,
            oid::TIME => Self::Time,
            oid::TIMESTAMP | oid::TIMESTAMPTZ => Self::Timestamp,
            _ if kind.is_citext() || kind.class == 'e' => Self::Text,
            _ => Self::FromText,
        }
    }

    pub(super) const fn is_integer(self) -> bool {
        matches!(self, Self::Int2 | Self::Int4 | Self::Int8 | Self::Oid)
    }
}

/// A value has no binary form of the column's type here; the server may still understand its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoBinaryForm;

/// Opens a copy.
pub(super) fn begin(out: &mut Vec<u8>) {
    out.extend_from_slice(SIGNATURE);
    out.extend_from_slice(&[0; 8]);
}

/// Ends a copy.
pub(super) fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(&(-1_i16).to_be_bytes());
}

/// Begins a row of so many values.
pub(super) fn row(columns: usize, out: &mut Vec<u8>) {
    // A table has 1,600 columns at most.
    out.extend_from_slice(&i16::try_from(columns).unwrap_or(i16::MAX).to_be_bytes());
}

/// Writes one value with its length.
pub(super) fn value(writing: Writing, value: &Value, out: &mut Vec<u8>) -> Result<(), NoBinaryForm> {
    if value.is_null() {
        out.extend_from_slice(&(-1_i32).to_be_bytes());
        return Ok(());
    }
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    body(writing, value, out)?;
    let length = i32::try_from(out.len() - start - 4).map_err(|_| NoBinaryForm)?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn body(writing: Writing, value: &Value, out: &mut Vec<u8>) -> Result<(), NoBinaryForm> {
    match (writing, value) {
        (Writing::Bool, Value::Boolean(truth)) => out.push(u8::from(*truth)),
        (Writing::Bool, Value::Integer(number @ (0 | 1))) => out.push(u8::from(*number == 1)),
        (Writing::Int2 | Writing::Int4 | Writing::Int8 | Writing::Oid, Value::Integer(number)) => {
            integer(writing, *number, out)?;
        }
        (Writing::Int2 | Writing::Int4 | Writing::Int8 | Writing::Oid, Value::Boolean(truth)) => {
            integer(writing, (*truth).into(), out)?;
        }
        (Writing::Float4, Value::Float(number)) => out.extend_from_slice(&single(*number)?.to_be_bytes()),
        (Writing::Float8, Value::Float(number)) => out.extend_from_slice(&number.to_be_bytes()),
        (Writing::Numeric, Value::Integer(number)) => numeric(&number.to_string(), out)?,
        (Writing::Numeric, Value::Decimal(text)) => numeric(text, out)?,
        (Writing::Text, Value::Bytes(_)) => return Err(NoBinaryForm),
        (Writing::Text, value) => spell::plain(writing, value, out),
        (Writing::Jsonb, Value::Json(text) | Value::Text(text)) => {
            out.push(1);
            out.extend_from_slice(text.as_bytes());
        }
        (Writing::Bytes, Value::Bytes(bytes)) => out.extend_from_slice(bytes),
        (Writing::Bytes, Value::Text(text)) => out.extend_from_slice(text.as_bytes()),
        (Writing::Uuid, Value::Uuid(bytes)) => out.extend_from_slice(bytes),
        (Writing::Uuid, Value::Text(text)) => out.extend_from_slice(&uuid(text).ok_or(NoBinaryForm)?),
        (Writing::Date, Value::Date(infinity @ (i32::MAX | i32::MIN))) => {
            out.extend_from_slice(&infinity.to_be_bytes());
        }
        (Writing::Date, Value::Date(days)) => {
            out.extend_from_slice(&days.checked_sub(EPOCH_DAYS).ok_or(NoBinaryForm)?.to_be_bytes());
        }
        (Writing::Time, Value::Time(micros)) => out.extend_from_slice(&micros.to_be_bytes()),
        // The session's time zone is UTC, so that both kinds of timestamp count the same microseconds.
        (Writing::Timestamp, Value::Timestamp(micros) | Value::TimestampTz(micros)) => {
            let micros = match *micros {
                infinity @ (i64::MAX | i64::MIN) => infinity,
                micros => micros.checked_sub(EPOCH_MICROS).ok_or(NoBinaryForm)?,
            };
            out.extend_from_slice(&micros.to_be_bytes());
        }
        _ => return Err(NoBinaryForm),
    }
    Ok(())
}

fn integer(writing: Writing, number: i64, out: &mut Vec<u8>) -> Result<(), NoBinaryForm> {
    match writing {
        Writing::Int2 => out.extend_from_slice(&i16::try_from(number).map_err(|_| NoBinaryForm)?.to_be_bytes()),
        Writing::Int4 => out.extend_from_slice(&i32::try_from(number).map_err(|_| NoBinaryForm)?.to_be_bytes()),
        Writing::Oid => out.extend_from_slice(&u32::try_from(number).map_err(|_| NoBinaryForm)?.to_be_bytes()),
        _ => out.extend_from_slice(&number.to_be_bytes()),
    }
    Ok(())
}

/// The nearest single, unless it is infinite or zero where the double is not: that is the server's to refuse.
fn single(number: f64) -> Result<f32, NoBinaryForm> {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to the column's own width is what is wanted")]
    let single = number as f32;
    let lost = (single.is_infinite() && number.is_finite()) || (single == 0.0 && number != 0.0);
    if lost { Err(NoBinaryForm) } else { Ok(single) }
}

/// A decimal in plain notation as `numeric_recv` takes it: count of groups, weight, sign, scale, groups of four digits.
fn numeric(text: &str, out: &mut Vec<u8>) -> Result<(), NoBinaryForm> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let (whole, fraction) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
    if whole.len() + fraction.len() == 0 || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return Err(NoBinaryForm);
    }
    // The format's limits: 131,072 digits before the point and 16,383 after it.
    if whole.len() > 131_072 || fraction.len() > 16_383 {
        return Err(NoBinaryForm);
    }
    let groups_before = whole.len().div_ceil(4);
    let groups_after = fraction.len().div_ceil(4);
    // The digit at a place counted from the first group's first digit; padding is zeros.
    let padding = groups_before * 4 - whole.len();
    let digit = |place: usize| match place.checked_sub(padding) {
        None => 0,
        Some(at) => whole.get(at).or_else(|| fraction.get(at - whole.len())).map_or(0, |byte| byte - b'0'),
    };
    let group = |index: usize| (0..4).fold(0_u16, |sum, at| sum * 10 + u16::from(digit(index * 4 + at)));
    let all = groups_before + groups_after;
    // Zero groups at both ends are left out, as the server itself does.
    let first = (0..all).find(|index| group(*index) != 0).unwrap_or(all);
    let last = (first..all).rev().find(|index| group(*index) != 0).map_or(first, |index| index + 1);
    let narrow = |number: usize| i16::try_from(number).map_err(|_| NoBinaryForm);
    let weight = if first == all { 0 } else { narrow(groups_before)? - 1 - narrow(first)? };
    out.extend_from_slice(&narrow(last - first)?.to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&if negative && first < all { 0x4000_u16 } else { 0 }.to_be_bytes());
    out.extend_from_slice(&narrow(fraction.len())?.to_be_bytes());
    (first..last).for_each(|index| out.extend_from_slice(&group(index).to_be_bytes()));
    Ok(())
}

/// The sixteen bytes of a UUID spelled with or without dashes; other spellings are left to the server.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    let mut digits = [0; 32];
    match text.len() {
        32 => digits.copy_from_slice(text),
        36 if [8, 13, 18, 23].iter().all(|at| text[*at] == b'-') => {
            let kept = text.iter().enumerate().filter(|(at, _)| ![8, 13, 18, 23].contains(at)).map(|(_, byte)| byte);
            digits.iter_mut().zip(kept).for_each(|(digit, byte)| *digit = *byte);
        }
        _ => return None,
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let nibble = |at: usize| char::from(pair[at]).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
        *byte = nibble(0)? << 4 | nibble(1)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Option<Vec<i16>> {
        let mut out = Vec::new();
        numeric(text, &mut out).ok()?;
        Some(out.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect())
    }

    #[test]
    fn numerics_are_cut_at_the_point() {
        // Count, weight, sign, scale, groups.
        assert_eq!(words("0"), Some(vec![0, 0, 0, 0]));
        assert_eq!(words("-0.00"), Some(vec![0, 0, 0, 2]));
        assert_eq!(words("12345.6"), Some(vec![3, 1, 0, 1, 1, 2345, 6000]));
        assert_eq!(words("-0.00012"), Some(vec![2, -1, 0x4000, 5, 1, 2000]));
        assert_eq!(words("10000"), Some(vec![1, 1, 0, 0, 1]));
        assert_eq!(words("1e5"), None);
        assert_eq!(words("."), None);
    }

    #[test]
    fn what_does_not_fit_is_left_to_the_server() {
        let mut out = Vec::new();
        assert_eq!(value(Writing::Int2, &Value::Integer(40_000), &mut out), Err(NoBinaryForm));
        assert_eq!(value(Writing::Bool, &Value::Integer(2), &mut out), Err(NoBinaryForm));
        assert_eq!(value(Writing::Float4, &Value::Float(1e300), &mut out), Err(NoBinaryForm));
        assert_eq!(value(Writing::Date, &Value::Text("2024-01-01".to_owned()), &mut out), Err(NoBinaryForm));
        assert_eq!(value(Writing::Text, &Value::Bytes(vec![1]), &mut out), Err(NoBinaryForm));
    }

    #[test]
    fn uuids_are_read_with_and_without_dashes() {
        let expected =
            Some([0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0]);
        assert_eq!(uuid("123e4567-e89b-12d3-a456-426614174000"), expected);
        assert_eq!(uuid("123E4567E89B12D3A456426614174000"), expected);
        assert_eq!(uuid("{123e4567-e89b-12d3-a456-426614174000}"), None);
        assert_eq!(uuid("123e4567-e89b-12d3-a456-42661417400g"), None);
    }
}
