//! The processes that a command started, and those that these started: found wherever they went, and ended.

use std::{collections::BTreeSet, fs, time::Duration};

use rustix::process::{self, Pid, Signal};
use tokio::time::Instant;

/// How long processes may take to end after they were asked to.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// A living process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    pid: i32,
    name: String,
}

/// Has this process inherit whatever its descendants leave behind, in whichever session and group that is; or no more.
///
/// # Errors
/// If the system does not know that.
pub(super) fn adopt(is_wanted: bool) -> std::io::Result<()> {
    Ok(process::set_child_subreaper(is_wanted.then(process::getpid))?)
}

/// The living descendants of this process, but for these.
pub(super) fn of_this_process(known: &BTreeSet<i32>) -> Vec<Member> {
    let mut rest: Vec<(Member, i32)> = all().collect();
    let mut parents = BTreeSet::from([process::getpid().as_raw_nonzero().get()]);
    let mut found = Vec::new();
    loop {
        let (children, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, parent)| parents.contains(parent));
        if children.is_empty() {
            return found;
        }
        parents = children.iter().map(|(child, _)| child.pid).collect();
        // What was there before is another's, and so is what that starts.
        parents.retain(|pid| !known.contains(pid));
        found.extend(children.into_iter().map(|(child, _)| child).filter(|child| !known.contains(&child.pid)));
        rest = others;
    }
}

/// The numbers of the processes that are there now.
pub(super) fn numbers() -> BTreeSet<i32> {
    of_this_process(&BTreeSet::new()).into_iter().map(|one| one.pid).collect()
}

/// Ends what is there besides these: they are asked (`SIGTERM`), and then made to (`SIGKILL`). The answer is who they were,
/// as `sleep (1234)`.
pub(super) async fn end(known: &BTreeSet<i32>) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut asked = BTreeSet::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let members = of_this_process(known);
        if members.is_empty() || Instant::now() >= deadline + PATIENCE {
            return told.into_iter().collect();
        }
        for member in members {
            let Some(pid) = Pid::from_raw(member.pid) else { continue };
            // One that is gone by now needs no signal.
            if Instant::now() >= deadline {
                let _ = process::kill_process(pid, Signal::KILL);
            } else if asked.insert(member.pid) {
                let _ = process::kill_process(pid, Signal::TERM);
            }
            told.insert(format!("{} ({})", member.name, member.pid));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Every living process and its parent, from `/proc/PID/stat` (proc(5)).
fn all() -> impl Iterator<Item = (Member, i32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name stands in parentheses and may hold some itself; state and parent follow.
        let (before, after) = line.rsplit_once(") ")?;
        let (_, name) = before.split_once('(')?;
        let mut fields = after.split(' ');
        let is_alive = !matches!(fields.next()?, "Z" | "X");
        let parent = fields.next()?.parse().ok()?;
        is_alive.then(|| (Member { pid, name: name.to_owned() }, parent))
    })
}
