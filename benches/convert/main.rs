//! A key of texts and what refers to it become native UUIDs while others read and write, against one plain ALTER TABLE a table.
//!
//! `cargo bench --bench convert -- --rows 1000000 --provider local` makes a database of users and three tables with three
//! references for each user, and converts a copy of it in each way. A reader and a writer ask for single rows all the time;
//! told is the longest that either waited. It prints a table and ends with 1 if a limit is passed.

#[path = "../arguments.rs"]
mod arguments;
#[path = "../board.rs"]
mod board;
mod convert;
mod plain;
mod probe;
mod schema;
#[path = "../server.rs"]
#[expect(dead_code, reason = "folders and URLs are for benchmarks that start other programs")]
mod server;

use std::process::ExitCode;

use clap::Parser;
use rehearse::{migrate::convert_uuid::Mode, report::prose::count};

use arguments::Common;
use board::Board;
use server::Started;

/// Milliseconds that another session may have to wait beside expand-and-contract.
const BLOCKED_LIMIT: f64 = 1000.0;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Converts a key and its references while others read and write.
#[derive(Parser)]
struct Args {
    /// Users; each of the three tables has three times as many rows.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Rows a batch.
    #[arg(long, default_value_t = 1000)]
    batch_rows: u64,
    #[command(flatten)]
    common: Common,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    arguments::ended(converted(&args)).await
}

async fn converted(args: &Args) -> Result<Board, Error> {
    server::on_postgres(&args.common.provider, async |server| measured(args, server).await).await
}

async fn measured(args: &Args, server: &Started) -> Result<Board, Error> {
    let mut board = Board::new();
    schema::make(server, args.rows).await?;
    let rows = schema::rows(args.rows);

    let quiet = schema::copy(server, "quiet").await?;
    let ((), waited) = probe::beside(&quiet, async {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        Ok(())
    })
    .await?;
    board.plain("longest wait beside nothing: reader, writer", &waited.told());
    schema::drop(server, "quiet").await?;

    let address = schema::copy(server, "plain").await?;
    let (plain, waited) = probe::beside(&address, plain::alter(server)).await?;
    board.plain(&format!("plain ALTER TABLE, {} rows", count(rows)), &rate(rows, plain));
    board.plain("longest wait: reader, writer", &waited.told());
    schema::drop(server, "plain").await?;

    for (mode, name) in [(Mode::InTurn, "in turn"), (Mode::ExpandAndContract, "expand and contract")] {
        let database = "converted";
        let address = schema::copy(server, database).await?;
        let (took, waited) = probe::beside(&address, convert::convert(&address, mode, args.batch_rows)).await?;
        board.plain(&format!("{name}: the change alone"), &rate(rows, took.change));
        board.plain("against plain ALTER TABLE", &format!("{:.2} x", took.change / plain));
        board.plain(&format!("{name}: all, with the look before it and the backup"), &rate(rows, took.all));
        board.plain("against plain ALTER TABLE", &format!("{:.2} x", took.all / plain));
        board.plain("longest wait: reader, writer", &waited.told());
        if mode == Mode::ExpandAndContract {
            board.bounded("expand and contract: longest wait", waited.longest_ms(), "ms", BLOCKED_LIMIT);
        }
        schema::drop(server, database).await?;
    }
    Ok(board)
}

fn rate(rows: u64, seconds: f64) -> String {
    format!("{} rows/s ({seconds:.1} s)", count((rows as f64 / seconds) as u64))
}
