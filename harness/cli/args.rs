//! The arguments, as clap reads them and `--help` tells them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};

use super::exit;
use crate::{
    check::{self, Resources},
    scenario,
};

/// Rehearses a database migration and its rollback on real servers, and proves both by every row and catalogue object.
#[derive(Debug, Parser)]
#[command(name = "rehearse", version, after_help = exit::HELP, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Rehearse a migration, its rollback and the migration again, and check what each of them left
    ///
    /// Without a name every scenario below `scenarios/` is rehearsed at its default scale. `--from FILE.db --to postgres`
    /// needs no scenario: the target's schema is derived from the file. Everything happens on servers and databases of
    /// the run's own, which are gone at the end. The summary goes to stdout, progress to stderr, and reports to
    /// `reports/runs/<scenario>/<run>`. `--migrations DIR` rehearses the history of migrations that a project has.
    #[command(after_long_help = format!("{RUN_EXAMPLES}\n\n{}", exit::HELP))]
    Run(RunArgs),
    /// Check two databases after a real migration, read-only; no scenario needed
    ///
    /// Tables and columns are matched by their names. Each side is read in one read-only transaction; a SQLite file is read in
    /// a private copy. Nothing is written to either side. The summary goes to stdout, progress to stderr, and reports to
    /// `reports/runs/audit/<run>`.
    #[command(after_long_help = format!("{}\n\n{}", super::audit::EXAMPLES, exit::HELP))]
    Audit(super::audit::AuditArgs),
    /// Turn a key and all columns that refer to it into native UUIDs, where they stand; with a backup, and back again
    ///
    /// What the step `convert_uuid` does, operation by operation, on a database of your own. It writes only to a database
    /// that you name by --consent or declare --disposable. Try it on a copy first: `rehearse run uuid-conversion` shows how.
    #[command(after_long_help = format!("{}\n\n{}", super::convert::EXAMPLES, exit::HELP))]
    ConvertUuid(super::convert::ConvertArgs),
    /// Print the steps of a rehearsal without touching anything
    ///
    /// Takes the same arguments as `run`, validates the same files, and starts nothing.
    Plan(RunArgs),
    /// Go on with an interrupted run from its journal
    Resume(AgainArgs),
    /// Roll an interrupted (or kept) run back from its journal, prove it, and release everything
    Rollback(AgainArgs),
    /// Show where a run stands and what it holds; without a run, every run that holds something
    Status(StatusArgs),
    /// Give back what killed runs left: containers, clusters, scratch databases, files
    ///
    /// Runs whose process is still there are left alone, and so are kept ones (`--keep`) unless they are named.
    Clean(CleanArgs),
    /// Render a stored run again, in any format
    Report(ReportArgs),
    /// List what there is: checks, scenarios, engines, providers, formats, steps, layouts
    List(ListArgs),
    /// Tell what a check asserts, why it matters, and what to do about its findings
    Explain(ExplainArgs),
    /// A step's own process; started by `run`, never by a person.
    #[command(hide = true)]
    Step,
}

const RUN_EXAMPLES: &str = "Examples:
  rehearse run                                   every scenario, on whatever this machine offers
  rehearse run pfa-vanguard --provider container --target-version 17
  rehearse run pfa-vanguard --rows 1000000       a load run
  rehearse run pfa-vanguard --snapshot staging.db
  rehearse run --from app.db --to postgres       any SQLite file, no scenario needed
  rehearse run --migrations migrations --engine postgres
  rehearse run --migrations db --engine sqlite --changed-since main --accept known.toml
  rehearse run pfa-vanguard --target-url env:SCRATCH_URL --disposable";

/// Where reports are, unless somebody says otherwise.
pub const REPORTS: &str = "reports/runs";

// What the options of `run` are sorted under.
pub const SUBJECT: &str = "What is rehearsed";
const SERVERS: &str = "Servers";
pub const VERDICT: &str = "Verdict and reports";
pub const LIMITS: &str = "Limits";
pub const PLACES: &str = "Places";

