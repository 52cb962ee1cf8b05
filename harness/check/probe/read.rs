//! `[[probe]]` in a scenario.

use std::{collections::BTreeSet, time::Duration};

use super::{ALL, Probe, When};
use crate::document::{Fields, Problem};

/// How often a probe is timed whose time matters, where it does not say.
const RUNS: u32 = 9;
/// The most that it may be timed.
const MOST_RUNS: u64 = 10_000;

/// Reads every `[[probe]]` of a scenario whose steps these are; `in_place`: the target stands for both sides.
pub fn read(root: &mut Fields<'_>, steps: &[&str], in_place: bool) -> Vec<Probe> {
    let mut taken = BTreeSet::new();
    let mut probes = Vec::new();
    for fields in root.array_of_tables("probe") {
        let place = fields.place().clone();
        let Some(probe) = one(fields, steps, in_place) else { continue };
        if !taken.insert(probe.name.clone()) {
            let problem = Problem::new(&place, format!("a second probe is called `{}`", probe.name));
            root.problem(problem.expected("a name of its own"));
        }
        probes.push(probe);
    }
    probes
}

fn one(mut fields: Fields<'_>, steps: &[&str], in_place: bool) -> Option<Probe> {
    let name = fields.required_str("name");
    let when = fields.optional_one_of("when", "time", &["before", "after", "both"]);
    let equal = fields.optional_bool("equal");
    let limit_ms = positive(&mut fields, "limit_ms", 0.0);
    let slower = positive(&mut fields, "slower", 1.0);
    let runs = fields.optional_u64("runs");
    if let Some(runs) = runs.as_ref().filter(|runs| !(1..=MOST_RUNS).contains(&runs.value)) {
        let problem = Problem::new(&runs.place, format!("`{}` is no number of runs", runs.value));
        fields.problem(problem.expected("1 to 10000"));
    }
    let retry_s = positive(&mut fields, "retry_s", 0.0);
    let step = fields.optional_str("step");
    if let Some(step) = step.as_ref().filter(|step| !steps.contains(&step.value.as_str())) {
        fields.problem(Problem::unknown(&step.place, "step", &step.value, steps.iter().copied()));
    }
    let asked: Vec<_> = ALL.iter().filter(|kind| !fields.present(kind.keys()).is_empty()).collect();
    let [kind] = asked.as_slice() else {
        let keys: Vec<String> = ALL.iter().flat_map(|kind| kind.keys()).map(|key| format!("`{key}`")).collect();
        let what = if asked.is_empty() { "asks nothing" } else { "asks in several ways" };
        fields.problem(Problem::new(fields.place(), what).expected(format!("one of {}", keys.join(", "))));
        return None;
    };
    let config = kind.configure(&mut fields);
    let is_timed = limit_ms.is_some() || slower.is_some() || runs.is_some();
    let runs = runs.and_then(|runs| u32::try_from(runs.value).ok());
    let states_result = config.get("expected").is_some_and(|expected| !expected.is_null());
    fields.finish();
    Some(Probe {
        name: name?.value,
        step: step.map(|step| step.value),
        left_to: None,
        kind: **kind,
        config,
        when: match when.map(|when| when.value) {
            Some("before") => When::Before,
            Some("after") => When::After,
            _ => When::Both,
        },
        in_place,
        // Where nothing says what comes out, it is what came out before.
        equal: equal.map_or(!states_result, |equal| equal.value),
        limit_ms,
        slower,
        runs: if is_timed { runs.unwrap_or(RUNS) } else { 0 },
        patience: Duration::from_secs_f64(retry_s.unwrap_or(0.0)),
    })
}

/// A number above a least one.
fn positive(fields: &mut Fields<'_>, key: &str, least: f64) -> Option<f64> {
    // Whoever waits longer waits for something else.
    const DAY: f64 = 86_400_000.0;
    let written = fields.optional_f64(key)?;
    if written.value > least && written.value <= DAY {
        return Some(written.value);
    }
    let problem = Problem::new(&written.place, format!("`{}` is no such number", written.value));
    fields.problem(problem.expected(format!("a number above {least}")));
    None
}
