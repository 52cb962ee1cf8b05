//! `checksum`: every value of every row is the same on both sides, under the rules that the comparison states.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::{
        Buckets, Causes, Changed, Fetch, Fetched, Form, Located, Mark, RowDigester, Suspects, TableDigest, compare,
        comparison::Comparison,
    },
    engine::{EngineError, Rowset},
    model::{
        Cause, CauseCount, Evidence, Finding, FindingKind, LossEntry, Share, Side, Sides, Stage, Subject,
        finding::KeyPart,
    },
};

/// Every value of every row is the same on both sides.
pub struct Checksum;

static META: CheckMeta = CheckMeta {
    id: "checksum",
    asserts: "source and target hold the same rows, value by value, under the rule stated for each pair of columns",
    why: "counts agree while a time zone shifted every instant, or one batch overwrote another",
    remedy: "read the finding's causes, columns and sample; most differences have one cause for many rows",
    example: "one byte of one text changed in the target",
    stages: &[Stage::Migrated],
};

/// Suspect rows kept in memory at a time, both sides together: 32 bytes each and 8 for each column.
const SUSPECTS_AT_ONCE: u64 = 400_000;
/// Bytes of the values of changed rows kept in memory at a time, for each side.
const VALUES_AT_ONCE: usize = 64 << 20;
/// Changed rows that are kept to show: so many times the sample of one column.
const COLUMNS_SHOWN: usize = 16;

#[async_trait]
impl Check for Checksum {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let derived = cx.derived;
        for (position, comparison) in derived.comparisons.iter().enumerate() {
            let pass = Pass::new(comparison);
            let before = examined.clone();
            let answer =
                if cx.can_compare(comparison, &mut examined) { Some(pass.run(cx, &mut examined).await) } else { None };
            let done = match answer {
                // What was found before a table could not be read any further does not count.
                Some(answer @ Err(_)) => {
                    examined = before;
                    cx.answered(Side::Target, &comparison.target, answer, &mut examined).await?.is_some()
                }
                Some(Ok(counted)) => {
                    cx.tally.extend(counted.map(|rows| (position, rows)));
                    true
                }
                None => false,
            };
            if !done && !cx.is_elsewhere(comparison) {
                pass.not_done(cx, &mut examined);
            }
        }
        for name in &derived.source_only {
            let table = &cx.catalogue(Side::Source).tables[name];
            examined.coverage.columns.total += table.columns.len() as u64;
            if table.unreadable.is_none() {
                let answer = cx.rows(Side::Source, name).await;
                let rows = cx.answered(Side::Source, name, answer, &mut examined).await?;
                examined.coverage.rows.total += rows.unwrap_or_default();
            }
        }
        for (table, column) in &derived.source_columns_only {
            examined.coverage.columns.total += 1;
            let reason = "the target has no column of that name";
            examined.unchecked.push(crate::model::Unchecked::new("column", format!("{table}.{column}"), reason));
        }
        Ok(examined)
    }
}

/// What is known of a table's differing rows.
struct Differing {
    located: Located,
    /// The values of the rows to show.
    texts: Sides<BTreeMap<Mark, Vec<Option<String>>>>,
    causes: Causes,
}

/// Rows of one group whose values are not known yet.
struct Wish {
    /// All changed rows.
    pairs: Vec<Sides<Mark>>,
    /// The rows to show; those among the pairs too.
    shown: Sides<Vec<Mark>>,
}

impl Wish {
    /// All changed rows of a group, and those to show: of the others as many as there is still room for; of the changed
    /// ones as many for each column as there is still room for, so that rare changes are not crowded out. What is not to
    /// be shown is taken out of what was found.
    fn new(found: &mut Located, so_far: &Located, cap: usize) -> Self {
        let (wanted, kept) = (&mut found.wanted, &so_far.wanted);
        let pairs = wanted.changed.iter().map(|changed| Sides::new(changed.source, changed.target)).collect();
        wanted.missing.truncate(cap.saturating_sub(kept.missing.len()));
        wanted.extraneous.truncate(cap.saturating_sub(kept.extraneous.len()));
        let mut shown = vec![0; found.changed_values.len()];
        kept.changed.iter().flat_map(|changed| &changed.columns).for_each(|column| shown[*column] += 1);
        let mut room = (cap * COLUMNS_SHOWN).saturating_sub(kept.changed.len());
        wanted.changed.retain(|changed| {
            let is_shown = room > 0 && changed.columns.iter().any(|column| shown[*column] < cap);
            if is_shown {
                room -= 1;
                changed.columns.iter().for_each(|column| shown[*column] += 1);
            }
            is_shown
        });
        let changed = |side: fn(&Changed) -> Mark| wanted.changed.iter().map(side);
        let shown = Sides::new(
            wanted.missing.iter().copied().chain(changed(|changed| changed.source)).collect(),
            wanted.extraneous.iter().copied().chain(changed(|changed| changed.target)).collect(),
        );
        Self { pairs, shown }
    }

