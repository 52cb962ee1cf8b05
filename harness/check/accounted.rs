//! `accounted`: read = loaded + skipped + rejected, for every table that a mapping carries, and no file of an import
//! left out.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::comparison::{Comparison, Condition},
    engine::{EngineError, Rowset},
    migrate::LeftOut,
    model::{Finding, FindingKind, Side, Stage, Subject, TableName},
};

/// Every row of the source that a mapping carries is loaded, skipped for a stated reason, or rejected by name.
pub struct Accounted;

static META: CheckMeta = CheckMeta {
    id: "accounted",
    asserts: "of every table that a copy's mapping carries, the rows of the source are those loaded, those that a stated filter \
              skips and those that are rejected by name: the numbers add up, over all parts of a split or merge; and a later \
              step took every file that an import left out",
    why: "a row that is nowhere was lost without a word, and one that is there twice will be counted twice",
    remedy: "the table of rejected rows tells which were rejected; the checksum check names those that are missing",
    example: "a rejected row that is taken out of the table of rejected rows",
    stages: &[Stage::Migrated],
};

/// What becomes of the rows of a target's table.
#[derive(Default)]
struct Account {
    read: u64,
    skipped: u64,
    rejected: u64,
}

#[async_trait]
impl Check for Accounted {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        // What steps held to be the same by a rule is told with what all others do.
        examined.loss_ledger.extend_from_slice(cx.loss_ledger);
        for LeftOut { step, side, file, reason } in cx.left_out {
            let finding = Finding::error(FindingKind::FileLeftOut, Subject::object(*side, format!("file:{file}")), 1);
            examined.findings.push(finding.because(format!("taken by step `{step}`"), reason));
        }
        let mut accounts: BTreeMap<&TableName, Option<Account>> = BTreeMap::new();
        for one in cx.derived.all().filter(|one| one.is_copied) {
            let account = part(cx, one, &mut examined).await?;
            let sum = accounts.entry(&one.target).or_insert_with(|| Some(Account::default()));
            *sum = sum.take().zip(account).map(|(sum, part)| Account {
                read: sum.read + part.read,
                skipped: sum.skipped + part.skipped,
                rejected: sum.rejected + part.rejected,
            });
        }
        for (table, account) in accounts {
            let Some(Account { read, skipped, rejected }) = account else { continue };
            if !cx.can_ask(Side::Target, table, &mut examined) {
                continue;
            }
            let loaded = cx.rows(Side::Target, table).await?;
            if read != loaded + skipped + rejected {
                let total = read.abs_diff(loaded + skipped + rejected);
                let finding = Finding::error(FindingKind::CountDiffers, Subject::table(Side::Target, table), total);
                let expected = format!("{read} rows, of which {skipped} skipped and {rejected} rejected");
                examined.findings.push(finding.because(expected, format!("{loaded} rows loaded")));
            }
        }
        Ok(examined)
    }
}

/// The rows of one part; `None`, and named, where a side cannot be asked.
async fn part(
    cx: &mut CheckContext<'_>,
    one: &Comparison,
    examined: &mut Examined,
) -> Result<Option<Account>, EngineError> {
    if !cx.can_ask(Side::Source, &one.source, examined) {
        return Ok(None);
    }
    let read = cx.rows(Side::Source, &one.source).await?;
    let mut skipped = 0;
    // Rejected rows are set aside by a filter that stands where the part does.
    for filter in one.terms.source.filters.iter().filter(|filter| filter.at != one.at) {
        let mut rowset = Rowset::of(one.source.clone(), Vec::new());
        rowset.terms.filters =
            vec![Condition { sql: format!("(\n{}\n) IS NOT TRUE", filter.sql), at: filter.at.clone() }];
        skipped += cx.readers.side(Side::Source)?.scan(&rowset, &mut super::Rows).await?;
    }
    let rejected = match &one.rejects {
        Some(table) => rejected(cx, one, table).await?,
        None => 0,
    };
    Ok(Some(Account { read, skipped, rejected }))
}

/// The rows of a part that the table of rejected rows names.
async fn rejected(cx: &mut CheckContext<'_>, one: &Comparison, table: &str) -> Result<u64, EngineError> {
    let table = TableName::new(table);
    if !cx.snapshot(cx.stage, Side::Target).catalogue.tables.contains_key(&table) {
        return Ok(0);
    }
    let dialect = cx.readers.engine(Side::Target).dialect();
    let is = |column: &str, name: &TableName| {
        dialect.is_text(&dialect.as_text(&dialect.quote(column)), &dialect.literal(&name.to_string()))
    };
    let sql = format!("{} AND {}", is("source_table", &one.source), is("target_table", &one.target));
    let mut rowset = Rowset::of(table, Vec::new());
    rowset.terms.filters = vec![Condition { sql, at: one.at.clone() }];
    cx.readers.side(Side::Target)?.scan(&rowset, &mut super::Rows).await
}
