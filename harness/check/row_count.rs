//! `row_count`: both sides hold the same number of rows.

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    engine::EngineError,
    model::{Finding, FindingKind, Side, Sides, Stage, Subject},
};

/// Both sides hold the same number of rows.
pub struct RowCount;

static META: CheckMeta = CheckMeta {
    id: "row_count",
    asserts: "each table holds as many rows in the target as in the source",
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
        for (position, comparison) in derived.comparisons.iter().enumerate() {
            let Sides { source, target } = match cx.tally.get(&position) {
                Some(counted) => *counted,
                None => Sides::new(
                    cx.rows(Side::Source, &comparison.source).await?,
                    cx.rows(Side::Target, &comparison.target).await?,
                ),
            };
            if source != target {
                let subject = Subject::table(Side::Target, &comparison.target);
                let finding = Finding::error(FindingKind::CountDiffers, subject, source.abs_diff(target));
                examined.findings.push(finding.because(format!("{source} rows"), format!("{target} rows")));
            }
        }
        Ok(examined)
    }
}
