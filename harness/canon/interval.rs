//! Spans: PostgreSQL's text form of an interval.

use super::temporal::Read;

/// A span in PostgreSQL's three parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

/// Reads a span in PostgreSQL's default style (`1 year 2 mons -3 days 04:05:06.789`), or hours alone (`-838:59:59`).
pub(super) fn parse(text: &[u8]) -> Option<Read<Span>> {
    let text = str::from_utf8(text).ok()?;
    let mut span = Span::default();
    let mut words = text.split_ascii_whitespace();
    let mut any = false;
    while let Some(word) = words.next() {
        any = true;
        if word.contains(':') {
            span.micros = span.micros.checked_add(clock(word)?)?;
            continue;
        }
        let number: i32 = word.parse().ok()?;
        let unit = words.next()?;
        let (months, days) = match unit.strip_suffix('s').unwrap_or(unit) {
            "year" => (12, 0),
            "mon" | "month" => (1, 0),
            "week" => (0, 7),
            "day" => (0, 1),
            _ => return None,
        };
        span.months = span.months.checked_add(number.checked_mul(months)?)?;
        span.days = span.days.checked_add(number.checked_mul(days)?)?;
    }
    any.then(|| Read { plain: format(&span) == text, value: span })
}

fn clock(word: &str) -> Option<i64> {
    let (negative, word) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let mut parts = word.split(':');
    // `parse` alone would take a sign.
    let whole = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i64>().ok()).flatten();
    let (hours, minutes) = (whole(parts.next()?)?, whole(parts.next()?)?);
    let (seconds, fraction) = match parts.next() {
        Some(part) => part.split_once('.').unwrap_or((part, "")),
        None => ("0", ""),
    };
    let seconds = whole(seconds)?;
    if parts.next().is_some() || minutes > 59 || seconds > 59 || fraction.len() > 6 {
        return None;
    }
    let micros = if fraction.is_empty() { 0 } else { whole(&format!("{fraction:0<6}"))? };
    let total = hours.checked_mul(3600)?.checked_add(minutes * 60 + seconds)?.checked_mul(1_000_000)? + micros;
    Some(if negative { -total } else { total })
}

/// Writes a span as PostgreSQL prints it by default.
pub fn format(span: &Span) -> String {
    let mut parts = Vec::new();
    let mut before_negative = false;
    for (number, unit) in [(span.months / 12, "year"), (span.months % 12, "mon"), (span.days, "day")] {
        if number != 0 {
            let plus = if before_negative && number > 0 { "+" } else { "" };
            parts.push(format!("{plus}{number} {unit}{}", if number == 1 { "" } else { "s" }));
            before_negative = number < 0;
        }
    }
    if span.micros != 0 || parts.is_empty() {
        let sign = match span.micros {
            ..0 => "-",
            _ if before_negative => "+",
            _ => "",
        };
        let size = i64::try_from(span.micros.unsigned_abs()).unwrap_or(i64::MAX);
        parts.push(format!("{sign}{}", super::temporal::format_time(size)));
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_survive_their_text() {
        for (text, months, days, micros) in [
            ("1 year 2 mons 3 days 04:05:06.789", 14, 3, 14_706_789_000),
            ("-838:59:59", 0, 0, -3_020_399_000_000),
            ("1 mon", 1, 0, 0),
            ("-1 days +02:03:00", 0, -1, 7_380_000_000),
            ("00:00:00", 0, 0, 0),
        ] {
            let expected = Span { months, days, micros };
            assert_eq!(parse(text.as_bytes()), Some(Read { value: expected, plain: true }), "{text}");
            assert_eq!(format(&expected), text);
        }
        assert_eq!(parse(b"2 months").map(|read| (read.value.months, read.plain)), Some((2, false)));
    }

    #[test]
    fn other_text_is_no_span() {
        for text in ["", "1", "abc", "1 fortnight", "1:2:3:4", "00:61:00", "1 day 2"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
