//! Joining the suspects of both sides, partition by partition: which rows differ, in which values, and why.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use super::{
    Causes, KeyShift,
    cause::{Again, Moved, Unlike},
    cell::Cell,
    digest::Form,
    encode::encode_own,
    row::Row,
    rule::{Fit, Rule},
    sent::SentRow,
    suspect::{Ordered, Suspect, parts},
};
use crate::model::{CauseCount, Redaction, Side, Sides};

/// Changed rows that are kept to show: so many times the sample of one column.
const COLUMNS_SHOWN: usize = 16;

/// Joins partitions.
///
/// Rows of one key are paired: equal ones first, the rest in the order of their digests as changed rows; what is left
/// on either side is missing or extraneous. Without a key a row is its own key, so that nothing is ever changed.
#[derive(Debug)]
pub struct Join {
    forms: Vec<Form>,
    key: Vec<usize>,
    causes: Causes,
    /// Rows of either side that may be the other side's under another key.
    keys: KeyShift,
    cap: usize,
    located: Located,
    touched: Touched,
    /// What reads the rows, where they were kept as they were sent.
    sent: Option<Arc<dyn SentRow>>,
    /// The only rows of a group as the own forms of their cells; used again for every group.
    read: Sides<Vec<u8>>,
    /// A value's common form; used again for every value.
    spare: Vec<u8>,
    /// Of the changed rows that are kept to show, how many have a change in each column.
    shown: Vec<usize>,
}

/// Which rows differ between source and target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// Rows that only the source has.
    pub missing: u64,
    /// Rows that only the target has.
    pub extraneous: u64,
    /// Of the missing (source) and extraneous ones (target), those of which the other side has the very same row, but not
    /// as often: duplicates that were dropped, batches that were loaded twice.
    pub repeated: Sides<u64>,
    /// Rows with the same key and different values.
    pub changed: u64,
    /// Values that differ in changed rows, for each column.
    pub changed_values: Vec<u64>,
    /// How the keys of rows moved that are there on the other side under another key.
    pub moved: Option<Moved>,
    /// Extraneous rows that may be the source's once more, under keys of their own.
    pub strays: Option<Again>,
    /// How many of them are.
    pub again: u64,
    /// Some of the rows, to show.
    pub sample: Sample,
}

/// Some of the rows of each kind, as the own forms of their cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// In the source.
    pub missing: Vec<Vec<u8>>,
    /// In the target.
    pub extraneous: Vec<Vec<u8>>,
    /// In both: for each column as many as there is room for, so that rare changes are not crowded out.
    pub changed: Vec<Changed>,
}

/// A row with the same key and different values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The row in the source.
    pub source: Vec<u8>,
    /// The row in the target.
    pub target: Vec<u8>,
    /// Positions of the columns whose values differ.
    pub columns: Vec<usize>,
}

/// For each column, rows of either side with a value that is stored unlike the other side's, and what the column's rule did
/// to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// It folded the value, and that made the two equal.
    pub normalised: Sides<Vec<u64>>,
    /// It could not bring the value to its type.
    pub unfit: Sides<Vec<u64>>,
}

impl Touched {
    fn add(&mut self, value: &Unlike, times: u64) {
        for (side, fit) in value.fits.into_each() {
            match fit {
                Fit::Normalised if !value.differs => self.normalised.get_mut(side)[value.column] += times,
                Fit::Unfit => self.unfit.get_mut(side)[value.column] += times,
                Fit::Normalised | Fit::Exact => {}
            }
        }
    }
}

/// A row that was kept as it was sent has bytes that its form has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row has bytes that are not of the form in which it was said to be sent")]
pub struct Unreadable;

/// The own forms of a row's cells, and how often the row is there.
type Read<'a> = (Cow<'a, [u8]>, u64);

/// A row that has no equal on the other side, and how often.
#[derive(Clone, Copy)]
struct Left<'a> {
    own: &'a [u8],
    times: u64,
    /// The other side has it too.
    is_repeated: bool,
}

impl Join {
    /// Begins a table with the forms and key of both passes, what takes the causes of changed values, and how many rows
    /// of each kind to show at most.
    pub fn new(forms: Vec<Form>, key: Vec<usize>, causes: Causes, cap: usize) -> Self {
        let width = forms.len();
        let located = Located { changed_values: vec![0; width], ..Located::default() };
        let none = Sides::new(vec![0; width], vec![0; width]);
        let touched = Touched { normalised: none.clone(), unfit: none };
        let rules = forms.iter().map(|form| match form {
            Form::Own => Rule::Stored,
            Form::Common(rule) => *rule,
        });
        let keys = KeyShift::new(rules.collect(), &key);
        Self {
            forms,
            key,
            causes,
            keys,
            cap,
            located,
            touched,
            sent: None,
            read: Sides::default(),
            spare: Vec::new(),
            shown: vec![0; width],
        }
    }

    /// Takes rows that were kept as they were sent.
    #[must_use]
    pub fn of_sent(mut self, sent: Option<Arc<dyn SentRow>>) -> Self {
        self.sent = sent;
        self
    }

