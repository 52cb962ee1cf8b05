//! The binary protocol's values as cells.

use std::net::IpAddr;

use super::{decimal, types::MariaType};
use crate::canon::{Cell, temporal::days_from_civil, uuid};

/// How a column's bytes are read; chosen once for each column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Integer {
        unsigned: bool,
    },
    Float32,
    Float64,
    Decimal,
    /// With so many bits.
    Bits(u32),
    Network,
    Text,
    Label,
    Json,
    Bytes,
    Uuid,
    Date,
    DateTime,
    Instant,
    Time,
    Opaque,
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

impl Reading {
    /// The reading for a type.
    pub(super) fn of(kind: &MariaType) -> Self {
        match kind.name.as_str() {
            _ if kind.json => Self::Json,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => {
                Self::Integer { unsigned: kind.whole.contains(" unsigned") }
            }
            "year" => Self::Integer { unsigned: true },
            "float" => Self::Float32,
            "double" => Self::Float64,
            "decimal" => Self::Decimal,
            "bit" => Self::Bits(kind.parameters().first().copied().unwrap_or(1)),
            "inet4" | "inet6" => Self::Network,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Self::Bytes,
            "uuid" => Self::Uuid,
            "date" => Self::Date,
            "datetime" => Self::DateTime,
            "timestamp" => Self::Instant,
            "time" => Self::Time,
            "enum" => Self::Label,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "set" => Self::Text,
            // Geometries, vectors, and whatever comes after this was written.
            _ => Self::Opaque,
        }
    }

    /// Reads a value. `spare` holds what has no bytes of its own on the wire, and is used again for every value.
    ///
    /// A zero date (`0000-00-00`), one with a part of zero (`2024-02-00`) and one in the year 0, whose days MariaDB counts
    /// as nobody else does, are the text that MariaDB prints: they are no days. A time beyond a day is a span.
    pub(super) fn cell<'a>(self, bytes: &'a [u8], spare: &'a mut Vec<u8>) -> Result<Cell<'a>, String> {
        let malformed = || format!("a value of {} bytes for {self:?}", bytes.len());
        Ok(match self {
            Self::Integer { unsigned } => integer(bytes, unsigned, spare).ok_or_else(malformed)?,
            Self::Float32 => Cell::Float32(f32::from_le_bytes(bytes.try_into().map_err(|_| malformed())?)),
            Self::Float64 => Cell::Float64(f64::from_le_bytes(bytes.try_into().map_err(|_| malformed())?)),
            Self::Decimal => Cell::Decimal(decimal::parse(bytes, spare).ok_or_else(malformed)?),
            Self::Bits(length) => bits(bytes, length, spare).ok_or_else(malformed)?,
            Self::Network => network(bytes, spare).unwrap_or(Cell::Text(bytes)),
            Self::Text => Cell::Text(bytes),
            Self::Label => Cell::Label(bytes),
            Self::Json => Cell::Json(bytes),
            Self::Bytes => Cell::Bytes(bytes),
            Self::Uuid => uuid::parse(bytes).map_or(Cell::Text(bytes), Cell::Uuid),
            Self::Opaque => Cell::Opaque(bytes),
            Self::Time => time(bytes).ok_or_else(malformed)?,
            Self::Date | Self::DateTime | Self::Instant => self.moment(bytes, spare).ok_or_else(malformed)?,
        })
    }

    fn moment<'a>(self, bytes: &[u8], spare: &'a mut Vec<u8>) -> Option<Cell<'a>> {
        let mut parts = [0; 11];
        let rest = measured(bytes)?;
        parts.get_mut(..rest.len())?.copy_from_slice(rest);
        let [year_low, year_high, month, day, hour, minute, second, micros @ ..] = parts;
        let (year, micros) = (u16::from_le_bytes([year_low, year_high]), u32::from_le_bytes(micros));
        let clock = ((i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second)) * SECOND + i64::from(micros);
        let days = days_from_civil(year.into(), month.into(), day.into()).filter(|_| year > 0);
        let Some(days) = days else {
            let date = format!("{year:04}-{month:02}-{day:02}");
            let fraction = if micros > 0 { format!(".{micros:06}") } else { String::new() };
            let clock = format!(" {hour:02}:{minute:02}:{second:02}{fraction}");
            *spare = (if self == Self::Date { date } else { date + &clock }).into_bytes();
            return Some(Cell::Text(spare));
        };
        Some(match self {
            Self::Date => Cell::Date(i32::try_from(days).ok()?),
            Self::Instant => Cell::TimestampTz(days * DAY + clock),
            _ => Cell::Timestamp(days * DAY + clock),
        })
    }
}

/// What stands behind the length byte of a date or time; zeros at its end are left out on the wire.
fn measured(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first()?;
    (usize::from(*length) == rest.len()).then_some(rest)
}

fn time(bytes: &[u8]) -> Option<Cell<'static>> {
    let mut parts = [0; 12];
    let rest = measured(bytes)?;
    parts.get_mut(..rest.len())?.copy_from_slice(rest);
    let [negative, days @ .., hour, minute, second, m0, m1, m2, m3] = parts;
    let hours = i64::from(u32::from_le_bytes(days)) * 24 + i64::from(hour);
    let seconds = (hours * 60 + i64::from(minute)) * 60 + i64::from(second);
    let micros = seconds * SECOND + i64::from(u32::from_le_bytes([m0, m1, m2, m3]));
    let micros = if negative == 0 { micros } else { -micros };
    let in_a_day = (0..=DAY).contains(&micros);
    Some(if in_a_day { Cell::Time(micros) } else { Cell::Interval { months: 0, days: 0, micros } })
}

