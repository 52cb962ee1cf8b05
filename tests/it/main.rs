//! Tests of Rehearse as a whole, against real servers where there are some.

mod golden;
mod interruption;
mod props;
mod provision;
mod small_disk;
mod support;
mod transfer;
