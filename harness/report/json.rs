//! `report.json`: the report itself, for programs.

use std::io;

use super::{RenderError, ReportFormat};
use crate::model::Report;

/// The report as JSON, as `reports/report.schema.json` describes it.
pub struct Json;

impl ReportFormat for Json {
    fn id(&self) -> &'static str {
        "json"
    }

    fn file_name(&self) -> &'static str {
        "report.json"
    }

    fn summary(&self) -> &'static str {
        "everything, for programs; described by reports/report.schema.json"
    }

    fn render(&self, report: &Report, out: &mut dyn io::Write) -> Result<(), RenderError> {
        serde_json::to_writer_pretty(&mut *out, report).map_err(|error| match error.io_error_kind() {
            Some(_) => RenderError::Write(error.into()),
            None => RenderError::Form { format: self.id(), source: error.into() },
        })?;
        Ok(out.write_all(b"\n")?)
    }
}
