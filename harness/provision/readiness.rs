//! A server is ready when it answers a real query, and at no earlier sign.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    engine::{Engine, EngineError},
    model::{Address, chain},
};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// A single attempt may not eat the whole deadline: a connection can be accepted (by a proxy in front of a server that
/// is still starting) and then stay silent.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Asks until the server tells its version.
///
/// # Errors
/// Why it is not ready, in words: the deadline passed, or it answers and says no, which no waiting would change.
pub(super) async fn wait(engine: &dyn Engine, address: &Address, deadline: Instant) -> Result<String, String> {
    let mut pause = FIRST_PAUSE;
    let mut last = "it was never asked".to_owned();
    while Instant::now() < deadline {
        let until = deadline.min(Instant::now() + ATTEMPT);
        match tokio::time::timeout_at(until, ask(engine, address)).await {
            Ok(Ok(version)) => return Ok(version),
            Ok(Err(error @ EngineError::Refused { .. })) => return Err(chain(&error)),
            Ok(Err(error)) => last = chain(&error),
            Err(_) => last = "a connection was accepted, but a query got no answer".to_owned(),
        }
        tokio::time::sleep_until(deadline.min(Instant::now() + pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Err(format!("no answer within the deadline: {last}"))
}

async fn ask(engine: &dyn Engine, address: &Address) -> Result<String, EngineError> {
    let mut session = engine.connect(address).await?;
    let version = session.version().await?;
    session.close().await?;
    Ok(version)
}
