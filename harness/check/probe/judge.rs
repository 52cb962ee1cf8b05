//! Whether what a probe saw is what it should have seen.

use super::{Answer, Probe};
use crate::model::{Finding, FindingKind, Severity, Stage, Subject, probe::Probed};

/// What is wrong with what was seen; `before` is what the same probe saw at the baseline.
pub(super) fn judge(probe: &Probe, probed: &Probed, answer: Option<&Answer>, before: Option<&Probed>) -> Vec<Finding> {
    let subject = Subject::object(probed.side, probe.subject());
    let found = |kind: FindingKind, expected: String, actual: String| {
        Finding::error(kind, subject.clone(), 1).because(expected, actual)
    };
    let Some(answer) = answer else {
        return vec![found(FindingKind::ProbeUnanswered, "an answer".to_owned(), probed.told.clone())];
    };
    let mut findings = Vec::new();
    if let Some(unmet) = &answer.unmet {
        findings.push(found(FindingKind::ProbeOtherwise, unmet.clone(), answer.told.clone()));
    }
    let before = before.filter(|_| probed.stage != Stage::Baseline);
    if let Some(before) = before.filter(|before| probe.equal && before.digest != probed.digest) {
        let actual = if before.told == probed.told { format!("{}, others", probed.told) } else { probed.told.clone() };
        findings.push(found(FindingKind::ProbeOtherwise, format!("{}, as before the migration", before.told), actual));
    }
    if let (Some(limit), Some(median)) = (probe.limit_ms, probed.median_ms())
        && median > limit
    {
        // Who was too slow before is not made worse by the migration; it is worth knowing.
        let severity = if probed.stage == Stage::Baseline { Severity::Warning } else { Severity::Error };
        let finding = found(FindingKind::ProbeSlow, format!("a median of {limit} ms at most"), took(median, probed));
        findings.push(finding.at(severity));
    }
    findings.extend(
        before
            .and_then(|before| slower(probe, probed, before))
            .map(|(expected, actual)| found(FindingKind::ProbeSlow, expected, actual)),
    );
    findings
}

/// Slower by more than it may be, and not merely because the machine was busy: by another plan.
fn slower(probe: &Probe, probed: &Probed, before: &Probed) -> Option<(String, String)> {
    let (times, was, is) = (probe.slower?, before.median_ms()?, probed.median_ms()?);
    let is_other_plan = probed.plan.is_none() || probed.plan != before.plan;
    (is > was * times && is_other_plan)
        .then(|| (format!("{times} times the {was:.3} ms from before the migration at most"), took(is, probed)))
}

/// `12.500 ms by: Seq Scan on grades`.
fn took(median: f64, probed: &Probed) -> String {
    let by = probed.plan.as_ref().map(|plan| format!(" by: {}", plan.replace('\n', "; "))).unwrap_or_default();
    format!("{median:.3} ms{by}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::probe::read,
        document::Document,
        model::{FindingKind, Side},
    };

    fn probe(more: &str) -> Probe {
        let text = format!("[[probe]]\nname = \"one\"\nsql = \"SELECT 1\"\n{more}\n");
        let document = Document::parse("scenario.toml", &text);
        let read = read(&mut document.root(), &[], false);
        document.finish(Some(read)).unwrap().remove(0)
    }

    fn probed(stage: Stage, times_ms: &[f64], plan: &str) -> Probed {
        Probed {
            name: "one".to_owned(),
            stage,
            side: Side::Target,
            told: "1 row".to_owned(),
            digest: Some("same".to_owned()),
            attempts: 1,
            times_ms: times_ms.to_vec(),
            plan: Some(plan.to_owned()),
        }
    }

    fn kinds(probe: &Probe, probed: &Probed, before: Option<&Probed>) -> Vec<(FindingKind, Severity)> {
        let answer = Answer { told: "1 row".to_owned(), digest: "same".to_owned(), unmet: None };
        judge(probe, probed, Some(&answer), before).iter().map(|one| (one.kind, one.severity)).collect()
    }

    #[test]
    fn slower_is_what_takes_longer_by_another_plan() {
        let probe = probe("slower = 2.0");
        let before = probed(Stage::Baseline, &[1.0, 1.2, 9.0], "Index Scan");
        let is = |times: &[f64], plan: &str| kinds(&probe, &probed(Stage::Migrated, times, plan), Some(&before));
        assert_eq!(is(&[2.5, 2.5, 2.5], "Seq Scan"), [(FindingKind::ProbeSlow, Severity::Error)]);
        // The machine may have been busy.
        assert_eq!(is(&[2.5, 2.5, 2.5], "Index Scan"), []);
        assert_eq!(is(&[2.4, 2.4, 2.4], "Seq Scan"), []);
        assert_eq!(is(&[], "Seq Scan"), []);
    }

    #[test]
    fn a_limit_holds_after_the_migration_and_is_a_warning_before() {
        let probe = probe("limit_ms = 50.0");
        let before = probed(Stage::Baseline, &[60.0], "Seq Scan");
        assert_eq!(kinds(&probe, &before, None), [(FindingKind::ProbeSlow, Severity::Warning)]);
        let after = probed(Stage::Migrated, &[50.1], "Seq Scan");
        assert_eq!(kinds(&probe, &after, Some(&before)), [(FindingKind::ProbeSlow, Severity::Error)]);
        assert_eq!(kinds(&probe, &probed(Stage::Migrated, &[50.0], ""), Some(&before)), []);
    }

    #[test]
    fn another_answer_than_before_counts_where_it_is_to_be_equal() {
        let before = Probed { digest: Some("other".to_owned()), ..probed(Stage::Baseline, &[], "") };
        let after = probed(Stage::RolledBack, &[], "");
        assert_eq!(kinds(&probe(""), &after, Some(&before)), [(FindingKind::ProbeOtherwise, Severity::Error)]);
        assert_eq!(kinds(&probe("rows = 1"), &after, Some(&before)), []);
        let both = probe("rows = 1\nequal = true");
        assert_eq!(kinds(&both, &after, Some(&before)), [(FindingKind::ProbeOtherwise, Severity::Error)]);
    }
}
