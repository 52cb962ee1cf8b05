//! The account under which a server runs.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use tokio::process::Command;

use crate::provision::Unable;

/// Who runs the server and what makes its files. None of them runs as root, so root lends them the account that every
/// distribution's package makes for the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// Whoever runs us.
    Oneself,
    /// The account of the distribution's package; only root may take it.
    Other {
        /// Its user number.
        uid: u32,
        /// The number of its own group.
        gid: u32,
    },
}

impl Account {
    /// The account for this process: oneself, or the product's for root.
    pub(super) fn find(title: &str, name: &str) -> Result<Self, Unable> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Oneself);
        }
        // Such accounts are made by a package and therefore stand in the file; a look-up over the network is not needed.
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        parse(&accounts, name).ok_or_else(|| Unable {
            reason: format!("{title} does not run as root, and there is no account `{name}` to run it as"),
            hint: format!("run as another user, or make the account: useradd --system {name}"),
        })
    }

    /// Makes a command run under this account: by `setuid` between fork and exec, without `sudo` or `su`.
    pub(super) fn run(self, command: &mut Command) {
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
    }

    /// Gives it a file or directory.
    pub(super) fn own(self, path: &Path) -> std::io::Result<()> {
        match self {
            Self::Oneself => Ok(()),
            Self::Other { uid, gid } => std::os::unix::fs::chown(path, Some(uid), Some(gid)),
        }
    }

    /// Whether it can reach what is in a directory: every directory on the way must let it pass.
    pub(super) fn can_reach(self, directory: &Path, name: &str) -> Result<(), Unable> {
        let Self::Other { uid, gid } = self else { return Ok(()) };
        let closed = directory.ancestors().find(|ancestor| {
            // What is not there yet will be made by us.
            fs::metadata(ancestor).is_ok_and(|metadata| {
                let pass = match (metadata.uid() == uid, metadata.gid() == gid) {
                    (true, _) => 0o100,
                    (false, true) => 0o010,
                    (false, false) => 0o001,
                };
                metadata.permissions().mode() & pass == 0
            })
        });
        closed.map_or(Ok(()), |closed| {
            Err(Unable {
                reason: format!("the account `{name}` may not pass through {}", closed.display()),
                hint: format!(
                    "put the run's files elsewhere, or let others pass through it: chmod o+x {}",
                    closed.display()
                ),
            })
        })
    }
}

fn parse(accounts: &str, name: &str) -> Option<Account> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account::Other { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_found_among_others() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\npostgres-exporter:x:9:9::/:/bin/sh\n\
                        postgres:x:104:112:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(parse(accounts, "postgres"), Some(Account::Other { uid: 104, gid: 112 }));
        assert_eq!(parse("root:x:0:0:root:/root:/bin/bash\n", "postgres"), None);
    }

    #[test]
    fn a_closed_directory_on_the_way_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let closed = scratch.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = Account::Other { uid: 4_000_000_000, gid: 4_000_000_000 };
        // `tempdir` itself is closed to others, too; the innermost closed directory is the one to open first.
        let refusal = stranger.can_reach(&closed.join("run"), "postgres").unwrap_err();
        assert!(refusal.reason.ends_with(&closed.display().to_string()), "{}", refusal.reason);
        assert_eq!(Account::Oneself.can_reach(&closed, "postgres"), Ok(()));
    }
}
