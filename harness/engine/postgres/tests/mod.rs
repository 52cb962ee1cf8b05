//! Tests that need a server: a superuser's URL in `REHEARSE_TEST_POSTGRES_URL`.
//! Passwords go into `REHEARSE_TEST_POSTGRES_PASSWORD`.

use std::ops::ControlFlow;

use sqlx::postgres::PgConnectOptions;

use super::*;
use crate::{
    canon::{Cell, RowSink},
    engine::{RowSource, Rowset},
    model::{EngineId, Secret, Tls, Value, catalogue::Table},
};

mod catalogue;
mod made_of_values;
mod rows;

/// The server's address, or `None` after saying that the test is skipped.
fn server(test: &str) -> Option<Address> {
    const VARIABLE: &str = "REHEARSE_TEST_POSTGRES_URL";
    let Ok(url) = std::env::var(VARIABLE) else {
        let required = std::env::var("REHEARSE_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|word| word == "postgres"), "{test}: {VARIABLE} is not set");
        println!("skipped: {test}: {VARIABLE} is not set");
        return None;
    };
    let options: PgConnectOptions = url.parse().expect("a PostgreSQL URL");
    let host = match options.get_socket() {
        Some(directory) => Host::Socket { directory: directory.clone(), port: options.get_port() },
        None => Host::Tcp { host: options.get_host().to_owned(), port: options.get_port() },
    };
    let endpoint = Endpoint::Server {
        host,
        user: options.get_username().to_owned(),
        password: std::env::var("REHEARSE_TEST_POSTGRES_PASSWORD").ok().map(Secret::new),
        database: options.get_database().unwrap_or("postgres").to_owned(),
        tls: Tls::default(),
    };
    Some(Address { engine: EngineId::from("postgres"), endpoint })
}

/// A database of the test's own, which is gone afterwards.
struct Scratch {
    server: Address,
    address: Address,
    session: Box<dyn Session>,
}

impl Scratch {
    async fn new(test: &str, schema: &str) -> Option<Self> {
        let server = server(test)?;
        let database = format!("rehearse_test_{}_{test}", std::process::id());
        let mut admin = Postgres.connect(&server).await.unwrap();
        admin.execute(&format!("CREATE DATABASE {database}")).await.unwrap();
        admin.close().await.unwrap();
        let address = server.with_database(&database);
        let mut session = Postgres.connect(&address).await.unwrap();
        session.execute(schema).await.unwrap();
        Some(Self { server, address, session })
    }

    async fn drop(self) {
        self.session.close().await.unwrap();
        let Endpoint::Server { database, .. } = &self.address.endpoint else { unreachable!() };
        let mut admin = Postgres.connect(&self.server).await.unwrap();
        admin.execute(&format!("DROP DATABASE {database} WITH (FORCE)")).await.unwrap();
        admin.close().await.unwrap();
    }

    async fn one(&mut self, sql: &str) -> String {
        self.session.query(sql).await.unwrap()[0][0].clone().unwrap_or_else(|| "NULL".to_owned())
    }

    async fn table(&mut self, name: &str) -> Table {
        self.session.introspect().await.unwrap().tables.remove(&name.parse().unwrap()).unwrap()
    }

    async fn scan(&mut self, table: &str, columns: &[&str]) -> Result<Vec<String>, EngineError> {
        let mut seen = Seen { cells: Vec::new(), rows_left: usize::MAX };
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        self.session.scan(&Rowset::of(table.parse().unwrap(), columns), &mut seen).await?;
        Ok(seen.cells)
    }
}

/// Writes down the cells and stops after so many rows.
struct Seen {
    cells: Vec<String>,
    rows_left: usize,
}

impl RowSink for Seen {
    fn cell(&mut self, _column: usize, cell: Cell<'_>) {
        self.cells.push(match cell {
            Cell::Text(bytes)
            | Cell::PaddedText(bytes)
            | Cell::Json(bytes)
            | Cell::Jsonb(bytes)
            | Cell::Label(bytes) => {
                let kind = format!("{cell:?}");
                format!("{} {}", kind.split('(').next().unwrap(), String::from_utf8_lossy(bytes))
            }
            cell => format!("{cell:?}"),
        });
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.rows_left -= 1;
        if self.rows_left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Gives rows that were made before, and then an error if it has one.
struct Given(std::vec::IntoIter<Vec<Value>>, Option<&'static str>);

impl Given {
    fn rows(rows: Vec<Vec<Value>>) -> Self {
        Self(rows.into_iter(), None)
    }
}

impl RowSource for Given {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        match (self.0.next(), self.1) {
            (Some(next), _) => {
                row.extend(next);
                Ok(true)
            }
            (None, Some(error)) => Err(error.into()),
            (None, None) => Ok(false),
        }
    }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
