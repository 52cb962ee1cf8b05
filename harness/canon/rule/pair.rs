//! Which rule two columns are compared under.

use super::{NoRule, Rule};
use crate::model::LogicalType;

/// The rule for a source column and a target column of these types; the same whichever is the source.
///
/// Two columns of a type that only its own engine can compare are compared as stored, which means something only if both
/// sides are that engine.
///
/// # Errors
/// [`NoRule`] if nothing in these types says under what common type they could be equal.
pub fn rule_for(source: &LogicalType, target: &LogicalType) -> Result<Rule, NoRule> {
    let refused = || NoRule { reason: format!("no rule brings {source} and {target} to one type") };
    if let Some(rule) = made_of_values(source, target).or_else(|| made_of_values(target, source)) {
        return rule.ok_or_else(refused);
    }
    match (native(source), native(target)) {
        (None, None) => Ok(Rule::Stored),
        (Some(Rule::Stored), _) | (_, Some(Rule::Stored)) if source != target => Err(refused()),
        (Some(rule), None) | (None, Some(rule)) => Ok(rule),
        // Their shortest digits are those of one width.
        _ if (source, target) == (&LogicalType::Float32, &LogicalType::Float32) => Ok(Rule::Single),
        (Some(source_rule), Some(target_rule)) => {
            meet(source_rule, target_rule).or_else(|| meet(target_rule, source_rule)).ok_or_else(refused)
        }
    }
}

/// The rule for two columns of one engine, where two of the same type are the same if they are so to the bit. `alike` tells
/// whether they are declared alike: several types of an engine may be one to us.
///
/// # Errors
/// As [`rule_for`].
pub fn rule_within(source: &LogicalType, target: &LogicalType, alike: bool) -> Result<Rule, NoRule> {
    use LogicalType as T;
    let is_own = match source {
        T::Bits | T::Network | T::MacAddress => alike,
        T::PaddedText { .. }
        | T::TimeTz
        | T::Set { .. }
        | T::Array(_)
        | T::Range(_)
        | T::Multirange(_)
        | T::Map
        | T::Composite(_)
        | T::Printed(_) => true,
        _ => false,
    };
    if is_own && source == target { Ok(Rule::Stored) } else { rule_for(source, target) }
}

/// The rule where one type is made of values or has only its printed text; `Some(None)` if the other type has nothing
/// to do with it, and nothing if this is for [`native`] types to say.
#[expect(clippy::option_option, reason = "no rule, and no answer yet, are two things")]
fn made_of_values(kind: &LogicalType, other: &LogicalType) -> Option<Option<Rule>> {
    use LogicalType as T;
    let is_text = matches!(other, T::Text { .. } | T::PaddedText { .. } | T::Any);
    let is_printed = |kind: &T| matches!(kind, T::Range(_) | T::Multirange(_) | T::Composite(_) | T::Printed(_));
    Some(match kind {
        T::Array(element) => match other {
            T::Array(other) => rule_for(element, other).ok().and_then(Rule::list),
            T::Json { .. } => native(element).and_then(Rule::list),
            T::Set { .. } => native(element).and_then(Rule::list).filter(|rule| *rule == Rule::TextList),
            // Elements without a list of their own are compared as the whole array is printed.
            _ if is_text && is_printable(element) => native(element).and_then(Rule::list).or(Some(Rule::Text)),
            _ => None,
        },
        T::Set { .. } => match other {
            T::Set { .. } => Some(Rule::Set),
            T::Json { .. } => Some(Rule::TextList),
            T::Enum { .. } => Some(Rule::Text),
            T::Array(_) => return None,
            _ if is_text => Some(Rule::Text),
            _ => None,
        },
        T::Map => match other {
            T::Map | T::Json { .. } => Some(Rule::Map),
            _ if is_text => Some(Rule::Map),
            _ => None,
        },
        _ if is_printed(kind) => {
            let is_like = is_text || (is_printed(other) && is_printable(other));
            (is_like && is_printable(kind)).then_some(Rule::Text)
        }
        _ => return None,
    })
}

