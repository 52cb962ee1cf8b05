//! What the target's catalogue itself says is out of force: an invalid index, a key whose triggers are off, a trigger left
//! disabled, a table that a crash would empty.

use crate::{
    check::{CheckContext, Examined},
    model::{
        Finding, FindingKind, Severity, Side, Subject,
        catalogue::{Definition, ObjectName},
    },
};

/// Looks for what is there and has no effect. Engines spell these attributes alike.
pub(in crate::check) fn claims(cx: &CheckContext<'_>, examined: &mut Examined) {
    let source = &cx.catalogue(Side::Source).objects;
    for (name, definition) in &cx.catalogue(Side::Target).objects {
        let says = |attribute: &str, value: &str| definition.get(attribute).is_some_and(|said| said == value);
        let as_before =
            |attribute: &str| source.get(name).is_some_and(|then| then.get(attribute) == definition.get(attribute));
        let mut found = |kind, severity, expected: &str, found: &str| {
            let finding = Finding::error(kind, Subject::object(Side::Target, name.to_string()), 1).at(severity);
            examined.findings.push(finding.because(expected, found));
        };
        match name.class.as_str() {
            "index" => {
                let states = ["valid", "ready", "live"];
                let not: Vec<&str> = states.into_iter().filter(|state| says(state, "false")).collect();
                if !not.is_empty() {
                    found(FindingKind::IndexInvalid, Severity::Error, "valid", &format!("not {}", not.join(", not ")));
                }
            }
            "constraint" if is_disabled(definition, "triggers") && !as_before("triggers") => {
                let said = definition.get("triggers").map_or("", String::as_str);
                found(FindingKind::LeftDisabled, Severity::Error, "enforced", said);
            }
            "trigger" | "event_trigger" | "rule" if says("enabled", "no") && !as_before("enabled") => {
                found(FindingKind::LeftDisabled, Severity::Warning, "enabled", "disabled");
            }
            "table" if says("persistence", "unlogged") && !as_before("persistence") => {
                found(FindingKind::NotDurable, Severity::Warning, "a table that is logged", "UNLOGGED");
            }
            _ => {}
        }
    }
}

fn is_disabled(definition: &Definition, attribute: &str) -> bool {
    definition.get(attribute).is_some_and(|said| said.contains("disabled") || said.contains("replica only"))
}

/// Whether a difference of an object within one engine is told by [`claims`] already.
pub(super) fn tells(name: &ObjectName, attributes: &[&String], now: &Definition) -> bool {
    let all = |known: &[&str]| attributes.iter().all(|attribute| known.contains(&attribute.as_str()));
    match name.class.as_str() {
        "index" => {
            all(&["valid", "ready", "live"]) && attributes.iter().any(|one| now.get(*one).is_some_and(|v| v == "false"))
        }
        "constraint" => all(&["triggers"]) && is_disabled(now, "triggers"),
        _ => false,
    }
}
