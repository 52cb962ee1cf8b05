//! The runner alone, on a scenario of files: no server, and a second a run.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rehearse::{
    check::Resources,
    model::{Address, Endpoint, Event, EventKind, Outcome, RunId, Secret, Side, Stage, Verdict, report::CheckReport},
    provision::UrlSource,
    report,
    run::{EventSink, Finished, Job, Limits, Options, Plan, Stop, Subject, execute, registry::Registry},
    scenario::{self, Expectation, Scenario},
};

use crate::{
    checks::bench,
    support::{Sandbox, ended, server::Started},
};

struct NoUrls;

impl UrlSource for NoUrls {
    fn url(&self, _: &str) -> Option<Address> {
        None
    }
}

/// Keeps every event.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Event>>>);

impl EventSink for Kept {
    fn name(&self) -> &'static str {
        "kept"
    }

    fn accept(&mut self, event: &Event) -> io::Result<()> {
        self.0.lock().unwrap().push(event.clone());
        Ok(())
    }
}

/// Does something at an event, and may fail at it.
struct At<F>(F);

impl<F: FnMut(&EventKind) -> io::Result<()> + Send> EventSink for At<F> {
    fn name(&self) -> &'static str {
        "clumsy"
    }

    fn accept(&mut self, event: &Event) -> io::Result<()> {
        (self.0)(&event.kind)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios/tiny")
}

fn tiny() -> Scenario {
    scenario::read(&folder()).unwrap()
}

fn options(sandbox: &Sandbox) -> Options {
    Options {
        subject: Subject::Scenario { folder: folder() },
        snapshot: None,
        versions: Vec::new(),
        provider: None,
        image: None,
        scale: 1.0,
        until: None,
        phase: None,
        rows: None,
        root_seed: 5,
        keep: false,
        show_values: false,
        only_runnable: false,
        require_coverage: 100.0,
        despite: Vec::new(),
        limits: Limits::default(),
        target_reference: None,
        disposable: false,
        work_root: sandbox.work(),
        resources: Resources::usual(sandbox.work()),
        program: PathBuf::from(env!("CARGO_BIN_EXE_rehearse")),
    }
}

async fn play(sandbox: &Sandbox, scenario: Scenario, sinks: Vec<Box<dyn EventSink>>) -> Finished {
    play_with(sandbox, scenario, sinks, options(sandbox)).await
}

