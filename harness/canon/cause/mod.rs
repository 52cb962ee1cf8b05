//! Why values differ: each changed value belongs to the first rule that, applied to the source's value, gives the
//! target's exactly; what no rule gives is unexplained. The counts add up to the changed values, and memory does not grow
//! with the rows.
//!
//! Where the rules of one family explain the same values (a price rounded to two digits may be one that was cut after
//! two), the one that explains more of the column has them. Rules that could explain anything once (any two times are
//! some shift apart, any value may stand for any other) count only where they explain several values.

mod again;
mod choice;
mod distance;
mod key;
mod moment;
mod number;
mod substitution;
mod text;

use std::collections::BTreeMap;

pub use again::Again;
use choice::{Amounts, Choice};
use distance::Distances;
pub use key::{KeyShift, Moved};
use moment::Shifts;
use number::Offset;
use substitution::Substitutions;

use super::{
    bring,
    cell::Cell,
    encode,
    rule::{Fit, Rule},
    suspect::parts,
    temporal,
};
use crate::model::{Cause, CauseCount, Redaction, Sides};

/// Values that a rule has to explain before it is a cause, where it could explain any single value.
const REPEATS: u64 = 3;
/// Changed columns of one row among which swapped ones are looked for; each is compared with each.
const SWAPS: usize = 64;

/// Takes the changed rows of a table and counts causes for each column.
#[derive(Clone, Debug)]
pub struct Causes {
    names: Vec<String>,
    tallies: Vec<Tally>,
}

/// A value that is stored unlike the other side's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlike {
    /// The position of its column.
    pub column: usize,
    /// Whether it differs under the column's rule.
    pub differs: bool,
    /// What the rule did to it.
    pub fits: Sides<Fit>,
}

/// A changed value: the cells of both sides and their common forms.
struct Pair<'a> {
    column: usize,
    cells: (Cell<'a>, Cell<'a>),
    forms: (Vec<u8>, Vec<u8>),
}

impl Causes {
    /// Begins a table with the names of the target's columns and the rules under which they are compared.
    pub fn new(columns: impl IntoIterator<Item = (String, Rule)>) -> Self {
        let (names, tallies) = columns.into_iter().map(|(name, rule)| (name, Tally::new(rule))).unzip();
        Self { names, tallies }
    }

    /// Takes a changed row: the own forms of both sides' cells, as [`super::Suspects`] keep them. Tells the values that are
    /// stored unlike, and which of them differ.
    pub fn take(&mut self, source: &[u8], target: &[u8]) -> Vec<Unlike> {
        let (mut unlike, mut changed): (Vec<Unlike>, Vec<Pair<'_>>) = (Vec::new(), Vec::new());
        for (column, ((source, source_own), (target, target_own))) in parts(source).zip(parts(target)).enumerate() {
            // What is the same as stored is the same under every rule.
            let Some(tally) = self.tallies.get(column).filter(|_| source_own != target_own) else { continue };
            let (mut source_form, mut target_form) = (Vec::new(), Vec::new());
            let fits =
                Sides::new(tally.rule.encode(&source, &mut source_form), tally.rule.encode(&target, &mut target_form));
            let differs = source_form != target_form;
            unlike.push(Unlike { column, differs, fits });
            if differs {
                changed.push(Pair { column, cells: (source, target), forms: (source_form, target_form) });
            }
        }
        let among = if changed.len() > SWAPS { &[] } else { &changed[..] };
        for Pair { column, cells: (source, target), forms } in &changed {
            let rule = self.tallies[*column].rule;
            // Two flags that are both flipped look swapped, and nothing can tell.
            let swapped = among.iter().filter(|_| rule != Rule::Boolean).find(|other| {
                self.tallies[other.column].rule == rule && other.forms.0 == forms.1 && other.forms.1 == forms.0
            });
            match swapped {
                Some(other) => {
                    let with = self.names[other.column].clone();
                    self.tallies[*column].count(Cause::Swapped { with });
                }
                None => self.tallies[*column].take(source, target),
            }
        }
        unlike
    }

    /// The causes of every column's changed values, the most frequent first and the unexplained last.
    pub fn finish(self, redaction: &Redaction) -> Vec<Vec<CauseCount>> {
        self.tallies.into_iter().map(|tally| tally.finish(redaction)).collect()
    }
}

/// The causes of one column's changed values.
#[derive(Clone, Debug)]
pub struct Tally {
    rule: Rule,
    plain: BTreeMap<Cause, u64>,
    mojibake: Choice,
    cuts: Amounts,
    byte_cuts: Amounts,
    fractions: Choice,
    shifts: Shifts,
    offsets: Distances<Offset>,
    decimals: Choice,
    substitutions: Substitutions,
    unexplained: u64,
}

/// A value in the common type, as far as a family of rules knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Plain<'a> {
    Null,
    /// Characters.
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    /// The encoding of [`super::decimal::write_value`].
    Number(&'a [u8]),
    /// Microseconds; finite.
    Moment(i64),
    Other,
}

impl Tally {
    /// Begins a column that is compared under this rule.
    pub fn new(rule: Rule) -> Self {
        Self {
            rule,
            plain: BTreeMap::new(),
            mojibake: Choice::default(),
            cuts: Amounts::default(),
            byte_cuts: Amounts::default(),
            fractions: Choice::default(),
            shifts: Shifts::default(),
            offsets: Distances::default(),
            decimals: Choice::default(),
            substitutions: Substitutions::default(),
            unexplained: 0,
        }
    }

