//! The wish to stop: Ctrl-C, SIGTERM, or a test.

use tokio::sync::watch;

/// A wish to stop that many can wait for.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// The end that asks.
#[derive(Debug)]
pub struct StopSwitch(watch::Sender<bool>);

impl Stop {
    /// A wish that was not uttered yet, and the switch to utter it.
    pub fn new() -> (StopSwitch, Self) {
        let (sender, receiver) = watch::channel(false);
        (StopSwitch(sender), Self(receiver))
    }

    /// Whether somebody asked to stop.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody asks.
    pub async fn asked(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|asked| *asked).await.is_err() {
            // Nobody is left who could ask.
            std::future::pending::<()>().await;
        }
    }
}

impl StopSwitch {
    /// Asks everybody to stop.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }
}
