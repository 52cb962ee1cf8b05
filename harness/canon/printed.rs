//! Values made of values, and a few others, as PostgreSQL prints them: what stands in a text column to which somebody moved
//! them.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{
    cell::{Cell, Nest},
    encode::decode_own,
    nested::{self, Bounds},
    show::text_of,
};

/// `0101`.
pub(super) fn bits(length: u32, bytes: &[u8]) -> String {
    let bit = |at: u32| {
        let byte = bytes.get(at as usize / 8).copied().unwrap_or(0);
        if byte >> (7 - at % 8) & 1 == 1 { '1' } else { '0' }
    };
    (0..length).map(bit).collect()
}

/// `10.0.0.1`, `10.0.0.0/8`; a type for networks always shows the prefix. `None` if these bytes are no address.
pub(super) fn network(address: &[u8], prefix: u8, network: bool) -> Option<String> {
    let (mut text, whole) = match address.len() {
        4 => (Ipv4Addr::from(<[u8; 4]>::try_from(address).ok()?).to_string(), 32),
        16 => (Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?).to_string(), 128),
        _ => return None,
    };
    if network || prefix != whole {
        write!(text, "/{prefix}").expect("a String takes everything");
    }
    Some(text)
}

/// `08:00:2b:01:02:03`.
pub(super) fn card(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// The text of a value made of values; `None` if these bytes are none.
pub(super) fn nested(nest: Nest, bytes: &[u8]) -> Option<String> {
    match nest {
        Nest::Array => array(bytes),
        Nest::Composite => composite(bytes),
        Nest::Range => {
            let (bounds, rest) = nested::bounds(bytes)?;
            rest.is_empty().then(|| range(&bounds)).flatten()
        }
        Nest::Multirange => {
            let (count, mut rest) = nested::count(bytes)?;
            let mut ranges = Vec::new();
            for _ in 0..count {
                let (bounds, after) = nested::bounds(rest)?;
                ranges.push(range(&bounds)?);
                rest = after;
            }
            Some(format!("{{{}}}", ranges.join(",")))
        }
        Nest::Map => map(bytes),
    }
}

/// The text of a value inside of another one; `None` for NULL.
fn inside(cell: &Cell<'_>) -> Option<String> {
    match *cell {
        Cell::Boolean(value) => Some(if value { "t" } else { "f" }.to_owned()),
        Cell::Float32(value) => Some(float(f64::from(value), &format!("{value:e}"), 6)),
        Cell::Float64(value) => Some(float(value, &format!("{value:e}"), 15)),
        _ => text_of(cell),
    }
}

/// The shortest digits of a float, with an exponent from so many digits before the point on
/// (`src/common/d2s.c`, `to_chars`).
fn float(value: f64, scientific: &str, digits_before: i32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}Infinity");
    }
    let (mantissa, exponent) = scientific.trim_start_matches('-').split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let Ok(before) = usize::try_from(exponent + 1) else {
        return if exponent >= -4 {
            format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1))
        } else {
            format!("{sign}{mantissa}e-{:02}", exponent.unsigned_abs())
        };
    };
    if exponent >= digits_before {
        return format!("{sign}{mantissa}e+{exponent:02}");
    }
    match digits.split_at_checked(before) {
        // The point comes before the first digit that is not zero.
        _ if before == 0 => format!("{sign}0.{digits}"),
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{digits}{}", "0".repeat(before - digits.len())),
    }
}

