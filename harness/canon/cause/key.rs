//! Keys that moved by a constant: rows that are there on the other side, under another key.

use std::collections::BTreeMap;

use super::again::{Again, Besides, digest};
use crate::{
    canon::{cell::Cell, decimal, encode::decode_own, rule::Rule},
    model::{Cause, CauseCount, Side, Sides},
};

/// Rows of each side that are followed, by 32 bytes each.
const KEPT: usize = 100_000;
/// Rows that one distance has to explain before it is a cause: any two keys are some distance apart.
const REPEATS: u64 = 3;

/// Takes the rows that differ and finds those that are the other side's with another key.
///
/// It follows the first 100,000 rows of each side; of those beyond nothing is said, they count as unexplained. Rows of
/// which the values besides the key are on one side more than once say nothing either.
#[derive(Clone, Debug)]
pub struct KeyShift {
    rules: Vec<Rule>,
    /// The key's column, where the key is one column among others.
    key: Option<usize>,
    rows: Sides<BTreeMap<Besides, Row>>,
}

/// A row by its key; what it holds besides is known by its digest.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Where it is a number.
    key: Option<i64>,
    changed: bool,
    /// How many rows hold the same besides the key.
    times: u64,
}

/// How many rows of each kind a key that moved explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// From the source's key to the target's.
    pub by: i64,
    /// Rows that only the source has under their key.
    pub missing: u64,
    /// Rows that only the target has under their key.
    pub extraneous: u64,
    /// Rows of the target whose key the source gives to another row.
    pub changed: u64,
}

impl Moved {
    /// The cause of so many rows.
    pub const fn cause(&self, total: u64) -> CauseCount {
        CauseCount { cause: Cause::KeyShifted { by: self.by }, total }
    }
}

impl KeyShift {
    /// Begins a table with the rules of its columns and the positions of those that name a row.
    pub fn new(rules: Vec<Rule>, key: &[usize]) -> Self {
        let key = match key {
            [only] if rules.len() > 1 => Some(*only),
            _ => None,
        };
        Self { rules, key, rows: Sides::default() }
    }

    /// Takes a row of one side that has no equal on the other, as the own forms of its cells; `changed` if the other side has
    /// another row of its key.
    pub fn take(&mut self, side: Side, own: &[u8], changed: bool) {
        let (Some(key_column), rows) = (self.key, self.rows.get_mut(side)) else { return };
        let is_number = self.rules.get(key_column) == Some(&Rule::Number);
        // Only numbers move by something.
        if rows.len() >= KEPT || changed && !is_number {
            return;
        }
        let mut rest = own;
        let mut besides = Vec::new();
        let mut key = None;
        for (column, rule) in self.rules.iter().enumerate() {
            let Some((cell, after)) = decode_own(rest) else { return };
            rest = after;
            if column == key_column {
                key = is_number.then(|| whole(&cell)).flatten();
            } else {
                rule.encode(&cell, &mut besides);
            }
        }
        rows.entry(digest(&besides)).and_modify(|known| known.times += 1).or_insert(Row { key, changed, times: 1 });
    }

    /// The rows that only the target has, also under another key; `None` where they are too few to be a batch.
    pub fn strays(&self) -> Option<Again> {
        let Sides { source, target } = &self.rows;
        let strays = target.iter().filter(|(held, row)| !row.changed && !source.contains_key(*held));
        Again::of(self.rules.clone(), self.key?, strays.map(|(held, row)| (*held, row.times)))
    }

    /// The distance that explains most rows, if there is one.
    pub fn finish(self) -> Option<Moved> {
        let pairs = self.rows.source.iter().filter_map(|(digest, source)| {
            let target = self.rows.target.get(digest)?;
            let by = target.key?.checked_sub(source.key?)?;
            (by != 0 && source.times == 1 && target.times == 1).then_some((by, source, target))
        });
        let mut found: BTreeMap<i64, (u64, Moved)> = BTreeMap::new();
        for (by, source, target) in pairs {
            let none = Moved { by, missing: 0, extraneous: 0, changed: 0 };
            let (total, moved) = found.entry(by).or_insert((0, none));
            *total += 1;
            moved.missing += u64::from(!source.changed);
            moved.extraneous += u64::from(!target.changed);
            moved.changed += u64::from(target.changed);
        }
        let most =
            found.into_values().max_by_key(|(total, moved)| (*total, std::cmp::Reverse(moved.by.unsigned_abs())))?;
        (most.0 >= REPEATS).then_some(most.1)
    }
}

/// A whole number, from a cell of any kind that holds one.
fn whole(cell: &Cell<'_>) -> Option<i64> {
    if let Cell::Integer(number) = *cell {
        return Some(number);
    }
    let mut form = Vec::new();
    Rule::Number.encode(cell, &mut form);
    let text = decimal::value_text(form.get(1..)?)?;
    let (digits, power) = text.split_once('e')?;
    let power: u32 = power.parse().ok()?;
    digits.parse::<i64>().ok()?.checked_mul(10_i64.checked_pow(power)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::encode_own;

    fn row(key: i64, name: &str) -> Vec<u8> {
        let mut own = Vec::new();
        encode_own(&Cell::Integer(key), &mut own);
        encode_own(&Cell::Text(name.as_bytes()), &mut own);
        own
    }

    fn moved(source: &[(i64, &str, bool)], target: &[(i64, &str, bool)]) -> Option<Moved> {
        let mut shift = KeyShift::new(vec![Rule::Number, Rule::Text], &[0]);
        for (side, rows) in [(Side::Source, source), (Side::Target, target)] {
            rows.iter().for_each(|(key, name, changed)| shift.take(side, &row(*key, name), *changed));
        }
        shift.finish()
    }

    #[test]
    fn rows_under_another_key_are_found() {
        let dense = [(1, "a", false), (2, "b", true), (3, "c", true)];
        let by_one = [(2, "a", true), (3, "b", true), (4, "c", false)];
        assert_eq!(moved(&dense, &by_one), Some(Moved { by: 1, missing: 1, extraneous: 1, changed: 2 }));
        let sparse = [(1, "a", false), (20, "b", false), (300, "c", false), (7, "x", false)];
        let far = [(1001, "a", false), (1020, "b", false), (1300, "c", false), (8, "y", false)];
        assert_eq!(moved(&sparse, &far), Some(Moved { by: 1000, missing: 3, extraneous: 3, changed: 0 }));
    }

    #[test]
    fn chance_and_doubles_say_nothing() {
        assert_eq!(moved(&[(1, "a", false), (2, "b", false)], &[(11, "a", false), (12, "b", false)]), None);
        let alike = [(1, "a", false), (2, "a", false), (3, "a", false), (4, "a", false)];
        let alike_far = [(11, "a", false), (12, "a", false), (13, "a", false), (14, "a", false)];
        assert_eq!(moved(&alike, &alike_far), None);
        let mut shift = KeyShift::new(vec![Rule::Number, Rule::Text], &[0, 1]);
        (0..9).for_each(|key| shift.take(Side::Source, &row(key, "a"), false));
        assert_eq!(shift.finish(), None);
    }
}
