//! Which process owns a run, told apart from a later one that got the same number.

use std::fs;

use crate::model::event::ProcessStamp;

/// This process.
pub fn current() -> ProcessStamp {
    let pid = std::process::id();
    ProcessStamp { pid, started: started(pid).unwrap_or(0) }
}

/// Whether that very process is still there.
pub fn is_alive(stamp: ProcessStamp) -> bool {
    started(stamp.pid) == Some(stamp.started)
}

/// Start time of a process in clock ticks since boot: field 22 of `/proc/PID/stat` (proc(5)). The name in field 2 may
/// hold blanks and parentheses, so that counting begins behind its last parenthesis. A zombie is not alive.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?;
    if state == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_itself_and_not_a_stranger() {
        let stamp = current();
        assert!(is_alive(stamp));
        assert!(!is_alive(ProcessStamp { started: stamp.started + 1, ..stamp }));
    }
}
