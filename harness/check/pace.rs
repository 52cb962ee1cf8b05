//! Rows at no more than so many a second, so that a server that others need is not read at its limit.

use std::{
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

use crate::canon::{Cell, RowSink};

/// Rows between two looks at the clock.
const STRIDE: u64 = 64;

/// A sink that takes no more than so many rows a second.
pub(super) struct Paced<S> {
    sink: S,
    rows_per_second: Option<u64>,
    rows: u64,
    started: Instant,
}

impl<S> Paced<S> {
    /// Slows a sink down; without a pace it is as fast as before.
    pub(super) fn new(sink: S, rows_per_second: Option<u64>) -> Self {
        Self { sink, rows_per_second, rows: 0, started: Instant::now() }
    }

    /// The sink itself.
    pub(super) fn into_inner(self) -> S {
        self.sink
    }

    fn wait(&self, rows_per_second: u64) {
        let due = Duration::from_secs_f64(self.rows as f64 / rows_per_second.max(1) as f64);
        let early = due.saturating_sub(self.started.elapsed());
        if !early.is_zero() {
            // Says so to the runtime, whose other tasks go on.
            tokio::task::block_in_place(|| thread::sleep(early));
        }
    }
}

impl<S: RowSink> RowSink for Paced<S> {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        self.sink.cell(column, cell);
    }

    fn sent(&mut self, row: &[u8]) {
        self.sink.sent(row);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        if let Some(rows_per_second) = self.rows_per_second {
            self.rows += 1;
            if self.rows.is_multiple_of(STRIDE.min(rows_per_second.max(1))) {
                self.wait(rows_per_second);
            }
        }
        self.sink.end_row()
    }
}
