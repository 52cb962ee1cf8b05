//! `room`: the disk of the target has room for what comes, and the run's own for the backups of its steps.

use async_trait::async_trait;

use super::ready::readiness;
use crate::{
    check::{Check, CheckContext, CheckMeta, Examined},
    engine::EngineError,
    model::{Finding, FindingKind, Severity, Side, Stage, Subject},
};

/// The disk has room for what comes.
pub struct Room;

/// How many times the source's bytes the target's disk should have free: the rows with their indexes, the log of the writes,
/// and the files that a migration goes through.
const TIMES: u64 = 3;

static META: CheckMeta = CheckMeta {
    id: "room",
    asserts: "the target's disk has three times the source's bytes free: rows and indexes, the log, files in between; the \
              run's own has them once for each backup or restore, which keeps what was there before; a side's disk has \
              them once more where a backup of it is restored to test it",
    why: "a disk that fills up in the middle of a load stops the migration, and the server with it",
    remedy: "make room, or give the target another disk",
    example: "a source of 40 GB and 50 GB free",
    stages: &[Stage::Baseline],
};

#[async_trait]
impl Check for Room {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let bytes = readiness(cx, Side::Source).await?.bytes;
        let kept = bytes.saturating_mul(cx.surroundings.programs.len() as u64);
        if let Some(free) = cx.surroundings.free_here.filter(|free| *free < kept) {
            let subject = Subject { object: Some("disk of the run".to_owned()), ..Subject::default() };
            let finding = Finding::error(FindingKind::RoomShort, subject, kept - free);
            examined.findings.push(finding.because(format!("{kept} bytes free"), format!("{free} bytes")));
        }
        let once_more = |side: Side| u64::from(cx.surroundings.scratch.contains(&side));
        let beside = bytes.saturating_mul(once_more(Side::Source));
        if let Some(free) = cx.surroundings.free.source.filter(|free| *free < beside) {
            let finding = Finding::error(FindingKind::RoomShort, Subject::object(Side::Source, "disk"), beside - free);
            examined.findings.push(finding.because(format!("{beside} bytes free"), format!("{free} bytes")));
        }
        let needed = bytes.saturating_mul(TIMES + once_more(Side::Target));
        match cx.surroundings.free.target {
            Some(free) if free < needed => {
                let subject = Subject::object(Side::Target, "disk");
                let finding = Finding::error(FindingKind::RoomShort, subject, needed - free);
                examined.findings.push(finding.because(format!("{needed} bytes free"), format!("{free} bytes")));
            }
            Some(_) => {}
            None => {
                // A rehearsal that comes to its end has shown that there was enough; only who plans the next one must look.
                let subject = Subject::object(Side::Target, "disk");
                let finding = Finding::error(FindingKind::RoomUnknown, subject, needed).at(Severity::Note);
                examined.findings.push(finding.because(format!("{needed} bytes free"), "not known from here"));
            }
        }
        Ok(examined)
    }
}
