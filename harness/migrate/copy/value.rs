//! From a cell of the source to the value that the target's column takes.
//!
//! Only what is exact: nothing is rounded, cut or guessed. What a column would bend in silence (digits behind the point, blanks
//! beyond a limit, parts of a second) is refused here, since no server would.

use super::{array, number};
use crate::{
    canon::{Cell, Nest, Rule, temporal, text_of, uuid},
    model::{LogicalType, Value, catalogue::Column},
};

/// How values of one column are made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Making {
    /// What the target's column holds.
    kind: LogicalType,
    /// How the source's values are to be understood, where that is stated.
    rule: Option<Rule>,
    /// Both columns are declared alike in one engine: a value is carried as it is.
    is_own: bool,
    /// Whether the column's type binds its values.
    is_bound: bool,
    /// Whether the column holds nothing but true and false.
    is_truth: bool,
    /// Digits of a second that the column keeps.
    fraction: u32,
}

/// Why a value cannot be carried, without the value: messages end up in logs.
pub(super) type Unfit = String;

impl Making {
    /// How values for a column are made; `alike` is the source's column, where both are of one engine.
    pub fn new(column: &Column, alike: Option<&Column>, rule: Option<Rule>, is_bound: bool) -> Self {
        let declared = column.declared.to_ascii_lowercase();
        Self {
            kind: column.kind.clone(),
            rule,
            is_own: rule.is_none() && alike.is_some_and(|other| other.declared == column.declared),
            is_bound,
            is_truth: declared.starts_with("bool"),
            fraction: fraction(&declared),
        }
    }

    /// The value for a cell.
    pub fn value(&self, cell: &Cell<'_>) -> Result<Value, Unfit> {
        if self.is_own {
            return raw(cell);
        }
        match self.made(cell) {
            // A column that holds anything holds this as well.
            Err(_) if !self.is_bound => raw(cell),
            made => made,
        }
    }

    fn made(&self, cell: &Cell<'_>) -> Result<Value, Unfit> {
        let refused = || format!("holds {}, which is no {}", shown(cell), self.kind);
        let made = match (&self.kind, cell) {
            (_, Cell::Null) => Some(Value::Null),
            (LogicalType::Boolean, _) => self.boolean(cell),
            (LogicalType::Integer { bits }, _) => number::integer(cell, *bits).map(Value::Integer),
            (LogicalType::Decimal { precision, scale }, _) => {
                return number::decimal(cell, *precision, *scale, self.is_bound)?
                    .map(Value::Decimal)
                    .ok_or_else(refused);
            }
            (LogicalType::Float32 | LogicalType::Float64, _) => number::real(cell).map(Value::Float),
            (LogicalType::Bytes, _) => self.bytes(cell).map(Value::Bytes),
            (LogicalType::Uuid, _) => self.uuid(cell).map(Value::Uuid),
            (LogicalType::Date, _) => date(cell).map(Value::Date),
            (LogicalType::Time, Cell::Time(micros)) => return self.whole(*micros, Value::Time(*micros)),
            (LogicalType::Time, _) => match text(cell).and_then(temporal::parse_time) {
                Some(micros) => return self.whole(micros, Value::Time(micros)),
                None => matches!(cell, Cell::Interval { .. }).then(|| printed(cell)).flatten(),
            },
            (LogicalType::Timestamp, _) => return self.moment(cell, Value::Timestamp)?.ok_or_else(refused),
            (LogicalType::TimestampTz, _) => return self.moment(cell, Value::TimestampTz)?.ok_or_else(refused),
            (LogicalType::Json { .. }, Cell::Nested(Nest::Array, array)) => array::json(array).map(Value::Json),
            (LogicalType::Json { .. }, _) => text(cell).map(|text| Value::Json(text.to_owned())),
            (LogicalType::Text { limit }, _) => return self.text(cell, *limit)?.ok_or_else(refused),
            (LogicalType::PaddedText { length }, _) => return self.text(cell, Some(*length))?.ok_or_else(refused),
            (LogicalType::Any, _) => return raw(cell),
            (LogicalType::Array(_), Cell::Text(json) | Cell::Json(json) | Cell::Jsonb(json))
                if json.trim_ascii_start().starts_with(b"[") =>
            {
                // What only looks like JSON may be an array with its bounds.
                array::literal(json).map(Value::Text).or_else(|| printed(cell))
            }
            (_, Cell::Opaque(bytes)) => Some(Value::Bytes(bytes.to_vec())),
            (_, Cell::Bytes(_)) => None,
            _ => printed(cell),
        };
        made.ok_or_else(refused)
    }

