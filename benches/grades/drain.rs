//! The limit: rows read by the same driver to nowhere.

use std::time::Instant;

use futures_util::TryStreamExt;
use rehearse::model::{Address, Endpoint};
use sqlx::{Connection, MySqlConnection, PgConnection};

use crate::{Error, server::url};

/// Seconds for both sides at the same time.
pub async fn both(source: &Address, target: &Address) -> Result<f64, Error> {
    let started = Instant::now();
    let tasks = [source, target].map(|address| tokio::spawn(drain(address.clone())));
    for task in tasks {
        task.await??;
    }
    Ok(started.elapsed().as_secs_f64())
}

/// Seconds for one side.
pub async fn one(address: &Address) -> Result<f64, Error> {
    let started = Instant::now();
    tokio::spawn(drain(address.clone())).await??;
    Ok(started.elapsed().as_secs_f64())
}

async fn drain(address: Address) -> Result<u64, Error> {
    match (address.engine.as_str(), &address.endpoint) {
        ("postgres", _) => {
            let mut connection = PgConnection::connect(&url(&address)).await?;
            let copy = "COPY (SELECT * FROM grades) TO STDOUT (FORMAT binary)";
            let mut stream = connection.copy_out_raw(copy).await?;
            let mut bytes = 0;
            while let Some(chunk) = stream.try_next().await? {
                bytes += chunk.len() as u64;
            }
            Ok(bytes)
        }
        ("mariadb", _) => {
            let mut connection = MySqlConnection::connect(&url(&address).replacen("mariadb", "mysql", 1)).await?;
            let mut rows = sqlx::query("SELECT * FROM grades").fetch(&mut connection);
            let mut seen = 0;
            while rows.try_next().await?.is_some() {
                seen += 1;
            }
            Ok(seen)
        }
        (_, Endpoint::File(path)) => {
            let connection = rusqlite::Connection::open(path)?;
            let mut statement = connection.prepare("SELECT * FROM grades")?;
            let mut rows = statement.query([])?;
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                for column in 0..9 {
                    bytes += row.get_ref(column)?.as_bytes_or_null().ok().flatten().map_or(8, <[u8]>::len) as u64;
                }
            }
            Ok(bytes)
        }
        (engine, _) => Err(format!("{engine} is not measured").into()),
    }
}
