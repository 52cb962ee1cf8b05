//! Export: every row of every table into files, streamed.

use std::{io, ops::ControlFlow};

use super::{
    super::{StepError, StepTask, StepVoice},
    field,
    manifest::{COMPLETE, HashingFile, Manifest, ManifestTable},
    plan::{TableMove, TransferPlan},
};
use crate::{
    canon::{Cell, RowSink, Rule},
    engine::Rowset,
    model::LogicalType,
};

/// Exports all tables in one read-only transaction and writes the manifest last.
pub(super) async fn export(
    task: &StepTask,
    plan: &TransferPlan,
    voice: &mut dyn StepVoice,
) -> Result<Manifest, StepError> {
    let broken = |error: io::Error| StepError::broken("write the export", error);
    let mut source = task.connect(&task.addresses.source).await?;
    source.begin(true).await?;
    let mut complete = HashingFile::create(&task.folder, COMPLETE).map_err(broken)?;
    complete.put(b"{\"format_version\":1,\"tables\":{").map_err(broken)?;
    let mut tables = Vec::new();
    let total = plan.rows();
    for (index, table) in plan.tables.iter().enumerate() {
        let name = table.comparison.source.to_string();
        let opening = format!("{}\n{}:[", if index == 0 { "" } else { "," }, serde_json::Value::from(name.as_str()));
        complete.put(opening.as_bytes()).map_err(broken)?;
        let mut file = HashingFile::create(&task.folder, &table.file).map_err(broken)?;
        file.put(b"[").map_err(broken)?;
        let mut sink = ExportSink::new(table, file, &mut complete, voice, total);
        source.scan(&rowset(table), &mut sink).await?;
        let mut file = sink.finish()?;
        file.put(b"\n]\n").map_err(broken)?;
        complete.put(b"]").map_err(broken)?;
        let columns = table.columns().map(|pair| pair.source.name.clone()).collect();
        tables.push(ManifestTable { table: name, columns, file: file.finish().map_err(broken)? });
    }
    complete.put(b"\n}}\n").map_err(broken)?;
    let manifest = Manifest { format_version: 1, tables, complete: complete.finish().map_err(broken)? };
    manifest.write(&task.folder).map_err(broken)?;
    source.commit().await?;
    source.close().await?;
    Ok(manifest)
}

fn rowset(table: &TableMove) -> Rowset {
    let columns = table.columns().map(|pair| pair.source.name.clone()).collect();
    Rowset::of(table.comparison.source.clone(), columns)
}

/// One column of an export.
struct ExportColumn {
    /// `"column":`, ready to write.
    label: String,
    /// The target's type.
    target: LogicalType,
    /// Microseconds of one count, where the column is stated to count since 1970.
    unit: Option<i64>,
}

/// Writes each row into the table's file and into the one with all.
struct ExportSink<'a> {
    columns: Vec<ExportColumn>,
    file: HashingFile,
    complete: &'a mut HashingFile,
    voice: &'a mut dyn StepVoice,
    total: u64,
    row: Vec<u8>,
    failed: Option<io::Error>,
    stopped: bool,
}

impl<'a> ExportSink<'a> {
    fn new(
        table: &TableMove,
        file: HashingFile,
        complete: &'a mut HashingFile,
        voice: &'a mut dyn StepVoice,
        total: u64,
    ) -> Self {
        let columns = table
            .columns()
            .map(|pair| ExportColumn {
                label: format!("{}:", serde_json::Value::from(pair.source.name.as_str())),
                target: pair.target.kind.clone(),
                unit: pair.rule.as_ref().ok().and_then(Rule::epoch_unit),
            })
            .collect();
        Self { columns, file, complete, voice, total, row: Vec::new(), failed: None, stopped: false }
    }

    fn finish(self) -> Result<HashingFile, StepError> {
        match self.failed {
            None if self.stopped => Err(StepError::Interrupted),
            None => Ok(self.file),
            Some(error) => Err(StepError::broken("write the export", error)),
        }
    }
}

impl RowSink for ExportSink<'_> {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        self.row.push(if column == 0 { b'{' } else { b',' });
        let ExportColumn { label, target, unit } = &self.columns[column];
        self.row.extend_from_slice(label.as_bytes());
        if let Err(error) = field::write(cell, target, *unit, &mut self.row) {
            self.failed.get_or_insert(error);
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.row.push(b'}');
        let written =
            self.file.put_row(&self.row).and_then(|()| self.complete.put_row_of_table(&self.row, self.file.rows()));
        self.row.clear();
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
        if self.complete.rows().is_multiple_of(1000) {
            self.voice.progress("export", self.complete.rows(), Some(self.total));
            self.stopped = self.voice.is_stopping();
        }
        if self.failed.is_some() || self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
