//! Driver errors in the words of the engine floor.

use std::fmt;

use sqlx::mysql::MySqlDatabaseError;

use super::SERVER;
use crate::{
    engine::{DemandsTls, EngineError, tls},
    model::{Host, Tls, TlsMode},
};

/// What the server said, without the values of rows that it quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    /// MariaDB's own number of the error.
    pub number: u16,
    /// The SQLSTATE, which stands for many numbers.
    pub state: Option<String>,
    /// The message.
    pub message: String,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ServerError {}

/// Errors whose message quotes a value before it says ` for …`: a duplicate key, a value that is none of its type.
const QUOTING: &[u16] = &[1062, 1292, 1366, 1367, 1411, 1525, 1586];

impl ServerError {
    fn of(error: &MySqlDatabaseError) -> Self {
        let number = error.number();
        let message = error.message();
        let message = if QUOTING.contains(&number) { without_value(message) } else { message.to_owned() };
        Self { number, state: error.code().map(str::to_owned), message }
    }
}

/// `Duplicate entry 'x' for key 'k'` without the value, which may itself hold quotes and the word.
fn without_value(message: &str) -> String {
    match (message.find('\''), message.rfind("' for ")) {
        (Some(start), Some(end)) if start < end => format!("{}…{}", &message[..start], &message[end + 1..]),
        _ => message.split_once('\'').map_or(message, |(start, _)| start.trim_end_matches([' ', ':'])).to_owned(),
    }
}

/// An error while connecting: whatever is not the server's own word means that nobody we can talk to is there.
pub(super) fn on_connect(place: &str, host: &Host, tls: &Tls, error: sqlx::Error) -> EngineError {
    match error {
        sqlx::Error::Database(error) if tls.mode == TlsMode::Disable && may_demand_tls(&*error) => {
            let said = ServerError::of(error.downcast_ref());
            let (doing, code) = (format!("connecting to {place}"), Some(said.number.to_string()));
            let source = DemandsTls::new(said.message, said.number == SECURE_TRANSPORT, &SERVER.urls).into();
            EngineError::Refused { doing, code, source }
        }
        sqlx::Error::Database(_) => on_statement(place, &format!("connecting to {place}"), error),
        other => {
            let source = tls::explained(other, host, &SERVER.urls);
            EngineError::Unavailable { place: place.to_owned(), source }
        }
    }
}

/// `require_secure_transport` is on, in the servers that say so.
const SECURE_TRANSPORT: u16 = 3159;
/// Access denied, which others say for that as well, and for an account that asks for encryption, and for a wrong password.
const ACCESS_DENIED: u16 = 1045;

fn may_demand_tls(error: &dyn sqlx::error::DatabaseError) -> bool {
    [SECURE_TRANSPORT, ACCESS_DENIED].contains(&error.downcast_ref::<MySqlDatabaseError>().number())
}

/// An error while a statement ran.
pub(super) fn on_statement(place: &str, doing: &str, error: sqlx::Error) -> EngineError {
    let unavailable = |source| EngineError::Unavailable { place: place.to_owned(), source };
    match error {
        sqlx::Error::Database(error) => {
            let said = ServerError::of(error.downcast_ref());
            let doing = doing.to_owned();
            match said.number {
                // Too many connections, server stopping, connection aborted, packets out of order, session killed.
                1040 | 1053 | 1152 | 1156..=1161 | 1184 | 1927 => unavailable(said.into()),
                // Disk full, out of memory, table or temporary file full.
                1021 | 1037 | 1038 | 1041 | 1114 => EngineError::Full { doing, source: said.into() },
                // Waited too long for a lock.
                1205 => EngineError::Locked { place: place.to_owned() },
                number => EngineError::Refused { doing, code: Some(number.to_string()), source: said.into() },
            }
        }
        error @ (sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed) => unavailable(error.into()),
        other => EngineError::Unexpected { doing: doing.to_owned(), what: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_are_left_out() {
        assert_eq!(
            without_value("Duplicate entry 'a' for b' for key 'PRIMARY'"),
            "Duplicate entry … for key 'PRIMARY'"
        );
        let said = "Incorrect date value: '2024-02-30' for column `x`.`t`.`d` at row 1";
        assert_eq!(without_value(said), "Incorrect date value: … for column `x`.`t`.`d` at row 1");
        assert_eq!(without_value("Truncated incorrect DOUBLE value: 'secret'"), "Truncated incorrect DOUBLE value");
    }
}
