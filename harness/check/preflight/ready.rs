//! What a database tells about itself before a migration.

use crate::{check::CheckContext, engine::EngineError, model::Side};

/// What a database tells about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Readiness {
    /// In which text is stored: `UTF8`, `latin1`.
    pub encoding: String,
    /// By which text is compared where a column says nothing else.
    pub collation: String,
    /// Bytes that it takes.
    pub bytes: u64,
    /// Why nothing can be made in it by this user, if that is so.
    pub closed: Option<String>,
}

/// Asks a side.
pub(super) async fn readiness(cx: &mut CheckContext<'_>, side: Side) -> Result<Readiness, EngineError> {
    let sql = cx.readers.engine(side).dialect().readiness();
    let row = cx.readers.side(side)?.query(sql).await?.into_iter().next().unwrap_or_default();
    let [encoding, collation, bytes, closed] = row.try_into().unwrap_or_default();
    Ok(Readiness {
        encoding: encoding.unwrap_or_default(),
        collation: collation.unwrap_or_default(),
        bytes: bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or_default(),
        closed,
    })
}
