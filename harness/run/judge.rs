//! From what happened in a rehearsal to its verdict and the reasons for it.

use std::collections::BTreeMap;

use crate::{
    model::{Coverage, Outcome, Unchecked, Verdict, report::ScenarioReport},
    scenario::Expectation,
};

/// Judges a rehearsal from its report so far: outcomes, coverage against the gate, and what the scenario expects.
pub(super) fn judge(
    report: &ScenarioReport,
    coverage: &Coverage,
    waivers: &BTreeMap<String, String>,
    require_coverage: f64,
    expect: &Expectation,
) -> (Verdict, Vec<String>) {
    let (mut verdict, mut reasons) = (Verdict::Pass, Vec::new());
    let outcomes =
        report.steps.iter().map(|step| (format!("step `{}`", step.id), &step.outcome)).chain(
            report.checks.iter().map(|check| (format!("check `{}` ({})", check.id, check.stage), &check.outcome)),
        );
    let mut skipped: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, outcome) in outcomes.filter(|(_, outcome)| **outcome != Outcome::Passed) {
        verdict = verdict.merge(outcome.verdict());
        match outcome {
            // One cause skips many checks, and is worth one line.
            Outcome::Skipped { reason } => skipped.entry(reason).or_default().push(name),
            _ => {
                let because = outcome.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
                reasons.push(format!("{name} {}{because}", outcome.word()));
            }
        }
    }
    for (reason, names) in skipped {
        let what = if let [name] = names.as_slice() { name.clone() } else { format!("{} checks", names.len()) };
        reasons.push(format!("{what} skipped: {reason}"));
    }
    if report.checks.is_empty() {
        verdict = verdict.merge(Verdict::Inconclusive);
        reasons.push("no check ran".to_owned());
    } else if coverage.columns.total == 0 && verdict == Verdict::Pass {
        // An empty file in place of the real one must not look like a proof.
        verdict = Verdict::Inconclusive;
        reasons.push("there was nothing to compare: no column of the source has one in the target".to_owned());
    }
    let covered = covered(&report.unchecked, coverage, waivers, require_coverage, &mut reasons);
    expected(report, verdict.merge(covered), reasons, expect)
}

/// What it means that some things were not checked, and why, in words.
pub(super) fn covered(
    unchecked: &[Unchecked],
    coverage: &Coverage,
    waivers: &BTreeMap<String, String>,
    require_coverage: f64,
    reasons: &mut Vec<String>,
) -> Verdict {
    let mut verdict = Verdict::Pass;
    let mut unwaived = 0_u64;
    let mut waived: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for thing in unchecked {
        match waivers.get(&thing.subject) {
            Some(why) => waived.entry(why).or_default().push(format!("{} {}", thing.aspect, thing.subject)),
            None => {
                unwaived += 1;
                reasons.push(format!("{} {} was not checked: {}", thing.aspect, thing.subject, thing.reason));
            }
        }
    }
    reasons.extend(waived.iter().map(|(why, names)| on_purpose(why, names)));
    for (name, share) in coverage.shares() {
        let percent = 100.0 * share.checked as f64 / (share.total.max(1)) as f64;
        if share.total > 0 && !share.is_whole() && percent < require_coverage && (unwaived > 0 || unchecked.is_empty())
        {
            verdict = verdict.merge(Verdict::Inconclusive);
            reasons.push(format!("coverage of {name} is {share}, and {require_coverage} % is required"));
        }
    }
    if unwaived > 0 && require_coverage >= 100.0 {
        verdict = verdict.merge(Verdict::Inconclusive);
    }
    verdict
}

/// One choice leaves many things out, and is worth one line.
fn on_purpose(why: &str, names: &[String]) -> String {
    let (what, verb) = match names {
        [] => ("nothing".to_owned(), "was"),
        [name] => (name.clone(), "was"),
        [first, second] => (format!("{first} and {second}"), "were"),
        [first, rest @ ..] => (format!("{first} and {} others", rest.len()), "were"),
    };
    format!("{what} {verb} not checked, on purpose: {why}")
}

/// A failure that came as the scenario states it is a pass; one that did not come is a failure.
fn expected(
    report: &ScenarioReport,
    verdict: Verdict,
    mut reasons: Vec<String>,
    expect: &Expectation,
) -> (Verdict, Vec<String>) {
    if expect.verdict == Verdict::Pass {
        return (verdict, reasons);
    }
    let failing = |id: &String| {
        report.checks.iter().any(|check| check.id == *id && matches!(check.outcome, Outcome::Failed { .. }))
    };
    let missed: Vec<&String> = expect.failing.iter().filter(|id| !failing(id)).collect();
    let surprises = report.checks.iter().filter(|check| {
        matches!(check.outcome, Outcome::Failed { .. })
            && !expect.failing.is_empty()
            && !expect.failing.contains(&check.id)
    });
    let surprises: Vec<&str> = surprises.map(|check| check.id.as_str()).collect();
    if verdict == expect.verdict && missed.is_empty() && surprises.is_empty() {
        reasons.push(format!("the verdict is {verdict}, as the scenario expects"));
        return (Verdict::Pass, reasons);
    }
    reasons.push(format!("the scenario expects {}, and the verdict is {verdict}", expect.verdict));
    reasons.extend(missed.iter().map(|id| format!("check `{id}` was expected to fail and did not")));
    reasons.extend(surprises.iter().map(|id| format!("check `{id}` failed and was not expected to")));
    (Verdict::Fail, reasons)
}