    fn boolean(&self, cell: &Cell<'_>) -> Option<Value> {
        let truth = match *cell {
            Cell::Boolean(truth) => truth,
            Cell::Integer(number @ (0 | 1)) => number == 1,
            // `tinyint(1)` holds more than its name says.
            Cell::Integer(number) if !self.is_truth && i8::try_from(number).is_ok() => {
                return Some(Value::Integer(number));
            }
            Cell::Bits { length: 1, bytes } => bytes.first().is_some_and(|byte| byte & 0x80 != 0),
            _ => match text(cell)?.trim().to_ascii_lowercase().as_str() {
                "t" | "true" | "1" | "yes" | "y" | "on" => true,
                "f" | "false" | "0" | "no" | "n" | "off" => false,
                _ => return None,
            },
        };
        Some(Value::Boolean(truth))
    }

    fn bytes(&self, cell: &Cell<'_>) -> Option<Vec<u8>> {
        match *cell {
            Cell::Bytes(bytes) | Cell::Opaque(bytes) => Some(bytes.to_vec()),
            Cell::Uuid(bytes) => Some(self.order().map_or(bytes, |order| order.there(bytes)).to_vec()),
            // Text is no bytes, unless somebody says that it is.
            _ if self.rule == Some(Rule::Octets) => text(cell).map(|text| text.as_bytes().to_vec()),
            _ if self.order().is_some() || self.rule == Some(Rule::Uuid) => {
                let bytes = uuid::parse(text(cell)?.as_bytes())?;
                Some(self.order().map_or(bytes, |order| order.there(bytes)).to_vec())
            }
            _ => None,
        }
    }

    fn uuid(&self, cell: &Cell<'_>) -> Option<[u8; 16]> {
        match *cell {
            Cell::Uuid(bytes) => Some(bytes),
            Cell::Bytes(bytes) => {
                let bytes = bytes.try_into().ok()?;
                Some(self.order().map_or(bytes, |order| order.back(bytes)))
            }
            _ => uuid::parse(text(cell)?.as_bytes()),
        }
    }

    const fn order(&self) -> Option<Order> {
        match self.rule {
            Some(Rule::UuidSwapped) => Some(Order::Swapped),
            Some(Rule::UuidMixedEndian) => Some(Order::MixedEndian),
            _ => None,
        }
    }

    fn moment(&self, cell: &Cell<'_>, with: fn(i64) -> Value) -> Result<Option<Value>, Unfit> {
        let micros = match *cell {
            Cell::Timestamp(micros) | Cell::TimestampTz(micros) => Some(micros),
            Cell::Date(i32::MAX) => Some(i64::MAX),
            Cell::Date(i32::MIN) => Some(i64::MIN),
            Cell::Date(days) => i64::from(days).checked_mul(DAY),
            Cell::Integer(count) => match self.rule.and_then(|rule| rule.epoch_unit()) {
                Some(unit) => count.checked_mul(unit),
                None => {
                    let what = "holds an integer, and nobody says what it counts";
                    return Err(format!("{what} (`as = \"epoch_seconds\"` or `\"epoch_milliseconds\"` does)"));
                }
            },
            _ => match text(cell).map(str::trim).and_then(temporal::parse_timestamp) {
                Some(moment) if moment.rounded && self.is_bound => {
                    return Err("holds a moment with more digits of a second than the target keeps".to_owned());
                }
                moment => moment.map(|moment| moment.micros),
            },
        };
        micros.map(|micros| self.whole(micros, with(micros))).transpose()
    }

    /// A time whose digits the column keeps.
    fn whole(&self, micros: i64, value: Value) -> Result<Value, Unfit> {
        let unit = 10_i64.pow(6 - self.fraction);
        if self.is_bound && micros % unit != 0 && micros != i64::MAX && micros != i64::MIN {
            return Err(format!("holds parts of a second, of which the target keeps {} digits", self.fraction));
        }
        Ok(value)
    }

