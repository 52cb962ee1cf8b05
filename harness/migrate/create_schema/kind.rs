//! Which type a column gets: from what it is declared for and from what it really holds.
//!
//! Nothing is guessed: a type is taken only if every stored value fits it exactly. `transfer` converts by the same rules
//! and refuses what does not fit, and canon has a rule for every pair that can come out of here.

use crate::{
    canon::{Rule, rule_for},
    engine::content::{ColumnContent, Shape},
    model::{LogicalType, catalogue::Column},
};

/// Digits before and after the point that PostgreSQL's numeric can hold.
const NUMERIC_DIGITS: (u64, u64) = (131_072, 16_383);

/// Precision that PostgreSQL's numeric can be declared with.
const NUMERIC_PRECISION: u32 = 1000;

/// A column and all that bears on its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// As the source declares it.
    pub column: &'a Column,
    /// What it holds.
    pub content: &'a ColumnContent,
    /// Part of a primary or unique key: no two values may become one.
    pub in_key: bool,
    /// Part of a foreign key or referred to by one.
    pub in_reference: bool,
    /// Part of an index.
    pub in_index: bool,
    /// Holds UUIDs in more than one spelling each.
    pub respelled: bool,
}

impl Asked<'_> {
    /// The first of its preferences that holds every value.
    pub fn choose(&self) -> LogicalType {
        self.preferences().into_iter().find(|kind| self.fits(kind)).unwrap_or(LogicalType::Bytes)
    }

    /// The types that it may get, best first: what it is declared for, then what it holds, then what holds everything.
    pub fn preferences(&self) -> Vec<LogicalType> {
        let mut kinds = self.declared();
        let content = self.content;
        if content.values() > 0 && content.texts + content.blobs == 0 {
            kinds.extend([LogicalType::Integer { bits: 64 }, LogicalType::Float64, UNLIMITED]);
        }
        kinds.extend([TEXT, LogicalType::Bytes]);
        kinds
    }

    /// The types that keep what the declaration says.
    pub fn declared(&self) -> Vec<LogicalType> {
        use LogicalType as T;
        match &self.column.kind {
            // Whatever the width of its name, SQLite takes 64 bits, and so do the rows to come.
            T::Integer { .. } => vec![T::Integer { bits: 64 }],
            T::Decimal { precision: Some(precision), scale: Some(scale) }
                if *precision <= NUMERIC_PRECISION && (0..=precision.cast_signed()).contains(scale) =>
            {
                vec![self.column.kind.clone(), UNLIMITED]
            }
            T::Decimal { .. } => vec![UNLIMITED],
            T::Float32 | T::Float64 => vec![T::Float64],
            T::PaddedText { length } => {
                let uuid = self.is_named_for_uuids() && self.content.is_all(|forms| forms.uuids);
                uuid.then_some(T::Uuid).into_iter().chain([T::Text { limit: Some(*length) }, TEXT]).collect()
            }
            T::Text { limit } => {
                let uuid = self.is_named_for_uuids() && self.content.is_all(|forms| forms.uuids);
                let uuid = uuid.then_some(T::Uuid);
                uuid.into_iter().chain(limit.map(|limit| T::Text { limit: Some(limit) })).chain([TEXT]).collect()
            }
            T::Date => vec![T::Date, T::Timestamp, T::TimestampTz],
            T::Timestamp => vec![T::Timestamp, T::TimestampTz],
            T::TimestampTz => vec![T::TimestampTz, T::Timestamp],
            T::Boolean | T::Bytes | T::Uuid | T::Time | T::Json { .. } => vec![self.column.kind.clone()],
            _ => Vec::new(),
        }
    }

    fn is_named_for_uuids(&self) -> bool {
        let name = self.column.name.to_lowercase();
        let by_name = name == "id" || name.ends_with("_id") || name.contains("uuid") || name.contains("guid");
        self.in_key || self.in_reference || by_name || self.column.name.ends_with("Id")
    }

    /// Whether every value of the column is one of this type, and stays another one than its neighbours' in a key.
    pub fn fits(&self, kind: &LogicalType) -> bool {
        use LogicalType as T;
        let content = self.content;
        let forms = &content.forms;
        let (least, most) = content.integer_range.unwrap_or((0, 0));
        let only_texts = content.texts == content.values();
        let only_numbers = content.integers + content.reals == content.values();
        match kind {
            T::Boolean => {
                content.integers + content.texts == content.values()
                    && least >= 0
                    && most <= 1
                    && content.texts == forms.booleans
                    && self.stays_apart()
            }
            T::Integer { .. } => {
                content.integers + content.texts == content.values()
                    && content.texts == forms.integers
                    && !(self.in_key && content.integers > 0 && content.texts > 0)
            }
            T::Float64 => only_numbers && least >= -EXACT_IN_DOUBLE && most <= EXACT_IN_DOUBLE,
            T::Decimal { precision, scale } => {
                only_numbers_or(content, forms.decimals)
                    && content.not_finite == 0
                    && self.has_digits(*precision, *scale)
                    && self.stays_apart()
            }
            T::Text { limit: None } => is_text(content),
            T::Text { limit: Some(limit) } => {
                is_text(content) && only_texts && content.longest_text <= u64::from(*limit)
            }
            T::Uuid => {
                content.texts + content.blobs == content.values()
                    && content.texts == forms.uuids
                    && content.blobs == content.blobs_of_16
                    && !(self.in_key && self.respelled)
            }
            T::Date => only_texts && content.texts == forms.dates,
            T::Time => only_texts && content.texts == forms.times && self.stays_apart(),
            T::Timestamp => only_texts && content.texts == forms.dates + forms.timestamps && self.stays_apart(),
            T::TimestampTz => {
                let of_texts = only_texts && content.texts == forms.instants && self.stays_apart();
                of_texts || self.is_epoch()
            }
            // JSON has no order, and so no index.
            T::Json { .. } => {
                only_numbers_or(content, forms.json) && content.not_finite == 0 && !self.in_index && !self.in_key
            }
            T::Bytes => content.blobs == content.values() || !is_text(content),
            _ => false,
        }
    }

    /// Whether reading texts as numbers or moments makes no two values of a key one.
    fn stays_apart(&self) -> bool {
        let content = self.content;
        let uniform = match &content.shape {
            Shape::Unknown => true,
            // Behind an offset, one moment has many spellings of one shape.
            Shape::One(shape) => content.forms.instants == 0 || shape.ends_with(['Z', 'z']),
            Shape::Many => false,
        };
        !self.in_key || content.texts == 0 || (uniform && content.texts == content.values())
    }

    /// Integers in a column for moments, all of which are surely counts of one unit since 1970: none before it, all of
    /// one magnitude, none finer than microseconds, and at least one later than March 1973 (which no `yyyymmdd` reaches).
    fn is_epoch(&self) -> bool {
        let declared = matches!(self.column.kind, LogicalType::Timestamp | LogicalType::TimestampTz);
        let only_integers = self.content.integers == self.content.values();
        let (least, most) = self.content.integer_range.unwrap_or((0, 0));
        let unit = magnitude(most);
        declared && only_integers && least >= 0 && most >= 100_000_000 && unit < 3 && magnitude(least) == unit
    }

    fn has_digits(&self, precision: Option<u32>, scale: Option<i32>) -> bool {
        let (least, most) = self.content.integer_range.unwrap_or((0, 0));
        let of_integer = |number: i64| number.unsigned_abs().checked_ilog10().map_or(0, |power| u64::from(power) + 1);
        let (before, after) = self.content.digits;
        let before = before.max(of_integer(least)).max(of_integer(most));
        let (most_before, most_after) = match (precision, scale.map(u32::try_from)) {
            (Some(precision), Some(Ok(scale))) => (u64::from(precision.saturating_sub(scale)), u64::from(scale)),
            _ => NUMERIC_DIGITS,
        };
        before <= most_before && after <= most_after
    }

    /// What has to be said about the choice: where it is not what the declaration promises, or unlike values become
    /// alike.
    pub fn remark(&self, kind: &LogicalType) -> Option<String> {
        let classes = self.classes();
        let declared = if self.column.declared.is_empty() {
            "has no declared type".to_owned()
        } else {
            format!("is declared {}", self.column.declared)
        };
        let wanted = self.declared();
        let is_text_made_of_others = *kind == TEXT && self.content.texts < self.content.values();
        let is_bytes_made_of_others = *kind == LogicalType::Bytes && self.content.blobs < self.content.values();
        let is_plain = match (&self.column.kind, kind) {
            (LogicalType::Timestamp | LogicalType::TimestampTz, LogicalType::TimestampTz) => self.content.integers == 0,
            (LogicalType::Decimal { .. } | LogicalType::Text { limit: Some(_) }, _) => {
                *kind == LogicalType::Uuid || Some(kind) == wanted.first()
            }
            (LogicalType::Any, _) => classes.len() < 2,
            _ => wanted.contains(kind),
        };
        if is_plain && !is_text_made_of_others && !is_bytes_made_of_others {
            return None;
        }
        let holds = match classes.as_slice() {
            [] => "holds nothing".to_owned(),
            classes => format!("holds {}", classes.join(" and ")),
        };
        let but = match wanted.first() {
            Some(first) if !self.fits(first) => format!(", not all of which fit {first} exactly"),
            _ => String::new(),
        };
        Some(format!("{declared} and {holds}{but}"))
    }

    /// What is stored side by side.
    fn classes(&self) -> Vec<&'static str> {
        let content = self.content;
        let sound = content.texts - content.invalid_utf8.max(content.with_nul).min(content.texts);
        [
            (content.integers, "integers"),
            (content.reals, "reals"),
            (sound, "texts"),
            (content.invalid_utf8, "texts that are no UTF-8"),
            (content.with_nul, "texts with a NUL character"),
            (content.blobs, "bytes"),
        ]
        .into_iter()
        .filter_map(|(count, name)| (count > 0).then_some(name))
        .collect()
    }

    /// The rule under which the column has to be compared once it is of this type, where the types alone would lead to
    /// another one: the target's own, because `transfer` brings whatever a row holds to the target's type.
    pub fn stated_rule(&self, kind: &LogicalType) -> Option<Rule> {
        let wanted = if *kind == LogicalType::Bytes && self.content.blobs < self.content.values() {
            Rule::Octets
        } else {
            rule_for(&LogicalType::Any, kind).ok()?
        };
        (rule_for(&self.column.kind, kind).ok() != Some(wanted)).then_some(wanted)
    }
}

/// Text without a limit.
pub(super) const TEXT: LogicalType = LogicalType::Text { limit: None };

/// A decimal without limits.
const UNLIMITED: LogicalType = LogicalType::Decimal { precision: None, scale: None };

/// The largest integer below which a double holds every one.
const EXACT_IN_DOUBLE: i64 = 1 << 53;

fn only_numbers_or(content: &ColumnContent, texts: u64) -> bool {
    content.integers + content.reals + content.texts == content.values() && content.texts == texts
}

fn is_text(content: &ColumnContent) -> bool {
    content.blobs == 0 && content.invalid_utf8 == 0 && content.with_nul == 0
}

/// Which unit [`crate::canon::temporal::epoch_to_micros`] takes a number for: 0 seconds, 1 milliseconds, 2 microseconds, 3 nanoseconds.
const fn magnitude(number: i64) -> u8 {
    match number.unsigned_abs() {
        0..100_000_000_000 => 0,
        100_000_000_000..100_000_000_000_000 => 1,
        100_000_000_000_000..100_000_000_000_000_000 => 2,
        _ => 3,
    }
}