/// Whether values of this type, and all that are in them, can be printed as their engine does.
fn is_printable(kind: &LogicalType) -> bool {
    match kind {
        LogicalType::Other(_) => false,
        LogicalType::Array(inner) | LogicalType::Range(inner) | LogicalType::Multirange(inner) => is_printable(inner),
        LogicalType::Composite(fields) => fields.iter().all(|(_, kind)| is_printable(kind)),
        _ => true,
    }
}

/// The rule for two columns of this type; `None` where a row may hold anything.
fn native(kind: &LogicalType) -> Option<Rule> {
    use LogicalType as T;
    Some(match kind {
        T::Boolean => Rule::Boolean,
        T::Integer { .. } | T::Decimal { .. } | T::Float32 | T::Float64 => Rule::Number,
        T::Text { .. } | T::Enum { .. } => Rule::Text,
        T::PaddedText { .. } => Rule::Padded,
        T::Bytes => Rule::Bytes,
        T::Uuid => Rule::Uuid,
        T::Date => Rule::Date,
        T::Time => Rule::Time,
        T::TimeTz => Rule::ZonedTime,
        T::Timestamp => Rule::Timestamp,
        T::TimestampTz => Rule::Instant,
        T::Interval => Rule::Interval,
        T::Json { .. } => Rule::Json,
        T::Bits => Rule::Bits,
        T::Network => Rule::Network,
        T::MacAddress => Rule::MacAddress,
        T::Set { .. }
        | T::Array(_)
        | T::Range(_)
        | T::Multirange(_)
        | T::Map
        | T::Composite(_)
        | T::Printed(_)
        | T::Other(_) => Rule::Stored,
        T::Any => return None,
    })
}

