//! Users, and what refers to them.

use rehearse::model::Address;

use crate::{Error, server::Started};

/// The tables that refer to users.
pub const CHILDREN: [&str; 3] = ["journal_entries", "tags", "reminders"];

/// The user that always is there.
pub const USER: &str = "c4ca4238-a0b9-2382-0dcc-509a6f75849b";

/// The database that others are copied from.
const DATABASE: &str = "original";

/// All rows.
pub const fn rows(users: u64) -> u64 {
    users + users * 3 * CHILDREN.len() as u64
}

/// Makes the database. Rows of the tables refer to users in no order.
pub async fn make(server: &Started, users: u64) -> Result<(), Error> {
    let mut admin = server.session(None).await?;
    admin.execute(&format!("CREATE DATABASE {DATABASE}")).await?;
    admin.close().await?;
    let mut session = server.session(Some(DATABASE)).await?;
    session
        .execute(&format!(
            "CREATE TABLE users (id varchar(36) PRIMARY KEY, name text);
             INSERT INTO users SELECT md5(n::text)::uuid::text, 'user ' || n FROM generate_series(1, {users}) n"
        ))
        .await?;
    for child in CHILDREN {
        eprintln!("{child} …");
        session
            .execute(&format!(
                "CREATE TABLE {child} (id bigint PRIMARY KEY, user_id varchar(36) NOT NULL, note text);
                 INSERT INTO {child} SELECT n, md5((n::bigint * 7919 % {users} + 1)::text)::uuid::text, 'note ' || n
                     FROM generate_series(1, {users} * 3) n;
                 CREATE INDEX {child}_user ON {child} (user_id);
                 ALTER TABLE {child} ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE"
            ))
            .await?;
    }
    session.execute("VACUUM ANALYZE").await?;
    Ok(session.close().await?)
}

/// A copy of it.
pub async fn copy(server: &Started, name: &str) -> Result<Address, Error> {
    let mut admin = server.session(None).await?;
    admin.execute(&format!("CREATE DATABASE {name} TEMPLATE {DATABASE}")).await?;
    admin.execute("CHECKPOINT").await?;
    admin.close().await?;
    Ok(server.address(Some(name)))
}

/// Drops a copy.
pub async fn drop(server: &Started, name: &str) -> Result<(), Error> {
    let mut admin = server.session(None).await?;
    admin.execute(&format!("DROP DATABASE {name}")).await?;
    Ok(admin.close().await?)
}
