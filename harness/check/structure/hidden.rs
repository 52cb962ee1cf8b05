//! What a role may not see is no difference: it is named as unchecked, with the right that the role lacks.

use crate::{
    check::{CheckContext, Examined},
    model::{
        Finding, FindingKind, Severity, Side, Unchecked,
        catalogue::{Hidden, ObjectName},
    },
};

/// Classes that are compared within one engine only.
const OF_ONE_ENGINE: &[&str] = &["grant", "partition"];

/// Names the classes of which a side's role may not see all.
pub(in crate::check) fn name_hidden(cx: &CheckContext<'_>, examined: &mut Examined) {
    for side in Side::BOTH {
        for Hidden { class, of, right } in &cx.catalogue(side).hidden {
            if cx.derived.same_engine || !OF_ONE_ENGINE.contains(&class.as_str()) {
                let of = of.as_ref().map(|table| format!("{table}.")).unwrap_or_default();
                let reason = format!("its role lacks {right}, without which some may be hidden");
                examined.unchecked.push(Unchecked::new("object", format!("{side} {class}:{of}*"), reason));
            }
        }
    }
}

/// Takes out findings of what one side does not show, if its role might not be shown it.
pub(in crate::check) fn excuse_hidden(cx: &CheckContext<'_>, examined: &mut Examined) {
    for finding in std::mem::take(&mut examined.findings) {
        let Some((side, object, hidden)) = hidden(cx, &finding) else {
            examined.findings.push(finding);
            continue;
        };
        let reason = format!("its role lacks {}, without which it may be hidden", hidden.right);
        examined.unchecked.push(Unchecked::new("object", format!("{side} {object}"), reason));
        if side == Side::Target && finding.severity != Severity::Note {
            examined.coverage.objects.checked = examined.coverage.objects.checked.saturating_sub(1);
        }
    }
}

/// The side that does not show what a finding is about, and why that need not say anything.
fn hidden<'a>(cx: &'a CheckContext<'_>, finding: &Finding) -> Option<(Side, ObjectName, &'a Hidden)> {
    use FindingKind::{
        ColumnExtra, ColumnMissing, ForeignKeyChanged, ForeignKeyExtra, ForeignKeyMissing, NotCarried, ObjectChanged,
        ObjectExtra, ObjectMissing, TableMissing,
    };
    let object = object(finding)?;
    // What the migration itself says that it leaves behind is not there, seen or not.
    if cx.not_carried.iter().any(|(named, _)| *named == object.to_string()) {
        return None;
    }
    let (sides, is_seen): (&[Side], bool) = match finding.kind {
        TableMissing | ColumnMissing | ObjectMissing | NotCarried | ForeignKeyMissing => (&[Side::Target], false),
        ObjectExtra | ColumnExtra | ForeignKeyExtra => (&[Side::Source], false),
        // What is seen of a table that is hidden in part may be a part itself.
        ObjectChanged | ForeignKeyChanged => (&Side::BOTH, true),
        _ => return None,
    };
    sides.iter().find_map(|side| {
        let hides = |object: &ObjectName| cx.catalogue(*side).hides(object).filter(|one| !is_seen || one.of.is_some());
        let hidden = hides(&object).or_else(|| hides(&renamed(cx, *side, &object)?))?;
        Some((*side, object.clone(), hidden))
    })
}

/// What a finding is about, as the catalogue calls it.
fn object(finding: &Finding) -> Option<ObjectName> {
    use FindingKind::{ForeignKeyChanged, ForeignKeyExtra, ForeignKeyMissing};
    let subject = &finding.subject;
    if let Some((class, name)) = subject.object.as_ref().and_then(|object| object.split_once(':')) {
        return Some(ObjectName::new(class, name));
    }
    let (table, columns) = (subject.table.as_ref()?, subject.columns.join(", "));
    Some(match finding.kind {
        ForeignKeyMissing | ForeignKeyChanged | ForeignKeyExtra => {
            ObjectName::new("constraint", format!("{table} ({columns})"))
        }
        _ if columns.is_empty() => ObjectName::new("table", table.to_string()),
        _ => ObjectName::new("column", format!("{table}.{columns}")),
    })
}

/// A part of a table as this side calls the table, if the other one calls it otherwise.
fn renamed(cx: &CheckContext<'_>, side: Side, object: &ObjectName) -> Option<ObjectName> {
    let other = if side == Side::Source { Side::Target } else { Side::Source };
    cx.derived.comparisons.iter().find_map(|one| {
        let theirs = one.table(other).to_string();
        let rest = object.name.strip_prefix(&theirs).filter(|rest| rest.starts_with(['.', ' ']))?;
        Some(ObjectName::new(&object.class, format!("{}{rest}", one.table(side))))
    })
}
