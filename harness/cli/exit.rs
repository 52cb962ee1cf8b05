//! Exit codes: every one that Rehearse ends with, chosen in one place.

use crate::model::Verdict;

/// Everything was checked and nothing was found.
pub const PASS: u8 = 0;
/// A check found something.
pub const FINDINGS: u8 = 1;
/// A wrong call, an invalid scenario, or a database that may not be used; nothing was written.
pub const USAGE: u8 = 2;
/// Something could not be checked, or broke.
pub const INCONCLUSIVE: u8 = 3;
/// Nothing was selected.
pub const NOTHING: u8 = 4;
/// Rehearse itself failed.
pub const INTERNAL: u8 = 70;

/// For `--help`.
pub const HELP: &str = "Exit codes:
  0   pass: everything was checked and nothing was found
  1   findings
  2   wrong call, invalid scenario, or a database that may not be used (nothing was written)
  3   inconclusive: something could not be checked, or broke, or was interrupted
  4   nothing was selected
  70  internal error";

/// The code of a verdict.
pub const fn of(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => PASS,
        Verdict::Fail => FINDINGS,
        Verdict::Inconclusive => INCONCLUSIVE,
    }
}
