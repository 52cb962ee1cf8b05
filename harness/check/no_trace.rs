//! `no_trace`: after the rollback, both sides equal the baseline in every row, column and catalogue object.

use async_trait::async_trait;

use super::{
    Check, CheckContext, CheckMeta, Examined,
    difference::{Kinds, bookkeeping, compare},
};
use crate::{
    engine::EngineError,
    model::{Finding, FindingKind, Side, Stage, Subject},
};

/// What a rollback left or lost.
pub const KINDS: Kinds = Kinds {
    left: FindingKind::TraceLeft,
    lost: FindingKind::TraceLost,
    changed: FindingKind::ObjectChanged,
    rows: FindingKind::RowsNotRestored,
};

/// After the rollback, both sides equal the baseline.
pub struct NoTrace;

static META: CheckMeta = CheckMeta {
    id: "no_trace",
    asserts: "after the rollback every row, every column and every catalogue object of both sides equals the baseline",
    why: "a rollback that ran without an error can still lose values, leave types behind, or bring a column back empty",
    remedy: "repair the step's rollback; the finding names the table, column or object",
    example: "a row left in the target, or an index that the rollback forgot to drop",
    stages: &[Stage::RolledBack],
};

#[async_trait]
impl Check for NoTrace {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        for side in Side::BOTH {
            let (before, after) = (cx.snapshot(Stage::Baseline, side), cx.snapshot(Stage::RolledBack, side));
            compare(side, before, after, &KINDS, &mut examined);
            bookkeeping(side, cx.snapshots.get(&(Stage::Migrated, side)), after, &mut examined);
        }
        // A migration that only reads its source leaves the file bit for bit the same.
        let (before, after) =
            (cx.snapshot(Stage::Baseline, Side::Source), cx.snapshot(Stage::RolledBack, Side::Source));
        if !cx.writes_source && before.file_sha256 != after.file_sha256 {
            let shown = |hash: &Option<String>| hash.clone().unwrap_or_else(|| "no file".to_owned());
            let finding = Finding::error(FindingKind::TraceLeft, Subject::object(Side::Source, "file:source"), 1);
            examined.findings.push(finding.because(shown(&before.file_sha256), shown(&after.file_sha256)));
        }
        Ok(examined)
    }
}