    fn count(&mut self, cause: Cause) {
        *self.plain.entry(cause).or_default() += 1;
    }

    /// Takes a value of the source and what the target has instead, which is not the same under the rule.
    pub fn take(&mut self, source: &Cell<'_>, target: &Cell<'_>) {
        let rule = if self.rule == Rule::Stored { shape(source, target) } else { self.rule };
        let (mut source_form, mut target_form) = (Vec::new(), Vec::new());
        rule.encode(source, &mut source_form);
        rule.encode(target, &mut target_form);
        let (from, to) = (plain(rule, source, &source_form), plain(rule, target, &target_form));
        let explained = match (from, to) {
            (Plain::Null, Plain::Text(b"") | Plain::Bytes(b"")) => self.counted(Cause::NullToEmpty),
            (Plain::Text(b"") | Plain::Bytes(b""), Plain::Null) => self.counted(Cause::EmptyToNull),
            (_, Plain::Null) => self.counted(Cause::Nulled),
            (Plain::Text(from), Plain::Text(to)) => self.text(from, to),
            (Plain::Bytes(from), Plain::Bytes(to)) => self.bytes(from, to),
            (Plain::Number(from), Plain::Number(to)) => {
                self.decimals.add(number::precisions(from, to))
                    || Offset::of(from, to).is_some_and(|by| self.offsets.add(by, source, target))
            }
            (Plain::Moment(from), Plain::Moment(to)) => self.moment(source, target, from, to),
            _ => false,
        };
        if !explained && !self.substitutions.add(source, target, source_form, target_form) {
            self.unexplained += 1;
        }
    }

    fn counted(&mut self, cause: Cause) -> bool {
        self.count(cause);
        true
    }

    fn text(&mut self, source: &[u8], target: &[u8]) -> bool {
        let (Ok(from), Ok(to)) = (str::from_utf8(source), str::from_utf8(target)) else {
            return self.bytes(source, target);
        };
        if let Some(cause) = text::rewritten(from, to) {
            return self.counted(cause);
        }
        if self.mojibake.add(text::mojibake(from, to)) {
            return true;
        }
        if let Some(with) = text::replaced(from, to) {
            return self.counted(Cause::CharactersReplaced { with });
        }
        if to.is_empty() {
            return self.counted(Cause::Emptied);
        }
        from.starts_with(to) && self.cuts.add(to.chars().count() as u64)
    }

    fn bytes(&mut self, source: &[u8], target: &[u8]) -> bool {
        if target.is_empty() {
            return self.counted(Cause::Emptied);
        }
        let is_zero = |rest: &[u8]| rest.iter().all(|byte| *byte == 0);
        if target.strip_prefix(source).is_some_and(is_zero) {
            return self.counted(Cause::ZerosAdded);
        }
        if source.strip_prefix(target).is_some_and(is_zero) {
            return self.counted(Cause::ZerosLost);
        }
        source.starts_with(target) && self.byte_cuts.add(target.len() as u64)
    }

    fn moment(&mut self, source: &Cell<'_>, target: &Cell<'_>, from: i64, to: i64) -> bool {
        if moment::written(source) == Some(to) {
            return self.counted(Cause::ZoneLost);
        }
        if self.fractions.add(moment::fractions(from, to)) {
            return true;
        }
        if self.rule != Rule::Time && from.div_euclid(temporal::DAY).checked_mul(temporal::DAY) == Some(to) {
            return self.counted(Cause::TimeDropped);
        }
        let Some(shift) = to.checked_sub(from) else { return false };
        self.shifts.add(if self.rule == Rule::Time { moment::around_midnight(shift) } else { shift }, source, target)
    }

