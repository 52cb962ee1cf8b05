//! What probes saw, a line for each.

use super::prose;
use crate::model::{Stage, probe::Probed, report::ScenarioReport};

/// The name of each probe, and what it saw at each stage: `baseline (source): 3 rows, 0.210 ms; migrated (target): …`.
pub fn lines(scenario: &ScenarioReport) -> Vec<[String; 2]> {
    let mut names: Vec<&str> = Vec::new();
    for probed in &scenario.probed {
        if !names.contains(&probed.name.as_str()) {
            names.push(&probed.name);
        }
    }
    let of = |name: &str| {
        let seen: Vec<&Probed> = scenario.probed.iter().filter(|probed| probed.name == name).collect();
        let before = seen.iter().find(|probed| probed.stage == Stage::Baseline).copied();
        let told: Vec<String> = seen.iter().map(|probed| stage(probed, before)).collect();
        [prose::visible(name).into_owned(), prose::visible(&told.join("; ")).into_owned()]
    };
    names.into_iter().map(of).collect()
}

fn stage(probed: &Probed, before: Option<&Probed>) -> String {
    let before = before.filter(|before| before.stage != probed.stage);
    let ratio = before.and_then(Probed::median_ms).zip(probed.median_ms()).filter(|(was, _)| *was > 0.0);
    let ratio = ratio.map(|(was, is)| format!(" ({:.2} times)", is / was)).unwrap_or_default();
    let time = probed.median_ms().map(|median| format!(", {median:.3} ms{ratio}")).unwrap_or_default();
    let plans = before.and_then(|before| before.plan.as_ref()).zip(probed.plan.as_ref());
    let plan = if plans.is_some_and(|(was, is)| was != is) { ", another plan" } else { "" };
    let attempts = if probed.attempts > 1 { format!(" after {} attempts", probed.attempts) } else { String::new() };
    format!("{} ({}): {}{attempts}{time}{plan}", probed.stage, probed.side, probed.told)
}