    fn marks(&self, side: Side) -> impl Iterator<Item = Mark> {
        self.pairs.iter().map(move |pair| *pair.get(side)).chain(self.shown.get(side).iter().copied())
    }

    /// The lowest key of both sides; `None` if nothing is wished for any more.
    fn lowest(&self) -> Option<[u8; 16]> {
        self.marks(Side::Source).chain(self.marks(Side::Target)).map(|mark| mark.key).min()
    }

    /// Takes what a scan fetched, and keeps what another has to fetch.
    fn grant(&mut self, fetched: &Sides<Fetched>, differing: &mut Differing) {
        let waits = |mark: &Mark| !fetched.iter().all(|(_, fetched)| fetched.is_complete(&mark.key));
        self.pairs.retain(|pair| {
            let values = (fetched.source.rows.get(&pair.source), fetched.target.rows.get(&pair.target));
            if let ((Some(source), Some(target)), false) = (values, waits(&pair.source)) {
                differing.causes.take(source, target);
            }
            waits(&pair.source)
        });
        for side in Side::BOTH {
            let (fetched, texts) = (fetched.get(side), differing.texts.get_mut(side));
            self.shown.get_mut(side).retain(|mark| {
                texts.extend(fetched.texts(mark).filter(|_| !waits(mark)).map(|row| (*mark, row)));
                waits(mark)
            });
        }
    }
}

/// Why rows are on one side only, where that is known of some.
fn repeated(repeated: u64, total: u64) -> Vec<CauseCount> {
    match repeated {
        0 => Vec::new(),
        _ => whole(vec![CauseCount { cause: Cause::Repeated, total: repeated }], total),
    }
}