    /// The causes, the most frequent first and the unexplained last.
    pub fn finish(self, redaction: &Redaction) -> Vec<CauseCount> {
        let mut counts = self.plain;
        let mut unexplained = self.unexplained;
        let mut found: Vec<(Cause, u64)> = Vec::new();
        found.extend(self.mojibake.resolve().into_iter().map(|(option, total)| (text::mojibake_cause(option), total)));
        found.extend(self.fractions.resolve().into_iter().map(|(option, total)| (moment::cause(option), total)));
        found.extend(self.decimals.resolve().into_iter().map(|(option, total)| (number::cause(option), total)));
        found.extend(self.cuts.finish(|characters| Cause::Cut { characters }));
        found.extend(self.byte_cuts.finish(|bytes| Cause::BytesCut { bytes }));
        let (shifts, rest) = self.shifts.finish(redaction);
        found.extend(shifts);
        unexplained += rest;
        let (offsets, rest) = self.offsets.finish(redaction, |by| Cause::Offset { by: by.map(|by| by.to_string()) });
        found.extend(offsets);
        unexplained += rest;
        let (substitutions, rest) = self.substitutions.finish(redaction);
        found.extend(substitutions);
        unexplained += rest;
        for (cause, total) in found {
            *counts.entry(cause).or_default() += total;
        }
        let mut causes: Vec<CauseCount> =
            counts.into_iter().map(|(cause, total)| CauseCount { cause, total }).collect();
        causes.sort_by_key(|one| std::cmp::Reverse(one.total));
        if unexplained > 0 {
            causes.push(CauseCount { cause: Cause::Unexplained, total: unexplained });
        }
        causes
    }
}

/// The rule for two values of columns that may hold anything; as stored where they are of different shapes.
fn shape(source: &Cell<'_>, target: &Cell<'_>) -> Rule {
    let native = |cell: &Cell<'_>| match cell {
        Cell::Integer(_) | Cell::Float32(_) | Cell::Float64(_) | Cell::Decimal(_) => Some(Rule::Number),
        Cell::Text(_) | Cell::PaddedText(_) | Cell::Label(_) => Some(Rule::Text),
        Cell::Bytes(_) => Some(Rule::Bytes),
        _ => None,
    };
    native(source)
        .or_else(|| native(target))
        .filter(|rule| same_or_null(*rule, source, target, native))
        .unwrap_or(Rule::Stored)
}

fn same_or_null(rule: Rule, source: &Cell<'_>, target: &Cell<'_>, native: impl Fn(&Cell<'_>) -> Option<Rule>) -> bool {
    [source, target].into_iter().all(|cell| *cell == Cell::Null || native(cell) == Some(rule))
}

fn plain<'a>(rule: Rule, cell: &Cell<'a>, form: &'a [u8]) -> Plain<'a> {
    let moment = |micros: i64| match micros {
        i64::MAX | i64::MIN => Plain::Other,
        _ => Plain::Moment(micros),
    };
    match (rule, form) {
        (_, [encode::NULL, ..]) => Plain::Null,
        (Rule::Text | Rule::Padded, [bring::VALUE, form @ ..]) => Plain::Text(&form[8..]),
        (Rule::Bytes | Rule::Octets, [bring::VALUE, form @ ..]) => Plain::Bytes(&form[8..]),
        (Rule::Number | Rule::Float | Rule::Single, [bring::VALUE, form @ ..]) => Plain::Number(form),
        (Rule::Date, [bring::VALUE, form @ ..]) => match i32::from_le_bytes(form.try_into().unwrap_or_default()) {
            i32::MAX | i32::MIN => Plain::Other,
            days => i64::from(days).checked_mul(temporal::DAY).map_or(Plain::Other, moment),
        },
        (
            Rule::Time | Rule::Timestamp | Rule::Instant | Rule::EpochSeconds | Rule::EpochMilliseconds,
            [bring::VALUE, form @ ..],
        ) => moment(i64::from_le_bytes(form.try_into().unwrap_or_default())),
        // What does not fit its rule may still be text that lost its blanks.
        (_, [bring::UNFIT, ..]) => bring::characters(cell).map_or(Plain::Other, |(text, _)| Plain::Text(text)),
        _ => Plain::Other,
    }
}

#[cfg(test)]
mod tests;
