//! How each rule brings a cell to its common type.
//!
//! Every function appends the common form and tells `Some(true)` if nothing was folded, `Some(false)` if it was, and `None`
//! if the value does not fit; what it appended by then is taken away again.

use std::io::Write as _;

use super::{
    cell::{Cell, Decimal, Sign},
    decimal::{self, Number},
    encode::{self, encode_own, length_prefixed},
    interval::{self, Span},
    json,
    rule::{Fit, Rule},
    show, temporal, uuid,
};

const VALUE: u8 = 1;
const NAN: u8 = 2;
const INFINITY: u8 = 3;
const NEGATIVE_INFINITY: u8 = 4;
const UNFIT: u8 = 0xff;

/// [`Rule::encode`].
pub(super) fn bring(rule: Rule, cell: &Cell<'_>, out: &mut Vec<u8>) -> Fit {
    if matches!(cell, Cell::Null) {
        out.push(encode::NULL);
        return Fit::Exact;
    }
    let start = out.len();
    let exact = match rule {
        Rule::Boolean => boolean(cell).map(|(value, exact)| fixed(&[u8::from(value)], exact, out)),
        Rule::Number => number(cell, out),
        Rule::Float => rounded(cell, out, |text| text.parse::<f64>().ok().map(|value| format!("{value:e}"))),
        Rule::Single => rounded(cell, out, |text| text.parse::<f32>().ok().map(|value| format!("{value:e}"))),
        Rule::Text => text(cell, out),
        Rule::Bytes => bytes(cell, out),
        Rule::Uuid => uuid_of(cell).map(|(value, exact)| fixed(&value, exact, out)),
        Rule::Date => date(cell).map(|(days, exact)| fixed(&days.to_le_bytes(), exact, out)),
        Rule::Time => time(cell).map(|(micros, exact)| fixed(&micros.to_le_bytes(), exact, out)),
        Rule::Timestamp => moment(cell, false).map(|(micros, exact)| fixed(&micros.to_le_bytes(), exact, out)),
        Rule::Instant => moment(cell, true).map(|(micros, exact)| fixed(&micros.to_le_bytes(), exact, out)),
        Rule::Interval => span(cell, out),
        Rule::Json => json_of(cell, out),
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
fn characters<'a>(cell: &Cell<'a>) -> Option<(&'a [u8], bool)> {
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
        Cell::Decimal(_) => match &*decimal::text(&as_decimal(cell)?) {
            "0" => Some((false, true)),
            "1" => Some((true, true)),
            text => Some((matches!(text.trim_end_matches('0'), "1."), false))
                .filter(|_| matches!(text.trim_end_matches('0'), "0." | "1.")),
        },
        _ => {
            let (text, _) = characters(cell)?;
            let word = text.trim_ascii();
            // Any beginning of a word that is the beginning of no other (`parse_bool_with_len`).
            let begins = |whole: &[u8], least: usize| {
                word.len() >= least && whole.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
            };
            let value = begins(b"true", 1) || begins(b"yes", 1) || begins(b"on", 2) || word == b"1";
            let other = begins(b"false", 1) || begins(b"no", 1) || begins(b"off", 2) || word == b"0";
            (value || other).then(|| (value, matches!(text, b"true" | b"false")))
        }
    }
}

fn as_decimal<'a>(cell: &Cell<'a>) -> Option<Decimal<'a>> {
    match *cell {
        Cell::Decimal(value) => Some(value),
        _ => None,
    }
}

fn number(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    match *cell {
        Cell::Integer(value) => spelled(format_args!("{value}"), out),
        // Both print the fewest digits that give the same bits back.
        Cell::Float32(value) if value.is_finite() => {
            spelled(format_args!("{value:e}"), out).map(|_| !minus_zero(value.into()))
        }
        Cell::Float64(value) if value.is_finite() => {
            spelled(format_args!("{value:e}"), out).map(|_| !minus_zero(value))
        }
        Cell::Float32(value) => number(&Cell::Float64(f64::from(value)), out),
        Cell::Float64(value) => {
            out.push(if value.is_nan() {
                NAN
            } else if value > 0.0 {
                INFINITY
            } else {
                NEGATIVE_INFINITY
            });
            Some(true)
        }
        Cell::Decimal(value) => {
            let special = match value.sign {
                Sign::Positive | Sign::Negative => {
                    out.push(VALUE);
                    return Some(!decimal::write_groups(out, &value));
                }
                Sign::NaN => NAN,
                Sign::Infinity => INFINITY,
                Sign::NegativeInfinity => NEGATIVE_INFINITY,
            };
            out.push(special);
            Some(true)
        }
        Cell::Boolean(value) => number(&Cell::Integer(value.into()), out).map(|_| false),
        _ => {
            let (text, stripped) = characters(cell)?;
            numeric_text(text, out).map(|plain| plain && stripped)
        }
    }
}

fn minus_zero(value: f64) -> bool {
    value == 0.0 && value.is_sign_negative()
}

