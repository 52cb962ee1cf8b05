//! Tests of Rehearse as a whole, against real servers where there are some.

mod checks;
mod cli;
mod derive;
mod docs;
mod golden;
mod inputs;
mod invalid;
mod props;
mod provision;
mod servers;
mod support;
mod tidy;
