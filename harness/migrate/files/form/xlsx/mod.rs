//! XLSX: the only sheet of a workbook, its first row the names of the columns, its cells typed as the columns are.
//!
//! | stored | in the cell |
//! |---|---|
//! | NULL | nothing |
//! | true, false | a truth value |
//! | a number that 15 digits or a double hold exactly | a number |
//! | any other number | its digits as text |
//! | a day, a moment without a zone | a number that counts days since 1900, if it says exactly that; or else ISO 8601 text |
//! | bytes | `\x00ff` as text |
//! | an empty text, or one of nothing but quotes | in quotes |
//! | any other text | that text, control characters as `_x0008_` |
//!
//! What no cell holds is refused with its row and column. Texts are never taken for formulas, and formulas never for values.

mod bounds;
mod read;
mod serial;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;

use super::{super::input::field_of, BadText, Dialect, Field, Form, Heading, LogicalType, Raw, Records, Writing};
use serial::{Epoch, Serial};

/// A sheet.
pub(super) struct Xlsx;

/// Characters of a cell at most, counted as Excel does.
const LONGEST: usize = 32_767;
/// The smallest number that needs more than the 15 digits that Excel shows and keeps.
const FIFTEEN_DIGITS: u64 = 1_000_000_000_000_000;

impl Form for Xlsx {
    fn id(&self) -> &'static str {
        "xlsx"
    }

    fn holds_several(&self) -> bool {
        true
    }

    fn create(&self, path: &Path, heading: &Heading<'_>, _: &Dialect) -> Result<Box<dyn Writing>, String> {
        Ok(Box::new(write::Book::create(path, heading)?))
    }

    fn examine(&self, path: &Path) -> Result<(), BadText> {
        bounds::examine(path, &bounds::USUAL)?;
        read::examine(path)
    }

    fn open(&self, path: &Path, sheet: Option<&str>, _: &Dialect) -> Result<Box<dyn Records>, BadText> {
        Ok(Box::new(read::Sheet::open(path, sheet)?))
    }

    fn carried(&self, value: Field, kind: &LogicalType) -> Field {
        match Cell::of(&value, kind) {
            Ok(cell) => field_of(cell.raw(), kind),
            Err(_) => value,
        }
    }
}

/// What is written into a cell.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Blank,
    Boolean(bool),
    Number(f64),
    Day(f64),
    Moment(f64),
    Text(String),
}

impl Cell {
    /// The cell that holds a value.
    ///
    /// # Errors
    /// Why none does.
    fn of(field: &Field, kind: &LogicalType) -> Result<Self, String> {
        let is_any = *kind == LogicalType::Any;
        let is_number = is_any
            || matches!(
                kind,
                LogicalType::Integer { .. }
                    | LogicalType::Decimal { .. }
                    | LogicalType::Float32
                    | LogicalType::Float64
                    | LogicalType::Boolean
            );
        Ok(match field {
            Field::Null => Self::Blank,
            Field::Boolean(value) => Self::Boolean(*value),
            Field::Integer(value @ (0 | 1)) if *kind == LogicalType::Boolean => Self::Boolean(*value == 1),
            Field::Integer(value) if is_number && value.unsigned_abs() < FIFTEEN_DIGITS => Self::Number(*value as f64),
            Field::Integer(_) if is_any => {
                return Err("holds an integer of more than 15 digits in a column without a type".to_owned());
            }
            Field::Integer(value) => Self::Text(value.to_string()),
            Field::Real(value) if is_any && (!value.is_finite() || value.fract() == 0.0) => {
                let what =
                    "holds a real in a column without a type that a sheet does not tell from an integer or a text";
                return Err(what.to_owned());
            }
            Field::Real(value) if is_number && value.is_finite() => Self::Number(*value),
            Field::Real(value) if value.is_finite() => Self::Text(format!("{value:?}")),
            Field::Real(value) => Self::Text(value.to_string()),
            Field::Text(text) => return Self::of_text(text, kind),
            Field::Bytes(bytes) if *kind == LogicalType::Bytes => {
                return short(format!("\\x{}", crate::canon::hex::hex(bytes))).map(Self::Text);
            }
            Field::Bytes(_) => return Err("holds bytes, and is no column of bytes".to_owned()),
            Field::RawText(_) => return Err("holds text that is no UTF-8".to_owned()),
        })
    }

