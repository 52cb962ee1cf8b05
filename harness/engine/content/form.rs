//! The forms that texts have. The seam to the canonical parsers: whatever reads these values into a common type decides in
//! the end; what is told here is never more than they read.

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

pub(super) fn moment(text: &[u8]) -> Option<Moment> {
    let rest = day(text)?;
    let Some((b' ' | b'T' | b't', rest)) = rest.split_first() else {
        return rest.is_empty().then_some(Moment::Date);
    };
    let rest = time(rest)?;
    match rest {
        b"" => Some(Moment::Timestamp),
        b"Z" | b"z" => Some(Moment::Instant),
        _ => is_offset(rest.strip_prefix(b" ").unwrap_or(rest)).then_some(Moment::Instant),
    }
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

pub(super) fn is_time(text: &[u8]) -> bool {
    time(text).is_some_and(<[u8]>::is_empty)
}

/// Takes a time of day from the front.
fn time(text: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = two_digits(text)?;
    let (minute, mut rest) = two_digits(rest.strip_prefix(b":")?)?;
    let mut second = 0;
    if let Some(after) = rest.strip_prefix(b":") {
        (second, rest) = two_digits(after)?;
        if let Some(after) = rest.strip_prefix(b".") {
            let (fraction, after) = digits(after);
            // Digits beyond the microsecond would be rounded away.
            let is_exact = !fraction.is_empty() && fraction.iter().skip(6).all(|digit| *digit == b'0');
            rest = is_exact.then_some(after)?;
        }
    }
    // 24:00:00 ends a day, and PostgreSQL reads :60 as the next minute.
    let exists = hour < 24 && minute < 60 && second <= 60 || (hour, minute, second) == (24, 0, 0);
    exists.then_some(rest)
}

/// Takes a day that exists from the front.
fn day(text: &[u8]) -> Option<&[u8]> {
    let (century, rest) = two_digits(text)?;
    let (year, rest) = two_digits(rest)?;
    let year = u32::from(century) * 100 + u32::from(year);
    let (month, rest) = two_digits(rest.strip_prefix(b"-")?)?;
    let (day, rest) = two_digits(rest.strip_prefix(b"-")?)?;
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(is_leap),
        _ => return None,
    };
    (year > 0 && (1..=days).contains(&day)).then_some(rest)
}

/// `+05`, `+0530`, `+05:30`.
fn is_offset(text: &[u8]) -> bool {
    let Some((b'+' | b'-', rest)) = text.split_first() else { return false };
    let Some((hours, rest)) = two_digits(rest) else { return false };
    let minutes = match rest {
        b"" => Some((0, rest)),
        _ => two_digits(rest.strip_prefix(b":").unwrap_or(rest)),
    };
    hours < 16 && matches!(minutes, Some((0..60, b"")))
}

fn two_digits(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => Some(((tens - b'0') * 10 + (ones - b'0'), rest)),
        _ => None,
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}
