//! `source_data`: what the source holds, the target can take.
//!
//! What a mapping makes of values is not in the source yet, and only the migration's result can tell about it. Such columns
//! are named by a note; the others of their table are looked at.

use std::{collections::BTreeSet, ops::ControlFlow};

use async_trait::async_trait;

use crate::{
    canon::{
        Cell, Form, RowDigester, RowSink,
        comparison::{ColumnPair, Comparison, Derivation, Expression},
    },
    check::{Check, CheckContext, CheckMeta, Examined, orphan},
    engine::{EngineError, Rowset},
    model::{Finding, FindingKind, LogicalType, Severity, Side, Stage, Subject, catalogue::Reference, inferred},
};

/// What the source holds, the target can take.
pub struct SourceData;

static META: CheckMeta = CheckMeta {
    id: "source_data",
    asserts: "as far as the target's tables are there, and values go over as they are: no row of the source is double \
              under a key of the target's, has no parent, or holds a value that its column cannot take; nor dangles what \
              names, types and values show to be a reference",
    why: "a migration that was not written for such rows fails at the first of them, or loses them",
    remedy: "mend the rows in the source, or say in the mapping what becomes of them",
    example: "two users with one mail address, which the target declares unique",
    stages: &[Stage::Baseline],
};

#[async_trait]
impl Check for SourceData {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let derived = cx.derived;
        let mut asked: Vec<Reference> = cx.catalogue(Side::Source).references().collect();
        for comparison in derived.all() {
            let source = &comparison.source;
            let terms = &comparison.terms.source;
            if terms.query.is_some() {
                // The tables of a query are looked at where they are compared by themselves.
                examined.findings.push(on_the_way(comparison, BTreeSet::new(), "a query"));
                continue;
            }
            if cx.is_empty(Side::Source, source) || !cx.can_ask(Side::Source, source, &mut examined) {
                continue;
            }
            let mut made: BTreeSet<String> = terms.expressions.keys().chain(terms.lookups.keys()).cloned().collect();
            let answer = values(cx, comparison, &mut examined).await;
            cx.answered(Side::Source, source, answer, &mut examined).await?;
            // Which rows a condition leaves out, no question about keys asks.
            if terms.filters.is_empty() {
                let answer = keys(cx, comparison, &mut examined).await;
                cx.answered(Side::Source, source, answer, &mut examined).await?;
                let answer = references(cx, comparison, (&mut made, &mut asked), &mut examined).await;
                cx.answered(Side::Source, source, answer, &mut examined).await?;
            } else {
                examined.findings.push(on_the_way(comparison, BTreeSet::new(), "keys of chosen rows"));
            }
            if !made.is_empty() {
                examined.findings.push(on_the_way(comparison, made, "values that a mapping makes"));
            }
        }
        // A source that declares none may have references all the same, and rows that dangle.
        for candidate in inferred::references(cx.catalogue(Side::Source), &asked) {
            if derived.all().any(|one| one.source == candidate.child) {
                orphan::inferred::examine(cx, Side::Source, &candidate, &mut examined).await?;
            }
        }
        Ok(examined)
    }
}

/// What cannot be looked at in the source.
fn on_the_way(comparison: &Comparison, columns: BTreeSet<String>, what: &str) -> Finding {
    let columns: Vec<String> = columns.into_iter().collect();
    let (subject, total) = match columns.as_slice() {
        [] => (Subject::table(Side::Source, &comparison.source), 1),
        columns => (Subject::columns(Side::Source, &comparison.source, columns), columns.len() as u64),
    };
    let finding = Finding::error(FindingKind::MadeOnTheWay, subject, total).at(Severity::Note);
    finding.because("values as they are in the source", what)
}

/// A finding about rows of the source: the migration may be written for them.
fn found(kind: FindingKind, subject: Subject, rows: u64, expected: impl Into<String>, found: &str) -> Finding {
    Finding::error(kind, subject, rows).at(Severity::Warning).because(expected, found)
}

