//! What makes the values of a column, whatever the column is.

use super::{
    draw::{Draw, below, permute},
    fakes::{self, Distinct, Fake, Gives, Options},
    moment,
};
use crate::{canon::Seed, model::Value};

/// Makes the values of a column.
#[derive(Clone, Debug)]
pub enum Generator {
    /// A made-up value by name.
    Fake(&'static Fake, Options),
    /// One of a few values, each with the sum of the weights up to and including its own.
    OneOf(Vec<(Value, u64)>),
    /// Numbers in order.
    Sequence {
        /// The first row's.
        start: i64,
        /// From each row to the next.
        step: i64,
    },
    /// Text with places for digits, letters and the row's number.
    Pattern(Vec<Part>),
    /// Always the same.
    Constant(Value),
    /// JSON text with places for made-up values.
    Json(Vec<JsonPart>),
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// This text.
    Text(String),
    /// A decimal digit (`#`).
    Digit,
    /// An upper-case letter (`?`).
    Letter,
    /// The row's number from 1 (`{n}`).
    Row,
}

/// A part of a JSON template.
#[derive(Clone, Debug)]
pub enum JsonPart {
    /// This text.
    Text(String),
    /// A made-up value as JSON.
    Fake(&'static Fake, Options),
}

impl Generator {
    /// A made-up value with its default options.
    ///
    /// # Panics
    /// If no kind has that name, which is a mistake in the caller.
    pub fn fake(name: &str) -> Self {
        let fake = fakes::by_name(name).expect("the name is written in this crate and in the registry");
        Self::Fake(fake, Options::of(fake.takes))
    }

    /// One of these values, by these weights.
    pub fn one_of(values: impl IntoIterator<Item = (Value, u64)>) -> Self {
        let mut total = 0;
        Self::OneOf(
            values
                .into_iter()
                .map(|(value, weight)| {
                    total += weight;
                    (value, total)
                })
                .collect(),
        )
    }

    /// Reads a pattern: `#` is a digit, `?` a letter, `{n}` the row's number, a backslash takes the next sign as it is.
    pub fn pattern(pattern: &str) -> Self {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = pattern.chars();
        let end_text = |text: &mut String, parts: &mut Vec<Part>| {
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(text)));
            }
        };
        while let Some(sign) = rest.next() {
            let part = match sign {
                '#' => Part::Digit,
                '?' => Part::Letter,
                '{' if rest.as_str().starts_with("n}") => {
                    rest.nth(1);
                    Part::Row
                }
                '\\' => {
                    text.extend(rest.next());
                    continue;
                }
                other => {
                    text.push(other);
                    continue;
                }
            };
            end_text(&mut text, &mut parts);
            parts.push(part);
        }
        end_text(&mut text, &mut parts);
        Self::Pattern(parts)
    }

    /// Reads a JSON template: `{{name}}` stands for a made-up value of that name, as JSON.
    ///
    /// # Errors
    /// The name that is not known, or why the text around the places is not JSON.
    pub fn json(template: &str) -> Result<Self, TemplateError> {
        let (mut parts, mut example) = (Vec::new(), String::new());
        let mut rest = template;
        while let Some((text, (name, after))) =
            rest.split_once("{{").and_then(|(text, after)| Some((text, after.split_once("}}")?)))
        {
            let Some(fake) = fakes::by_name(name.trim()) else {
                return Err(TemplateError::Unknown(name.trim().to_owned()));
            };
            example.push_str(text);
            example.push('0');
            parts.push(JsonPart::Text(text.to_owned()));
            parts.push(JsonPart::Fake(fake, Options::of(fake.takes)));
            rest = after;
        }
        example.push_str(rest);
        parts.push(JsonPart::Text(rest.to_owned()));
        match serde_json::from_str::<serde_json::Value>(&example) {
            Ok(_) => Ok(Self::Json(parts)),
            Err(error) => Err(TemplateError::NotJson(error.to_string())),
        }
    }

    /// What it gives.
    pub fn gives(&self) -> Gives {
        match self {
            Self::Fake(fake, _) => fake.gives,
            Self::OneOf(_) | Self::Constant(_) => Gives::Literal,
            Self::Sequence { .. } => Gives::Integer,
            Self::Pattern(_) => Gives::Text,
            Self::Json(_) => Gives::Json,
        }
    }

    /// How many different values it can give; `None` where there is no end of them.
    pub fn capacity(&self) -> Option<u64> {
        match self {
            Self::Fake(fake, options) => fake.capacity(options),
            Self::OneOf(values) => Some(values.len() as u64),
            Self::Sequence { .. } => None,
            Self::Pattern(parts) if parts.contains(&Part::Row) => None,
            Self::Pattern(parts) => Some(parts.iter().map(Part::count).fold(1, |all, count| all.saturating_mul(count))),
            Self::Constant(_) | Self::Json(_) => Some(1),
        }
    }

    /// The characters that must not be cut off if values of so many rows are to differ.
    pub fn needed_length(&self, rows: u64) -> u32 {
        match self {
            // The longest of the shapes that begin with 64 bits of their own: a prefix and sixteen digits.
            Self::Fake(fake, _) if fake.distinct == Distinct::Inherent && fake.gives == Gives::Text => 20,
            Self::Pattern(parts) => parts.iter().map(|part| part.length(rows)).sum(),
            _ => 0,
        }
    }

    /// Whether the row's number has to be woven into its text to keep values apart.
    pub fn is_woven(&self) -> bool {
        matches!(self, Self::Fake(fake, _) if fake.distinct == Distinct::Woven)
    }

    /// Makes the value of a row. With an ordinal, values of different ordinals below the capacity differ.
    pub fn make(&self, seed: &Seed, row: u64, ordinal: Option<u64>) -> Value {
        let draw = match ordinal {
            Some(ordinal) if self.capacity().is_some() => Draw::distinct(seed, row, ordinal),
            _ => Draw::new(seed, row),
        };
        match self {
            Self::Fake(fake, options) => (fake.make)(&draw, options),
            Self::OneOf(values) => one_of(values, &draw, ordinal),
            Self::Sequence { start, step } => Value::Integer(start.wrapping_add(step.wrapping_mul(row as i64))),
            Self::Pattern(parts) => {
                let all = self.capacity().unwrap_or(u64::MAX);
                let number = ordinal.map_or_else(|| draw.number(), |ordinal| permute(seed, ordinal, all));
                Value::Text(pattern(parts, number, row))
            }
            Self::Constant(value) => value.clone(),
            Self::Json(parts) => Value::Json(json(parts, &draw)),
        }
    }
}

