//! Made-up values by name.
//!
//! A new kind of value is one entry in one of the slices behind [`ALL`].

mod numbers;
mod secrets;
mod text;

use super::{draw::Draw, moment::Form};
use crate::model::Value;

/// Every kind of made-up value.
pub const ALL: &[&[Fake]] = &[text::FAKES, numbers::FAKES, secrets::FAKES];

/// Every kind of made-up value, one by one.
pub fn all() -> impl Iterator<Item = &'static Fake> {
    ALL.iter().copied().flatten()
}

/// The kind of this name.
pub fn by_name(name: &str) -> Option<&'static Fake> {
    all().find(|fake| fake.name == name)
}

/// A kind of made-up value.
#[derive(Debug)]
pub struct Fake {
    /// Its name in dataset files.
    pub name: &'static str,
    /// One line on what it looks like.
    pub summary: &'static str,
    /// What it gives.
    pub gives: Gives,
    /// The options that it takes, with their defaults.
    pub takes: Takes,
    /// How two of them are kept apart in a unique column.
    pub distinct: Distinct,
    /// Makes one.
    pub make: fn(&Draw<'_>, &Options) -> Value,
}

/// What a generator gives, before it is fitted to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// Text in which anything may stand.
    Prose,
    /// Text of a form.
    Text,
    /// A whole number.
    Integer,
    /// An exact decimal.
    Decimal,
    /// A double.
    Real,
    /// True or false.
    Boolean,
    /// Bytes.
    Bytes,
    /// A UUID.
    Uuid,
    /// A day and time.
    Instant,
    /// A day.
    Day,
    /// JSON text.
    Json,
    /// Whatever the author wrote.
    Literal,
}

/// The options of a kind of made-up value, with their defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// None.
    Nothing,
    /// `min` and `max`, both included.
    Integers(i64, i64),
    /// `min` and `max`, both included, and `scale`, the digits after the point.
    Amounts(i64, i64, u32),
    /// `from` and `to`, both included, and `form`.
    Instants,
    /// `from` and `to`, both included, and `form` (`iso` or none).
    Days,
    /// `length`, in characters or bytes.
    Length(u32),
    /// `ratio`, the share of true.
    Ratio,
}

/// How values are kept apart in a unique column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distinct {
    /// The row's number is woven into the text.
    Woven,
    /// They hold all 64 bits of a number that no other row has.
    Inherent,
    /// There are `to - from + 1` of them, taken in a shuffled order.
    Counted,
}

/// Options as read and completed by defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The smallest: as it is, in units of the last digit (amounts), in milliseconds (instants) or days since 1970.
    pub from: i64,
    /// The largest, in the same unit.
    pub to: i64,
    /// Digits after the point.
    pub scale: u32,
    /// Length in characters or bytes.
    pub length: u32,
    /// Share of true.
    pub ratio: f64,
    /// How an instant or day is written, where that is said.
    pub form: Option<Form>,
}

/// 2023-01-01 to 2025-12-31, in milliseconds since 1970. Not the clock: the same seed gives the same rows any day.
const YEARS: (i64, i64) = (1_672_531_200_000, 1_767_225_599_999);
const DAY_MS: i64 = 86_400_000;

impl Options {
    /// The defaults.
    pub fn of(takes: Takes) -> Self {
        let plain = Self { from: 0, to: 1, scale: 0, length: 0, ratio: 0.5, form: None };
        match takes {
            Takes::Nothing | Takes::Ratio => plain,
            Takes::Integers(from, to) => Self { from, to, ..plain },
            Takes::Amounts(from, to, scale) => {
                let unit = 10_i64.pow(scale);
                Self { from: from * unit, to: to * unit, scale, ..plain }
            }
            Takes::Instants => Self { from: YEARS.0, to: YEARS.1, ..plain },
            Takes::Days => Self { from: YEARS.0 / DAY_MS, to: YEARS.1 / DAY_MS, ..plain },
            Takes::Length(length) => Self { length, ..plain },
        }
    }

    /// How many values lie from `from` to `to`.
    pub fn count(&self) -> u64 {
        self.to.abs_diff(self.from).saturating_add(1)
    }

    /// A value from `from` to `to`.
    fn within(&self, draw: &Draw<'_>) -> i64 {
        self.from.wrapping_add_unsigned(draw.below(self.count()))
    }
}

impl Fake {
    /// How many different values there are; `None` where there is no end of them.
    pub fn capacity(&self, options: &Options) -> Option<u64> {
        match self.distinct {
            Distinct::Counted => Some(options.count()),
            // Fewer than eight bytes do not hold the row's number.
            Distinct::Inherent if matches!(self.takes, Takes::Length(_)) => {
                (options.length < secrets::NUMBER_LENGTH).then_some(1)
            }
            Distinct::Woven | Distinct::Inherent => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::canon::Seed;

    #[test]
    fn names_are_unique_and_values_repeat_by_seed() {
        let names: BTreeSet<_> = all().map(|fake| fake.name).collect();
        assert_eq!(names.len(), all().count());
        for fake in all() {
            let options = Options::of(fake.takes);
            let seed = Seed::root(1).child(fake.name);
            let make = |row| (fake.make)(&Draw::new(&seed, row), &options);
            let values: Vec<Value> = (0..50).map(make).collect();
            assert_eq!(values, (0..50).map(make).collect::<Vec<_>>(), "{}", fake.name);
            assert!(values.iter().any(|value| *value != values[0]), "{} is always the same", fake.name);
        }
    }

    #[test]
    fn inherent_and_counted_values_differ_by_row() {
        for fake in all().filter(|fake| fake.distinct != Distinct::Woven) {
            let options = Options::of(fake.takes);
            let count = fake.capacity(&options).unwrap_or(u64::MAX).min(3000);
            let seed = Seed::root(2).child(fake.name);
            let make = |row| format!("{:?}", (fake.make)(&Draw::distinct(&seed, row, row), &options));
            let values: BTreeSet<String> = (0..count).map(make).collect();
            assert_eq!(values.len() as u64, count, "{}", fake.name);
        }
    }
}
