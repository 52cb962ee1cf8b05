//! `mapping`: every rule that is stated about the comparison applied to something.

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::comparison::{At, Comparison, Condition, Expression},
    engine::{self, EngineError, Rowset},
    model::{Finding, FindingKind, Side, Stage, Subject},
};

/// Every rule that is stated about the comparison applied to something.
pub struct Mapping;

static META: CheckMeta = CheckMeta {
    id: "mapping",
    asserts: "every filter that is stated leaves rows out, and every value that is mapped is in the rows",
    why: "a rule that never applies is a mistake in the rule or in the rows, and hides until somebody trusts it",
    remedy: "take the rule out, or find out why the rows that it is meant for are not there",
    example: "a value map for a status that no row has",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for Mapping {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let derived = cx.derived;
        for comparison in derived.all() {
            for side in Side::BOTH {
                filters(cx, comparison, side, &mut examined).await?;
                values(cx, comparison, side, &mut examined).await?;
            }
        }
        Ok(examined)
    }
}

/// Filters that leave nothing out.
async fn filters(
    cx: &mut CheckContext<'_>,
    comparison: &Comparison,
    side: Side,
    examined: &mut Examined,
) -> Result<(), EngineError> {
    // What was asked for on the command line is a choice and no rule: its line is 0.
    for filter in comparison.terms.get(side).filters.iter().filter(|filter| filter.at.line > 0) {
        let mut rowset = Rowset::compared(comparison, side, Vec::new());
        let sql = format!("(\n{}\n) IS NOT TRUE", filter.sql);
        rowset.terms.filters = vec![Condition { sql, at: filter.at.clone() }];
        if !cx.has_row(side, rowset).await? {
            examined.findings.push(unused(side, &filter.at, "a row that the filter leaves out"));
        }
    }
    Ok(())
}

/// Entries of value maps that no row has.
async fn values(
    cx: &mut CheckContext<'_>,
    comparison: &Comparison,
    side: Side,
    examined: &mut Examined,
) -> Result<(), EngineError> {
    let dialect = cx.readers.engine(side).dialect();
    for (column, expression) in &comparison.terms.get(side).expressions {
        let Expression::Values(map) = expression else { continue };
        for (value, _, at) in &map.entries {
            let mut rowset = Rowset::compared(comparison, side, Vec::new());
            let sql = engine::has_value(dialect, &rowset.terms, column, value);
            rowset.terms.filters.push(Condition { sql, at: at.clone() });
            if !cx.has_row(side, rowset).await? {
                examined.findings.push(unused(side, at, "a row with this value"));
            }
        }
    }
    Ok(())
}

fn unused(side: Side, at: &At, expected: &str) -> Finding {
    Finding::error(FindingKind::RuleUnused, Subject::object(side, at.to_string()), 1).because(expected, "none")
}
