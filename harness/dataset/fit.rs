//! Fits what a generator gives to the column that it is for.

use super::{
    fakes::Gives,
    moment::{DAY, Form, date_text, instant_text, time_text},
};
use crate::model::{LogicalType, Value};

/// How values are fitted to one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    shape: Shape,
    /// How instants and days are written, where the author says so.
    form: Option<Form>,
    /// The longest text, in characters.
    pub limit: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Boolean,
    Integer,
    Decimal,
    Float,
    Text,
    Bytes,
    Uuid,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Json,
    Any,
}

impl Fit {
    /// The fit of a generator to a column; `None` if what it gives is not what the column is for.
    pub fn of(gives: Gives, kind: &LogicalType, form: Option<Form>, limit: Option<u32>) -> Option<Self> {
        let shape = match kind {
            LogicalType::Boolean => Shape::Boolean,
            LogicalType::Integer { .. } => Shape::Integer,
            LogicalType::Decimal { .. } => Shape::Decimal,
            LogicalType::Float32 | LogicalType::Float64 => Shape::Float,
            LogicalType::Text { .. } | LogicalType::PaddedText { .. } | LogicalType::Enum { .. } => Shape::Text,
            LogicalType::Bytes => Shape::Bytes,
            LogicalType::Uuid => Shape::Uuid,
            LogicalType::Date => Shape::Date,
            LogicalType::Time => Shape::Time,
            LogicalType::Timestamp => Shape::Timestamp,
            LogicalType::TimestampTz => Shape::TimestampTz,
            LogicalType::Json { .. } => Shape::Json,
            LogicalType::Set { .. } => Shape::Text,
            LogicalType::Interval
            | LogicalType::TimeTz
            | LogicalType::Bits
            | LogicalType::Network
            | LogicalType::MacAddress
            | LogicalType::Array(_)
            | LogicalType::Range(_)
            | LogicalType::Multirange(_)
            | LogicalType::Map
            | LogicalType::Composite(_)
            | LogicalType::Any
            | LogicalType::Printed(_)
            | LogicalType::Other(_) => Shape::Any,
        };
        let limit = match kind {
            LogicalType::Text { limit: Some(declared) } | LogicalType::PaddedText { length: declared } => {
                Some(limit.map_or(*declared, |known| known.min(*declared)))
            }
            _ => limit,
        };
        let fits = match gives {
            Gives::Literal => true,
            Gives::Prose | Gives::Text => matches!(shape, Shape::Text | Shape::Any),
            Gives::Integer => {
                matches!(shape, Shape::Integer | Shape::Decimal | Shape::Float | Shape::Text | Shape::Any)
            }
            Gives::Decimal | Gives::Real => matches!(shape, Shape::Decimal | Shape::Float | Shape::Text | Shape::Any),
            Gives::Boolean => matches!(shape, Shape::Boolean | Shape::Integer | Shape::Text | Shape::Any),
            Gives::Bytes => matches!(shape, Shape::Bytes | Shape::Any),
            Gives::Uuid => {
                matches!(shape, Shape::Uuid | Shape::Bytes | Shape::Any)
                    || (shape == Shape::Text && limit.is_none_or(|limit| limit >= 36))
            }
            Gives::Instant | Gives::Day => matches!(
                shape,
                Shape::Date
                    | Shape::Time
                    | Shape::Timestamp
                    | Shape::TimestampTz
                    | Shape::Text
                    | Shape::Integer
                    | Shape::Any
            ),
            Gives::Json => matches!(shape, Shape::Json | Shape::Text | Shape::Any),
        };
        fits.then_some(Self { shape, form, limit })
    }

