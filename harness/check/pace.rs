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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Count(u64);

    impl RowSink for Count {
        fn cell(&mut self, _: usize, _: Cell<'_>) {}

        fn end_row(&mut self) -> ControlFlow<()> {
            self.0 += 1;
            ControlFlow::Continue(())
        }
    }

    fn took(rows: u64, pace: Option<u64>) -> Duration {
        let started = Instant::now();
        let mut paced = Paced::new(Count::default(), pace);
        (0..rows).for_each(|_| assert!(paced.end_row().is_continue()));
        assert_eq!(paced.into_inner().0, rows);
        started.elapsed()
    }

    /// No more than so many a second can only take longer, however busy the machine is.
    #[tokio::test(flavor = "multi_thread")]
    async fn rows_come_no_faster_than_they_may() {
        assert!(took(320, Some(400)) >= Duration::from_millis(800));
        // Also fewer rows than lie between two looks at the clock.
        assert!(took(4, Some(4)) >= Duration::from_secs(1));
    }
}
