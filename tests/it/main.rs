//! Tests of Rehearse as a whole, against real servers where there are some.

mod checks;
mod conformance;
mod docs;
mod golden;
mod props;
mod provision;
mod rehearsals;
mod runner;
mod support;
