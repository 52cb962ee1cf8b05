//! The processes of a cluster, found by where they work and what they were called with, and not by a number that the
//! system may have given to somebody else since.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path, time::Duration};

use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process},
};
use tokio::time::Instant;

/// How often the processes are looked for while they end.
const PAUSE: Duration = Duration::from_millis(20);

/// Of a longer name of a program the system keeps so many bytes.
const NAME_LENGTH: usize = 15;

/// One process of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// Its number.
    pub(super) pid: Pid,
    parent: Option<Pid>,
}

impl Process {
    fn is_child_of(&self, others: &[Process]) -> bool {
        others.iter().any(|other| self.parent == Some(other.pid))
    }
}

/// Whether processes can be found here at all.
pub(super) fn can_be_found() -> bool {
    Path::new("/proc/self/stat").exists()
}

/// The living processes of these programs that work in a directory or below it.
///
/// A server and its children have their data directory as working directory, and `initdb` the one that we start it in.
/// Root without the right to trace (as in most containers) may not see that of another account's process, but it sees
/// the command lines, in which servers and `initdb` name their directory, and whose children the others are. Someone
/// who only looks around there with a shell is not one of these programs.
pub(super) fn working_in(directory: &Path, programs: &[&str]) -> Vec<Process> {
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf());
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let living = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| of_these(pid, programs));
    let (mut ours, mut rest): (Vec<_>, Vec<_>) =
        living.partition(|process| works_in(process.pid, &directory) || names(process.pid, &directory));
    loop {
        let (children, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|process| process.is_child_of(&ours));
        if children.is_empty() {
            return ours;
        }
        ours.extend(children);
        rest = others;
    }
}

/// The process of this number, if it lives and is one of these programs.
fn of_these(pid: i32, programs: &[&str]) -> Option<Process> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may itself contain some; state and parent follow.
    let (before, after) = line.rsplit_once(") ")?;
    let (_, name) = before.split_once('(')?;
    let mut fields = after.split(' ');
    let is_alive = fields.next()? != "Z";
    let parent = Pid::from_raw(fields.next()?.parse().ok()?);
    let is_one = programs.iter().any(|program| name == &program[..program.len().min(NAME_LENGTH)]);
    (is_alive && is_one).then_some(Process { pid: Pid::from_raw(pid)?, parent })
}

fn works_in(pid: Pid, directory: &Path) -> bool {
    // If somebody deleted the directory under the process, the kernel adds " (deleted)" to its last part.
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|place| {
        let place = place.to_string_lossy();
        Path::new(place.strip_suffix(" (deleted)").unwrap_or(&place)).starts_with(directory)
    })
}

fn names(pid: Pid, directory: &Path) -> bool {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_below = |path: &[u8]| Path::new(OsStr::from_bytes(path)).starts_with(directory);
    // A folder stands by itself, or behind an option's `=`.
    words
        .split(|byte| *byte == 0)
        .any(|word| is_below(word) || word.splitn(2, |byte| *byte == b'=').skip(1).any(is_below))
}

/// Ends them: by the signals that the product knows, with `patience` to comply with the first and half of it with the
/// second, then by `SIGKILL`.
///
/// # Errors
/// If they may not be ended (they belong to another user), or are still there after all that.
pub(super) async fn end(
    directory: &Path,
    programs: &[&str],
    [in_order, at_once]: [Signal; 2],
    patience: Duration,
) -> std::io::Result<()> {
    for (signal, patience) in [(in_order, patience), (at_once, patience / 2)] {
        // Only the first process of each family is asked: it ends its children in order.
        let family = working_in(directory, programs);
        for process in family.iter().filter(|process| !process.is_child_of(&family)) {
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

        end(&inside, &["sleep"], [Signal::INT, Signal::QUIT], Duration::from_secs(5)).await.unwrap();

        assert!(ours.wait().unwrap().code().is_none(), "ended by a signal");
        for bystander in [&mut elsewhere, &mut other_program] {
            assert!(bystander.try_wait().unwrap().is_none());
            bystander.kill().unwrap();
            bystander.wait().unwrap();
        }
    }
}
