//! Numbers as the target's column takes them: exactly, or not at all.

use super::value::{Unfit, text};
use crate::canon::{
    Cell,
    decimal::{self, Number},
};

/// Integers from here on are not all doubles.
const ALL_DOUBLES: f64 = 9_007_199_254_740_992.0;

/// A whole number of so many bits.
pub(super) fn integer(cell: &Cell<'_>, bits: u8) -> Option<i64> {
    let number = match *cell {
        Cell::Integer(number) => number,
        Cell::Boolean(truth) => truth.into(),
        Cell::Float64(number) => whole(number)?,
        Cell::Float32(number) => whole(number.into())?,
        Cell::Decimal(_) => whole_text(&plain(cell)?)?,
        Cell::Bits { length: length @ 1..=63, bytes } => {
            let number = bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
            i64::try_from(number >> (bytes.len() as u32 * 8 - length)).ok()?
        }
        _ => whole_text(text(cell)?.trim())?,
    };
    let fits = match bits {
        16 => i16::try_from(number).is_ok(),
        32 => i32::try_from(number).is_ok(),
        _ => true,
    };
    fits.then_some(number)
}

fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < ALL_DOUBLES).then_some(number as i64)
}

/// `12`, and `12.00` as well.
fn whole_text(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|digit| digit == b'0') {
        return None;
    }
    whole.parse().ok()
}

/// A double.
pub(super) fn real(cell: &Cell<'_>) -> Option<f64> {
    match *cell {
        Cell::Float64(number) => Some(number),
        // The digits that the stored single shows, and not those that its bits have as a double.
        Cell::Float32(number) => format!("{number:?}").parse().ok(),
        Cell::Integer(number) if (number as f64) as i128 == i128::from(number) => Some(number as f64),
        Cell::Boolean(truth) => Some(u8::from(truth).into()),
        Cell::Decimal(_) => plain(cell)?.parse().ok(),
        _ => text(cell)?.trim().parse().ok(),
    }
}

/// The digits of a decimal that the column keeps whole; `None` for what is no number.
pub(super) fn decimal(
    cell: &Cell<'_>,
    precision: Option<u32>,
    scale: Option<i32>,
    is_bound: bool,
) -> Result<Option<String>, Unfit> {
    let text = match *cell {
        Cell::Integer(number) => Some(number.to_string()),
        Cell::Boolean(truth) => Some(u8::from(truth).to_string()),
        Cell::Float64(number) => Some(special(number).unwrap_or_else(|| format!("{number:?}"))),
        Cell::Float32(number) => Some(special(number.into()).unwrap_or_else(|| format!("{number:?}"))),
        Cell::Decimal(_) => plain(cell),
        _ => text(cell).map(|text| text.trim().to_owned()),
    };
    let Some(text) = text else { return Ok(None) };
    let Some(number) = decimal::parse(text.as_bytes()) else { return Ok(None) };
    if let (Some(precision), Number::Finite { whole, fraction, exponent, .. }, true) = (precision, number, is_bound) {
        let scale = i64::from(scale.unwrap_or(0));
        // Zeros at either end are no digits that could be lost.
        let digits: Vec<u8> = whole.iter().chain(fraction).copied().collect();
        let point = whole.len() as i64 + exponent;
        let first = digits.iter().position(|digit| *digit != b'0');
        let last = digits.iter().rposition(|digit| *digit != b'0');
        if let (Some(first), Some(last)) = (first, last) {
            if last as i64 + 1 - point > scale {
                return Err(format!("holds more than {scale} digits behind the point, and the target keeps {scale}"));
            }
            let before = point - first as i64;
            if before > i64::from(precision) - scale {
                return Err(format!(
                    "holds {before} digits before the point, and the target takes {}",
                    i64::from(precision) - scale
                ));
            }
        }
    }
    Ok(Some(text))
}

/// The text of an exact decimal.
pub(super) fn plain(cell: &Cell<'_>) -> Option<String> {
    match cell {
        Cell::Decimal(value) => Some(decimal::text(value)),
        _ => None,
    }
}

fn special(number: f64) -> Option<String> {
    match number {
        _ if number.is_nan() => Some("NaN".to_owned()),
        f64::INFINITY => Some("Infinity".to_owned()),
        f64::NEG_INFINITY => Some("-Infinity".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_never_lost() {
        let kept = |text: &str| decimal(&Cell::Text(text.as_bytes()), Some(5), Some(2), true);
        for whole in ["1.10", "-999.99", "0", "1.1000", "1e2", "000123.4", "0.01"] {
            assert_eq!(kept(whole), Ok(Some(whole.to_owned())));
        }
        for lossy in ["1.234", "1000", "1e3", "1e-3"] {
            assert!(kept(lossy).is_err(), "{lossy}");
        }
        assert_eq!(kept("abc"), Ok(None));
        assert_eq!(integer(&Cell::Text(b" 12.00 "), 16), Some(12));
        assert_eq!(integer(&Cell::Text(b"12.5"), 16), None);
        assert_eq!(integer(&Cell::Integer(40_000), 16), None);
        assert_eq!(integer(&Cell::Bits { length: 4, bytes: &[0b0101_0000] }, 64), Some(5));
        assert_eq!(real(&Cell::Integer(9_007_199_254_740_993)), None);
        assert_eq!(real(&Cell::Float32(0.1)), Some(0.1));
    }
}
