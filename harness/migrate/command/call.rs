//! Runs one command to its end: without a shell, within its time, with what it prints kept, and nothing left behind.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::process::Command;

use super::{
    Settings, family,
    kept::{Kept, Reading, without},
};
use crate::migrate::variables::Variables;

/// How much of the beginning and of the end of what a command prints is kept.
const KEPT: usize = 256 * 1024;
/// How much a command that lists may print.
const LISTED: usize = 1024 * 1024;
/// How many of its last lines are told where it failed, and how long one may be.
const LINES: usize = 5;
const WIDTH: usize = 300;

/// A command that ended as it should.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    /// What it printed on its standard output, where that was asked for.
    pub printed: String,
    /// Processes that it left behind and that were ended.
    pub left: Vec<String>,
    /// How many bytes it printed.
    pub bytes: u64,
}

/// Why a command did not end as it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// It did not begin.
    #[error("failed to run `{program}`: {source}")]
    NotBegun {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It ended with an error, or not at all.
    #[error("`{command}` {how}{left}{said}")]
    Failed {
        /// Program and arguments.
        command: String,
        /// As a verb phrase: `ended with exit code 3`.
        how: String,
        /// What it left behind, as the end of a sentence.
        left: String,
        /// The last that it printed, as the end of a sentence.
        said: String,
    },
}

/// What a command is called with.
pub(super) struct Call<'a> {
    /// The settings that it is from.
    pub settings: &'a Settings,
    /// Program and arguments, words in braces not yet filled in.
    pub words: &'a [String],
    /// What it is told.
    pub variables: &'a Variables,
    /// The file that keeps what is printed.
    pub log: Option<&'a Path>,
    /// Whether what it prints on its standard output is wanted.
    pub is_read: bool,
}

/// Runs a command to its end.
///
/// # Errors
/// If it could not be begun, ended with an error or by a signal, or took longer than it may.
pub(super) async fn call(call: &Call<'_>) -> Result<Ended, CallError> {
    let Call { settings, variables, .. } = call;
    let words: Vec<String> = call.words.iter().map(|word| variables.filled(word)).collect();
    let (program, arguments) = words.split_first().map_or(("", &[][..]), |(program, rest)| (program.as_str(), rest));
    let not_begun = |source| CallError::NotBegun { program: program.to_owned(), source };
    let known = family::numbers();
    let started = Instant::now();
    let (both, writer) = std::io::pipe().map_err(not_begun)?;
    let mut read = None;
    let mut command = Command::new(program_of(program, &settings.folder));
    command.stderr(writer.try_clone().map_err(not_begun)?);
    if call.is_read {
        let (listed, writer) = std::io::pipe().map_err(not_begun)?;
        command.stdout(writer);
        read = Some(Reading::start(listed, Kept::new(LISTED, variables.secrets())));
    } else {
        command.stdout(writer.try_clone().map_err(not_begun)?);
    }
    drop(writer);
    let reading = Reading::start(both, Kept::new(KEPT, variables.secrets()));
    command.args(arguments).envs(variables.environment()).current_dir(&settings.folder).stdin(Stdio::null());
    // A group of its own: a Ctrl-C in the terminal is for us, who then end it in order.
    let mut child = command.process_group(0).spawn().map_err(not_begun)?;
    // It holds our ends of the pipes, and they would never end.
    drop(command);
    let limit = settings.deadline_ms.map(Duration::from_millis);
    let status = match limit {
        Some(limit) => tokio::time::timeout(limit, child.wait()).await.ok(),
        None => Some(child.wait().await),
    };
    let own = child.id();
    let mut left = family::end(&known).await;
    left.retain(|one| !own.is_some_and(|pid| one.ends_with(&format!("({pid})"))));
    if status.is_none() {
        // It was ended just now, and waits to be asked how.
        let _ = child.wait().await;
    }
    let kept = reading.end().await;
    let listed = match read {
        Some(read) => Some(read.end().await),
        None => None,
    };
    let line = without(&words.join(" "), variables.secrets());
    let how = how(status.as_ref(), limit);
    let told = Told { line: &line, how: how.as_deref().unwrap_or("ended with exit code 0"), left: &left };
    if let Some(log) = call.log {
        // What was done counts, whether or not it can be written down.
        let _ = told.write(log, &kept, listed.as_ref(), started.elapsed());
    }
    let failed = |how: String| CallError::Failed {
        command: line.clone(),
        how,
        left: if left.is_empty() { String::new() } else { format!(", leaving {} behind", left.join(", ")) },
        said: last_lines(&kept.text()),
    };
    if let Some(how) = how {
        return Err(failed(how));
    }
    let bytes = kept.total() + listed.as_ref().map_or(0, Kept::total);
    match listed {
        Some(listed) if listed.cut() > 0 => Err(failed(format!("printed {} bytes, which is no list", listed.total()))),
        listed => Ok(Ended { printed: listed.map(|one| one.text()).unwrap_or_default(), left, bytes }),
    }
}

/// A program with a path is meant from the folder that it runs in.
fn program_of(program: &str, folder: &Path) -> PathBuf {
    if program.contains('/') { folder.join(program) } else { PathBuf::from(program) }
}

/// How it ended, where that is not as it should.
fn how(status: Option<&std::io::Result<ExitStatus>>, limit: Option<Duration>) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;
    match (status, limit) {
        (None, limit) => {
            let ms = limit.map_or(0, |limit| limit.as_millis());
            let told = if ms % 1000 == 0 { format!("{} s", ms / 1000) } else { format!("{ms} ms") };
            Some(format!("did not end within {told}, and was ended"))
        }
        (Some(Err(error)), _) => Some(format!("ended nobody knows how: {error}")),
        (Some(Ok(status)), _) if status.success() => None,
        (Some(Ok(status)), _) => Some(match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => format!("ended: {status}"),
        }),
    }
}

/// `; it said: …`.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    if last.is_empty() {
        return "; it said nothing".to_owned();
    }
    let cut = |line: &&str| line.chars().filter(|c| !c.is_control()).take(WIDTH).collect::<String>();
    format!("; it said: {}", last.iter().map(cut).collect::<Vec<_>>().join(" | "))
}

/// What is written about a command.
struct Told<'a> {
    line: &'a str,
    how: &'a str,
    left: &'a [String],
}

impl Told<'_> {
    fn write(&self, log: &Path, kept: &Kept, listed: Option<&Kept>, took: Duration) -> std::io::Result<()> {
        if let Some(folder) = log.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut text = format!("$ {}\n", self.line);
        for part in [Some(kept), listed].into_iter().flatten() {
            text.push_str(&part.text());
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        for left in self.left {
            text.push_str(&format!("[left behind and ended: {left}]\n"));
        }
        text.push_str(&format!("[{} after {} ms]\n\n", self.how, took.as_millis()));
        OpenOptions::new().create(true).append(true).open(log)?.write_all(text.as_bytes())
    }
}
