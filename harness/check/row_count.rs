//! `row_count`: both sides hold the same number of rows.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::comparison::Comparison,
    engine::EngineError,
    model::{Finding, FindingKind, Side, Sides, Stage, Subject},
};

/// Both sides hold the same number of rows.
pub struct RowCount;

static META: CheckMeta = CheckMeta {
    id: "row_count",
    asserts: "each table, and each partition of one engine, holds as many rows in the target as in the source",
    why: "a batch that was dropped, retried or filtered out shows in the count before anything else",
    remedy: "compare the migration's own counts a batch; the checksum check names the rows",
    example: "one row deleted from the target",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for RowCount {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let derived = cx.derived;
        for (position, comparison) in derived.all().enumerate() {
            if !cx.can_compare(comparison, &mut examined) {
                continue;
            }
            let counted = match cx.tally.get(&position) {
                Some(counted) => Some(*counted),
                None => counted(cx, comparison, &mut examined).await?,
            };
            let Some(Sides { source, target }) = counted else { continue };
            if source != target {
                let subject = Subject::table(Side::Target, &comparison.target);
                let finding = Finding::error(FindingKind::CountDiffers, subject, source.abs_diff(target));
                examined.findings.push(finding.because(format!("{source} rows"), format!("{target} rows")));
            }
            if cx.derived.same_engine
                && Side::BOTH.iter().all(|side| comparison.terms.get(*side).is_plain())
                && cx.catalogue(Side::Source).partitioned.contains(&comparison.source)
                && cx.catalogue(Side::Target).partitioned.contains(&comparison.target)
                && (source, target) != (0, 0)
            {
                partitions(cx, comparison, &mut examined).await?;
            }
        }
        Ok(examined)
    }
}

/// How many rows both tables have; `None`, and named, where one cannot be asked.
async fn counted(
    cx: &mut CheckContext<'_>,
    comparison: &Comparison,
    examined: &mut Examined,
) -> Result<Option<Sides<u64>>, EngineError> {
    let answer = cx.rows_compared(Side::Source, comparison).await;
    let Some(source) = cx.answered(Side::Source, &comparison.source, answer, examined).await? else { return Ok(None) };
    let answer = cx.rows_compared(Side::Target, comparison).await;
    let target = cx.answered(Side::Target, &comparison.target, answer, examined).await?;
    Ok(target.map(|target| Sides::new(source, target)))
}

/// Compares the rows of each partition: a row in the wrong one is in the table all the same.
async fn partitions(
    cx: &mut CheckContext<'_>,
    comparison: &Comparison,
    examined: &mut Examined,
) -> Result<(), EngineError> {
    let answer = cx.readers.side(Side::Source)?.partition_rows(&comparison.source).await;
    let Some(source) = cx.answered(Side::Source, &comparison.source, answer, examined).await? else { return Ok(()) };
    let answer = cx.readers.side(Side::Target)?.partition_rows(&comparison.target).await;
    let Some(target) = cx.answered(Side::Target, &comparison.target, answer, examined).await? else { return Ok(()) };
    for name in source.keys().chain(target.keys().filter(|name| !source.contains_key(*name))) {
        let rows = |counted: &BTreeMap<String, u64>| counted.get(name).copied().unwrap_or_default();
        if rows(&source) != rows(&target) {
            let subject = Subject::object(Side::Target, format!("partition:{name}"));
            let finding = Finding::error(FindingKind::CountDiffers, subject, rows(&source).abs_diff(rows(&target)));
            let (expected, found) = (format!("{} rows", rows(&source)), format!("{} rows", rows(&target)));
            examined.findings.push(finding.because(expected, found));
        }
    }
    Ok(())
}