/// Arguments of `run` and `plan`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Scenarios by name, or folders that hold a scenario.toml
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,

    /// Rehearse this SQLite file; no scenario needed. It is copied and never written. With --migrations: the first migration
    /// to rehearse
    #[arg(long, value_name = "FILE or VERSION", help_heading = SUBJECT, conflicts_with_all = ["scenarios", "snapshot"])]
    pub from: Option<PathBuf>,

    /// The engine that `--from` goes to, such as postgres. With --migrations: the last migration to rehearse
    #[arg(long, value_name = "ENGINE or VERSION", help_heading = SUBJECT)]
    pub to: Option<String>,

    #[command(flatten)]
    pub history: super::history::HistoryArgs,

    /// Rehearse the scenario up to this step, which is its last then
    #[arg(long, value_name = "STEP", help_heading = SUBJECT, conflicts_with = "to")]
    pub until: Option<String>,

    /// Rehearse this step of the scenario alone: those before it are done beforehand and stay
    #[arg(long, value_name = "STEP", help_heading = SUBJECT, conflicts_with_all = ["to", "until"])]
    pub phase: Option<String>,

    /// A SQLite file in place of the scenario's dataset; it is copied and never written
    #[arg(long, value_name = "FILE", help_heading = SUBJECT, conflicts_with_all = ["rows", "scale"])]
    pub snapshot: Option<PathBuf>,

    /// Multiply the dataset's rows. Without it the scenario's own `scale` counts, or else 1
    #[arg(long, value_name = "FACTOR", help_heading = SUBJECT, value_parser = positive)]
    pub scale: Option<f64>,

    /// Fill the dataset up to this many rows in all, spread over the tables by their weights. With --migrations: fill each table
    /// up to this many
    #[arg(long, value_name = "N", help_heading = SUBJECT)]
    pub rows: Option<u64>,

    /// The root seed; the same seed gives the same rows. Drawn by chance and printed if it is not given
    #[arg(long, value_name = "N", help_heading = SUBJECT, value_parser = clap::value_parser!(u64).range(..1 << 53))]
    pub seed: Option<u64>,

    /// Who gives the servers: auto takes a container where Docker answers, else programs installed here
    #[arg(long, value_name = "PROVIDER", help_heading = SERVERS, value_parser = ["auto", "container", "local", "external"])]
    pub provider: Option<String>,

    /// Rehearse on this version of the target (may be repeated), in place of the scenario's versions
    #[arg(long = "target-version", value_name = "VERSION", help_heading = SERVERS, value_parser = version)]
    pub versions: Vec<String>,

    /// The image of the target's container, in place of the engine's own
    #[arg(long, value_name = "IMAGE:TAG", help_heading = SERVERS, env = "REHEARSE_TARGET_IMAGE")]
    pub image: Option<String>,

    /// A server of your own: postgres://user@host/database, service:NAME, or env:NAME or @FILE that holds such a URL. Work
    /// goes on in a scratch database on that server, which is dropped at the end
    #[arg(long, value_name = "URL", help_heading = SERVERS, env = "REHEARSE_TARGET_URL", hide_env_values = true)]
    pub target_url: Option<String>,

    /// Declares the database of --target-url disposable; a table `rehearse_disposable` in it does the same
    #[arg(long, help_heading = SERVERS, requires = "target_url")]
    pub disposable: bool,

    /// A file with what is known and accepted, [[accept]] each: migration, class, why, until
    #[arg(long, value_name = "FILE", help_heading = VERDICT, requires = "migrations")]
    pub accept: Option<PathBuf>,

    /// Leave the databases standing at the end; `rehearse rollback RUN` or `rehearse clean RUN` ends them
    #[arg(long, help_heading = VERDICT)]
    pub keep: bool,

    /// Show rows' values in reports; without it they are redacted
    #[arg(long, help_heading = VERDICT)]
    pub show_values: bool,

    /// Scenarios that cannot run here do not make the verdict inconclusive, as long as another one runs
    #[arg(long, help_heading = VERDICT)]
    pub only_runnable: bool,

    /// The least coverage, in per cent, that a pass needs
    #[arg(long, value_name = "PERCENT", help_heading = VERDICT, default_value_t = 100.0, value_parser = positive)]
    pub require_coverage: f64,

    /// Begin the migration in spite of this check of the preflight; what it found stays in the report
    #[arg(long, value_name = "CHECK", help_heading = VERDICT, value_parser = PossibleValuesParser::new(preflight()))]
    pub despite: Vec<String>,

    /// The longest that one step may take, in seconds
    #[arg(long, value_name = "SECONDS", help_heading = LIMITS, default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..))]
    pub deadline: u64,

    /// The longest that a server may take to come up, in seconds
    #[arg(long, value_name = "SECONDS", help_heading = LIMITS, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub server_deadline: u64,

    /// How long to go on trying to reach a lost server, in seconds
    #[arg(long, value_name = "SECONDS", help_heading = LIMITS, default_value_t = 60)]
    pub reconnect: u64,

    /// Memory limit of a container, in MiB
    #[arg(long, value_name = "MIB", help_heading = LIMITS)]
    pub container_memory: Option<u64>,

    /// CPU limit of a container, in cores
    #[arg(long, value_name = "CORES", help_heading = LIMITS, value_parser = positive)]
    pub container_cpus: Option<f64>,

    #[command(flatten)]
    pub reading: Reading,

    /// A fixed port on 127.0.0.1 for the target's server, to look at it with other tools
    #[arg(long, value_name = "PORT", help_heading = SERVERS, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    #[command(flatten, next_help_heading = PLACES)]
    pub places: Places,
}

