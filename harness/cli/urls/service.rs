//! PostgreSQL's service files (<https://www.postgresql.org/docs/current/libpq-pgservice.html>): PGSERVICEFILE or
//! `~/.pg_service.conf`, then the system's own.

use std::{env, fs, io, path::PathBuf};

use super::{at_home, parts::Parts, sections};
use crate::{document, engine::Parameter};

const NAME: &str = "pg_service.conf";

/// Where distributions keep the system's service file if PGSYSCONFDIR does not say it.
const SYSTEM: &[&str] = &["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/usr/local/pgsql/etc", "/etc"];

/// Fills in what a service says and nothing else has said.
pub(super) fn fill(parts: &mut Parts, name: &str) -> Result<(), String> {
    if !parts.is_postgres() {
        return Err("services are PostgreSQL's".to_owned());
    }
    let (mut looked_in, mut others) = (Vec::new(), Vec::new());
    for path in files() {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("failed to read the service file `{}`: {error}", path.display())),
        };
        if let Some(lines) = sections::section(&text, name) {
            return lines.iter().try_for_each(|line| {
                take(parts, line).map_err(|problem| format!("`{}`, line {}: {problem}", path.display(), line.number))
            });
        }
        others
            .extend(text.lines().filter_map(|line| Some(line.trim().strip_prefix('[')?.strip_suffix(']')?.to_owned())));
        looked_in.push(format!("`{}`", path.display()));
    }
    Err(match (looked_in.as_slice(), document::nearest(name, others.iter().map(String::as_str))) {
        ([], _) => {
            format!(
                "there is no service file for the service `{name}`; expected ~/.pg_{}, or PGSERVICEFILE",
                &NAME[3..]
            )
        }
        (files, Some(nearest)) => {
            format!("no service is called `{name}` in {}; did you mean `{nearest}`?", files.join(", "))
        }
        (files, None) => format!("no service is called `{name}` in {}", files.join(", ")),
    })
}

fn take(parts: &mut Parts, line: &sections::Line<'_>) -> Result<(), String> {
    let value = line.value.ok_or_else(|| format!("`{}` has no value; expected {}=…", line.key, line.key))?;
    match parts.urls().parameter(line.key) {
        Some(Parameter::Service) => Err("a service cannot name another one".to_owned()),
        Some(parameter) => {
            parts.fill(parameter, value);
            Ok(())
        }
        // Says what it is, with the nearest.
        None => parts.set(line.key, value),
    }
}

/// The files in the order in which they are asked.
fn files() -> Vec<PathBuf> {
    let own = env::var_os("PGSERVICEFILE").map(PathBuf::from).or_else(|| at_home(&format!(".{NAME}")));
    let system = match env::var_os("PGSYSCONFDIR") {
        Some(directory) => vec![PathBuf::from(directory)],
        None => SYSTEM.iter().map(PathBuf::from).collect(),
    };
    own.into_iter().chain(system.into_iter().map(|directory| directory.join(NAME))).collect()
}
