//! SQLite to PostgreSQL, rows with keys and references, against pgloader on the same file and server in the same run.
//!
//! `cargo bench --bench pgloader -- --rows 3200000 --provider local`, after `sh ci/comparers.sh`. It prints a table and ends with
//! 1 if a limit is passed.

#[path = "../arguments.rs"]
mod arguments;
#[path = "../board.rs"]
mod board;
mod file;
#[path = "../memory.rs"]
mod memory;
#[path = "../server.rs"]
mod server;
#[path = "../watch.rs"]
mod watch;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Instant,
};

use clap::Parser;
use rehearse::model::{Address, Endpoint, Host, Report};
use tokio::process::Command;

use arguments::Common;
use board::Board;
use server::Started;

/// Our time against pgloader's.
const TIME_LIMIT: f64 = 0.5;
/// Our peak memory against pgloader's.
const MEMORY_LIMIT: f64 = 0.25;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Copies a SQLite file into PostgreSQL and holds that against pgloader.
#[derive(Parser)]
struct Args {
    /// Rows of the large table.
    #[arg(long, default_value_t = 3_200_000)]
    rows: u64,
    #[command(flatten)]
    common: Common,
}

/// What one program took.
struct Took {
    seconds: f64,
    mib: f64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    arguments::ended(run(&args)).await
}

async fn run(args: &Args) -> Result<Board, Error> {
    server::on_postgres(&args.common.provider, async |server| measured(args, server).await).await
}

async fn measured(args: &Args, server: &Started) -> Result<Board, Error> {
    let source = server.home().join("source.db");
    file::write(&source, args.rows)?;
    let mut board = Board::new();
    let rows = rehearse::report::prose::count(args.rows);
    let theirs = theirs(server, &source, args.rows).await?;
    board.plain(&format!("{rows} rows by pgloader"), &format!("{:.1} s, {:.0} MiB", theirs.seconds, theirs.mib));
    let ours = ours(server, &source, args.rows).await?;
    board.plain(&format!("{rows} rows by rehearse"), &format!("{:.1} s, {:.0} MiB", ours.seconds, ours.mib));
    board.bounded("time / pgloader's", ours.seconds / theirs.seconds, "x", TIME_LIMIT);
    board.bounded("peak memory / pgloader's", ours.mib / theirs.mib, "x", MEMORY_LIMIT);
    Ok(board)
}

/// The step that copies the rows, with keys, reference and index, of a whole rehearsal.
async fn ours(server: &Started, source: &Path, rows: u64) -> Result<Took, Error> {
    let folder = server.home().join("lift");
    fs::create_dir(&folder)?;
    fs::write(folder.join("scenario.toml"), SCENARIO)?;
    fs::write(folder.join("target.sql"), TARGET)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    command
        .env("REHEARSE_STATE_DIR", server.home().join("state"))
        .env("REHEARSE_TARGET_URL", server::url(&server.address(None)))
        .arg("run")
        .arg(&folder)
        .args(["--disposable", "--snapshot"])
        .arg(source)
        .arg("--out")
        .arg(server.home().join("out"))
        .arg("--work-dir")
        .arg(server.home());
    let log = server.home().join("run.log");
    let mut child = command.stdout(Stdio::null()).stderr(fs::File::create(&log)?).kill_on_drop(true).spawn()?;
    let (_, mib) = watch::peaks(&mut child).await?;
    let status = child.wait().await?;
    if !status.success() {
        return Err(format!("rehearse ended with {status}:\n{}", fs::read_to_string(log)?).into());
    }
    let report: Report = serde_json::from_slice(&fs::read(server.home().join("out/lift/latest/report.json"))?)?;
    let steps = report.scenarios.iter().flat_map(|scenario| &scenario.steps);
    let migrated: Vec<_> = steps.filter(|step| step.id.starts_with("migrate/")).collect();
    let copied: u64 = migrated.iter().map(|step| step.rows).max().unwrap_or(0);
    if copied < rows {
        return Err(format!("rehearse copied {copied} rows of {rows}").into());
    }
    Ok(Took { seconds: migrated.iter().map(|step| step.duration_ms as f64 / 1000.0).sum(), mib })
}

const SCENARIO: &str = r#"
format_version = 1
title = "SQLite to PostgreSQL"

[source]
engine = "sqlite"

[target]
engine = "postgres"
schema = "target.sql"

[[step]]
kind = "copy"
"#;

/// The tables, keys and indexes that pgloader makes of the file.
const TARGET: &str = "
CREATE TABLE students (id bigint PRIMARY KEY, name varchar(80) NOT NULL, email text NOT NULL UNIQUE);
CREATE TABLE grades (
    id bigint PRIMARY KEY,
    student_id bigint NOT NULL REFERENCES students (id),
    course varchar(20) NOT NULL,
    points double precision,
    note text,
    graded_at text NOT NULL
);
CREATE INDEX grades_student_id_idx ON grades (student_id);
";

/// pgloader as its package has it, with nothing said: it makes tables, rows, indexes and keys.
async fn theirs(server: &Started, source: &Path, rows: u64) -> Result<Took, Error> {
    let mut session = server.session(None).await?;
    session.execute("CREATE DATABASE theirs").await?;
    session.close().await?;
    let address = server.address(Some("theirs"));
    let mut command = Command::new("pgloader");
    command.arg(format!("sqlite://{}", source.display())).arg(url(&address)).current_dir(server.home());
    let log: PathBuf = server.home().join("pgloader.log");
    let started = Instant::now();
    let spawned = command.stdout(fs::File::create(&log)?).stderr(Stdio::null()).kill_on_drop(true).spawn();
    let mut child = spawned.map_err(|error| format!("failed to start pgloader: {error}; hint: sh ci/comparers.sh"))?;
    let (mib, _) = watch::peaks(&mut child).await?;
    let seconds = started.elapsed().as_secs_f64();
    let status = child.wait().await?;
    let mut session = server.session(Some("theirs")).await?;
    let loaded = session.query("SELECT count(*) FROM grades").await;
    session.close().await?;
    let loaded: u64 = loaded.ok().and_then(|answer| answer.first()?.first()?.as_ref()?.parse().ok()).unwrap_or(0);
    if !status.success() || loaded != rows {
        let said = fs::read_to_string(log)?;
        return Err(format!("pgloader ended with {status} and {loaded} rows of {rows}:\n{said}").into());
    }
    Ok(Took { seconds, mib })
}

/// A database's URL as pgloader reads it.
fn url(address: &Address) -> String {
    let Endpoint::Server { host, user, password, database, .. } = &address.endpoint else { unreachable!("a server") };
    let password = password.as_ref().map_or(String::new(), |password| format!(":{}", password.reveal()));
    match host {
        Host::Tcp { host, port } => format!("postgresql://{user}{password}@{host}:{port}/{database}"),
        Host::Socket { directory, port } => {
            format!("postgresql://{user}{password}@unix:{}:{port}/{database}", directory.display())
        }
    }
}
