//! A comparison in a process of its own, so that its peak of memory is its own too.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    process::Stdio,
    time::Instant,
};

use rehearse::{
    canon::comparison,
    check::{Check, CheckContext, Readers, Resources, Surroundings, Tally, checksum::Checksum},
    engine,
    model::{Address, Catalogue, Cause, Finding, FindingKind, Redaction, Side, Sides, Snapshot, Stage},
};
use serde::{Deserialize, Serialize};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{Error, memory::peak_mib};

/// What came of a comparison.
#[derive(Serialize, Deserialize)]
pub struct Compared {
    /// From opening the sessions to the findings.
    pub seconds: f64,
    /// Peak resident memory of the process.
    pub peak_mib: f64,
    /// Rows of both sides that were read.
    pub rows: u64,
    /// What was found.
    pub findings: Vec<Finding>,
    /// How many columns or tables were not compared.
    pub unchecked: usize,
}

impl Compared {
    /// Total of the findings of a kind.
    pub fn total(&self, kind: FindingKind) -> u64 {
        self.findings.iter().filter(|finding| finding.kind == kind).map(|finding| finding.total).sum()
    }

    /// Rows that are shown by name.
    pub fn named(&self) -> usize {
        self.findings.iter().map(|finding| finding.sample.len()).sum()
    }

    /// Values of which this is the cause.
    pub fn caused_by(&self, cause: &Cause) -> u64 {
        let causes = self.findings.iter().flat_map(|finding| &finding.causes);
        causes.filter(|one| one.cause == *cause).map(|one| one.total).sum()
    }
}

/// Compares two databases in a child process.
pub async fn compare(source: &Address, target: &Address) -> Result<Compared, Error> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--compare").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let sides = serde_json::to_vec(&Sides::new(source, target))?;
    child.stdin.take().ok_or("no pipe to the child")?.write_all(&sides).await?;
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        return Err(format!("a comparison ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The catalogue of one side.
async fn catalogue(address: &Address) -> Result<Catalogue, Error> {
    let engine = engine::by_id(address.engine.as_str()).ok_or("no such engine")?;
    let mut session = engine.connect(address).await?;
    let catalogue = session.introspect().await?;
    session.close().await?;
    Ok(catalogue)
}

/// The child: both sides' addresses in, what came of it out.
pub async fn child() -> Result<(), Error> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let addresses: Sides<Address> = serde_json::from_slice(&text)?;
    let started = Instant::now();
    let mut snapshots = BTreeMap::new();
    // As the audit does, both at the same time.
    let (source, target) = tokio::try_join!(catalogue(&addresses.source), catalogue(&addresses.target))?;
    for (side, catalogue) in Sides::new(source, target).into_each() {
        snapshots.insert((Stage::Migrated, side), Snapshot { catalogue, ..Snapshot::default() });
    }
    let catalogue = |side| &snapshots[&(Stage::Migrated, side)].catalogue;
    let same = addresses.source.engine == addresses.target.engine;
    let derived = comparison::derive(catalogue(Side::Source), catalogue(Side::Target), &[], same);
    let resources = Resources::usual("/var/tmp".into());
    let mut cx = CheckContext {
        stage: Stage::Migrated,
        readers: Readers::open(&addresses).await?,
        snapshots: &snapshots,
        derived: &derived,
        tally: Tally::default(),
        not_carried: &[],
        loss_ledger: &[],
        left_out: &[],
        redaction: &Redaction::Show,
        sample: 10,
        resources: &resources,
        writes_source: false,
        changes_source: false,
        surroundings: &Surroundings::default(),
        probes: &[],
        probed: &[],
    };
    let examined = Checksum.run(&mut cx).await?;
    cx.readers.close().await?;
    let compared = Compared {
        seconds: started.elapsed().as_secs_f64(),
        peak_mib: peak_mib("self"),
        rows: examined.coverage.rows.checked,
        findings: examined.findings,
        unchecked: examined.unchecked.len(),
    };
    std::io::stdout().write_all(&serde_json::to_vec(&compared)?)?;
    Ok(())
}
