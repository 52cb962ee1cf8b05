//! Others that read and write single rows all the time.

use std::time::{Duration, Instant};

use rehearse::{engine, model::Address};
use tokio::sync::watch;

use crate::{
    Error,
    schema::{CHILDREN, USER},
};

/// Between two statements of a probe.
const PAUSE: Duration = Duration::from_millis(1);

/// How long others waited.
pub struct Waited {
    reader: Duration,
    writer: Duration,
    statements: usize,
}

impl Waited {
    /// For people.
    pub fn told(&self) -> String {
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        format!("{:.0}, {:.0} ms in {} statements", ms(self.reader), ms(self.writer), self.statements)
    }

    /// The longer of both.
    pub fn longest_ms(&self) -> f64 {
        self.reader.max(self.writer).as_secs_f64() * 1000.0
    }
}

/// Does something while a reader and a writer ask.
pub async fn beside<T>(address: &Address, act: impl Future<Output = Result<T, Error>>) -> Result<(T, Waited), Error> {
    let (stop, stopped) = watch::channel(false);
    let reader = tokio::spawn(probe(address.clone(), stopped.clone(), "SELECT name FROM users WHERE id =", read));
    let writer = tokio::spawn(probe(address.clone(), stopped, "UPDATE users SET name = 'probed' WHERE id =", write));
    let done = act.await;
    stop.send(true)?;
    let ((reader, reads), (writer, writes)) = (reader.await??, writer.await??);
    Ok((done?, Waited { reader, writer, statements: reads + writes }))
}

fn read(child: &str, id: usize) -> String {
    format!("SELECT note FROM {child} WHERE id = {id}")
}

fn write(child: &str, id: usize) -> String {
    format!("UPDATE {child} SET note = 'probed' WHERE id = {id}")
}

/// Asks users and the tables in turn. Gives the longest wait and the number of statements.
async fn probe(
    address: Address,
    stopped: watch::Receiver<bool>,
    of_user: &'static str,
    of_child: fn(&str, usize) -> String,
) -> Result<(Duration, usize), Error> {
    let engine = engine::by_id(address.engine.as_str()).ok_or("no such engine")?;
    let mut session = engine.connect(&address).await?;
    let (mut longest, mut statements) = (Duration::ZERO, 0);
    while !*stopped.borrow() {
        let sql = match CHILDREN.get(statements % (CHILDREN.len() + 1)) {
            Some(child) => of_child(child, statements % 1000 + 1),
            None => format!("{of_user} '{USER}'"),
        };
        let asked = Instant::now();
        session.query(&sql).await?;
        longest = longest.max(asked.elapsed());
        statements += 1;
        tokio::time::sleep(PAUSE).await;
    }
    session.close().await?;
    Ok((longest, statements))
}