    fn text(&self, cell: &Cell<'_>, limit: Option<u32>) -> Result<Option<Value>, Unfit> {
        let value = match cell {
            Cell::Bytes(_) | Cell::Opaque(_) => None,
            _ => printed(cell),
        };
        if let (Some(Value::Text(text)), Some(most), true) = (&value, limit, self.is_bound) {
            // The blanks of a padded column come and go by themselves.
            let kept =
                if matches!(self.kind, LogicalType::PaddedText { .. }) { text.trim_end_matches(' ') } else { text };
            let length = kept.chars().count();
            if length > most as usize {
                return Err(format!("holds {length} characters, and the target takes {most}"));
            }
        }
        Ok(value)
    }
}

const DAY: i64 = 86_400_000_000;

/// An order of a UUID's bytes other than its own.
#[derive(Clone, Copy)]
enum Order {
    /// High, middle and low field of the time.
    Swapped,
    /// Its first three fields in little-endian order.
    MixedEndian,
}

impl Order {
    /// The bytes in this order.
    const fn there(self, [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Swapped => [g, h, e, f, a, b, c, d, i, j, k, l, m, n, o, p],
            Self::MixedEndian => [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p],
        }
    }

    /// The bytes out of this order.
    const fn back(self, bytes: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Swapped => {
                let [g, h, e, f, a, b, c, d, i, j, k, l, m, n, o, p] = bytes;
                [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
            }
            Self::MixedEndian => self.there(bytes),
        }
    }
}

/// Digits of a second that a column declared like this keeps. MariaDB's types keep none unless they say so, PostgreSQL's six.
fn fraction(declared: &str) -> u32 {
    let inside = declared.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    match inside.and_then(|(inside, _)| inside.trim().parse().ok()) {
        Some(digits @ 0..=6) => digits,
        _ if ["datetime", "timestamp", "time"].contains(&declared) => 0,
        _ => 6,
    }
}

fn date(cell: &Cell<'_>) -> Option<i32> {
    let of_moment = |micros: i64| match micros {
        i64::MAX => Some(i32::MAX),
        i64::MIN => Some(i32::MIN),
        // A time of day would be lost.
        _ if micros.rem_euclid(DAY) != 0 => None,
        _ => i32::try_from(micros.div_euclid(DAY)).ok(),
    };
    match *cell {
        Cell::Date(days) => Some(days),
        Cell::Timestamp(micros) | Cell::TimestampTz(micros) => of_moment(micros),
        _ => {
            let text = text(cell)?.trim();
            temporal::parse_date(text)
                .or_else(|| temporal::parse_timestamp(text).and_then(|moment| of_moment(moment.micros)))
        }
    }
}

/// The characters of a cell that holds such.
pub(super) fn text<'a>(cell: &Cell<'a>) -> Option<&'a str> {
    match *cell {
        Cell::Text(bytes) | Cell::Json(bytes) | Cell::Jsonb(bytes) | Cell::Label(bytes) => str::from_utf8(bytes).ok(),
        Cell::PaddedText(bytes) => str::from_utf8(bytes).ok().map(|text| text.trim_end_matches(' ')),
        _ => None,
    }
}

/// The text of a cell, whatever it holds; `None` for text that is no UTF-8.
fn printed(cell: &Cell<'_>) -> Option<Value> {
    match cell {
        Cell::Text(_) | Cell::PaddedText(_) | Cell::Json(_) | Cell::Jsonb(_) | Cell::Label(_) => {
            text(cell).map(|text| Value::Text(text.to_owned()))
        }
        _ => text_of(cell).map(Value::Text),
    }
}

/// A value as it is.
fn raw(cell: &Cell<'_>) -> Result<Value, Unfit> {
    Ok(match *cell {
        Cell::Null => Value::Null,
        Cell::Boolean(truth) => Value::Boolean(truth),
        Cell::Integer(number) => Value::Integer(number),
        Cell::Float32(number) => Value::Float(number.into()),
        Cell::Float64(number) => Value::Float(number),
        Cell::Uuid(bytes) => Value::Uuid(bytes),
        Cell::Date(days) => Value::Date(days),
        Cell::Time(micros) => Value::Time(micros),
        Cell::Timestamp(micros) => Value::Timestamp(micros),
        Cell::TimestampTz(micros) => Value::TimestampTz(micros),
        Cell::Bytes(bytes) | Cell::Opaque(bytes) => Value::Bytes(bytes.to_vec()),
        Cell::Decimal(_) => number::plain(cell).map(Value::Decimal).unwrap_or(Value::Null),
        Cell::PaddedText(bytes) => str::from_utf8(bytes)
            .map(|text| Value::Text(text.to_owned()))
            .map_err(|_| format!("holds {}", shown(cell)))?,
        _ => printed(cell).ok_or_else(|| format!("holds {}", shown(cell)))?,
    })
}

