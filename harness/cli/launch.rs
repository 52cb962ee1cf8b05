//! `run`, `plan`, `resume` and `rollback`.

use std::{env, io::IsTerminal, path::Path, sync::Arc};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    engine,
    model::{EngineId, Report, Verdict, report::ScenarioReport},
    provision::External,
    report::{ReportFormat, terminal::Terminal},
    run::{
        self, BadInput, EventSink, Finished, Job, Limits, Options, Plan, Stop, Subject, clock, options,
        registry::Registry,
        resume::{self, Again},
    },
    scenario::{self, Scenario, ScenarioError},
};

use super::{
    args::{AgainArgs, RunArgs},
    exit, find, progress, settings,
    tell::{Failure, data, say},
    urls::{self, Urls},
};

/// The provider that works on a database of the user's own.
pub const EXTERNAL: &str = "external";

/// `rehearse run`.
pub async fn run(args: RunArgs) -> Result<u8, Failure> {
    let prepared = prepare(&args).await?;
    let (external, urls) = external(&args)?;
    let registry = settings::registry();
    let stop = stop_on_signals(STOPPING);
    let command = urls::redacted(env::args());
    let mut worst: Option<Ended> = None;
    for (options, scenario) in prepared {
        if stop.is_asked() {
            break;
        }
        let job = Job {
            id: clock::run_id(),
            repeat: repeat(&args, options.root_seed),
            options,
            scenario,
            out: args.places.out.clone(),
            registry: registry.clone(),
            command: command.clone(),
            external: external.clone(),
            urls: urls.clone(),
            sinks: sinks(),
            stop: stop.clone(),
        };
        let finished = run::execute(job).await?;
        let ended = told(&finished, &registry);
        worst = Some(worst.map_or(ended, |worst| worst.merge(ended)));
    }
    Ok(worst.map_or(exit::NOTHING, Ended::code))
}

/// `rehearse plan`.
pub async fn plan(args: &RunArgs) -> Result<u8, Failure> {
    for (options, scenario) in prepare(args).await? {
        data!("{}: {}", scenario.name, scenario.title);
        for rehearsal in Plan::of(&scenario, &options).rehearsals {
            data!("\n{}", rehearsal.name);
            for (number, act) in rehearsal.acts.iter().enumerate() {
                data!("{:>4}. {}", number + 1, act.id);
                act.lines.iter().for_each(|line| data!("      {line}"));
            }
            data!("{:>4}. release\n      give back everything that was started or made", rehearsal.acts.len() + 1);
        }
    }
    Ok(exit::PASS)
}

/// `rehearse resume` and `rehearse rollback`.
pub async fn go_on(args: AgainArgs, only_rollback: bool) -> Result<u8, Failure> {
    let registry = settings::registry();
    let entry = find::run(&args.run, &registry, &args.out)?;
    let standing = resume::status(&entry.directory)?;
    let options = standing.options.ok_or_else(|| {
        Failure::usage(format!(
            "run {} is an audit or a history of migrations: there is nothing to take up",
            standing.id
        ))
        .hint("call it again; `rehearse report` tells its command, and `rehearse clean` ends what was kept")
    })?;
    let scenario = match &options.subject {
        Subject::Scenario { folder } => {
            part(scenario::read(folder)?, options.until.as_deref(), options.phase.as_deref())?
        }
        Subject::File { file, to } => scenario::of_file(file, to),
    };
    let typed = args.target_url.as_deref().map(urls::given).transpose().map_err(Failure::usage)?;
    let urls = Urls { typed: typed.map(|given| given.address) };
    let external = match &options.target_reference {
        None => None,
        Some(reference) => {
            let address = crate::provision::UrlSource::url(&urls, reference).ok_or_else(|| {
                Failure::usage(format!("the run's target is known as `{reference}`, which leads nowhere now"))
                    .hint("give --target-url again")
            })?;
            Some(External { address, reference: reference.clone(), disposable: options.disposable })
        }
    };
    let again = Again {
        entry,
        scenario,
        registry: registry.clone(),
        external,
        urls: Arc::new(urls),
        sinks: sinks(),
        stop: stop_on_signals(STOPPING),
        program: env::current_exe().map_err(|error| Failure::new(error, exit::INTERNAL))?,
        only_rollback,
    };
    let finished = resume::go_on(again).await?;
    Ok(told(&finished, &registry).code())
}

/// Reads and validates everything that was asked for, before the first of it is begun.
async fn prepare(args: &RunArgs) -> Result<Vec<(Options, Scenario)>, Failure> {
    let loaded = load(args)?;
    if args.snapshot.is_some() && loaded.len() != 1 {
        return Err(Failure::usage("`--snapshot` stands for one scenario's dataset").hint("name that scenario"));
    }
    let (mut prepared, mut problems) = (Vec::new(), Vec::new());
    for (subject, scenario) in loaded {
        let scenario = part(scenario, args.until.as_deref(), args.phase.as_deref())?;
        let options = options(args, subject, scenario.source.scale)?;
        one_rehearsal_if_kept(&options, &scenario)?;
        match run::preflight(&scenario, &options).await {
            Ok(()) => prepared.push((options, scenario)),
            Err(BadInput::Invalid(more)) => problems.push(more),
            Err(BadInput::File(error)) => return Err(Failure::usage(error)),
        }
    }
    if problems.is_empty() { Ok(prepared) } else { Err(ScenarioError::Invalid(problems).into()) }
}

