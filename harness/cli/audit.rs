//! `audit`.

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;

use crate::{
    canon::comparison::{Mapping, Selection},
    check::Manner,
    engine::{Guard, dump, sqlite::private_copy},
    model::{FindingKind, Severity, Side, Sides},
    run::{
        self, AuditJob, AuditOptions, FailOn,
        audit::{Given, Single, load},
        clock,
    },
    scenario,
};

use super::{
    args::{LIMITS, PLACES, REPORTS, Reading, VERDICT, positive},
    launch::{quoted, sinks, stop_on_signals, told},
    settings,
    tell::Failure,
    urls::{self, Urls},
};

/// For `--help`.
pub const EXAMPLES: &str = "Examples:
  rehearse audit --source app.db --target env:TARGET_URL
  rehearse audit --source @old.url --target @new.url --mapping mapping.toml
  rehearse audit --source env:OLD --target env:NEW --tables orders,order_* --where 'orders: id > 1000'
  rehearse audit --source env:URL --save-baseline monday.json
  rehearse audit --source env:URL --baseline monday.json
  rehearse audit --source nightly.dump --target env:TARGET_URL
  rehearse audit --source sqlite:/srv/app.db --target postgres://reader@db/app --show-values";

const COMPARED: &str = "What is compared";

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Where the rows came from: postgres://user@host/database, mariadb://…, service:NAME, env:NAME or @FILE that holds such
    /// a URL, a SQLite file, or what pg_dump or mariadb-dump wrote, which is restored on a server of the run's own
    #[arg(long, value_name = "URL")]
    pub source: Option<String>,

    /// Where they went, in the same words
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,

    /// Compare the one side that is given with a baseline that was saved of it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["save_baseline", "mapping", "tables", "exclude", "conditions"])]
    pub baseline: Option<PathBuf>,

    /// Save a baseline of the one side that is given: every row, column and catalogue object by its fingerprint
    #[arg(long, value_name = "FILE", conflicts_with_all = ["mapping", "tables", "exclude", "conditions"])]
    pub save_baseline: Option<PathBuf>,

    /// A file that states what names and types cannot tell: renames, casts, filters, splits, value maps, queries
    #[arg(long, value_name = "FILE", help_heading = COMPARED)]
    pub mapping: Option<PathBuf>,

    /// Only these tables, by name or pattern (`*`, `?`), with commas between them
    #[arg(long, value_name = "TABLE,…", help_heading = COMPARED, value_delimiter = ',')]
    pub tables: Vec<String>,

    /// Not these tables
    #[arg(long, value_name = "TABLE,…", help_heading = COMPARED, value_delimiter = ',')]
    pub exclude: Vec<String>,

    /// Only rows for which a condition holds, in SQL that both sides take: 'orders: created_at >= date \'2026-01-01\'' (may
    /// be repeated; a mapping file states one for each side)
    #[arg(long = "where", value_name = "TABLE: CONDITION", help_heading = COMPARED, value_parser = condition)]
    pub conditions: Vec<(String, String)>,

    /// Which findings make the audit fail: a severity (note, warning, error), or kinds of findings with commas between
    #[arg(long, value_name = "WORD,…", help_heading = VERDICT, default_value = "error", value_parser = fail_on)]
    pub fail_on: FailOn,

    /// Show rows' values in reports; without it they are redacted
    #[arg(long, help_heading = VERDICT)]
    pub show_values: bool,

    /// The least coverage, in per cent, that a pass needs
    #[arg(long, value_name = "PERCENT", help_heading = VERDICT, default_value_t = 100.0, value_parser = positive)]
    pub require_coverage: f64,

    /// The longest that one check may take, in seconds
    #[arg(long, value_name = "SECONDS", help_heading = LIMITS, default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..))]
    pub deadline: u64,

    /// The longest that one statement may take on a server, in seconds; 0 is no bound. By default as long as a check
    #[arg(long, value_name = "SECONDS", help_heading = LIMITS)]
    pub statement_timeout: Option<u64>,

    /// The longest that a statement may wait for a lock, in seconds; 0 is no bound
    #[arg(long, value_name = "SECONDS", help_heading = LIMITS, default_value_t = 10)]
    pub lock_timeout: u64,

    /// Read no more than so many rows a second of each side
    #[arg(long, value_name = "ROWS", help_heading = LIMITS, value_parser = clap::value_parser!(u64).range(1..))]
    pub throttle: Option<u64>,

    /// Refuse a role that could write, if the audit let it
    #[arg(long, help_heading = LIMITS)]
    pub require_readonly_role: bool,

    /// Read rows that differ again after so many seconds, to tell apart what has settled, what is still moving and what is
    /// different; 0 reads them once
    #[arg(long, value_name = "SECONDS", help_heading = COMPARED, default_value_t = 2.0, value_parser = positive)]
    pub settle: f64,

    #[command(flatten)]
    pub reading: Reading,

    /// Where reports go
    #[arg(long, value_name = "DIR", help_heading = PLACES, default_value = REPORTS)]
    pub out: PathBuf,

    /// Where a run keeps its own files while it lasts; by default /var/tmp
    #[arg(long, value_name = "DIR", help_heading = PLACES, env = "REHEARSE_WORK_DIR")]
    pub work_dir: Option<PathBuf>,
}