    /// Takes one partition: all rows of its buckets.
    ///
    /// # Errors
    /// If a row that was kept as it was sent cannot be read.
    pub fn partition(&mut self, sides: &Sides<Ordered>) -> Result<(), Unreadable> {
        let (mut source, mut target) = (sides.source.rows(), sides.target.rows());
        while let Some(group) = [source, target].iter().filter_map(|side| side.first()).map(|row| row.group).min() {
            let rows = Sides::new(run(group, &mut source), run(group, &mut target));
            if let ([source], [target]) = (rows.source, rows.target)
                && source.times == target.times
            {
                let (own, other) = (sides.source.own(source), sides.target.own(target));
                // Most suspects are only neighbours of a row that differs.
                if own == other || source.times == 1 && self.only(own, other)? {
                    continue;
                }
            }
            let read = Sides::new(self.own(rows.source, &sides.source)?, self.own(rows.target, &sides.target)?);
            let (source, target) = (self.distinct(&read.source), self.distinct(&read.target));
            for (row, one) in &source {
                if let Some(other) = target.get(row) {
                    self.touch(one.own, other.own, one.times.min(other.times));
                }
            }
            self.group(&unequal(&source, &target), &unequal(&target, &source));
        }
        Ok(())
    }

    /// Takes the only rows of a group as they were kept.
    fn only(&mut self, source: &[u8], target: &[u8]) -> Result<bool, Unreadable> {
        let Some(sent) = self.sent.clone() else { return Ok(self.pair(source, target)) };
        let mut read = std::mem::take(&mut self.read);
        for (kept, own) in [(source, &mut read.source), (target, &mut read.target)] {
            own.clear();
            sent.cells(kept, &mut |cell| encode_own(&cell, own)).ok_or(Unreadable)?;
        }
        let is_pair = self.pair(&read.source, &read.target);
        self.read = read;
        Ok(is_pair)
    }

