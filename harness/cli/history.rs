//! `run --migrations` and `plan --migrations`.

use std::{collections::BTreeSet, env, path::Path, path::PathBuf};

use clap::Args;

use crate::{
    engine::{self, Engine},
    migrate::{
        command,
        layout::{self, History, Migration},
    },
    model::{Disorder, Unchecked},
    provision::External,
    run::{self, HistoryJob, HistoryOptions, clock},
    scenario,
};

use super::{
    args::{RunArgs, SUBJECT},
    exit, launch, settings,
    since::Since,
    tell::Failure,
    urls,
};

/// Rows that every table holds before a migration, where nothing else is said.
const ROWS: u64 = 5;

/// Arguments for a history of migrations.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Rehearse every migration in this folder, up, down and up again, and all of them in a row; no scenario needed. A
    /// file commands.toml (given, or in the folder) says how a tool of yours runs them
    #[arg(long, value_name = "DIR", help_heading = SUBJECT, conflicts_with_all = ["scenarios", "snapshot", "scale", "only_runnable", "show_values"])]
    pub migrations: Option<PathBuf>,

    /// The engine that the migrations are for
    #[arg(long, value_name = "ENGINE", help_heading = SUBJECT, requires = "migrations")]
    pub engine: Option<String>,

    /// The tool that keeps the migrations; `rehearse list layouts` tells which there are. Recognised, if it is not given
    #[arg(long, value_name = "LAYOUT", help_heading = SUBJECT, requires = "migrations")]
    pub layout: Option<String>,

    /// Load the rows of DIR/VERSION.sql behind that version's way up; tables that are still empty get made-up ones
    #[arg(long, value_name = "DIR", help_heading = SUBJECT, requires = "migrations")]
    pub rows_from: Option<PathBuf>,

    /// Rehearse only this migration (may be repeated), by name or version
    #[arg(long, value_name = "VERSION", help_heading = SUBJECT, requires = "migrations", conflicts_with_all = ["from", "to", "changed_since"])]
    pub only: Vec<String>,

    /// Rehearse only the migrations whose files were added since the last commit in common with this revision of the folder's
    /// Git repository; those that were changed since, or come before others that it has, are told
    #[arg(long, value_name = "REV", help_heading = SUBJECT, requires = "migrations", conflicts_with_all = ["from", "to"])]
    pub changed_since: Option<String>,
}

/// What was asked for, read and in order.
struct Read {
    folder: PathBuf,
    engine: &'static dyn Engine,
    history: History,
    given: run::history::Given,
    selected: BTreeSet<usize>,
    disorder: Vec<Disorder>,
    /// What nobody can tell of the disorder.
    unchecked: Vec<Unchecked>,
}

/// `rehearse run --migrations`.
pub async fn run(args: RunArgs) -> Result<u8, Failure> {
    let (external, urls) = launch::external(&args)?;
    let read = read(&args, external.as_ref()).await?;
    let acceptances = args.accept.as_deref().map(scenario::acceptances).transpose()?.unwrap_or_default();
    let is_open = |one: &Disorder| {
        let is_it = |acceptance| run::history::accepts(acceptance, &read.history, &[&one.migration], one.kind.word());
        !acceptances.iter().any(is_it)
    };
    if read.selected.is_empty() && read.unchecked.is_empty() && !read.disorder.iter().any(is_open) {
        for one in &read.disorder {
            super::tell::say(&format!("accepted: `{}` {}", one.migration, one.told));
        }
        super::tell::say("no migration was added since then: there is nothing to rehearse");
        return Ok(exit::NOTHING);
    }
    let version = match args.versions.as_slice() {
        [] => None,
        [version] => Some(version.clone()),
        _ => {
            return Err(
                Failure::usage("a history is rehearsed on one version of the server").hint("call it once for each")
            );
        }
    };
    let provider = args.provider.clone().or_else(|| external.is_some().then(|| launch::EXTERNAL.to_owned()));
    if provider.as_deref() == Some(launch::EXTERNAL) && external.is_none() {
        return Err(Failure::usage("`--provider external` needs a database").hint("give --target-url"));
    }
    let root_seed = args.seed.unwrap_or_else(clock::root_seed);
    let registry = settings::registry();
    let job = HistoryJob {
        id: clock::run_id(),
        options: HistoryOptions {
            folder: read.folder,
            engine: engine::engine_id(read.engine),
            version,
            provider,
            image: args.image.clone(),
            rows_from: args.history.rows_from.as_deref().map(launch::absolute),
            rows: args.rows.unwrap_or(ROWS),
            root_seed,
            keep: args.keep,
            require_coverage: args.require_coverage,
            limits: launch::limits(&args),
            work_root: launch::absolute(&settings::work_root(args.places.work_dir.clone())),
            program: env::current_exe().map_err(|error| Failure::new(error, exit::INTERNAL))?,
        },
        history: read.history,
        given: read.given,
        selected: read.selected,
        since: args.history.changed_since.clone(),
        disorder: read.disorder,
        unchecked: read.unchecked,
        acceptances,
        out: args.places.out.clone(),
        registry: registry.clone(),
        command: urls::redacted(env::args()),
        repeat: launch::repeat(&args, root_seed),
        external,
        urls,
        sinks: launch::sinks(),
        stop: launch::stop_on_signals("stopping: ending the sessions, and giving back what the run holds"),
    };
    let finished = run::history::history(job).await?;
    Ok(launch::told(&finished, &registry).code())
}