    /// Fits a value.
    pub fn apply(&self, value: Value) -> Value {
        match (self.shape, value) {
            (_, Value::TimestampTz(micros)) => self.instant(micros),
            (_, Value::Date(days)) => self.day(days),
            (Shape::Text, Value::Text(text)) => Value::Text(self.cut(text)),
            (Shape::Json, Value::Text(text)) => Value::Json(text),
            (Shape::Text | Shape::Any, Value::Json(text)) => Value::Text(self.cut(text)),
            (Shape::Text | Shape::Any, Value::Uuid(uuid)) => Value::Text(uuid_text(&uuid)),
            (Shape::Bytes, Value::Uuid(uuid)) => Value::Bytes(uuid.to_vec()),
            (Shape::Uuid, Value::Text(text)) => parse_uuid(&text).map_or(Value::Text(text), Value::Uuid),
            (Shape::Text, Value::Integer(number)) => Value::Text(number.to_string()),
            (Shape::Text, Value::Float(number)) => Value::Text(number.to_string()),
            (Shape::Text, Value::Boolean(boolean)) => Value::Text(boolean.to_string()),
            (Shape::Text | Shape::Any, Value::Decimal(text)) => Value::Text(self.cut(text)),
            (Shape::Integer, Value::Boolean(boolean)) => Value::Integer(boolean.into()),
            (Shape::Boolean, Value::Integer(number @ (0 | 1))) => Value::Boolean(number == 1),
            (Shape::Decimal, Value::Integer(number)) => Value::Decimal(number.to_string()),
            (Shape::Decimal, Value::Float(number)) => Value::Decimal(number.to_string()),
            (Shape::Float, Value::Integer(number)) => Value::Float(number as f64),
            (Shape::Float, Value::Decimal(text)) => {
                Value::Float(text.parse().expect("decimals are made of digits and one point"))
            }
            (_, other) => other,
        }
    }

    /// Weaves a number into text so that texts of different numbers differ, within the limit: before the `@` of an
    /// address, else at the end. Also where a unique index ignores case.
    pub fn weave(&self, value: Value, number: u64) -> Value {
        let Value::Text(text) = value else { return value };
        let digits = number.to_string();
        let (name, sign, domain) = match text.split_once('@') {
            Some((name, domain)) => (name, '.', format!("@{domain}")),
            None => (text.as_str(), '-', String::new()),
        };
        let woven = format!("{name}{sign}{digits}{domain}");
        let Some(limit) = self.limit.map(|limit| limit as usize) else { return Value::Text(woven) };
        if woven.chars().count() <= limit {
            return Value::Text(woven);
        }
        let Some(room) = limit.checked_sub(digits.len() + 1) else {
            return Value::Text(format!("{digits:0>limit$}"));
        };
        Value::Text(format!("{}-{digits}", text.chars().take(room).collect::<String>()))
    }

    /// Whether different values stay different: an instant does not, as a day, a time or in seconds.
    pub fn keeps_apart(&self, gives: Gives) -> bool {
        let is_coarse = self.form == Some(Form::EpochS) || matches!(self.shape, Shape::Date | Shape::Time);
        gives != Gives::Instant || !is_coarse
    }

    /// How many numbers can be woven in.
    pub fn woven_capacity(&self) -> Option<u64> {
        self.limit.and_then(|limit| 10_u64.checked_pow(limit)).map(|all| all - 1)
    }

    fn cut(&self, mut text: String) -> String {
        let Some(limit) = self.limit.map(|limit| limit as usize) else { return text };
        if text.len() > limit
            && let Some((end, _)) = text.char_indices().nth(limit)
        {
            text.truncate(end);
        }
        text
    }

    fn instant(&self, micros: i64) -> Value {
        match (self.form, self.shape) {
            (Some(form @ (Form::Iso | Form::IsoSpace)), Shape::Date) => self.written_day(micros, form),
            (Some(form @ (Form::Iso | Form::IsoSpace)), _) => Value::Text(instant_text(micros, form)),
            (Some(Form::EpochS), _) => Value::Integer(micros.div_euclid(1_000_000)),
            (Some(Form::EpochMs), _) | (None, Shape::Integer) => Value::Integer(micros.div_euclid(1000)),
            (None, Shape::Timestamp) => Value::Timestamp(micros),
            (None, Shape::Date) => Value::Date(day_of(micros)),
            (None, Shape::Time) => Value::Time(micros.rem_euclid(DAY)),
            (None, Shape::TimestampTz) => Value::TimestampTz(micros),
            (None, _) => Value::Text(instant_text(micros, Form::Iso)),
        }
    }

