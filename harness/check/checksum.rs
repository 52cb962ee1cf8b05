//! `checksum`: every value of every row is the same on both sides, under the rules that the comparison states.

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::{
        Buckets, Form, Located, Mark, RowDigester, Samples, Suspects, TableDigest, compare, comparison::Comparison,
    },
    engine::{EngineError, Rowset},
    model::{Evidence, Finding, FindingKind, LossEntry, Share, Side, Sides, Stage, Subject, finding::KeyPart},
};

/// Every value of every row is the same on both sides.
pub struct Checksum;

static META: CheckMeta = CheckMeta {
    id: "checksum",
    asserts: "source and target hold the same rows, value by value, under the rule stated for each pair of columns",
    why: "counts agree while a time zone shifted every instant, or one batch overwrote another",
    remedy: "read the finding's columns and sample; most differences have one cause for many rows",
    example: "one byte of one text changed in the target",
    stages: &[Stage::Migrated],
};

/// Suspect rows kept in memory at a time, both sides together: 32 bytes each and 8 for each column.
const SUSPECTS_AT_ONCE: u64 = 400_000;

#[async_trait]
impl Check for Checksum {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let derived = cx.derived;
        for comparison in &derived.comparisons {
            Pass::new(comparison).run(cx, &mut examined).await?;
        }
        for name in &derived.source_only {
            let rows = cx.snapshot(cx.stage, Side::Source).tables.get(name).map_or(0, |table| table.rows.rows);
            examined.coverage.rows.total += rows;
            let columns = cx.catalogue(Side::Source).tables[name].columns.len() as u64;
            examined.coverage.columns.total += columns;
        }
        for (table, column) in &derived.source_columns_only {
            examined.coverage.columns.total += 1;
            let reason = "the target has no column of that name";
            examined.unchecked.push(crate::model::Unchecked::new("column", format!("{table}.{column}"), reason));
        }
        Ok(examined)
    }
}

/// One comparison with what every pass over it needs.
struct Pass<'a> {
    comparison: &'a Comparison,
    forms: Vec<Form>,
    key: Vec<usize>,
    columns: Vec<Sides<String>>,
}

impl<'a> Pass<'a> {
    fn new(comparison: &'a Comparison) -> Self {
        let ruled: Vec<usize> =
            (0..comparison.columns.len()).filter(|at| comparison.columns[*at].rule.is_ok()).collect();
        let key = comparison.key.iter().filter_map(|at| ruled.iter().position(|ruled| ruled == at)).collect();
        Self {
            comparison,
            forms: comparison.ruled().map(|(_, rule)| Form::Common(*rule)).collect(),
            key,
            columns: comparison
                .ruled()
                .map(|(pair, _)| Sides::new(pair.source.name.clone(), pair.target.name.clone()))
                .collect(),
        }
    }

    fn rowsets(&self) -> Sides<Rowset> {
        Sides::from_fn(|side| Rowset {
            table: match side {
                Side::Source => self.comparison.source.clone(),
                Side::Target => self.comparison.target.clone(),
            },
            columns: self.columns.iter().map(|names| names.get(side).clone()).collect(),
        })
    }

    async fn run(&self, cx: &mut CheckContext<'_>, examined: &mut Examined) -> Result<(), EngineError> {
        let all = self.comparison.columns.len() as u64;
        examined.coverage.columns += Share::new(self.columns.len() as u64, all);
        examined.unchecked.extend(self.comparison.unruled());
        if self.columns.is_empty() {
            return Ok(());
        }
        let digester = || RowDigester::new(self.forms.clone(), self.key.clone(), false);
        let sinks = cx.readers.scan(self.rowsets(), Sides::new(digester(), digester())).await?;
        let digests = sinks.map(RowDigester::finish);
        let rows = digests.source.fingerprint.rows + digests.target.fingerprint.rows;
        examined.coverage.rows += Share::new(rows, rows);
        self.ledger(&digests, examined);
        if digests.source.fingerprint == digests.target.fingerprint {
            return Ok(());
        }
        let located = self.locate(cx, &digests).await?;
        self.findings(cx, &located, examined).await
    }