/// `rehearse audit`.
pub async fn audit(args: AuditArgs) -> Result<u8, Failure> {
    let (sides, single) = sides(&args)?;
    let mapping = args.mapping.as_deref().map(scenario::mapping).transpose()?.unwrap_or_default();
    let selection = Selection { tables: args.tables, exclude: args.exclude, conditions: args.conditions };
    let registry = settings::registry();
    let work_root = settings::work_root(args.work_dir.clone());
    let work_root = std::path::absolute(&work_root).unwrap_or(work_root);
    let job = AuditJob {
        id: clock::run_id(),
        options: AuditOptions {
            show_values: args.show_values,
            require_coverage: args.require_coverage,
            fail_on: args.fail_on,
            manner: Manner {
                guard: Guard {
                    statement: bound(args.statement_timeout.unwrap_or(args.deadline)),
                    lock: bound(args.lock_timeout),
                },
                rows_per_second: args.throttle,
            },
            require_readonly_role: args.require_readonly_role,
            settle_ms: (args.settle * 1000.0) as u64,
            mapping: Mapping { selection, ..mapping },
            act_ms: args.deadline.saturating_mul(1000),
            resources: args.reading.resources(work_root.clone()),
            work_root,
        },
        sides,
        single,
        out: args.out.clone(),
        registry: registry.clone(),
        command: urls::redacted(env::args()),
        repeat: format!("rehearse {}", quoted(&urls::redacted(env::args().skip(1)))),
        urls: Arc::new(Urls::default()),
        sinks: sinks(),
        stop: stop_on_signals("stopping: ending the sessions, and giving back what the run holds"),
    };
    let finished = run::audit::audit(job).await?;
    Ok(told(&finished, &registry).code())
}

/// A bound in seconds, where 0 is none.
fn bound(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// `TABLE: CONDITION`.
fn condition(text: &str) -> Result<(String, String), String> {
    match text.split_once(':').map(|(table, condition)| (table.trim(), condition.trim())) {
        Some((table, condition)) if !table.is_empty() && !condition.is_empty() => {
            Ok((table.to_owned(), condition.to_owned()))
        }
        _ => Err("expected a table, a colon and a condition, as in 'orders: total > 0'".to_owned()),
    }
}

/// A severity, or kinds of findings.
fn fail_on(text: &str) -> Result<FailOn, String> {
    if let Ok(severity) = word::<Severity>(text) {
        return Ok(FailOn::Severity(severity));
    }
    let kinds: Result<Vec<FindingKind>, String> = text.split(',').map(|kind| word(kind.trim())).collect();
    kinds.map(FailOn::Kinds).map_err(|error| format!("{error}; or a severity: note, warning, error"))
}

/// A word as reports write it.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

/// Both sides, or one and what is done with its baseline.
type Subject = (Sides<Given>, Option<(Side, Single)>);

/// Both sides; or the one that is given in the place of both, and what is done with its baseline.
fn sides(args: &AuditArgs) -> Result<Subject, Failure> {
    let source = args.source.as_deref().map(|text| given("--source", text)).transpose()?;
    let target = args.target.as_deref().map(|text| given("--target", text)).transpose()?;
    let single = match (&args.baseline, &args.save_baseline) {
        (Some(file), _) => Some(Single::Against(Box::new(load(file).map_err(Failure::usage)?))),
        (None, Some(file)) => Some(Single::Save(file.clone())),
        (None, None) => None,
    };
    match (source, target, single) {
        (Some(source), Some(target), None) => Ok((Sides::new(source, target), None)),
        (Some(source), None, Some(single)) => Ok((Sides::new(source.clone(), source), Some((Side::Source, single)))),
        (None, Some(target), Some(single)) => Ok((Sides::new(target.clone(), target), Some((Side::Target, single)))),
        (_, _, Some(_)) => Err(Failure::usage("a baseline is of one database").hint("give --source or --target")),
        (_, _, None) => Err(Failure::usage("an audit compares two databases").hint("give --source and --target")),
    }
}

/// Reads what stands for one side.
fn given(flag: &str, text: &str) -> Result<Given, Failure> {
    let wrong = |error: String| Failure::usage(format!("`{flag}`: {error}"));
    let file = match text.strip_prefix("sqlite:") {
        Some(path) => Some(path),
        None if urls::is_one(text) => None,
        None => Some(text),
    };
    let Some(file) = file else {
        return Ok(Given::Server(urls::given(text).map_err(wrong)?.address));
    };
    let file = std::path::absolute(file).unwrap_or_else(|_| PathBuf::from(file));
    if let Some(dump) = dump::recognise(&file).map_err(|error| wrong(error.to_string()))? {
        return Ok(Given::Dump(dump));
    }
    private_copy::inspect(&file).map_err(|error| wrong(error.to_string()))?;
    Ok(Given::File(file))
}