    fn of_text(text: &str, kind: &LogicalType) -> Result<Self, String> {
        let typed = match kind {
            LogicalType::Decimal { scale, .. } => exact(text, *scale).map(Self::Number),
            LogicalType::Date => Serial::of_day(text).map(|serial| Self::Day(serial.value)),
            LogicalType::Timestamp => Serial::of_moment(text).map(|serial| Self::Moment(serial.value)),
            _ => None,
        };
        match typed {
            Some(cell) => Ok(cell),
            None => short(quoted(text)).map(Self::Text),
        }
    }

    /// As it is read back.
    fn raw(self) -> Raw {
        let number = |value, is_moment| Raw::Cell(Number { serial: Serial { value, epoch: Epoch::Of1900 }, is_moment });
        match self {
            Self::Blank => Raw::Null,
            Self::Boolean(value) => Raw::Json(value.into()),
            Self::Number(value) => number(value, false),
            Self::Day(value) | Self::Moment(value) => number(value, true),
            Self::Text(text) => Raw::Text(unquoted(text)),
        }
    }
}

/// A number of a cell, before it is known what it is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Number {
    serial: Serial,
    /// Whether the cell is formatted as a day or a time.
    is_moment: bool,
}

impl Number {
    /// As a value for a column of this kind: in a column of days or moments it counts days.
    pub fn field(self, kind: &LogicalType) -> Field {
        let Self { serial, is_moment } = self;
        let read = match kind {
            LogicalType::Date => serial.day(),
            LogicalType::Time => serial.time(),
            LogicalType::Timestamp => serial.moment(""),
            LogicalType::TimestampTz => serial.moment("Z"),
            _ if is_moment => serial.day().or_else(|| serial.moment("")),
            LogicalType::Float32 | LogicalType::Float64 => None,
            // Doubles hold every integer below 2^53 exactly.
            _ if serial.value.fract() == 0.0 && serial.value.abs() < 9_007_199_254_740_992.0 => {
                return Field::Integer(serial.value as i64);
            }
            _ => None,
        };
        read.map_or(Field::Real(serial.value), Field::Text)
    }
}

/// The number that gives a decimal's digits back, with so many behind the point.
fn exact(text: &str, scale: Option<i32>) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    let value: f64 = text.parse().ok().filter(|_| is_plain && digits <= 15)?;
    let back = match scale.map(usize::try_from) {
        Some(Ok(scale)) => format!("{value:.scale$}"),
        Some(Err(_)) => return None,
        None => value.to_string(),
    };
    (back == text).then_some(value)
}

/// Whether a text has to be told from no text, or from one that had to be.
fn needs_quotes(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'"')
}

fn quoted(text: &str) -> String {
    if needs_quotes(text) { format!("\"{text}\"") } else { text.to_owned() }
}

fn unquoted(text: String) -> String {
    if text.len() >= 2 && needs_quotes(&text) { text[1..text.len() - 1].to_owned() } else { text }
}

/// A text that a cell holds whole.
fn short(text: String) -> Result<String, String> {
    let length = text.encode_utf16().count();
    if length > LONGEST {
        return Err(format!("holds {length} characters, and a cell takes {LONGEST}"));
    }
    match text.chars().find(|letter| matches!(letter, '\u{fffe}' | '\u{ffff}')) {
        Some(letter) => Err(format!("holds U+{:04X}, which no cell takes", u32::from(letter))),
        None => Ok(text),
    }
}

/// The name of a cell: `B3`. Both from 0.
fn name(row: u32, column: u32) -> String {
    let (mut letters, mut rest) = (String::new(), column + 1);
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or_default();
        letters.insert(0, char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    format!("{letters}{}", row + 1)
}
