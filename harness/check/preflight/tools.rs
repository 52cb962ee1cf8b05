//! `tools`: the programs that the steps run are there, and suit the servers.

use async_trait::async_trait;

use crate::{
    check::{Check, CheckContext, CheckMeta, Examined},
    engine::EngineError,
    model::{Finding, FindingKind, Stage, Subject},
};

/// The programs of the steps are there.
pub struct Tools;

static META: CheckMeta = CheckMeta {
    id: "tools",
    asserts: "every program that a step runs is at hand, in a version that suits its server",
    why: "a dump program that is too old for its server is found out in the middle of the night otherwise",
    remedy: "install the client programs of the server's major version",
    example: "a step `backup` of PostgreSQL 17 where only pg_dump 15 is installed",
    stages: &[Stage::Baseline],
};

#[async_trait]
impl Check for Tools {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        for program in &cx.surroundings.programs {
            if let Err(problem) = &program.found {
                let subject = Subject { object: Some(format!("step:{}", program.step)), ..Subject::default() };
                let finding = Finding::error(FindingKind::ProgramMissing, subject, 1);
                examined.findings.push(finding.because("a program that suits the server", problem));
            }
        }
        Ok(examined)
    }
}