/// One pass over the columns whose values may not fit.
async fn values(
    cx: &mut CheckContext<'_>,
    comparison: &Comparison,
    examined: &mut Examined,
) -> Result<(), EngineError> {
    let may_not_fit = |pair: &ColumnPair| {
        // What the source's declaration holds to already, the same one of the target takes.
        let is_same = cx.derived.same_engine && pair.source.kind == pair.target.kind;
        let is_made = comparison.terms.source.makes(&pair.source.name);
        !is_made && (!is_same || (pair.source.nullable && !Limit::of(pair).nulls))
    };
    let (pairs, forms): (Vec<&ColumnPair>, Vec<Form>) = comparison
        .ruled()
        .filter(|(pair, _)| may_not_fit(pair))
        .map(|(pair, rule)| (pair, Form::Common(*rule)))
        .unzip();
    let names = pairs.iter().map(|pair| pair.source.name.clone()).collect();
    let limits: Vec<Limit> = pairs.iter().map(|pair| Limit::of(pair)).collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let digester = RowDigester::new(forms, Vec::new(), false).with_buckets(1);
    let mut fitting = Fitting { digester, misfits: vec![Misfits::default(); limits.len()], limits };
    let rowset = Rowset::compared(comparison, Side::Source, names);
    cx.readers.side(Side::Source)?.scan(&rowset, &mut fitting).await?;
    let unfit = fitting.digester.finish().unfit;
    for ((pair, misfits), unfit) in pairs.into_iter().zip(fitting.misfits).zip(unfit) {
        let subject = Subject::columns(Side::Source, &comparison.source, std::slice::from_ref(&pair.source.name));
        if misfits.nulls > 0 {
            let finding = found(FindingKind::NullValue, subject.clone(), misfits.nulls, "a value", "NULL");
            examined.findings.push(finding);
        }
        if misfits.beyond + unfit > 0 {
            let (rows, expected) = (misfits.beyond + unfit, pair.target.kind.to_string());
            examined.findings.push(found(FindingKind::ValueUnfit, subject, rows, expected, "something else"));
        }
    }
    Ok(())
}

/// Keys that the target declares and the source has twice.
async fn keys(cx: &mut CheckContext<'_>, comparison: &Comparison, examined: &mut Examined) -> Result<(), EngineError> {
    let Some(target) = cx.catalogue(Side::Target).tables.get(&comparison.target) else { return Ok(()) };
    let keys: Vec<Vec<String>> =
        target.unique_keys().filter_map(|key| of_source(comparison, &key.columns)).map(names).collect();
    for columns in keys {
        let counted = cx.readers.side(Side::Source)?.duplicates(&comparison.source, &columns, cx.sample).await?;
        if counted.total > 0 {
            let subject = Subject::columns(Side::Source, &comparison.source, &columns);
            let finding = found(FindingKind::DuplicateKey, subject, counted.total, "each key once", "doubled keys");
            examined.findings.push(finding.with_sample(cx.evidence(&columns, &counted.sample)));
        }
    }
    Ok(())
}

