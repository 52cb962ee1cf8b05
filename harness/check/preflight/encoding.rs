//! `encoding`: the target's encoding can hold the source's text, and both compare text alike.

use async_trait::async_trait;

use super::ready::readiness;
use crate::{
    check::{Check, CheckContext, CheckMeta, Examined},
    engine::EngineError,
    model::{Finding, FindingKind, Severity, Side, Sides, Stage, Subject},
};

/// The target's encoding can hold the source's text.
pub struct Encoding;

/// Encodings of all of Unicode, by the names that the engines have for them.
const WHOLE: [&str; 4] = ["utf8", "utf8mb4", "utf16le", "utf16be"];

static META: CheckMeta = CheckMeta {
    id: "encoding",
    asserts: "the target's encoding holds all text of the source's, and databases of one engine compare text alike",
    why: "what the encoding cannot hold is refused or becomes a question mark, and another collation makes other keys equal",
    remedy: "make the target in UTF-8 (utf8mb4 on MariaDB), and with the source's collation",
    example: "a target in LATIN1 for a source in UTF8",
    stages: &[Stage::Baseline],
};

#[async_trait]
impl Check for Encoding {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let told = Sides::new(readiness(cx, Side::Source).await?, readiness(cx, Side::Target).await?);
        let same_engine = cx.derived.same_engine;
        let subject = Subject::object(Side::Target, "database");
        let (source, target) = (&told.source, &told.target);
        // One engine's name for an encoding may be another's for something else.
        let is_same = same_engine && source.encoding == target.encoding;
        if !is_same && !is_whole(&target.encoding) {
            let finding = Finding::error(FindingKind::EncodingNarrower, subject.clone(), 1);
            examined.findings.push(finding.at(Severity::Warning).because(&source.encoding, &target.encoding));
        }
        if same_engine && source.collation != target.collation {
            let finding = Finding::error(FindingKind::CollationOther, subject, 1).at(Severity::Warning);
            examined.findings.push(finding.because(&source.collation, &target.collation));
        }
        Ok(examined)
    }
}

/// Whether an encoding holds every character.
fn is_whole(encoding: &str) -> bool {
    let folded: String = encoding.chars().filter(char::is_ascii_alphanumeric).collect();
    WHOLE.iter().any(|whole| folded.eq_ignore_ascii_case(whole))
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn encodings_of_all_of_unicode_are_known() {
        assert!(["UTF8", "UTF-8", "utf8mb4", "UTF-16le"].iter().all(|encoding| is_whole(encoding)));
        assert!(["LATIN1", "SQL_ASCII", "utf8mb3", "latin1"].iter().all(|encoding| !is_whole(encoding)));
    }
}
