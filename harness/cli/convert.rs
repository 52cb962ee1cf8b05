//! `convert-uuid`: the operations of the step `convert_uuid` on a database of the user's own.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use clap::Args;
use comfy_table::{Table, presets};
use jiff::civil::DateTime;

use crate::{
    migrate::{
        StepDone, StepError, StepVoice,
        convert_uuid::{self, ColumnName, LOG, Mode, Operation, Orphans, Settings, Status},
    },
    model::Endpoint,
    report::prose,
    run::Stop,
};

use super::{
    exit,
    launch::stop_on_signals,
    tell::{Failure, data, say},
    urls,
};

/// For `--help`.
pub const EXAMPLES: &str = "Operations:
  status                how far the conversion is; changes nothing, and needs no consent
  validate_schema       whether the columns can become UUIDs: types, every value, spellings, orphans
  backup_data           the original rows and the plan of the way back, into the schema migration_backup (in MariaDB into
                        the database NAME_migration_backup)
  migrate_key           convert the key; migrate_users says the same
  migrate_foreign_keys  convert what refers to it, and bring the foreign keys back
  validate_migration    whether everything is there that was there before
  full_migration        all of these in turn
  rollback              back to the original types and spellings, from wherever it got to
  cleanup_backup        drop the backup: from here on there is no way back

UUIDs of integers:
  A number becomes a UUID of version 8, the same in every run and in every reference: the first
  128 bits of SHA-256 of TABLE.COLUMN:NUMBER (of the key, also in what refers to it), where the
  13th hexadecimal digit is 8 and the 17th a. For users.id 4711: printf users.id:4711 | sha256sum

Examples:
  rehearse convert-uuid validate_schema --database env:URL --key users.id --consent app
  rehearse convert-uuid full_migration --database env:URL --key users.id --consent app --batch-rows 5000
  rehearse convert-uuid full_migration --database env:URL --key users.id --mode expand-and-contract --pause-ms 20 --consent app
  rehearse convert-uuid rollback --database env:URL --key users.id --consent app";

/// Arguments of `convert-uuid`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// What to do
    #[arg(value_name = "OPERATION", value_parser = operation)]
    pub operation: Asked,

    /// The database: a URL, env:NAME, @FILE or service:NAME
    #[arg(long, value_name = "URL")]
    pub database: String,

    /// The key that becomes a UUID
    #[arg(long, value_name = "TABLE.COLUMN")]
    pub key: ColumnName,

    /// Columns that refer to it without a foreign key, with commas between them
    #[arg(long, value_name = "TABLE.COLUMN,…", value_delimiter = ',')]
    pub references: Vec<ColumnName>,

    /// Nothing in the database may be missed
    #[arg(long, conflicts_with = "consent")]
    pub disposable: bool,

    /// The database's name, by which you say that it may be changed
    #[arg(long, value_name = "NAME")]
    pub consent: Option<String>,

    /// One column after the other while the application is at rest, or all beside a running application
    #[arg(long, value_name = "MODE", default_value = "in-turn", value_parser = ["in-turn", "expand-and-contract"])]
    pub mode: String,

    /// Rows a batch
    #[arg(long, value_name = "ROWS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub batch_rows: u64,

    /// Milliseconds between two batches
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub pause_ms: u64,

    /// Milliseconds that a lock is waited for before those who queue behind may go first
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    pub lock_ms: u64,

    /// How often a lock is tried for
    #[arg(long, value_name = "TIMES", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub lock_tries: u64,

    /// The schema that holds the original rows until they are dropped (in MariaDB a database); it must be named for each operation
    #[arg(long, value_name = "SCHEMA")]
    pub backup: Option<String>,

    /// Another database of PostgreSQL that holds that schema (a URL, env:NAME, @FILE or service:NAME), on whatever server; it
    /// must be named for each operation, and is written to in that schema alone
    #[arg(long, value_name = "URL")]
    pub backup_database: Option<String>,

    /// References without a parent refer to this key from then on; without it they keep the conversion from beginning
    #[arg(long, value_name = "UUID")]
    pub assign_orphans_to: Option<String>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Asked {
    /// How far it is.
    Status,
    /// An operation.
    Operation(Operation),
}

fn operation(word: &str) -> Result<Asked, String> {
    if word == "status" {
        return Ok(Asked::Status);
    }
    Operation::of_word(word).map(Asked::Operation).ok_or_else(|| {
        let known = ["status"].into_iter().chain(Operation::ALL.iter().map(|operation| operation.word()));
        format!("expected one of {}", known.collect::<Vec<_>>().join(", "))
    })
}

