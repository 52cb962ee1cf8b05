//! `audit`.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use crate::{
    engine::sqlite::private_copy,
    model::Sides,
    run::{self, AuditJob, AuditOptions, audit::Given, clock},
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
  rehearse audit --source @old.url --target @new.url
  rehearse audit --source sqlite:/srv/app.db --target postgres://reader@db/app --show-values";

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Where the rows came from: postgres://user@host/database, mariadb://…, service:NAME, env:NAME or @FILE that holds such
    /// a URL, or a SQLite file
    #[arg(long, value_name = "URL", env = "REHEARSE_AUDIT_SOURCE", hide_env_values = true)]
    pub source: String,

    /// Where they went, in the same words
    #[arg(long, value_name = "URL", env = "REHEARSE_AUDIT_TARGET", hide_env_values = true)]
    pub target: String,

    /// Show rows' values in reports; without it they are redacted
    #[arg(long, help_heading = VERDICT)]
    pub show_values: bool,

    /// The least coverage, in per cent, that a pass needs
    #[arg(long, value_name = "PERCENT", help_heading = VERDICT, default_value_t = 100.0, value_parser = positive)]
    pub require_coverage: f64,

    /// The longest that one check may take, in seconds
    #[arg(long, value_name = "SECONDS", help_heading = LIMITS, default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..))]
    pub deadline: u64,

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
    let sides = Sides::new(given("--source", &args.source)?, given("--target", &args.target)?);
    let registry = settings::registry();
    let work_root = settings::work_root(args.work_dir.clone());
    let work_root = std::path::absolute(&work_root).unwrap_or(work_root);
    let job = AuditJob {
        id: clock::run_id(),
        options: AuditOptions {
            show_values: args.show_values,
            require_coverage: args.require_coverage,
            act_ms: args.deadline.saturating_mul(1000),
            resources: args.reading.resources(work_root.clone()),
            work_root,
        },
        sides,
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
    let file = Path::new(file);
    private_copy::inspect(file).map_err(|error| wrong(error.to_string()))?;
    Ok(Given::File(std::path::absolute(file).unwrap_or_else(|_| file.to_owned())))
}
