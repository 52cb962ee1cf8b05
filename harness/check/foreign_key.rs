//! `foreign_key`: the source's foreign keys are there, validated, with the same actions.

use async_trait::async_trait;

use super::{
    Check, CheckContext, CheckMeta, Examined,
    orphan::{in_target, same},
    structure::excuse_hidden,
};
use crate::{
    engine::EngineError,
    model::{
        Finding, FindingKind, Severity, Side, Stage, Subject,
        catalogue::{self, Reference},
    },
};

/// The source's foreign keys are there, validated, with the same actions.
pub struct ForeignKey;

static META: CheckMeta = CheckMeta {
    id: "foreign_key",
    asserts: "every foreign key of the source is declared in the target, validated, with the same actions",
    why: "a key that was dropped, left NOT VALID or lost its CASCADE lets tomorrow's writes break what today is whole",
    remedy: "declare the key after the load and validate it",
    example: "ALTER TABLE … DROP CONSTRAINT of one foreign key in the target",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for ForeignKey {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let catalogues = cx.catalogues();
        for table in catalogues.source.tables.values() {
            for key in &table.foreign_keys {
                let reference = Reference::of(&table.name, key);
                // A reference without a counterpart is named as unchecked by the orphan check.
                let Some(wanted) = in_target(&reference, cx.derived) else { continue };
                let subject = Subject::columns(Side::Target, &wanted.child, &wanted.columns);
                let declared = catalogues.target.tables.get(&wanted.child).and_then(|child| {
                    child.foreign_keys.iter().find(|other| same(&Reference::of(&child.name, other), &wanted))
                });
                match declared {
                    // The migration said that it leaves this key behind: told as that by the check of the schema.
                    None if cx.not_carried.iter().any(|(named, _)| *named == format!("foreign key:{reference}")) => {}
                    None => {
                        let finding = Finding::error(FindingKind::ForeignKeyMissing, subject, 1);
                        examined.findings.push(finding.because(rule(key), "no foreign key"));
                    }
                    Some(other) if rule(key) != rule(other) => {
                        let finding = Finding::error(FindingKind::ForeignKeyChanged, subject, 1);
                        examined.findings.push(finding.because(rule(key), rule(other)));
                    }
                    Some(_) => {}
                }
            }
        }
        extra(cx, &mut examined);
        for table in catalogues.target.tables.values() {
            for key in table.foreign_keys.iter().filter(|key| !key.validated) {
                let subject = Subject::columns(Side::Target, &table.name, &key.columns);
                let finding = Finding::error(FindingKind::ForeignKeyNotValidated, subject, 1).at(Severity::Error);
                examined.findings.push(finding.because("validated", "NOT VALID"));
            }
        }
        excuse_hidden(cx, &mut examined);
        Ok(examined)
    }
}

/// Foreign keys that only the target declares, on tables that both have.
fn extra(cx: &CheckContext<'_>, examined: &mut Examined) {
    let catalogues = cx.catalogues();
    let carried: Vec<Reference> =
        catalogues.source.references().filter_map(|reference| in_target(&reference, cx.derived)).collect();
    for comparison in &cx.derived.comparisons {
        let table = &catalogues.target.tables[&comparison.target];
        for key in &table.foreign_keys {
            if !carried.iter().any(|known| same(known, &Reference::of(&table.name, key))) {
                let subject = Subject::columns(Side::Target, &table.name, &key.columns);
                let finding = Finding::error(FindingKind::ForeignKeyExtra, subject, 1).at(Severity::Note);
                examined.findings.push(finding.because("no foreign key", rule(key)));
            }
        }
    }
}

/// Actions, match type and deferrability in one comparable text. NO ACTION and RESTRICT differ only in when they are
/// checked, which is part of the rule.
fn rule(key: &catalogue::ForeignKey) -> String {
    let mut text = format!("ON UPDATE {} ON DELETE {}", key.on_update, key.on_delete);
    if key.match_full {
        text.push_str(" MATCH FULL");
    }
    match key.deferrable {
        Some(true) => text.push_str(" DEFERRABLE INITIALLY DEFERRED"),
        Some(false) => text.push_str(" DEFERRABLE"),
        None => {}
    }
    text
}