/// The part of the scenario that was asked for: up to a step, or one alone.
fn part(scenario: Scenario, until: Option<&str>, phase: Option<&str>) -> Result<Scenario, Failure> {
    let known: Vec<String> = scenario.steps.iter().map(|one| one.name.clone()).collect();
    let (step, part) = match (until, phase) {
        (_, Some(step)) => (step, scenario.phase(step)),
        (Some(step), None) => (step, scenario.until(step)),
        (None, None) => return Ok(scenario),
    };
    part.ok_or_else(|| Failure::unknown("step", step, known.iter().map(String::as_str)))
}

/// Reads every scenario that was asked for, or tells every problem in all of them.
fn load(args: &RunArgs) -> Result<Vec<(Subject, Scenario)>, Failure> {
    if args.from.is_some() != args.to.is_some() {
        return Err(Failure::usage("`--from FILE` and `--to ENGINE` go together").hint("give both"));
    }
    if let (Some(file), Some(to)) = (&args.from, &args.to) {
        if args.rows.is_some() || args.scale.is_some() {
            return Err(Failure::usage("a file has its own rows: `--rows` and `--scale` are for datasets"));
        }
        if engine::by_id(to).is_none() {
            return Err(Failure::unknown("engine", to, engine::ALL.iter().map(|engine| engine.id())));
        }
        let (file, to) = (absolute(file), EngineId::from(to.as_str()));
        let scenario = scenario::of_file(&file, &to);
        return Ok(vec![(Subject::File { file, to }, scenario)]);
    }
    let folders = find::scenarios(&args.scenarios, &args.places.scenarios_dir)?;
    let read = find::read(folders)?.into_iter();
    Ok(read.map(|(folder, scenario)| (Subject::Scenario { folder }, scenario)).collect())
}

pub fn external(args: &RunArgs) -> Result<(Option<External>, Arc<Urls>), Failure> {
    let Some(flag) = &args.target_url else { return Ok((None, Arc::default())) };
    // A variable that clap read is known by its name, so that the journal can say where to find it again.
    let from_variable = env::var("REHEARSE_TARGET_URL").is_ok_and(|value| value == *flag);
    match args.provider.as_deref() {
        None | Some(EXTERNAL) => {}
        // A variable stands for many calls, and this one asks for another provider.
        Some(_) if from_variable => return Ok((None, Arc::default())),
        Some(other) => {
            return Err(Failure::usage(format!("`--target-url` and `--provider {other}` exclude each other"))
                .hint("leave one of them away"));
        }
    }
    let mut given = urls::given(flag).map_err(Failure::usage)?;
    if from_variable && given.reference == "flag" {
        given.reference = "env:REHEARSE_TARGET_URL".to_owned();
    }
    let urls = Urls { typed: Some(given.address.clone()) };
    let external = External { address: given.address, reference: given.reference, disposable: args.disposable };
    Ok((Some(external), Arc::new(urls)))
}

fn options(args: &RunArgs, subject: Subject, scale: f64) -> Result<Options, Failure> {
    let program = env::current_exe().map_err(|error| Failure::new(error, exit::INTERNAL))?;
    let target_reference = external(args)?.0.map(|external| external.reference);
    let wants_external = target_reference.is_some();
    let provider = args.provider.clone().or_else(|| wants_external.then(|| EXTERNAL.to_owned()));
    if provider.as_deref() == Some(EXTERNAL) && !wants_external {
        return Err(Failure::usage("`--provider external` needs a database").hint("give --target-url"));
    }
    let work_root = absolute(&settings::work_root(args.places.work_dir.clone()));
    Ok(Options {
        subject,
        snapshot: args.snapshot.as_deref().map(absolute),
        versions: args.versions.clone(),
        provider,
        image: args.image.clone(),
        scale: args.scale.unwrap_or(scale),
        until: args.until.clone(),
        phase: args.phase.clone(),
        rows: args.rows,
        root_seed: args.seed.unwrap_or_else(clock::root_seed),
        keep: args.keep,
        show_values: args.show_values,
        only_runnable: args.only_runnable,
        require_coverage: args.require_coverage,
        despite: args.despite.clone(),
        limits: limits(args),
        target_reference,
        disposable: args.disposable,
        resources: args.reading.resources(work_root.clone()),
        work_root,
        program,
    })
}

