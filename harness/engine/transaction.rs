//! What became of a transaction whose session is gone.

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It was committed.
    Committed,
    /// It was rolled back, or never got as far as to a commit.
    Nothing,
    /// Its session is still there.
    Open,
    /// The engine cannot tell.
    Unknown,
}
