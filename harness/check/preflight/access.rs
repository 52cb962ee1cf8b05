//! `access`: both databases answer, are what the scenario names, and let the migration write.

use async_trait::async_trait;

use super::ready::readiness;
use crate::{
    check::{Check, CheckContext, CheckMeta, Examined},
    engine::EngineError,
    model::{Finding, FindingKind, Side, Stage, Subject},
};

/// Both databases answer and let the migration work.
pub struct Access;

static META: CheckMeta = CheckMeta {
    id: "access",
    asserts: "both databases answer, are of the versions that the scenario names, and the target can be written to",
    why: "a right that is missing is found out at the first statement that needs it, when others have run already",
    remedy: "grant the rights, or connect to the server that the scenario is for",
    example: "a role that may create nothing in the target",
    stages: &[Stage::Baseline],
};

#[async_trait]
impl Check for Access {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        for side in Side::BOTH {
            let version = cx.readers.side(side)?.version().await?;
            if let Some((engine, wanted)) = cx.surroundings.wanted.get(side)
                && !is_of(&version, wanted)
            {
                let subject = Subject::object(side, format!("server:{engine}"));
                let finding = Finding::error(FindingKind::VersionOther, subject, 1);
                examined.findings.push(finding.because(wanted, version));
            }
        }
        if let Some(reason) = readiness(cx, Side::Target).await?.closed {
            let finding = Finding::error(FindingKind::RightMissing, Subject::object(Side::Target, "database"), 1);
            examined.findings.push(finding.because("tables can be made and filled", reason));
        }
        Ok(examined)
    }
}

/// Whether a version is the one that is wanted, or a release of it: 15.18 is of 15, and 150.1 is not.
fn is_of(version: &str, wanted: &str) -> bool {
    version.strip_prefix(wanted).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_of_their_version() {
        assert!(is_of("15.18", "15") && is_of("10.11.6-MariaDB", "10.11") && is_of("17", "17"));
        assert!(!is_of("150.1", "15") && !is_of("15.18", "15.1") && !is_of("15.18", "17"));
    }
}