/// Appends a number that Rust printed, by way of the stack.
fn spelled(number: std::fmt::Arguments<'_>, out: &mut Vec<u8>) -> Option<bool> {
    let mut buffer = [0; 48];
    let mut rest = &mut buffer[..];
    rest.write_fmt(number).ok()?;
    let left = rest.len();
    numeric_text(&buffer[..buffer.len() - left], out)
}

fn numeric_text(text: &[u8], out: &mut Vec<u8>) -> Option<bool> {
    match decimal::parse(text)? {
        Number::Finite { negative, whole, fraction, exponent, plain } => {
            out.push(VALUE);
            let digits = whole.iter().chain(fraction).copied();
            decimal::write_value(out, negative, digits, exponent - fraction.len() as i64);
            Some(plain)
        }
        Number::NaN => {
            out.push(NAN);
            Some(text == b"NaN")
        }
        Number::Infinity => {
            out.push(INFINITY);
            Some(text == b"Infinity")
        }
        Number::NegativeInfinity => {
            out.push(NEGATIVE_INFINITY);
            Some(text == b"-Infinity")
        }
    }
}

/// A number rounded to a float: the value as digits, from digits to the nearest float, and that float as digits again.
/// Exact if both are the same number.
fn rounded(cell: &Cell<'_>, out: &mut Vec<u8>, nearest: fn(&str) -> Option<String>) -> Option<bool> {
    let start = out.len();
    let exact = number(cell, out)?;
    let Some(text) = decimal::value_text(&out[start + 1..]) else { return Some(exact) };
    let middle = out.len();
    numeric_text(nearest(&text)?.as_bytes(), out)?;
    let same = out[start..middle] == out[middle..];
    out.drain(start..middle);
    Some(exact && same)
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

fn date(cell: &Cell<'_>) -> Option<(i32, bool)> {
    match *cell {
        Cell::Date(days) => Some((days, true)),
        _ => {
            let (text, stripped) = characters(cell).unwrap_or_default();
            if let Some(day) = temporal::day(text) {
                return Some((day.value, day.plain && stripped));
            }
            let (micros, _) = moment(cell, false)?;
            match micros {
                i64::MAX => Some((i32::MAX, false)),
                i64::MIN => Some((i32::MIN, false)),
                _ if micros.rem_euclid(temporal::DAY) != 0 => None,
                _ => i32::try_from(micros.div_euclid(temporal::DAY)).ok().map(|days| (days, false)),
            }
        }
    }
}

fn time(cell: &Cell<'_>) -> Option<(i64, bool)> {
    match *cell {
        Cell::Time(micros) => Some((micros, true)),
        _ => {
            let (text, stripped) = characters(cell)?;
            temporal::time_of_day(text).map(|time| (time.value, time.plain && stripped))
        }
    }
}

/// Microseconds of a moment, and whether its zone (or that it has none) and its spelling are the rule's own.
fn moment(cell: &Cell<'_>, instant: bool) -> Option<(i64, bool)> {
    let infinite = |micros: i64| micros == i64::MAX || micros == i64::MIN;
    match *cell {
        Cell::Timestamp(micros) => Some((micros, !instant || infinite(micros))),
        Cell::TimestampTz(micros) => Some((micros, instant || infinite(micros))),
        Cell::Date(i32::MAX) => Some((i64::MAX, true)),
        Cell::Date(i32::MIN) => Some((i64::MIN, true)),
        Cell::Date(days) => i64::from(days).checked_mul(temporal::DAY).map(|micros| (micros, !instant)),
        Cell::Integer(number) => Some((temporal::epoch_to_micros(number), false)),
        // Seconds with a fraction, from 1973 to 5138; smaller numbers may as well be Julian days.
        Cell::Float64(number) if (1e8..1e11).contains(&number.abs()) => {
            Some(((number * 1e6).round_ties_even() as i64, false))
        }
        _ => {
            let (text, stripped) = characters(cell)?;
            let moment = temporal::moment(text)?;
            let zone = moment.zoned == instant || infinite(moment.micros);
            Some((moment.micros, moment.plain && zone && stripped))
        }
    }
}

fn span(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    let (Span { months, days, micros }, exact) = match *cell {
        Cell::Interval { months, days, micros } => (Span { months, days, micros }, true),
        _ => {
            let (text, stripped) = characters(cell)?;
            interval::parse(text).map(|read| (read.value, read.plain && stripped))?
        }
    };
    out.push(VALUE);
    out.extend(months.to_le_bytes());
    out.extend(days.to_le_bytes());
    out.extend(micros.to_le_bytes());
    Some(exact)
}

fn json_of(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    out.push(VALUE);
    match *cell {
        Cell::Json(text) | Cell::Jsonb(text) => json::write_value(text, out),
        Cell::Text(text) => json::write_value(text, out),
        // What became of '123' and '1.5' in a column whose affinity is numeric.
        Cell::Integer(_) | Cell::Float64(_) => json::write_value(show::text_of(cell)?.as_bytes(), out).map(|_| false),
        _ => None,
    }
}
