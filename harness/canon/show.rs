//! A value as a reader sees it, for samples in findings.

use super::{
    cell::Cell,
    decimal,
    hex::push_hex,
    interval::{self, Span},
    printed, temporal, uuid,
};

/// The text of a cell, `None` for NULL. What is no text is shown in hexadecimal after `\x`.
pub fn text_of(cell: &Cell<'_>) -> Option<String> {
    Some(match *cell {
        Cell::Null => return None,
        Cell::Boolean(value) => value.to_string(),
        Cell::Integer(value) => value.to_string(),
        // Debug and not Display, which would write 1e300 out in digits.
        Cell::Float32(value) => format!("{value:?}"),
        Cell::Float64(value) => format!("{value:?}"),
        Cell::Decimal(value) => decimal::text(&value),
        Cell::Text(bytes) | Cell::PaddedText(bytes) | Cell::Label(bytes) | Cell::Json(bytes) | Cell::Jsonb(bytes) => {
            str::from_utf8(bytes).map_or_else(|_| hex(bytes), str::to_owned)
        }
        Cell::Bytes(bytes) | Cell::Opaque(bytes) => hex(bytes),
        Cell::Uuid(bytes) => uuid::format(&bytes),
        Cell::Date(days) => temporal::format_date(days),
        Cell::Time(micros) => temporal::format_time(micros),
        Cell::TimeTz(micros, offset) => temporal::format_time(micros) + &zone(offset),
        Cell::Timestamp(micros) => temporal::spell(micros, ' ', ""),
        Cell::TimestampTz(micros) => temporal::spell(micros, ' ', "+00"),
        Cell::Interval { months, days, micros } => interval::format(&Span { months, days, micros }),
        Cell::Bits { length, bytes } => printed::bits(length, bytes),
        Cell::Network { address, prefix, network } => {
            printed::network(address, prefix, network).unwrap_or_else(|| hex(address))
        }
        Cell::MacAddress(bytes) => printed::card(bytes),
        Cell::Nested(nest, bytes) => printed::nested(nest, bytes).unwrap_or_else(|| hex(bytes)),
    })
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    push_hex(&mut text, bytes);
    text
}

/// `+05:30`.
fn zone(offset: i32) -> String {
    let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let (hours, minutes, seconds) = (size / 3600, size / 60 % 60, size % 60);
    match (minutes, seconds) {
        (0, 0) => format!("{sign}{hours:02}"),
        (_, 0) => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_postgresql_prints_them() {
        for (cell, text) in [
            (Cell::Text(b"a"), "a"),
            (Cell::Text(b"a\xff"), "\\x61ff"),
            (Cell::Bytes(&[0xde, 0xad]), "\\xdead"),
            (Cell::Float64(1e300), "1e300"),
            (Cell::Float64(-0.0), "-0.0"),
            (Cell::TimestampTz(1_000_000), "1970-01-01 00:00:01+00"),
            (Cell::TimeTz(0, -12_600), "00:00:00-03:30"),
            (Cell::Interval { months: 1, days: 0, micros: -1 }, "1 mon -00:00:00.000001"),
        ] {
            assert_eq!(text_of(&cell).as_deref(), Some(text));
        }
        assert_eq!(text_of(&Cell::Null), None);
    }
}
