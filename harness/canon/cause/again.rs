//! Rows that are there once more under keys of their own: a batch that was loaded twice, and got new keys the second time.

use std::{collections::BTreeMap, ops::ControlFlow};

use super::REPEATS;
use crate::canon::{
    cell::{Cell, RowSink},
    rule::Rule,
};

/// What a row holds besides its key, as half of its digest.
pub(super) type Besides = [u8; 16];

/// Of the canonical forms of all columns but the key.
pub(super) fn digest(besides: &[u8]) -> Besides {
    *blake3::hash(besides).as_bytes().first_chunk().expect("thirty-two bytes hold sixteen")
}

/// Rows that only the target has, to be looked for among the source's as it sends them: the same but for the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    rules: Vec<Rule>,
    key: usize,
    strays: BTreeMap<Besides, Stray>,
    /// The row that is on its way; used again for every row.
    besides: Vec<u8>,
}

/// Rows that hold the same besides their keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stray {
    /// How many there are.
    rows: u64,
    /// Rows of the source that hold that too.
    seen: u64,
}

impl Again {
    /// Looks for these rows; `None` where they are too few to be a batch.
    pub(super) fn of(rules: Vec<Rule>, key: usize, strays: impl Iterator<Item = (Besides, u64)>) -> Option<Self> {
        let strays: BTreeMap<Besides, Stray> = strays.map(|(held, rows)| (held, Stray { rows, seen: 0 })).collect();
        let one = Self { rules, key, strays, besides: Vec::new() };
        (one.rows() >= REPEATS).then_some(one)
    }

    /// How many rows are looked for.
    pub fn rows(&self) -> u64 {
        self.strays.values().map(|stray| stray.rows).sum()
    }

    /// How many of them a single row of the source has under another key. What several rows hold (a status and nothing else)
    /// says nothing, and neither do fewer rows than a batch has.
    pub fn finish(self) -> u64 {
        let found = self.strays.into_values().filter(|stray| stray.seen == 1).map(|stray| stray.rows).sum();
        if found >= REPEATS { found } else { 0 }
    }
}

impl RowSink for Again {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        if let Some(rule) = self.rules.get(column).filter(|_| column != self.key) {
            rule.encode(&cell, &mut self.besides);
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        if let Some(stray) = self.strays.get_mut(&digest(&self.besides)) {
            stray.seen += 1;
        }
        self.besides.clear();
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(strays: &[(&str, u64)], source: &[&str]) -> Option<u64> {
        let rules = vec![Rule::Number, Rule::Text];
        let held = |text: &str| {
            let mut besides = Vec::new();
            Rule::Text.encode(&Cell::Text(text.as_bytes()), &mut besides);
            digest(&besides)
        };
        let mut again = Again::of(rules, 0, strays.iter().map(|(text, rows)| (held(text), *rows)))?;
        for (key, text) in (0..).zip(source) {
            again.cell(0, Cell::Integer(key));
            again.cell(1, Cell::Text(text.as_bytes()));
            assert!(again.end_row().is_continue());
        }
        Some(again.finish())
    }

    #[test]
    fn a_batch_is_found_whatever_its_keys() {
        assert_eq!(found(&[("a", 1), ("b", 1), ("c", 1), ("x", 1)], &["z", "c", "b", "a"]), Some(3));
        assert_eq!(found(&[("a", 2), ("b", 2)], &["a", "b"]), Some(4), "loaded three times");
    }

    #[test]
    fn a_few_rows_and_what_many_rows_hold_say_nothing() {
        assert_eq!(found(&[("a", 1), ("b", 1)], &["a", "b"]), None);
        assert_eq!(found(&[("a", 1), ("b", 1), ("x", 1)], &["a", "b"]), Some(0));
        assert_eq!(found(&[("a", 5)], &["a", "a", "b"]), Some(0));
    }
}
