//! Numbers: digits that were cut or rounded, floats on the way, constants that were added.

use std::fmt;

use crate::{
    canon::{cell::Cell, decimal, rule::Rule},
    model::Cause,
};

/// Scales that are tried.
const SCALES: u32 = 16;
const DOUBLE: u32 = 2 * SCALES;
const SINGLE: u32 = DOUBLE + 1;

/// A finite number as [`decimal::write_value`] encodes it.
struct Digits<'a> {
    negative: bool,
    /// Power of ten of the last digit.
    power: i64,
    digits: &'a [u8],
}

impl<'a> Digits<'a> {
    fn of(encoded: &'a [u8]) -> Option<Self> {
        let (head, digits) = encoded.split_at_checked(17)?;
        let power = i64::from_le_bytes(head[1..9].try_into().ok()?);
        Some(Self { negative: head[0] == 1, power, digits })
    }

    /// Without what is beyond so many digits after the point, and with what that may be rounded to; `None` if there is
    /// nothing beyond.
    fn at(&self, scale: u32) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
        let power = -i64::from(scale);
        let beyond = usize::try_from(power.checked_sub(self.power)?).ok().filter(|beyond| *beyond > 0)?;
        let kept = &self.digits[..self.digits.len().saturating_sub(beyond)];
        let encoded = |digits: &[u8]| {
            let mut out = Vec::new();
            decimal::write_value(&mut out, self.negative, digits, b"", power);
            out
        };
        let (cut, up) = (encoded(kept), encoded(&incremented(kept)));
        let dropped = if beyond > self.digits.len() { &[][..] } else { &self.digits[kept.len()..] };
        // The last digit of an encoding is never zero, so that a half is a single five.
        let rounded = match dropped {
            [b'5'] if kept.last().is_none_or(|last| last % 2 == 0) => vec![up, cut.clone()],
            [b'5'..=b'9', ..] => vec![up],
            _ => vec![cut.clone()],
        };
        Some((cut, rounded))
    }
}

fn incremented(digits: &[u8]) -> Vec<u8> {
    let mut more = digits.to_vec();
    for digit in more.iter_mut().rev() {
        if *digit != b'9' {
            *digit += 1;
            return more;
        }
        *digit = b'0';
    }
    more.insert(0, b'1');
    more
}

/// The scales to which a number may have been cut (from bit 0) or rounded (from bit 16), and whether a single or a
/// double on the way explains it.
pub(super) fn precisions(source: &[u8], target: &[u8]) -> u64 {
    let Some(number) = Digits::of(source) else { return 0 };
    let mut options = 0;
    for scale in 0..SCALES {
        let Some((cut, rounded)) = number.at(scale) else { continue };
        options |= u64::from(cut == target) << scale;
        options |= u64::from(rounded.iter().any(|rounded| rounded == target)) << (SCALES + scale);
    }
    let is = |cell: Cell<'_>| {
        let mut form = Vec::new();
        Rule::Number.encode(&cell, &mut form);
        form.get(1..) == Some(target)
    };
    let text = decimal::value_text(source).unwrap_or_default();
    if let Ok(single) = text.parse::<f32>() {
        options |= u64::from(is(Cell::Float32(single)) || is(Cell::Float64(single.into()))) << SINGLE;
    }
    if let Ok(double) = text.parse::<f64>() {
        options |= u64::from(is(Cell::Float64(double))) << DOUBLE;
    }
    options
}

/// A distance between numbers: so many times ten to the power of `power`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Offset {
    times: i128,
    power: i64,
}

impl Offset {
    /// What was added to the source's number; `None` if it has more digits than are followed.
    pub fn of(source: &[u8], target: &[u8]) -> Option<Self> {
        let (source, target) = (Digits::of(source)?, Digits::of(target)?);
        // Zero has no digits, and any power would do.
        let power = match (source.digits, target.digits) {
            ([], _) => target.power,
            (_, []) => source.power,
            _ => source.power.min(target.power),
        };
        let mut offset = Self { times: target.at_power(power)?.checked_sub(source.at_power(power)?)?, power };
        while offset.times != 0 && offset.times % 10 == 0 {
            offset = Self { times: offset.times / 10, power: offset.power + 1 };
        }
        Some(offset)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.times < 0 { '-' } else { '+' };
        let mut digits = self.times.unsigned_abs().to_string();
        match usize::try_from(self.power) {
            Ok(zeros) => digits.extend(std::iter::repeat_n('0', zeros)),
            Err(_) => {
                let after = usize::try_from(self.power.unsigned_abs()).map_err(|_| fmt::Error)?;
                let missing = (after + 1).saturating_sub(digits.len());
                digits.insert_str(0, &"0".repeat(missing));
                digits.insert(digits.len() - after, '.');
            }
        }
        write!(f, "{sign}{digits}")
    }
}

impl Digits<'_> {
    /// The number as so many times ten to the power of `power`, which is not above its own.
    fn at_power(&self, power: i64) -> Option<i128> {
        let zeros = if self.digits.is_empty() { 0 } else { u32::try_from(self.power.checked_sub(power)?).ok()? };
        let digits = self
            .digits
            .iter()
            .try_fold(0_i128, |number, digit| number.checked_mul(10)?.checked_add(i128::from(digit - b'0')))?;
        let number = digits.checked_mul(10_i128.checked_pow(zeros)?)?;
        Some(if self.negative { -number } else { number })
    }
}

/// The cause of an option of [`precisions`].
pub(super) const fn cause(option: u32) -> Cause {
    match option {
        SINGLE => Cause::SinglePrecision,
        DOUBLE => Cause::DoublePrecision,
        _ if option < SCALES => Cause::DecimalsCut { scale: option },
        _ => Cause::DecimalsRounded { scale: option - SCALES },
    }
}
