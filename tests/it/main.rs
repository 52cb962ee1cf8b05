//! Tests of Rehearse as a whole, against real servers where there are some.

mod audit;
mod bad_input;
mod checks;
mod cli;
mod conformance;
mod convert_uuid;
mod derive;
mod docs;
mod encryption;
mod filling;
mod footprint;
mod golden;
mod history;
mod inputs;
mod interruption;
mod invalid;
mod props;
mod provision;
mod rehearsals;
mod runner;
mod secrets;
mod servers;
mod small_disk;
mod support;
mod tidy;
mod transfer;
