//! Where things are, from flags and environment.

use std::{env, io, os::unix::process::CommandExt, path::PathBuf, process::Command};

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

/// Starts this program again without PGOPTIONS, if that is set: the driver would send it to the server with every session,
/// before the settings that are ours, and it can be taken out of the environment of a new process only.
///
/// # Errors
/// If the program cannot be started again; it does not come back otherwise.
pub fn without_session_options() -> io::Result<()> {
    const OPTIONS: &str = "PGOPTIONS";
    if env::var_os(OPTIONS).is_none() {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let mut again = Command::new(env::current_exe()?);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    Err(again.args(arguments).env_remove(OPTIONS).exec())
}

/// Where runs keep their own files while they last: databases, so a disk and not memory. `/var/tmp` outlives a restart,
/// which lets `clean` find what was left.
pub fn work_root(flag: Option<PathBuf>) -> PathBuf {
    flag.unwrap_or_else(|| {
        let persistent = PathBuf::from("/var/tmp");
        if persistent.is_dir() { persistent } else { env::temp_dir() }
    })
}
