//! The forms that texts have. The seam to the canonical parsers: whatever reads these values into a common type decides in
//! the end; what is told here is never more than they read.

use crate::canon::temporal;

/// A form of a text that names a moment.
pub(super) enum Moment {
    Date,
    Timestamp,
    Instant,
}

pub(super) fn is_uuid(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"{").and_then(|text| text.strip_suffix(b"}")).unwrap_or(text);
    match text.len() {
        32 => text.iter().all(u8::is_ascii_hexdigit),
        36 => text.iter().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        }),
        _ => false,
    }
}

pub(super) fn is_decimal(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let (whole, rest) = digits(text);
    let (fraction, rest) = rest.strip_prefix(b".").map_or((&b""[..], rest), digits);
    if whole.is_empty() && fraction.is_empty() {
        return false;
    }
    let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
        return rest.is_empty();
    };
    let exponent = exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+")).unwrap_or(exponent);
    let (power, rest) = digits(exponent);
    !power.is_empty() && rest.is_empty()
}

pub(super) fn is_json(text: &[u8]) -> bool {
    // Most texts are told apart by their first byte; only the rest is parsed.
    let may_be = text.trim_ascii_start().first().is_some_and(|byte| b"{[\"-0123456789tfn".contains(byte));
    may_be && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

/// A moment that every engine reads, and none rounds. Spellings that only some engines know (eras, signs, words for the
/// ends of time, names of zones) are none here, although [`temporal`] reads them.
pub(super) fn moment(text: &[u8]) -> Option<Moment> {
    let [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', _, _, b'-', _, _, rest @ ..] = text else {
        return None;
    };
    let text = str::from_utf8(text).ok().filter(|text| !text.starts_with("0000"))?;
    if rest.is_empty() {
        return temporal::parse_date(text).map(|_| Moment::Date);
    }
    let is_named = rest.ends_with(b"UTC") || rest.ends_with(b"GMT") || rest.ends_with(b"BC");
    let read = temporal::parse_timestamp(text).filter(|read| !read.rounded && !is_named)?;
    Some(if read.zoned { Moment::Instant } else { Moment::Timestamp })
}

/// A word that PostgreSQL reads as true or false; one that it would trim or complete is left out.
pub(super) fn is_boolean(text: &str) -> bool {
    let words = ["t", "true", "1", "yes", "y", "on", "f", "false", "0", "no", "n", "off"];
    text.len() <= 5 && words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let is_padded = digits.starts_with('0') && text != "0";
    is_plain && !is_padded && text.parse::<i64>().is_ok()
}

/// A time of day that no engine rounds.
pub(super) fn is_time(text: &[u8]) -> bool {
    let beyond_micros = text.iter().skip_while(|byte| **byte != b'.').skip(7);
    beyond_micros.into_iter().all(|digit| *digit == b'0')
        && str::from_utf8(text).is_ok_and(|text| temporal::parse_time(text).is_some())
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}
