//! Values as text that PostgreSQL's input functions read back to the same value.

use std::io::Write;

use super::encode::Writing;
use crate::model::Value;

/// Writes a value as a field of the text COPY format: NULL as `\N`, and escaped.
pub(super) fn field(writing: Writing, value: &Value, spare: &mut Vec<u8>, out: &mut Vec<u8>) {
    if value.is_null() {
        out.extend_from_slice(b"\\N");
        return;
    }
    spare.clear();
    plain(writing, value, spare);
    for byte in spare.iter() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.push(*other),
        }
    }
}

/// Writes a value's text; NULL has none.
pub(super) fn plain(writing: Writing, value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Boolean(truth) if writing.is_integer() || writing == Writing::Numeric => {
            out.push(b'0' + u8::from(*truth))
        }
        Value::Boolean(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Integer(number) => put(out, format_args!("{number}")),
        Value::Float(number) => float(writing, *number, out),
        Value::Text(text) if writing == Writing::Bytes => hex(text.as_bytes(), out),
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) => hex(bytes, out),
        Value::Uuid(bytes) => {
            let number = u128::from_be_bytes(*bytes);
            let (a, b, c) = (number >> 96, (number >> 80) & 0xffff, (number >> 64) & 0xffff);
            let (d, e) = ((number >> 48) & 0xffff, number & 0xffff_ffff_ffff);
            put(out, format_args!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}"));
        }
        Value::Date(i32::MAX) | Value::Timestamp(i64::MAX) | Value::TimestampTz(i64::MAX) => {
            out.extend_from_slice(b"infinity");
        }
        Value::Date(i32::MIN) | Value::Timestamp(i64::MIN) | Value::TimestampTz(i64::MIN) => {
            out.extend_from_slice(b"-infinity");
        }
        Value::Date(days) => {
            let before_christ = date((*days).into(), out);
            era(before_christ, out);
        }
        Value::Time(micros) => time(*micros, out),
        Value::Timestamp(micros) | Value::TimestampTz(micros) => {
            let before_christ = date(micros.div_euclid(MICROS_PER_DAY), out);
            out.push(b' ');
            time(micros.rem_euclid(MICROS_PER_DAY), out);
            if matches!(value, Value::TimestampTz(_)) {
                out.extend_from_slice(b"+00");
            }
            era(before_christ, out);
        }
    }
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a vector takes whatever is written to it");
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\x");
    bytes.iter().for_each(|byte| put(out, format_args!("{byte:02x}")));
}

fn float(writing: Writing, number: f64, out: &mut Vec<u8>) {
    if number.is_infinite() {
        out.extend_from_slice(if number > 0.0 { b"Infinity" } else { b"-Infinity" });
    } else if writing.is_integer() && number.fract() == 0.0 {
        // Integer columns refuse `1.0`, which is how an integral double would be written otherwise.
        put(out, format_args!("{number:.0}"));
    } else {
        // The shortest digits that give the same double again, with an exponent where that is shorter.
        put(out, format_args!("{number:?}"));
    }
}

/// Writes `year-month-day` of a day counted from 1970-01-01 and tells whether it lies before Christ, where PostgreSQL
/// counts years from 1 backwards.
fn date(days: i64, out: &mut Vec<u8>) -> bool {
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days: eras of 400 years from March on.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let shown = if year <= 0 { 1 - year } else { year };
    put(out, format_args!("{shown:04}-{month:02}-{day:02}"));
    year <= 0
}

fn era(before_christ: bool, out: &mut Vec<u8>) {
    if before_christ {
        out.extend_from_slice(b" BC");
    }
}

fn time(micros: i64, out: &mut Vec<u8>) {
    let seconds = micros / 1_000_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    put(out, format_args!("{hour:02}:{minute:02}:{second:02}.{:06}", micros % 1_000_000));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(value: &Value) -> String {
        let mut out = Vec::new();
        plain(Writing::FromText, value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn days_and_instants_are_spelled_in_both_eras() {
        assert_eq!(spelled(&Value::Date(0)), "1970-01-01");
        assert_eq!(spelled(&Value::Date(19_782)), "2024-02-29");
        assert_eq!(spelled(&Value::Date(-719_163)), "0001-12-31 BC");
        assert_eq!(spelled(&Value::Timestamp(-1)), "1969-12-31 23:59:59.999999");
        assert_eq!(spelled(&Value::TimestampTz(0)), "1970-01-01 00:00:00.000000+00");
        assert_eq!(spelled(&Value::Time(86_400_000_000)), "24:00:00.000000");
    }

    #[test]
    fn fields_escape_what_the_format_uses() {
        let (mut out, mut spare) = (Vec::new(), Vec::new());
        field(Writing::Text, &Value::Text("a\\b\tc\nd\re".to_owned()), &mut spare, &mut out);
        field(Writing::Bytes, &Value::Bytes(vec![0xde, 0xad]), &mut spare, &mut out);
        field(Writing::Text, &Value::Null, &mut spare, &mut out);
        assert_eq!(out, b"a\\\\b\\tc\\nd\\re\\\\xdead\\N");
    }
}
