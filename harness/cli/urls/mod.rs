//! URLs of the user's own databases: from a flag, a variable, a file or a service, and never printed with a password.
//!
//! Of the environment nothing has a say about where we go but the places of files: PGSERVICEFILE and PGSYSCONFDIR for
//! services, PGPASSFILE for passwords, and HOME for both and for MariaDB's options. PGHOST, PGUSER, PGPASSWORD, PGSSLMODE
//! and their like are not heard.

mod keywords;
mod option_file;
mod parts;
mod pass_file;
mod redact;
mod sections;
mod service;
mod url;

use std::{env, fs, os::unix::fs::PermissionsExt, path::Path};

pub use redact::{redacted, shown};

use super::tell;
use crate::{engine::Parameter, model::Address, provision::UrlSource};
use parts::Parts;

/// What begins the name of a variable that holds a URL.
const VARIABLE: &str = "env:";
/// What begins the path of a file that holds a URL.
const FILE: &str = "@";
/// What begins the name of a PostgreSQL service.
const SERVICE: &str = "service:";

/// A URL that a flag gave, and how the journal refers to it.
pub struct Given {
    /// Where it is.
    pub address: Address,
    /// `env:NAME`, `file:PATH`, `service:NAME` or `flag`.
    pub reference: String,
}

/// Reads what a flag says: a URL, libpq's `host=… dbname=…`, `env:NAME` or `@PATH` that hold one of these, or
/// `service:NAME`. Warnings (a password that others can see, a file that is not taken) go to stderr, each once.
pub fn given(flag: &str) -> Result<Given, String> {
    let (read, reference) = if let Some(name) = flag.strip_prefix(VARIABLE) {
        (read(&variable(name)?)?, flag.to_owned())
    } else if let Some(path) = flag.strip_prefix(FILE) {
        (from_file(path)?, format!("file:{}", absolute(path)))
    } else if let Some(name) = flag.strip_prefix(SERVICE) {
        (of_service(name)?, flag.to_owned())
    } else {
        let read = read(flag)?;
        if read.says_password && env::args().any(|argument| argument.contains(flag)) {
            tell::once(
                "warning: a password on the command line can be seen by everybody on this machine; hint: put the URL \
                 into a variable and give env:NAME, or into a file that only you may read and give @FILE",
            );
        }
        let reference = read.service.as_ref().map_or_else(|| "flag".to_owned(), |name| format!("{SERVICE}{name}"));
        (read, reference)
    };
    Ok(Given { address: read.address, reference })
}

/// Whether a text is meant as one of these, and not as the path of a file.
pub fn is_one(text: &str) -> bool {
    let text = text.trim();
    text.contains("://")
        || [VARIABLE, FILE, SERVICE].iter().any(|prefix| text.starts_with(prefix))
        || keywords::is_one(text) && !Path::new(text).exists()
}

/// What a text led to.
struct Read {
    address: Address,
    /// The text itself holds a password.
    says_password: bool,
    /// The service that the text consists of.
    service: Option<String>,
}

/// Reads a URL or a connection string; messages never repeat it, since it may hold a password.
fn read(text: &str) -> Result<Read, String> {
    let text = text.trim();
    let parts = if keywords::is_one(text) { keywords::read(text)? } else { url::read(text)? };
    let says_password = parts.says(Parameter::Password);
    let service = parts.only(Parameter::Service);
    Ok(Read { address: parts.whole()?.address()?, says_password, service })
}

fn of_service(name: &str) -> Result<Read, String> {
    let mut parts = Parts::postgres();
    parts.set("service", name)?;
    Ok(Read { address: parts.whole()?.address()?, says_password: false, service: Some(name.to_owned()) })
}

fn from_file(path: &str) -> Result<Read, String> {
    let read = read(&file(path)?)?;
    if read.says_password && is_open_to_others(Path::new(path)) {
        tell::once(&format!("warning: `{path}` holds a password, and others may read it; hint: chmod 600 {path}"));
    }
    Ok(read)
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("the environment has no variable `{name}`"))
}

fn file(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("failed to read a URL from `{path}`: {error}"))
}

/// A path as it is from anywhere.
fn absolute(path: &str) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}

/// Whether the group or everybody may read or write a file.
fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// A file in the user's home.
fn at_home(name: &str) -> Option<std::path::PathBuf> {
    env::var_os("HOME").filter(|home| !home.is_empty()).map(|home| Path::new(&home).join(name))
}

/// Finds URLs again by their references; one that was typed only if it was typed again.
#[derive(Clone, Debug, Default)]
pub struct Urls {
    /// The URL of the flag, if there is one.
    pub typed: Option<Address>,
}

impl UrlSource for Urls {
    fn url(&self, reference: &str) -> Option<Address> {
        let read = match reference.split_once(':') {
            Some(("env", name)) => read(&variable(name).ok()?),
            Some(("file", path)) => from_file(path),
            Some(("service", name)) => of_service(name),
            _ => return self.typed.clone(),
        };
        read.ok().map(|read| read.address)
    }
}

#[cfg(test)]
mod tests;