/// Why a JSON template cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// No made-up value has this name.
    Unknown(String),
    /// What is around the places is not JSON: why.
    NotJson(String),
}

impl Part {
    const fn count(&self) -> u64 {
        match self {
            Self::Digit => 10,
            Self::Letter => 26,
            Self::Text(_) | Self::Row => 1,
        }
    }

    fn length(&self, rows: u64) -> u32 {
        match self {
            Self::Text(text) => text.chars().count() as u32,
            Self::Digit | Self::Letter => 1,
            Self::Row => rows.max(1).ilog10() + 1,
        }
    }
}

fn one_of(values: &[(Value, u64)], draw: &Draw<'_>, ordinal: Option<u64>) -> Value {
    let position = if ordinal.is_some() {
        draw.below(values.len() as u64) as usize
    } else {
        let total = values.last().map_or(0, |(_, sum)| *sum);
        let drawn = below(draw.number(), total);
        values.partition_point(|(_, sum)| *sum <= drawn)
    };
    values[position].0.clone()
}

fn pattern(parts: &[Part], mut number: u64, row: u64) -> String {
    let mut text = String::new();
    for part in parts {
        let digit = number % part.count();
        number /= part.count();
        match part {
            Part::Text(fixed) => text.push_str(fixed),
            Part::Digit => text.push(char::from(b'0' + digit as u8)),
            Part::Letter => text.push(char::from(b'A' + digit as u8)),
            Part::Row => text.push_str(&(row + 1).to_string()),
        }
    }
    text
}

fn json(parts: &[JsonPart], draw: &Draw<'_>) -> String {
    let mut text = String::new();
    for (position, part) in parts.iter().enumerate() {
        match part {
            JsonPart::Text(fixed) => text.push_str(fixed),
            JsonPart::Fake(fake, options) => {
                let value = (fake.make)(&draw.further(position as u64), options);
                match (fake.gives, value) {
                    (Gives::Json, Value::Text(json)) => text.push_str(&json),
                    (_, value) => push_json(&mut text, value),
                }
            }
        }
    }
    text
}

fn push_json(json: &mut String, value: Value) {
    use std::fmt::Write as _;

    let written = match value {
        Value::Boolean(boolean) => write!(json, "{boolean}"),
        Value::Integer(number) => write!(json, "{number}"),
        Value::Float(number) => write!(json, "{number:?}"),
        Value::Decimal(number) => write!(json, "{number}"),
        Value::TimestampTz(micros) => write!(json, "\"{}\"", moment::instant_text(micros, moment::Form::Iso)),
        Value::Date(days) => write!(json, "\"{}\"", moment::date_text(days.into())),
        Value::Text(text) => write!(json, "{}", serde_json::Value::String(text)),
        Value::Uuid(uuid) => write!(json, "\"{}\"", super::fit::uuid_text(&uuid)),
        Value::Bytes(bytes) => write!(json, "{}", bytes.len()),
        Value::Null | Value::Time(_) | Value::Timestamp(_) | Value::Json(_) => write!(json, "null"),
    };
    written.expect("a string takes whatever is written");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn patterns_are_enumerated_without_repeating() {
        let pattern = Generator::pattern(r"A-#?\#");
        assert_eq!(pattern.capacity(), Some(260));
        let seed = Seed::root(5);
        let made = |row| match pattern.make(&seed, row, Some(row)) {
            Value::Text(text) => text,
            other => panic!("{other:?}"),
        };
        let all: BTreeSet<String> = (0..260).map(made).collect();
        assert_eq!(all.len(), 260);
        assert!(all.iter().all(|text| text.len() == 5 && text.starts_with("A-") && text.ends_with('#')), "{all:?}");
        assert_eq!(Generator::pattern("r{n}").make(&seed, 41, None), Value::Text("r42".into()));
    }

    #[test]
    fn weights_are_kept() {
        let labels = Generator::one_of([(Value::Integer(1), 1), (Value::Integer(2), 3)]);
        let seed = Seed::root(6);
        let ones = (0..10_000).filter(|row| labels.make(&seed, *row, None) == Value::Integer(1)).count();
        assert!((2300..2700).contains(&ones), "{ones} of 10000 at a weight of 1 in 4");
    }

    #[test]
    fn json_templates_give_json_or_say_why_not() {
        let template =
            Generator::json(r#"{"to":{{email}},"n":{{integer}},"at":{{datetime}},"x":{{json_object}}}"#).unwrap();
        for row in 0..50 {
            match template.make(&Seed::root(7), row, None) {
                Value::Json(text) => drop(serde_json::from_str::<serde_json::Value>(&text).unwrap()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(Generator::json("{{emial}}").unwrap_err(), TemplateError::Unknown("emial".into()));
        assert!(matches!(Generator::json("{").unwrap_err(), TemplateError::NotJson(_)));
    }
}