async fn play_with(
    sandbox: &Sandbox,
    scenario: Scenario,
    sinks: Vec<Box<dyn EventSink>>,
    options: Options,
) -> Finished {
    let (_switch, stop) = Stop::new();
    let job = Job {
        id: RunId(format!("20260101t000000-{:04x}", std::process::id() & 0xffff)),
        options,
        scenario,
        out: sandbox.out(),
        registry: Registry::new(sandbox.path("state")),
        command: vec!["rehearse".to_owned()],
        repeat: "rehearse".to_owned(),
        external: None,
        urls: Arc::new(NoUrls),
        sinks,
        stop,
    };
    let finished = execute(job).await.unwrap();
    assert_eq!((&finished.stuck, &finished.panicked), (&Vec::new(), &None));
    sandbox.assert_released();
    sandbox.assert_quiet();
    finished
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_act_of_the_plan_begins_and_ends_in_order() {
    let sandbox = Sandbox::new();
    let kept = Kept::default();
    let finished = play(&sandbox, tiny(), vec![Box::new(kept.clone())]).await;
    assert_eq!(finished.report.verdict, Verdict::Pass, "{:?}", finished.report.scenarios[0].reasons);

    let events = kept.0.lock().unwrap().clone();
    let lasting: Vec<&Event> = events.iter().filter(|event| !event.kind.is_transient()).collect();
    assert!(lasting.iter().zip(0..).all(|(event, number)| event.seq == number), "numbered without a gap");
    assert!(lasting.windows(2).all(|pair| pair[0].elapsed_ms <= pair[1].elapsed_ms));
    assert!(matches!(lasting.first().unwrap().kind, EventKind::RunStarted(_)));
    assert!(matches!(lasting.last().unwrap().kind, EventKind::RunFinished { verdict: Verdict::Pass, kept: false }));

    let (mut acts, mut open, mut leases) = (Vec::new(), None, Vec::new());
    for event in &lasting {
        match &event.kind {
            EventKind::StepStarted(stamp) => {
                assert_eq!(open.replace(stamp.step.clone()), None, "`{}` began inside another act", stamp.step);
            }
            EventKind::StepFinished { step, outcome, .. } => {
                assert_eq!(open.take().as_ref(), Some(step));
                assert_eq!(*outcome, Outcome::Passed, "{step}");
                acts.push(step.clone());
            }
            EventKind::CheckFinished(check) => {
                assert_eq!(open, None);
                let stage = check.stage.to_string().replace(' ', "-");
                acts.push(format!("check/{stage}/{}", check.id));
            }
            EventKind::LeaseTaken { lease } => leases.push(lease.id.clone()),
            EventKind::LeaseReleased { lease } => assert_eq!(leases.pop().as_ref(), Some(lease), "in reverse"),
            _ => {}
        }
    }
    assert_eq!((open, leases), (None, Vec::new()));
    let plan = Plan::of(&tiny(), &options(&sandbox));
    let planned: Vec<String> = plan.rehearsals[0].acts.iter().map(|act| act.id.clone()).collect();
    assert_eq!(acts, planned);

    let taken: Vec<(Stage, Side)> = lasting
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::SnapshotTaken { stage, side, .. } => Some((*stage, *side)),
            _ => None,
        })
        .collect();
    let stages = [Stage::Baseline, Stage::Migrated, Stage::RolledBack, Stage::Reapplied];
    assert_eq!(taken, stages.iter().flat_map(|stage| Side::BOTH.map(|side| (*stage, side))).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sink_that_fails_is_dropped_and_named() {
    let sandbox = Sandbox::new();
    let (before, behind) = (Kept::default(), Kept::default());
    let mut called = 0;
    let clumsy = At(move |_: &EventKind| {
        called += 1;
        assert!(called <= 4, "called again after it failed");
        if called == 4 { Err(io::Error::other("out of ink")) } else { Ok(()) }
    });
    let sinks: Vec<Box<dyn EventSink>> = vec![Box::new(before.clone()), Box::new(clumsy), Box::new(behind.clone())];
    let finished = play(&sandbox, tiny(), sinks).await;
    assert_eq!(finished.report.verdict, Verdict::Pass);
    assert_eq!(finished.report.run.notes, ["clumsy stopped: out of ink"]);
    let (before, behind) = (before.0.lock().unwrap(), behind.0.lock().unwrap());
    assert_eq!(*before, *behind);
    assert!(matches!(before.last().unwrap().kind, EventKind::RunFinished { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_that_breaks_is_no_pass_and_no_failure() {
    let sandbox = Sandbox::new();
    let work = sandbox.work();
    let target = move || {
        let run = std::fs::read_dir(&work).unwrap().next().unwrap().unwrap().path();
        run.join("r0/target.db")
    };
    let mut broken: Option<Vec<u8>> = None;
    // Between the record and the first check the target's file becomes unreadable, and is itself again behind it.
    let breaker = At(move |kind: &EventKind| {
        match kind {
            EventKind::SnapshotTaken { stage: Stage::Migrated, side: Side::Target, .. } => {
                broken = Some(std::fs::read(target())?);
                std::fs::write(target(), [7; 8192])?;
            }
            EventKind::CheckFinished(_) => {
                if let Some(whole) = broken.take() {
                    std::fs::write(target(), whole)?;
                }
            }
            _ => {}
        }
        Ok(())
    });
    let finished = play(&sandbox, tiny(), vec![Box::new(breaker)]).await;
    let [rehearsal] = finished.report.scenarios.as_slice() else { panic!("{:?}", finished.report) };
    let is_first = |check: &&CheckReport| check.stage == Stage::Migrated;
    let first = rehearsal.checks.iter().find(is_first).unwrap();
    assert!(matches!(&first.outcome, Outcome::Broken { error } if error.contains("database")), "{:?}", first.outcome);
    let others = rehearsal.checks.iter().filter(|check| (&check.id, check.stage) != (&first.id, first.stage));
    let failed: Vec<_> = others.filter(|check| check.outcome != Outcome::Passed).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(rehearsal.steps.iter().all(|step| step.outcome == Outcome::Passed), "{:?}", rehearsal.steps);
    assert_eq!(finished.report.verdict, Verdict::Inconclusive);
    assert!(rehearsal.reasons.iter().any(|reason| reason.contains(&first.id)), "{:?}", rehearsal.reasons);
}

/// A preflight that cannot be sure is a no-go: no step begins, and the report says why; `--despite` goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_migrated_after_a_no_go_unless_somebody_says_so() {
    for despite in [None, Some("access")] {
        let sandbox = Sandbox::new();
        let work = sandbox.work();
        let target = move || {
            let run = std::fs::read_dir(&work).unwrap().next().unwrap().unwrap().path();
            run.join("r0/target.db")
        };
        // The target is no database while the first check of the preflight looks at it.
        let mut whole: Option<Vec<u8>> = None;
        let breaker = At(move |kind: &EventKind| {
            match kind {
                EventKind::SnapshotTaken { stage: Stage::Baseline, side: Side::Target, .. } => {
                    whole = Some(std::fs::read(target())?);
                    std::fs::write(target(), [7; 8192])?;
                }
                EventKind::CheckFinished(_) => {
                    if let Some(whole) = whole.take() {
                        std::fs::write(target(), whole)?;
                    }
                }
                _ => {}
            }
            Ok(())
        });
        let kept = Kept::default();
        let sinks: Vec<Box<dyn EventSink>> = vec![Box::new(breaker), Box::new(kept.clone())];
        let options = Options { despite: despite.map(str::to_owned).into_iter().collect(), ..options(&sandbox) };
        let finished = play_with(&sandbox, tiny(), sinks, options).await;
        let rehearsal = &finished.report.scenarios[0];
        let preflight: Vec<(&str, &str)> = rehearsal
            .checks
            .iter()
            .filter(|check| check.stage == Stage::Baseline)
            .map(|check| (check.id.as_str(), check.outcome.word()))
            .collect();
        assert_eq!(preflight[0], ("access", "broken"));
        assert!(preflight[1..].iter().all(|(_, word)| *word == "passed"), "{preflight:?}");
        assert_eq!(finished.report.verdict, Verdict::Inconclusive);
        let told = |id: &str| {
            let mut out = Vec::new();
            report::by_id(id).unwrap().render(&finished.report, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(told("terminal").contains("no-go: `access` broken"), "{}", told("terminal"));
        let steps: Vec<EventKind> = kept.0.lock().unwrap().iter().map(|event| event.kind.clone()).collect();
        let begun = steps
            .iter()
            .filter(|kind| matches!(kind, EventKind::StepStarted(stamp) if stamp.step == "migrate/transfer"));
        if despite.is_some() {
            assert_eq!(begun.count(), 1);
            assert!(rehearsal.steps.iter().all(|step| step.outcome == Outcome::Passed), "{:?}", rehearsal.steps);
            continue;
        }
        assert_eq!(begun.count(), 0);
        assert!(rehearsal.reasons.iter().any(|reason| reason.contains("the preflight says no-go: `access` broken")));
        let after = rehearsal.checks.iter().filter(|check| check.stage != Stage::Baseline);
        assert!(after.map(|check| check.outcome.word()).all(|word| word == "skipped"));
    }
}

/// The same by the program, on a server where a role may make a database and nothing in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_write_nothing_is_a_no_go() {
    let Some(server) = Started::local("a_role_that_may_write_nothing_is_a_no_go").await else { return };
    server.execute("CREATE ROLE modest LOGIN CREATEDB PASSWORD 'modest'").await;
    let sandbox = &server.sandbox;
    sandbox.write("modest/source.sql", "CREATE TABLE things (id INTEGER PRIMARY KEY);");
    let closed = "REVOKE ALL ON SCHEMA public FROM pg_database_owner, public;
        DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM modest', current_database()); END $$;";
    sandbox.write("modest/target.sql", closed);
    sandbox.write(
        "modest/up.sql",
        "GRANT ALL ON SCHEMA public TO pg_database_owner; CREATE TABLE things (id integer PRIMARY KEY);",
    );
    sandbox.write("modest/down.sql", "DROP TABLE things; REVOKE ALL ON SCHEMA public FROM pg_database_owner;");
    let scenario = "format_version = 1\ntitle = \"Modest\"\n[source]\nengine = \"sqlite\"\nschema = \"source.sql\"\n\
        [target]\nengine = \"postgres\"\nschema = \"target.sql\"\n\
        [[step]]\nname = \"things\"\nkind = \"sql\"\nup = \"up.sql\"\ndown = \"down.sql\"\n";
    sandbox.write("modest/scenario.toml", scenario);
    let mut address = server.server.admin.clone();
    if let Endpoint::Server { user, password, .. } = &mut address.endpoint {
        *user = "modest".to_owned();
        *password = Some(Secret::new("modest"));
    }
    let run = |more: &[&str]| {
        let folder = sandbox.path("modest").display().to_string();
        let arguments = ["run", &folder, "--target-url", "env:MODEST", "--disposable"];
        let mut command = sandbox.rehearsal(&[&arguments, more].concat());
        let told = ended(command.env("MODEST", bench::url(&address)));
        (told, sandbox.report("modest"))
    };
    let (told, report) = run(&[]);
    assert_eq!((told.code, report.verdict), (1, Verdict::Fail), "{told:?}");
    assert!(told.stdout.contains("no-go: `access` failed"), "{told:?}");
    assert!(report.scenarios[0].steps.iter().all(|step| step.id != "migrate/things"), "{told:?}");
    let (told, report) = run(&["--despite", "access"]);
    assert_eq!((told.code, report.verdict), (1, Verdict::Fail), "{told:?}");
    assert!(told.stdout.contains("no-go: `access` failed"), "{told:?}");
    let step = report.scenarios[0].steps.iter().find(|step| step.id == "migrate/things").unwrap();
    assert_eq!(step.outcome, Outcome::Passed, "{told:?}");
    server.leases.release(&Default::default()).await;
}

/// A target that changes what it is given.
fn spoilt() -> Scenario {
    let mut scenario = tiny();
    let schema = scenario.target.schema.first_mut().unwrap();
    schema.text += "CREATE TRIGGER shout AFTER INSERT ON books BEGIN UPDATE books SET title = title || '!' WHERE id = new.id; END;";
    scenario
}

fn failing(checks: &[&str]) -> Expectation {
    Expectation { verdict: Verdict::Fail, failing: checks.iter().map(|id| (*id).to_owned()).collect() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failure_counts_as_the_scenario_expects() {
    let outcome = async |mut scenario: Scenario, expect: Expectation| {
        let sandbox = Sandbox::new();
        scenario.expect = expect;
        let finished = play(&sandbox, scenario, Vec::new()).await;
        let rehearsal = &finished.report.scenarios[0];
        let failed = rehearsal.checks.iter().filter(|check| matches!(check.outcome, Outcome::Failed { .. }));
        let failed: Vec<String> = failed.map(|check| check.id.clone()).collect();
        (finished.report.verdict, failed, rehearsal.reasons.join("; "))
    };
    let (verdict, failed, reasons) = outcome(spoilt(), Expectation::default()).await;
    assert_eq!((verdict, &failed[..]), (Verdict::Fail, &["checksum".to_owned()][..]), "{reasons}");
    let (verdict, _, reasons) = outcome(spoilt(), failing(&["checksum"])).await;
    assert_eq!(verdict, Verdict::Pass, "{reasons}");
    let (verdict, _, reasons) = outcome(spoilt(), failing(&["orphan"])).await;
    assert_eq!(verdict, Verdict::Fail, "{reasons}");
    assert!(
        reasons.contains("`orphan` was expected to fail") && reasons.contains("`checksum` failed and was not expected"),
        "{reasons}"
    );
    // A pass that nobody expected is a failure too.
    let (verdict, failed, reasons) = outcome(tiny(), failing(&["checksum"])).await;
    assert_eq!((verdict, failed), (Verdict::Fail, Vec::new()), "{reasons}");
}

#[test]
fn the_program_plays_it_too() {
    let sandbox = Sandbox::new();
    let folder = folder().display().to_string();
    let ended = sandbox.rehearse(&["run", &folder, "--seed", "9", "--rows", "200"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    let report = sandbox.report("tiny");
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(report.scenarios[0].target.as_ref().unwrap().engine, "sqlite");
    sandbox.assert_released();
}