/// What a cell is, without its value.
fn shown(cell: &Cell<'_>) -> &'static str {
    match cell {
        Cell::Null => "NULL",
        Cell::Boolean(_) => "a boolean",
        Cell::Integer(_) => "an integer",
        Cell::Float32(_) | Cell::Float64(_) => "a real",
        Cell::Decimal(_) => "a decimal",
        Cell::Text(bytes) | Cell::PaddedText(bytes) if str::from_utf8(bytes).is_err() => "text that is no UTF-8",
        Cell::Text(_) | Cell::PaddedText(_) => "a text",
        Cell::Bytes(_) => "bytes",
        Cell::Uuid(_) => "a UUID",
        Cell::Date(_) => "a day",
        Cell::Time(_) | Cell::TimeTz(..) => "a time of day",
        Cell::Timestamp(_) | Cell::TimestampTz(_) => "a moment",
        Cell::Interval { .. } => "a span",
        Cell::Json(_) | Cell::Jsonb(_) => "JSON",
        Cell::Label(_) => "a label",
        Cell::Bits { .. } => "bits",
        Cell::Network { .. } | Cell::MacAddress(_) => "an address",
        Cell::Nested(..) => "a value of several values",
        Cell::Opaque(_) => "a value of a type of its own",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalogue::Generation;

    fn making(declared: &str, kind: LogicalType, rule: Option<Rule>) -> Making {
        let column = Column {
            name: "c".to_owned(),
            declared: declared.to_owned(),
            kind,
            nullable: true,
            default: None,
            generation: Generation::None,
            collation: None,
        };
        Making::new(&column, None, rule, true)
    }

    #[test]
    fn what_is_exact_is_taken_and_the_rest_is_refused() {
        let of = |declared: &str, kind: LogicalType, cell: Cell<'_>| making(declared, kind, None).value(&cell);
        let varchar = || LogicalType::Text { limit: Some(3) };
        assert_eq!(of("boolean", LogicalType::Boolean, Cell::Integer(1)), Ok(Value::Boolean(true)));
        assert_eq!(of("tinyint(1)", LogicalType::Boolean, Cell::Integer(2)), Ok(Value::Integer(2)));
        assert!(of("boolean", LogicalType::Boolean, Cell::Integer(2)).is_err());
        assert!(of("varchar(3)", varchar(), Cell::Text(b"abc ")).is_err(), "blanks beyond the limit go in silence");
        assert_eq!(of("char(3)", LogicalType::PaddedText { length: 3 }, Cell::Text(b"a    ")).map(|_| ()), Ok(()));
        assert!(of("text", LogicalType::Text { limit: None }, Cell::Bytes(b"a")).is_err());
        assert!(of("blob", LogicalType::Bytes, Cell::Text(b"a")).is_err());
        assert!(of("text", LogicalType::Text { limit: None }, Cell::Text(b"\xc3\x28")).is_err());
        let moment = Cell::Timestamp(1_500_000);
        assert!(of("datetime", LogicalType::Timestamp, moment).is_err());
        assert_eq!(of("datetime(1)", LogicalType::Timestamp, moment), Ok(Value::Timestamp(1_500_000)));
        assert_eq!(of("timestamp without time zone", LogicalType::Timestamp, moment), Ok(Value::Timestamp(1_500_000)));
        assert!(of("date", LogicalType::Date, moment).is_err());
        assert!(of("timestamp", LogicalType::Timestamp, Cell::Integer(1)).unwrap_err().contains("epoch_seconds"));
    }

    #[test]
    fn orders_of_uuids_are_undone() {
        let plain: [u8; 16] = std::array::from_fn(|at| at as u8);
        for rule in [Rule::UuidSwapped, Rule::UuidMixedEndian] {
            let there = making("binary(16)", LogicalType::Bytes, Some(rule)).value(&Cell::Uuid(plain)).unwrap();
            let Value::Bytes(there) = there else { panic!("{there:?}") };
            assert_ne!(there, plain);
            let back = making("uuid", LogicalType::Uuid, Some(rule)).value(&Cell::Bytes(&there));
            assert_eq!(back, Ok(Value::Uuid(plain)), "{rule}");
        }
    }
}