/// `rehearse plan --migrations`.
pub async fn plan(args: &RunArgs) -> Result<u8, Failure> {
    let (external, _) = launch::external(args)?;
    let read = read(args, external.as_ref()).await?;
    let History { layout, migrations, notes, .. } = &read.history;
    println!("{} migrations of {} ({layout}), on {}", migrations.len(), read.folder.display(), read.engine.title());
    for (at, migration) in migrations.iter().enumerate() {
        let down = match &migration.down {
            Some(down) if down.file == migration.up.file => "and down".to_owned(),
            Some(down) => format!("down: {}", down.file.display()),
            None => "no way down".to_owned(),
        };
        let only_passed = if read.selected.contains(&at) { "" } else { "; gone past, not rehearsed" };
        println!("{:>4}. {}\n      up: {}, {down}{only_passed}", at + 1, migration.name, migration.up.file.display());
    }
    for one in &read.disorder {
        println!("`{}` {}", one.migration, one.told);
    }
    for thing in &read.unchecked {
        println!("not checked: {} {}: {}", thing.aspect, thing.subject, thing.reason);
    }
    notes.iter().for_each(|note| println!("note: {note}"));
    Ok(exit::PASS)
}

/// Reads the folder, and tells everything that is wrong with it before anything is started.
async fn read(args: &RunArgs, external: Option<&External>) -> Result<Read, Failure> {
    let folder = launch::absolute(args.history.migrations.as_deref().unwrap_or(Path::new(".")));
    let engine = engine_of(args, external)?;
    let id = engine::engine_id(engine);
    let mut history = layout::read(&folder, args.history.layout.as_deref(), &id).map_err(|error| {
        let failure = Failure::usage(error);
        match &args.history.layout {
            Some(_) => failure,
            None => failure.hint("--layout says which tool keeps them; `rehearse list layouts` tells which there are"),
        }
    })?;
    if let Some(commands) = history.commands.clone() {
        let work = env::temp_dir();
        let listed = command::listed(&commands.settings, &work).await;
        history.list(listed.map_err(|error| Failure::usage(format!("{}: list: {error}", folder.display())))?);
    }
    let since = since(args, &folder, &history)?;
    let selected = selected(args, since.as_ref(), &history)?;
    let problems = run::history::preflight(&folder, &history, &selected, engine);
    if !problems.is_empty() {
        return Err(Failure::usage(problems.join("\n")));
    }
    let given = match &args.history.rows_from {
        Some(rows) => run::history::given(&launch::absolute(rows), &history, engine)
            .map_err(|problems| Failure::usage(problems.join("\n")))?,
        None => run::history::Given::new(),
    };
    let work = launch::absolute(&settings::work_root(args.places.work_dir.clone()));
    let disorder = since.map(|since| since.disorder(&history, &id, &work));
    let (disorder, unchecked) = disorder.unwrap_or_default();
    Ok(Read { folder, engine, history, given, selected, disorder, unchecked })
}

fn engine_of(args: &RunArgs, external: Option<&External>) -> Result<&'static dyn Engine, Failure> {
    let known = || engine::ALL.iter().map(|engine| engine.id());
    match (&args.history.engine, external) {
        (Some(id), Some(external)) if *id != external.address.engine.to_string() => {
            Err(Failure::usage(format!("`--engine {id}` and {} are of two engines", external.address)))
        }
        (Some(id), _) => engine::by_id(id).ok_or_else(|| Failure::unknown("engine", id, known())),
        (None, Some(external)) => {
            let id = external.address.engine.as_str();
            engine::by_id(id).ok_or_else(|| Failure::unknown("engine", id, known()))
        }
        (None, None) => Err(Failure::usage("which engine the migrations are for cannot be told from their folder")
            .hint(format!("give --engine, one of {}", known().collect::<Vec<_>>().join(", ")))),
    }
}

/// What the folder's repository knows of the revision that was asked about.
fn since(args: &RunArgs, folder: &Path, history: &History) -> Result<Option<Since>, Failure> {
    let Some(revision) = &args.history.changed_since else { return Ok(None) };
    if history.commands.is_some() {
        return Err(Failure::usage("which file of a tool of yours holds which migration is not known here")
            .hint("give --only or --from in place of --changed-since"));
    }
    Since::of(folder, revision).map(Some)
}

/// The positions of the migrations that were asked for.
fn selected(args: &RunArgs, since: Option<&Since>, history: &History) -> Result<BTreeSet<usize>, Failure> {
    let position = |named: &str| {
        history
            .position(named)
            .ok_or_else(|| Failure::unknown("migration", named, history.migrations.iter().map(|one| one.name.as_str())))
    };
    if !args.history.only.is_empty() {
        return args.history.only.iter().map(|named| position(named)).collect();
    }
    if let Some(since) = since {
        let is_added = |one: &Migration| since.added.contains(&one.up.file);
        let positions = history.migrations.iter().enumerate().filter(|(_, one)| is_added(one));
        return Ok(positions.map(|(at, _)| at).collect());
    }
    let from = args.from.as_ref().map(|named| position(&named.to_string_lossy())).transpose()?.unwrap_or(0);
    let last = history.migrations.len().saturating_sub(1);
    let to = args.to.as_deref().map(position).transpose()?.unwrap_or(last);
    if from > to {
        return Err(Failure::usage(format!(
            "`{}` comes behind `{}`",
            history.migrations[from].name, history.migrations[to].name
        ))
        .hint("give --from the earlier one"));
    }
    Ok((from..=to).collect())
}