pub fn limits(args: &RunArgs) -> Limits {
    options::Limits {
        act_ms: args.deadline.saturating_mul(1000),
        server_ms: args.server_deadline.saturating_mul(1000),
        reconnect_ms: args.reconnect.saturating_mul(1000),
        memory_bytes: args.container_memory.map(|mib| mib.saturating_mul(1 << 20)),
        cpus: args.container_cpus,
        port: args.port,
    }
}

/// Several servers of one run would share names and ports if they were left standing.
fn one_rehearsal_if_kept(options: &Options, scenario: &Scenario) -> Result<(), Failure> {
    let rehearsals = Plan::of(scenario, options).rehearsals;
    if options.keep && rehearsals.len() > 1 {
        return Err(Failure::usage(format!(
            "`--keep` leaves one rehearsal standing, and `{}` has {}",
            scenario.name,
            rehearsals.len()
        ))
        .hint("choose one with --target-version"));
    }
    Ok(())
}

/// The command that repeats a run with the same seed.
pub fn repeat(args: &RunArgs, root_seed: u64) -> String {
    let mut words = urls::redacted(env::args().skip(1));
    if args.seed.is_none() {
        words.push("--seed".to_owned());
        words.push(root_seed.to_string());
    }
    format!("rehearse {}", quoted(&words))
}

/// Words as a shell takes them.
pub fn quoted(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:@,+".contains(c)) && !word.is_empty();
        if is_plain { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Whoever watches.
pub fn sinks() -> Vec<Box<dyn EventSink>> {
    vec![progress::sink()]
}

/// What is said when a rehearsal is asked to stop.
pub const STOPPING: &str = "stopping: taking back what the migration did, and giving back what the run holds";

/// Asks the run to stop on Ctrl-C and SIGTERM, and says so; it then takes back and gives back what it did.
pub fn stop_on_signals(saying: &'static str) -> Stop {
    let (switch, stop) = Stop::new();
    // From here on, not from when the task is first polled: until then a signal would just kill us.
    let heard = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    tokio::spawn(async move {
        let [interrupt, terminate] = heard.map(|signal| async {
            match signal {
                Ok(mut signal) => signal.recv().await,
                Err(_) => std::future::pending().await,
            }
        });
        tokio::select! {
            _ = interrupt => {}
            _ = terminate => {}
        }
        switch.ask();
        say(saying);
        // Kept until the end, so that whoever waits goes on to see the wish.
        std::future::pending::<()>().await;
    });
    stop
}

/// How a run ended, as far as the exit code goes by it.
#[derive(Clone, Copy)]
pub struct Ended {
    verdict: Verdict,
    refused: bool,
    panicked: bool,
    /// It was skipped as a whole, and `--only-runnable` waives that if another scenario runs.
    waived: bool,
}

impl Ended {
    const fn of(finished: &Finished, waived: bool) -> Self {
        let panicked = finished.panicked.is_some();
        Self { verdict: finished.report.verdict, refused: finished.refused, panicked, waived }
    }

    fn merge(self, other: Self) -> Self {
        match (self.waived, other.waived) {
            (true, false) => other,
            (false, true) => self,
            _ => Self {
                verdict: self.verdict.merge(other.verdict),
                refused: self.refused || other.refused,
                panicked: self.panicked || other.panicked,
                waived: self.waived,
            },
        }
    }

    /// The exit code.
    pub const fn code(self) -> u8 {
        if self.panicked {
            exit::INTERNAL
        } else if self.refused {
            exit::USAGE
        } else {
            exit::of(self.verdict)
        }
    }
}

/// Prints the summary of a run, and what is left to do about it.
pub fn told(finished: &Finished, registry: &Registry) -> Ended {
    print_summary(&finished.report);
    say(&format!("reports: {}", finished.directory.display()));
    for text in &finished.stuck {
        say(&format!("warning: {text}"));
    }
    if !finished.stuck.is_empty() {
        say(&format!("hint: `rehearse clean {}` tries again", finished.report.run.id));
    }
    let is_kept =
        registry.entries().is_ok_and(|entries| entries.iter().any(|entry| entry.id == finished.report.run.id));
    if is_kept && finished.stuck.is_empty() {
        let id = &finished.report.run.id;
        say(&format!(
            "kept: `rehearse status {id}` shows what stands, `rehearse rollback {id}` or `clean {id}` ends it"
        ));
    }
    let is_waived = |scenario: &ScenarioReport| scenario.skipped.is_some() && scenario.verdict == Verdict::Pass;
    let waived = finished.stuck.is_empty() && finished.report.scenarios.iter().all(is_waived);
    Ended::of(finished, waived && finished.panicked.is_none())
}

fn print_summary(report: &Report) {
    let stdout = std::io::stdout();
    let colour = stdout.is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut text = Vec::new();
    // Writing into memory does not fail, and whoever closed stdout does not want the summary.
    let _ = Terminal { width: progress::width(), colour }.render(report, &mut text);
    let _ = std::io::Write::write_all(&mut stdout.lock(), &text);
}

pub fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