    /// The rules that folded values, and the rows that they touched.
    fn ledger(&self, digests: &Sides<TableDigest>, examined: &mut Examined) {
        let rowsets = self.rowsets();
        for (side, digest) in digests.iter() {
            for (at, (_, rule)) in self.comparison.ruled().enumerate() {
                if digest.normalised[at] > 0 {
                    examined.loss_ledger.push(LossEntry {
                        side,
                        table: rowsets.get(side).table.clone(),
                        column: self.columns[at].get(side).clone(),
                        rule: rule.to_string(),
                        rows: digest.normalised[at],
                    });
                }
            }
        }
    }

    /// Second pass: only rows of differing buckets are kept, group by group, so that memory has a bound.
    async fn locate(&self, cx: &mut CheckContext<'_>, digests: &Sides<TableDigest>) -> Result<Located, EngineError> {
        let differing = Buckets::differing(&digests.source, &digests.target);
        let mut located = Located::default();
        let cap = cx.sample as usize;
        for group in differing.groups(&digests.source, &digests.target, SUSPECTS_AT_ONCE) {
            let suspects = || Suspects::new(self.forms.clone(), self.key.clone(), group.clone());
            let found = cx.readers.scan(self.rowsets(), Sides::new(suspects(), suspects())).await?;
            located.add(compare(&found.source, &found.target, cap), cap);
        }
        Ok(located)
    }

    /// Third pass: the values of a few rows, and the findings.
    async fn findings(
        &self,
        cx: &mut CheckContext<'_>,
        located: &Located,
        examined: &mut Examined,
    ) -> Result<(), EngineError> {
        let wanted = &located.wanted;
        let of_source = wanted.missing.iter().copied().chain(wanted.changed.iter().map(|changed| changed.source));
        let of_target = wanted.extraneous.iter().copied().chain(wanted.changed.iter().map(|changed| changed.target));
        let sinks = Sides::new(
            Samples::new(self.forms.clone(), self.key.clone(), of_source),
            Samples::new(self.forms.clone(), self.key.clone(), of_target),
        );
        let values = cx.readers.scan(self.rowsets(), sinks).await?.map(Samples::finish);
        let subject = |side: Side| match side {
            Side::Source => Subject::table(side, &self.comparison.source),
            Side::Target => Subject::table(side, &self.comparison.target),
        };
        let rows = |side: Side, marks: &[Mark]| {
            let known = values.get(side);
            marks.iter().filter_map(|mark| Some(self.row(cx, side, known.get(mark)?, None))).collect::<Vec<_>>()
        };
        if located.missing > 0 {
            let finding = Finding::error(FindingKind::MissingRow, subject(Side::Target), located.missing);
            examined.findings.push(finding.with_sample(rows(Side::Source, &wanted.missing)));
        }
        if located.extraneous > 0 {
            let finding = Finding::error(FindingKind::ExtraneousRow, subject(Side::Target), located.extraneous);
            examined.findings.push(finding.with_sample(rows(Side::Target, &wanted.extraneous)));
        }
        if located.changed > 0 {
            examined.findings.push(Finding::error(FindingKind::ChangedRow, subject(Side::Target), located.changed));
        }
        for (at, total) in located.changed_values.iter().enumerate().filter(|(_, total)| **total > 0) {
            let sample = wanted.changed.iter().filter(|changed| changed.columns.contains(&at)).filter_map(|changed| {
                let (source, target) = (values.source.get(&changed.source)?, values.target.get(&changed.target)?);
                Some(self.row(cx, Side::Source, source, Some((at, target))))
            });
            let columns = std::slice::from_ref(&self.columns[at].target);
            let subject = Subject::columns(Side::Target, &self.comparison.target, columns);
            let finding = Finding::error(FindingKind::ChangedValue, subject, *total);
            examined.findings.push(finding.with_sample(sample.collect()));
        }
        Ok(())
    }

    /// A row by its key (all of its columns where there is none), and one changed value.
    fn row(
        &self,
        cx: &CheckContext<'_>,
        side: Side,
        values: &[Option<String>],
        changed: Option<(usize, &Vec<Option<String>>)>,
    ) -> Evidence {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let named = if self.key.is_empty() { &all } else { &self.key };
        let show = |value: Option<&Option<String>>| cx.redaction.show(value.and_then(Option::as_deref));
        Evidence {
            key: named
                .iter()
                .map(|at| KeyPart { column: self.columns[*at].get(side).clone(), value: show(values.get(*at)) })
                .collect(),
            column: changed.map(|(at, _)| self.columns[at].target.clone()),
            source: changed.map(|(at, _)| show(values.get(at))),
            target: changed.map(|(at, target)| show(target.get(at))),
        }
    }
}
