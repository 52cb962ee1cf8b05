//! A history of migrations in words: a line for each migration, its differences, the chain.

use super::{
    causes::phrase,
    footprint::FootprintFacts,
    prose::{count, duration, plural, visible, visible_lines},
};
use crate::model::{
    Cause, ChainReport, Disorder, Finding, FindingKind, HistoryReport, MigrationClass, MigrationReport, RowChange,
    Severity, ValueChange, Worsened, report::ScenarioReport,
};

/// One migration.
pub struct MigrationFacts {
    /// Its name.
    pub name: String,
    /// `restores`, `loses rows or values`.
    pub came_to: String,
    /// `passed`, `warning`, `failed`, `accepted` or `skipped`.
    pub word: &'static str,
    /// How long all of it took.
    pub time: String,
    /// How long its way up took.
    pub up: String,
    /// How long its way down took.
    pub down: String,
    /// Why it is accepted, what the server said, what differs: a line each.
    pub lines: Vec<String>,
    /// What its way up left behind on the server; empty where it did not go up.
    pub footprint: FootprintFacts,
    /// Whether there is anything to say about it but that it is in order.
    pub is_told: bool,
}

/// Definitions are shown as they are.
pub const WHOLE: usize = usize::MAX;
/// Definitions of more characters are cut to where they differ, so that a line shows both.
pub const SHORT: usize = 100;
/// Characters that are kept of what two definitions begin with alike.
const ALIKE: usize = 15;

impl MigrationFacts {
    fn of(migration: &MigrationReport, room: usize) -> Self {
        let time = |ms: Option<u64>| ms.map_or_else(|| super::facts::NONE.to_owned(), duration);
        let lines = lines(migration, room);
        Self {
            name: visible(&migration.name).into_owned(),
            came_to: came_to(migration),
            word: match migration.class {
                MigrationClass::Unrehearsed => "skipped",
                _ => word(migration.severity()),
            },
            time: duration(migration.duration_ms),
            up: time(migration.up_ms),
            down: time(migration.down_ms),
            footprint: migration.footprint.as_ref().map(FootprintFacts::from).unwrap_or_default(),
            is_told: migration.class != MigrationClass::Restores || !lines.is_empty(),
            lines,
        }
    }
}

/// `restores`, `restores; its way up leaves something wrong`.
fn came_to(migration: &MigrationReport) -> String {
    let wrong = if migration.worsened.is_empty() { "" } else { "; its way up leaves something wrong" };
    format!("{}{wrong}", migration.class.sentence())
}

/// What is in disorder since a revision, and the migrations in the order of their tool; definitions are cut to `room`
/// characters.
pub fn migrations(history: &HistoryReport, room: usize) -> Vec<MigrationFacts> {
    let since = history.since.as_deref().unwrap_or_default();
    let disorder = history.disorder.iter().map(|one| of_disorder(one, since));
    disorder.chain(history.migrations.iter().map(|one| MigrationFacts::of(one, room))).collect()
}

/// A disorder as one more.
fn of_disorder(of: &Disorder, since: &str) -> MigrationFacts {
    let none = || super::facts::NONE.to_owned();
    let accepted = of.accepted.iter().map(|accepted| format!("accepted: {}", visible(&accepted.why)));
    let file = of.file.display().to_string();
    MigrationFacts {
        name: visible(&format!("{} since {since}", of.migration)).into_owned(),
        came_to: visible(&of.told).into_owned(),
        word: word(Some(of.severity())),
        time: none(),
        up: none(),
        down: none(),
        footprint: FootprintFacts::default(),
        is_told: true,
        lines: accepted.chain([visible(&file).into_owned()]).collect(),
    }
}

