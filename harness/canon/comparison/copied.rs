//! What a mapping states about a copy, and the comparison that follows from it.
//!
//! One statement, read by two: the copy makes its values in Rust while rows stream; the comparison has the source's engine
//! make them in SQL, or brings both sides to a canonical rule. A mistake in one does not hide in the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stated::{At, Condition, Expression, Ignored, Mapping, Reason, Stated, StatedColumn};
use crate::model::{Side, Sides};

/// Everything that a mapping states about a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copying {
    /// Tables whose rows are copied by more than names and types. Others are copied by these alone.
    pub tables: Vec<Copied>,
    /// Tables that are not copied.
    pub dropped: Vec<DroppedTable>,
    /// The target's table for rows that are rejected, which the copy makes.
    pub rejects_table: String,
    /// The file.
    pub file: String,
}

/// The name of the table for rejected rows, where no other is stated.
pub const REJECTS: &str = "rehearse_rejects";

/// What becomes of the rows of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// The source's table.
    pub source: String,
    /// The target's table.
    pub target: String,
    /// Only rows for which this holds are copied.
    pub filter: Option<Condition>,
    /// Which of the target's rows these become, where other tables go there as well.
    #[serde(default)]
    pub target_filter: Option<Condition>,
    /// Why the others are not, where no other part of the mapping takes them.
    pub skipped: Option<String>,
    /// Rows that cannot be carried are kept in a table of their own; otherwise the first ends the copy.
    pub keeps_rejects: bool,
    /// Rows whose parent is not in the target count as rows that cannot be carried.
    #[serde(default)]
    pub rejects_orphans: bool,
    /// By source column (or the name of an expression): what becomes of it.
    pub columns: BTreeMap<String, StatedColumn>,
    /// By target column: the value that every row gets.
    pub constants: BTreeMap<String, Constant>,
    /// By target column: why it is left to its default.
    pub defaults: BTreeMap<String, Constant>,
    /// Where it is stated.
    pub at: At,
}

/// A text that is stated about a column of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constant {
    /// The text.
    pub text: String,
    /// Where it is stated.
    pub at: At,
}

/// A table that is left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedTable {
    /// The source's table; `*` and `?` stand for anything.
    pub source: String,
    /// Why.
    pub why: String,
    /// Where it is stated.
    pub at: At,
}

impl Copied {
    /// How the rows of both sides compare when they were copied.
    pub fn compared(&self, rejects_table: &str) -> Stated {
        let mut columns = self.columns.clone();
        for (target, constant) in &self.constants {
            let expression = Expression::Constant(constant.text.clone());
            let column = StatedColumn {
                target: Some(target.clone()),
                expressions: Sides::new(Some(expression), None),
                at: constant.at.clone(),
                ..StatedColumn::default()
            };
            columns.insert(format!("constant {target}"), column);
        }
        Stated {
            source: self.source.clone(),
            target: self.target.clone(),
            columns,
            filters: Sides::new(self.filter.clone(), self.target_filter.clone()),
            is_copied: true,
            rejects: self.keeps_rejects.then(|| rejects_table.to_owned()),
            at: self.at.clone(),
            ..Stated::default()
        }
    }

    /// The columns of the target that the copy leaves alone.
    fn left_alone(&self) -> impl Iterator<Item = Ignored> + '_ {
        self.defaults.iter().map(|(column, why)| Ignored {
            side: Side::Target,
            table: self.target.clone(),
            column: Some(column.clone()),
            reason: Reason { why: format!("left to its default: {}", why.text), until: None },
            at: why.at.clone(),
        })
    }
}

impl Mapping {
    /// Adds what another mapping states. A pair of tables that is known already stays as it is.
    pub fn add(&mut self, other: Self) {
        let Self { compare, ignore, references, selection: _, today: _ } = other;
        // Several parts of one pair may come with the other, each with a filter of its own.
        let known = self.compare.len();
        for one in compare {
            let is_it = |known: &&Stated| {
                (&known.source, &known.target, &known.queries) == (&one.source, &one.target, &one.queries)
            };
            if !self.compare[..known].iter().filter(is_it).any(|known| !known.is_copied) {
                self.compare.push(one);
            }
        }
        self.ignore.extend(ignore);
        self.references.extend(references);
    }

    /// Adds the comparison that follows from a copy. A pair of tables whose comparison is stated is compared as that says.
    pub fn add_copied(&mut self, copying: &Copying) {
        for one in &copying.tables {
            let is_stated = |known: &Stated| known.source == one.source && known.target == one.target;
            if !self.compare.iter().any(|known| is_stated(known) && !known.is_copied) {
                self.compare.push(one.compared(&copying.rejects_table));
            }
            self.ignore.extend(one.left_alone());
        }
        if let Some(one) = copying.tables.iter().find(|one| one.keeps_rejects) {
            self.ignore.push(Ignored {
                side: Side::Target,
                table: copying.rejects_table.clone(),
                column: None,
                reason: Reason { why: "kept by the copy: the rows that it rejected".to_owned(), until: None },
                at: one.at.clone(),
            });
        }
        self.ignore.extend(copying.dropped.iter().map(|one| Ignored {
            side: Side::Source,
            table: one.source.clone(),
            column: None,
            reason: Reason { why: format!("dropped: {}", one.why), until: None },
            at: one.at.clone(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_known_stays_and_all_parts_of_the_others_come() {
        let pair = |source: &str, filter: &str| Stated {
            source: source.to_owned(),
            target: source.to_owned(),
            filters: Sides::new(Some(Condition { sql: filter.to_owned(), ..Condition::default() }), None),
            ..Stated::default()
        };
        let mut mapping = Mapping { compare: vec![pair("users", "known")], ..Mapping::default() };
        let parts = vec![pair("users", "other"), pair("posts", "first"), pair("posts", "second")];
        mapping.add(Mapping { compare: parts, ..Mapping::default() });
        assert_eq!(mapping.compare, [pair("users", "known"), pair("posts", "first"), pair("posts", "second")]);
    }
}
