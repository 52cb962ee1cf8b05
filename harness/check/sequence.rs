//! `sequence`: the next value lies beyond the largest key.

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    engine::EngineError,
    model::{Finding, FindingKind, Severity, Side, Stage, Subject, catalogue::Catalogue},
};

/// The next value lies beyond the largest key.
pub struct Sequence;

static META: CheckMeta = CheckMeta {
    id: "sequence",
    asserts: "every column that counts up has a sequence whose next value is not in the data yet",
    why: "explicit ids do not move a sequence: the first insert after the cutover fails, or takes an id that was used",
    remedy: "set each sequence to the value after the largest key as the last act of the load",
    example: "setval back to 1 in a table that holds rows",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for Sequence {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined { findings: missing(cx), ..Examined::default() };
        let dialect = cx.readers.engine(Side::Target).dialect();
        let sequences = cx.catalogue(Side::Target).sequences.clone();
        for sequence in sequences {
            let Some(fed) = &sequence.feeds else { continue };
            let subject = Subject::columns(Side::Target, &fed.table, std::slice::from_ref(&fed.column));
            if sequence.increment > 0 && sequence.next > sequence.max {
                let finding = Finding::error(FindingKind::SequenceExhausted, subject, 1);
                examined.findings.push(finding.because("a next value", format!("{} was the last", sequence.max)));
                continue;
            }
            let (table, column) = (dialect.table(&fed.table), dialect.quote(&fed.column));
            let extreme = if sequence.increment < 0 { "min" } else { "max" };
            let sql = format!("SELECT {extreme}({column}) FROM {table}");
            let answer = cx.readers.side(Side::Target)?.query(&sql).await?;
            let Some(used) = answer.into_iter().flatten().next().flatten().and_then(|text| text.parse::<i128>().ok())
            else {
                continue;
            };
            let is_behind = if sequence.increment < 0 { sequence.next >= used } else { sequence.next <= used };
            if is_behind {
                let total = used.abs_diff(sequence.next) as u64 + 1;
                let finding = Finding::error(FindingKind::SequenceBehind, subject, total);
                examined.findings.push(finding.because(format!("beyond {used}"), format!("next is {}", sequence.next)));
            }
        }
        Ok(examined)
    }
}

/// Columns that count up in the source and have nothing to feed them in the target.
fn missing(cx: &CheckContext<'_>) -> Vec<Finding> {
    let target: &Catalogue = cx.catalogue(Side::Target);
    let mut findings = Vec::new();
    for comparison in &cx.derived.comparisons {
        for pair in comparison.columns.iter().filter(|pair| pair.source.generation.is_counter()) {
            let is_fed = pair.target.generation.is_counter()
                || target
                    .sequences
                    .iter()
                    .filter_map(|sequence| sequence.feeds.as_ref())
                    .any(|fed| fed.table == comparison.target && fed.column == pair.target.name);
            if !is_fed {
                let subject =
                    Subject::columns(Side::Target, &comparison.target, std::slice::from_ref(&pair.target.name));
                let finding = Finding::error(FindingKind::SequenceMissing, subject, 1);
                // SQLite fills any INTEGER PRIMARY KEY by itself, needed or not: only AUTOINCREMENT states the wish.
                let severity = match pair.source.generation {
                    crate::model::catalogue::Generation::RowId { autoincrement: false } => Severity::Warning,
                    _ => Severity::Error,
                };
                findings.push(finding.because("counts up", "nothing feeds it").at(severity));
            }
        }
    }
    findings
}
