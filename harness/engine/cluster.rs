//! What it takes to make a throw-away cluster of an engine from programs that are installed, and to run a server on it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use rustix::process::Signal;

/// How clusters of an engine are made and run.
#[derive(Clone, Copy, Debug)]
pub struct ClusterSpec {
    /// The program that makes one; it lies beside the server, or on the search path.
    pub maker: &'static str,
    /// The account of the distribution's package, which root lends to both programs.
    pub account: &'static str,
    /// What the maker is told: one call after the other, until one succeeds.
    pub make: fn(&ClusterPlace<'_>) -> Vec<Vec<OsString>>,
    /// What the server reads when it starts, beside its data: given the superuser's password. Empty for none.
    pub greeting: fn(password: &str) -> String,
    /// What the server is told.
    pub serve: fn(&ClusterPlace<'_>) -> Vec<OsString>,
    /// The name of its socket, where it listens on this port or would.
    pub socket: fn(port: u16) -> String,
    /// The file beside the data whose first line is the number of the server that runs on them; one that was killed leaves
    /// it.
    pub pid_file: &'static str,
    /// The port in that file, where the socket's name depends on it.
    pub port: fn(pid_file: &str) -> Option<u16>,
    /// The version of the programs that made a cluster, as far as others may run on it.
    pub made_by: fn(data: &Path) -> Option<String>,
    /// Asks the server to cut its sessions and stop in order, then at once.
    pub stop: [Signal; 2],
    /// Whether a killed server leaves memory in the system's keeping, which only the next one on its cluster gives back.
    pub leaves_memory: bool,
    /// What the programs would take from the environment of whoever starts them.
    pub variables: &'static [&'static str],
}

/// Where a cluster lies.
#[derive(Clone, Debug)]
pub struct ClusterPlace<'a> {
    /// Its rows.
    pub data: PathBuf,
    /// The folder of its socket.
    pub socket: PathBuf,
    /// The file of the superuser's password.
    pub password: PathBuf,
    /// The file of what [`ClusterSpec::greeting`] says.
    pub greeting: PathBuf,
    /// The superuser.
    pub superuser: &'a str,
    /// A TCP port on 127.0.0.1, where one is wanted besides the socket.
    pub port: Option<u16>,
}

/// `--data=/a/folder` without a loss where the folder's name is no text.
pub fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push("=");
    option.push(path);
    option
}
