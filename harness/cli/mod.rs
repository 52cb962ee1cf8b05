//! Floor 6: the door. Only here are arguments, environment and terminal read, and only here is anything printed.
//!
//! stdout is data (summaries, plans, lists, reports); stderr is talk (progress, errors, hints).

mod args;
mod audit;
mod convert;
pub mod exit;
mod find;
mod history;
mod inspect;
mod launch;
mod progress;
mod settings;
mod since;
mod tell;
mod urls;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
};

use clap::Parser;

use args::{Cli, Verb};

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    if let Err(error) = settings::without_drivers_variables() {
        return ExitCode::from(tell::failure(&error, &[], exit::INTERNAL));
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(refused(&error)),
    };
    // Scans block a worker each, and both sides are scanned at once while signals and progress go on.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let code = match runtime {
        Ok(runtime) => {
            let code = catch_unwind(AssertUnwindSafe(|| runtime.block_on(dispatch(cli.verb))));
            // The panic has told itself. A scan that is still blocked when a run was stopped must not hold the process back.
            runtime.shutdown_background();
            code.unwrap_or(exit::INTERNAL)
        }
        Err(error) => tell::failure(&error, &[], exit::INTERNAL),
    };
    ExitCode::from(code)
}

/// Prints help, or what is wrong with the arguments, which may be a URL in a wrong place.
fn refused(error: &clap::Error) -> u8 {
    let text = error.to_string();
    let told = urls::shown(&text);
    if told == text {
        // With its colours, and to stdout if it was asked for.
        let _ = error.print();
    } else {
        tell::say(told.trim_end());
    }
    if error.use_stderr() { exit::USAGE } else { exit::PASS }
}

async fn dispatch(verb: Verb) -> u8 {
    let result = match verb {
        Verb::Run(args) if args.history.migrations.is_some() => history::run(args).await,
        Verb::Run(args) => launch::run(args).await,
        Verb::Audit(args) => audit::audit(args).await,
        Verb::ConvertUuid(args) => convert::convert(args).await,
        Verb::Plan(args) if args.history.migrations.is_some() => history::plan(&args).await,
        Verb::Plan(args) => launch::plan(&args).await,
        Verb::Resume(args) => launch::go_on(args, false).await,
        Verb::Rollback(args) => launch::go_on(args, true).await,
        Verb::Status(args) => inspect::status(&args),
        Verb::Clean(args) => inspect::clean(args).await,
        Verb::Report(args) => inspect::report(&args),
        Verb::List(args) => inspect::list(&args),
        Verb::Explain(args) => inspect::explain(&args),
        Verb::Step => match crate::run::step_process::serve().await {
            Ok(()) => Ok(exit::PASS),
            Err(error) => Err(tell::Failure::new(error, exit::INTERNAL)),
        },
    };
    result.unwrap_or_else(|failure| failure.print())
}
