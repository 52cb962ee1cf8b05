//! How much memory a program takes while it runs.

use std::{fs, time::Duration};

use tokio::process::Child;

use crate::{Error, memory::peak_mib};

/// How often memory is looked at. The kernel keeps the peak; only what a process gained after the last look is missed.
const WATCH: Duration = Duration::from_millis(10);

/// The peaks in MiB of a process and of those that it starts, until it ends.
pub async fn peaks(child: &mut Child) -> Result<(f64, f64), Error> {
    let own = child.id().ok_or("the program ended at once")?.to_string();
    let (mut run, mut step) = (0.0_f64, 0.0_f64);
    while child.try_wait()?.is_none() {
        run = run.max(peak_mib(&own));
        for started in children(&own) {
            step = step.max(peak_mib(&started));
        }
        tokio::time::sleep(WATCH).await;
    }
    Ok((run, step))
}

/// The processes whose parent this is, from the fourth field of `/proc/*/stat`.
fn children(parent: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().into_string().ok());
    numbers
        .filter(|process| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            // The second field is a name in brackets and may hold anything.
            let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            rest.split_whitespace().nth(1) == Some(parent)
        })
        .collect()
}
