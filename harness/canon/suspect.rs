//! Second pass: the rows of differing buckets, each with what it takes to join and to show it.

use std::{ops::ControlFlow, sync::Arc};

use super::{
    cell::{Cell, RowSink},
    digest::Form,
    encode::{decode_own, encode_own},
    locate::Buckets,
    row::{Row, word},
    show::text_of,
};

/// What stands before the values of a row: its group, how often it is there, and how many bytes follow.
const HEAD: usize = 24;

/// Where suspects are kept.
pub trait Keep: Send {
    /// Keeps a record in a partition. `Break` ends the scan, where it could not.
    fn keep(&mut self, partition: usize, record: &[u8]) -> ControlFlow<()>;
}

/// The current row's record: cells are only lent until the next.
#[derive(Clone, Debug)]
pub(super) struct Record(Vec<u8>);

impl Default for Record {
    fn default() -> Self {
        Self(vec![0; HEAD])
    }
}

impl Record {
    /// Where the values of the row go.
    pub const fn values(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Has the row kept if its group falls into a differing bucket, and makes room for the next.
    pub fn end(&mut self, group: u64, buckets: &Buckets, kept: &mut impl Keep) -> ControlFlow<()> {
        let flow = match buckets.partition(group) {
            Some(partition) => {
                let length = (self.0.len() - HEAD) as u64;
                self.0[..8].copy_from_slice(&group.to_le_bytes());
                self.0[8..16].copy_from_slice(&1_u64.to_le_bytes());
                self.0[16..24].copy_from_slice(&length.to_le_bytes());
                kept.keep(partition, &self.0)
            }
            None => ControlFlow::Continue(()),
        };
        self.0.truncate(HEAD);
        flow
    }
}

/// Takes the rows of a table and has those kept that fall into differing buckets.
#[derive(Debug)]
pub struct Suspects<K> {
    /// Of the key's columns, in their order; of all columns where there is no key.
    row: Row,
    key: Vec<usize>,
    has_key: bool,
    /// Where in the record the cells of the key begin.
    key_cells: Vec<usize>,
    buckets: Arc<Buckets>,
    record: Record,
    kept: K,
}

impl<K> Suspects<K> {
    /// Begins a table with the forms and key of the first pass.
    ///
    /// # Panics
    /// If a key position is not that of a column.
    pub fn new(forms: Vec<Form>, key: Vec<usize>, buckets: Arc<Buckets>, kept: K) -> Self {
        let has_key = !key.is_empty();
        let row = if has_key {
            Row::new(key.iter().map(|column| forms[*column]).collect(), (0..key.len()).collect())
        } else {
            Row::new(forms, Vec::new())
        };
        Self { row, has_key, key_cells: vec![0; key.len()], key, buckets, record: Record::default(), kept }
    }

    /// What keeps them.
    pub fn finish(self) -> K {
        self.kept
    }
}

impl<K: Keep> RowSink for Suspects<K> {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        // With a key, the other columns are brought to their common form only where that tells equal from unequal.
        if !self.has_key {
            self.row.put(column, &cell);
        } else if let Some(at) = self.key.iter().position(|key| *key == column) {
            self.key_cells[at] = self.record.0.len();
        }
        encode_own(&cell, self.record.values());
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        let group = if self.has_key {
            for (at, start) in self.key_cells.iter().enumerate() {
                if let Some((cell, _)) = decode_own(&self.record.0[*start..]) {
                    self.row.put(at, &cell);
                }
            }
            self.row.group()
        } else {
            word(&self.row.digest())
        };
        self.row.clear();
        self.record.end(group, &self.buckets, &mut self.kept)
    }
}

/// The records of one partition, in order; rows that are stored alike more than once are one with a count.
#[derive(Clone, Debug, Default)]
pub struct Ordered {
    records: Vec<u8>,
    rows: Vec<Suspect>,
}

/// A kept row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspect {
    /// The hash of its key, or a part of its digest where there is no key.
    pub group: u64,
    /// How often it is there.
    pub times: u64,
    at: usize,
    length: usize,
}

impl Ordered {
    /// Orders records.
    pub fn new(records: Vec<u8>) -> Self {
        let mut rows = Vec::new();
        let mut at = 0;
        while let Some((suspect, end)) = read(&records, at) {
            rows.push(suspect);
            at = end;
        }
        debug_assert_eq!(at, records.len(), "records are whole");
        let own = |row: &Suspect| &records[row.at..row.at + row.length];
        rows.sort_unstable_by(|one, other| one.group.cmp(&other.group).then_with(|| own(one).cmp(own(other))));
        rows.dedup_by(|second, first| {
            let is_same = second.group == first.group && own(second) == own(first);
            first.times += if is_same { second.times } else { 0 };
            is_same
        });
        Self { records, rows }
    }

    /// The records again, those of equal rows as one.
    pub fn into_records(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.rows.iter().map(|row| HEAD + row.length).sum());
        for row in &self.rows {
            out.extend(row.group.to_le_bytes());
            out.extend(row.times.to_le_bytes());
            out.extend((row.length as u64).to_le_bytes());
            out.extend_from_slice(self.own(row));
        }
        out
    }

    /// The rows.
    pub(super) fn rows(&self) -> &[Suspect] {
        &self.rows
    }

    /// The own forms of a row's cells, or the row as it was sent.
    pub(super) fn own(&self, row: &Suspect) -> &[u8] {
        &self.records[row.at..row.at + row.length]
    }
}

/// One of several slices of a partition, each of which has all rows of the groups that are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Which one, from 0 on.
    pub at: u64,
    /// Of how many (at least one).
    pub of: u64,
}

impl Slice {
    /// The whole partition.
    pub const ALL: Self = Self { at: 0, of: 1 };

    /// Whether none comes after it.
    pub const fn is_last(&self) -> bool {
        self.at + 1 == self.of
    }

    /// Takes out the records from this place on that are not in it.
    pub fn cut(&self, records: &mut Vec<u8>, from: usize) {
        if self.of == 1 {
            return;
        }
        let (mut at, mut kept) = (from, from);
        while let Some((suspect, end)) = read(records, at) {
            // The upper bits have chosen the partition.
            if suspect.group % self.of == self.at {
                records.copy_within(at..end, kept);
                kept += end - at;
            }
            at = end;
        }
        records.truncate(kept);
    }
}

/// The record at this place, and where it ends.
fn read(bytes: &[u8], at: usize) -> Option<(Suspect, usize)> {
    let (group, rest) = bytes.get(at..)?.split_first_chunk::<8>()?;
    let (times, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok().filter(|length| *length <= rest.len())?;
    let (group, times) = (u64::from_le_bytes(*group), u64::from_le_bytes(*times));
    Some((Suspect { group, times, at: at + HEAD, length }, at + HEAD + length))
}

/// The cells whose own forms these are.
pub fn cells(own: &[u8]) -> impl Iterator<Item = Cell<'_>> {
    parts(own).map(|(cell, _)| cell)
}

/// The same, each with its own form.
pub(super) fn parts(own: &[u8]) -> impl Iterator<Item = (Cell<'_>, &[u8])> {
    let mut rest = own;
    std::iter::from_fn(move || {
        let (cell, after) = decode_own(rest)?;
        let part = &rest[..rest.len() - after.len()];
        rest = after;
        Some((cell, part))
    })
}

/// The values of a row as text, column by column (`None` is NULL).
pub fn texts(own: &[u8]) -> Vec<Option<String>> {
    cells(own).map(|cell| text_of(&cell)).collect()
}
