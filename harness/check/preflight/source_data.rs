//! `source_data`: what the source holds, the target can take.

use std::ops::ControlFlow;

use async_trait::async_trait;

use crate::{
    canon::{
        Cell, Form, RowDigester, RowSink,
        comparison::{ColumnPair, Comparison},
    },
    check::{Check, CheckContext, CheckMeta, Examined},
    engine::{EngineError, Rowset},
    model::{Finding, FindingKind, LogicalType, Severity, Side, Stage, Subject, catalogue::Reference},
};

/// What the source holds, the target can take.
pub struct SourceData;

static META: CheckMeta = CheckMeta {
    id: "source_data",
    asserts: "as far as the target's tables are there: no row of the source is double under a key of the target's, has no \
              parent, or holds a value that its column cannot take",
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
        for comparison in &derived.comparisons {
            let source = &comparison.source;
            // What an expression or a query makes of the rows is not in the source yet.
            if !comparison.terms.source.is_plain()
                || cx.is_empty(Side::Source, source)
                || !cx.can_ask(Side::Source, source, &mut examined)
            {
                continue;
            }
            let answer = values(cx, comparison, &mut examined).await;
            cx.answered(Side::Source, source, answer, &mut examined).await?;
            let answer = keys(cx, comparison, &mut examined).await;
            cx.answered(Side::Source, source, answer, &mut examined).await?;
            let answer = references(cx, comparison, &mut examined).await;
            cx.answered(Side::Source, source, answer, &mut examined).await?;
        }
        Ok(examined)
    }
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
    let pairs: Vec<&ColumnPair> = comparison.ruled().map(|(pair, _)| pair).collect();
    let forms = comparison.ruled().map(|(_, rule)| Form::Common(*rule)).collect();
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
    let keys: Vec<Vec<String>> = cx.catalogue(Side::Target).tables[&comparison.target]
        .unique_keys()
        .filter_map(|key| of_source(comparison, &key.columns))
        .collect();
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

/// Rows without the parent that the target demands.
async fn references(
    cx: &mut CheckContext<'_>,
    comparison: &Comparison,
    examined: &mut Examined,
) -> Result<(), EngineError> {
    let derived = cx.derived;
    let keys = cx.catalogue(Side::Target).tables[&comparison.target].foreign_keys.clone();
    for key in keys {
        // A parent that comes from elsewhere is not there to be asked for.
        let Some(parent) = derived.comparisons.iter().find(|one| one.target == key.parent) else { continue };
        let columns = of_source(comparison, &key.columns);
        let Some((columns, parent_columns)) = columns.zip(of_source(parent, &key.parent_columns)) else { continue };
        let reference = Reference {
            child: comparison.source.clone(),
            columns: columns.clone(),
            parent: parent.source.clone(),
            parent_columns,
            match_full: key.match_full,
        };
        let counted = cx.readers.side(Side::Source)?.dangling(&reference, cx.sample).await?;
        if counted.total > 0 {
            let subject = Subject::columns(Side::Source, &comparison.source, &columns);
            let expected = format!("a row of {}", parent.source);
            examined.findings.push(found(FindingKind::Orphan, subject, counted.total, expected, "none"));
        }
    }
    Ok(())
}

/// A target's columns in the names of the source; `None` if one has no counterpart that is a column.
fn of_source(comparison: &Comparison, columns: &[String]) -> Option<Vec<String>> {
    let find = |column: &String| comparison.columns.iter().find(|pair| pair.target.name == *column);
    columns.iter().map(|column| find(column).map(|pair| pair.source.name.clone())).collect()
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
