//! The same as one plain ALTER TABLE a table, its foreign keys taken away before and made again.

use std::time::Instant;

use crate::{Error, schema::CHILDREN, server::Started};

/// Changes the copy `plain`. Gives the seconds that it took.
pub async fn alter(server: &Started) -> Result<f64, Error> {
    let mut session = server.session(Some("plain")).await?;
    let started = Instant::now();
    for child in CHILDREN {
        session.execute(&format!("ALTER TABLE {child} DROP CONSTRAINT {child}_user_id_fkey")).await?;
    }
    session.execute("ALTER TABLE users ALTER COLUMN id TYPE uuid USING id::uuid").await?;
    for child in CHILDREN {
        session.execute(&format!("ALTER TABLE {child} ALTER COLUMN user_id TYPE uuid USING user_id::uuid")).await?;
    }
    for child in CHILDREN {
        session
            .execute(&format!("ALTER TABLE {child} ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE"))
            .await?;
    }
    let seconds = started.elapsed().as_secs_f64();
    session.close().await?;
    Ok(seconds)
}
