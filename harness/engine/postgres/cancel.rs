//! Ending a statement whose rows nobody wants any more.
//!
//! A COPY cannot be cut off by whoever reads it. The server ends it when another session of the same role asks for that
//! (<https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL>).

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions, query};

/// How long to wait for a session that can ask. A server that is short of them leaves the statement to its end.
const PATIENCE: Duration = Duration::from_secs(5);

/// SQLSTATE of a statement that was ended on request.
const CANCELED: &str = "57014";

/// Ends the statement of one session.
#[derive(Clone, Debug)]
pub(super) struct Cancel {
    pub options: PgConnectOptions,
    /// The server's number for the session, asked for in the transaction that is to be ended: behind a pooler the next one
    /// may be another's.
    pub process: i32,
}

impl Cancel {
    /// Asks for the end. What hinders that only makes it take longer, because the rows are read to their end all the same.
    pub async fn ask(&self) {
        let Ok(Ok(mut connection)) = tokio::time::timeout(PATIENCE, self.options.connect()).await else { return };
        let ask = query("SELECT pg_catalog.pg_cancel_backend($1)").bind(self.process).persistent(false);
        // Waited for to its end: whoever is answered knows that the request was delivered. A session that is between two
        // statements by then ignores it.
        let asked = ask.execute(&mut connection).await;
        if let Err(error) = asked {
            tracing::debug!(%error, "a statement could not be ended");
        }
        let _ = connection.close().await;
    }
}

/// Whether the server ended the statement on request.
pub(super) fn is_canceled(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == CANCELED)
}