/// How many came to what: `195 restore, 10 restore but for column order, …`.
pub fn tally(history: &HistoryReport) -> String {
    let told = MigrationClass::ALL.into_iter().filter_map(|class| {
        let number = history.migrations.iter().filter(|one| one.class == class).count();
        (number > 0).then(|| format!("{} {}", count(number as u64), class.word()))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        return "none was rehearsed".to_owned();
    }
    let wrong = history.migrations.iter().filter(|one| !one.worsened.is_empty()).count() as u64;
    let wrong = (wrong > 0).then(|| format!("; the way up of {} leaves something wrong", count(wrong)));
    format!("{}{}", told.join(", "), wrong.unwrap_or_default())
}

/// The chain in one line, and its differences, a line each.
pub fn chain(chain: &ChainReport, room: usize) -> (String, Vec<String>) {
    let mut lines: Vec<String> = Vec::new();
    if let Some(accepted) = &chain.accepted {
        lines.push(format!("accepted: {}", accepted.why));
    }
    for stop in [&chain.stopped, &chain.stopped_again].into_iter().flatten() {
        lines.push(format!("{}: {}", stop.migration, stop.why));
    }
    let told = |finding: &&Finding| finding.severity > Severity::Note;
    let places =
        [("bottom", &chain.bottom_rows), ("bottom", &chain.bottom), ("top", &chain.top_rows), ("top", &chain.top)];
    for (place, findings) in places {
        let told = findings.iter().filter(told);
        lines.extend(told.map(|finding| format!("at the {place} {}", difference(finding, room))));
    }
    let lines = lines.iter().map(|line| visible_lines(line).into_owned()).collect();
    let line = format!("all {} in a row: {}", plural(chain.migrations, "migration", "migrations"), chain.sentence());
    (visible(&line).into_owned(), lines)
}

/// The chain as one more migration.
pub fn chain_facts(of: &ChainReport, room: usize) -> MigrationFacts {
    let (_, lines) = chain(of, room);
    MigrationFacts {
        name: "all in a row".to_owned(),
        came_to: visible(&of.sentence()).into_owned(),
        word: word(of.severity()),
        time: duration(of.duration_ms),
        up: super::facts::NONE.to_owned(),
        down: super::facts::NONE.to_owned(),
        footprint: FootprintFacts::default(),
        is_told: of.severity().is_some() || !lines.is_empty(),
        lines,
    }
}

const fn word(severity: Option<Severity>) -> &'static str {
    match severity {
        None => "passed",
        Some(Severity::Note) => "accepted",
        Some(Severity::Warning) => "warning",
        Some(Severity::Error) => "failed",
    }
}

/// Acceptances that accept nothing, a line each.
pub fn stale(history: &HistoryReport) -> Vec<String> {
    let line = |one: &crate::model::StaleAcceptance| {
        format!("{}: `{}` is accepted as {}, and {}", one.place, one.migration, one.class, one.problem)
    };
    history.stale.iter().map(|one| visible(&line(one)).into_owned()).collect()
}

/// Whether the rehearsal is of a history, which has no source.
pub const fn is_of_history(scenario: &ScenarioReport) -> bool {
    scenario.history.is_some()
}

fn lines(migration: &MigrationReport, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(accepted) = &migration.accepted {
        let until = accepted.until.as_ref().map(|until| format!(" (until {until})")).unwrap_or_default();
        lines.push(format!("accepted: {}{until}", accepted.why));
    }
    if let Some(alone) = migration.without_rows {
        lines.push(format!("without rows it {}", alone.sentence()));
    }
    lines.extend(migration.error.clone());
    lines.extend(migration.worsened.iter().map(worsened));
    let told = migration.findings.iter().filter(|finding| finding.severity > Severity::Note);
    // What is lost comes before the objects that went with it, of which only the first may be told.
    let (of_rows, of_objects): (Vec<_>, Vec<_>) = told.partition(|finding| finding.rows.is_some());
    lines.extend(of_rows.into_iter().chain(of_objects).map(|one| difference(one, room)));
    if migration.class == MigrationClass::Unrehearsed {
        lines.extend(migration.unchecked.iter().map(|thing| thing.reason.clone()));
    }
    if migration.masked > 0 {
        lines.push(format!(
            "{} equal but for the moment of creation that it holds",
            plural(migration.masked, "definition is", "definitions are")
        ));
    }
    lines.iter().map(|line| visible_lines(line).into_owned()).collect()
}

/// `behind the way up orders.user_id: rows refer to a parent that is not there (3 in all, …)`.
fn worsened(of: &Worsened) -> String {
    let mut finding = of.finding.clone();
    finding.subject.side = None;
    let accepted = of.accepted.as_ref().map(|accepted| format!("; accepted: {}", accepted.why)).unwrap_or_default();
    format!("behind the way up {}{accepted}", super::prose::finding(&finding))
}

