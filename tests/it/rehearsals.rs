//! Every scenario of the project comes to what it expects, as a user would run it.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use rehearse::{
    engine,
    model::{Report, Side, Stage, Verdict, report::TableFingerprint},
    provision::{self, Request},
    scenario,
};

use crate::support::{Ended, Sandbox, containers_of, ended, server, skipped};

/// Seeds that are the same in every run of the tests; one more is drawn by the clock, and printed.
const SEEDS: [u64; 3] = [1, 42, 9_007_199_254_740_991];

/// The scenarios of the project.
fn scenarios() -> BTreeMap<String, scenario::Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let found = scenario::discover(&root).unwrap();
    assert!(!found.is_empty(), "no scenario in {}", root.display());
    found.into_iter().map(|(name, folder)| (name, scenario::read(&folder).unwrap())).collect()
}

/// Versions of a scenario's target that a provider can give here; those that it cannot are said to be skipped.
fn versions(test: &str, name: &str, scenario: &scenario::Scenario, provider: &str) -> Vec<Option<String>> {
    let engine = engine::by_id(scenario.target.engine.as_str()).unwrap();
    if engine.server().is_none() {
        return vec![None];
    }
    let wanted = match scenario.target.versions.as_slice() {
        [] => vec![None],
        versions => versions.iter().cloned().map(Some).collect(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let offered = |version: &Option<String>| {
        let request = Request { engine, version: version.clone(), ..server::request(&std::env::temp_dir()) };
        match runtime.block_on(provision::by_id(provider).unwrap().offer(&request)) {
            Ok(_) => true,
            Err(why) => {
                println!(
                    "skipped: {test}: {name} on {} from {provider}: {}",
                    version.as_deref().unwrap_or("any"),
                    why.reason
                );
                false
            }
        }
    };
    let can: Vec<_> = wanted.into_iter().filter(offered).collect();
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
    let [rehearsal] = report.scenarios.as_slice() else { panic!("{} rehearsals", report.scenarios.len()) };
    assert!(rehearsal.finished && rehearsal.skipped.is_none());
    let whole: Vec<_> =
        rehearsal.coverage.shares().into_iter().filter(|(_, share)| !share.is_whole()).map(|(what, _)| what).collect();
    // A scenario may declare bookkeeping, and that is told.
    let unchecked: Vec<_> =
        rehearsal.unchecked.iter().filter(|thing| !thing.subject.starts_with("bookkeeping ")).collect();
    assert!(whole.is_empty() && unchecked.is_empty(), "not checked: {whole:?} {unchecked:?}");
    assert!(rehearsal.coverage.rows.total > 0 && rehearsal.coverage.downs.total > 0, "{:?}", rehearsal.coverage);
    for side in Side::BOTH {
        let at = |stage: Stage| fingerprints(&report, stage, side);
        assert_eq!(at(Stage::Baseline), at(Stage::RolledBack), "{side}: rolled back");
        assert_eq!(at(Stage::Migrated), at(Stage::Reapplied), "{side}: reapplied");
    }
    let target = |stage| fingerprints(&report, stage, Side::Target);
    assert_ne!(target(Stage::Migrated), target(Stage::Baseline), "the migration changed nothing");
    sandbox.assert_released();
    sandbox.assert_quiet();
    report
}

fn fingerprints(report: &Report, stage: Stage, side: Side) -> Vec<TableFingerprint> {
    let found = report.scenarios[0].fingerprints.iter().find(|taken| taken.stage == stage && taken.side == side);
    found.unwrap_or_else(|| panic!("{side} was not recorded at {stage}")).tables.clone()
}

fn every_scenario_holds(test: &str, provider: &str, seeds: &[u64], more: &[&str]) {
    for (name, scenario) in scenarios() {
        for version in versions(test, &name, &scenario, provider) {
            for seed in seeds {
                println!("{test}: {name} on {version:?} from {provider} with seed {seed}");
                let sandbox = Sandbox::new();
                let seed = seed.to_string();
                let arguments = [&["--seed", &seed], more].concat();
                let output = ended(&mut run(&sandbox, &name, provider, version.as_deref(), &arguments));
                let report = holds(&sandbox, &name, &output);
                if provider == "container" {
                    assert_eq!(containers_of(&report.run.id), Vec::<String>::new());
                }
            }
        }
    }
}

#[test]
fn every_scenario_holds_on_a_server_of_this_machine() {
    every_scenario_holds("every_scenario_holds_on_a_server_of_this_machine", "local", &SEEDS, &["--scale", "1"]);
}

#[test]
fn every_scenario_holds_with_a_seed_that_nobody_chose() {
    // Any seed has to pass; the one that does not is in the output.
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64 % (1 << 53);
    every_scenario_holds("every_scenario_holds_with_a_seed_that_nobody_chose", "local", &[seed], &["--rows", "3000"]);
}

#[test]
fn every_scenario_holds_in_a_container() {
    every_scenario_holds("every_scenario_holds_in_a_container", "container", &SEEDS[..1], &["--rows", "3000"]);
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
                .map(|stage| Side::BOTH.map(|side| fingerprints(&report, stage, side)));
            (recorded, report.scenarios[0].coverage, report.scenarios[0].loss_ledger.clone())
        });
        assert_eq!(told[0], told[1], "from {provider}");
    }
}
