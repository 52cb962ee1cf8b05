//! Exact decimals: reading their text, printing their groups, and the one canonical encoding of a number's value.

use super::cell::{Decimal, Sign};

/// A number read from text, its digits still where they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number<'a> {
    /// The digits of `whole` and then `fraction` as one integer, times ten to the power of `exponent - fraction.len()`.
    Finite {
        /// Whether a minus stood before it.
        negative: bool,
        /// ASCII digits before the point.
        whole: &'a [u8],
        /// ASCII digits after the point.
        fraction: &'a [u8],
        /// What stood after an `e`, else 0.
        exponent: i64,
        /// Whether it is spelled the one plain way: no plus, blank, exponent, needless zero or empty part.
        plain: bool,
    },
    /// `NaN`.
    NaN,
    /// `Infinity` or `inf`.
    Infinity,
    /// `-Infinity` or `-inf`.
    NegativeInfinity,
}

impl Number<'_> {
    /// Digits after the point that this spelling shows, as PostgreSQL would store them.
    pub fn scale(&self) -> u64 {
        match self {
            Self::Finite { fraction, exponent, .. } => {
                u64::try_from((fraction.len() as i64).saturating_sub(*exponent)).unwrap_or(0)
            }
            _ => 0,
        }
    }
}

/// Reads a number as PostgreSQL's `numeric` reads it: blanks around it, sign, digits, point, exponent, `NaN` and
/// infinities in either case. An exponent beyond ten digits is refused.
pub fn parse(text: &[u8]) -> Option<Number<'_>> {
    let trimmed = text.trim_ascii();
    let (signed, negative, rest) = match trimmed {
        [b'-', rest @ ..] => (true, true, rest),
        [b'+', rest @ ..] => (true, false, rest),
        rest => (false, false, rest),
    };
    if rest.first().is_some_and(u8::is_ascii_alphabetic) {
        return word(rest, signed, negative);
    }
    let (whole, rest) = digits(rest);
    let (pointed, (fraction, rest)) = match rest {
        [b'.', rest @ ..] => (true, digits(rest)),
        rest => (false, (&rest[..0], rest)),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', rest @ ..] => parse_exponent(rest)?,
        _ => return None,
    };
    let is_zero = || whole.iter().chain(fraction).all(|digit| *digit == b'0');
    let plain = trimmed.len() == text.len()
        && rest.is_empty()
        && !(signed && (!negative || is_zero()))
        && !whole.is_empty()
        && (whole == b"0" || whole[0] != b'0')
        && pointed != fraction.is_empty()
        && fraction.last() != Some(&b'0');
    Some(Number::Finite { negative, whole, fraction, exponent, plain })
}

/// What is written as a word.
fn word(word: &[u8], signed: bool, negative: bool) -> Option<Number<'_>> {
    if word.eq_ignore_ascii_case(b"nan") {
        return (!signed).then_some(Number::NaN);
    }
    let is_infinity = word.eq_ignore_ascii_case(b"infinity") || word.eq_ignore_ascii_case(b"inf");
    is_infinity.then_some(if negative { Number::NegativeInfinity } else { Number::Infinity })
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (digits, []) = digits(text) else { return None };
    if digits.is_empty() || digits.len() > 10 {
        return None;
    }
    let size = digits.iter().fold(0, |size, digit| size * 10 + i64::from(digit - b'0'));
    Some(if negative { -size } else { size })
}

/// Prints a stored decimal as PostgreSQL does, with as many digits after the point as its scale.
pub fn text(value: &Decimal<'_>) -> String {
    match value.sign {
        Sign::NaN => return "NaN".to_owned(),
        Sign::Infinity => return "Infinity".to_owned(),
        Sign::NegativeInfinity => return "-Infinity".to_owned(),
        Sign::Positive | Sign::Negative => {}
    }
    let group = |power: i32| -> u16 {
        let at = i32::from(value.weight) - power;
        let at = usize::try_from(at).ok();
        at.and_then(|at| value.groups.get(2 * at..2 * at + 2)).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]))
    };
    let mut digits: String = (0..=i32::from(value.weight)).rev().map(|power| format!("{:04}", group(power))).collect();
    digits = match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    };
    let scale = usize::from(value.scale);
    if scale > 0 {
        digits.push('.');
        let end = digits.len() + scale;
        let mut power = -1;
        while digits.len() < end {
            digits += &format!("{:04}", group(power));
            power -= 1;
        }
        digits.truncate(end);
    }
    if value.sign == Sign::Negative && value.groups.iter().any(|byte| *byte != 0) {
        format!("-{digits}")
    } else {
        digits
    }
}

/// Appends the one encoding of a finite number: sign, power of ten of the last digit that is not zero, how many digits,
/// digits without zeros at either end. Zero has no digits, no sign and power 0. The digits are given in two pieces.
pub(super) fn write_value(out: &mut Vec<u8>, negative: bool, whole: &[u8], fraction: &[u8], last_power: i64) {
    write(out, negative, last_power, |out| {
        out.extend_from_slice(without_zeros(whole));
        let begins = out.len();
        out.extend_from_slice(fraction);
        begins
    });
}

/// The same for a number that is as many units of a power of ten.
pub(super) fn write_number(out: &mut Vec<u8>, negative: bool, mut units: u64, last_power: i64) {
    let (mut digits, mut at) = ([0; 20], 20);
    while units > 0 {
        at -= 1;
        digits[at] = b'0' + (units % 10) as u8;
        units /= 10;
    }
    write_value(out, negative, &digits[at..], b"", last_power);
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let first = digits.iter().position(|digit| *digit != b'0');
    &digits[first.unwrap_or(digits.len())..]
}