fn array(bytes: &[u8]) -> Option<String> {
    let (dimensions, mut rest) = nested::dimensions(bytes)?;
    let dimensions: Vec<_> = dimensions.collect();
    let mut text = String::new();
    if dimensions.iter().any(|dimension| dimension.lower != 1) {
        for dimension in &dimensions {
            let upper = i64::from(dimension.lower) + i64::from(dimension.length) - 1;
            write!(text, "[{}:{upper}]", dimension.lower).expect("a String takes everything");
        }
        text.push('=');
    }
    if dimensions.is_empty() {
        text.push_str("{}");
    }
    let lengths: Vec<u64> = dimensions.iter().map(|dimension| dimension.length.into()).collect();
    let total = lengths.iter().try_fold(1_u64, |product, length| product.checked_mul(*length))?;
    for at in 0..if lengths.is_empty() { 0 } else { total } {
        // How many dimensions begin (end) with this element.
        let ends = |at: u64| {
            let mut size = 1;
            lengths.iter().rev().take_while(|length| (size *= **length, at.is_multiple_of(size)).1).count()
        };
        if at > 0 {
            text.push(',');
        }
        text.extend(std::iter::repeat_n('{', ends(at)));
        let (cell, after) = decode_own(rest)?;
        rest = after;
        match inside(&cell) {
            None => text.push_str("NULL"),
            Some(element) => {
                let is_odd = |byte: u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',') || is_blank(byte);
                let quoted = element.is_empty() || element.eq_ignore_ascii_case("NULL") || element.bytes().any(is_odd);
                push(&element, quoted, escape_with_backslash, &mut text);
            }
        }
        text.extend(std::iter::repeat_n('}', ends(at + 1)));
    }
    rest.is_empty().then_some(text)
}

/// Whether an element of an array is printed in quotes.
pub(super) fn needs_quotes(element: &[u8]) -> bool {
    let is_odd = |byte: &u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',') || is_blank(*byte);
    element.is_empty() || element.eq_ignore_ascii_case(b"NULL") || element.iter().any(is_odd)
}

fn composite(bytes: &[u8]) -> Option<String> {
    let (count, mut rest) = nested::count(bytes)?;
    let mut text = "(".to_owned();
    for at in 0..count {
        if at > 0 {
            text.push(',');
        }
        let (cell, after) = decode_own(rest)?;
        rest = after;
        if let Some(field) = inside(&cell) {
            let is_odd = |byte: u8| matches!(byte, b'"' | b'\\' | b'(' | b')' | b',') || is_blank(byte);
            let quoted = field.is_empty() || field.bytes().any(is_odd);
            push(&field, quoted, escape_by_doubling, &mut text);
        }
    }
    text.push(')');
    rest.is_empty().then_some(text)
}

fn range(bounds: &Bounds<'_>) -> Option<String> {
    if bounds.flags & nested::EMPTY != 0 {
        return Some("empty".to_owned());
    }
    let has = |flag: u8| bounds.flags & flag != 0;
    let bound = |cell: Option<Cell<'_>>, text: &mut String| {
        if let Some(bound) = cell.and_then(|cell| inside(&cell)) {
            let is_odd = |byte: u8| matches!(byte, b'"' | b'\\' | b'(' | b')' | b'[' | b']' | b',') || is_blank(byte);
            let quoted = bound.is_empty() || bound.bytes().any(is_odd);
            push(&bound, quoted, escape_by_doubling, text);
        }
    };
    let mut text = if has(nested::LOWER_INCLUDED) { "[" } else { "(" }.to_owned();
    bound(bounds.lower, &mut text);
    text.push(',');
    bound(bounds.upper, &mut text);
    text.push(if has(nested::UPPER_INCLUDED) { ']' } else { ')' });
    Some(text)
}

fn map(bytes: &[u8]) -> Option<String> {
    let (count, mut rest) = nested::count(bytes)?;
    let mut pairs = Vec::new();
    for _ in 0..count {
        let (key, after) = decode_own(rest)?;
        let (value, after) = decode_own(after)?;
        rest = after;
        let mut pair = String::new();
        push(&inside(&key)?, true, escape_with_backslash, &mut pair);
        pair.push_str("=>");
        match inside(&value) {
            None => pair.push_str("NULL"),
            Some(value) => push(&value, true, escape_with_backslash, &mut pair),
        }
        pairs.push(pair);
    }
    rest.is_empty().then(|| pairs.join(", "))
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

const fn escape_with_backslash(_: char) -> char {
    '\\'
}

const fn escape_by_doubling(c: char) -> char {
    c
}

fn push(value: &str, quoted: bool, escape: fn(char) -> char, text: &mut String) {
    if !quoted {
        text.push_str(value);
        return;
    }
    text.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            text.push(escape(c));
        }
        text.push(c);
    }
    text.push('"');
}