    /// The rows of a group.
    fn own<'a>(&self, rows: &[Suspect], of: &'a Ordered) -> Result<Vec<Read<'a>>, Unreadable> {
        let read = |row: &Suspect| {
            let kept = of.own(row);
            let Some(sent) = &self.sent else { return Ok((Cow::Borrowed(kept), row.times)) };
            let mut own = Vec::new();
            sent.cells(kept, &mut |cell| encode_own(&cell, &mut own)).ok_or(Unreadable)?;
            Ok((Cow::Owned(own), row.times))
        };
        rows.iter().map(read).collect()
    }

    /// Takes the only rows of a group, one a side, where they have one key. Otherwise tells that they have not.
    fn pair(&mut self, source: &[u8], target: &[u8]) -> bool {
        if self.key.is_empty() {
            return false;
        }
        let end = self.key.iter().max().map_or(0, |last| last + 1);
        let key_of = |own| parts(own).take(end).enumerate().filter(|(column, _)| self.key.contains(column));
        let is_one_key = key_of(source).zip(key_of(target)).all(|((column, source), (_, target))| {
            source.1 == target.1 || self.common(column, source) == self.common(column, target)
        });
        if is_one_key {
            self.changed(source, target, 1);
        }
        is_one_key
    }

    /// The form of a value under which it is compared.
    fn common(&self, column: usize, (cell, own): (Cell<'_>, &[u8])) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.forms[column] {
            Form::Own => bytes.extend_from_slice(own),
            Form::Common(rule) => {
                rule.encode(&cell, &mut bytes);
            }
        }
        bytes
    }

    /// The rows of a group by their digests: those that are equal under the rules are one.
    fn distinct<'a>(&self, rows: &'a [Read<'_>]) -> BTreeMap<[u8; 32], Left<'a>> {
        let mut row = Row::new(self.forms.clone(), Vec::new());
        let mut distinct = BTreeMap::new();
        for (own, times) in rows {
            let own = &**own;
            for (column, (cell, _)) in parts(own).enumerate() {
                row.put(column, &cell);
            }
            let digest = row.digest();
            row.clear();
            let left = distinct.entry(digest).or_insert(Left { own, times: 0, is_repeated: false });
            left.times += times;
        }
        distinct
    }

    /// What was found, the causes of each column's changed values, and what the rules did to values.
    pub fn finish(mut self, redaction: &Redaction) -> (Located, Vec<Vec<CauseCount>>, Touched) {
        self.located.strays = self.keys.strays();
        self.located.moved = self.keys.finish();
        (self.located, self.causes.finish(redaction), self.touched)
    }

    /// Takes rows that are equal under the rules.
    fn touch(&mut self, source: &[u8], target: &[u8], times: u64) {
        if source == target {
            return;
        }
        let Self { forms, touched, spare, .. } = self;
        for (column, (source, target)) in parts(source).zip(parts(target)).enumerate() {
            let Some(Form::Common(rule)) = forms.get(column).filter(|_| source.1 != target.1) else { continue };
            let fits = Sides::new(source.0, target.0).map(|cell| {
                spare.clear();
                rule.encode(&cell, spare)
            });
            touched.add(&Unlike { column, differs: false, fits }, times);
        }
    }

    /// Takes rows without equals.
    fn group<'a>(&mut self, source: &[Left<'a>], target: &[Left<'a>]) {
        if source.is_empty() || target.is_empty() || self.key.is_empty() {
            self.missing(source);
            self.extraneous(target);
            return;
        }
        // Almost always one key; but a hash is no key.
        let (source, mut target) = (self.by_key(source), self.by_key(target));
        for (key, source) in source {
            self.one_key(source, target.remove(&key).unwrap_or_default());
        }
        target.into_values().for_each(|target| self.extraneous(&target));
    }

    fn by_key<'a>(&self, rows: &[Left<'a>]) -> BTreeMap<Vec<u8>, Vec<Left<'a>>> {
        let mut keys = BTreeMap::<_, Vec<_>>::new();
        for row in rows {
            let columns: Vec<_> = parts(row.own).collect();
            let bytes = self.key.iter().flat_map(|column| self.common(*column, columns[*column])).collect();
            keys.entry(bytes).or_default().push(*row);
        }
        keys
    }

    /// Pairs rows of one key that have no equals.
    fn one_key<'a>(&mut self, mut source: Vec<Left<'a>>, mut target: Vec<Left<'a>>) {
        let (mut source_at, mut target_at) = (0, 0);
        while source_at < source.len() && target_at < target.len() {
            let times = source[source_at].times.min(target[target_at].times);
            self.changed(source[source_at].own, target[target_at].own, times);
            for (rows, at) in [(&mut source, &mut source_at), (&mut target, &mut target_at)] {
                rows[*at].times -= times;
                *at += usize::from(rows[*at].times == 0);
            }
        }
        self.missing(&source[source_at..]);
        self.extraneous(&target[target_at..]);
    }

    fn changed(&mut self, source: &[u8], target: &[u8], times: u64) {
        let mut unlike = Vec::new();
        for _ in 0..times {
            unlike = self.causes.take(source, target);
            self.keys.take(Side::Source, source, true);
            self.keys.take(Side::Target, target, true);
        }
        unlike.iter().for_each(|value| self.touched.add(value, times));
        let columns: Vec<_> = unlike.iter().filter(|value| value.differs).map(|value| value.column).collect();
        if columns.is_empty() {
            return;
        }
        let located = &mut self.located;
        located.changed += times;
        columns.iter().for_each(|column| located.changed_values[*column] += times);
        let has_room = located.sample.changed.len() < self.cap.saturating_mul(COLUMNS_SHOWN);
        if has_room && columns.iter().any(|column| self.shown[*column] < self.cap) {
            columns.iter().for_each(|column| self.shown[*column] += 1);
            located.sample.changed.push(Changed { source: source.to_vec(), target: target.to_vec(), columns });
        }
    }

    fn missing(&mut self, rows: &[Left<'_>]) {
        self.under_another_key(Side::Source, rows);
        let located = &mut self.located;
        count(rows, self.cap, &mut located.missing, &mut located.repeated.source, &mut located.sample.missing);
    }

    /// Rows that one side has more often than the other are known to be that.
    fn under_another_key(&mut self, side: Side, rows: &[Left<'_>]) {
        for row in rows.iter().filter(|row| !row.is_repeated) {
            (0..row.times).for_each(|_| self.keys.take(side, row.own, false));
        }
    }

    fn extraneous(&mut self, rows: &[Left<'_>]) {
        self.under_another_key(Side::Target, rows);
        let located = &mut self.located;
        count(rows, self.cap, &mut located.extraneous, &mut located.repeated.target, &mut located.sample.extraneous);
    }
}

fn count(rows: &[Left<'_>], cap: usize, total: &mut u64, repeated: &mut u64, sample: &mut Vec<Vec<u8>>) {
    for row in rows {
        *total += row.times;
        *repeated += if row.is_repeated { row.times } else { 0 };
        let room = cap.saturating_sub(sample.len()) as u64;
        sample.extend((0..row.times.min(room)).map(|_| row.own.to_vec()));
    }
}

/// Takes the rows of this group off the front.
fn run<'r>(group: u64, rows: &mut &'r [Suspect]) -> &'r [Suspect] {
    let end = rows.iter().position(|row| row.group != group).unwrap_or(rows.len());
    let (taken, rest) = rows.split_at(end);
    *rows = rest;
    taken
}

/// What is left of one side's rows of a group when equal rows are paired off, as often as they are there.
fn unequal<'a>(rows: &BTreeMap<[u8; 32], Left<'a>>, others: &BTreeMap<[u8; 32], Left<'_>>) -> Vec<Left<'a>> {
    let left = rows.iter().filter_map(|(digest, row)| {
        let other = others.get(digest).map_or(0, |other| other.times);
        let times = row.times.saturating_sub(other);
        (times > 0).then_some(Left { times, is_repeated: other > 0, ..*row })
    });
    left.collect()
}
