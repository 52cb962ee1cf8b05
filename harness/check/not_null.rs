//! `not_null`: no NULL where the source or the target forbids it.

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::{Cell, RowSink},
    engine::{EngineError, Rowset},
    model::{Finding, FindingKind, Side, Stage, Subject},
};

/// No NULL where it is forbidden.
pub struct NotNull;

static META: CheckMeta = CheckMeta {
    id: "not_null",
    asserts: "no column of the target holds NULL where the source or the target says NOT NULL",
    why: "a column that was re-added empty, or whose conversion gave NULL, loses its values without an error",
    remedy: "look at the conversion of that column, and declare NOT NULL in the target",
    example: "NOT NULL dropped and one value set to NULL in the target",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for NotNull {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        for comparison in &cx.derived.comparisons {
            let forbidden: Vec<String> = comparison
                .columns
                .iter()
                .filter(|pair| !pair.source.nullable || !pair.target.nullable)
                // What an expression makes of a column is no column.
                .filter(|pair| !comparison.terms.target.expressions.contains_key(&pair.target.name))
                .map(|pair| pair.target.name.clone())
                .collect();
            let target = &comparison.target;
            if forbidden.is_empty()
                || cx.is_empty(Side::Target, target)
                || !cx.can_ask(Side::Target, target, &mut examined)
            {
                continue;
            }
            let mut nulls = Nulls { counts: vec![0; forbidden.len()] };
            let rowset = Rowset::of(comparison.target.clone(), forbidden.clone());
            let answer = cx.readers.side(Side::Target)?.scan(&rowset, &mut nulls).await;
            if cx.answered(Side::Target, target, answer, &mut examined).await?.is_none() {
                continue;
            }
            for (column, rows) in forbidden.iter().zip(nulls.counts).filter(|(_, rows)| *rows > 0) {
                let subject = Subject::columns(Side::Target, &comparison.target, std::slice::from_ref(column));
                let finding = Finding::error(FindingKind::NullValue, subject, rows);
                examined.findings.push(finding.because("a value", "NULL"));
            }
        }
        Ok(examined)
    }
}

/// Counts NULLs by column.
struct Nulls {
    counts: Vec<u64>,
}

impl RowSink for Nulls {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        if cell == Cell::Null {
            self.counts[column] += 1;
        }
    }

    fn end_row(&mut self) -> std::ops::ControlFlow<()> {
        std::ops::ControlFlow::Continue(())
    }
}
