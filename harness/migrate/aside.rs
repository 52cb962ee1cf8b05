//! Keys and indexes that are set aside while rows come: the server then makes each at once, and not row by row.

use crate::engine::{AsideScript, EngineError, Session};

/// Rows from which setting the keys aside is worth their coming back.
pub(super) const MANY_ROWS: u64 = 10_000;

/// Takes the keys away that are set aside; in one act, and a second time without harm.
pub(super) async fn without(aside: &[AsideScript], session: &mut dyn Session) -> Result<(), EngineError> {
    if aside.is_empty() {
        return Ok(());
    }
    session.begin(false).await?;
    for key in aside.iter().rev() {
        session.execute(&key.drop).await?;
    }
    session.commit().await
}

/// Brings the keys back that were set aside; in one act, and a second time without harm.
pub(super) async fn with(aside: &[AsideScript], session: &mut dyn Session) -> Result<(), EngineError> {
    if aside.is_empty() {
        return Ok(());
    }
    session.begin(false).await?;
    for key in aside.iter().rev() {
        session.execute(&key.drop).await?;
    }
    for key in aside {
        session.execute(&key.add).await?;
    }
    session.commit().await
}
