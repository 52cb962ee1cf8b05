//! Looks through a plain dump before psql gets it: is it whole, which roles does it name, and does it tell psql to do
//! anything but run SQL.

use std::{collections::BTreeSet, fs::File, io::BufReader, path::Path};

use crate::{engine::dump::next_line, model::TableName};

/// What the last lines of a whole dump say.
pub(super) const COMPLETE: &str = "-- PostgreSQL database dump complete";

/// What a whole dump holds.
#[derive(Debug, Default)]
pub(in crate::engine::postgres) struct Scanned {
    /// The roles that it names.
    pub roles: BTreeSet<String>,
    /// The tables that it makes, each in its schema.
    pub tables: BTreeSet<TableName>,
    /// The tables that it fills.
    pub filled: BTreeSet<TableName>,
}

/// Looks through a dump.
///
/// # Errors
/// Why it is not restored, as a verb phrase.
pub(in crate::engine::postgres) fn scan(path: &Path) -> Result<Scanned, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut lines = BufReader::with_capacity(1 << 16, file);
    let (mut scanned, mut is_data, mut is_complete) = (Scanned::default(), false, false);
    let mut number = 0_u64;
    while let Some(line) = next_line(&mut lines).map_err(|error| format!("cannot be read: {error}"))? {
        number += 1;
        let text = String::from_utf8_lossy(&line);
        if is_data {
            is_data = text != "\\.";
        } else if text.starts_with("COPY ") && text.ends_with(" FROM stdin;") {
            is_data = true;
            scanned.filled.extend(text.strip_prefix("COPY ").and_then(in_schema));
        } else if let Some(command) = text.strip_prefix('\\') {
            let word = command.split_whitespace().next().unwrap_or_default();
            if !matches!(word, "restrict" | "unrestrict") {
                return Err(format!("tells psql to `\\{word}` in line {number}, which is no SQL and is not done here"));
            }
        } else {
            scanned.roles.extend(named(&text));
            scanned.tables.extend(made(&text));
            is_complete |= text == COMPLETE;
        }
    }
    match (is_data, is_complete) {
        (true, _) => Err("is cut off: the rows of its last COPY have no end".to_owned()),
        (false, false) => Err(format!("is cut off: it has no line `{COMPLETE}`")),
        (false, true) => Ok(scanned),
    }
}

/// The roles that a statement on one line names: those of owners, of grants, and of default privileges.
fn named(line: &str) -> Vec<String> {
    let behind = |mark: &str| line.split_once(mark).map(|(_, rest)| rest);
    let list = if line.starts_with("ALTER DEFAULT PRIVILEGES FOR ROLE ") {
        let first = behind("FOR ROLE ").into_iter();
        let second = line.rsplit_once(" TO ").or_else(|| line.rsplit_once(" FROM ")).map(|(_, rest)| rest);
        first.chain(second).collect::<Vec<_>>()
    } else if line.starts_with("ALTER ") {
        behind(" OWNER TO ").into_iter().collect()
    } else if line.starts_with("GRANT ") {
        line.rsplit_once(" TO ").map(|(_, rest)| rest).into_iter().collect()
    } else if line.starts_with("REVOKE ") {
        line.rsplit_once(" FROM ").map(|(_, rest)| rest).into_iter().collect()
    } else if line.starts_with("CREATE POLICY ") {
        behind(" TO ").into_iter().collect()
    } else {
        Vec::new()
    };
    list.into_iter().flat_map(identifiers).filter(|role| !role.eq_ignore_ascii_case("public")).collect()
}

/// The table that a statement makes, which begins on this line.
fn made(line: &str) -> Option<TableName> {
    const MAKING: &[&str] =
        &["CREATE TABLE ", "CREATE UNLOGGED TABLE ", "CREATE FOREIGN TABLE ", "CREATE MATERIALIZED VIEW "];
    MAKING.iter().find_map(|begin| line.strip_prefix(begin)).and_then(in_schema)
}

/// The table at the beginning of a text, which names its schema as well.
fn in_schema(text: &str) -> Option<TableName> {
    let (schema, rest) = identifier(text);
    let (name, _) = identifier(rest.strip_prefix('.')?);
    Some(TableName::in_schema(schema, name))
}

/// The identifiers at the beginning of a text, with commas between them.
fn identifiers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let (name, behind) = identifier(rest);
        if !name.is_empty() {
            found.push(name);
        }
        match behind.trim_start().strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return found,
        }
    }
}

/// The identifier at the beginning of a text, and what is behind it.
fn identifier(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut name = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, letter)) = chars.next() {
        match letter {
            '"' if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                name.push('"');
            }
            '"' => return (name, &quoted[at + 1..]),
            letter => name.push(letter),
        }
    }
    (name, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &str) -> Result<Vec<String>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        scan(file.path()).map(|scanned| scanned.roles.into_iter().collect())
    }

    #[test]
    fn roles_are_found_where_they_are_named() {
        let text = format!(
            "ALTER TABLE public.t OWNER TO app;\nGRANT SELECT ON TABLE public.t TO \"Web Team\", reader;\n\
             REVOKE ALL ON SCHEMA public FROM PUBLIC;\nALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA public GRANT \
             SELECT ON TABLES TO clerk;\nCOPY public.t (a) FROM stdin;\n\\N\nGRANT x TO y;\n\\.\n{COMPLETE}\n"
        );
        assert_eq!(scanned(&text).unwrap(), ["Web Team", "app", "boss", "clerk", "reader"]);
    }

    #[test]
    fn tables_are_found_where_they_are_made() {
        let made = |line: &str| made(line).map(|table| table.to_string());
        assert_eq!(made("CREATE TABLE public.users (").as_deref(), Some("public.users"));
        assert_eq!(made("CREATE UNLOGGED TABLE app.\"a.\"\"b\" (").as_deref(), Some("app.a\\.\"b"));
        assert_eq!(made("CREATE TABLE users ("), None);
        assert_eq!(made("ALTER TABLE public.users OWNER TO app;"), None);
    }

    #[test]
    fn what_is_cut_or_commands_psql_is_refused() {
        assert!(scanned("SELECT 1;\n").unwrap_err().contains("it has no line"));
        assert!(scanned(&format!("COPY t (a) FROM stdin;\n1\n{COMPLETE}\n")).unwrap_err().contains("have no end"));
        let told = scanned(&format!("SELECT 1;\n\\! touch x\n{COMPLETE}\n")).unwrap_err();
        assert!(told.contains("tells psql to `\\!` in line 2"), "{told}");
        assert!(scanned(&format!("\\restrict abc\n{COMPLETE}\n\\unrestrict abc\n")).is_ok());
    }
}
