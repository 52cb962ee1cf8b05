//! The canonical row: what the digests of a row are taken of.

use super::{CANON_VERSION, cell::Cell, digest::Form, encode::encode_own, rule::Fit};

/// Collects the cells of one row at a time in canonical form, in buffers that are used again for the next.
///
/// A canonical row is the version, the number of columns, and for each column the form's byte and the value's bytes.
#[derive(Clone, Debug)]
pub(super) struct Row {
    forms: Vec<Form>,
    key: Vec<usize>,
    bytes: Vec<u8>,
    /// Where the bytes of each column end.
    ends: Vec<usize>,
    key_bytes: Vec<u8>,
}

/// The digests of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digests {
    /// Of the whole row.
    pub row: [u8; 32],
    /// Of the key's columns, or of the row if there is no key.
    pub key: [u8; 32],
}

const HEAD: usize = 8;

impl Row {
    pub fn new(forms: Vec<Form>, key: Vec<usize>) -> Self {
        assert!(key.iter().all(|column| *column < forms.len()), "a key column is one of the row's columns");
        let mut bytes = Vec::with_capacity(256);
        head(forms.len(), &mut bytes);
        Self { ends: Vec::with_capacity(forms.len()), key_bytes: Vec::new(), forms, key, bytes }
    }

    pub const fn width(&self) -> usize {
        self.forms.len()
    }

    pub const fn has_key(&self) -> bool {
        !self.key.is_empty()
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

    /// The digests of the row, all of whose cells were put.
    pub fn digests(&mut self) -> Digests {
        debug_assert_eq!(self.ends.len(), self.forms.len(), "a row has a cell for every column");
        let row = *blake3::hash(&self.bytes).as_bytes();
        if self.key.is_empty() {
            return Digests { row, key: row };
        }
        let mut key_bytes = std::mem::take(&mut self.key_bytes);
        key_bytes.clear();
        head(self.key.len(), &mut key_bytes);
        for column in &self.key {
            key_bytes.extend_from_slice(self.column(*column));
        }
        let key = *blake3::hash(&key_bytes).as_bytes();
        self.key_bytes = key_bytes;
        Digests { row, key }
    }

    /// Makes room for the next row.
    pub fn clear(&mut self) {
        self.bytes.truncate(HEAD);
        self.ends.clear();
    }
}

fn head(columns: usize, out: &mut Vec<u8>) {
    out.extend(CANON_VERSION.to_le_bytes());
    out.extend(u32::try_from(columns).expect("no engine has 2^32 columns").to_le_bytes());
}

/// The bucket among so many that a key digest falls into.
pub(super) fn bucket_of(key: &[u8; 32], buckets: usize) -> usize {
    let number = u64::from_le_bytes(*key.first_chunk().expect("thirty-two bytes hold eight"));
    (number % buckets as u64) as usize
}
