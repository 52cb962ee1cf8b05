//! One pair of tables of two engines, part by part.

use super::expression::{Default, Reading, plain};
use crate::{
    canon::{
        comparison::{ColumnPair, Comparison, Derived},
        type_map::{Holds, holds},
    },
    check::Examined,
    model::{
        Finding, FindingKind, LogicalType, Severity, Share, Side, Subject, Unchecked,
        catalogue::{Index, IndexPart, Table},
    },
};

/// A pair of tables, and where to tell what one lacks.
pub(in crate::check) struct Pair<'a> {
    /// How they are compared.
    pub comparison: &'a Comparison,
    /// The source's table.
    pub source: &'a Table,
    /// The target's table.
    pub target: &'a Table,
    /// Whether the source's types bind its values; where they do not, only the values can tell what does not fit.
    pub is_bound: bool,
    /// What the migration said it leaves behind: told as that, and not as a loss besides.
    pub named: &'a [(String, String)],
    /// What else is compared, and what is left out.
    pub derived: &'a Derived,
    /// Where it is told.
    pub examined: &'a mut Examined,
}

impl Pair<'_> {
    /// Compares both tables.
    pub fn compare(&mut self) {
        for column in &self.source.columns {
            let pair = self.comparison.columns.iter().find(|pair| pair.source.name == column.name);
            self.counted();
            match pair {
                Some(pair) => self.column(pair),
                // Ignored for a reason, or compared in another part of the table.
                None if self.derived.is_accounted_for(&self.source.name, &column.name) => {}
                None => {
                    let names = std::slice::from_ref(&column.name);
                    let subject = Subject::columns(Side::Source, &self.source.name, names);
                    let finding = Finding::error(FindingKind::ColumnMissing, subject, 1);
                    self.examined.findings.push(finding.because(column.declared.clone(), "no such column"));
                }
            }
        }
        self.columns_of_the_target();
        self.keys();
        for index in &self.source.indexes {
            self.counted();
            self.index(index);
        }
        self.indexes_of_the_target();
        self.checks();
    }

    fn counted(&mut self) {
        self.examined.coverage.objects += Share::new(1, 1);
    }

    fn is_named(&self, object: &str) -> bool {
        self.named.iter().any(|(named, _)| named == object)
    }

    fn tell(&mut self, kind: FindingKind, severity: Severity, object: String, expected: &str, found: &str) {
        if !self.is_named(&object) {
            let finding = Finding::error(kind, Subject::object(Side::Target, object), 1).at(severity);
            self.examined.findings.push(finding.because(expected, found));
        }
    }

    fn lost(&mut self, object: String, expected: &str, found: &str) {
        self.tell(FindingKind::ObjectMissing, Severity::Error, object, expected, found);
    }

    fn unchecked(&mut self, object: String, reason: impl Into<String>) {
        if !self.is_named(&object) {
            self.examined.coverage.objects.total += 1;
            self.examined.unchecked.push(Unchecked::new("object", object, reason));
        }
    }

    /// Whether a column of the source is left behind for a reason: what hangs on it has no place in the target either.
    fn leaves_behind<'c>(&self, mut columns: impl Iterator<Item = &'c String>) -> bool {
        columns.any(|name| {
            let key = (Side::Source, self.source.name.clone(), name.clone());
            self.renamed(std::slice::from_ref(name)).is_none()
                && (self.derived.ignored.get(&key).is_some_and(|(_, holds)| *holds)
                    || self.comparison.terms.source.assembles(name))
        })
    }

    fn column(&mut self, pair: &ColumnPair) {
        let of = format!("{}.{}", self.source.name, pair.source.name);
        // What an expression makes of a column is of a type of its own.
        if self.is_bound && !self.comparison.terms.source.makes(&pair.source.name) {
            self.fit(pair);
        }
        if !pair.source.nullable && pair.target.nullable {
            self.lost(format!("constraint:{of} (NOT NULL)"), "NOT NULL", "nullable");
        }
        if pair.source.generation.is_computed() && !pair.target.generation.is_computed() {
            self.lost(format!("generated:{of}"), "a generated column", "a plain column");
        } else if !pair.source.generation.is_computed() && pair.target.generation.is_computed() {
            let found = "a generated column";
            self.tell(
                FindingKind::ObjectChanged,
                Severity::Warning,
                format!("generated:{of}"),
                "a plain column",
                found,
            );
        }
        self.default(pair, &of);
    }

    fn fit(&mut self, pair: &ColumnPair) {
        let (kind, severity, found) = match holds(&pair.source.kind, &pair.target.kind) {
            Holds::Faithful | Holds::Unmapped => return,
            Holds::Widening => (FindingKind::TypeWider, Severity::Note, pair.target.declared.clone()),
            Holds::Lossy(what) => {
                (FindingKind::TypeLossy, Severity::Warning, format!("{}: {what} would not fit", pair.target.declared))
            }
        };
        let subject = Subject::columns(Side::Target, &self.target.name, std::slice::from_ref(&pair.target.name));
        let finding = Finding::error(kind, subject, 1).at(severity);
        self.examined.findings.push(finding.because(pair.source.declared.clone(), found));
    }

    fn default(&mut self, pair: &ColumnPair, of: &str) {
        let is_fed = |column: &crate::model::catalogue::Column| {
            column.generation.is_counter() || column.generation.is_computed()
        };
        if is_fed(&pair.source) || is_fed(&pair.target) {
            return;
        }
        // What a column of the target's type would hold: 1 and true are the same where it is boolean.
        let of_kind = |default: &Option<String>| Default::of(default.as_deref(), &pair.target.kind);
        let (source, target) = (of_kind(&pair.source.default), of_kind(&pair.target.default));
        let told = |default: &Option<String>| default.clone().unwrap_or_default();
        let object = format!("default:{of}");
        let (expected, found) = (format!("DEFAULT {}", told(&pair.source.default)), told(&pair.target.default));
        match (source, target) {
            (None, None) => {}
            (Some(_), None) => self.lost(object, &expected, "no default"),
            (None, Some(_)) => {
                self.tell(FindingKind::ObjectExtra, Severity::Note, object, "no default", &found);
            }
            (Some(one), Some(other)) if one == other => {}
            (Some(Default::Other(_)), Some(_)) | (Some(_), Some(Default::Other(_))) => {
                let reason = format!("{expected} cannot be compared with {found}");
                self.unchecked(object, reason);
            }
            (Some(_), Some(_)) => {
                self.tell(FindingKind::ObjectChanged, Severity::Error, object, &expected, &format!("DEFAULT {found}"));
            }
        }
    }

    /// Columns that only the target has: without a default, whatever writes as before is refused.
    fn columns_of_the_target(&mut self) {
        for column in &self.target.columns {
            if self.comparison.columns.iter().any(|pair| pair.target.name == column.name) {
                continue;
            }
            let gives_itself =
                column.default.is_some() || column.generation != crate::model::catalogue::Generation::None;
            let severity = if column.nullable || gives_itself { Severity::Note } else { Severity::Warning };
            let names = std::slice::from_ref(&column.name);
            let subject = Subject::columns(Side::Target, &self.target.name, names);
            let finding = Finding::error(FindingKind::ColumnExtra, subject, 1).at(severity);
            let not_null = if column.nullable { "" } else { " NOT NULL" };
            self.examined.findings.push(finding.because("no such column", format!("{}{not_null}", column.declared)));
        }
    }

    /// A source's columns in the names of the target; `None` if one has no counterpart.
    fn renamed(&self, columns: &[String]) -> Option<Vec<String>> {
        let find = |column: &String| self.comparison.columns.iter().find(|pair| pair.source.name == *column);
        columns.iter().map(|column| find(column).map(|pair| pair.target.name.clone())).collect()
    }

    fn keys(&mut self) {
        if let Some(key) = &self.source.primary_key {
            self.counted();
            let has = self.target.primary_key.as_ref().map(|other| other.columns.clone());
            if has.is_none() || (self.renamed(&key.columns) != has && !self.leaves_behind(key.columns.iter())) {
                let found = has.map_or("none".to_owned(), |columns| columns.join(", "));
                let expected = format!("PRIMARY KEY ({})", key.columns.join(", "));
                self.lost(format!("constraint:{} (PRIMARY KEY)", self.target.name), &expected, &found);
            }
        }
        for key in &self.source.uniques {
            self.counted();
            let wanted = self.renamed(&key.columns).map(sorted);
            let has = self.target.unique_keys().any(|other| wanted == Some(sorted(other.columns.clone())));
            if !has && !self.leaves_behind(key.columns.iter()) {
                let expected = format!("UNIQUE ({})", key.columns.join(", "));
                self.lost(format!("constraint:{} (UNIQUE)", self.target.name), &expected, "not unique");
            }
        }
        for key in self.target.uniques.clone() {
            let columns = sorted(key.columns.clone());
            let known = self
                .source
                .unique_keys()
                .any(|other| self.renamed(&other.columns).map(sorted) == Some(columns.clone()));
            if !known {
                let object = format!("constraint:{} (UNIQUE)", self.target.name);
                let found = format!("UNIQUE ({})", key.columns.join(", "));
                self.tell(FindingKind::ObjectExtra, Severity::Warning, object, "not unique", &found);
            }
        }
    }

    fn index(&mut self, index: &Index) {
        let object = format!("index:{}.{}", self.source.name, index.name);
        let alike = self.alike(index);
        if alike.is_empty() {
            if self.is_key(index) || self.leaves_behind(index.parts.iter().filter_map(|part| part.column.as_ref())) {
                return;
            }
            if let Some(prefix) = self.prefixed(index) {
                let (expected, found) = ("an index over whole values", format!("over their first {prefix} characters"));
                return self.tell(FindingKind::ObjectChanged, Severity::Note, object, expected, &found);
            }
            // An index over all rows serves where one over some of them did; it only forbids nothing.
            let whole = Index { predicate: None, ..index.clone() };
            if !index.unique && index.predicate.is_some() && !self.alike(&whole).is_empty() {
                let expected = said(index);
                return self.tell(FindingKind::ObjectChanged, Severity::Note, object, &expected, "over all rows");
            }
            return self.lost(object, "an index", "none over the same columns");
        }
        // Each engine prints expressions in its own way, so that another text is a reason to look and no more.
        let wanted = said(index);
        if let Some(found) = alike.first().map(|other| said(other))
            && !alike.iter().any(|other| plain(&said(other)) == self.reading().plain(&wanted))
        {
            self.tell(FindingKind::ObjectChanged, Severity::Warning, object, &wanted, &found);
        }
    }

    /// Indexes that only the target has.
    fn indexes_of_the_target(&mut self) {
        for index in self.target.indexes.clone().into_iter().filter(|index| !index.unique || index.predicate.is_some())
        {
            let known = self.source.indexes.iter().any(|other| {
                self.alike(other).iter().any(|alike| alike.name == index.name)
                    || bases(other)
                        .and_then(|names| self.renamed(&names))
                        .is_some_and(|names| Some(names) == bases(&index))
            });
            // An index over the columns of a foreign key or unique key serves that.
            let columns: Vec<String> = index.parts.iter().filter_map(|part| part.column.clone()).collect();
            let serves = |names: &[String]| names.starts_with(&columns) || columns.starts_with(names);
            let is_served = self.target.foreign_keys.iter().any(|key| serves(&key.columns))
                || self.source.unique_keys().filter_map(|key| self.renamed(&key.columns)).any(|key| serves(&key));
            if !known && !is_served {
                let object = format!("index:{}.{}", self.target.name, index.name);
                self.tell(FindingKind::ObjectExtra, Severity::Note, object, "none over the same columns", "an index");
            }
        }
    }

    fn checks(&mut self) {
        let reading = self.reading();
        let object = format!("constraint:{} (CHECK)", self.target.name);
        let mut left: Vec<&str> = self.target.checks.iter().map(|check| check.expression.as_str()).collect();
        let mut unmatched = Vec::new();
        let stated = self.source.checks.iter().filter(|check| !self.is_implied(&check.expression));
        for check in stated.collect::<Vec<_>>() {
            self.counted();
            let wanted = reading.plain(&check.expression);
            match left.iter().position(|other| plain(other) == wanted) {
                Some(at) => drop(left.remove(at)),
                None => unmatched.push(check.expression.clone()),
            }
        }
        let missing = unmatched.len().saturating_sub(left.len());
        if missing > 0 && !self.is_named(&object) {
            let subject = Subject::object(Side::Target, object.clone());
            let finding = Finding::error(FindingKind::ObjectMissing, subject, missing as u64).at(Severity::Warning);
            let found = format!("{} CHECK constraints of {}", self.target.checks.len(), self.source.checks.len());
            self.examined.findings.push(finding.because(unmatched.join("; "), found));
        } else if unmatched.is_empty() && !left.is_empty() {
            let found = left.join("; ");
            self.tell(FindingKind::ObjectExtra, Severity::Warning, object, "no such CHECK constraint", &found);
        } else if !unmatched.is_empty() {
            let reason = format!("CHECK ({}) reads otherwise: {}", unmatched.join("; "), left.join("; "));
            self.unchecked(object, reason);
        }
    }

    /// How the source's expressions are read: in the names of the target, and with its types in mind.
    fn reading(&self) -> Reading {
        let pairs = || self.comparison.columns.iter();
        let lower = |name: &str| name.to_lowercase();
        let booleans = pairs().filter(|pair| pair.target.kind == LogicalType::Boolean);
        Reading {
            names: pairs().map(|pair| (lower(&pair.source.name), lower(&pair.target.name))).collect(),
            booleans: booleans.map(|pair| lower(&pair.target.name)).collect(),
        }
    }

    /// Whether a CHECK of the source only says what the target's types say: booleans that are 0 or 1, text that is JSON.
    fn is_implied(&self, expression: &str) -> bool {
        let plain = plain(expression);
        self.comparison.columns.iter().any(|pair| {
            let name = pair.source.name.to_lowercase();
            match pair.target.kind {
                LogicalType::Boolean => plain == format!("{name}in0,1"),
                LogicalType::Json { .. } => {
                    let says = format!("json_valid{name}");
                    plain == says || plain == format!("{name}isnullor{says}")
                }
                _ => false,
            }
        })
    }

    /// The target's indexes over the same parts, as unique and as partial as the source's.
    fn alike(&self, index: &Index) -> Vec<&Index> {
        let parts = |index: &Index, rename: &dyn Fn(&str) -> Option<String>| -> Vec<(Option<String>, bool)> {
            let part = |part: &IndexPart| {
                (part.column.as_deref().map(|column| rename(column).unwrap_or_default()), part.descending)
            };
            index.parts.iter().map(part).collect()
        };
        let to_target = |column: &str| self.renamed(&[column.to_owned()]).map(|names| names.concat());
        let wanted = parts(index, &to_target);
        let same = |other: &Index| {
            parts(other, &|column| Some(column.to_owned())) == wanted
                && other.unique == index.unique
                && other.predicate.is_some() == index.predicate.is_some()
        };
        self.target.indexes.iter().filter(|other| same(other)).collect()
    }

    /// How many first characters an index of the target holds where the source's holds whole values, or the other way round,
    /// and everything else is the same.
    fn prefixed(&self, index: &Index) -> Option<u32> {
        let wanted = self.renamed(&bases(index)?)?;
        let length = |index: &Index| index.parts.iter().filter_map(|part| part.prefix.as_ref()).map(|(_, n)| *n).min();
        let same = |other: &&Index| {
            bases(other).as_ref() == Some(&wanted)
                && (other.unique, other.predicate.is_some()) == (index.unique, index.predicate.is_some())
        };
        let other = self.target.indexes.iter().find(same)?;
        length(index).or_else(|| length(other))
    }

    /// Whether a unique or primary key of the target, which is an index as well, begins with the columns of this one.
    fn is_key(&self, index: &Index) -> bool {
        let columns: Option<Vec<String>> = index.parts.iter().map(|part| part.column.clone()).collect();
        let columns = columns.and_then(|columns| self.renamed(&columns));
        index.predicate.is_none()
            && index.parts.iter().all(|part| !part.descending)
            && columns.is_some_and(|columns| self.target.unique_keys().any(|key| key.columns.starts_with(&columns)))
    }
}

/// The columns that an index is over, whole or by their first characters; `None` if an expression is among its parts.
fn bases(index: &Index) -> Option<Vec<String>> {
    let base =
        |part: &IndexPart| part.column.clone().or_else(|| part.prefix.as_ref().map(|(column, _)| column.clone()));
    index.parts.iter().map(base).collect()
}

/// The expressions of an index and its predicate: what columns do not tell.
fn said(index: &Index) -> String {
    let parts = index.parts.iter().filter_map(|part| part.expression.clone());
    parts.chain(index.predicate.as_ref().map(|predicate| format!("WHERE {predicate}"))).collect::<Vec<_>>().join(", ")
}

fn sorted(mut columns: Vec<String>) -> Vec<String> {
    columns.sort();
    columns
}
