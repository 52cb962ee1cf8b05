//! `target_empty`: nobody's rows are in the target yet.

use async_trait::async_trait;

use crate::{
    check::{Check, CheckContext, CheckMeta, Examined},
    engine::EngineError,
    model::{Finding, FindingKind, Severity, Side, Stage, Subject},
};

/// No row is in the target yet.
pub struct TargetEmpty;

static META: CheckMeta = CheckMeta {
    id: "target_empty",
    asserts: "no table of the target holds a row, where the scenario puts none there",
    why: "rows of an earlier attempt make duplicates of the migration's, or pass for its result",
    remedy: "empty the target, or migrate into another database",
    example: "a target in which half of an earlier migration still lies",
    stages: &[Stage::Baseline],
};

#[async_trait]
impl Check for TargetEmpty {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        if cx.surroundings.filled.contains(&Side::Target) {
            return Ok(examined);
        }
        let recorded = &cx.snapshot(Stage::Baseline, Side::Target).tables;
        for (table, state) in recorded.iter().filter(|(_, state)| state.rows.rows > 0) {
            // What its schema put there may be meant to be there: a step that cannot live with it says so itself.
            let subject = Subject::table(Side::Target, table);
            let finding = Finding::error(FindingKind::TargetNotEmpty, subject, state.rows.rows);
            examined.findings.push(finding.at(Severity::Warning).because("no row", "rows"));
        }
        Ok(examined)
    }
}
