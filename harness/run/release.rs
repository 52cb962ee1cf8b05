//! Gives leases back: at the end of a run, and long after by `clean`.

use super::{
    RunError, journal, process,
    recorder::{EventSink, Recorder, held},
    registry::{Entry, Registry},
};
use crate::{
    model::{Event, EventKind, LeaseKind, RunId, chain, event::ProcessStamp},
    provision::{self, UrlSource},
};

/// Gives back what the run holds of the kinds that are wanted, last taken first, and tells what would not go.
///
/// # Errors
/// If the journal cannot be written; everything was tried nevertheless.
pub(super) async fn release(
    recorder: &Recorder,
    urls: &dyn UrlSource,
    wanted: impl Fn(&LeaseKind) -> bool,
) -> Result<Vec<String>, RunError> {
    let (mut stuck, mut written) = (Vec::new(), Ok(()));
    for lease in recorder.leases().into_iter().rev().filter(|lease| wanted(&lease.kind)) {
        match provision::release(&lease, urls).await {
            Ok(()) => written = written.and(recorder.emit(EventKind::LeaseReleased { lease: lease.id })),
            Err(error) => stuck.push(format!("failed to give back `{}`: {}", lease.id, chain(&error))),
        }
    }
    written.map(|()| stuck)
}

/// The same for everything that it holds.
pub(super) async fn release_all(recorder: &Recorder, urls: &dyn UrlSource) -> Result<Vec<String>, RunError> {
    release(recorder, urls, |_| true).await
}

/// What `clean` did with one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cleaned {
    /// Its process is still at work: left alone.
    Alive {
        /// The run.
        id: RunId,
        /// The process.
        pid: u32,
    },
    /// Kept on request (`--keep`): left alone, since nobody named it.
    Kept {
        /// The run.
        id: RunId,
    },
    /// Everything it held was given back.
    Released {
        /// The run.
        id: RunId,
        /// What was given back.
        leases: Vec<String>,
    },
    /// Something would not go.
    Stuck {
        /// The run.
        id: RunId,
        /// What, and why.
        problems: Vec<String>,
    },
}

/// Gives back what dead runs left: all of them, or the one that is named (a kept one too, then).
///
/// # Errors
/// If the registry cannot be read. A run whose journal cannot be read or written is [`Cleaned::Stuck`], and no hindrance
/// to the others.
pub async fn clean(
    registry: &Registry,
    named: Option<&RunId>,
    urls: &dyn UrlSource,
    sinks: impl Fn() -> Vec<Box<dyn EventSink>>,
) -> Result<Vec<Cleaned>, RunError> {
    let mut all = Vec::new();
    for entry in registry.entries()?.into_iter().filter(|entry| named.is_none_or(|id| *id == entry.id)) {
        let cleaned = clean_one(registry, &entry, named.is_some(), urls, sinks()).await;
        all.push(cleaned.unwrap_or_else(|error| Cleaned::Stuck { id: entry.id, problems: vec![chain(&error)] }));
    }
    Ok(all)
}

async fn clean_one(
    registry: &Registry,
    entry: &Entry,
    is_named: bool,
    urls: &dyn UrlSource,
    sinks: Vec<Box<dyn EventSink>>,
) -> Result<Cleaned, RunError> {
    let id = entry.id.clone();
    if !entry.directory.exists() && !is_named {
        return Ok(Cleaned::Stuck { problems: vec![lost(entry)], id });
    }
    if !entry.directory.join(journal::FILE).exists() {
        // Registered, and killed before its journal was there: it cannot hold anything.
        registry.forget(&id)?;
        return Ok(Cleaned::Released { id, leases: Vec::new() });
    }
    let events = journal::read(&entry.directory)?;
    if let Some(owner) = owner(&events).filter(|owner| process::is_alive(*owner)) {
        return Ok(Cleaned::Alive { id, pid: owner.pid });
    }
    // Opened before anything is decided: from here on no `resume` can take the run up.
    let journal = journal::Journal::append(&entry.directory)?;
    let events = journal::read(&entry.directory)?;
    let is_kept = matches!(events.last().map(|event| &event.kind), Some(EventKind::RunFinished { kept: true, .. }));
    if is_kept && !is_named {
        return Ok(Cleaned::Kept { id });
    }
    let leases = held(&events).into_iter().map(|lease| lease.id).collect();
    let recorder = Recorder::new(journal, sinks, events);
    let problems = release_all(&recorder, urls).await?;
    if problems.is_empty() {
        registry.forget(&id)?;
        Ok(Cleaned::Released { id, leases })
    } else {
        Ok(Cleaned::Stuck { id, problems })
    }
}

/// What to do about a run whose directory somebody removed together with its journal.
fn lost(entry: &Entry) -> String {
    format!(
        "its journal in `{}` is gone, so what it holds is not known: look for containers and folders named \
         `rehearse-{id}…`, then `rehearse clean {id}` forgets it",
        entry.directory.display(),
        id = entry.id
    )
}

/// The process that last owned a run.
pub(super) fn owner(events: &[Event]) -> Option<ProcessStamp> {
    events.iter().rev().find_map(|event| match &event.kind {
        EventKind::RunStarted(start) => Some(start.process),
        EventKind::RunResumed { process, .. } => Some(*process),
        _ => None,
    })
}
