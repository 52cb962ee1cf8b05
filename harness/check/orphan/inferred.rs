//! References that nothing declares, inferred from names, types and values.
//!
//! The criterion: names and types suggest it ([`inferred::references`](crate::model::inferred::references)), and at least
//! nine of ten of the column's values are found there. What is found so is shown as inferred and does not change the
//! verdict, until somebody states the reference: then it counts like a declared one.

use super::{count, finding};
use crate::{
    check::{CheckContext, Examined},
    engine::{Counted, EngineError},
    model::{FindingKind, Severity, Side, Sides, TableName, catalogue::Reference},
};

/// Of so many values of a column, all but one must be found in the parent for a reference to be inferred.
const ONE_OF: u64 = 10;

/// Asks the rows of a side whether a candidate is a reference, and which of them dangle then.
pub(in crate::check) async fn examine(
    cx: &mut CheckContext<'_>,
    side: Side,
    reference: &Reference,
    examined: &mut Examined,
) -> Result<(), EngineError> {
    for table in [&reference.child, &reference.parent] {
        if cx.is_empty(side, table) || cx.unreadable(side, table).is_some() {
            return Ok(());
        }
    }
    let Some(given) = given(cx, side, reference, examined).await? else { return Ok(()) };
    let Some(counted) = count(cx, side, reference, examined).await? else { return Ok(()) };
    if is_reference(given, counted.total) {
        tell(cx, side, reference, given, &counted, examined);
    }
    Ok(())
}

/// Looks for values that name what the engine keeps apart (large objects), and name nothing. That they are such names is
/// told by the source where it is of the same engine: in the target all of what they name may be lost.
pub(super) async fn examine_kept_apart(cx: &mut CheckContext<'_>, examined: &mut Examined) -> Result<(), EngineError> {
    let evidence = if cx.derived.same_engine { Side::Source } else { Side::Target };
    for (reference, in_evidence) in names_kept_apart(cx, evidence) {
        let Some(told) = given(cx, evidence, &in_evidence, examined).await? else { continue };
        let answer = cx.readers.side(evidence)?.dangling(&in_evidence, 0).await;
        let Some(there) = cx.answered(evidence, &in_evidence.child, answer, examined).await? else { continue };
        if !is_reference(told, there.total) {
            continue;
        }
        let Some(given) = given(cx, Side::Target, &reference, examined).await? else { continue };
        let Some(counted) = count(cx, Side::Target, &reference, examined).await? else { continue };
        tell(cx, Side::Target, &reference, given, &counted, examined);
    }
    Ok(())
}

/// The columns that may name what the engine keeps apart, as references of the target and of the side that tells whether
/// they are.
fn names_kept_apart(cx: &CheckContext<'_>, evidence: Side) -> Vec<(Reference, Reference)> {
    let dialect = cx.readers.engine(Side::Target).dialect();
    let kept = |side: Side, table: &TableName, column: &str| {
        let column = cx.catalogue(side).tables.get(table)?.column(column)?;
        let (parent, key) = dialect.kept_apart(column)?;
        let is_asked = !cx.is_empty(side, table) && cx.unreadable(side, table).is_none();
        is_asked.then(|| Reference {
            child: table.clone(),
            columns: vec![column.name.clone()],
            parent,
            parent_columns: vec![key.to_owned()],
            match_full: false,
        })
    };
    let mut found = Vec::new();
    for comparison in &cx.derived.comparisons {
        for pair in &comparison.columns {
            let name = Sides::new(&pair.source.name, &pair.target.name);
            let of = |side| kept(side, comparison.table(side), name.get(side));
            found.extend(of(Side::Target).zip(of(evidence)));
        }
    }
    found
}

/// Whether so many values, of which so many dangle, are those of a reference.
const fn is_reference(given: u64, dangling: u64) -> bool {
    given > 0 && dangling * ONE_OF <= given
}

/// How many values of a reference there are; `None`, and named, if its table cannot be asked.
async fn given(
    cx: &mut CheckContext<'_>,
    side: Side,
    reference: &Reference,
    examined: &mut Examined,
) -> Result<Option<u64>, EngineError> {
    let dialect = cx.readers.engine(side).dialect();
    let sql = format!("SELECT count({}) FROM {}", dialect.columns(&reference.columns), dialect.table(&reference.child));
    let answer = cx.readers.side(side)?.query(&sql).await;
    let Some(answer) = cx.answered(side, &reference.child, answer, examined).await? else { return Ok(None) };
    Ok(answer.into_iter().flatten().next().flatten().and_then(|count| count.parse().ok()))
}

fn tell(
    cx: &CheckContext<'_>,
    side: Side,
    reference: &Reference,
    given: u64,
    counted: &Counted,
    examined: &mut Examined,
) {
    if counted.total > 0 {
        let parent = format!("a row of {}({}), inferred", reference.parent, reference.parent_columns.join(", "));
        let found = format!("none, where {} of {given} values find one", given - counted.total.min(given));
        let finding = finding(cx, side, FindingKind::OrphanInferred, reference, counted).because(parent, found);
        examined.findings.push(finding.at(Severity::Warning));
    }
}
