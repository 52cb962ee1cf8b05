//! `integrity`: what an engine says about its own files when it is asked to look them through.

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    engine::{EngineError, SelfExamination},
    model::{Finding, FindingKind, Side, Stage, Subject},
};

/// What engines find in their own files.
pub struct Integrity;

static META: CheckMeta = CheckMeta {
    id: "integrity",
    asserts: "an engine that can look its own file through (SQLite: integrity_check, foreign_key_check) finds nothing wrong",
    why: "a damaged page or index gives wrong answers long before anybody reads the row that is gone",
    remedy: "restore the last backup whose integrity was checked, and find out what writes to the file besides",
    example: "an index of a SQLite file that lacks a row of its table",
    stages: &[Stage::Migrated],
};

/// Answers that are told.
const TOLD: usize = 3;

#[async_trait]
impl Check for Integrity {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        for side in Side::BOTH {
            let is_asked = |look: &SelfExamination| side == Side::Target || !look.is_of_references;
            look(cx, side, is_asked, &mut examined).await?;
        }
        Ok(examined)
    }
}

/// Has one side look its own file through.
pub(super) async fn look(
    cx: &mut CheckContext<'_>,
    side: Side,
    is_asked: impl Fn(&SelfExamination) -> bool,
    examined: &mut Examined,
) -> Result<(), EngineError> {
    for look in cx.readers.engine(side).dialect().self_examinations().iter().filter(|look| is_asked(look)) {
        let rows = cx.readers.side(side)?.query(look.sql).await?;
        // The words of an answer name tables, pages and row numbers; no row's value is among them.
        let told = rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" "));
        let wrong: Vec<String> = told.filter(|line| Some(line.as_str()) != look.whole).collect();
        if wrong.is_empty() {
            continue;
        }
        let subject = Subject::object(side, format!("file:{}", look.name));
        let found = wrong[..wrong.len().min(TOLD)].join("; ");
        let finding = Finding::error(FindingKind::Damaged, subject, wrong.len() as u64);
        examined.findings.push(finding.because(look.whole.unwrap_or("nothing"), found));
    }
    Ok(())
}