impl ConvertArgs {
    fn settings(&self) -> Settings {
        Settings {
            references: self.references.clone(),
            batch_rows: self.batch_rows,
            pause_ms: self.pause_ms,
            lock_ms: self.lock_ms,
            lock_tries: self.lock_tries,
            mode: if self.mode == "in-turn" { Mode::InTurn } else { Mode::ExpandAndContract },
            orphans: self.assign_orphans_to.clone().map_or(Orphans::Reject, Orphans::Assign),
            backup: self.backup.clone(),
            ..Settings::of_key(self.key.clone())
        }
    }
}

/// `rehearse convert-uuid`.
pub async fn convert(args: ConvertArgs) -> Result<u8, Failure> {
    let address = urls::given(&args.database).map_err(Failure::usage)?.address;
    let stop = stop_on_signals("stopping after this batch; what is done stays");
    let mut voice = Voice { stop, said: Instant::now() };
    let backup_in = args.backup_database.as_deref().map(urls::given).transpose().map_err(Failure::usage)?;
    let settings = Settings { backup_in: backup_in.map(|given| given.address), ..args.settings() };
    let operation = match args.operation {
        Asked::Status => {
            let status = convert_uuid::status(&address, &settings, &mut voice).await.map_err(failed)?;
            tell_status(&status);
            return Ok(exit::PASS);
        }
        Asked::Operation(operation) => operation,
    };
    let name = match &address.endpoint {
        Endpoint::Server { database, .. } => database.clone(),
        Endpoint::File(path) => path.display().to_string(),
    };
    if !args.disposable && args.consent.as_ref() != Some(&name) {
        let failure = Failure::usage(format!("`{operation}` changes {address}, and nobody said that it may"));
        return Err(failure.hint(format!("--consent {name}, or --disposable if nothing in it may be missed")));
    }
    match convert_uuid::perform(&address, &settings, operation, &mut voice).await {
        Ok(done) => {
            tell_done(operation, &done);
            Ok(exit::PASS)
        }
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: StepError) -> Failure {
    let (code, hint) = match &error {
        StepError::Rejected { .. } => (exit::FINDINGS, format!("the table {LOG} names the values")),
        StepError::Refused { .. } => return Failure::usage(error),
        StepError::Interrupted => {
            (exit::INCONCLUSIVE, "`status` tells how far it is; the same again goes on".to_owned())
        }
        _ => (
            exit::INCONCLUSIVE,
            "`status` tells how far it is; `rollback` goes back, the same again goes on".to_owned(),
        ),
    };
    Failure::new(error, code).hint(hint)
}

fn tell_done(operation: Operation, done: &StepDone) {
    data!("{operation}: done, {} rows", prose::count(done.rows));
    for figure in &done.figures {
        data!("  {:<32} {}", figure.name, figure.value);
    }
    for note in &done.notes {
        data!("  {}", prose::visible_lines(note));
    }
}

fn tell_status(status: &Status) {
    if status.columns.is_empty() {
        data!("no conversion is planned or under way");
    }
    for column in &status.columns {
        let state = column.state.map_or("gone".to_owned(), |state| format!("{state:?}").to_lowercase());
        let filled =
            column.filled.map(|(filled, all)| format!(", {} of {} rows", prose::count(filled), prose::count(all)));
        data!("{}: {state}{}", column.name, filled.unwrap_or_default());
    }
    if status.log.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["operation", "status", "started", "completed", "took", "rows", "message"]);
    for line in &status.log {
        let mut cells: Vec<String> =
            line.iter().map(|cell| prose::visible_lines(cell.as_deref().unwrap_or("–")).into_owned()).collect();
        cells.insert(TOOK.min(cells.len()), took(line).map_or_else(|| "–".to_owned(), prose::duration));
        table.add_row(cells);
    }
    data!("{table}");
}

/// Where the log's table tells how long an operation took.
const TOOK: usize = 4;

/// How long an operation took by its line of the log, in milliseconds.
fn took(line: &[Option<String>]) -> Option<u64> {
    // Both moments are in one zone, whichever that is.
    let moment = |at: usize| line.get(at)?.as_deref()?.split('+').next()?.parse::<DateTime>().ok();
    let took = moment(TOOK - 1)?.duration_since(moment(TOOK - 2)?);
    u64::try_from(took.as_millis()).ok()
}

/// Says now and then how far it is.
struct Voice {
    stop: Stop,
    said: Instant,
}

#[async_trait]
impl StepVoice for Voice {
    async fn mark(&mut self, mark: serde_json::Value) -> Result<(), StepError> {
        if let (Some(operation), Some(status)) = (mark["operation"].as_str(), mark["status"].as_str()) {
            say(&format!("{operation}: {status}"));
        }
        Ok(())
    }

    fn progress(&mut self, doing: &str, done: u64, total: Option<u64>) {
        if self.said.elapsed() >= Duration::from_secs(2) {
            self.said = Instant::now();
            let of = total.map(|total| format!(" of {}", prose::count(total))).unwrap_or_default();
            say(&prose::visible_lines(&format!("{doing}: {}{of} rows", prose::count(done))));
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.is_asked()
    }
}
