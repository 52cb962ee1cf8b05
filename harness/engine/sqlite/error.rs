//! What SQLite's result codes mean to the engine floor.

use rusqlite::{Error, ErrorCode, ffi};

use crate::engine::EngineError;

/// Turns SQLite's error into the engine's: `place` is the file, `doing` what was being done.
pub(super) fn failed(place: &str, doing: impl Into<String>) -> impl FnOnce(Error) -> EngineError {
    let (place, doing) = (place.to_owned(), doing.into());
    move |error| translate(place, doing, error)
}

fn translate(place: String, doing: String, error: Error) -> EngineError {
    let Some(failure) = error.sqlite_error().copied() else {
        return match error {
            Error::SqlInputError { error: failure, msg, .. } => {
                EngineError::Refused { doing, code: Some(code_name(&failure)), source: explained(msg).into() }
            }
            other => EngineError::Refused { doing, code: None, source: other.into() },
        };
    };
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => EngineError::Locked { place },
        ErrorCode::DiskFull => EngineError::Full { doing, source: error.into() },
        ErrorCode::NotADatabase => {
            EngineError::BadFile { path: place, problem: "is not a SQLite database (it may be encrypted)".to_owned() }
        }
        ErrorCode::DatabaseCorrupt => EngineError::BadFile { path: place, problem: format!("is damaged: {error}") },
        ErrorCode::CannotOpen => EngineError::Unavailable { place, source: error.into() },
        _ => {
            EngineError::Refused { doing, code: Some(code_name(&failure)), source: explained(error.to_string()).into() }
        }
    }
}

/// Says what a function means that is not there: histories of applications call functions that these register.
fn explained(message: String) -> String {
    match message.strip_prefix("no such function: ") {
        Some(_) => format!("{message} (SQLite has none of that name: an application registers it for itself)"),
        None => message,
    }
}

/// The name of an extended result code as SQLite's documentation spells it (<https://sqlite.org/rescode.html>); a code
/// that is not listed here is given as its number.
fn code_name(failure: &ffi::Error) -> String {
    let name = match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_ROWID => "SQLITE_CONSTRAINT_ROWID",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
        ffi::SQLITE_ERROR => "SQLITE_ERROR",
        ffi::SQLITE_READONLY => "SQLITE_READONLY",
        ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
        ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
        ffi::SQLITE_INTERRUPT => "SQLITE_INTERRUPT",
        other => return other.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn refusal(setup: &str, sql: &str) -> EngineError {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(setup).unwrap();
        failed("x.db", "trying")(connection.execute_batch(sql).unwrap_err())
    }

    #[test]
    fn constraints_have_names() {
        let setup = "CREATE TABLE t (k INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL DEFAULT 0 CHECK (n < 9));
                     INSERT INTO t VALUES (1, 1, 1)";
        for (sql, name) in [
            ("INSERT INTO t VALUES (1, 2, 1)", "SQLITE_CONSTRAINT_PRIMARYKEY"),
            ("INSERT INTO t VALUES (2, 1, 1)", "SQLITE_CONSTRAINT_UNIQUE"),
            ("INSERT INTO t VALUES (2, 2, NULL)", "SQLITE_CONSTRAINT_NOTNULL"),
            ("INSERT INTO t VALUES (2, 2, 10)", "SQLITE_CONSTRAINT_CHECK"),
            ("SELEC 1", "SQLITE_ERROR"),
        ] {
            match refusal(setup, sql) {
                EngineError::Refused { code, .. } => assert_eq!(code.as_deref(), Some(name), "{sql}"),
                other => panic!("{sql}: {other}"),
            }
        }
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let full = refusal("PRAGMA max_page_count = 3; CREATE TABLE t (v)", "INSERT INTO t VALUES (zeroblob(100000))");
        assert!(matches!(full, EngineError::Full { .. }), "{full}");
    }
}
