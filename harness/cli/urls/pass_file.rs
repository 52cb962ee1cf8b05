//! PostgreSQL's pass files (<https://www.postgresql.org/docs/current/libpq-pgpass.html>): `host:port:database:user:password`
//! a line, `*` for any, a backslash before a colon or backslash that is meant.

use std::{env, fs, path::PathBuf};

use super::{at_home, is_open_to_others};
use crate::{cli::tell, model::Host};

/// The directory in which a server of the machine's own has its socket, which such files call `localhost`.
const SOCKETS: &[&str] = &["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// The password of the first line that fits: from this file, else PGPASSFILE, else `~/.pgpass`.
///
/// A file that others may read is left alone, as libpq does, and that is said.
pub(super) fn find(file: Option<&str>, host: &Host, database: &str, user: &str) -> Option<String> {
    let path = file.map(PathBuf::from).or_else(|| env::var_os("PGPASSFILE").map(PathBuf::from));
    let path = path.or_else(|| at_home(".pgpass"))?;
    let metadata = fs::metadata(&path).ok()?;
    let shown = path.display();
    if !metadata.is_file() {
        tell::once(&format!("warning: the pass file `{shown}` is no plain file, and is not taken"));
        return None;
    }
    if is_open_to_others(&path) {
        tell::once(&format!(
            "warning: the pass file `{shown}` is not taken, because others may read it; hint: chmod 600 {shown}"
        ));
        return None;
    }
    let text = fs::read_to_string(&path)
        .inspect_err(|error| tell::once(&format!("warning: failed to read the pass file `{shown}`: {error}")))
        .ok()?;
    lookup(&text, host, database, user)
}

fn lookup(text: &str, host: &Host, database: &str, user: &str) -> Option<String> {
    let (host, port) = match host {
        Host::Tcp { host, port } => (host.clone(), port),
        Host::Socket { directory, port } => {
            let directory = directory.display().to_string();
            (if SOCKETS.contains(&&*directory) { "localhost".to_owned() } else { directory }, port)
        }
    };
    let wanted = [host, port.to_string(), database.to_owned(), user.to_owned()];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = fields(line).into_iter();
        let fits = wanted.iter().all(|wanted| {
            fields.next().is_some_and(|(field, is_escaped)| (field == "*" && !is_escaped) || field == *wanted)
        });
        fits.then(|| fields.next()).flatten().map(|(password, _)| password)
    })
}

/// The fields of a line, and whether each holds an escape.
fn fields(line: &str) -> Vec<(String, bool)> {
    let mut fields = vec![(String::new(), false)];
    let mut signs = line.chars();
    while let Some(sign) = signs.next() {
        let last = fields.len() - 1;
        match sign {
            '\\' => {
                fields[last].0.extend(signs.next());
                fields[last].1 = true;
            }
            // Behind the fourth colon is the password, in which libpq takes a colon for the end as well.
            ':' => fields.push((String::new(), false)),
            sign => fields[last].0.push(sign),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str, host: &str, database: &str) -> Option<String> {
        let host = if host.starts_with('/') {
            Host::Socket { directory: host.into(), port: 5432 }
        } else {
            Host::Tcp { host: host.to_owned(), port: 5432 }
        };
        lookup(text, &host, database, "me")
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        let text = "# a comment\nother:5432:app:me:wrong\ndb:5432:app:me:first\ndb:*:*:*:second\n*:1:*:*:port";
        assert_eq!(password(text, "db", "app").as_deref(), Some("first"));
        assert_eq!(password(text, "db", "else").as_deref(), Some("second"));
        assert_eq!(password(text, "elsewhere", "app"), None);
    }

    #[test]
    fn escapes_are_plain_signs() {
        let text = r"\:\:1:5432:a\\b:me:p\:w\\d";
        assert_eq!(password(text, "::1", r"a\b").as_deref(), Some(r"p:w\d"));
        assert_eq!(password(r"\*:5432:app:me:star", "db", "app"), None);
        assert_eq!(password("db:5432:app", "db", "app"), None);
    }

    #[test]
    fn the_usual_socket_is_called_localhost() {
        assert_eq!(password("localhost:5432:*:me:pw", "/run/postgresql", "app").as_deref(), Some("pw"));
        assert_eq!(password("/srv/pg:5432:*:me:pw", "/srv/pg", "app").as_deref(), Some("pw"));
        assert_eq!(password("localhost:5432:*:me:pw", "/srv/pg", "app"), None);
    }
}
