//! Numbers events, writes them to the journal, and hands them to the sinks.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;

use super::{RunError, clock, journal::Journal};
use crate::{
    model::{Event, EventKind, Lease},
    provision::{LeaseLog, ProvisionError},
};

/// Whoever watches a run: progress, mostly.
pub trait EventSink: Send {
    /// Its name, for the note that it failed.
    fn name(&self) -> &'static str;

    /// Takes an event.
    ///
    /// # Errors
    /// A sink that fails is dropped and named; the run and the other sinks go on.
    fn accept(&mut self, event: &Event) -> Result<(), std::io::Error>;
}

/// Shared by everything that has something to tell.
#[derive(Clone)]
pub(super) struct Recorder(Arc<Mutex<Inner>>);

struct Inner {
    journal: Journal,
    sinks: Vec<Box<dyn EventSink>>,
    events: Vec<Event>,
    next: u64,
    started: Instant,
    /// Milliseconds that earlier processes of the run had used up.
    offset_ms: u64,
    leases: Vec<Lease>,
    last_progress: Option<Instant>,
}

impl Recorder {
    /// Goes on behind the events of earlier processes of the run (none, for a new one).
    pub fn new(journal: Journal, sinks: Vec<Box<dyn EventSink>>, earlier: Vec<Event>) -> Self {
        let last = earlier.last();
        Self(Arc::new(Mutex::new(Inner {
            journal,
            sinks,
            next: last.map_or(0, |event| event.seq + 1),
            started: Instant::now(),
            offset_ms: last.map_or(0, |event| event.elapsed_ms),
            leases: held(&earlier),
            events: earlier,
            last_progress: None,
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic while an event was being written leaves at worst a cut line, which readers leave out.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an event: in the journal first, then at the sinks.
    pub fn emit(&self, kind: EventKind) -> Result<(), RunError> {
        let mut inner = self.inner();
        let elapsed = u64::try_from(inner.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let event = Event { seq: inner.next, at: clock::now(), elapsed_ms: inner.offset_ms + elapsed, kind };
        if !event.kind.is_transient() {
            inner.journal.write(&event)?;
            inner.next += 1;
            match &event.kind {
                EventKind::LeaseTaken { lease } => inner.leases.push(lease.clone()),
                EventKind::LeaseReleased { lease } => inner.leases.retain(|held| held.id != *lease),
                _ => {}
            }
            inner.events.push(event.clone());
        }
        let mut failed = Vec::new();
        // Taken out while they are asked: should one panic, none is asked again, and the end of the run is undisturbed.
        let mut sinks = std::mem::take(&mut inner.sinks);
        sinks.retain_mut(|sink| match sink.accept(&event) {
            Ok(()) => true,
            Err(error) => {
                failed.push(format!("{} stopped: {error}", sink.name()));
                false
            }
        });
        inner.sinks = sinks;
        drop(inner);
        failed.into_iter().try_for_each(|text| self.emit(EventKind::Note { text }))
    }

    /// Tells the sinks how far something got, a few times a second at most.
    pub fn progress(&self, doing: &str, done: u64, total: Option<u64>) {
        const PAUSE: Duration = Duration::from_millis(100);
        {
            let mut inner = self.inner();
            if inner.last_progress.is_some_and(|last| last.elapsed() < PAUSE) {
                return;
            }
            inner.last_progress = Some(Instant::now());
        }
        // Transient events never touch the journal, which is all that can fail here.
        let _ = self.emit(EventKind::Progress { doing: doing.to_owned(), done, total });
    }

    /// The leases that are held, in the order in which they were taken.
    pub fn leases(&self) -> Vec<Lease> {
        self.inner().leases.clone()
    }

    /// Everything so far.
    pub fn events(&self) -> Vec<Event> {
        self.inner().events.clone()
    }
}

/// The leases that these events took and did not give back.
pub(super) fn held(events: &[Event]) -> Vec<Lease> {
    let mut held: Vec<Lease> = Vec::new();
    for event in events {
        match &event.kind {
            EventKind::LeaseTaken { lease } => held.push(lease.clone()),
            EventKind::LeaseReleased { lease } => held.retain(|one| one.id != *lease),
            _ => {}
        }
    }
    held
}

#[async_trait]
impl LeaseLog for Recorder {
    async fn announce(&mut self, lease: &Lease) -> Result<(), ProvisionError> {
        self.emit(EventKind::LeaseTaken { lease: lease.clone() })
            .map_err(|error| ProvisionError::Journal(std::io::Error::other(error)))
    }
}
