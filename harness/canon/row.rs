//! The canonical row: what the digests of a row are taken of.

use super::{CANON_VERSION, batch, cell::Cell, digest::Form, encode::encode_own, rule::Fit};

/// Collects the cells of one row at a time in canonical form, in buffers that are used again for the next.
///
/// A canonical row is the version, the number of columns, and for each column the form's byte and the value's bytes; then
/// zeros up to a whole block of the hash, which no other row can be mistaken for, since every value says how long it is.
#[derive(Clone, Debug)]
pub(super) struct Row {
    forms: Vec<Form>,
    key: Vec<usize>,
    bytes: Vec<u8>,
    /// Where the bytes of each column end.
    ends: Vec<usize>,
}

const HEAD: usize = 8;

impl Row {
    pub fn new(forms: Vec<Form>, key: Vec<usize>) -> Self {
        assert!(key.iter().all(|column| *column < forms.len()), "a key column is one of the row's columns");
        let mut bytes = Vec::with_capacity(256);
        bytes.extend(CANON_VERSION.to_le_bytes());
        bytes.extend(u32::try_from(forms.len()).expect("no engine has 2^32 columns").to_le_bytes());
        Self { ends: Vec::with_capacity(forms.len()), forms, key, bytes }
    }

    /// Takes the cell of the next column.
    pub fn put(&mut self, column: usize, cell: &Cell<'_>) -> Fit {
        debug_assert_eq!(column, self.ends.len(), "cells come in the order of the columns");
        let form = self.forms[column];
        self.bytes.push(form.id());
        let fit = match form {
            Form::Own => {
                encode_own(cell, &mut self.bytes);
                Fit::Exact
            }
            Form::Common(rule) => rule.encode(cell, &mut self.bytes),
        };
        self.ends.push(self.bytes.len());
        fit
    }

    /// The form's byte and the value's bytes of a column of the row that is being collected.
    pub fn column(&self, column: usize) -> &[u8] {
        let start = if column == 0 { HEAD } else { self.ends[column - 1] };
        &self.bytes[start..self.ends[column]]
    }

    /// The whole row, all of whose cells were put, without the zeros.
    pub fn whole(&self) -> &[u8] {
        debug_assert_eq!(self.ends.len(), self.forms.len(), "a row has a cell for every column");
        &self.bytes
    }

    /// The digest of the row, all of whose cells were put.
    pub fn digest(&self) -> [u8; 32] {
        batch::digest(self.whole())
    }

    /// Whether rows have a key.
    pub const fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// What groups the row with those of the same key: a hash of the key's columns. Rows without a key are grouped by
    /// [`word`] of their digest.
    ///
    /// This hash is cheap and not safe from somebody who looks for collisions. It need not be: it only chooses buckets and
    /// brings rows together that may have one key. Whether rows are equal is up to their digests, and whether keys are,
    /// up to the keys.
    pub fn group(&self) -> u64 {
        self.key.iter().fold(0, |group, column| mix(group, self.column(*column)))
    }

    /// Makes room for the next row.
    pub fn clear(&mut self) {
        self.bytes.truncate(HEAD);
        self.ends.clear();
    }
}

const MULTIPLIERS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93];

/// Folds bytes into a hash, eight at a time: both halves of the product of two 64-bit numbers.
fn mix(hash: u64, bytes: &[u8]) -> u64 {
    let step = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word ^ MULTIPLIERS[0]) * u128::from(word.rotate_left(32) ^ MULTIPLIERS[1]);
        (product as u64) ^ ((product >> 64) as u64)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(hash, |hash, bytes| step(hash, u64::from_le_bytes(*bytes)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    step(step(hash, u64::from_le_bytes(last)), bytes.len() as u64)
}

/// What groups rows without a key.
pub(super) fn word(digest: &[u8; 32]) -> u64 {
    u64::from_le_bytes(*digest.first_chunk().expect("thirty-two bytes hold eight"))
}

/// The bucket among so many that a group falls into: by its upper bits, as if it were a fraction.
pub(super) fn bucket_of(group: u64, buckets: usize) -> usize {
    ((u128::from(group) * buckets as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_spread_over_the_buckets() {
        for width in 1..20 {
            let mut counts = [0_u32; 64];
            for number in 0..6_400_u64 {
                let mut key = vec![7; width];
                key.extend(number.to_le_bytes());
                counts[bucket_of(mix(0, &key), 64)] += 1;
            }
            assert!(counts.iter().all(|count| (50..160).contains(count)), "{width}: {counts:?}");
        }
        assert_ne!(mix(0, b""), mix(0, b"\0"));
        assert_ne!(mix(mix(0, b"a"), b"bc"), mix(mix(0, b"ab"), b"c"));
    }

    #[test]
    fn buckets_are_all_within() {
        assert_eq!(bucket_of(u64::MAX, 7), 6);
        assert_eq!(bucket_of(0, 7), 0);
    }
}