/// Rows without the parent that the target demands. Columns of which nobody can tell that yet are added to those that are made.
async fn references(
    cx: &mut CheckContext<'_>,
    comparison: &Comparison,
    (made, asked): (&mut BTreeSet<String>, &mut Vec<Reference>),
    examined: &mut Examined,
) -> Result<(), EngineError> {
    let derived = cx.derived;
    let Some(target) = cx.catalogue(Side::Target).tables.get(&comparison.target) else { return Ok(()) };
    for key in target.foreign_keys.clone() {
        let Some(columns) = of_source(comparison, &key.columns) else { continue };
        // A parent that comes from elsewhere, or in part, is not there to be asked for.
        let parent = derived.comparisons.iter().find(|one| {
            one.target == key.parent && one.terms.source.filters.is_empty() && one.terms.source.query.is_none()
        });
        let theirs = parent.and_then(|parent| Some((parent, of_source(parent, &key.parent_columns)?)));
        let is_alike = |theirs: &[Carried<'_>]| columns.iter().zip(theirs).all(|(own, their)| own.1 == their.1);
        let Some((parent, theirs)) = theirs.filter(|(_, theirs)| is_alike(theirs)) else {
            made.extend(names(columns));
            continue;
        };
        let (columns, parent_columns) = (names(columns), names(theirs));
        let reference = Reference {
            child: comparison.source.clone(),
            columns: columns.clone(),
            parent: parent.source.clone(),
            parent_columns,
            match_full: key.match_full,
        };
        let counted = cx.readers.side(Side::Source)?.dangling(&reference, cx.sample).await?;
        asked.push(reference);
        if counted.total > 0 {
            let subject = Subject::columns(Side::Source, &comparison.source, &columns);
            let expected = format!("a row of {}", parent.source);
            examined.findings.push(found(FindingKind::Orphan, subject, counted.total, expected, "none"));
        }
    }
    Ok(())
}

/// A column of the source whose values are as different in the target: they go over as they are, or UUIDs follow from them.
type Carried<'c> = (&'c str, Option<&'c Derivation>);

/// A target's columns in the names of the source; `None` if one has no counterpart that is a column.
fn of_source<'c>(comparison: &'c Comparison, columns: &[String]) -> Option<Vec<Carried<'c>>> {
    let carried = |column: &String| {
        let name = &comparison.columns.iter().find(|pair| pair.target.name == *column)?.source.name;
        let terms = &comparison.terms.source;
        match terms.expressions.get(name) {
            // Several keys may have one value.
            _ if terms.lookups.contains_key(name) => None,
            None => Some((name.as_str(), None)),
            Some(Expression::Derived(of @ Derivation { sql: None, .. })) => Some((name.as_str(), Some(of))),
            Some(_) => None,
        }
    };
    columns.iter().map(carried).collect()
}

fn names(columns: Vec<Carried<'_>>) -> Vec<String> {
    columns.into_iter().map(|(name, _)| name.to_owned()).collect()
}

/// What a column of the target takes, as far as its declaration bounds it.
#[derive(Clone, Copy)]
struct Limit {
    nulls: bool,
    /// Characters.
    length: Option<u32>,
    /// Bits of a signed number.
    bits: Option<u8>,
}

impl Limit {
    fn of(pair: &ColumnPair) -> Self {
        let length = match pair.target.kind {
            LogicalType::Text { limit } => limit,
            LogicalType::PaddedText { length } => Some(length),
            _ => None,
        };
        let bits = if let LogicalType::Integer { bits } = pair.target.kind { Some(bits) } else { None };
        Self { nulls: pair.target.nullable || pair.target.default.is_some(), length, bits }
    }

    /// Whether a value is beyond it. What is of another kind altogether is the rule's to tell.
    fn is_passed_by(self, cell: &Cell<'_>) -> bool {
        match (*cell, self.length, self.bits) {
            (Cell::Text(text), Some(length), _) => {
                // Engines let blanks beyond the limit go.
                let text = String::from_utf8_lossy(text);
                text.trim_end_matches(' ').chars().count() as u64 > u64::from(length)
            }
            (Cell::Integer(number), _, Some(bits)) if bits < 64 => {
                let bound = 1_i64 << (bits - 1);
                !(-bound..bound).contains(&number)
            }
            _ => false,
        }
    }
}

/// Rows of a column that do not fit.
#[derive(Clone, Copy, Default)]
struct Misfits {
    nulls: u64,
    beyond: u64,
}

/// Looks at the values of each row.
struct Fitting {
    digester: RowDigester,
    limits: Vec<Limit>,
    misfits: Vec<Misfits>,
}

impl RowSink for Fitting {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        let (limit, misfits) = (self.limits[column], &mut self.misfits[column]);
        misfits.nulls += u64::from(cell == Cell::Null && !limit.nulls);
        misfits.beyond += u64::from(limit.is_passed_by(&cell));
        self.digester.cell(column, cell);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.digester.end_row()
    }
}
