//! Rows that a view keeps: its definition may be the same, and its rows of another day.

use crate::{
    canon::{Form, RowDigester},
    check::{CheckContext, Examined},
    engine::{EngineError, Rowset},
    model::{Finding, FindingKind, Share, Side, Sides, Subject, TableName},
};

/// Compares the rows of every view that keeps rows on both sides, as a multiset in own form.
pub(in crate::check) async fn compare(cx: &mut CheckContext<'_>, examined: &mut Examined) -> Result<(), EngineError> {
    let (source, target) =
        (cx.catalogue(Side::Source).materialized.clone(), cx.catalogue(Side::Target).materialized.clone());
    for (name, columns) in source.iter().filter(|(name, columns)| target.get(*name) == Some(*columns)) {
        one(cx, name, columns, examined).await?;
    }
    Ok(())
}

async fn one(
    cx: &mut CheckContext<'_>,
    name: &TableName,
    columns: &[String],
    examined: &mut Examined,
) -> Result<(), EngineError> {
    let rowset = || Rowset::of(name.clone(), columns.to_vec());
    let digester = || RowDigester::new(vec![Form::Own; columns.len()], Vec::new(), false).with_buckets(1);
    let answer = cx.readers.scan(Sides::new(rowset(), rowset()), Sides::new(digester(), digester())).await;
    let Some(sinks) = cx.answered(Side::Target, name, answer, examined).await? else { return Ok(()) };
    let digests = sinks.map(|sink| sink.finish().fingerprint);
    let rows = digests.source.rows + digests.target.rows;
    examined.coverage.rows += Share::new(rows, rows);
    if digests.source != digests.target {
        let total = digests.source.rows.abs_diff(digests.target.rows).max(1);
        let finding = Finding::error(FindingKind::RowsDiffer, Subject::table(Side::Target, name), total);
        let told = |rows: u64| format!("{rows} rows");
        examined.findings.push(finding.because(told(digests.source.rows), told(digests.target.rows)));
    }
    Ok(())
}
