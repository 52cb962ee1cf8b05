//! Tests of Rehearse as a whole, against real servers where there are some.

mod golden;
mod props;
mod provision;
mod support;
mod transfer;
