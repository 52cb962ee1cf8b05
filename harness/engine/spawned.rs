//! Scans in a task of their own, so that both sides are read at the same time and nobody waits for a scan that nobody
//! wants any more.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::JoinError;

use super::{EngineError, Rowset, Session};
use crate::canon::{Cell, RowSink};

/// What a scan gives back: the session, the sink, and how the scan ended.
pub struct Scanned<S> {
    /// The session; still usable as far as the engine leaves it so.
    pub session: Box<dyn Session>,
    /// The sink.
    pub sink: S,
    /// How many rows it saw, or why it ended early.
    pub outcome: Result<u64, EngineError>,
}

/// Starts a scan. When what this gives is dropped, the scan ends at its next row, also where the engine blocks its thread.
pub fn scan<S: RowSink + 'static>(
    mut session: Box<dyn Session>,
    rowset: Rowset,
    sink: S,
) -> impl Future<Output = Result<Scanned<S>, EngineError>> {
    let unwanted = Arc::new(AtomicBool::new(false));
    let mut sink = Wanted { sink, unwanted: Arc::clone(&unwanted) };
    let doing = format!("reading {}", rowset.table);
    let task = tokio::spawn(async move {
        let outcome = session.scan(&rowset, &mut sink).await;
        Scanned { session, sink: sink.sink, outcome }
    });
    let guard = Guard { unwanted, task: task.abort_handle() };
    async move {
        let _guard = guard;
        let stopped = |error: JoinError| EngineError::Unexpected { doing, what: format!("the scan stopped: {error}") };
        task.await.map_err(stopped)
    }
}

/// Ends the scan when it is dropped.
struct Guard {
    unwanted: Arc<AtomicBool>,
    task: tokio::task::AbortHandle,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
        self.task.abort();
    }
}

/// A sink that wants no more rows once nobody waits for it.
struct Wanted<S> {
    sink: S,
    unwanted: Arc<AtomicBool>,
}

impl<S: RowSink> RowSink for Wanted<S> {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        self.sink.cell(column, cell);
    }

    fn sent(&mut self, row: &[u8]) {
        self.sink.sent(row);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        let flow = self.sink.end_row();
        if self.unwanted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { flow }
    }
}
