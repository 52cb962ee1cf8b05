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

/// Variables that PostgreSQL's driver takes from the environment, and that an address cannot overrule: PGOPTIONS would be
/// sent to the server with every session, before the settings that are ours, and the others are files of certificates.
const DRIVERS_OWN: &[&str] = &["PGOPTIONS", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"];

/// Starts this program again without the driver's own variables, if one is set: they can be taken out of the environment
/// of a new process only.
///
/// # Errors
/// If the program cannot be started again; it does not come back otherwise.
pub fn without_drivers_variables() -> io::Result<()> {
    if DRIVERS_OWN.iter().all(|name| env::var_os(name).is_none()) {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let mut again = Command::new(env::current_exe()?);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    for name in DRIVERS_OWN {
        again.env_remove(name);
    }
    Err(again.args(arguments).exec())
}

/// Where runs keep their own files while they last: databases, so a disk and not memory. `/var/tmp` outlives a restart,
/// which lets `clean` find what was left.
pub fn work_root(flag: Option<PathBuf>) -> PathBuf {
    flag.unwrap_or_else(|| {
        let persistent = PathBuf::from("/var/tmp");
        if persistent.is_dir() { persistent } else { env::temp_dir() }
    })
}
