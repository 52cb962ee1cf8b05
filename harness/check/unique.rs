//! `unique`: no two rows share a key that is unique in the source or in the target.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    engine::EngineError,
    model::{Finding, FindingKind, Side, Stage, Subject},
};

/// No two rows share a unique key.
pub struct Unique;

static META: CheckMeta = CheckMeta {
    id: "unique",
    asserts: "no two rows of the target share a key that source or target declare unique",
    why: "a batch that was loaded twice doubles rows, and a target that lost its unique key lets them in",
    remedy: "find the batch that ran twice, or declare the key before the load",
    example: "a row inserted twice after the unique key was dropped",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for Unique {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut keys = BTreeSet::new();
        for table in cx.catalogue(Side::Target).tables.values() {
            keys.extend(table.unique_keys().map(|key| (table.name.clone(), key.columns.clone())));
        }
        for comparison in &cx.derived.comparisons {
            let source = &cx.catalogue(Side::Source).tables[&comparison.source];
            for key in source.unique_keys() {
                let renamed: Option<Vec<String>> = key
                    .columns
                    .iter()
                    .map(|column| {
                        let pair = comparison.columns.iter().find(|pair| pair.source.name == *column);
                        pair.map(|pair| pair.target.name.clone())
                    })
                    .collect();
                // A key over a column that was not carried is reported by the schema check.
                keys.extend(renamed.map(|columns| (comparison.target.clone(), columns)));
            }
        }
        let mut examined = Examined::default();
        for (table, columns) in keys {
            let counted = cx.readers.side(Side::Target)?.duplicates(&table, &columns, cx.sample).await?;
            if counted.total > 0 {
                let subject = Subject::columns(Side::Target, &table, &columns);
                let sample = cx.evidence(&columns, &counted.sample);
                let finding = Finding::error(FindingKind::DuplicateKey, subject, counted.total);
                examined.findings.push(finding.because("each key once", "doubled keys").with_sample(sample));
            }
        }
        Ok(examined)
    }
}
