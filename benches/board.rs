//! What a benchmark measured, held against its limits.

use comfy_table::{CellAlignment, Table, presets};

/// Figures in rows of a table.
pub struct Board {
    /// The table.
    pub table: Table,
    /// A limit was passed.
    pub is_over: bool,
}

impl Board {
    /// A board with nothing on it.
    pub fn new() -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["figure", "measured", "limit", "share", ""]);
        for column in table.column_iter_mut().skip(1).take(3) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        Self { table, is_over: false }
    }

    /// A figure without a limit.
    pub fn plain(&mut self, figure: &str, measured: &str) {
        eprintln!("{figure}: {measured}");
        self.table.add_row([figure, measured]);
    }

    /// A figure that must not be larger than its limit.
    pub fn bounded(&mut self, figure: &str, measured: f64, unit: &str, limit: f64) {
        // What is no number is no pass.
        let is_over = measured.is_nan() || measured > limit;
        self.is_over |= is_over;
        let word = if is_over { "FAIL" } else { "PASS" };
        eprintln!("{figure}: {measured:.2} {unit}, limit {limit} {unit}: {word}");
        let (told, bound) = (format!("{measured:.2} {unit}"), format!("{limit} {unit}"));
        self.table.add_row([figure, &told, &bound, &format!("{:.0} %", measured / limit * 100.0), word]);
    }
}
