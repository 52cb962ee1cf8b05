//! What a way up left behind on the server, in words: whom it kept waiting, what it wrote anew, how large the tables are.

use super::prose::{count, duration, plural, visible};
use crate::model::{
    HistoryReport,
    footprint::{Blocks, Footprint},
};

/// The migrations that are named of many.
const NAMED: usize = 3;
/// Lines that are named of those that ran outside of any transaction.
const LINES: usize = 5;
const UNKNOWN: &str = "locks not known";

/// What a way up left behind.
#[derive(Clone, Debug, Default)]
pub struct FootprintFacts {
    /// Whom it kept waiting at its end, and what it wrote anew; empty where that was nobody and nothing.
    pub keeps: String,
    /// How large all tables were before and after; empty where it wrote nothing anew and they are as large as before.
    pub size: String,
    /// Why its locks are not known.
    pub unknown: Option<String>,
}

impl From<&Footprint> for FootprintFacts {
    fn from(of: &Footprint) -> Self {
        let keeps = keeps(of);
        let size = match (of.bytes_before, of.bytes_after) {
            (Some(before), Some(after)) if before != after || !keeps.is_empty() => {
                format!("{} before, {} after", plural(before, "byte", "bytes"), count(after))
            }
            (Some(_), Some(_)) => String::new(),
            _ => "its size is not known".to_owned(),
        };
        let unknown = of.locks_unknown.as_ref().map(|reason| visible(reason).into_owned());
        Self { keeps: visible(&keeps).into_owned(), size, unknown }
    }
}

impl FootprintFacts {
    /// All that is known: `rewrites users; 40,960 bytes before, 57,344 after`.
    pub fn known(&self) -> String {
        joined(&[&self.keeps, &self.size])
    }

    /// The same, and that the locks are not known, where they are not.
    pub fn line(&self) -> String {
        joined(&[&self.known(), if self.unknown.is_some() { UNKNOWN } else { "" }])
    }

    /// The same with the reason: `locks not known: no transaction is around it`.
    pub fn whole_line(&self) -> String {
        let unknown = self.unknown.as_ref().map(|reason| format!("{UNKNOWN}: {reason}"));
        joined(&[&self.known(), &unknown.unwrap_or_default()])
    }
}

fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("; ")
}

/// Whose locks are not known, a line for each reason: `2 of 30 ways up (2_alone, 7_own): no transaction is around it`.
pub fn unknown_locks(history: &HistoryReport) -> Vec<String> {
    let footprints: Vec<_> =
        history.migrations.iter().filter_map(|one| Some((&one.name, one.footprint.as_ref()?))).collect();
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, footprint) in &footprints {
        let Some(reason) = footprint.locks_unknown.as_deref() else { continue };
        match reasons.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, names)) => names.push(name.as_str()),
            None => reasons.push((reason, vec![name.as_str()])),
        }
    }
    let all = plural(footprints.len() as u64, "way up", "ways up");
    let line = |(reason, names): (&str, Vec<&str>)| {
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
        let named = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        visible(&format!("{} of {all} ({named}{more}): {reason}", count(names.len() as u64))).into_owned()
    };
    reasons.into_iter().map(line).collect()
}

/// `ACCESS EXCLUSIVE on users keeps readers and writers waiting, held 512 ms; rewrites users`.
fn keeps(of: &Footprint) -> String {
    let mut parts = Vec::new();
    for lock in of.locks.iter().filter(|lock| lock.blocks != Blocks::Nobody) {
        let table = lock.table.as_ref().map_or_else(|| "the whole database".to_owned(), ToString::to_string);
        let whom = if lock.blocks == Blocks::Writers { "writers" } else { "readers and writers" };
        let held = lock.held_ms.map(|ms| format!(", held {}", duration(ms))).unwrap_or_default();
        parts.push(format!("{} on {table} keeps {whom} waiting{held}", lock.mode));
    }
    parts.extend(missed(&of.missed));
    parts.extend(of.waited.iter().map(|waited| {
        let who = if waited.is_write { "writer" } else { "reader" };
        format!("a {who} of {} waited {}", waited.table, duration(waited.ms))
    }));
    parts.extend(of.rewritten.iter().map(|table| format!("rewrites {table}")));
    parts.extend(of.rebuilt.iter().map(|index| format!("rebuilds {index}")));
    parts.join("; ")
}

/// `the locks of lines 3, 7 are not known, which no transaction holds`, of the first of them.
fn missed(lines: &[u64]) -> Option<String> {
    let first: Vec<String> = lines.iter().take(LINES).map(ToString::to_string).collect();
    let which = match lines {
        [] => return None,
        [line] => format!("line {line}"),
        _ if lines.len() > LINES => format!("lines {} and {} more", first.join(", "), lines.len() - LINES),
        _ => format!("lines {}", first.join(", ")),
    };
    Some(format!("the locks of {which} are not known, which no transaction holds"))
}
