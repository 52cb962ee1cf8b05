//! A database against its own restored dump: nothing to find and nothing left unchecked, on a schema that has one of
//! everything; and one change at a time in the copy, which must be found, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    sync::atomic::{AtomicU32, Ordering},
};

use rehearse::{
    canon::comparison,
    check::{self, CheckContext, Readers, Resources, Surroundings, Tally},
    model::{Address, Coverage, Endpoint, Host, Redaction, Side, Sides, Snapshot, Stage, Verdict},
    run,
};

use super::{
    bench::{Bench, url},
    told,
};
use crate::support::{Sandbox, ended};

const EVERYTHING: &str = include_str!("../../../fixtures/catalogue/everything.sql");

mod changes;
mod files;
mod mariadb;
mod versions;

/// Two databases of one server.
struct Twins {
    bench: Arc<Bench>,
    names: Sides<String>,
    source: Snapshot,
}

/// What all checks say of the twins: what they find and what they leave unchecked, and how much they looked at.
struct Said {
    findings: BTreeSet<String>,
    coverage: Coverage,
}

impl Twins {
    /// A database with one of everything, and its dump restored; `None` where no server or no `pg_dump` can be had.
    fn restored(test: &str) -> Option<Self> {
        let bench = Bench::take(test)?;
        let Some(tools) = tools() else {
            let required = std::env::var("REHEARSE_REQUIRE").unwrap_or_default();
            assert!(!required.split(',').any(|word| word == "postgres"), "{test}: no pg_dump beside a local server");
            println!("skipped: {test}: no pg_dump beside a local server");
            return None;
        };
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("twins{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let names = Sides::new(name.clone(), format!("{name}_copy"));
        for (_, name) in names.iter() {
            bench.say(&bench.admin, &format!("CREATE DATABASE {name} TEMPLATE template0"));
        }
        bench.say(&bench.admin.with_database(&name), EVERYTHING);
        let file = bench.work.path().join(format!("{name}.dump"));
        tool(&tools, "pg_dump", &bench.admin.with_database(&name), &["-Fc", "-f", file.to_str().unwrap()]);
        tool(
            &tools,
            "pg_restore",
            &bench.admin.with_database(&names.target),
            &["-e", "-d", &names.target, file.to_str().unwrap()],
        );
        let address = bench.admin.with_database(&name);
        let source = bench.runtime.block_on(run::record(&address, &|_| {})).unwrap();
        Some(Self { bench, names, source })
    }

    fn addresses(&self) -> Sides<Address> {
        self.names.as_ref().map(|name| self.bench.admin.with_database(name))
    }

    /// Lets every check of a migrated stage look.
    fn look(&self) -> Said {
        let addresses = self.addresses();
        self.bench.runtime.block_on(async {
            let target = run::record(&addresses.target, &|_| {}).await.unwrap();
            let derived = comparison::derive(&self.source.catalogue, &target.catalogue, &[], true);
            let snapshots = BTreeMap::from([
                ((Stage::Migrated, Side::Source), self.source.clone()),
                ((Stage::Migrated, Side::Target), target),
            ]);
            let resources = Resources::usual(std::env::temp_dir());
            let mut cx = CheckContext {
                stage: Stage::Migrated,
                readers: Readers::open(&addresses).await.unwrap(),
                snapshots: &snapshots,
                derived: &derived,
                tally: Tally::default(),
                not_carried: &[],
                loss_ledger: &[],
                left_out: &[],
                redaction: &Redaction::Show,
                sample: 3,
                resources: &resources,
                writes_source: false,
                changes_source: false,
                surroundings: &Surroundings::default(),
                probes: &[],
                probed: &[],
            };
            let mut said = Said { findings: BTreeSet::new(), coverage: Coverage::default() };
            for check in check::ALL.iter().filter(|check| check.meta().stages.contains(&Stage::Migrated)) {
                let examined = check.run(&mut cx).await.unwrap();
                said.findings.extend(examined.findings.iter().map(|finding| told(check.meta().id, finding)));
                let unchecked = examined.unchecked.iter();
                said.findings.extend(unchecked.map(|one| format!("unchecked {} {}", one.aspect, one.subject)));
                said.coverage.add(&examined.coverage);
            }
            cx.readers.close().await.unwrap();
            said
        })
    }
}

impl Drop for Twins {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            for (_, name) in self.names.iter() {
                self.bench.say(&self.bench.admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            }
        }
    }
}

/// The folder of the newest programs of a local PostgreSQL.
fn tools() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    folders.map(|folder| folder.path().join("bin")).filter(|bin| bin.join("pg_dump").exists()).max()
}

fn tool(folder: &Path, program: &str, address: &Address, arguments: &[&str]) {
    let Endpoint::Server { host, user, password, database, .. } = &address.endpoint else { unreachable!() };
    let (host, port) = match host {
        Host::Tcp { host, port } => (host.clone(), *port),
        Host::Socket { directory, port } => (directory.display().to_string(), *port),
    };
    let output = Command::new(folder.join(program))
        .env("PGHOST", host)
        .env("PGPORT", port.to_string())
        .env("PGUSER", user)
        .env("PGDATABASE", database)
        .env("PGPASSWORD", password.as_ref().map_or("", |password| password.reveal()))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_database_equals_its_restored_dump_and_nothing_is_left_unchecked() {
    let Some(twins) = Twins::restored("restored dump") else { return };
    let said = twins.look();
    assert_eq!(said.findings, BTreeSet::new());
    assert!(said.coverage.is_whole(), "{}", said.coverage);
    assert!(said.coverage.objects.total > 150 && said.coverage.references.total == 3, "{}", said.coverage);
}

#[test]
fn an_audit_of_the_restored_dump_passes_with_nothing_unchecked() {
    let Some(twins) = Twins::restored("audit of a restored dump") else { return };
    let sandbox = Sandbox::new();
    let urls = twins.addresses().map(|address| url(&address));
    let mut command = sandbox.rehearsal(&["audit", "--source", "env:SOURCE_OF_TWINS", "--target", "env:COPY_OF_TWINS"]);
    command.env("SOURCE_OF_TWINS", &urls.source).env("COPY_OF_TWINS", &urls.target);
    let ended = ended(&mut command);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = sandbox.report("audit");
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(report.coverage.is_whole(), "{}", report.coverage);
    let scenario = &report.scenarios[0];
    assert_eq!((scenario.unchecked.len(), report.findings().count()), (0, 0), "{ended:?}");
}

#[test]
fn every_change_of_the_copy_is_found_and_nothing_else() {
    let Some(twins) = Twins::restored("changes of a copy") else { return };
    let (admin, copy) = (&twins.bench.admin, &twins.names.target);
    let template = format!("{copy}_kept");
    twins.bench.say(admin, &format!("ALTER DATABASE {copy} RENAME TO {template}"));
    let mut wrong = Vec::new();
    for change in changes::CHANGES {
        twins.bench.say(admin, &format!("DROP DATABASE IF EXISTS {copy} WITH (FORCE)"));
        twins.bench.say(admin, &format!("CREATE DATABASE {copy} TEMPLATE {template}"));
        twins.bench.say(&admin.with_database(copy), change.sql);
        let said = twins.look();
        let expected: BTreeSet<String> = change.finds.iter().map(|line| (*line).to_owned()).collect();
        if said.findings != expected {
            wrong.push(format!("{}:\nexpected {expected:#?}\nfound {:#?}", change.sql, said.findings));
        }
    }
    twins.bench.say(admin, &format!("DROP DATABASE {template} WITH (FORCE)"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
