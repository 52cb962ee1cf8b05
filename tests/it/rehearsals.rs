//! Every scenario of the project comes to what it expects, as a user would run it.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use rehearse::{
    engine,
    model::{
        EngineId, Report, Side, Stage, Unchecked, Verdict,
        report::{ScenarioReport, TableFingerprint},
    },
    provision::{self, Request},
    scenario,
};

use crate::support::{Ended, Sandbox, containers_of, ended, server, skipped};

/// Seeds that are the same in every run of the tests, and that the scenarios take in turn; one more is drawn by the clock, and
/// printed.
const SEEDS: [u64; 3] = [1, 42, 9_007_199_254_740_991];

/// How reasons begin for which a mapping leaves something out of the comparison.
const LEFT_ON_PURPOSE: [&str; 6] = [
    "dropped: ",
    "kept by the copy: ",
    "left to its default: ",
    "only rows for which this holds are compared",
    "stated as a query or a further part",
    "the copy rejected them",
];

/// The scenarios of the project.
fn scenarios() -> BTreeMap<String, scenario::Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let found = scenario::discover(&root).unwrap();
    assert!(!found.is_empty(), "no scenario in {}", root.display());
    found.into_iter().map(|(name, folder)| (name, scenario::read(&folder).unwrap())).collect()
}

/// Versions of a scenario's target that a provider can give here, with its source; those that it cannot are said to be
/// skipped.
fn versions(test: &str, name: &str, scenario: &scenario::Scenario, provider: &str) -> Vec<Option<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let offered = |engine: &EngineId, version: &Option<String>| {
        let engine = engine::by_id(engine.as_str()).unwrap();
        if engine.server().is_none() {
            return true;
        }
        let request = Request { engine, version: version.clone(), ..server::request(&std::env::temp_dir()) };
        match runtime.block_on(provision::by_id(provider).unwrap().offer(&request)) {
            Ok(_) => true,
            Err(why) => {
                println!(
                    "skipped: {test}: {name} on {} {} from {provider}: {}",
                    engine.id(),
                    version.as_deref().unwrap_or("any"),
                    why.reason
                );
                false
            }
        }
    };
    if !offered(&scenario.source.engine, &scenario.source.version) {
        // There is no local server of every engine; containers there are of all.
        if provider == "container" {
            skipped(test, provider, &format!("{name}: its source cannot be had from {provider}"));
        }
        return Vec::new();
    }
    let target = &scenario.target;
    let wanted = match target.versions.as_slice() {
        [] => vec![None],
        versions => versions.iter().cloned().map(Some).collect(),
    };
    let can: Vec<_> = wanted.into_iter().filter(|version| offered(&target.engine, version)).collect();
    if can.is_empty() {
        skipped(test, provider, &format!("{name}: no version of its target can be had from {provider}"));
    }
    can
}

fn run(sandbox: &Sandbox, name: &str, provider: &str, version: Option<&str>, more: &[&str]) -> Command {
    let mut command = sandbox.rehearsal(&["run", name, "--provider", provider]);
    command.args(version.into_iter().flat_map(|version| ["--target-version", version])).args(more);
    command
}

/// The scenario came to what it expects, everything was checked, and nothing is left.
fn holds(sandbox: &Sandbox, name: &str, ended: &Ended) -> Report {
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    let report = sandbox.report(name);
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(report.scenarios.len(), 1, "{name}");
    rehearsal_holds(name, &report.scenarios[0]);
    sandbox.assert_released();
    sandbox.assert_quiet();
    report
}

/// One rehearsal came to its end, and everything was checked.
fn rehearsal_holds(name: &str, rehearsal: &ScenarioReport) {
    assert!(rehearsal.finished && rehearsal.skipped.is_none());
    let whole: Vec<_> =
        rehearsal.coverage.shares().into_iter().filter(|(_, share)| !share.is_whole()).map(|(what, _)| what).collect();
    // A scenario may declare bookkeeping, and what is compared in which way; that is told with its place. So is what a mapping
    // leaves behind, for the reason that it states.
    let on_purpose = |thing: &&Unchecked| {
        let at_a_place = thing.reason.contains(&format!("/{name}/")) && thing.reason.contains(".toml:");
        at_a_place || LEFT_ON_PURPOSE.iter().any(|why| thing.reason.starts_with(why))
    };
    let (left, unchecked): (Vec<_>, Vec<_>) =
        rehearsal.unchecked.iter().filter(|thing| !thing.subject.starts_with("bookkeeping ")).partition(on_purpose);
    assert!(unchecked.is_empty() && (whole.is_empty() || !left.is_empty()), "not checked: {whole:?} {unchecked:?}");
    assert!(rehearsal.coverage.rows.total > 0 && rehearsal.coverage.downs.total > 0, "{:?}", rehearsal.coverage);
    for side in Side::BOTH {
        let at = |stage: Stage| fingerprints(rehearsal, stage, side);
        assert_eq!(at(Stage::Baseline), at(Stage::RolledBack), "{side}: rolled back");
        assert_eq!(at(Stage::Migrated), at(Stage::Reapplied), "{side}: reapplied");
    }
    let target = |stage| fingerprints(rehearsal, stage, Side::Target);
    assert_ne!(target(Stage::Migrated), target(Stage::Baseline), "the migration changed nothing");
}

