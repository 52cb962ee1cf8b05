//! `unique`: no two rows share a key that is unique in the source or in the target.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::comparison::{ColumnPair, Comparison},
    engine::EngineError,
    model::{Finding, FindingKind, LogicalType, Side, Stage, Subject, Unchecked, catalogue::Column},
};

/// No two rows share a unique key.
pub struct Unique;

static META: CheckMeta = CheckMeta {
    id: "unique",
    asserts: "no two rows of the target share a key that source or target declare unique, and no two keys of the source \
              are one key under the target's collation",
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
        let derived = cx.derived;
        for comparison in &derived.comparisons {
            let source = &cx.catalogue(Side::Source).tables[&comparison.source];
            // A key over a column that was not carried is reported by the schema check.
            let renamed = source.unique_keys().filter_map(|key| renamed(comparison, &key.columns));
            keys.extend(renamed.map(|columns| (comparison.target.clone(), columns)));
        }
        let mut examined = Examined::default();
        for (table, columns) in &keys {
            if cx.is_empty(Side::Target, table) || !cx.can_ask(Side::Target, table, &mut examined) {
                continue;
            }
            let answer = cx.readers.side(Side::Target)?.duplicates(table, columns, cx.sample).await;
            let Some(counted) = cx.answered(Side::Target, table, answer, &mut examined).await? else { continue };
            if counted.total > 0 {
                let subject = Subject::columns(Side::Target, table, columns);
                let sample = cx.evidence(columns, &counted.sample);
                let finding = Finding::error(FindingKind::DuplicateKey, subject, counted.total);
                examined.findings.push(finding.because("each key once", "doubled keys").with_sample(sample));
            }
        }
        for comparison in &derived.comparisons {
            for key in cx.catalogue(Side::Target).tables[&comparison.target].unique_keys().cloned().collect::<Vec<_>>()
            {
                collisions(cx, comparison, &key.columns, &mut examined).await?;
            }
        }
        Ok(examined)
    }
}

/// A source's columns in the names of the target; `None` if one has no counterpart.
fn renamed(comparison: &Comparison, columns: &[String]) -> Option<Vec<String>> {
    let find = |column: &String| comparison.columns.iter().find(|pair| pair.source.name == *column);
    columns.iter().map(|column| find(column).map(|pair| pair.target.name.clone())).collect()
}

/// Whether the target's type itself takes texts for equal that the source's does not: `citext`, and padded ones where no
/// collation says how they compare.
fn folds_by_type(pair: &ColumnPair) -> bool {
    let folding = |column: &Column| {
        let is_padded = matches!(column.kind, LogicalType::PaddedText { .. }) && column.collation.is_none();
        let name = column.declared.rsplit('.').next().unwrap_or_default();
        (name.eq_ignore_ascii_case("citext"), is_padded)
    };
    folding(&pair.target) != (false, false) && folding(&pair.target) != folding(&pair.source)
}

/// Whether keys that differ in the source can be one key in the target.
fn can_collide(cx: &CheckContext<'_>, comparison: &Comparison, pairs: &[&ColumnPair]) -> bool {
    let is_coarser = |pair: &&ColumnPair| {
        let by_collation = pair.target.collation.is_some()
            && (!cx.derived.same_engine || pair.target.collation != pair.source.collation);
        by_collation || folds_by_type(pair)
    };
    let there = cx.known_rows(Side::Source, &comparison.source);
    let here = cx.known_rows(Side::Target, &comparison.target);
    pairs.iter().any(is_coarser) && (there.is_none() || there != here)
}

/// Keys of the source that are one key under the target's collation: only one row of each can have arrived.
///
/// Where the target has as many rows as the source under a key that it declares, none can have collided.
async fn collisions(
    cx: &mut CheckContext<'_>,
    comparison: &Comparison,
    key: &[String],
    examined: &mut Examined,
) -> Result<(), EngineError> {
    let find = |column: &String| comparison.columns.iter().find(|pair| pair.target.name == *column);
    let Some(pairs) = key.iter().map(find).collect::<Option<Vec<&ColumnPair>>>() else { return Ok(()) };
    if !can_collide(cx, comparison, &pairs) {
        return Ok(());
    }
    let columns: Vec<String> = pairs.iter().map(|pair| pair.source.name.clone()).collect();
    let collations: Vec<Option<String>> = pairs.iter().map(|pair| pair.target.collation.clone()).collect();
    if !cx.derived.same_engine || pairs.iter().any(|pair| folds_by_type(pair)) {
        let subject = format!("{} ({})", comparison.source, columns.join(", "));
        let reason = "the source cannot be asked which of its keys are equal under the target's collation or type";
        examined.unchecked.push(Unchecked::new("key", subject, reason));
        return Ok(());
    }
    if !cx.can_ask(Side::Source, &comparison.source, examined) {
        return Ok(());
    }
    let session = cx.readers.side(Side::Source)?;
    let answer = session.duplicates_under(&comparison.source, &columns, &collations, cx.sample).await;
    let Some(counted) = cx.answered(Side::Source, &comparison.source, answer, examined).await? else { return Ok(()) };
    if counted.total > 0 {
        let sample = cx.evidence(&columns, &counted.sample);
        let subject = Subject::columns(Side::Source, &comparison.source, &columns);
        let finding = Finding::error(FindingKind::KeyCollision, subject, counted.total);
        let under = collations.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let finding = finding.because("keys that differ", format!("equal keys under {under}"));
        examined.findings.push(finding.with_sample(sample));
    }
    Ok(())
}
