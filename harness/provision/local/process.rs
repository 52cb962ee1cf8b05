//! The processes of a cluster, found by where they work and not by a number that the system may have given to somebody
//! else since.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process},
};
use tokio::time::Instant;

/// How often the processes are looked for while they end.
const PAUSE: Duration = Duration::from_millis(20);

/// One process of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// Its number.
    pub(super) pid: Pid,
    parent: i32,
}

/// The living processes of these programs whose working directory is this directory or lies in it.
///
/// The server and all its children work in their data directory, and `initdb` in the one that we start it in. Someone
/// who only looks around there with a shell is not one of these programs.
pub(super) fn working_in(directory: &Path, programs: &[&str]) -> Vec<Process> {
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf());
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| {
            let place = working_directory(pid)?;
            let (name, state, parent) = status(pid)?;
            let is_ours = place.starts_with(&directory) && state != 'Z' && programs.contains(&name.as_str());
            is_ours.then_some(Process { pid: Pid::from_raw(pid)?, parent })
        })
        .collect()
}

fn working_directory(pid: i32) -> Option<PathBuf> {
    let place = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    // The kernel adds this if somebody deleted the directory under the process.
    Some(place.to_str().and_then(|place| place.strip_suffix(" (deleted)")).map_or(place.clone(), PathBuf::from))
}

/// Name, state and parent; the name stands in parentheses and may itself contain some.
fn status(pid: i32) -> Option<(String, char, i32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (before, after) = line.rsplit_once(") ")?;
    let (_, name) = before.split_once('(')?;
    let mut fields = after.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    Some((name.to_owned(), state, parent))
}

/// Ends them: `SIGINT` (the server then cuts its sessions and stops in order) with `patience` to comply, `SIGQUIT` (it
/// stops at once) with half of it, then `SIGKILL`.
///
/// # Errors
/// If they may not be ended (they belong to another user), or are still there after all that.
pub(super) async fn end(directory: &Path, programs: &[&str], patience: Duration) -> std::io::Result<()> {
    for (signal, patience) in [(Signal::INT, patience), (Signal::QUIT, patience / 2)] {
        // Only the first process of each family is asked: it ends its children in order.
        let family = working_in(directory, programs);
        for process in
            family.iter().filter(|process| !family.iter().any(|p| p.pid.as_raw_nonzero().get() == process.parent))
        {
            send(process.pid, signal)?;
        }
        if gone(directory, programs, patience).await {
            return Ok(());
        }
    }
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        for process in working_in(directory, programs) {
            send(process.pid, Signal::KILL)?;
        }
        if gone(directory, programs, PAUSE * 5).await {
            return Ok(());
        }
    }
    Err(std::io::Error::other("processes are still there after SIGKILL"))
}

async fn gone(directory: &Path, programs: &[&str], patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if working_in(directory, programs).is_empty() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn send(pid: Pid, signal: Signal) -> std::io::Result<()> {
    match kill_process(pid, signal) {
        // It went by itself in the meantime.
        Err(Errno::SRCH) => Ok(()),
        result => result.map_err(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[tokio::test]
    async fn only_the_named_programs_in_the_directory_are_ended() {
        let scratch = tempfile::tempdir().unwrap();
        let (inside, outside) = (scratch.path().join("inside"), scratch.path().join("outside"));
        for directory in [&inside, &outside] {
            fs::create_dir(directory).unwrap();
        }
        let start = |program: &str, arguments: &[&str], directory: &Path| {
            Command::new(program).args(arguments).current_dir(directory).stdin(Stdio::null()).spawn().unwrap()
        };
        let mut ours = start("sleep", &["60"], &inside);
        let mut elsewhere = start("sleep", &["60"], &outside);
        let mut other_program = start("tail", &["-f", "/dev/null"], &inside);

        end(&inside, &["sleep"], Duration::from_secs(5)).await.unwrap();

        assert!(ours.wait().unwrap().code().is_none(), "ended by a signal");
        for bystander in [&mut elsewhere, &mut other_program] {
            assert!(bystander.try_wait().unwrap().is_none());
            bystander.kill().unwrap();
            bystander.wait().unwrap();
        }
    }
}
