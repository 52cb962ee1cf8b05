//! One value in an export file: JSON where JSON can hold it exactly, a tagged object where it cannot.
//!
//! | stored | in the file |
//! |---|---|
//! | NULL, integer, finite real, UTF-8 text | `null`, `5`, `5.0`, `"text"` |
//! | bytes | `{"hex": "00ff"}` |
//! | text that is no UTF-8 | `{"text_hex": "c328"}` |
//! | infinities | `{"real": "inf"}` |
//! | moments, where the target's column is temporal | ISO 8601 text |

use std::{fmt, io::Write};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};

use crate::{
    canon::{Cell, decimal, show, temporal, uuid},
    model::LogicalType,
};

/// One value read from an export file.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Field {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A real.
    Real(f64),
    /// Text.
    Text(String),
    /// Text that is no UTF-8.
    RawText(Vec<u8>),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Writes one cell as JSON.
///
/// `unit` is microseconds of one count, where the source's column is stated to count since 1970; elsewhere integers in a
/// column of moments are read by their magnitude.
pub(in super::super) fn write(
    cell: Cell<'_>,
    target: &LogicalType,
    unit: Option<i64>,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    match cell {
        Cell::Null => out.write_all(b"null"),
        Cell::Boolean(value) => write!(out, "{value}"),
        Cell::Integer(value) => match moment(target, || epoch(value, unit)) {
            Some(text) => write_text(&text, out),
            None => write!(out, "{value}"),
        },
        Cell::Float32(value) => write_real(f64::from(value), out),
        Cell::Float64(value) => write_real(value, out),
        Cell::Text(bytes) | Cell::PaddedText(bytes) | Cell::Json(bytes) | Cell::Jsonb(bytes) | Cell::Label(bytes) => {
            match std::str::from_utf8(bytes) {
                Ok(text) => match iso(text, target) {
                    Some(iso) => write_text(&iso, out),
                    None => write_text(text, out),
                },
                Err(_) => write_hex("text_hex", bytes, out),
            }
        }
        Cell::Bytes(bytes) | Cell::Opaque(bytes) => write_hex("hex", bytes, out),
        Cell::Decimal(value) => write_text(&decimal::text(&value), out),
        Cell::Uuid(bytes) => write_text(&uuid::format(&bytes), out),
        other => write_text(&show::text_of(&other).unwrap_or_default(), out),
    }
}

fn epoch(count: i64, unit: Option<i64>) -> Option<i64> {
    match unit {
        Some(unit) => count.checked_mul(unit),
        None => Some(temporal::epoch_to_micros(count)),
    }
}

