//! How each rule brings a cell to its common type.
//!
//! Every function tells `Some(true)`, or a value with `true`, if nothing was folded, `false` if it was, and `None` if
//! the value does not fit; what it appended by then is taken away again.

mod address;
mod list;
mod map;
mod moment;
mod number;
#[cfg(test)]
mod tests;

use super::{
    cell::Cell,
    decimal,
    encode::{self, encode_own, length_prefixed},
    json,
    rule::{Fit, Rule},
    show, uuid,
};

/// Tag of a value that fits.
pub(super) const VALUE: u8 = 1;
/// Tag of a value that does not; its own form follows.
pub(super) const UNFIT: u8 = 0xff;

/// [`Rule::encode`].
pub(super) fn bring(rule: Rule, cell: &Cell<'_>, out: &mut Vec<u8>) -> Fit {
    if matches!(cell, Cell::Null) {
        out.push(encode::NULL);
        return Fit::Exact;
    }
    let start = out.len();
    let exact = match rule {
        Rule::Boolean => boolean(cell).map(|(value, exact)| fixed(&[u8::from(value)], exact, out)),
        Rule::Number => number::number(cell, out),
        Rule::Float => number::double(cell, out),
        Rule::Single => number::single(cell, out),
        Rule::Text => text(cell, out),
        Rule::Padded => match *cell {
            Cell::Text(bytes) | Cell::Label(bytes) => text(&Cell::PaddedText(bytes), out),
            _ => text(cell, out),
        },
        Rule::Bytes => bytes(cell, out),
        Rule::Octets => octets(cell, out),
        Rule::ZeroPadded => zero_padded(cell, out),
        Rule::Uuid => uuid_of(cell).map(|(value, exact)| fixed(&value, exact, out)),
        Rule::UuidSwapped => reordered(cell, &SWAPPED).map(|(value, exact)| fixed(&value, exact, out)),
        Rule::UuidMixedEndian => reordered(cell, &MIXED_ENDIAN).map(|(value, exact)| fixed(&value, exact, out)),
        Rule::Date => moment::date(cell).map(|(days, exact)| fixed(&days.to_le_bytes(), exact, out)),
        Rule::Time => moment::time(cell).map(|(micros, exact)| fixed(&micros.to_le_bytes(), exact, out)),
        Rule::ZonedTime => moment::zoned_time(cell).map(|(micros, exact)| fixed(&micros.to_le_bytes(), exact, out)),
        Rule::Timestamp => moment::moment(cell, false).map(|(micros, exact)| fixed(&micros.to_le_bytes(), exact, out)),
        Rule::EpochSeconds => {
            moment::epoch(cell, 1_000_000).map(|(micros, exact)| fixed(&micros.to_le_bytes(), exact, out))
        }
        Rule::EpochMilliseconds => {
            moment::epoch(cell, 1_000).map(|(micros, exact)| fixed(&micros.to_le_bytes(), exact, out))
        }
        Rule::Instant => moment::moment(cell, true).map(|(micros, exact)| fixed(&micros.to_le_bytes(), exact, out)),
        Rule::Interval => moment::span(cell, out),
        Rule::Json => json_of(cell, out),
        Rule::Bits => address::bits(cell, out),
        Rule::Network => address::network(cell, out),
        Rule::MacAddress => address::card(cell).map(|(value, exact)| fixed(&value, exact, out)),
        Rule::Map => map::map(cell, out),
        Rule::Set => list::set(cell, out),
        Rule::TextList
        | Rule::PaddedList
        | Rule::NumberList
        | Rule::BooleanList
        | Rule::UuidList
        | Rule::DateList
        | Rule::TimeList
        | Rule::TimestampList
        | Rule::InstantList => rule.of_elements().and_then(|elements| list::list(elements, cell, out)),
        Rule::Stored => {
            encode_own(cell, out);
            Some(true)
        }
    };
    match exact {
        Some(true) => Fit::Exact,
        Some(false) => Fit::Normalised,
        None => {
            out.truncate(start);
            out.push(UNFIT);
            encode_own(cell, out);
            Fit::Unfit
        }
    }
}

fn fixed(value: &[u8], exact: bool, out: &mut Vec<u8>) -> bool {
    out.push(VALUE);
    out.extend_from_slice(value);
    exact
}

/// The characters of a cell that holds text, padding stripped, and whether none was.
pub(super) fn characters<'a>(cell: &Cell<'a>) -> Option<(&'a [u8], bool)> {
    match *cell {
        Cell::Text(bytes) | Cell::Label(bytes) => Some((bytes, true)),
        Cell::PaddedText(bytes) => {
            let end = bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
            Some((&bytes[..end], end == bytes.len()))
        }
        _ => None,
    }
}

