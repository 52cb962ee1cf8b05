//! Floor 0: the nouns of a rehearsal.
//!
//! Everything that the other floors pass to each other is defined here: names, catalogues, stages, findings, outcomes,
//! events and the report. No async, no SQL, no clock; only data and the rules that data carries with it (a verdict is
//! the worst of its parts, a report is a fold over events).

pub mod address;
pub mod bookkeeping;
pub mod catalogue;
pub mod cause;
pub mod chain;
pub mod coverage;
pub mod event;
pub mod fate;
pub mod finding;
mod finding_kind;
pub mod footprint;
pub mod hidden;
pub mod history;
pub mod inferred;
pub mod lease;
pub mod ledger;
pub mod logical_type;
pub mod name;
pub mod outcome;
pub mod probe;
pub mod report;
pub mod row_change;
pub mod secret;
pub mod sequence;
pub mod sides;
pub mod snapshot;
pub mod stage;
pub mod tls;
pub mod value;
pub mod worsened;

pub use address::{Address, Endpoint, Host};
pub use bookkeeping::{Bookkeeping, BookkeepingRule};
pub use catalogue::Catalogue;
pub use cause::{Cause, CauseCount, Substitution};
pub use chain::chain;
pub use coverage::{Coverage, Share, Unchecked};
pub use event::{Event, EventKind};
pub use finding::{Evidence, Finding, FindingKind, Redaction, Severity, Shown, Subject};
pub use footprint::Footprint;
pub use history::{
    Accepted, ChainReport, ChainStop, Disorder, DisorderKind, HistoryReport, MigrationClass, MigrationReport,
    StaleAcceptance,
};
pub use lease::{Lease, LeaseKind};
pub use ledger::LossEntry;
pub use logical_type::LogicalType;
pub use name::{EngineId, RunId, TableName};
pub use outcome::{Outcome, Verdict};
pub use report::Report;
pub use row_change::{RowChange, ValueChange};
pub use secret::Secret;
pub use sides::{Side, Sides};
pub use snapshot::{Fingerprint, Snapshot};
pub use stage::Stage;
pub use tls::{Tls, TlsMode};
pub use value::Value;
pub use worsened::Worsened;
