//! Decimals from the server's text to groups of four digits.

use crate::canon::{Decimal, Sign};

/// Reads a decimal in plain notation into `groups`, which is used again for every value; `None` if it is not one.
pub(super) fn parse<'a>(text: &[u8], groups: &'a mut Vec<u8>) -> Option<Decimal<'a>> {
    groups.clear();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let (whole, fraction) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
    if whole.len() + fraction.len() == 0 || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    let groups_before = whole.len().div_ceil(4);
    let all = groups_before + fraction.len().div_ceil(4);
    let padding = groups_before * 4 - whole.len();
    // The digit at a place counted from the first group's first digit; padding is zeros.
    let digit = |place: usize| match place.checked_sub(padding) {
        None => 0,
        Some(at) => whole.get(at).or_else(|| fraction.get(at - whole.len())).map_or(0, |byte| byte - b'0'),
    };
    let group = |index: usize| (0..4).fold(0_u16, |sum, at| sum * 10 + u16::from(digit(index * 4 + at)));
    // Zero groups at both ends are left out, as every engine's decimals have them.
    let first = (0..all).find(|index| group(*index) != 0).unwrap_or(all);
    let last = (first..all).rev().find(|index| group(*index) != 0).map_or(first, |index| index + 1);
    (first..last).for_each(|index| groups.extend_from_slice(&group(index).to_be_bytes()));
    let narrow = |number: usize| i16::try_from(number).ok();
    let weight = if first == all { 0 } else { narrow(groups_before)? - 1 - narrow(first)? };
    let sign = if negative && first < all { Sign::Negative } else { Sign::Positive };
    Some(Decimal { sign, weight, scale: u16::try_from(fraction.len()).ok()?, groups })
}

/// An unsigned integer beyond the signed ones.
pub(super) fn of_unsigned(number: u64, groups: &mut Vec<u8>) -> Decimal<'_> {
    groups.clear();
    let mut divisor = 10_000_u64.pow(4);
    let mut weight = 4;
    while divisor > 1 && number < divisor {
        divisor /= 10_000;
        weight -= 1;
    }
    let mut last = 0;
    while divisor > 0 {
        let group = u16::try_from(number / divisor % 10_000).expect("a remainder of 10,000 fits");
        groups.extend_from_slice(&group.to_be_bytes());
        last = if group == 0 { last } else { groups.len() };
        divisor /= 10_000;
    }
    groups.truncate(last);
    Decimal { sign: Sign::Positive, weight: if last == 0 { 0 } else { weight }, scale: 0, groups }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::{Cell, text_of};

    #[test]
    fn decimals_keep_their_digits_and_scale() {
        let mut groups = Vec::new();
        for text in ["0", "0.00", "-0.01", "12345.6", "99999999.99", "1.10", "10000", "0.00012", "-10000.0000"] {
            let decimal = parse(text.as_bytes(), &mut groups).unwrap();
            assert_eq!(text_of(&Cell::Decimal(decimal)).unwrap(), text);
        }
        assert_eq!(parse(b"-0.00", &mut groups).unwrap().sign, Sign::Positive);
        assert!(parse(b"NaN", &mut groups).is_none() && parse(b"", &mut groups).is_none());
    }

    #[test]
    fn unsigned_integers_have_the_groups_of_their_text() {
        let (mut groups, mut other) = (Vec::new(), Vec::new());
        for number in [0, 1, 9_999, 10_000, 120_000_000, 1 << 63, 10_000_000_000_000_000_000, u64::MAX] {
            let parsed = parse(number.to_string().as_bytes(), &mut other);
            assert_eq!(Some(of_unsigned(number, &mut groups)), parsed, "{number}");
        }
    }
}