/// Whether rows can be put on top of those of a scenario's dataset.
fn has_rows_on_top(name: &str) -> bool {
    let dataset = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).join("dataset.toml");
    // A scenario may share the dataset of another, and then its rows are few.
    fs::read_to_string(dataset).is_ok_and(|text| text.contains("\nweight = "))
}

fn fingerprints(rehearsal: &ScenarioReport, stage: Stage, side: Side) -> Vec<TableFingerprint> {
    let found = rehearsal.fingerprints.iter().find(|taken| taken.stage == stage && taken.side == side);
    found.unwrap_or_else(|| panic!("{side} was not recorded at {stage}")).tables.clone()
}

/// Plays every scenario, each with the seed that its turn has.
fn every_scenario_holds(test: &str, provider: &str, seeds: &[u64], more: &[&str]) {
    for ((name, scenario), seed) in scenarios().into_iter().zip(seeds.iter().cycle()) {
        for version in versions(test, &name, &scenario, provider) {
            let more = if has_rows_on_top(&name) { more } else { &[] };
            println!("{test}: {name} on {version:?} from {provider} with seed {seed}");
            let sandbox = Sandbox::new();
            let seed = seed.to_string();
            let arguments = [&["--seed", &seed], more].concat();
            let output = ended(&mut run(&sandbox, &name, provider, version.as_deref(), &arguments));
            holds(&sandbox, &name, &output);
        }
    }
}

#[test]
fn every_scenario_holds_on_a_server_of_this_machine() {
    every_scenario_holds("every_scenario_holds_on_a_server_of_this_machine", "local", &SEEDS, &[]);
}

#[test]
fn every_scenario_holds_with_a_seed_that_nobody_chose() {
    // Any seed has to pass; the one that does not is in the output.
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64 % (1 << 53);
    every_scenario_holds("every_scenario_holds_with_a_seed_that_nobody_chose", "local", &[seed], &["--rows", "3000"]);
}

/// What a user gets who says nothing but `rehearse run`: every scenario, on every version that it names.
#[test]
fn every_scenario_holds_in_containers_without_an_argument() {
    const TEST: &str = "every_scenario_holds_in_containers_without_an_argument";
    let scenarios = scenarios();
    let wanted = |scenario: &scenario::Scenario| scenario.target.versions.len().max(1);
    if scenarios.iter().any(|(name, one)| versions(TEST, name, one, "container").len() < wanted(one)) {
        return;
    }
    let sandbox = Sandbox::new();
    let output = ended(&mut sandbox.rehearsal(&["run", "--provider", "container"]));
    assert_eq!(output.code, 0, "{}\n{}", output.stdout, output.stderr);
    for (name, scenario) in &scenarios {
        let report = sandbox.report(name);
        assert_eq!((report.verdict, report.scenarios.len()), (Verdict::Pass, wanted(scenario)), "{name}");
        println!("{TEST}: {name} took {} seconds", report.run.duration_ms / 1000);
        report.scenarios.iter().for_each(|rehearsal| rehearsal_holds(name, rehearsal));
        assert_eq!(containers_of(&report.run.id), Vec::<String>::new());
    }
    sandbox.assert_released();
    sandbox.assert_quiet();
}

/// What a user's shell says about PostgreSQL, time zones and languages has no say in a rehearsal.
#[test]
fn the_environment_changes_nothing() {
    const TEST: &str = "the_environment_changes_nothing";
    let hostile: &[(&str, &str)] = &[
        ("TZ", "America/New_York"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LANG", "de_DE.UTF-8"),
        ("PGTZ", "Asia/Kathmandu"),
        ("PGDATESTYLE", "nonsense, really"),
        ("PGCLIENTENCODING", "LATIN1"),
        ("PGOPTIONS", "-c default_transaction_read_only=on -c search_path=nowhere -c no_such_setting=1"),
        ("PGHOST", "production.invalid"),
        ("PGHOSTADDR", "192.0.2.1"),
        ("PGPORT", "1"),
        ("PGUSER", "nobody"),
        ("PGPASSWORD", "wrong"),
        ("PGDATABASE", "production"),
        ("PGSSLMODE", "verify-full"),
        ("PGSSLROOTCERT", "/nowhere"),
        ("PGPASSFILE", "/nowhere"),
        ("PGSERVICE", "production"),
        ("PGAPPNAME", "somebody else"),
        ("PGDATA", "/nowhere"),
    ];
    let (name, scenario) = scenarios().into_iter().next().unwrap();
    for provider in ["local", "container"] {
        let Some(version) = versions(TEST, &name, &scenario, provider).into_iter().next() else { continue };
        let told = [&[][..], hostile].map(|environment| {
            let sandbox = Sandbox::new();
            let mut command = run(&sandbox, &name, provider, version.as_deref(), &["--seed", "7"]);
            // In both, so that nothing of the tests' own environment tells them apart.
            for (variable, _) in hostile {
                command.env_remove(variable);
            }
            let output = ended(command.envs(environment.iter().copied()));
            let report = holds(&sandbox, &name, &output);
            let recorded = [Stage::Baseline, Stage::Migrated]
                .map(|stage| Side::BOTH.map(|side| fingerprints(&report.scenarios[0], stage, side)));
            (recorded, report.scenarios[0].coverage, report.scenarios[0].loss_ledger.clone())
        });
        assert_eq!(told[0], told[1], "from {provider}");
    }
}
