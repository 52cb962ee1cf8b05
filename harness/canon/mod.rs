//! Floor 1: arithmetic of equality.
//!
//! Turns cells into canonical bytes, canonical rows into digests, digests into fingerprints, and seeds into seeds.
//! Pure: no I/O, no clock, no SQL. `EQUALITY` in one place: whatever compares two values anywhere in Rehearse comes
//! through here.
//!
//! A value has two canonical forms: its [own form](encode), lossless, for a side that is compared with itself; and a
//! common form under a [`Rule`], for a source column that is compared with a target column. A [`RowDigester`] makes the
//! fingerprints of one side; where they differ, [`Suspects`] are kept and [joined](Join). Where both sides send their rows
//! alike, [their bytes](sent) are compared before any value is read.

mod batch;
mod bring;
pub mod cause;
pub mod cell;
pub mod comparison;
pub mod decimal;
pub mod derived;
pub mod digest;
pub mod encode;
pub mod hex;
pub mod interval;
pub mod join;
pub mod json;
pub mod keyed;
pub mod locate;
pub mod nested;
mod printed;
mod row;
pub mod rule;

pub mod seed;
pub mod sent;
pub mod show;
pub mod sketch;
pub mod standing;
mod sums;
pub mod suspect;
pub mod temporal;
pub mod type_map;
pub mod uuid;

pub use cause::{Again, Causes, KeyShift};
pub use cell::{Cell, Decimal, Nest, RowSink, Sign};
pub use digest::{Form, RowDigester, TableDigest};
pub use encode::{CANON_VERSION, decode_own, encode_own};
pub use hex::{hex, push_hex, sha256};
pub use join::{Join, Located};
pub use keyed::Keys;
pub use locate::{Addresses, Buckets};
pub use rule::{Fit, NoRule, Rule, rule_for, rule_within};

pub use seed::Seed;
pub use sent::{SentDigester, SentRow, SentSuspects};
pub use show::text_of;
pub use sketch::Sketch;
pub use suspect::{Keep, Suspects};
