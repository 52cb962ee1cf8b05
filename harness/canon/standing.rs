//! What stands under each key of a table, to be held against what stands there later: whether a difference is there to
//! stay, or is a write that one side has not seen yet.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    sync::Arc,
};

use super::{
    cell::{Cell, RowSink},
    rule::Rule,
};

/// Buckets of the pass that finds out where to look.
const BUCKETS: usize = 1 << 16;

/// The rows under one key: how many, and the sum of their digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Under {
    /// How many.
    pub rows: u64,
    /// The sum of their digests.
    sum: u128,
}

impl Under {
    fn add(&mut self, digest: u128) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(digest);
    }
}

/// Which keys are kept.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// None: only the buckets that keys fall into are summed.
    Sums,
    /// Those that fall into some of the buckets.
    Buckets(Arc<Vec<bool>>),
    /// These.
    Keys(Arc<HashSet<u128>>),
}

/// Takes the rows of a table and keeps what stands under wanted keys.
#[derive(Debug)]
pub struct Standing {
    rules: Vec<Rule>,
    key: Vec<usize>,
    wanted: Wanted,
    limit: usize,
    bytes: Vec<u8>,
    /// Where the bytes of each column end.
    ends: Vec<usize>,
    key_bytes: Vec<u8>,
    buckets: Vec<Under>,
    found: HashMap<u128, Under>,
    is_too_much: bool,
}

impl Standing {
    /// Begins a table: the columns' rules, the positions of its key (none: each row is its own), what is wanted, and how many
    /// keys may be kept.
    pub fn new(rules: Vec<Rule>, key: Vec<usize>, wanted: Wanted, limit: usize) -> Self {
        let buckets = if matches!(wanted, Wanted::Sums) { vec![Under::default(); BUCKETS] } else { Vec::new() };
        Self {
            ends: Vec::with_capacity(rules.len()),
            rules,
            key,
            wanted,
            limit,
            bytes: Vec::new(),
            key_bytes: Vec::new(),
            buckets,
            found: HashMap::new(),
            is_too_much: false,
        }
    }

    /// The buckets in which two sides differ.
    pub fn differing(source: &Self, target: &Self) -> Vec<bool> {
        source.buckets.iter().zip(&target.buckets).map(|(source, target)| source != target).collect()
    }

    /// What stands under each wanted key; `None` if that is more than may be kept.
    pub fn finish(self) -> Option<HashMap<u128, Under>> {
        (!self.is_too_much).then_some(self.found)
    }

    fn digests(&mut self) -> (u128, u128) {
        let half = |bytes: &[u8]| {
            let hash = blake3::hash(bytes);
            u128::from_le_bytes(*hash.as_bytes().first_chunk().expect("thirty-two bytes hold sixteen"))
        };
        let row = half(&self.bytes);
        if self.key.is_empty() {
            return (row, row);
        }
        self.key_bytes.clear();
        for column in &self.key {
            let start = if *column == 0 { 0 } else { self.ends[column - 1] };
            self.key_bytes.extend_from_slice(&self.bytes[start..self.ends[*column]]);
        }
        (half(&self.key_bytes), row)
    }
}

impl RowSink for Standing {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        self.rules[column].encode(&cell, &mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        let (key, row) = self.digests();
        self.bytes.clear();
        self.ends.clear();
        let bucket = (key % BUCKETS as u128) as usize;
        let is_wanted = match &self.wanted {
            Wanted::Sums => {
                self.buckets[bucket].add(row);
                false
            }
            Wanted::Buckets(chosen) => chosen[bucket],
            Wanted::Keys(keys) => keys.contains(&key),
        };
        if is_wanted {
            self.found.entry(key).or_default().add(row);
            self.is_too_much |= self.found.len() > self.limit;
        }
        if self.is_too_much { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(rows: &[(i64, &str)], wanted: Wanted, limit: usize) -> Standing {
        let mut standing = Standing::new(vec![Rule::Number, Rule::Text], vec![0], wanted, limit);
        for (key, text) in rows {
            standing.cell(0, Cell::Integer(*key));
            standing.cell(1, Cell::Text(text.as_bytes()));
            if standing.end_row().is_break() {
                break;
            }
        }
        standing
    }

    #[test]
    fn differing_keys_are_found_by_their_buckets() {
        let (source, target) = ([(1, "a"), (2, "b"), (3, "c")], [(3, "c"), (2, "B"), (1, "a")]);
        let chosen = Standing::differing(&stand(&source, Wanted::Sums, 0), &stand(&target, Wanted::Sums, 0));
        assert_eq!(chosen.iter().filter(|chosen| **chosen).count(), 1);
        let chosen = Wanted::Buckets(Arc::new(chosen));
        let source = stand(&source, chosen.clone(), 9).finish().unwrap();
        let target = stand(&target, chosen, 9).finish().unwrap();
        assert_eq!((source.len(), target.len()), (1, 1));
        assert_ne!(source, target);
    }

    #[test]
    fn too_many_keys_are_said_and_not_cut() {
        let all = Wanted::Buckets(Arc::new(vec![true; BUCKETS]));
        assert!(stand(&[(1, "a"), (2, "b")], all.clone(), 1).finish().is_none());
        assert_eq!(stand(&[(1, "a"), (1, "b")], all, 1).finish().unwrap().values().next().unwrap().rows, 2);
    }
}
