//! Values at the edge of what engines hold: what real data holds somewhere, and what migrations lose first.
//!
//! Only values that every engine here can store are among them (no NUL, no NaN), so that a right migration passes.

use super::{fakes::Gives, moment::DAY};
use crate::model::{LogicalType, Value};

const TEXTS: &[&str] = &[
    "",
    " ",
    "NULL",
    "<null>",
    "\\N",
    "null",
    "true",
    "0",
    "DEFAULT_REPLACEMENT_STRING",
    "\u{1f600} \u{1f469}\u{200d}\u{1f52c}",
    "caf\u{e9}",
    "cafe\u{301}",
    "stra\u{df}e STRASSE I\u{130}i\u{131}",
    "first\r\nsecond\nthird",
    "\ttab\t",
    "\u{10348}\u{2070e}",
    "trailing  ",
    "  leading",
    "back\\slash\\",
    "'single' \"double\" `back`",
    "zero\u{200b}width\u{feff}",
    "\u{202e}right to left",
    "\u{c3}\u{a9} \u{20ac} \u{fffd}",
    "{\"not\": json",
    "a,b;c|d",
    "\u{1}\u{8}\u{1f}",
    "-- ; DROP TABLE x; --",
];

const JSON: &[&str] = &[
    "{}",
    "[]",
    "null",
    "\"\"",
    "0",
    r#"{"e":"\u00e9","pair":"\ud83d\ude00","raw":"é😀"}"#,
    r#"{"n":1.0,"m":1,"big":9007199254740993,"huge":123456789012345678901234567890,"tiny":1e-5}"#,
    r#"{"zz":1,"a":2,"mm":{"deep":[[[{"er":[]}]]]}}"#,
    "{ \"spaced\" :  [ 1 , 2 ] }",
    r#"{"":"empty key","null":null,"text":"null"}"#,
    r#"["line\nbreak","quote\"","back\\slash","\/"]"#,
];

const DECIMALS: &[&str] = &["0", "0.01", "-0.01", "1.10", "99999999999.99", "-99999999999.99", "0.5", "2.5"];

/// Milliseconds since 1970: the first and last second of four-digit years, around 1970, leap days, 2038, a change of
/// summer time, the last millisecond of a day.
const MILLIS: &[i64] = &[
    -62_135_596_800_000,
    253_402_300_799_999,
    0,
    -1,
    951_782_400_000,
    1_709_251_199_999,
    2_147_483_647_000,
    2_147_483_648_000,
    1_710_037_800_000,
    1_735_689_599_999,
];

/// Edge values for a column, in the form in which its generator gives values.
pub fn values(gives: Gives, kind: &LogicalType, is_key: bool) -> Vec<Value> {
    match gives {
        Gives::Prose | Gives::Text => texts(kind),
        Gives::Literal => match kind {
            LogicalType::Text { .. } => texts(kind),
            _ => Vec::new(),
        },
        Gives::Integer => integers(kind),
        Gives::Decimal => {
            DECIMALS.iter().filter(|text| fits(text, kind)).map(|text| Value::Decimal(text.to_string())).collect()
        }
        Gives::Real => reals(kind),
        Gives::Bytes => {
            [vec![], vec![0], vec![0xff; 3], b"text".to_vec(), (0..=255).collect()].map(Value::Bytes).into()
        }
        Gives::Uuid if !is_key && matches!(kind, LogicalType::Text { .. }) => uuid_spellings(),
        Gives::Uuid | Gives::Boolean => Vec::new(),
        Gives::Instant => instants(kind),
        Gives::Day => MILLIS.iter().map(|ms| Value::Date((ms * 1000).div_euclid(DAY) as i32)).collect(),
        Gives::Json => JSON.iter().map(|text| Value::Json((*text).to_owned())).collect(),
    }
}

fn texts(kind: &LogicalType) -> Vec<Value> {
    let limit = match kind {
        LogicalType::Text { limit: Some(limit) } => *limit as usize,
        LogicalType::Text { limit: None } | LogicalType::Any => usize::MAX,
        // Padding makes some of these equal, and other types take none of them.
        _ => return Vec::new(),
    };
    TEXTS.iter().filter(|text| text.chars().count() <= limit).map(|text| Value::Text((*text).to_owned())).collect()
}

fn integers(kind: &LogicalType) -> Vec<Value> {
    let bits = match kind {
        LogicalType::Integer { bits } => *bits,
        _ => return Vec::new(),
    };
    let (min, max) = (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
    let all = [min, max, 0, 1, -1, 9_007_199_254_740_993, i64::from(i32::MAX) + 1];
    all.into_iter().filter(|number| (min..=max).contains(number)).map(Value::Integer).collect()
}

fn reals(kind: &LogicalType) -> Vec<Value> {
    let doubles = [0.0, 0.1 + 0.2, 1e-5, 1e16, 1.0 / 3.0, -1.5, 1e14, f64::MAX, f64::MIN_POSITIVE, 5e-324];
    let singles = [0.0, 0.1_f32, 16_777_217.0, 123_456.79, 1e14, f32::MAX, f32::MIN_POSITIVE];
    match kind {
        LogicalType::Float32 => singles.map(|single| Value::Float(f64::from(single))).into(),
        LogicalType::Float64 | LogicalType::Any => doubles.map(Value::Float).into(),
        _ => Vec::new(),
    }
}

fn instants(kind: &LogicalType) -> Vec<Value> {
    let micros = MILLIS.iter().map(|ms| ms * 1000);
    // Milliseconds are all that a number of them holds.
    let finer: &[i64] = if matches!(kind, LogicalType::Integer { .. }) { &[] } else { &[1_709_251_199_999_999, 1, -1] };
    micros.chain(finer.iter().copied()).map(Value::TimestampTz).collect()
}

fn uuid_spellings() -> Vec<Value> {
    let texts = [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
    ];
    texts.map(|text| Value::Text(text.to_owned())).into()
}

/// Whether a decimal has no more digits than its column; without a precision, no more than a double holds.
fn fits(text: &str, kind: &LogicalType) -> bool {
    let (whole, fraction) = text.trim_start_matches('-').split_once('.').unwrap_or((text, ""));
    let (whole, fraction) = (whole.trim_start_matches('0').len() as i64, fraction.len() as i64);
    match kind {
        LogicalType::Decimal { precision: Some(precision), scale } => {
            let scale = i64::from(scale.unwrap_or(0));
            fraction <= scale && whole <= i64::from(*precision) - scale
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_keep_to_the_column() {
        assert!(values(Gives::Prose, &LogicalType::Text { limit: Some(1) }, false).len() >= 3);
        assert!(values(Gives::Prose, &LogicalType::PaddedText { length: 9 }, false).is_empty());
        let small = values(Gives::Integer, &LogicalType::Integer { bits: 16 }, false);
        assert!(small.contains(&Value::Integer(-32_768)) && small.contains(&Value::Integer(32_767)));
        assert!(!small.contains(&Value::Integer(9_007_199_254_740_993)));
        let cents = LogicalType::Decimal { precision: Some(4), scale: Some(2) };
        assert!(!values(Gives::Decimal, &cents, false).contains(&Value::Decimal("99999999999.99".into())));
        assert!(values(Gives::Uuid, &LogicalType::Text { limit: None }, true).is_empty());
    }

    #[test]
    fn edge_json_is_json_and_edge_text_holds_no_nul() {
        for text in JSON {
            serde_json::from_str::<serde_json::Value>(text).unwrap();
        }
        assert!(TEXTS.iter().all(|text| !text.contains('\0')));
    }
}
