//! Floor 5': how a run is told. One file per format, each a pure function of [`Report`].
//!
//! Every format opens with what share was checked, then the verdict and its reasons. Words and figures come from
//! [`prose`] and [`facts`], so that all formats say the same. A new format is one file and one line in [`ALL`].

use std::{error::Error, io};

use crate::model::Report;

pub mod causes;
pub mod facts;
pub mod footprint;
pub mod history;
pub mod html;
pub mod json;
pub mod junit;
pub mod log;
pub mod markdown;
pub mod probes;
pub mod prose;
pub mod schema;
pub mod statistics;
pub mod terminal;

pub use terminal::Terminal;

/// Every format. The terminal's summary stands here in plain text of 80 columns; `cli` makes one that fits its terminal.
pub const ALL: &[&dyn ReportFormat] = &[
    &json::Json,
    &junit::Junit,
    &markdown::Markdown,
    &html::Html,
    &Terminal { width: 80, colour: false },
    &log::Log,
    &statistics::Statistics,
];

/// The format of this id.
pub fn by_id(id: &str) -> Option<&'static dyn ReportFormat> {
    ALL.iter().copied().find(|format| format.id() == id)
}

/// A way to tell what a run did and found.
pub trait ReportFormat: Sync {
    /// Its id: `json`, `junit`.
    fn id(&self) -> &'static str;

    /// The name of its file in the run's directory: `report.json`.
    fn file_name(&self) -> &'static str;

    /// One line on what it is for.
    fn summary(&self) -> &'static str;

    /// Writes the report. The same report gives the same bytes.
    ///
    /// # Errors
    /// [`RenderError::Write`] if `out` fails, [`RenderError::Form`] if the format cannot hold the report.
    fn render(&self, report: &Report, out: &mut dyn io::Write) -> Result<(), RenderError>;
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The file, pipe or terminal failed.
    #[error("failed to write the report")]
    Write(#[from] io::Error),
    /// The report could not be brought into the format.
    #[error("failed to render the report as {format}")]
    Form {
        /// The format's id.
        format: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_and_files_are_unique_and_found() {
        let ids: BTreeSet<_> = ALL.iter().map(|format| format.id()).collect();
        let files: BTreeSet<_> = ALL.iter().map(|format| format.file_name()).collect();
        assert_eq!((ids.len(), files.len()), (ALL.len(), ALL.len()));
        assert!(ids.iter().all(|id| by_id(id).is_some_and(|format| format.id() == *id)));
        assert!(by_id("pdf").is_none());
    }
}
