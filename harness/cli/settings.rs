//! Where things are, from flags and environment.

use std::{env, path::PathBuf};

use crate::run::registry::Registry;

/// The registry of runs: `REHEARSE_STATE_DIR`, or `rehearse` in the user's state directory
/// (XDG Base Directory Specification).
pub fn registry() -> Registry {
    let state = env::var_os("REHEARSE_STATE_DIR").map(PathBuf::from).unwrap_or_else(|| {
        let home = || env::var_os("HOME").map_or_else(env::temp_dir, PathBuf::from).join(".local/state");
        env::var_os("XDG_STATE_HOME").map_or_else(home, PathBuf::from).join("rehearse")
    });
    Registry::new(state)
}

/// Where runs keep their own files while they last: databases, so a disk and not memory. `/var/tmp` outlives a restart,
/// which lets `clean` find what was left.
pub fn work_root(flag: Option<PathBuf>) -> PathBuf {
    flag.unwrap_or_else(|| {
        let persistent = PathBuf::from("/var/tmp");
        if persistent.is_dir() { persistent } else { env::temp_dir() }
    })
}
