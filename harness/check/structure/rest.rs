//! Between two engines: whatever is no part of a table that both have.

use std::collections::BTreeMap;

use crate::{
    check::{CheckContext, Examined},
    model::{Finding, FindingKind, Severity, Side, Subject, Unchecked, catalogue::ObjectName, name::fold},
};

/// Classes that somebody wrote in the engine's own SQL: each object is told by its name.
const WRITTEN: &[&str] = &[
    "view",
    "materialized_view",
    "trigger",
    "function",
    "procedure",
    "aggregate",
    "routine",
    "event",
    "rule",
    "policy",
    "event_trigger",
];

/// Classes that the comparison of tables covers, or that belong to the server rather than to what is in the database.
const COVERED: &[&str] = &[
    "table",
    "foreign_table",
    "virtual table",
    "shadow table",
    "column",
    "order",
    "index",
    "constraint",
    "sequence",
    "type",
    "database",
    "schema",
    "setting",
    "role",
    "tablespace",
];

/// Views, triggers and whatever else the migration said it leaves behind: never dropped in silence.
pub(in crate::check) fn not_carried(cx: &CheckContext<'_>, examined: &mut Examined) {
    for (object, reason) in cx.not_carried {
        let finding = Finding::error(FindingKind::NotCarried, Subject::object(Side::Source, object), 1);
        examined.findings.push(finding.at(Severity::Warning).because("carried over", reason));
    }
}

/// Objects that only one side has, and those that both have and nobody can compare.
pub(in crate::check) fn one_side_only(cx: &CheckContext<'_>, examined: &mut Examined) {
    let (source, target) = (cx.catalogue(Side::Source), cx.catalogue(Side::Target));
    let is_named = |name: &ObjectName| cx.not_carried.iter().any(|(object, _)| *object == name.to_string());
    let mut classes: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, definition) in source.objects.iter().filter(|(name, _)| !is_named(name)) {
        // A database without large objects says so in an object of its own.
        let is_nothing = name.class == "large_objects" && definition.get("count").is_some_and(|count| count == "0");
        if COVERED.contains(&name.class.as_str()) || is_nothing {
            continue;
        }
        if name.class == "large_objects" {
            examined.coverage.objects.total += 1;
            let reason = "large objects are compared within one engine only";
            examined.unchecked.push(Unchecked::new("object", name.to_string(), reason));
            continue;
        }
        if !WRITTEN.contains(&name.class.as_str()) {
            *classes.entry(&name.class).or_default() += 1;
            continue;
        }
        examined.coverage.objects.total += 1;
        if target.objects.keys().any(|other| is_called_alike(name, other)) {
            let reason = "both sides have it, each in the SQL of its own engine";
            examined.unchecked.push(Unchecked::new("object", name.to_string(), reason));
            continue;
        }
        examined.coverage.objects.checked += 1;
        let finding = Finding::error(FindingKind::NotCarried, Subject::object(Side::Source, name.to_string()), 1);
        examined.findings.push(finding.because(name.class.clone(), "none of that name").at(Severity::Warning));
    }
    for (class, total) in classes {
        let finding = Finding::error(FindingKind::NotCarried, Subject::object(Side::Source, class), total);
        let found = "nothing that the target's engine has in its place is compared";
        examined.findings.push(finding.because(format!("{total} of this class"), found).at(Severity::Note));
    }
    for name in &cx.derived.target_only {
        let finding = Finding::error(FindingKind::ObjectExtra, Subject::table(Side::Target, name), 1);
        examined.findings.push(finding.because("no such table", "a table").at(Severity::Note));
    }
    for name in target.objects.keys().filter(|name| WRITTEN.contains(&name.class.as_str())) {
        if !source.objects.keys().any(|other| is_called_alike(other, name)) {
            let finding = Finding::error(FindingKind::ObjectExtra, Subject::object(Side::Target, name.to_string()), 1);
            examined.findings.push(finding.because("none of that name", name.class.clone()).at(Severity::Note));
        }
    }
}

/// Whether two objects of one class are called alike: engines put tables in front of names of triggers, or arguments behind
/// those of functions, or neither.
fn is_called_alike(one: &ObjectName, other: &ObjectName) -> bool {
    let last = |name: &str| {
        let name = name.split_once('(').map_or(name, |(name, _)| name);
        fold(name.rsplit_once(['.', ' ']).map_or(name, |(_, last)| last))
    };
    let is_code = |class: &str| ["function", "procedure", "routine"].contains(&class);
    let of_class = one.class == other.class || (is_code(&one.class) && is_code(&other.class));
    of_class && last(&one.name) == last(&other.name)
}
