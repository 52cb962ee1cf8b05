//! `source`: the migration left the source as it was.

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined, difference};
use crate::{
    engine::{EngineError, fence},
    model::{Side, Stage, catalogue::ObjectName},
};

/// The source is as it was.
pub struct Source;

static META: CheckMeta = CheckMeta {
    id: "source",
    asserts: "the migration leaves every row, column and object of the source as it was, also where it went there and back \
              again, but for the fence that a step puts up, unless the scenario says that it changes the source",
    why: "what goes back is the source, and a way there and back that loses something shows nowhere else",
    remedy: "find the step that writes to the source, or say in the scenario why that is meant (`changes_source`)",
    example: "rows that went into another database and came back without their microseconds",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for Source {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let before = cx.snapshots.get(&(Stage::Baseline, Side::Source));
        // An audit comes when all is over, and knows nothing of the time before.
        if let Some(before) = before.filter(|_| !cx.changes_source) {
            difference::compare(
                Side::Source,
                before,
                cx.snapshot(cx.stage, Side::Source),
                &difference::FROM_BASELINE,
                &mut examined,
            );
            // The fence is told by its step, and `no_trace` proves that it went.
            examined.findings.retain(|finding| !finding.subject.object.as_deref().is_some_and(is_of_fence));
            // What of the source could be read at all, other checks tell.
            examined.unchecked.clear();
            examined.coverage = Default::default();
        }
        Ok(examined)
    }
}

/// Whether an object, as findings name it, is part of a fence.
fn is_of_fence(object: &str) -> bool {
    object.split_once(':').is_some_and(|(class, name)| fence::is_part(&ObjectName::new(class, name)))
}
