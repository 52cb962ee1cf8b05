//! Floor 5: the play.
//!
//! [`plan`] turns a scenario into acts without touching anything; [`execute`] plays them. Everything that happens is an
//! [`crate::model::Event`]: the recorder numbers it, writes it to the durable journal, and hands it to the sinks. Leases
//! are in the journal before they are taken and are given back in reverse, whatever ends the run. This is the only place
//! that reads the wall clock and draws the root seed.

pub mod audit;
mod child;
pub mod clock;
mod examination;
mod execute;
mod frame;
pub mod history;
pub mod journal;
mod judge;
pub mod options;
pub mod plan;
mod preflight;
pub mod process;
mod recorder;
pub mod registry;
mod rehearsal;
mod release;
pub mod resume;
mod servers;
mod snapshot;
mod source;
pub mod step_process;
pub mod stop;

pub use audit::{AuditJob, AuditOptions, audit};
pub use examination::FailOn;
pub use execute::{Job, execute};
pub use frame::Finished;
pub use history::{HistoryJob, HistoryOptions, history};
pub use options::{Limits, Options, Subject};
pub use plan::Plan;
pub use preflight::{BadInput, preflight};
pub use recorder::EventSink;
pub use release::{Cleaned, clean};
pub use snapshot::record;
pub use stop::Stop;

use std::path::PathBuf;

/// Why a run could not be played at all. Whatever goes wrong inside a rehearsal is an outcome, not an error.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The run's own directory or journal could not be written.
    #[error("failed to write `{}`", path.display())]
    Journal {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The journal of an earlier run cannot be read.
    #[error("`{}` {problem}", path.display())]
    UnreadableJournal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it, as a verb phrase.
        problem: String,
    },
    /// Another process is writing the run's journal.
    #[error("another process is at work on `{}`", .0.display())]
    Busy(PathBuf),
    /// The run is in no state for what was asked.
    #[error("{0}")]
    WrongState(String),
}
