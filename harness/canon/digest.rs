//! First pass: one table of one side as fingerprints.

use std::ops::ControlFlow;

use super::{
    cell::{Cell, RowSink},
    keyed::{KeySum, Shape},
    row::Row,
    rule::{Fit, Rule},
    sketch::Sketch,
    sums::{Mark, Sums},
};
use crate::model::{Fingerprint, Side};

/// The form in which a column's values enter the digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Own form: the side is compared with itself.
    Own,
    /// Common form: source is compared with target under a rule.
    Common(Rule),
}

impl Form {
    /// The form's byte in the row digest.
    pub(super) const fn id(self) -> u8 {
        match self {
            Self::Own => 0,
            Self::Common(rule) => rule.id(),
        }
    }
}

/// Takes the rows of a table in any order and sums their digests up, in constant memory.
#[derive(Clone, Debug)]
pub struct RowDigester {
    row: Row,
    per_column: bool,
    sums: Sums,
    digest: TableDigest,
}

/// The fingerprints of a table's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDigest {
    /// Of all rows.
    pub fingerprint: Fingerprint,
    /// Of the rows of each bucket, which go by their key (or the whole row, without a key); empty if there are no rows.
    pub buckets: Vec<Fingerprint>,
    /// Of the values of each column alone; empty if they were not asked for.
    pub columns: Vec<Fingerprint>,
    /// Rows whose value a rule folded, for each column.
    pub normalised: Vec<u64>,
    /// Rows whose value a rule could not bring to its type, for each column.
    pub unfit: Vec<u64>,
    /// Bytes of all rows together, as they were hashed.
    pub bytes: u64,
    /// The keys of the rows of each bucket, summed up; empty where they cannot be.
    pub(super) keys: Vec<KeySum>,
    /// What these keys are.
    pub(super) shape: Option<Shape>,
}

impl TableDigest {
    /// Of a table with so many columns and no rows.
    pub(super) fn of_columns(width: usize) -> Self {
        Self {
            fingerprint: Fingerprint::default(),
            buckets: Vec::new(),
            columns: Vec::new(),
            normalised: vec![0; width],
            unfit: vec![0; width],
            bytes: 0,
            keys: Vec::new(),
            shape: None,
        }
    }

    /// Counts what a rule did to a value.
    pub(super) fn fit(&mut self, column: usize, fit: Fit) {
        match fit {
            Fit::Exact => {}
            Fit::Normalised => self.normalised[column] += 1,
            Fit::Unfit => self.unfit[column] += 1,
        }
    }

    /// Adds the rows of another part of the same table, digested in the same way.
    ///
    /// # Panics
    /// If they were digested with another number of buckets.
    pub fn add(&mut self, other: &Self) {
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
            self.keys.clone_from(&other.keys);
        } else if !other.buckets.is_empty() {
            assert_eq!(self.buckets.len(), other.buckets.len(), "parts of one table have the same number of buckets");
            self.buckets.iter_mut().zip(&other.buckets).for_each(|(sum, part)| sum.add(part));
            // Sums that one part has not are of no use in the other.
            self.keys.truncate(other.keys.len());
            self.keys.iter_mut().zip(&other.keys).for_each(|(sum, part)| sum.join(part));
        }
        self.fingerprint.add(&other.fingerprint);
        self.columns.iter_mut().zip(&other.columns).for_each(|(sum, part)| sum.add(part));
        self.normalised.iter_mut().zip(&other.normalised).for_each(|(sum, part)| *sum += part);
        self.unfit.iter_mut().zip(&other.unfit).for_each(|(sum, part)| *sum += part);
        self.bytes += other.bytes;
        self.shape = self.shape.or(other.shape);
    }
}

impl RowDigester {
    /// Begins a table with a form for each column of the rowset, in order, and the positions of the columns that name a
    /// row (none for a table without a key). `per_column` asks for the fingerprint of each column alone too, which
    /// costs one more hash for each value.
    ///
    /// # Panics
    /// If a key position is not that of a column.
    pub fn new(forms: Vec<Form>, key: Vec<usize>, per_column: bool) -> Self {
        let width = forms.len();
        let columns = vec![Fingerprint::default(); if per_column { width } else { 0 }];
        let digest = TableDigest { columns, ..TableDigest::of_columns(width) };
        let sums = Sums::new(!key.is_empty());
        Self { row: Row::new(forms, key), per_column, sums, digest }
    }

    /// Takes another number of buckets (at least one); both sides of a comparison need the same.
    #[must_use]
    pub fn with_buckets(mut self, buckets: usize) -> Self {
        self.sums = self.sums.with_buckets(buckets);
        self
    }

    /// Shows one side's rows, which have a key, to a sketch, and wants no more when that says that the sides differ widely.
    #[must_use]
    pub fn with_sketch(mut self, sketch: &Sketch, side: Side) -> Self {
        self.sums = self.sums.with_glimpse(sketch.of(side));
        self
    }

