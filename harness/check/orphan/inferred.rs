//! References that nothing declares, inferred from names, types and values.
//!
//! The criterion: names and types suggest it ([`inferred::references`](crate::model::inferred::references)), and at least
//! nine of ten of the column's values are found there. What is found so is shown as inferred and does not change the
//! verdict, until somebody states the reference: then it counts like a declared one.

use super::{count, finding};
use crate::{
    check::{CheckContext, Examined},
    engine::EngineError,
    model::{FindingKind, Severity, Side, catalogue::Reference},
};

/// Of so many values of a column, all but one must be found in the parent for a reference to be inferred.
const ONE_OF: u64 = 10;

/// Asks the rows whether a candidate is a reference, and which of them dangle then.
pub(super) async fn examine(
    cx: &mut CheckContext<'_>,
    reference: &Reference,
    examined: &mut Examined,
) -> Result<(), EngineError> {
    for table in [&reference.child, &reference.parent] {
        if cx.is_empty(Side::Target, table) || cx.unreadable(Side::Target, table).is_some() {
            return Ok(());
        }
    }
    let dialect = cx.readers.engine(Side::Target).dialect();
    let sql = format!("SELECT count({}) FROM {}", dialect.columns(&reference.columns), dialect.table(&reference.child));
    let answer = cx.readers.side(Side::Target)?.query(&sql).await;
    let Some(answer) = cx.answered(Side::Target, &reference.child, answer, examined).await? else { return Ok(()) };
    let given = answer.into_iter().flatten().next().flatten().and_then(|count| count.parse::<u64>().ok());
    let Some(counted) = count(cx, reference, examined).await? else { return Ok(()) };
    let given = given.unwrap_or_default();
    if counted.total > 0 && counted.total * ONE_OF <= given {
        let parent = format!("a row of {}({}), inferred", reference.parent, reference.parent_columns.join(", "));
        let found = format!("none, where {} of {given} values find one", given - counted.total.min(given));
        let finding = finding(cx, FindingKind::OrphanInferred, reference, &counted).because(parent, found);
        examined.findings.push(finding.at(Severity::Warning));
    }
    Ok(())
}
