//! Rows that are summed up and kept in one pass.

use std::ops::ControlFlow;

use crate::canon::{Cell, RowSink};

/// Gives rows to what sums them up, and to what keeps some of them.
pub(super) struct Both<D, S> {
    pub digester: D,
    pub suspects: S,
}

impl<D: RowSink, S: RowSink> RowSink for Both<D, S> {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        self.digester.cell(column, cell);
        self.suspects.cell(column, cell);
    }

    fn sent(&mut self, row: &[u8]) {
        self.digester.sent(row);
        self.suspects.sent(row);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        match self.digester.end_row() {
            ControlFlow::Continue(()) => self.suspects.end_row(),
            stop @ ControlFlow::Break(()) => stop,
        }
    }
}
