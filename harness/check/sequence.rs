//! `sequence`: the next value lies beyond the largest key, and there are values left to give.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::comparison::Comparison,
    engine::EngineError,
    model::{
        Finding, FindingKind, LogicalType, Severity, Side, Stage, Subject, TableName, Unchecked,
        catalogue::{self, Catalogue, Column, SequenceOwner},
    },
};

/// A sequence is near its end when less than this part of its values is left.
const HEADROOM: u128 = 10;

/// The next value lies beyond the largest key.
pub struct Sequence;

static META: CheckMeta = CheckMeta {
    id: "sequence",
    asserts: "every column that counts up has a sequence whose next value is not in the data yet, was not given in the \
              source, and is far from the end of the sequence's and the column's type",
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
        let counterparts = counterparts(cx);
        for sequence in cx.catalogue(Side::Target).sequences.clone() {
            if sequence.hidden {
                // One that feeds nothing is compared with the source's alone, and only within one engine.
                if sequence.feeds.is_some() || cx.derived.same_engine {
                    let reason = "the role may not see where it stands";
                    examined.unchecked.push(Unchecked::new("sequence", format!("target {}", sequence.name), reason));
                }
                continue;
            }
            let fed: Vec<SequenceOwner> = sequence.fed().cloned().collect();
            let mut is_behind = false;
            for owner in &fed {
                is_behind |= feeds(cx, &sequence, owner, &mut examined).await?;
            }
            if !is_behind {
                let place = match &sequence.feeds {
                    Some(fed) => (fed.table.clone(), Some(fed.column.clone())),
                    None => (sequence.name.clone(), None),
                };
                gives_again(counterparts.get(&place), &sequence, &mut examined);
            }
        }
        Ok(examined)
    }
}

/// Looks at one column that a sequence feeds; whether the data is ahead of the sequence.
async fn feeds(
    cx: &mut CheckContext<'_>,
    sequence: &catalogue::Sequence,
    fed: &SequenceOwner,
    examined: &mut Examined,
) -> Result<bool, EngineError> {
    let subject = Subject::columns(Side::Target, &fed.table, std::slice::from_ref(&fed.column));
    let column = cx.catalogue(Side::Target).tables.get(&fed.table).and_then(|table| table.column(&fed.column));
    let end = end(sequence, column);
    let is_down = sequence.increment < 0;
    if if is_down { sequence.next < end } else { sequence.next > end } {
        let finding = Finding::error(FindingKind::SequenceExhausted, subject, 1);
        examined.findings.push(finding.because("a next value", format!("{end} was the last")));
        return Ok(false);
    }
    let (left, begin) = (sequence.next.abs_diff(end), if is_down { sequence.max } else { sequence.min.max(0) });
    if left < begin.abs_diff(end) / HEADROOM {
        let finding = Finding::error(FindingKind::SequenceNearEnd, subject.clone(), 1).at(Severity::Warning);
        let found = format!("next is {}, and {end} is the last", sequence.next);
        examined.findings.push(finding.because(format!("a {HEADROOM}th of the values left"), found));
    }
    if cx.is_empty(Side::Target, &fed.table) || !cx.can_ask(Side::Target, &fed.table, examined) {
        return Ok(false);
    }
    let dialect = cx.readers.engine(Side::Target).dialect();
    let (table, column) = (dialect.table(&fed.table), dialect.quote(&fed.column));
    let sql = format!("SELECT {}({column}) FROM {table}", if is_down { "min" } else { "max" });
    let answer = cx.readers.side(Side::Target)?.query(&sql).await;
    let Some(answer) = cx.answered(Side::Target, &fed.table, answer, examined).await? else { return Ok(false) };
    let used = answer.into_iter().flatten().next().flatten().and_then(|text| text.parse::<i128>().ok());
    let Some(used) = used else { return Ok(false) };
    let is_behind = if is_down { sequence.next >= used } else { sequence.next <= used };
    if is_behind {
        let total = used.abs_diff(sequence.next) as u64 + 1;
        let finding = Finding::error(FindingKind::SequenceBehind, subject, total);
        examined.findings.push(finding.because(format!("beyond {used}"), format!("next is {}", sequence.next)));
    }
    Ok(is_behind)
}

/// The last value that the sequence can give and the column can hold.
fn end(sequence: &catalogue::Sequence, column: Option<&Column>) -> i128 {
    let Some(LogicalType::Integer { bits }) = column.map(|column| &column.kind) else { return sequence.end() };
    let limit = 1_i128 << (bits - 1);
    if sequence.increment < 0 { sequence.end().max(-limit) } else { sequence.end().min(limit - 1) }
}

/// The source's sequences by the target's column that they would feed, or by their own name where they feed none.
fn counterparts(cx: &CheckContext<'_>) -> BTreeMap<(TableName, Option<String>), catalogue::Sequence> {
    let comparisons: BTreeMap<&TableName, &Comparison> =
        cx.derived.comparisons.iter().map(|comparison| (&comparison.source, comparison)).collect();
    let place = |sequence: &catalogue::Sequence| match &sequence.feeds {
        Some(from) => {
            let comparison = comparisons.get(&from.table)?;
            let pair = comparison.columns.iter().find(|pair| pair.source.name == from.column)?;
            Some((comparison.target.clone(), Some(pair.target.name.clone())))
        }
        None => Some((sequence.name.clone(), None)),
    };
    let sequences = cx.catalogue(Side::Source).sequences.iter();
    sequences.filter_map(|sequence| Some((place(sequence)?, sequence.clone()))).collect()
}

/// A counter that stands before the source's gives values again that rows had which are deleted by now.
fn gives_again(source: Option<&catalogue::Sequence>, sequence: &catalogue::Sequence, examined: &mut Examined) {
    let Some(source) = source.filter(|source| !source.hidden) else { return };
    let is_down = sequence.increment < 0;
    let is_before = if is_down { sequence.next > source.next } else { sequence.next < source.next };
    if is_before && is_down == (source.increment < 0) {
        let subject = Subject::object(Side::Target, format!("sequence:{}", sequence.name));
        let total = u64::try_from(sequence.next.abs_diff(source.next)).unwrap_or(u64::MAX);
        let finding = Finding::error(FindingKind::SequenceGivesAgain, subject, total).at(Severity::Warning);
        let found = format!("next is {}", sequence.next);
        examined.findings.push(finding.because(format!("next is {}", source.next), found));
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
                    .flat_map(catalogue::Sequence::fed)
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
