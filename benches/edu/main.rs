//! The grades of `edu-v2` copied through their mapping, keys and foreign keys included, against what the server itself takes in
//! the same run for a binary COPY of the same rows into bare tables and the keys after it.
//!
//! `cargo bench --bench edu` fills the legacy database, plays the scenario's steps up to the grades, and then the grades in a
//! process of their own, whose peak of memory is measured. It prints a table and ends with 1 if a limit is passed.

#[path = "../arguments.rs"]
mod arguments;
#[path = "../board.rs"]
mod board;
#[path = "../memory.rs"]
mod memory;
mod own;
#[path = "../server.rs"]
#[expect(dead_code, reason = "other benchmarks ask for URLs")]
mod server;
#[path = "../step.rs"]
mod step;

use std::{path::Path, process::ExitCode};

use clap::Parser;
use rehearse::{
    canon::Seed,
    dataset::Volume,
    model::{Address, Sides},
    report::prose::count,
    scenario::{self, Scenario},
};

use arguments::Common;
use board::Board;
use server::Started;

/// The copy may take this many times as long as the server's own COPY and the keys after it.
const COPY_LIMIT: f64 = 1.5;
/// Peak memory of the copy, in MiB.
const MEMORY_LIMIT: f64 = 400.0;
const SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/edu-v2");
/// The step that is measured.
const MEASURED: &str = "grades";

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Copies the grades of an education system, and holds that against the server's own COPY.
#[derive(Parser)]
struct Args {
    /// The scale: 3,209,747 grades at 1.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// How often both are measured; the best of each counts.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    times: u64,
    /// Run the step that comes by standard input.
    #[arg(long, hide = true)]
    step: bool,
    #[command(flatten)]
    common: Common,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if args.step {
        return step::ended().await;
    }
    arguments::ended(run(&args)).await
}

async fn run(args: &Args) -> Result<Board, Error> {
    server::on_postgres(&args.common.provider, async |server| measured(args, server).await).await
}

async fn measured(args: &Args, server: &Started) -> Result<Board, Error> {
    let mut board = Board::new();
    let scenario = scenario::read(Path::new(SCENARIO))?;
    let addresses = Sides::new(server.address(Some("legacy")), server.address(Some("edu_v2")));
    fill(server, &scenario, args.scale, &addresses).await?;
    let mut copied: Option<step::Copied> = None;
    for spec in &scenario.steps {
        if spec.name != MEASURED {
            step::forward(server.home(), spec, &addresses).await?;
            continue;
        }
        for time in 0..args.times {
            if time > 0 {
                step::back(server.home(), spec, &addresses).await?;
            }
            server.session(None).await?.execute("CHECKPOINT").await?;
            let one = step::forward(server.home(), spec, &addresses).await?;
            eprintln!("{} rows copied in {:.1} s", count(one.rows), one.seconds);
            copied = Some(match copied {
                Some(best) if best.seconds <= one.seconds => {
                    step::Copied { peak_mib: best.peak_mib.max(one.peak_mib), ..best }
                }
                _ => one,
            });
        }
        break;
    }
    let copied = copied.ok_or("the scenario has no such step")?;
    let own = own::measure(server, args.times).await?;
    board.plain("rows", &count(copied.rows));
    board.plain("the copy, with its keys", &format!("{:.1} s", copied.seconds));
    board.plain("the server's own COPY, then its keys", &format!("{:.1} + {:.1} s", own.copy, own.keys));
    board.bounded("copy / COPY, then keys", copied.seconds / (own.copy + own.keys), "x", COPY_LIMIT);
    board.bounded("peak memory", copied.peak_mib, "MiB", MEMORY_LIMIT);
    Ok(board)
}

/// Makes and fills both databases as a rehearsal does.
async fn fill(server: &Started, scenario: &Scenario, scale: f64, addresses: &Sides<Address>) -> Result<(), Error> {
    let mut admin = server.session(None).await?;
    for name in ["legacy", "edu_v2"] {
        admin.execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).await?;
    }
    let mut source = server.engine().connect(&addresses.source).await?;
    for file in &scenario.source.schema {
        source.execute(&file.text).await?;
    }
    let dataset = scenario.source.dataset.as_ref().ok_or("the scenario has no dataset")?;
    let volume = Volume { scale, rows: None };
    let plans =
        dataset.bind(&source.introspect().await?, &volume, Seed::root(1)).map_err(|problems| problems.to_string())?;
    for plan in &plans {
        source.load(&plan.table, &plan.columns, &mut plan.source()).await?;
    }
    if let Some(file) = &scenario.source.rows {
        source.execute(&file.text).await?;
    }
    source.execute("VACUUM (ANALYZE)").await?;
    let mut target = server.engine().connect(&addresses.target).await?;
    for file in &scenario.target.schema {
        target.execute(&file.text).await?;
    }
    Ok(())
}