/// The server's number has its last bit at the end of the last byte, a string of bits its first one at the beginning of the
/// first.
fn bits<'a>(bytes: &[u8], length: u32, spare: &'a mut Vec<u8>) -> Option<Cell<'a>> {
    let number = bytes.iter().try_fold(0_u64, |number, byte| Some(number.checked_mul(256)? | u64::from(*byte)))?;
    let shifted = number.checked_shl(64_u32.checked_sub(length)?).unwrap_or(0);
    spare.clear();
    spare.extend_from_slice(&shifted.to_be_bytes()[..length.div_ceil(8) as usize]);
    Some(Cell::Bits { length, bytes: spare })
}

/// An address comes as text.
fn network<'a>(bytes: &[u8], spare: &'a mut Vec<u8>) -> Option<Cell<'a>> {
    let address: IpAddr = str::from_utf8(bytes).ok()?.parse().ok()?;
    spare.clear();
    match address {
        IpAddr::V4(address) => spare.extend_from_slice(&address.octets()),
        IpAddr::V6(address) => spare.extend_from_slice(&address.octets()),
    }
    let prefix = if spare.len() == 4 { 32 } else { 128 };
    Some(Cell::Network { address: spare, prefix, network: false })
}

fn integer<'a>(bytes: &[u8], unsigned: bool, spare: &'a mut Vec<u8>) -> Option<Cell<'a>> {
    Some(match (bytes, unsigned) {
        ([byte], false) => Cell::Integer(i8::from_le_bytes([*byte]).into()),
        ([byte], true) => Cell::Integer((*byte).into()),
        ([a, b], false) => Cell::Integer(i16::from_le_bytes([*a, *b]).into()),
        ([a, b], true) => Cell::Integer(u16::from_le_bytes([*a, *b]).into()),
        ([a, b, c, d], false) => Cell::Integer(i32::from_le_bytes([*a, *b, *c, *d]).into()),
        ([a, b, c, d], true) => Cell::Integer(u32::from_le_bytes([*a, *b, *c, *d]).into()),
        (eight, false) => Cell::Integer(i64::from_le_bytes(eight.try_into().ok()?)),
        (eight, true) => number(u64::from_le_bytes(eight.try_into().ok()?), spare),
    })
}

fn number(number: u64, spare: &mut Vec<u8>) -> Cell<'_> {
    match i64::try_from(number) {
        Ok(number) => Cell::Integer(number),
        Err(_) => Cell::Decimal(decimal::of_unsigned(number, spare)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::text_of;

    fn spelled(reading: Reading, bytes: &[u8]) -> String {
        let mut spare = Vec::new();
        let cell = reading.cell(bytes, &mut spare).unwrap();
        let kind = format!("{cell:?}");
        format!("{} {}", kind.split(['(', ' ']).next().unwrap(), text_of(&cell).unwrap())
    }

    #[test]
    fn days_that_are_none_are_text() {
        assert_eq!(spelled(Reading::Date, &[0]), "Text 0000-00-00");
        assert_eq!(spelled(Reading::Date, &[4, 0xe8, 7, 2, 0]), "Text 2024-02-00");
        assert_eq!(spelled(Reading::Date, &[4, 0xe8, 7, 2, 29]), "Date 2024-02-29");
        assert_eq!(spelled(Reading::DateTime, &[0]), "Text 0000-00-00 00:00:00");
        assert_eq!(spelled(Reading::DateTime, &[7, 0xe8, 7, 0, 15, 1, 2, 3]), "Text 2024-00-15 01:02:03");
        assert_eq!(spelled(Reading::Instant, &[4, 0xb2, 7, 1, 1]), "TimestampTz 1970-01-01 00:00:00+00");
        // The year 9 is a year.
        assert_eq!(spelled(Reading::Date, &[4, 9, 0, 1, 2]), "Date 0009-01-02");
    }

    #[test]
    fn times_beyond_a_day_are_spans() {
        assert_eq!(spelled(Reading::Time, &[0]), "Time 00:00:00");
        assert_eq!(spelled(Reading::Time, &[8, 0, 1, 0, 0, 0, 0, 0, 0]), "Time 24:00:00");
        assert_eq!(spelled(Reading::Time, &[8, 1, 1, 0, 0, 0, 1, 0, 0]), "Interval -25:00:00");
        assert_eq!(spelled(Reading::Time, &[8, 0, 34, 0, 0, 0, 22, 59, 59]), "Interval 838:59:59");
    }

    #[test]
    fn integers_keep_their_sign_and_width() {
        let unsigned = Reading::Integer { unsigned: true };
        assert_eq!(spelled(unsigned, &[0xff; 8]), "Decimal 18446744073709551615");
        assert_eq!(spelled(unsigned, &[0xff; 4]), "Integer 4294967295");
        assert_eq!(spelled(Reading::Integer { unsigned: false }, &[0xff; 2]), "Integer -1");
        assert_eq!(spelled(Reading::Bits(4), &[5]), "Bits 0101");
        assert_eq!(spelled(Reading::Bits(10), &[2, 1]), "Bits 1000000001");
        assert_eq!(spelled(Reading::Bits(64), &[0xff; 8]), format!("Bits {}", "1".repeat(64)));
        assert!(unsigned.cell(&[1, 2, 3], &mut Vec::new()).is_err());
    }
}
