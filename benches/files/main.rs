//! Tables out into files and in again, in every form, with so many rows and ten times as many: memory must not grow with them.
//!
//! `cargo bench --bench files` measures each step in a process of its own. It prints a table and ends with 1 if a limit is
//! passed.

#[path = "../arguments.rs"]
mod arguments;
#[path = "../board.rs"]
mod board;
#[path = "../memory.rs"]
mod memory;
#[path = "../step.rs"]
mod step;

use std::{fs, path::Path, process::ExitCode};

use clap::Parser;
use rehearse::{
    engine,
    model::{Address, Endpoint, EngineId, Sides},
    report::prose::count,
    scenario::{self, Scenario},
};

use board::Board;
use step::Copied;

/// Peak memory of a step with ten times the rows, against that with the rows.
const GROWTH_LIMIT: f64 = 1.1;
/// Peak memory of a step, in MiB.
const MEMORY_LIMIT: f64 = 64.0;
const TIMES: u64 = 10;
const FORMS: [&str; 4] = ["csv", "ndjson", "json", "xlsx"];

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Writes tables into files and reads them again, and holds the memory of both against limits.
#[derive(Parser)]
struct Args {
    /// Rows of the smaller table.
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// Run the step that comes by standard input.
    #[arg(long, hide = true)]
    step: bool,
    #[command(flatten)]
    common: arguments::Common,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if args.step {
        return step::ended().await;
    }
    arguments::ended(measured(&args)).await
}

async fn measured(args: &Args) -> Result<Board, Error> {
    let mut board = Board::new();
    for form in FORMS {
        let few = there_and_back(form, args.rows).await?;
        let many = there_and_back(form, args.rows * TIMES).await?;
        for (way, few, many) in [("out", &few.0, &many.0), ("in", &few.1, &many.1)] {
            let rows = count(args.rows * TIMES);
            board.plain(&format!("{form} {way}, {rows} rows"), &format!("{:.1} s", many.seconds));
            board.bounded(&format!("{form} {way}: peak memory"), many.peak_mib, "MiB", MEMORY_LIMIT);
            let growth = many.peak_mib / few.peak_mib;
            board.bounded(&format!("{form} {way}: against a tenth of the rows"), growth, "x", GROWTH_LIMIT);
        }
    }
    Ok(board)
}

/// A table out into a file, and that into another database.
async fn there_and_back(form: &str, rows: u64) -> Result<(Copied, Copied), Error> {
    let home = tempfile::Builder::new().prefix("rh-bench").tempdir_in("/var/tmp")?;
    let home = home.path();
    let scenario = scenario(home, form)?;
    let [source, target] = ["source.db", "target.db"]
        .map(|name| Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(home.join(name)) });
    let addresses = Sides::new(source, target);
    let rows = format!(
        "INSERT INTO notes WITH RECURSIVE n (v) AS (VALUES (1) UNION ALL SELECT v + 1 FROM n WHERE v < {rows})
         SELECT v, 'note ' || v, v / 7.0, CASE WHEN v % 3 > 0 THEN hex(randomblob(20)) END FROM n"
    );
    for (address, rows) in [(&addresses.source, rows.as_str()), (&addresses.target, "SELECT 1")] {
        let mut session = engine::by_id("sqlite").ok_or("no such engine")?.connect(address).await?;
        session.execute(&format!("{TABLE}; {rows}")).await?;
        session.close().await?;
    }
    let [out, back] = scenario.steps.as_slice() else { return Err("two steps are played".into()) };
    let went = (step::forward(home, out, &addresses).await?, step::forward(home, back, &addresses).await?);
    step::back(home, back, &addresses).await?;
    step::back(home, out, &addresses).await?;
    Ok(went)
}

const TABLE: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL, share REAL, mark TEXT)";

/// Two steps of a scenario: out and in.
fn scenario(home: &Path, form: &str) -> Result<Scenario, Error> {
    let folder = home.join("scenario");
    fs::create_dir(&folder)?;
    fs::write(folder.join("schema.sql"), TABLE)?;
    let text = format!(
        "format_version = 1\ntitle = \"There and back\"\n[source]\nengine = \"sqlite\"\nschema = \"schema.sql\"\n\
         [target]\nengine = \"sqlite\"\nschema = \"schema.sql\"\n\
         [[step]]\nname = \"out\"\nkind = \"files\"\nact = \"export\"\nformat = \"{form}\"\n\
         [[step]]\nname = \"in\"\nkind = \"files\"\nact = \"import\"\nfrom = \"out\"\n"
    );
    fs::write(folder.join("scenario.toml"), text)?;
    Ok(scenario::read(&folder)?)
}
