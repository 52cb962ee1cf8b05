//! `reapply`: the second migration gives the same as the first.

use async_trait::async_trait;

use super::{
    Check, CheckContext, CheckMeta, Examined,
    difference::{Kinds, bookkeeping, compare},
};
use crate::{
    engine::EngineError,
    model::{Coverage, FindingKind, Side, Stage},
};

/// How a second migration differs from the first.
pub const KINDS: Kinds = Kinds {
    left: FindingKind::ReapplyDiffers,
    lost: FindingKind::ReapplyDiffers,
    changed: FindingKind::ReapplyDiffers,
    rows: FindingKind::ReapplyDiffers,
};

/// The second migration gives the same as the first.
pub struct Reapply;

static META: CheckMeta = CheckMeta {
    id: "reapply",
    asserts: "after the second migration every row, column and catalogue object of both sides equals the first result",
    why: "a migration that gives something else the second time hides a leftover of its rollback, or chance",
    remedy: "look for values made on the way (now(), random), and for what the rollback left behind",
    example: "one value changed in the target after the second migration",
    stages: &[Stage::Reapplied],
};

#[async_trait]
impl Check for Reapply {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        for side in Side::BOTH {
            let (first, second) = (cx.snapshot(Stage::Migrated, side), cx.snapshot(Stage::Reapplied, side));
            compare(side, first, second, &KINDS, &mut examined);
            bookkeeping(side, cx.snapshots.get(&(Stage::RolledBack, side)), second, &mut examined);
        }
        // The same objects were counted after the rollback already.
        examined.coverage = Coverage::default();
        Ok(examined)
    }
}
