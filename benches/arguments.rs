//! What every benchmark is told, and how it ends.

use std::process::ExitCode;

use rehearse::model::chain;

use crate::{Error, board::Board};

/// Arguments that all benchmarks take.
#[derive(clap::Args)]
pub struct Common {
    /// Who gives the servers.
    #[arg(long, default_value = "auto", value_parser = ["auto", "container", "local"])]
    pub provider: String,
    /// Cargo says it to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Measures until all is measured or somebody interrupts, and prints the board. Ends with 1 if a limit is passed, and with 2
/// if something could not be measured.
pub async fn ended(measured: impl Future<Output = Result<Board, Error>>) -> ExitCode {
    let result = tokio::select! {
        result = measured => result,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
    };
    match result {
        Ok(board) => {
            println!("{}", board.table);
            ExitCode::from(u8::from(board.is_over))
        }
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::from(2)
        }
    }
}
