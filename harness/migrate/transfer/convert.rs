//! From a field of an export file to the value that the target's column takes.

use super::field::Field;
use crate::{
    canon::{temporal, uuid},
    model::{LogicalType, Value},
};

/// Brings a field to the target's type, or tells what it is instead: "holds `abc`, which is no integer".
///
/// Only what is exact: nothing is rounded, cut or guessed here.
pub(in super::super) fn convert(field: Field, kind: &LogicalType) -> Result<Value, String> {
    if field == Field::Null {
        return Ok(Value::Null);
    }
    let refused = |field: &Field| format!("holds {}, which is no {kind}", shown(field));
    let value = match kind {
        LogicalType::Boolean => boolean(&field).map(Value::Boolean),
        LogicalType::Integer { bits } => integer(&field).filter(|value| fits(*value, *bits)).map(Value::Integer),
        LogicalType::Decimal { .. } => decimal(&field).map(Value::Decimal),
        LogicalType::Float32 | LogicalType::Float64 => real(&field).map(Value::Float),
        LogicalType::Bytes => bytes(&field).map(Value::Bytes),
        LogicalType::Uuid => match &field {
            Field::Text(text) => uuid::parse(text.as_bytes()).map(Value::Uuid),
            Field::Bytes(bytes) => bytes.as_slice().try_into().ok().map(Value::Uuid),
            _ => None,
        },
        LogicalType::Date => text(&field).and_then(temporal::parse_date).map(Value::Date),
        LogicalType::Time => text(&field).and_then(temporal::parse_time).map(Value::Time),
        LogicalType::Timestamp => micros(&field).map(Value::Timestamp),
        LogicalType::TimestampTz => micros(&field).map(Value::TimestampTz),
        LogicalType::Json { .. } => plain(&field).map(Value::Json),
        _ => plain(&field).map(Value::Text),
    };
    match value {
        Some(Value::Text(text) | Value::Json(text)) if text.contains('\0') => {
            Err("holds text with a NUL character, which the target cannot store".to_owned())
        }
        Some(Value::Text(text)) => fitting(text, kind),
        Some(value) => Ok(value),
        None => Err(refused(&field)),
    }
}

/// Text that the target's column takes whole.
fn fitting(text: String, kind: &LogicalType) -> Result<Value, String> {
    match kind {
        LogicalType::Text { limit: Some(most) } | LogicalType::PaddedText { length: most } => {
            let length = text.chars().count();
            if length > *most as usize {
                return Err(format!("holds {length} characters, and the target takes {most}"));
            }
        }
        _ => {}
    }
    Ok(Value::Text(text))
}

const fn fits(value: i64, bits: u8) -> bool {
    match bits {
        16 => value >= i16::MIN as i64 && value <= i16::MAX as i64,
        32 => value >= i32::MIN as i64 && value <= i32::MAX as i64,
        _ => true,
    }
}

fn boolean(field: &Field) -> Option<bool> {
    match field {
        Field::Boolean(value) => Some(*value),
        Field::Integer(0) => Some(false),
        Field::Integer(1) => Some(true),
        Field::Text(text) => match text.to_ascii_lowercase().as_str() {
            "t" | "true" | "1" | "yes" | "y" | "on" => Some(true),
            "f" | "false" | "0" | "no" | "n" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer(field: &Field) -> Option<i64> {
    match field {
        Field::Integer(value) => Some(*value),
        Field::Boolean(value) => Some(i64::from(*value)),
        Field::Text(text) => text.trim().parse().ok(),
        // Doubles hold every integer below 2^53 exactly.
        Field::Real(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => Some(*value as i64),
        _ => None,
    }
}

fn decimal(field: &Field) -> Option<String> {
    match field {
        Field::Integer(value) => Some(value.to_string()),
        Field::Real(value) if value.is_nan() => Some("NaN".to_owned()),
        Field::Real(value) if value.is_infinite() => {
            Some(if *value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned())
        }
        Field::Real(value) => Some(format!("{value:?}")),
        Field::Text(text) => {
            let text = text.trim();
            let plausible = text.bytes().any(|byte| byte.is_ascii_digit())
                && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
            plausible.then(|| text.to_owned())
        }
        _ => None,
    }
}

fn real(field: &Field) -> Option<f64> {
    match field {
        Field::Real(value) => Some(*value),
        // Integers that a double holds exactly.
        Field::Integer(value) if (*value as f64) as i64 == *value => Some(*value as f64),
        Field::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn bytes(field: &Field) -> Option<Vec<u8>> {
    match field {
        Field::Bytes(bytes) | Field::RawText(bytes) => Some(bytes.clone()),
        Field::Text(text) => Some(text.clone().into_bytes()),
        _ => plain(field).map(String::into_bytes),
    }
}

fn micros(field: &Field) -> Option<i64> {
    match field {
        Field::Text(text) => temporal::parse_timestamp(text).map(|moment| moment.micros),
        Field::Integer(value) => Some(temporal::epoch_to_micros(*value)),
        _ => None,
    }
}

const fn text(field: &Field) -> Option<&str> {
    match field {
        Field::Text(text) => Some(text.as_str()),
        _ => None,
    }
}

/// The text of a field for a column of text: SQLite columns of any declaration may hold numbers.
fn plain(field: &Field) -> Option<String> {
    match field {
        Field::Text(text) => Some(text.clone()),
        Field::Integer(value) => Some(value.to_string()),
        Field::Real(value) => Some(format!("{value:?}")),
        Field::Boolean(value) => Some(value.to_string()),
        Field::Null | Field::RawText(_) | Field::Bytes(_) => None,
    }
}

/// What a field is, without its value: messages end up in logs.
fn shown(field: &Field) -> &'static str {
    match field {
        Field::Null => "NULL",
        Field::Boolean(_) => "a boolean",
        Field::Integer(_) => "an integer",
        Field::Real(_) => "a real",
        Field::Text(_) => "a text",
        Field::RawText(_) => "text that is no UTF-8",
        Field::Bytes(_) => "bytes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_is_exact_and_refuses_the_rest() {
        let text = |text: &str| Field::Text(text.to_owned());
        assert_eq!(convert(Field::Integer(1), &LogicalType::Boolean), Ok(Value::Boolean(true)));
        assert_eq!(convert(text("t"), &LogicalType::Boolean), Ok(Value::Boolean(true)));
        assert!(convert(Field::Integer(2), &LogicalType::Boolean).is_err());
        assert_eq!(convert(text("42"), &LogicalType::Integer { bits: 32 }), Ok(Value::Integer(42)));
        assert!(convert(Field::Integer(1 << 40), &LogicalType::Integer { bits: 32 }).is_err());
        assert!(convert(text("abc"), &LogicalType::Integer { bits: 64 }).is_err());
        assert!(convert(Field::Real(0.5), &LogicalType::Integer { bits: 64 }).is_err());
        assert!(convert(text("a\0b"), &LogicalType::Text { limit: None }).is_err());
        assert!(convert(text("äöü"), &LogicalType::Text { limit: Some(3) }).is_ok());
        assert!(convert(text("äöüß"), &LogicalType::Text { limit: Some(3) }).is_err());
        assert_eq!(convert(Field::Null, &LogicalType::Uuid), Ok(Value::Null));
        assert!(convert(Field::Integer(9_007_199_254_740_993), &LogicalType::Float64).is_err());
    }
}
