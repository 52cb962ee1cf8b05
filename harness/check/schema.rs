//! `schema`: what the target's catalogue lost or changed against the source's.

use async_trait::async_trait;

use super::{
    Check, CheckContext, CheckMeta, Examined,
    structure::{Pair, claims, excuse_hidden, kept, name_hidden, not_carried, one_side_only, same_engine},
};
use crate::{
    canon::comparison::Derived,
    engine::EngineError,
    model::{Finding, FindingKind, Side, Stage, Subject, Unchecked},
};

/// What the target's catalogue lost or changed.
pub struct Schema;

static META: CheckMeta = CheckMeta {
    id: "schema",
    asserts: "within one engine every object of the catalogue is in the target as it is in the source; between two, and \
              where a mapping carries rows into another schema, every table, column, type, default, NOT NULL, key, unique, \
              index and CHECK",
    why: "rows can arrive whole in a schema that lost its keys: the next write does the damage",
    remedy: "add what is missing to the target's schema, or say in the scenario that it is dropped on purpose",
    example: "an index dropped from the target",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for Schema {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        missing_tables(cx, &mut examined);
        let derived = cx.derived;
        if compares_objects(derived) {
            missing_columns(cx, &mut examined);
            let versions = versions(cx).await?;
            same_engine(cx, versions.as_deref(), &mut examined);
            kept::compare(cx, &mut examined).await?;
        } else {
            for comparison in &derived.comparisons {
                let source = &cx.catalogue(Side::Source).tables[&comparison.source];
                let target = &cx.catalogue(Side::Target).tables[&comparison.target];
                let is_bound = cx.readers.engine(Side::Source).dialect().enforces_types();
                let named = cx.not_carried;
                Pair { comparison, source, target, is_bound, named, derived, examined: &mut examined }.compare();
            }
            one_side_only(cx, &mut examined);
        }
        not_carried(cx, &mut examined);
        claims(cx, &mut examined);
        excuse_hidden(cx, &mut examined);
        name_hidden(cx, &mut examined);
        Ok(examined)
    }
}

/// Whether the target's objects have to be the source's: within one engine, unless a copy with a mapping carries rows into a
/// schema of its own, of which each table is then compared part by part.
fn compares_objects(derived: &Derived) -> bool {
    derived.same_engine && !derived.comparisons.iter().any(|one| one.is_copied)
}

fn missing_tables(cx: &CheckContext<'_>, examined: &mut Examined) {
    for name in &cx.derived.source_only {
        let table = &cx.catalogue(Side::Source).tables[name];
        let of_object = u64::from(!compares_objects(cx.derived));
        examined.coverage.objects.total += of_object;
        match &table.unreadable {
            Some(reason) if of_object > 0 => {
                examined.unchecked.push(Unchecked::new("object", format!("table {name}"), reason));
            }
            _ => {
                examined.coverage.objects.checked += of_object;
                let finding = Finding::error(FindingKind::TableMissing, Subject::table(Side::Source, name), 1);
                examined.findings.push(finding.because("a table", "none of that name"));
            }
        }
    }
}

fn missing_columns(cx: &CheckContext<'_>, examined: &mut Examined) {
    for (table, column) in &cx.derived.source_columns_only {
        let declared = cx.catalogue(Side::Source).tables[table].column(column).map(|column| column.declared.clone());
        let subject = Subject::columns(Side::Source, table, std::slice::from_ref(column));
        let finding = Finding::error(FindingKind::ColumnMissing, subject, 1);
        examined.findings.push(finding.because(declared.unwrap_or_default(), "no such column"));
    }
}

/// Both versions, where their first numbers differ: such servers print the same definition in different ways.
async fn versions(cx: &mut CheckContext<'_>) -> Result<Option<String>, EngineError> {
    let source = cx.readers.side(Side::Source)?.version().await?;
    let target = cx.readers.side(Side::Target)?.version().await?;
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    Ok((major(&source) != major(&target)).then(|| format!("{source} and {target}")))
}
