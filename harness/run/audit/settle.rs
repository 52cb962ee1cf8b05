//! Rows that differ are read again after a pause: on live databases a difference may be a write that one side has not seen
//! yet. What is equal by then has settled; what changed in between is still moving; what differs as before is different.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use super::{Audit, act::STAGE, side::Given};
use crate::{
    canon::{
        Rule,
        comparison::Comparison,
        standing::{Standing, Under, Wanted},
    },
    check::Readers,
    engine::{EngineError, Rowset},
    model::{Finding, FindingKind, Severity, Side, Sides, Subject, Unchecked, chain},
    run::examination::{Examination, Looked},
};

/// Keys of one side that are read again at most.
const MOST_KEYS: usize = 500_000;

/// The findings about rows.
const ABOUT_ROWS: [FindingKind; 4] =
    [FindingKind::MissingRow, FindingKind::ExtraneousRow, FindingKind::ChangedRow, FindingKind::ChangedValue];

/// What a second look at the rows of one comparison found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Second {
    /// Rows that are equal now.
    settled: u64,
    /// Rows that changed between the two reads, and still differ.
    moving: u64,
    /// Rows that differ as they did before.
    different: u64,
    /// By how many rows the source has more, among those.
    net: i128,
}

/// What stands under the keys that differ.
type Suspects = HashMap<u128, Sides<Under>>;

impl Audit {
    /// Reads rows again that differed, and rewrites what `checksum` found about them.
    pub(super) async fn settle(
        &self,
        examination: &mut Examination,
        looked: &mut Looked,
    ) -> Result<BTreeMap<String, Second>, String> {
        let mut told = BTreeMap::new();
        let is_live = Side::BOTH.iter().any(|side| matches!(self.sides.get(*side), Given::Server(_)));
        let differs = |one: &Comparison| {
            let of_table = |finding: &&Finding| finding.subject.table.as_ref() == Some(&one.target);
            looked.examined.findings.iter().filter(of_table).any(|finding| ABOUT_ROWS.contains(&finding.kind))
        };
        let derived = examination.derive(STAGE)?;
        let differing: Vec<&Comparison> = derived.all().filter(|one| differs(one)).collect();
        if self.options.settle_ms == 0 || !is_live || differing.is_empty() {
            return Ok(told);
        }
        let mut readers = examination.sessions.readers().await?;
        let mut suspects = Vec::new();
        for comparison in &differing {
            suspects.push(first(&mut readers, comparison).await.map_err(|error| chain(&error))?);
        }
        examination.sessions.give_back(readers).await?;
        tokio::time::sleep(Duration::from_millis(self.options.settle_ms)).await;
        // Sessions of their own: everything else goes on with the state that it began with.
        let addresses = Sides::new(
            examination.sessions.address(Side::Source)?.clone(),
            examination.sessions.address(Side::Target)?.clone(),
        );
        let manner = &self.options.manner;
        let mut later = Readers::open_with(&addresses, manner).await.map_err(|error| chain(&error))?;
        for (comparison, suspects) in differing.into_iter().zip(suspects) {
            match suspects {
                Some(suspects) => {
                    let second = second(&mut later, comparison, suspects).await.map_err(|error| chain(&error))?;
                    rewrite(comparison, &second, looked);
                    told.insert(comparison.target.to_string(), second);
                }
                None => {
                    let text = format!(
                        "more than {MOST_KEYS} rows of {} differ: they were read once, and not again",
                        comparison.target
                    );
                    self.note(text)?;
                }
            }
        }
        later.close().await.map_err(|error| chain(&error))?;
        let has_failed = self.options.fail_on.has_failed(&looked.examined);
        looked.conclude(has_failed);
        Ok(told)
    }

    /// Says of the counts what the second look found: they differ by the rows that are different, and by no others.
    pub(super) fn recount(&self, seconds: &BTreeMap<String, Second>, looked: &mut Looked) {
        for finding in looked.examined.findings.iter_mut().filter(|one| one.kind == FindingKind::CountDiffers) {
            let table = finding.subject.table.as_ref().map(ToString::to_string).unwrap_or_default();
            let Some(second) = seconds.get(&table).filter(|second| second.settled + second.moving > 0) else {
                continue;
            };
            match u64::try_from(second.net.unsigned_abs()).unwrap_or(u64::MAX) {
                0 => finding.severity = Severity::Note,
                net => finding.total = net,
            }
        }
        let has_failed = self.options.fail_on.has_failed(&looked.examined);
        looked.conclude(has_failed);
    }
}

