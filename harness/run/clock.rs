//! The wall clock and chance: nothing else in Rehearse reads either.

use jiff::{Timestamp, tz::TimeZone};
use rand::RngExt;

use crate::model::RunId;

/// Now, RFC 3339 in UTC with milliseconds.
pub fn now() -> String {
    let micros = Timestamp::now().as_millisecond();
    Timestamp::from_millisecond(micros).unwrap_or_default().to_string()
}

/// Today's date in UTC, as in `2026-11-21`.
pub fn today() -> String {
    now().chars().take(10).collect()
}

/// A new run's id: its time of start and four random letters, in lower case, for file, container and database names.
pub fn run_id() -> RunId {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut rng = rand::rng();
    let tail: String = (0..4).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect();
    let stamp = Timestamp::now().to_zoned(TimeZone::UTC).strftime("%Y%m%dt%H%M%S").to_string();
    RunId(format!("{stamp}-{tail}"))
}

/// A new root seed, below 2^53 so that every JSON reader keeps it.
pub fn root_seed() -> u64 {
    rand::rng().random_range(0..1 << 53)
}

/// A new salt for redacted values; never written anywhere.
pub fn salt() -> [u8; 32] {
    rand::rng().random()
}
