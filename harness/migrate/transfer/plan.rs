//! What the transfer is going to move, found out before anything is written.

use std::collections::BTreeSet;

use serde::Serialize;

use super::super::{NotCarried, StepError, StepTask};
use crate::{
    canon::comparison::{self, Comparison},
    model::{
        LogicalType, Side, TableName,
        catalogue::{Reference, Table},
    },
};

/// The tables to move, in dependency order.
pub(super) struct TransferPlan {
    /// Parents before children.
    pub tables: Vec<TableMove>,
    /// References between exported tables, in the source's names.
    pub references: Vec<Reference>,
    /// What has no counterpart in the target.
    pub not_carried: Vec<NotCarried>,
}

/// One table to move.
pub(super) struct TableMove {
    /// How its columns go together.
    pub comparison: Comparison,
    /// The target's table.
    pub target: Table,
    /// Rows in the source when it was analyzed.
    pub rows: u64,
    /// The export's file name.
    pub file: String,
}

/// The analysis as it is written to `analysis.json` before anything else.
#[derive(Serialize)]
struct Analysis<'a> {
    total_rows: u64,
    dependency_order: Vec<String>,
    cyclic_tables: Vec<String>,
    tables: Vec<AnalyzedTable<'a>>,
    foreign_keys: Vec<String>,
    not_carried: &'a [NotCarried],
}

#[derive(Serialize)]
struct AnalyzedTable<'a> {
    name: String,
    target: String,
    rows: u64,
    json_fields: Vec<&'a str>,
    encrypted_fields: Vec<&'a str>,
}

impl TransferPlan {
    /// Reads both catalogues, pairs tables and columns, counts rows, and writes `analysis.json` into the step's folder.
    pub async fn analyze(task: &StepTask) -> Result<Self, StepError> {
        let mut source = task.connect(&task.addresses.source).await?;
        let mut target = task.connect(&task.addresses.target).await?;
        let (of_source, of_target) = (source.introspect().await?, target.introspect().await?);
        let same_engine = task.addresses.source.engine == task.addresses.target.engine;
        let derived = comparison::derive(&of_source, &of_target, &task.stated, same_engine);
        if let Some(problem) = derived.problems.first() {
            return Err(StepError::Refused { what: problem.to_string() });
        }
        let (order, cyclic) = of_target.dependency_order();
        let mut comparisons = derived.comparisons;
        comparisons.sort_by_key(|one| order.iter().position(|name| *name == one.target));
        let mut tables = Vec::new();
        for comparison in comparisons {
            if of_source.tables[&comparison.source].unreadable.is_some() {
                continue;
            }
            let rows = task.rows(Side::Source, &comparison.source, &mut *source).await?;
            let file = format!("{}.json", file_stem(&comparison.source));
            tables.push(TableMove { target: of_target.tables[&comparison.target].clone(), rows, comparison, file });
        }
        let mut not_carried: Vec<NotCarried> = derived
            .source_only
            .iter()
            .map(|table| NotCarried {
                object: format!("table:{table}"),
                reason: of_source.tables[table]
                    .unreadable
                    .clone()
                    .unwrap_or_else(|| "the target has no table of that name".to_owned()),
            })
            .collect();
        not_carried.extend(derived.source_columns_only.iter().map(|(table, column)| NotCarried {
            object: format!("column:{table}.{column}"),
            reason: "the target has no column of that name".to_owned(),
        }));
        let plan = Self { references: references(&of_source, &of_target, &tables), tables, not_carried };
        plan.write_analysis(task, &order, &cyclic)?;
        source.close().await?;
        target.close().await?;
        Ok(plan)
    }

    /// Rows in all.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    fn write_analysis(&self, task: &StepTask, order: &[TableName], cyclic: &[TableName]) -> Result<(), StepError> {
        let texts = |names: &[TableName]| names.iter().map(ToString::to_string).collect();
        let analysis = Analysis {
            total_rows: self.rows(),
            dependency_order: texts(order),
            cyclic_tables: texts(cyclic),
            tables: self.tables.iter().map(TableMove::analyzed).collect(),
            foreign_keys: self.references.iter().map(ToString::to_string).collect(),
            not_carried: &self.not_carried,
        };
        let path = task.folder.join("analysis.json");
        let text =
            serde_json::to_string_pretty(&analysis).map_err(|error| StepError::broken("write the analysis", error))?;
        std::fs::write(&path, text).map_err(|error| StepError::broken(format!("write `{}`", path.display()), error))
    }
}

impl TableMove {
    /// The columns that the target takes: all paired ones but those that it computes itself.
    pub fn columns(&self) -> impl Iterator<Item = &comparison::ColumnPair> {
        self.comparison.columns.iter().filter(|pair| !pair.target.generation.is_computed())
    }

    fn analyzed(&self) -> AnalyzedTable<'_> {
        let named = |test: fn(&comparison::ColumnPair) -> bool| {
            self.columns().filter(|pair| test(pair)).map(|pair| pair.source.name.as_str()).collect()
        };
        AnalyzedTable {
            name: self.comparison.source.to_string(),
            target: self.comparison.target.to_string(),
            rows: self.rows,
            json_fields: named(|pair| {
                matches!(pair.source.kind, LogicalType::Json { .. })
                    || matches!(pair.target.kind, LogicalType::Json { .. })
            }),
            encrypted_fields: named(|pair| {
                let name = pair.source.name.to_lowercase();
                ["encrypted", "cipher", "secret"].iter().any(|word| name.contains(word))
            }),
        }
    }
}

/// The references that the export must satisfy: those of the source and, by the names of their counterparts, the target's.
fn references(
    source: &crate::model::Catalogue,
    target: &crate::model::Catalogue,
    tables: &[TableMove],
) -> Vec<Reference> {
    let moved = |name: &TableName| tables.iter().find(|table| table.comparison.source == *name);
    let in_source_names = |reference: Reference| -> Option<Reference> {
        let find = |name: &TableName| tables.iter().find(|table| table.comparison.target == *name);
        let (child, parent) = (find(&reference.child)?, find(&reference.parent)?);
        let rename = |table: &TableMove, columns: &[String]| -> Option<Vec<String>> {
            columns
                .iter()
                .map(|column| {
                    table.columns().find(|pair| pair.target.name == *column).map(|pair| pair.source.name.clone())
                })
                .collect()
        };
        Some(Reference {
            columns: rename(child, &reference.columns)?,
            parent_columns: rename(parent, &reference.parent_columns)?,
            child: child.comparison.source.clone(),
            parent: parent.comparison.source.clone(),
            match_full: reference.match_full,
        })
    };
    let mut seen = BTreeSet::new();
    let declared = source.references().filter(|one| moved(&one.child).is_some() && moved(&one.parent).is_some());
    declared
        .chain(target.references().filter_map(in_source_names))
        .filter(|reference| seen.insert(reference.to_string()))
        .collect()
}

/// A file name that no two tables share and no file system misreads.
fn file_stem(table: &TableName) -> String {
    let text = table.to_string();
    let plain: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).take(80).collect();
    if plain == text { plain } else { format!("{plain}-{}", &blake3::hash(text.as_bytes()).to_hex()[..8]) }
}
