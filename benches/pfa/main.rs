//! PFA Vanguard at full size, against the limits that this project sets itself, all in the same run.
//!
//! `cargo bench --bench pfa -- --rows 1000000 --provider local` rehearses with a tenth of the rows, with all of them and
//! with the scenario's own 67, on one server that it starts first. It prints a table and ends with 1 if a limit is passed.

#[path = "../arguments.rs"]
mod arguments;
#[path = "../board.rs"]
mod board;
mod copy;
#[path = "../memory.rs"]
mod memory;
mod program;
#[path = "../server.rs"]
mod server;
#[path = "../watch.rs"]
mod watch;

use std::process::ExitCode;

use clap::Parser;

use arguments::Common;
use board::Board;
use program::Rehearsed;
use server::Started;

/// The import may take this many times as long as the server's own COPY of the same rows plus its keys.
const IMPORT_LIMIT: f64 = 2.0;
/// Peak memory of `rehearse` and its step process together, in MiB.
const MEMORY_LIMIT: f64 = 300.0;
/// Peak memory with all rows against a tenth of them: the same but for what an allocator scatters.
const GROWTH_LIMIT: f64 = 1.1;
/// A rehearsal of the 67 rows on a running server, in seconds.
const SMALL_LIMIT: f64 = 3.0;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Rehearses PFA Vanguard at full size and holds it against the limits.
#[derive(Parser)]
struct Args {
    /// Rows of the large rehearsal; the smaller one has a tenth.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// The root seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    common: Common,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    arguments::ended(rehearsed(&args)).await
}

async fn rehearsed(args: &Args) -> Result<Board, Error> {
    server::on_postgres(&args.common.provider, async |server| measured(args, server).await).await
}

async fn measured(args: &Args, server: &Started) -> Result<Board, Error> {
    let mut board = Board::new();
    let tiny = program::rehearse(server, None, args.seed).await?;
    board.bounded("67 rows, whole rehearsal", tiny.seconds, "s", SMALL_LIMIT);
    program::clean(server, &tiny).await?;

    let tenth = program::rehearse(server, Some(args.rows / 10), args.seed).await?;
    rates(&mut board, &tenth);
    board.bounded(&tenth.named("peak memory"), tenth.memory_mib(), "MiB", MEMORY_LIMIT);
    program::clean(server, &tenth).await?;

    let full = program::rehearse(server, Some(args.rows), args.seed).await?;
    rates(&mut board, &full);
    board.bounded(&full.named("peak memory"), full.memory_mib(), "MiB", MEMORY_LIMIT);
    board.bounded("peak memory, all rows / a tenth", full.memory_mib() / tenth.memory_mib(), "x", GROWTH_LIMIT);
    board.plain("of it the run, and its step", &format!("{:.0} + {:.0} MiB", full.run_mib, full.step_mib));

    let bare = copy::measure(server, copy::Keys::Afterwards).await?;
    let referred = copy::measure(server, copy::Keys::ReferencesAfterwards).await?;
    let held = copy::measure(server, copy::Keys::InPlace).await?;
    program::clean(server, &full).await?;
    let import = full.figure("import_ms")? / 1000.0;
    board.plain(&full.named("import"), &format!("{import:.1} s"));
    board.plain("the server's own COPY, then its keys", &format!("{:.1} + {:.1} s", bare.copy, bare.keys));
    board.bounded("import / COPY, then keys", import / (bare.copy + bare.keys), "x", IMPORT_LIMIT);
    let seconds = referred.copy + referred.keys;
    board.plain("import / COPY, then references", &format!("{:.2} x ({seconds:.1} s)", import / seconds));
    board.plain("import / COPY with keys in place", &format!("{:.2} x", import / held.copy));
    Ok(board)
}

/// The rates of a rehearsal's phases.
fn rates(board: &mut Board, run: &Rehearsed) {
    board.plain(&run.named("whole rehearsal"), &format!("{:.1} s", run.seconds));
    for (phase, rate) in run.rates() {
        board.plain(&run.named(&phase), &format!("{} rows/s", rehearse::report::prose::count(rate)));
    }
}
