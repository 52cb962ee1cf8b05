//! Acts that a server finishes whether or not the one who asked for them still waits.
//!
//! A run may be interrupted, and its futures dropped, at any moment. Dropping the request for a container or a database
//! does not take it back: the server may make the thing *after* the release has looked for it and found nothing. So such
//! an act runs to its end in a task of its own, and whoever releases waits until none is under way.

use std::time::Duration;

use tokio::sync::RwLock;

use super::ProvisionError;

/// How long a release waits.
const PATIENCE: Duration = Duration::from_secs(60);

static UNDER_WAY: RwLock<()> = RwLock::const_new(());

/// Runs an act to its end, also if the caller goes away.
pub(super) async fn to_its_end<T: Send + 'static>(
    act: impl Future<Output = Result<T, ProvisionError>> + Send + 'static,
) -> Result<T, ProvisionError> {
    let guard = UNDER_WAY.read().await;
    let task = tokio::spawn(async move {
        let _guard = guard;
        act.await
    });
    task.await
        .map_err(|source| ProvisionError::Failed { doing: "finish what was begun".to_owned(), source: source.into() })?
}

/// Waits until no such act is under way in this process; not for ever, because a server may hang.
pub(super) async fn settled() {
    // Past that, the release does what it can; the lease stays in the journal if it fails.
    drop(tokio::time::timeout(PATIENCE, UNDER_WAY.write()).await);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn an_act_ends_although_its_caller_went_away() {
        static DONE: AtomicBool = AtomicBool::new(false);
        let act = to_its_end(async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            DONE.store(true, Ordering::SeqCst);
            Ok(())
        });
        let interrupted = tokio::time::timeout(Duration::from_millis(20), act).await;
        assert!(interrupted.is_err() && !DONE.load(Ordering::SeqCst));
        settled().await;
        assert!(DONE.load(Ordering::SeqCst));
    }
}
