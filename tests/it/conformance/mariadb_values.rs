//! What MariaDB keeps of the values at the edges, and what it refuses.

use rehearse::model::{LogicalType, Value};

/// The cell that comes back; `None` where the value is refused.
pub(super) fn kept(label: &str, kind: &LogicalType, value: &Value, bound: &str) -> Option<String> {
    let said = bound.split_once(' ').map_or("", |(_, text)| text);
    match (kind, value) {
        (LogicalType::Boolean, Value::Boolean(truth)) => Some(format!("Integer {}", u8::from(*truth))),
        // A decimal without limits has 38 digits after the point, as many as there can be.
        (LogicalType::Decimal { precision: None, .. }, _) => {
            let (whole, fraction) = said.split_once('.').unwrap_or((said, ""));
            said.starts_with(|c: char| c == '-' && !said.contains('I') || c.is_ascii_digit())
                .then(|| format!("Decimal {whole}.{fraction:0<38}"))
        }
        // The older version keeps no sign of a zero.
        (_, Value::Float(0.0)) if label.contains("10.11") => Some(bound.replace('-', "")),
        (_, Value::Float(number)) => number.is_finite().then(|| bound.to_owned()),
        // What the server padded it strips.
        (LogicalType::PaddedText { .. }, _) => Some(format!("Text {}", said.trim_end())),
        (LogicalType::Enum { .. }, _) => Some(format!("Label {said}")),
        (LogicalType::Json { .. }, Value::Json(text)) => Some(format!("Json {text}")),
        (_, Value::Date(_) | Value::Timestamp(_)) => {
            let is_held = !said.contains("infinity") && !said.ends_with(" BC") && !said.starts_with("10000");
            is_held.then(|| bound.to_owned())
        }
        // From the beginning of 1970 on, whose first instant is the date that is none.
        (_, Value::TimestampTz(micros)) => {
            (1..i64::from(i32::MAX) * 1_000_000).contains(micros).then(|| bound.to_owned())
        }
        _ => Some(bound.to_owned()),
    }
}