/// One comparison as its rows are read.
struct Read {
    rowsets: Sides<Rowset>,
    rules: Vec<Rule>,
    key: Vec<usize>,
}

impl Read {
    fn of(comparison: &Comparison) -> Self {
        let ruled: Vec<usize> =
            (0..comparison.columns.len()).filter(|at| comparison.columns[*at].rule.is_ok()).collect();
        let names = |side: Side| {
            let names = comparison.ruled().map(|(pair, _)| match side {
                Side::Source => pair.source.name.clone(),
                Side::Target => pair.target.name.clone(),
            });
            names.collect()
        };
        Self {
            rowsets: Sides::from_fn(|side| Rowset::compared(comparison, side, names(side))),
            rules: comparison.ruled().map(|(_, rule)| *rule).collect(),
            key: comparison.key.iter().filter_map(|at| ruled.iter().position(|ruled| ruled == at)).collect(),
        }
    }

    async fn scan(&self, readers: &mut Readers, wanted: Wanted) -> Result<Sides<Standing>, EngineError> {
        let sink = || Standing::new(self.rules.clone(), self.key.clone(), wanted.clone(), MOST_KEYS);
        readers.scan(self.rowsets.clone(), Sides::new(sink(), sink())).await
    }
}

/// What stands under the keys that differ; `None` if they are too many.
async fn first(readers: &mut Readers, comparison: &Comparison) -> Result<Option<Suspects>, EngineError> {
    let read = Read::of(comparison);
    let sums = read.scan(readers, Wanted::Sums).await?;
    let chosen = Arc::new(Standing::differing(&sums.source, &sums.target));
    let kept = read.scan(readers, Wanted::Buckets(chosen)).await?;
    let (Some(source), Some(target)) = (kept.source.finish(), kept.target.finish()) else { return Ok(None) };
    let mut suspects = joined(source, target);
    suspects.retain(|_, under| under.source != under.target);
    Ok(Some(suspects))
}

fn joined(source: HashMap<u128, Under>, target: HashMap<u128, Under>) -> Suspects {
    let mut all = Suspects::new();
    for (key, under) in source {
        all.entry(key).or_default().source = under;
    }
    for (key, under) in target {
        all.entry(key).or_default().target = under;
    }
    all
}

/// Reads the suspects again.
async fn second(readers: &mut Readers, comparison: &Comparison, suspects: Suspects) -> Result<Second, EngineError> {
    let keys: HashSet<u128> = suspects.keys().copied().collect();
    let kept = Read::of(comparison).scan(readers, Wanted::Keys(Arc::new(keys))).await?;
    // No more keys come back than were asked for.
    let now = joined(kept.source.finish().unwrap_or_default(), kept.target.finish().unwrap_or_default());
    let mut second = Second::default();
    for (key, then) in suspects {
        let now = now.get(&key).copied().unwrap_or_default();
        let rows = then.source.rows.abs_diff(then.target.rows).max(1);
        if now.source == now.target {
            second.settled += rows;
        } else if now == then {
            second.different += rows;
            second.net += i128::from(then.source.rows) - i128::from(then.target.rows);
        } else {
            second.moving += rows;
        }
    }
    Ok(second)
}

/// Only what is different is an error; what is moving was not checked.
fn rewrite(comparison: &Comparison, second: &Second, looked: &mut Looked) {
    if second.settled + second.moving == 0 {
        return;
    }
    let examined = &mut looked.examined;
    for finding in &mut examined.findings {
        if finding.subject.table.as_ref() == Some(&comparison.target) && ABOUT_ROWS.contains(&finding.kind) {
            finding.severity = Severity::Note;
        }
    }
    let subject = || Subject::table(Side::Target, &comparison.target);
    for (kind, severity, total, then, now) in [
        (FindingKind::RowsDifferent, Severity::Error, second.different, "a difference", "the same difference"),
        (FindingKind::RowsMoving, Severity::Warning, second.moving, "a difference", "another difference"),
        (FindingKind::RowsSettled, Severity::Note, second.settled, "a difference", "none"),
    ] {
        if total > 0 {
            examined.findings.push(Finding::error(kind, subject(), total).at(severity).because(then, now));
        }
    }
    if second.moving > 0 {
        let subject = format!("{} rows of {}", second.moving, comparison.target);
        let reason = "they changed while they were being compared, and still differ";
        examined.unchecked.push(Unchecked::new("row", subject, reason));
    }
}