fn write_real(value: f64, out: &mut Vec<u8>) -> std::io::Result<()> {
    if value.is_finite() {
        // Debug prints the shortest text that reads back as the same double, always with a point or an exponent.
        write!(out, "{value:?}")
    } else {
        write!(out, "{{\"real\":\"{value}\"}}")
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) -> std::io::Result<()> {
    serde_json::to_writer(out, text).map_err(std::io::Error::from)
}

fn write_hex(tag: &str, bytes: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    write!(out, "{{\"{tag}\":\"")?;
    out.reserve(bytes.len() * 2 + 2);
    for byte in bytes {
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    out.write_all(b"\"}")
}

/// The ISO 8601 text of a moment, where the target's column holds moments.
fn moment(target: &LogicalType, micros: impl FnOnce() -> Option<i64>) -> Option<String> {
    match target {
        LogicalType::Timestamp => micros().map(temporal::format_timestamp),
        LogicalType::TimestampTz => micros().map(temporal::format_instant),
        _ => None,
    }
}

/// The ISO 8601 form of text that is a moment, where the target's column holds moments; text that is none stays.
fn iso(text: &str, target: &LogicalType) -> Option<String> {
    moment(target, || temporal::parse_timestamp(text).map(|moment| moment.micros))
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a boolean, a number, a text, or an object tagged `hex`, `text_hex` or `real`")
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Field, E> {
        Ok(Field::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Field, E> {
        Ok(Field::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Field, E> {
        i64::try_from(value).map(Field::Integer).map_err(|_| E::custom(format!("{value} needs more than 64 bits")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Field, E> {
        Ok(Field::Real(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Field, E> {
        Ok(Field::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Field, E> {
        Ok(Field::Text(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field, A::Error> {
        let (tag, text): (String, String) = map.next_entry()?.ok_or_else(|| A::Error::custom("an empty object"))?;
        match tag.as_str() {
            "hex" => unhex(&text).map(Field::Bytes).ok_or_else(|| A::Error::custom("odd or foreign hex digits")),
            "text_hex" => unhex(&text).map(Field::RawText).ok_or_else(|| A::Error::custom("odd or foreign hex digits")),
            "real" => text.parse().map(Field::Real).map_err(|_| A::Error::custom(format!("`{text}` is no real"))),
            _ => Err(A::Error::unknown_field(&tag, &["hex", "text_hex", "real"])),
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(u8::try_from(digit(*high)? * 16 + digit(*low)?).expect("two hex digits fit a byte")),
            _ => None,
        })
        .collect()
}

/// Reads one row of an export file: an object with exactly these columns.
pub(super) struct RowSeed<'a> {
    /// The columns, in the order of the file.
    pub columns: &'a [String],
    /// The row's fields are put here.
    pub into: &'a mut Vec<Field>,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the columns {}", self.columns.join(", "))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.into.clear();
        while let Some(name) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match self.columns.get(self.into.len()) {
                Some(expected) if *expected == name => self.into.push(map.next_value()?),
                Some(expected) => {
                    return Err(A::Error::custom(format!("column `{name}` where `{expected}` was expected")));
                }
                None => return Err(A::Error::custom(format!("unknown column `{name}`"))),
            }
        }
        match self.columns.get(self.into.len()) {
            Some(missing) => Err(A::Error::custom(format!("column `{missing}` is missing"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(cell: Cell<'_>, target: &LogicalType) -> Field {
        let mut out = Vec::new();
        write(cell, target, None, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn values_that_json_cannot_hold_survive() {
        let text = LogicalType::Text { limit: None };
        assert_eq!(round(Cell::Bytes(&[0, 255]), &text), Field::Bytes(vec![0, 255]));
        assert_eq!(round(Cell::Text(&[0xc3, 0x28]), &text), Field::RawText(vec![0xc3, 0x28]));
        assert_eq!(round(Cell::Float64(f64::INFINITY), &text), Field::Real(f64::INFINITY));
        assert_eq!(round(Cell::Float64(0.1 + 0.2), &text), Field::Real(0.1 + 0.2));
        assert_eq!(round(Cell::Integer(i64::MIN), &text), Field::Integer(i64::MIN));
        assert_eq!(round(Cell::Text("a\"\\\n\u{1f600}".as_bytes()), &text), Field::Text("a\"\\\n\u{1f600}".into()));
        assert_eq!(round(Cell::Float64(1.0), &text), Field::Real(1.0));
    }

    #[test]
    fn moments_become_iso_where_the_target_holds_moments() {
        let instant = LogicalType::TimestampTz;
        assert_eq!(round(Cell::Integer(1_600_000_000), &instant), Field::Text("2020-09-13T12:26:40Z".into()));
        assert_eq!(round(Cell::Text(b"not a moment"), &instant), Field::Text("not a moment".into()));
    }

    #[test]
    fn rows_name_what_is_wrong_with_them() {
        let columns = ["id".to_owned(), "name".to_owned()];
        let read = |text: &str| {
            let mut row = Vec::new();
            let mut deserializer = serde_json::Deserializer::from_str(text);
            RowSeed { columns: &columns, into: &mut row }.deserialize(&mut deserializer).map_err(|e| e.to_string())
        };
        assert!(read(r#"{"id":1,"name":"x"}"#).is_ok());
        assert!(read(r#"{"id":1}"#).unwrap_err().contains("column `name` is missing"));
        assert!(read(r#"{"id":1,"name":null,"z":1}"#).unwrap_err().contains("unknown column `z`"));
    }
}