/// Causes that add up to the total, also if a row was gone when its values were to be fetched.
fn whole(mut causes: Vec<CauseCount>, total: u64) -> Vec<CauseCount> {
    let explained = causes.iter().filter(|one| one.cause != Cause::Unexplained).map(|one| one.total).sum();
    causes.retain(|one| one.cause != Cause::Unexplained);
    if total > explained {
        causes.push(CauseCount { cause: Cause::Unexplained, total: total - explained });
    }
    causes
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
        Sides::from_fn(|side| {
            let table = match side {
                Side::Source => &self.comparison.source,
                Side::Target => &self.comparison.target,
            };
            Rowset::of(table.clone(), self.columns.iter().map(|names| names.get(side).clone()).collect())
        })
    }

    /// Compares all rows, and tells how many there are where there was a column to read.
    async fn run(&self, cx: &mut CheckContext<'_>, examined: &mut Examined) -> Result<Option<Sides<u64>>, EngineError> {
        let all = self.comparison.columns.len() as u64;
        examined.coverage.columns += Share::new(self.columns.len() as u64, all);
        examined.unchecked.extend(self.comparison.unruled());
        if self.columns.is_empty() {
            return Ok(None);
        }
        if cx.is_empty(Side::Source, &self.comparison.source) && cx.is_empty(Side::Target, &self.comparison.target) {
            return Ok(Some(Sides::new(0, 0)));
        }
        let digester = || RowDigester::new(self.forms.clone(), self.key.clone(), false);
        let sinks = cx.readers.scan(self.rowsets(), Sides::new(digester(), digester())).await?;
        let digests = sinks.map(RowDigester::finish);
        let rows = digests.source.fingerprint.rows + digests.target.fingerprint.rows;
        examined.coverage.rows += Share::new(rows, rows);
        self.ledger(&digests, examined);
        if digests.source.fingerprint != digests.target.fingerprint {
            let differing = self.locate(cx, &digests).await?;
            self.findings(cx, differing, examined);
        }
        Ok(Some(digests.map(|digest| digest.fingerprint.rows)))
    }

    /// Counts what there would have been to compare.
    fn not_done(&self, cx: &CheckContext<'_>, examined: &mut Examined) {
        examined.coverage.columns.total += self.comparison.columns.len() as u64;
        for (side, name) in [(Side::Source, &self.comparison.source), (Side::Target, &self.comparison.target)] {
            let recorded = cx.snapshot(cx.stage, side).tables.get(name);
            examined.coverage.rows.total += recorded.map_or(0, |table| table.rows.rows);
        }
    }

    /// The rules that folded values, and the rows that they touched.
    fn ledger(&self, digests: &Sides<TableDigest>, examined: &mut Examined) {
        let rowsets = self.rowsets();
        for (side, digest) in digests.iter() {
            for (at, (_, rule)) in self.comparison.ruled().enumerate() {
                // What a rule could not bring to its type is equal to nothing but itself, and a reader has to know of it.
                let unfit = format!("as stored where unfit for {}", rule.word());
                for (rows, rule) in [(digest.normalised[at], rule.to_string()), (digest.unfit[at], unfit)] {
                    if rows > 0 {
                        let table = rowsets.get(side).table.clone();
                        let column = self.columns[at].get(side).clone();
                        examined.loss_ledger.push(LossEntry { side, table, column, rule, rows });
                    }
                }
            }
        }
    }

    /// Second pass: only rows of differing buckets are kept, group by group, so that memory has a bound.
    async fn locate(&self, cx: &mut CheckContext<'_>, digests: &Sides<TableDigest>) -> Result<Differing, EngineError> {
        let buckets = Buckets::differing(&digests.source, &digests.target);
        let columns = self.columns.iter().zip(self.comparison.ruled());
        let causes = Causes::new(columns.map(|(names, (_, rule))| (names.target.clone(), *rule)));
        let mut differing = Differing { located: Located::default(), texts: Sides::default(), causes };
        let cap = cx.sample as usize;
        for group in buckets.groups(&digests.source, &digests.target, SUSPECTS_AT_ONCE) {
            let suspects = || Suspects::new(self.forms.clone(), self.key.clone(), group.clone());
            let suspects = cx.readers.scan(self.rowsets(), Sides::new(suspects(), suspects())).await?;
            let mut found = compare(&suspects.source, &suspects.target, usize::MAX);
            drop(suspects);
            let wanted = Wish::new(&mut found, &differing.located, cap);
            differing.located.add(found, usize::MAX);
            self.fetch(cx, wanted, &mut differing).await?;
        }
        Ok(differing)
    }

    /// Third pass: the values of all changed rows and of a few others; again as long as memory did not hold them all.
    async fn fetch(
        &self,
        cx: &mut CheckContext<'_>,
        mut wanted: Wish,
        differing: &mut Differing,
    ) -> Result<(), EngineError> {
        while let Some(lowest) = wanted.lowest() {
            let sinks = Sides::from_fn(|side| {
                let marks = wanted.marks(side);
                Fetch::new(self.forms.clone(), self.key.clone(), marks, Some(lowest), VALUES_AT_ONCE)
            });
            let fetched = cx.readers.scan(self.rowsets(), sinks).await?.map(Fetch::finish);
            wanted.grant(&fetched, differing);
        }
        Ok(())
    }

    fn findings(&self, cx: &CheckContext<'_>, differing: Differing, examined: &mut Examined) {
        let Differing { located, texts: values, causes } = differing;
        let wanted = &located.wanted;
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
            let finding = finding.with_causes(repeated(located.repeated.source, located.missing));
            examined.findings.push(finding.with_sample(rows(Side::Source, &wanted.missing)));
        }
        if located.extraneous > 0 {
            let finding = Finding::error(FindingKind::ExtraneousRow, subject(Side::Target), located.extraneous);
            let finding = finding.with_causes(repeated(located.repeated.target, located.extraneous));
            examined.findings.push(finding.with_sample(rows(Side::Target, &wanted.extraneous)));
        }
        if located.changed > 0 {
            examined.findings.push(Finding::error(FindingKind::ChangedRow, subject(Side::Target), located.changed));
        }
        let causes = causes.finish(cx.redaction);
        let changed = located.changed_values.iter().zip(causes).enumerate().filter(|(_, (total, _))| **total > 0);
        for (at, (total, causes)) in changed {
            let sample = wanted.changed.iter().filter(|changed| changed.columns.contains(&at)).filter_map(|changed| {
                let (source, target) = (values.source.get(&changed.source)?, values.target.get(&changed.target)?);
                Some(self.row(cx, Side::Source, source, Some((at, target))))
            });
            let columns = std::slice::from_ref(&self.columns[at].target);
            let subject = Subject::columns(Side::Target, &self.comparison.target, columns);
            let finding = Finding::error(FindingKind::ChangedValue, subject, *total);
            let finding =
                finding.with_causes(whole(causes, *total)).with_sample(sample.take(cx.sample as usize).collect());
            examined.findings.push(finding);
        }
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
