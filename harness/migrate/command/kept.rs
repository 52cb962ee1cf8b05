//! What a command prints, kept within bounds: its beginning, its end, and how much was in between; without passwords.

use std::{
    io::{PipeReader, Read},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// What stands in a password's place.
const STARS: &[u8] = b"***";
/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// How long the end of what is printed is waited for once nobody is left who could print.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(5);

/// Reads what a command prints in a thread of its own, so that a command never waits for a reader.
pub(super) struct Reading {
    kept: Arc<Mutex<Kept>>,
    thread: JoinHandle<()>,
}

impl Reading {
    /// Begins to read.
    pub fn start(mut pipe: PipeReader, kept: Kept) -> Self {
        let kept = Arc::new(Mutex::new(kept));
        let into = Arc::clone(&kept);
        let thread = thread::spawn(move || {
            let mut chunk = vec![0; CHUNK];
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                into.lock().unwrap_or_else(PoisonError::into_inner).push(&chunk[..read]);
            }
        });
        Self { kept, thread }
    }

    /// What was printed, once all who could print are gone; if somebody still holds the pipe, what came so far.
    pub async fn end(self) -> Kept {
        let since = Instant::now();
        while !self.thread.is_finished() && since.elapsed() < PATIENCE {
            tokio::time::sleep(PAUSE).await;
        }
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The beginning and the end of a stream of bytes.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// How much of each is kept, in bytes.
    limit: usize,
    /// What is not shown, the longest first.
    secrets: Vec<Vec<u8>>,
    /// How much is kept besides, so that a secret at a border is known as a whole.
    margin: usize,
    head: Vec<u8>,
    tail: Vec<u8>,
    total: u64,
}

impl Kept {
    /// Keeps so many bytes of the beginning and as many of the end.
    pub fn new(limit: usize, secrets: &[String]) -> Self {
        let secrets: Vec<Vec<u8>> = secrets.iter().map(|one| one.clone().into_bytes()).collect();
        let margin = secrets.iter().map(Vec::len).max().unwrap_or(0);
        Self { limit, secrets, margin, head: Vec::new(), tail: Vec::new(), total: 0 }
    }

    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (self.limit + self.margin).saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        let wanted = self.limit + self.margin;
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(wanted)..]);
        if self.tail.len() > 2 * wanted + CHUNK {
            self.tail.drain(..self.tail.len() - wanted);
        }
    }

    /// How many bytes were printed.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many of them are not kept.
    pub fn cut(&self) -> u64 {
        self.total.saturating_sub(2 * self.limit as u64)
    }

    /// What is kept as text, with a line that says what is not.
    pub fn text(&self) -> String {
        let limit = self.limit as u64;
        let (head, tail) = if self.total <= self.head.len() as u64 {
            // All of it is there.
            (self.shown(&self.head, 0..self.head.len()), Vec::new())
        } else {
            let wanted = usize::try_from(limit.min(self.total - limit)).unwrap_or(self.limit);
            let from = self.tail.len().saturating_sub(wanted);
            (self.shown(&self.head, 0..self.limit), self.shown(&self.tail, from..self.tail.len()))
        };
        let mut text = String::from_utf8_lossy(&head).into_owned();
        if self.cut() > 0 {
            text.push_str(&format!("\n[{} of {} bytes are left out here]\n", self.cut(), self.total));
        }
        text.push_str(&String::from_utf8_lossy(&tail));
        text
    }

    /// A range of bytes; of a secret nothing is shown, however much of it lies within.
    fn shown(&self, bytes: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
        let mut shown = Vec::with_capacity(range.len());
        let mut at = 0;
        while at < bytes.len().min(range.end) {
            let length = self.secrets.iter().find(|secret| bytes[at..].starts_with(secret)).map(Vec::len);
            match length {
                Some(length) => {
                    if at + length > range.start {
                        shown.extend_from_slice(STARS);
                    }
                    at += length;
                }
                None => {
                    if at >= range.start {
                        shown.push(bytes[at]);
                    }
                    at += 1;
                }
            }
        }
        shown
    }
}

/// A text without these secrets.
pub(super) fn without(text: &str, secrets: &[String]) -> String {
    let mut kept = Kept::new(text.len(), secrets);
    kept.push(text.as_bytes());
    kept.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_and_end_are_kept_and_the_rest_is_counted() {
        let mut kept = Kept::new(4, &[]);
        for byte in b"abcdefghijkl" {
            kept.push(&[*byte]);
        }
        assert_eq!(kept.text(), "abcd\n[4 of 12 bytes are left out here]\nijkl");
        let mut whole = Kept::new(4, &[]);
        whole.push(b"abcdefgh");
        assert_eq!((whole.text().as_str(), whole.cut()), ("abcdefgh", 0));
        let mut short = Kept::new(4, &[]);
        short.push(b"abcdef");
        assert_eq!(short.text(), "abcdef");
    }

    #[test]
    fn memory_is_bounded() {
        let mut kept = Kept::new(1000, &["x".to_owned()]);
        for _ in 0..1000 {
            kept.push(&[b'y'; CHUNK]);
        }
        assert!(kept.head.capacity() + kept.tail.capacity() < 8 * CHUNK);
        assert_eq!(kept.total(), 1000 * CHUNK as u64);
    }

    #[test]
    fn a_secret_is_not_shown_wherever_a_border_cuts_it() {
        let text = "0123secret456789secretend";
        for limit in 1..text.len() {
            for size in [1, 3, text.len()] {
                let mut kept = Kept::new(limit, &["secret".to_owned()]);
                text.as_bytes().chunks(size).for_each(|chunk| kept.push(chunk));
                let shown = kept.text();
                assert!(!["sec", "cre", "ret"].iter().any(|part| shown.contains(part)), "{limit}: {shown}");
            }
        }
    }
}
