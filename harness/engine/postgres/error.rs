//! Driver errors in the words of the engine floor.

use std::fmt;

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use super::SERVER;
use crate::{
    engine::{DemandsTls, EngineError, tls},
    model::{Host, Tls, TlsMode},
};

/// What the server said.
///
/// `Display` gives the message and where it happened. The detail is kept apart, because it quotes the values of rows,
/// and so does the tail of a COPY's context, which is cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    /// The SQLSTATE.
    pub code: String,
    /// The primary message.
    pub message: String,
    /// The detail, which may quote values.
    pub detail: Option<String>,
    /// The place inside a COPY (`COPY users, line 3, column id`) or function.
    pub context: Option<String>,
    /// The server's hint.
    pub hint: Option<String>,
}

impl ServerError {
    fn of(error: &PgDatabaseError) -> Self {
        Self {
            code: error.code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            context: error.r#where().map(without_value),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.context {
            Some(context) => write!(f, " ({context})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ServerError {}

/// The context's first line without the value that a COPY quotes at its end (`COPY t, line 1, column c: "x"`).
fn without_value(context: &str) -> String {
    let line = context.lines().next().unwrap_or_default();
    let place = if line.starts_with("COPY ") { line.split_once(": \"").map_or(line, |(place, _)| place) } else { line };
    place.to_owned()
}

/// An error while connecting: whatever is not the server's own word means that nobody we can talk to is there.
pub(super) fn on_connect(place: &str, host: &Host, tls: &Tls, error: sqlx::Error) -> EngineError {
    let demands_tls = tls.mode == TlsMode::Disable && turned_away(&error);
    match error {
        sqlx::Error::Database(error) if demands_tls => {
            let said = ServerError::of(error.downcast_ref());
            let (doing, code) = (format!("connecting to {place}"), Some(said.code.clone()));
            EngineError::Refused { doing, code, source: DemandsTls::new(said.message, true, &SERVER.urls).into() }
        }
        sqlx::Error::Database(_) => on_statement(place, &format!("connecting to {place}"), error),
        other => {
            let source = tls::explained(other, host, &SERVER.urls);
            EngineError::Unavailable { place: place.to_owned(), source }
        }
    }
}

/// Whether the server turned us away before it asked who we are, because of how the session is encrypted: its
/// `pg_hba.conf` has no line for sessions like this one.
pub(super) fn turned_away(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        let message = error.message();
        error.code().as_deref() == Some("28000") && message.contains("pg_hba.conf") && message.contains("encryption")
    })
}

/// An error while a statement ran.
pub(super) fn on_statement(place: &str, doing: &str, error: sqlx::Error) -> EngineError {
    let unavailable = |source| EngineError::Unavailable { place: place.to_owned(), source };
    match error {
        sqlx::Error::Database(error) => {
            let said = ServerError::of(error.downcast_ref());
            let doing = doing.to_owned();
            match said.code.as_bytes() {
                // Connection lost, server stopping, crashed, starting up, database dropped, idle session ended.
                [b'0', b'8', ..] | [b'5', b'7', b'P', ..] => unavailable(said.into()),
                // Disk full, out of memory, a configured limit (temporary files) reached.
                b"53100" | b"53200" | b"53400" => EngineError::Full { doing, source: said.into() },
                _ => EngineError::Refused { doing, code: Some(said.code.clone()), source: said.into() },
            }
        }
        error @ (sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed) => unavailable(error.into()),
        other => EngineError::Unexpected { doing: doing.to_owned(), what: other.to_string() },
    }
}

/// The line of a script at which the server found the error, where it says so.
pub(super) fn line(script: &str, error: &sqlx::Error) -> Option<usize> {
    match error.as_database_error()?.downcast_ref::<PgDatabaseError>().position()? {
        // It counts characters, from 1.
        PgErrorPosition::Original(at) => Some(script.chars().take(at).filter(|one| *one == '\n').count() + 1),
        PgErrorPosition::Internal { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_context_keeps_the_place_and_loses_the_value() {
        assert_eq!(without_value("COPY users, line 3, column id: \"secret\""), "COPY users, line 3, column id");
        assert_eq!(without_value("COPY users, line 3"), "COPY users, line 3");
        assert_eq!(without_value("PL/pgSQL function f() line 3\nmore"), "PL/pgSQL function f() line 3");
    }
}