/// Appends a number whose digits `push` appends. Zeros at their beginning are taken away where none come before, which
/// `push` tells by where it began to append what may have some.
fn write(out: &mut Vec<u8>, negative: bool, last_power: i64, push: impl FnOnce(&mut Vec<u8>) -> usize) {
    let start = out.len();
    out.extend_from_slice(&[0; 17]);
    let begins = push(out);
    if begins == start + 17 && out.get(begins) == Some(&b'0') {
        let zeros = out.len() - begins - without_zeros(&out[begins..]).len();
        out.drain(begins..begins + zeros);
    }
    let end = out.len();
    while out.len() > start + 17 && out.last() == Some(&b'0') {
        out.pop();
    }
    let (dropped, count) = ((end - out.len()) as i64, out.len() - start - 17);
    if count > 0 {
        out[start] = u8::from(negative);
        out[start + 1..start + 9].copy_from_slice(&(last_power + dropped).to_le_bytes());
        out[start + 9..start + 17].copy_from_slice(&(count as u64).to_le_bytes());
    }
}

/// The text of an encoded finite number, as digits and a power of ten; `None` if these bytes are none (a special
/// value).
pub(super) fn value_text(encoded: &[u8]) -> Option<String> {
    let (head, digits) = encoded.split_at_checked(17)?;
    let power = i64::from_le_bytes(head[1..9].try_into().expect("eight bytes"));
    let digits = if digits.is_empty() { "0" } else { str::from_utf8(digits).ok()? };
    Some(format!("{}{digits}e{power}", if head[0] == 1 { "-" } else { "" }))
}

/// Appends the value of a stored decimal that is a number; tells whether its scale showed zeros that the value has no
/// need of.
pub(super) fn write_groups(out: &mut Vec<u8>, value: &Decimal<'_>) -> bool {
    let last_power = 4 * (i64::from(value.weight) - (value.groups.len() / 2) as i64 + 1);
    let start = out.len();
    write(out, value.sign == Sign::Negative, last_power, |out| {
        let begins = out.len();
        for pair in value.groups.chunks_exact(2) {
            let group = u16::from_be_bytes([pair[0], pair[1]]);
            let digit = |value: u16| b'0' + value.min(9) as u8;
            out.extend_from_slice(&[group / 1000, group / 100 % 10, group / 10 % 10, group % 10].map(digit));
        }
        begins
    });
    let power = i64::from_le_bytes(out[start + 1..start + 9].try_into().expect("eight bytes"));
    i64::from(value.scale) > (-power).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Vec<u8> {
        let Some(Number::Finite { negative, whole, fraction, exponent, .. }) = parse(text.as_bytes()) else {
            panic!("{text}")
        };
        let mut out = Vec::new();
        write_value(&mut out, negative, whole, fraction, exponent - fraction.len() as i64);
        out
    }

    #[test]
    fn one_value_has_one_encoding() {
        for same in [
            &["1.5", "1.50", "+1.5", "0001.5", "15e-1", "0.15E1"][..],
            &["0", "-0", "0.00", "0e99", ".0"],
            &["1e30", "1000000000000000000000000000000", "1000000000000000000000000000000.0"],
            &["-0.001", "-1e-3", "-.001"],
        ] {
            same.iter().for_each(|text| assert_eq!(value(text), value(same[0]), "{text}"));
        }
        assert_ne!(value("12345678901234567.89"), value("12345678901234567.9"));
        assert_ne!(value("1"), value("-1"));
        assert_ne!(value("1"), value("10"));
    }

    #[test]
    fn only_the_plain_spelling_is_plain() {
        let plain = |text: &str| matches!(parse(text.as_bytes()), Some(Number::Finite { plain: true, .. }));
        assert!(["0", "-7", "1.5", "0.001", "18446744073709551615"].iter().all(|text| plain(text)));
        assert!(!["-0", "+7", "1.50", "1.", ".5", "007", "1e3", " 1", "0.0"].iter().any(|text| plain(text)));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", " ", "abc", "1,5", "--1", "1e", "1e99999999999", "0x10", "1 2", ".", "-nan"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(b"nan"), Some(Number::NaN));
        assert_eq!(parse(b"-Inf"), Some(Number::NegativeInfinity));
        assert_eq!(parse(b"1.50").unwrap().scale(), 2);
        assert_eq!(parse(b"1e30").unwrap().scale(), 0);
    }

    #[test]
    fn stored_decimals_are_printed_with_their_scale() {
        let show = |sign, weight, scale, groups: &[u16]| {
            let groups: Vec<u8> = groups.iter().flat_map(|group| group.to_be_bytes()).collect();
            text(&Decimal { sign, weight, scale, groups: &groups })
        };
        assert_eq!(show(Sign::Positive, 0, 2, &[1, 1000]), "1.10");
        assert_eq!(show(Sign::Negative, 1, 0, &[1, 2]), "-10002");
        assert_eq!(show(Sign::Positive, -2, 8, &[42]), "0.00000042");
        assert_eq!(show(Sign::Positive, 1, 0, &[5]), "50000");
        assert_eq!(show(Sign::Positive, 0, 3, &[]), "0.000");
        assert_eq!(show(Sign::NaN, 0, 0, &[]), "NaN");
    }
}
