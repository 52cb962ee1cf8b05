//! What is said of a table's differing rows.

use super::{Pass, locate::Differing};
use crate::{
    canon::suspect::texts,
    check::{CheckContext, Examined},
    model::{Cause, CauseCount, Evidence, Finding, FindingKind, Side, Subject, finding::KeyPart},
};

/// Why rows are as they are, where that is known of some: those that the other side has, but not as often, those that it has
/// under another key, and those that were loaded again under keys of their own. The rest is unexplained.
fn of_rows(repeated: u64, moved: Option<CauseCount>, again: u64, total: u64) -> Vec<CauseCount> {
    let repeated = CauseCount { cause: Cause::Repeated, total: repeated };
    let again = CauseCount { cause: Cause::LoadedAgain, total: again };
    whole([repeated, again].into_iter().chain(moved).filter(|one| one.total > 0).collect(), total)
}

/// Causes that add up to the total, also if a row was gone when its values were to be fetched.
pub(in crate::check) fn whole(mut causes: Vec<CauseCount>, total: u64) -> Vec<CauseCount> {
    let explained = causes.iter().filter(|one| one.cause != Cause::Unexplained).map(|one| one.total).sum();
    causes.retain(|one| one.cause != Cause::Unexplained);
    if total > explained {
        causes.push(CauseCount { cause: Cause::Unexplained, total: total - explained });
    }
    causes
}

impl Pass<'_> {
    pub(super) fn findings(&self, cx: &CheckContext<'_>, differing: Differing, examined: &mut Examined) {
        let Differing { located, causes, .. } = differing;
        let sample = &located.sample;
        let subject = |side: Side| match side {
            Side::Source => Subject::table(side, &self.comparison.source),
            Side::Target => Subject::table(side, &self.comparison.target),
        };
        let rows = |side: Side, rows: &[Vec<u8>]| {
            rows.iter().map(|own| self.row(cx, side, &texts(own), None)).collect::<Vec<_>>()
        };
        if located.missing > 0 {
            let finding = Finding::error(FindingKind::MissingRow, subject(Side::Target), located.missing);
            let moved = located.moved.map(|moved| moved.cause(moved.missing));
            let finding = finding.with_causes(of_rows(located.repeated.source, moved, 0, located.missing));
            examined.findings.push(finding.with_sample(rows(Side::Source, &sample.missing)));
        }
        if located.extraneous > 0 {
            let finding = Finding::error(FindingKind::ExtraneousRow, subject(Side::Target), located.extraneous);
            let moved = located.moved.map(|moved| moved.cause(moved.extraneous));
            let finding =
                finding.with_causes(of_rows(located.repeated.target, moved, located.again, located.extraneous));
            examined.findings.push(finding.with_sample(rows(Side::Target, &sample.extraneous)));
        }
        if located.changed > 0 {
            let finding = Finding::error(FindingKind::ChangedRow, subject(Side::Target), located.changed);
            let moved = located.moved.map(|moved| moved.cause(moved.changed));
            examined.findings.push(finding.with_causes(of_rows(0, moved, 0, located.changed)));
        }
        let changed = located.changed_values.iter().zip(causes).enumerate().filter(|(_, (total, _))| **total > 0);
        for (at, (total, causes)) in changed {
            let rows = sample.changed.iter().filter(|changed| changed.columns.contains(&at));
            let rows = rows.take(cx.sample as usize);
            let rows = rows.map(|changed| {
                self.row(cx, Side::Source, &texts(&changed.source), Some((at, &texts(&changed.target))))
            });
            let columns = std::slice::from_ref(&self.columns[at].target);
            let subject = Subject::columns(Side::Target, &self.comparison.target, columns);
            let finding = Finding::error(FindingKind::ChangedValue, subject, *total);
            examined.findings.push(finding.with_causes(whole(causes, *total)).with_sample(rows.collect()));
        }
    }

    /// A row by its key (all of its columns where there is none), and one changed value.
    fn row(
        &self,
        cx: &CheckContext<'_>,
        side: Side,
        values: &[Option<String>],
        changed: Option<(usize, &[Option<String>])>,
    ) -> Evidence {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let named = if self.key.is_empty() { &all } else { &self.key };
        let show = |value: Option<&Option<String>>| cx.redaction.show(value.and_then(Option::as_deref));
        Evidence {
            key: named
                .iter()
                .map(|at| KeyPart { column: self.columns[*at].get(side).clone(), value: show(values.get(*at)) })
                .collect(),
            column: changed.map(|(at, _)| self.columns[at].target.clone()),
            source: changed.map(|(at, _)| show(values.get(at))),
            target: changed.map(|(at, target)| show(target.get(at))),
        }
    }
}
