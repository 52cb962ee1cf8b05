//! Numbers at value.

use std::io::Write as _;

use super::{VALUE, characters};
use crate::canon::{
    cell::{Cell, Sign},
    decimal::{self, Number},
};

const NAN: u8 = 2;
const INFINITY: u8 = 3;
const NEGATIVE_INFINITY: u8 = 4;

/// Appends the exact decimal value.
pub(super) fn number(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    match *cell {
        Cell::Integer(value) => {
            out.push(VALUE);
            decimal::write_number(out, value < 0, value.unsigned_abs(), 0);
            Some(true)
        }
        // Both print the fewest digits that give the same bits back.
        Cell::Float32(value) if value.is_finite() => {
            spelled(format_args!("{value:e}"), out).map(|_| is_its_digits(value) && !minus_zero(value.into()))
        }
        Cell::Float64(value) if value.is_finite() => {
            if let Some((units, digits)) = units(value) {
                out.push(VALUE);
                decimal::write_number(out, value < 0.0, units, -digits);
                return Some(true);
            }
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

/// Of how many units of which digit after the point a double is the nearest, where that is told by a few. No fewer digits
/// give the same bits back, and of no more than fifteen no others do: these are the digits that Rust would print.
fn units(value: f64) -> Option<(u64, i64)> {
    const UNITS: [f64; 5] = [1.0, 10.0, 100.0, 1_000.0, 10_000.0];
    let size = value.abs();
    // All that is computed with is whole and exact, but for the quotient, which is the double nearest to it.
    (size > 0.0 && size < 1e11).then_some(())?;
    let (digits, unit) = (0..).zip(UNITS).find(|(_, unit)| (size * unit).round() / unit == size)?;
    Some(((size * unit).round() as u64, digits))
}

/// Whether the digits of a single are also those of the same number as a double: the digits of 0.1 are not, because the
/// nearest single lies beside the nearest double.
fn is_its_digits(value: f32) -> bool {
    let mut buffer = [0; 48];
    let mut rest = &mut buffer[..];
    let written = write!(rest, "{value:e}");
    let left = rest.len();
    let text = str::from_utf8(&buffer[..buffer.len() - left]).unwrap_or_default();
    written.is_ok() && text.parse() == Ok(f64::from(value))
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
            decimal::write_value(out, negative, whole, fraction, exponent - fraction.len() as i64);
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

/// The number rounded to the nearest double.
pub(super) fn double(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    match cell {
        Cell::Float64(_) => number(cell, out),
        _ => rounded(cell, out, |text| text.parse::<f64>().ok().map(|value| format!("{value:e}"))),
    }
}

/// The number rounded to the nearest single.
pub(super) fn single(cell: &Cell<'_>, out: &mut Vec<u8>) -> Option<bool> {
    match *cell {
        // The digits are those of a single whatever they would be as a double.
        Cell::Float32(value) => number(cell, out).map(|_| !minus_zero(value.into())),
        _ => rounded(cell, out, |text| text.parse::<f32>().ok().map(|value| format!("{value:e}"))),
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