/// A difference between two states in one line: `lost index:users.users_email_idx`.
fn difference(finding: &Finding, room: usize) -> String {
    let subject = &finding.subject;
    let object = subject.object.clone().unwrap_or_default();
    let change = match (&finding.expected, &finding.found) {
        (Some(then), Some(now)) => {
            let (then, now) = apart(then, now, room);
            format!(": {then} before, {now} after")
        }
        // What is lost has a definition alone.
        (Some(then), None) => format!(": {}", apart(then, "", room).0),
        _ => String::new(),
    };
    match finding.kind {
        FindingKind::TraceLeft => format!("left {object}"),
        FindingKind::TraceLost => format!("lost {object}{change}"),
        FindingKind::ObjectChanged => format!("changed {object}{change}"),
        FindingKind::ColumnOrder => format!("other column {object}{change}"),
        FindingKind::RowsNotRestored => match (&subject.table, &finding.rows) {
            (Some(table), Some(rows)) => format!("{table}: {}", row_change(rows, finding)),
            (Some(table), None) => format!("rows of {table}{change}"),
            (None, _) => format!("rows{change}"),
        },
        FindingKind::ReapplyDiffers => match (&subject.table, &finding.rows) {
            (Some(table), Some(rows)) => format!("the second time: {table}: {}", row_change(rows, finding)),
            _ => {
                let mut bare = subject.clone();
                bare.side = None;
                format!("the second time: {bare}{change}")
            }
        },
        _ => super::prose::finding(finding),
    }
}

/// Two texts, cut to so many characters from where they differ, if one of them has more.
fn apart(then: &str, now: &str, room: usize) -> (String, String) {
    if then.chars().count().max(now.chars().count()) <= room {
        return (then.to_owned(), now.to_owned());
    }
    let alike = then.chars().zip(now.chars()).take_while(|(then, now)| then == now).count();
    let skipped = if alike > ALIKE * 2 { alike - ALIKE } else { 0 };
    let cut = |text: &str| {
        let shown: String = text.chars().skip(skipped).take(room).collect();
        let before = if skipped > 0 { "…" } else { "" };
        let behind = if text.chars().count() > skipped + room { "…" } else { "" };
        format!("{before}{shown}{behind}")
    };
    (cut(then), cut(now))
}

/// `3 rows gone, 20 rows changed: 20 values of email (a value became empty); 23 rows before, 20 rows after`.
fn row_change(of: &RowChange, finding: &Finding) -> String {
    let parts = [(of.gone, "gone"), (of.more, "more"), (of.changed, "changed")];
    let parts = parts.into_iter().filter(|(rows, _)| *rows > 0);
    let mut line =
        parts.map(|(rows, what)| format!("{} {what}", plural(rows, "row", "rows"))).collect::<Vec<_>>().join(", ");
    if !of.values.is_empty() {
        line = format!("{line}: {}", of.values.iter().map(value_change).collect::<Vec<_>>().join(", "));
    }
    if let (Some(then), Some(now)) = (&finding.expected, &finding.found) {
        line = format!("{line}; {then} before, {now} after");
    }
    line
}

/// `20 values of email (a value became empty)`, `5 values of n (3: exactly +1; 2: unexplained)`.
fn value_change(of: &ValueChange) -> String {
    let values = format!("{} of {}", plural(of.total, "value", "values"), of.column);
    match of.causes.as_slice() {
        [] => values,
        [one] if one.cause == Cause::Unexplained => values,
        [one] => format!("{values} ({})", phrase(&one.cause)),
        several => {
            let told = several.iter().map(|one| format!("{}: {}", count(one.total), phrase(&one.cause)));
            format!("{values} ({})", told.collect::<Vec<_>>().join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_definitions_are_cut_to_where_they_differ() {
        let same = "x".repeat(300);
        let (then, now) = (format!("{same} a {same}"), format!("{same} b"));
        assert_eq!(apart(&then, &now, WHOLE), (then.clone(), now.clone()));
        let (cut_then, cut_now) = apart(&then, &now, 20);
        assert_eq!(cut_then, format!("…{} a xxx…", "x".repeat(14)));
        assert_eq!(cut_now, format!("…{} b", "x".repeat(14)));
        assert_eq!(apart("ä", "ö", 20), ("ä".to_owned(), "ö".to_owned()));
        assert_eq!(apart("ab", &"ac".repeat(20), 4), ("ab".to_owned(), "acac…".to_owned()));
    }
}
