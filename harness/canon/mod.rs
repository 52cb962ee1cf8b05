//! Floor 1: arithmetic of equality.
//!
//! Turns cells into canonical bytes, canonical rows into digests, digests into fingerprints, and seeds into seeds. Pure:
//! no I/O, no clock, no SQL. `EQUALITY` in one place: whatever compares two values anywhere in Rehearse comes through here.

pub mod cell;
pub mod seed;

pub use cell::{Cell, Decimal, RowSink, Sign};
pub use seed::Seed;
