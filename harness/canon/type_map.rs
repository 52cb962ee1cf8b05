//! The type map: what becomes of the values of one declared type in a column of another.
//!
//! It is about the declarations, and therefore about values still to come; how the values that are there compare is the
//! affair of the [rules](super::rule).

use crate::model::LogicalType;

/// How one type holds the values of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Each value of the one is a value of the other, and there are no more.
    Faithful,
    /// All values and more: nothing is lost, but what the narrower type kept out is let in.
    Widening,
    /// Some values do not fit, or lose something: what.
    Lossy(String),
    /// The map has no line for this pair; whether its values are equal is left to the rule that compares them.
    Unmapped,
}

fn lossy(what: impl Into<String>) -> Holds {
    Holds::Lossy(what.into())
}

/// Decimal digits that every integer of so many bits fits into.
const fn digits(bits: u8) -> i64 {
    match bits {
        0..=8 => 3,
        9..=16 => 5,
        17..=24 => 8,
        25..=32 => 10,
        _ => 19,
    }
}

/// How the target's type holds the values of the source's.
pub fn holds(source: &LogicalType, target: &LogicalType) -> Holds {
    use LogicalType as T;
    if source == target {
        return Holds::Faithful;
    }
    match (source, target) {
        (T::Text { .. } | T::PaddedText { .. }, _) => texts(source, target),
        (T::Boolean | T::Integer { .. } | T::Decimal { .. } | T::Float32 | T::Float64, _) => numbers(source, target),
        (T::Date | T::Time | T::TimeTz | T::Timestamp | T::TimestampTz | T::Interval, _) => moments(source, target),
        (T::Json { binary: true }, T::Json { binary: false }) => Holds::Widening,
        (T::Json { binary: false }, T::Json { binary: true }) => lossy("keys in their order, doubled keys and blanks"),
        (T::Uuid, T::Bytes) => Holds::Widening,
        (T::Bytes, T::Uuid) => lossy("anything but 16 bytes"),
        (T::Bytes, T::Text { .. } | T::PaddedText { .. }) => lossy("bytes that are no text"),
        (T::Enum { labels: from }, T::Enum { labels: to }) | (T::Set { labels: from }, T::Set { labels: to }) => {
            labels(from, to)
        }
        (T::Enum { labels: from }, T::Set { labels: to }) => labels(from, to),
        (T::Set { .. }, T::Enum { .. }) => lossy("all words but one"),
        (T::Set { .. }, T::Array(_)) => Holds::Widening,
        (T::Range(from), T::Range(to)) | (T::Multirange(from), T::Multirange(to)) => holds(from, to),
        (T::Range(from), T::Multirange(to)) => match holds(from, to) {
            Holds::Faithful => Holds::Widening,
            other => other,
        },
        (T::Map, T::Json { .. }) => Holds::Widening,
        (T::Array(from), T::Array(to)) => holds(from, to),
        (T::Array(_), T::Json { .. }) => Holds::Widening,
        (T::Array(_), _) => lossy("all elements but one"),
        (_, T::Text { limit: None } | T::Any) => Holds::Widening,
        (_, T::Text { limit: Some(limit) }) => lossy(format!("what is longer than {limit} characters")),
        (T::Other(from), T::Other(to)) if from.eq_ignore_ascii_case(to) => Holds::Faithful,
        _ => Holds::Unmapped,
    }
}

fn texts(source: &LogicalType, target: &LogicalType) -> Holds {
    use LogicalType as T;
    match (source, target) {
        (T::Text { limit: from }, T::Text { limit: to }) => match (from, to) {
            (_, None) => Holds::Widening,
            (None, Some(to)) => lossy(format!("what is longer than {to} characters")),
            (Some(from), Some(to)) if to < from => lossy(format!("what is longer than {to} of {from} characters")),
            _ => Holds::Widening,
        },
        (T::PaddedText { length }, T::Text { limit: Some(limit) }) if limit < length => {
            lossy(format!("what is longer than {limit} of {length} characters"))
        }
        (T::PaddedText { .. }, T::Text { .. }) => Holds::Widening,
        (T::PaddedText { length: from }, T::PaddedText { length: to }) if to >= from => Holds::Widening,
        (_, T::PaddedText { length }) => {
            lossy(format!("blanks at the end, and what is longer than {length} characters"))
        }
        (_, T::Bytes | T::Any) => Holds::Widening,
        (_, T::Enum { labels }) => lossy(format!("what is none of {} labels", labels.len())),
        (_, T::Uuid) => lossy("what is no UUID, and how one is spelled"),
        (_, T::Json { .. }) => lossy("what is no JSON"),
        (_, T::Boolean | T::Integer { .. } | T::Decimal { .. } | T::Float32 | T::Float64) => lossy("what is no number"),
        (_, T::Date | T::Time | T::TimeTz | T::Timestamp | T::TimestampTz | T::Interval) => {
            lossy("what is no date or time")
        }
        _ => Holds::Unmapped,
    }
}

