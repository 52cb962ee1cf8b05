//! Rehearse: proves a database migration before it touches production, and audits it afterwards.
//!
//! The folders are floors; a floor imports only floors below it (`tests/it/tidy/` enforces it):
//!
//! | floor | module | holds |
//! |---|---|---|
//! | 0 | [`model`] | nouns: names, catalogues, findings, outcomes, events, the report |
//! | 1 | [`canon`] | canonical bytes, digests, fingerprints, the seed tree |
//! | 1 | [`document`] | strict reading of TOML documents, every problem with its place |
//! | 2 | [`engine`], [`provision`] | databases and who gives us servers |
//! | 3 | [`dataset`], [`migrate`] | rows to start from, and kinds of steps |
//! | 4 | [`check`] | assertions about stages and sides |
//! | 5 | [`scenario`], [`run`], [`report`] | what is rehearsed, the play, and how it is told |
//! | 6 | [`cli`] | the door |

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod canon;
pub mod check;
pub mod cli;
pub mod dataset;
pub mod document;
pub mod engine;
pub mod migrate;
pub mod model;
pub mod provision;
pub mod report;
pub mod run;
pub mod scenario;