/// Where things are.
#[derive(Clone, Debug, Args)]
pub struct Places {
    /// The folder with the scenarios
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    pub scenarios_dir: PathBuf,

    /// Where reports go
    #[arg(long, value_name = "DIR", default_value = REPORTS)]
    pub out: PathBuf,

    /// Where a run keeps its own files while it lasts; by default /var/tmp
    #[arg(long, value_name = "DIR", env = "REHEARSE_WORK_DIR")]
    pub work_dir: Option<PathBuf>,
}

/// Arguments of `resume` and `rollback`.
#[derive(Debug, Args)]
pub struct AgainArgs {
    /// The run's id, its directory, or `latest`
    pub run: String,

    /// The URL of the user's own target, if it was typed as a flag the first time
    #[arg(long, value_name = "URL", env = "REHEARSE_TARGET_URL", hide_env_values = true)]
    pub target_url: Option<String>,

    /// Where reports are
    #[arg(long, value_name = "DIR", default_value = REPORTS)]
    pub out: PathBuf,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The run's id, its directory, or `latest`
    pub run: Option<String>,

    /// Where reports are
    #[arg(long, value_name = "DIR", default_value = REPORTS)]
    pub out: PathBuf,
}

/// Arguments of `clean`.
#[derive(Debug, Args)]
pub struct CleanArgs {
    /// Only this run, a kept one too
    pub run: Option<String>,

    /// The URL of the user's own server, if it was typed as a flag the first time
    #[arg(long, value_name = "URL", env = "REHEARSE_TARGET_URL", hide_env_values = true)]
    pub target_url: Option<String>,

    /// Where reports are
    #[arg(long, value_name = "DIR", default_value = REPORTS)]
    pub out: PathBuf,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run's id, its directory, or `latest`
    pub run: String,

    /// The format; `rehearse list formats` tells which there are
    #[arg(long, value_name = "FORMAT", default_value = "terminal")]
    pub format: String,

    /// Write to this file and not to stdout
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,

    /// Where reports are
    #[arg(long, value_name = "DIR", default_value = REPORTS)]
    pub out: PathBuf,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to list
    pub what: Listed,

    /// The folder with the scenarios
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    pub scenarios_dir: PathBuf,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// What is asserted about a migration
    Checks,
    /// What can be rehearsed
    Scenarios,
    /// Database products
    Engines,
    /// Who can give servers
    Providers,
    /// Report formats
    Formats,
    /// Kinds of steps
    Steps,
    /// How tools keep their migrations in a folder
    Layouts,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A check's id; `rehearse list checks` tells which there are
    pub id: String,
}

/// The checks of the preflight, by id.
fn preflight() -> impl Iterator<Item = &'static str> {
    check::preflight::ALL.iter().map(|check| check.meta().id)
}

fn version(text: &str) -> Result<String, String> {
    if scenario::is_plain(text) { Ok(text.to_owned()) } else { Err("expected a version such as 17".to_owned()) }
}

pub fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("expected a number of 0 or more".to_owned()),
    }
}

/// How checks read rows.
#[derive(Clone, Debug, Args)]
pub struct Reading {
    /// Memory for rows that may differ, in MiB; what is more goes to files without names in the working directory.
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..), help_heading = LIMITS)]
    pub memory: u64,

    /// Sessions by which a check reads each side at the same time, where the engine can share a snapshot among them: by
    /// default a quarter of this machine's cores.
    #[arg(long, value_name = "N", value_parser = jobs, help_heading = LIMITS)]
    pub jobs: Option<usize>,
}

impl Reading {
    /// What a check may take.
    pub fn resources(&self, folder: PathBuf) -> Resources {
        let usual = Resources::usual(folder);
        let memory_bytes = self.memory.saturating_mul(1 << 20);
        Resources { memory_bytes, jobs: self.jobs.unwrap_or(usual.jobs), ..usual }
    }
}

fn jobs(text: &str) -> Result<usize, String> {
    let jobs = text.parse().map_err(|_| "expected a number from 1 to 64".to_owned())?;
    if (1..=64).contains(&jobs) { Ok(jobs) } else { Err("expected a number from 1 to 64".to_owned()) }
}
