//! Tests of Rehearse as a whole, against real servers where there are some.

mod derive;
mod golden;
mod props;
mod provision;