fn boolean(cell: &Cell<'_>) -> Option<(bool, bool)> {
    match *cell {
        Cell::Boolean(value) => Some((value, true)),
        Cell::Integer(number @ (0 | 1)) => Some((number == 1, true)),
        Cell::Float32(number) => boolean(&Cell::Float64(f64::from(number))),
        Cell::Float64(0.0) => Some((false, false)),
        Cell::Float64(1.0) => Some((true, false)),
        Cell::Bits { length: 1, bytes } => Some((bytes.first() == Some(&0x80), true)),
        Cell::Decimal(value) => {
            let text = decimal::text(&value);
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let value = match whole {
                "0" => false,
                "1" => true,
                _ => return None,
            };
            fraction.bytes().all(|digit| digit == b'0').then_some((value, fraction.is_empty()))
        }
        _ => {
            let (text, _) = characters(cell)?;
            let word = text.trim_ascii();
            // Any beginning of a word that is the beginning of no other (`parse_bool_with_len`).
            let begins = |whole: &[u8], least: usize| {
                word.len() >= least && whole.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
            };
            let value = begins(b"true", 1) || begins(b"yes", 1) || begins(b"on", 2) || word == b"1";
            let other = begins(b"false", 1) || begins(b"no", 1) || begins(b"off", 2) || word == b"0";
            (value || other).then_some((value, matches!(text, b"true" | b"false")))
        }
    }
}

fn text(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    out.push(VALUE);
    if let Some((text, exact)) = characters(cell) {
        length_prefixed(text, out);
        return Some(exact);
    }
    match cell {
        // Bytes are not text, even where they spell the same: SQLite's x'61' is not 'a'.
        Cell::Bytes(_) | Cell::Opaque(_) => None,
        other => {
            length_prefixed(show::text_of(other)?.as_bytes(), out);
            Some(false)
        }
    }
}

fn bytes(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    out.push(VALUE);
    match cell {
        Cell::Bytes(bytes) => {
            length_prefixed(bytes, out);
            Some(true)
        }
        Cell::Uuid(bytes) => {
            length_prefixed(bytes, out);
            Some(false)
        }
        _ => None,
    }
}

fn zero_padded(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    let Cell::Bytes(bytes) = *cell else { return None };
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    out.push(VALUE);
    length_prefixed(&bytes[..end], out);
    Some(end == bytes.len())
}

/// Where each byte of a UUID stands in 16 bytes that begin with the high field of its time, then the middle one.
const SWAPPED: [usize; 16] = [4, 5, 6, 7, 2, 3, 0, 1, 8, 9, 10, 11, 12, 13, 14, 15];
/// Where each byte of a UUID stands in 16 bytes whose first three fields are little-endian.
const MIXED_ENDIAN: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/// A UUID whose bytes, where it is bytes, stand in another order.
fn reordered(cell: &Cell<'_>, places: &[usize; 16]) -> Option<([u8; 16], bool)> {
    match *cell {
        Cell::Bytes(bytes) => {
            let stored: [u8; 16] = bytes.try_into().ok()?;
            Some((places.map(|place| stored[place]), false))
        }
        _ => uuid_of(cell),
    }
}

fn octets(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    out.push(VALUE);
    match cell {
        Cell::Bytes(bytes) => length_prefixed(bytes, out),
        Cell::Text(text) => length_prefixed(text, out),
        Cell::Opaque(_) => return None,
        other => length_prefixed(show::text_of(other)?.as_bytes(), out),
    }
    Some(matches!(cell, Cell::Bytes(_)))
}

fn uuid_of(cell: &Cell<'_>) -> Option<([u8; 16], bool)> {
    match *cell {
        Cell::Uuid(bytes) => Some((bytes, true)),
        Cell::Bytes(bytes) => bytes.try_into().ok().map(|bytes| (bytes, true)),
        _ => {
            let (text, stripped) = characters(cell)?;
            uuid::parse(text).map(|bytes| (bytes, stripped && uuid::is_plain(text)))
        }
    }
}

fn json_of(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    out.push(VALUE);
    match *cell {
        Cell::Json(text) | Cell::Jsonb(text) => json::write_value(text, out),
        Cell::Text(text) | Cell::PaddedText(text) => json::write_value(text, out),
        // What became of '123' and '1.5' in a column whose affinity is numeric.
        Cell::Integer(_) | Cell::Float64(_) => json::write_value(show::text_of(cell)?.as_bytes(), out).map(|_| false),
        _ => None,
    }
}