/// The richer of two rules, where the values of the poorer can be read as its spellings.
fn meet(rich: Rule, poor: Rule) -> Option<Rule> {
    use Rule::{
        Bits, Boolean, Bytes, Date, Instant, Interval, Json, MacAddress, Network, Number, Padded, Text, Time,
        Timestamp, Uuid, ZonedTime,
    };
    let meets = match rich {
        Boolean => matches!(poor, Number | Text | Padded | Bits),
        Number | Time | Json => matches!(poor, Text | Padded),
        Padded => poor == Text,
        Uuid => matches!(poor, Text | Padded | Bytes),
        Date => matches!(poor, Text | Padded | Number),
        ZonedTime | Interval => matches!(poor, Text | Padded | Time),
        Timestamp => matches!(poor, Text | Padded | Number | Date),
        Instant => matches!(poor, Text | Padded | Number | Date | Timestamp),
        Bits | Network => matches!(poor, Text | Padded | Number | Bytes),
        MacAddress => matches!(poor, Text | Padded | Bytes),
        _ => false,
    };
    (meets || rich == poor).then_some(rich)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: LogicalType = LogicalType::Text { limit: None };
    const INTEGER: LogicalType = LogicalType::Integer { bits: 64 };

    fn array(element: LogicalType) -> LogicalType {
        LogicalType::Array(Box::new(element))
    }

    #[test]
    fn pairs_meet_at_the_richer_type() {
        use LogicalType as T;
        let json = T::Json { binary: true };
        let set = T::Set { labels: Vec::new() };
        for (source, target, rule) in [
            (T::Boolean, INTEGER, Rule::Boolean),
            (TEXT, INTEGER, Rule::Number),
            (T::Decimal { precision: None, scale: None }, T::Float64, Rule::Number),
            (T::Float32, T::Float64, Rule::Number),
            (T::Float32, T::Float32, Rule::Single),
            (T::Uuid, TEXT, Rule::Uuid),
            (T::Uuid, T::Bytes, Rule::Uuid),
            (T::Date, T::Timestamp, Rule::Timestamp),
            (T::TimestampTz, T::Timestamp, Rule::Instant),
            (INTEGER, T::TimestampTz, Rule::Instant),
            (json.clone(), TEXT, Rule::Json),
            (T::PaddedText { length: 3 }, T::Enum { labels: Vec::new() }, Rule::Padded),
            (T::PaddedText { length: 3 }, TEXT, Rule::Padded),
            (T::PaddedText { length: 36 }, T::Uuid, Rule::Uuid),
            (T::Any, T::Boolean, Rule::Boolean),
            (T::Any, T::Any, Rule::Stored),
            (T::Bits, INTEGER, Rule::Bits),
            (T::Bits, T::Bits, Rule::Bits),
            (T::Bits, T::Boolean, Rule::Boolean),
            (T::Interval, T::Time, Rule::Interval),
            (T::TimeTz, T::Time, Rule::ZonedTime),
            (T::Network, TEXT, Rule::Network),
            (T::MacAddress, T::Bytes, Rule::MacAddress),
            (array(TEXT), TEXT, Rule::TextList),
            (array(TEXT), set.clone(), Rule::TextList),
            (array(TEXT), json.clone(), Rule::TextList),
            (array(INTEGER), T::Json { binary: false }, Rule::NumberList),
            (array(TEXT), array(INTEGER), Rule::NumberList),
            (array(T::Interval), TEXT, Rule::Text),
            (set.clone(), set.clone(), Rule::Set),
            (set, TEXT, Rule::Text),
            (T::Map, json, Rule::Map),
            (T::Range(Box::new(INTEGER)), TEXT, Rule::Text),
            (T::Composite(Vec::new()), TEXT, Rule::Text),
            (T::Printed("xml".to_owned()), TEXT, Rule::Text),
        ] {
            assert_eq!(rule_for(&source, &target), Ok(rule), "{source} {target}");
            assert_eq!(rule_for(&target, &source), Ok(rule), "{target} {source}");
        }
    }

    #[test]
    fn what_does_not_meet_says_why() {
        use LogicalType as T;
        let json = T::Json { binary: true };
        for (source, target) in [
            (TEXT, T::Bytes),
            (T::Boolean, T::Date),
            (array(json.clone()), json.clone()),
            (array(TEXT), INTEGER),
            (array(INTEGER), T::Set { labels: Vec::new() }),
            (T::Other("point".to_owned()), T::Any),
            (T::Other("point".to_owned()), T::Other("box".to_owned())),
            (T::Time, T::Timestamp),
            (T::Composite(Vec::new()), json),
            (T::Range(Box::new(INTEGER)), INTEGER),
            (array(T::Other("point".to_owned())), TEXT),
            (T::Set { labels: Vec::new() }, INTEGER),
        ] {
            assert!(rule_for(&source, &target).is_err(), "{source} {target}");
            assert!(rule_for(&target, &source).is_err(), "{target} {source}");
        }
        let why = rule_for(&TEXT, &T::Bytes).unwrap_err();
        assert_eq!(why.to_string(), "no rule brings text and bytes to one type");
    }

    #[test]
    fn one_engine_compares_its_own_types_to_the_bit() {
        use LogicalType as T;
        for kind in [T::Bits, array(TEXT), T::Network, T::Map, T::Range(Box::new(INTEGER)), T::TimeTz] {
            assert_eq!(rule_within(&kind, &kind, true), Ok(Rule::Stored), "{kind}");
        }
        assert_eq!(rule_within(&INTEGER, &INTEGER, true), Ok(Rule::Number));
        assert_eq!(rule_within(&T::Bits, &INTEGER, false), Ok(Rule::Bits));
        // `macaddr` and `macaddr8`.
        assert_eq!(rule_within(&T::MacAddress, &T::MacAddress, false), Ok(Rule::MacAddress));
    }
}
