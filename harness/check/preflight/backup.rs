//! `backup`: what the steps restore from can be restored.

use async_trait::async_trait;

use crate::{
    check::{Check, CheckContext, CheckMeta, Examined},
    engine::EngineError,
    model::{Finding, FindingKind, Stage, Subject},
};

/// Backups that are given can be restored.
pub struct Backup;

static META: CheckMeta = CheckMeta {
    id: "backup",
    asserts: "every backup that a step restores and no earlier one makes is whole: its files have the manifest's digests, the \
              product's own program can read it, and the server is new enough for it",
    why: "a backup that nobody looked at since it was written is none, and the day on which it is needed is a bad one to learn that",
    remedy: "restore from another generation, and take a new backup",
    example: "a dump that was cut when the disk was full",
    stages: &[Stage::Baseline],
};

#[async_trait]
impl Check for Backup {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        for backup in &cx.surroundings.backups {
            if let Err(problem) = &backup.found {
                let subject = Subject { object: Some(format!("step:{}", backup.step)), ..Subject::default() };
                let finding = Finding::error(FindingKind::BackupUnusable, subject, 1);
                examined.findings.push(finding.because("a backup that can be restored", problem));
            }
        }
        Ok(examined)
    }
}