    fn day(&self, days: i32) -> Value {
        let micros = i64::from(days) * DAY;
        match (self.form, self.shape) {
            (Some(Form::Iso | Form::IsoSpace), _) => self.written_day(micros, Form::Iso),
            (None, Shape::Date) => Value::Date(days),
            (None, Shape::Text | Shape::Any) => Value::Text(date_text(days.into())),
            _ => self.instant(micros),
        }
    }

    fn written_day(&self, micros: i64, form: Form) -> Value {
        match self.shape {
            Shape::Timestamp | Shape::TimestampTz => Value::Text(instant_text(micros, form)),
            Shape::Time => Value::Text(time_text(micros.rem_euclid(DAY))),
            _ => Value::Text(date_text(day_of(micros).into())),
        }
    }
}

fn day_of(micros: i64) -> i32 {
    i32::try_from(micros.div_euclid(DAY)).expect("64 bits of microseconds are fewer than 2^31 days")
}

/// Lower-case text with hyphens.
pub fn uuid_text(uuid: &[u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(36);
    for (position, byte) in uuid.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|sign| *sign != '-').collect();
    (digits.len() == 32).then(|| u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_fit(limit: Option<u32>) -> Fit {
        Fit::of(Gives::Text, &LogicalType::Text { limit }, None, None).unwrap()
    }

    #[test]
    fn woven_numbers_survive_any_limit() {
        let weave = |limit, text: &str, number| match text_fit(limit).weave(Value::Text(text.into()), number) {
            Value::Text(text) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(weave(None, "ada@example.com", 7), "ada.7@example.com");
        assert_eq!(weave(Some(12), "ada@example.com", 7), "ada@exampl-7");
        assert_eq!(weave(Some(2), "Turkey", 17), "17");
        assert_eq!(weave(Some(3), "Turkey", 17), "-17");
        assert_eq!(weave(None, "x", 17), "x-17");
        assert_eq!(text_fit(Some(2)).woven_capacity(), Some(99));
    }

    #[test]
    fn moments_take_the_form_of_the_column_or_of_the_author() {
        let fit = |kind: &LogicalType, form| Fit::of(Gives::Instant, kind, form, None).unwrap();
        let instant = Value::TimestampTz(1_000_000);
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(fit(&LogicalType::Timestamp, None).apply(instant.clone()), Value::Timestamp(1_000_000));
        assert_eq!(fit(&LogicalType::Timestamp, Some(Form::EpochMs)).apply(instant.clone()), Value::Integer(1000));
        let iso = fit(&LogicalType::Timestamp, Some(Form::Iso)).apply(instant);
        assert_eq!(iso, text("1970-01-01T00:00:01.000Z"));
        assert_eq!(fit(&LogicalType::Date, Some(Form::Iso)).apply(Value::Date(1)), text("1970-01-02"));
        assert_eq!(fit(&LogicalType::Text { limit: None }, None).apply(Value::Date(1)), text("1970-01-02"));
    }

    #[test]
    fn what_a_column_is_not_for_does_not_fit() {
        let fits = |gives, kind: LogicalType| Fit::of(gives, &kind, None, None).is_some();
        assert!(!fits(Gives::Text, LogicalType::Integer { bits: 64 }));
        assert!(!fits(Gives::Uuid, LogicalType::Text { limit: Some(20) }));
        assert!(!fits(Gives::Boolean, LogicalType::TimestampTz));
        assert!(fits(Gives::Uuid, LogicalType::Text { limit: Some(36) }));
    }
}
