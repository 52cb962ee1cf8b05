//! A database against its own dump, restored on a server of a later version: what the versions themselves put or print in
//! another way is no difference.

use std::process::Command;

use rehearse::model::{Severity, Verdict};

use super::{EVERYTHING, tool, tools};
use crate::{
    checks::bench::url,
    support::{
        Sandbox, ended,
        server::{Started, ask, execute, request},
    },
};

/// A server of this version in a container.
async fn started(test: &str, version: &str) -> Option<Started> {
    let sandbox = Sandbox::new();
    let mut request = request(&sandbox.work());
    request.version = Some(version.to_owned());
    Started::of(test, "container", request, sandbox).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_15_equals_its_dump_restored_on_17() {
    let test = "a_database_of_15_equals_its_dump_restored_on_17";
    let (Some(source), Some(target)) = (started(test, "15").await, started(test, "17").await) else { return };
    let Some(tools) = tools() else {
        println!("skipped: {test}: no pg_dump beside a local server");
        assert!(std::env::var("REHEARSE_REQUIRE").is_err(), "no pg_dump beside a local server");
        return;
    };
    let addresses = [&source, &target].map(|one| one.server.admin.with_database("twins"));
    for one in [&source, &target] {
        one.execute("CREATE DATABASE twins TEMPLATE template0").await;
    }
    execute(&addresses[0], EVERYTHING).await;
    let file = source.sandbox.work().join("twins.dump");
    let file = file.to_str().unwrap();
    tool(&tools, "pg_dump", &addresses[0], &["-Fc", "-f", file]);
    tool(&tools, "pg_restore", &addresses[1], &["-e", "-d", "twins", file]);
    // The library that orders text by language comes with the server's system: of another version, which is a warning.
    let sql = "SELECT collversion FROM pg_collation WHERE collname = 'folding'";
    let mut versions = Vec::new();
    for address in &addresses {
        versions.extend(ask(address, sql).await.into_iter().flatten().flatten());
    }
    assert_ne!(versions[0], versions[1]);
    let sandbox = Sandbox::new();
    let mut command: Command =
        sandbox.rehearsal(&["audit", "--source", "env:TWINS_OF_15", "--target", "env:TWINS_OF_17"]);
    command.env("TWINS_OF_15", url(&addresses[0])).env("TWINS_OF_17", url(&addresses[1]));
    let ended = ended(&mut command);
    let report = sandbox.report("audit");
    assert_eq!((ended.code, report.verdict), (0, Verdict::Pass), "{ended:?}");
    assert!(report.coverage.is_whole() && report.scenarios[0].unchecked.is_empty(), "{ended:?}");
    let found: Vec<_> = report.findings().map(|(_, finding)| (finding.severity, finding.subject.to_string())).collect();
    assert_eq!(found, [(Severity::Warning, "target collation:folding".to_owned())], "{ended:?}");
    source.leases.release(&Default::default()).await;
    target.leases.release(&Default::default()).await;
}
