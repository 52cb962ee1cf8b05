//! Which rows differ, where few do: told by sums, without another look at all rows.
//!
//! Beside its digests, a bucket sums up a weight for each row, which is a part of the digest, and the weight times the row's
//! key. Between two buckets in which the rows of one key differ and no others, everything else cancels out: what is left
//! of the second sum is that of the first times the key, and a division gives it. Several differing keys leave sums that do
//! not divide, but for one case in billions; so what is found is a guess, until the rows of these keys were read and
//! the buckets without them are the same.

use super::{cell::Cell, digest::TableDigest};

/// Differing buckets in which keys are looked for. Of more, one would almost certainly have several.
const BUCKETS_AT_MOST: usize = 500;

/// Keys of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Of an integer type.
    Integers(Vec<i64>),
    /// Native UUIDs.
    Uuids(Vec<[u8; 16]>),
}

/// What the keys of a table are, as far as they can be told by sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Integer,
    Uuid,
}

/// A key as a number that can be summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyNumber {
    low: u64,
    high: u64,
}

impl KeyNumber {
    /// The number of a key, if it has one.
    pub fn of(cell: &Cell<'_>) -> Option<(Shape, Self)> {
        match *cell {
            Cell::Integer(value) => Some((Shape::Integer, Self { low: value.cast_unsigned(), high: 0 })),
            Cell::Uuid(bytes) => {
                let number = u128::from_be_bytes(bytes);
                Some((Shape::Uuid, Self { low: number as u64, high: (number >> 64) as u64 }))
            }
            _ => None,
        }
    }
}

/// The sums of a bucket. They wrap around: of few rows the differences are small enough to be right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeySum {
    weights: i64,
    low: i128,
    high: i128,
}

impl KeySum {
    /// Adds the weight of a row.
    pub fn weigh(&mut self, digest: &[u8; 32]) {
        self.weights = self.weights.wrapping_add(i64::from(weight(digest)));
    }

    /// Adds the key of a row that was weighed.
    pub fn add(&mut self, digest: &[u8; 32], key: KeyNumber) {
        let times = |half: u64| i128::from(half) * i128::from(weight(digest));
        self.low = self.low.wrapping_add(times(key.low));
        self.high = self.high.wrapping_add(times(key.high));
    }

    /// Adds the rows of another part of the same bucket.
    pub const fn join(&mut self, other: &Self) {
        self.weights = self.weights.wrapping_add(other.weights);
        self.low = self.low.wrapping_add(other.low);
        self.high = self.high.wrapping_add(other.high);
    }

    /// The only key whose rows differ, if there is one.
    fn only(&self, other: &Self) -> Option<u128> {
        let weights = i128::from(self.weights.wrapping_sub(other.weights));
        let half = |sums: i128| -> Option<u64> {
            let is_whole = sums.checked_rem(weights)? == 0;
            u64::try_from(sums.checked_div(weights)?).ok().filter(|_| is_whole)
        };
        let low = half(self.low.wrapping_sub(other.low))?;
        let high = half(self.high.wrapping_sub(other.high))?;
        Some(u128::from(high) << 64 | u128::from(low))
    }
}

/// The weight of a row: not the part of its digest that chooses the bucket of a row without key, and never zero.
fn weight(digest: &[u8; 32]) -> u32 {
    u32::from_le_bytes([digest[28], digest[29], digest[30], digest[31]]) | 1
}

impl Keys {
    /// The keys whose rows seem to differ between two tables; nothing where the sums do not tell.
    pub fn differing(source: &TableDigest, target: &TableDigest) -> Option<Self> {
        let shape = source.shape.or(target.shape)?;
        let is_one_shape = [source.shape, target.shape].iter().flatten().all(|one| *one == shape);
        let buckets = source.buckets.len().max(target.buckets.len());
        let are_all = [source, target].iter().all(|side| side.keys.len() == side.buckets.len());
        if !is_one_shape || !are_all || [source, target].iter().any(|side| side.buckets.len() != buckets) {
            return None;
        }
        let mut keys = Vec::new();
        for bucket in (0..buckets).filter(|bucket| source.buckets[*bucket] != target.buckets[*bucket]) {
            if keys.len() == BUCKETS_AT_MOST {
                return None;
            }
            keys.push(source.keys[bucket].only(&target.keys[bucket])?);
        }
        Some(match shape {
            Shape::Uuid => Self::Uuids(keys.into_iter().map(u128::to_be_bytes).collect()),
            Shape::Integer => Self::Integers(keys.into_iter().map(|key| (key as u64).cast_signed()).collect()),
        })
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Integers(keys) => keys.len(),
            Self::Uuids(keys) => keys.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::canon::{Form, RowSink, Rule, SentDigester};

    fn digest<'a>(rows: impl Iterator<Item = (Cell<'a>, &'a [u8])>) -> TableDigest {
        let mut digester = SentDigester::new(&[Form::Common(Rule::Stored)], &[0]);
        for (key, row) in rows {
            digester.cell(0, key);
            digester.sent(row);
            assert_eq!(digester.end_row(), ControlFlow::Continue(()));
        }
        digester.finish()
    }

    #[test]
    fn few_keys_are_told_by_sums() {
        let uuid = |number: u64| {
            Cell::Uuid(
                u128::from_be_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes().first_chunk().unwrap())
                    .to_be_bytes(),
            )
        };
        let integer = |number: u64| Cell::Integer(number.cast_signed() * 7_000_000_007 - 9_000_000_000_000);
        for (name, key) in [("uuid", &uuid as &dyn Fn(u64) -> Cell<'static>), ("integer", &integer)] {
            let source = digest((0..40_000).map(|number| (key(number), &b"row"[..])));
            // One is missing, one is extraneous, one is changed, and one is there twice.
            let target = digest(
                (1..40_000)
                    .chain([90_000, 77])
                    .map(|number| (key(number), if number == 500 { &b"other"[..] } else { &b"row"[..] })),
            );
            let expected = |number: u64| {
                KeyNumber::of(&key(number)).map(|(_, key)| u128::from(key.high) << 64 | u128::from(key.low))
            };
            let mut expected: Vec<_> = [0, 90_000, 500, 77].into_iter().filter_map(expected).collect();
            let mut found: Vec<u128> = match Keys::differing(&source, &target).unwrap() {
                Keys::Integers(keys) => keys.into_iter().map(|key| key.cast_unsigned().into()).collect(),
                Keys::Uuids(keys) => keys.into_iter().map(u128::from_be_bytes).collect(),
            };
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn several_keys_in_one_bucket_are_not_told() {
        let source = digest((0..4_000).map(|number| (Cell::Integer(number), &b"row"[..])));
        let target = digest((0..4_000).map(|number| (Cell::Integer(number), &b"other"[..])));
        assert_eq!(Keys::differing(&source, &target), None);
        let text = |text: &'static str| digest([(Cell::Text(text.as_bytes()), text.as_bytes())].into_iter());
        assert_eq!(Keys::differing(&text("a"), &text("b")), None);
    }
}