    /// The fingerprints of all rows that came.
    pub fn finish(mut self) -> TableDigest {
        let (fingerprint, buckets) = self.sums.finish();
        (self.digest.fingerprint, self.digest.buckets) = (fingerprint, buckets.rows);
        self.digest
    }
}

impl RowSink for RowDigester {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        let fit = self.row.put(column, &cell);
        self.digest.fit(column, fit);
        if self.per_column {
            let digest = blake3::hash(self.row.column(column));
            self.digest.columns[column].add_digest(digest.as_bytes());
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.digest.bytes += self.row.whole().len() as u64;
        let group = if self.row.has_key() { self.row.group() } else { 0 };
        self.sums.add(self.row.whole(), Mark { group, ..Mark::default() });
        self.row.clear();
        self.sums.flow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows<'a> = &'a [&'a [Cell<'a>]];

    fn digest(rows: Rows<'_>, key: &[usize]) -> TableDigest {
        let forms = vec![Form::Own; rows[0].len()];
        let mut digester = RowDigester::new(forms, key.to_vec(), true);
        for row in rows {
            row.iter().enumerate().for_each(|(column, cell)| digester.cell(column, *cell));
            assert!(digester.end_row().is_continue());
        }
        digester.finish()
    }

    const fn text(text: &str) -> Cell<'_> {
        Cell::Text(text.as_bytes())
    }

    #[test]
    fn known_collisions_of_other_checksums_are_told_apart() {
        let (before, after): (&[Cell<'_>], &[Cell<'_>]) = (&[text("11:22")], &[text("11:32")]);
        let (big, bigger) = (Cell::Integer(100_000_000_001), Cell::Integer(100_000_000_002));
        let cases: &[(Rows<'_>, Rows<'_>)] = &[
            (&[&[text("ab"), text("c")]], &[&[text("a"), text("bc")]]),
            (&[&[text("a|b"), text("c")]], &[&[text("a"), text("b|c")]]),
            (&[&[Cell::Null]], &[&[text("<null>")]]),
            (&[&[Cell::Null]], &[&[text("")]]),
            (&[&[Cell::Null]], &[&[text("DEFAULT_REPLACEMENT_STRING")]]),
            (&[&[text("a")], &[text("b")], &[text("b")]], &[&[text("a")], &[text("c")], &[text("c")]]),
            (&[&[text("a")], &[text("b")], &[text("b")]], &[&[text("a")]]),
            (&[before; 4], &[after; 4]),
            (&[&[text("x")], &[text("yz")]], &[&[text("xy")], &[text("z")]]),
            (&[&[big]], &[&[bigger]]),
            (&[&[text("a😀b")]], &[&[text("a😁b")]]),
            (&[&[text("12345678901234567.89")]], &[&[text("12345678901234567.90")]]),
            (&[&[Cell::Float64(0.0)]], &[&[Cell::Null]]),
        ];
        for (source, target) in cases {
            let (source_digest, target_digest) = (digest(source, &[]), digest(target, &[]));
            assert_ne!(source_digest.fingerprint, target_digest.fingerprint, "{source:?} {target:?}");
            // Also with the number of rows left out of it.
            assert_ne!(source_digest.fingerprint.sum, target_digest.fingerprint.sum, "{source:?} {target:?}");
        }
    }

    #[test]
    fn columns_are_pinned_and_swaps_are_seen() {
        let before = digest(&[&[text("a"), text("b"), text("k")]], &[2]);
        let after = digest(&[&[text("b"), text("a"), text("k")]], &[2]);
        assert_ne!(before.fingerprint, after.fingerprint);
        assert_eq!(before.columns[0], after.columns[1]);
        assert_eq!(before.columns[2], after.columns[2]);
        assert_eq!(before.buckets.iter().position(|b| b.rows == 1), after.buckets.iter().position(|b| b.rows == 1));
    }

    #[test]
    fn rules_are_part_of_the_digest_and_fill_the_ledger() {
        let run = |rule, cell| {
            let mut digester = RowDigester::new(vec![Form::Common(rule)], Vec::new(), false);
            digester.cell(0, cell);
            assert!(digester.end_row().is_continue());
            digester.finish()
        };
        let (source, target) = (run(Rule::Boolean, text("t")), run(Rule::Boolean, Cell::Boolean(true)));
        assert_eq!(source.fingerprint, target.fingerprint);
        assert_eq!((source.normalised[0], target.normalised[0]), (1, 0));
        assert_eq!(run(Rule::Boolean, Cell::Integer(2)).unfit, [1]);
        assert_ne!(run(Rule::Text, text("1")).fingerprint, run(Rule::Json, text("1")).fingerprint);
    }
}