fn numbers(source: &LogicalType, target: &LogicalType) -> Holds {
    use LogicalType as T;
    match (source, target) {
        (T::Boolean, T::Integer { .. } | T::Decimal { .. } | T::Float32 | T::Float64) => Holds::Widening,
        (_, T::Boolean) => lossy("anything but 0 and 1"),
        (T::Integer { bits: from }, T::Integer { bits: to }) if to < from => lossy(format!("{from} bits in {to}")),
        (T::Integer { .. }, T::Integer { .. }) => Holds::Widening,
        (T::Integer { bits }, T::Float64) if *bits > 32 => lossy("integers beyond 2^53"),
        (T::Integer { bits }, T::Float32) if *bits > 16 => lossy("integers beyond 2^24"),
        (T::Integer { .. } | T::Float32, T::Float64) | (T::Integer { .. }, T::Float32) => Holds::Widening,
        (T::Float64, T::Float32) => lossy("half of the precision"),
        (T::Decimal { .. }, T::Float32 | T::Float64) => lossy("decimals in binary fractions"),
        (_, T::Decimal { precision: None, .. }) => Holds::Widening,
        (T::Integer { bits }, T::Decimal { precision: Some(precision), scale }) => {
            let whole = i64::from(*precision) - i64::from(scale.unwrap_or_default());
            if whole >= digits(*bits) { Holds::Widening } else { lossy(format!("{bits} bits in {whole} digits")) }
        }
        (
            T::Decimal { precision: Some(from), scale: from_scale },
            T::Decimal { precision: Some(to), scale: to_scale },
        ) => {
            let (from_scale, to_scale) = (from_scale.unwrap_or_default(), to_scale.unwrap_or_default());
            let whole = |precision: &u32, scale: i32| i64::from(*precision) - i64::from(scale);
            if to_scale < from_scale || whole(to, to_scale) < whole(from, from_scale) {
                return lossy(format!("({from},{from_scale}) in ({to},{to_scale})"));
            }
            Holds::Widening
        }
        (T::Decimal { .. } | T::Float32 | T::Float64, T::Integer { .. } | T::Decimal { .. }) => {
            lossy("digits behind the point, or large numbers")
        }
        (_, T::Text { limit: None } | T::Any) => Holds::Widening,
        (_, T::Text { limit: Some(limit) }) => lossy(format!("what is longer than {limit} characters")),
        _ => Holds::Unmapped,
    }
}

fn moments(source: &LogicalType, target: &LogicalType) -> Holds {
    use LogicalType as T;
    match (source, target) {
        (T::Date, T::Timestamp | T::TimestampTz) | (T::Timestamp, T::TimestampTz) => Holds::Widening,
        (T::Timestamp | T::TimestampTz, T::Date) => lossy("the time of day"),
        (T::Timestamp | T::TimestampTz, T::Time) => lossy("the day"),
        (T::TimestampTz, T::Timestamp) | (T::TimeTz, T::Time) => lossy("the zone"),
        (T::Time, T::TimeTz) => Holds::Widening,
        (T::Time, T::Interval) => Holds::Widening,
        (T::Interval, T::Time) => lossy("days and months"),
        (_, T::Text { limit: None } | T::Any) => Holds::Widening,
        _ => Holds::Unmapped,
    }
}

fn labels(from: &[String], to: &[String]) -> Holds {
    let missing: Vec<&str> = from.iter().filter(|label| !to.contains(label)).map(String::as_str).collect();
    if !missing.is_empty() {
        return lossy(format!("the labels {}", missing.join(", ")));
    }
    if !to.iter().filter(|label| from.contains(label)).eq(from) {
        return lossy("the order of the labels");
    }
    Holds::Widening
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_is_faithful_widening_or_lossy() {
        use LogicalType as T;
        let text = |limit| T::Text { limit };
        let decimal = |precision, scale| T::Decimal { precision: Some(precision), scale: Some(scale) };
        let labels = |labels: &[&str]| T::Enum { labels: labels.iter().map(|one| (*one).to_owned()).collect() };
        for (source, target, expected) in [
            (T::Integer { bits: 32 }, T::Integer { bits: 32 }, "faithful"),
            (T::Integer { bits: 32 }, T::Integer { bits: 64 }, "widening"),
            (T::Integer { bits: 64 }, T::Integer { bits: 32 }, "lossy: 64 bits in 32"),
            (T::Integer { bits: 64 }, T::Float64, "lossy: integers beyond 2^53"),
            (T::Integer { bits: 32 }, decimal(9, 0), "lossy: 32 bits in 9 digits"),
            (T::Integer { bits: 32 }, decimal(10, 0), "widening"),
            (decimal(12, 2), decimal(12, 3), "lossy: (12,2) in (12,3)"),
            (decimal(12, 2), decimal(13, 3), "widening"),
            (decimal(12, 2), T::Float64, "lossy: decimals in binary fractions"),
            (text(Some(80)), text(None), "widening"),
            (text(Some(80)), text(Some(40)), "lossy: what is longer than 40 of 80 characters"),
            (text(None), T::Uuid, "lossy: what is no UUID, and how one is spelled"),
            (T::PaddedText { length: 3 }, text(Some(3)), "widening"),
            (
                text(Some(3)),
                T::PaddedText { length: 3 },
                "lossy: blanks at the end, and what is longer than 3 characters",
            ),
            (T::TimestampTz, T::Timestamp, "lossy: the zone"),
            (T::Timestamp, T::TimestampTz, "widening"),
            (T::Timestamp, T::Date, "lossy: the time of day"),
            (
                T::Json { binary: false },
                T::Json { binary: true },
                "lossy: keys in their order, doubled keys and blanks",
            ),
            (labels(&["a", "b"]), labels(&["a", "x", "b"]), "widening"),
            (labels(&["a", "b"]), labels(&["b", "a"]), "lossy: the order of the labels"),
            (labels(&["a", "b"]), labels(&["a"]), "lossy: the labels b"),
            (T::Array(Box::new(T::Integer { bits: 32 })), T::Array(Box::new(T::Integer { bits: 64 })), "widening"),
            (T::Other("xml".to_owned()), T::Other("inet".to_owned()), "unmapped"),
        ] {
            let told = match holds(&source, &target) {
                Holds::Faithful => "faithful".to_owned(),
                Holds::Widening => "widening".to_owned(),
                Holds::Lossy(what) => format!("lossy: {what}"),
                Holds::Unmapped => "unmapped".to_owned(),
            };
            assert_eq!(told, expected, "{source} to {target}");
        }
    }
}
