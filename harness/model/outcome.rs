//! What became of a step or check, and what a run means.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of a step or a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It ran and found nothing wrong.
    Passed,
    /// It ran and found something.
    Failed {
        /// What a step found wrong; a check's findings say it themselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
    /// It did not run, and that is known and named.
    Skipped {
        /// Why it did not run.
        reason: String,
    },
    /// It could not finish.
    Broken {
        /// The error and its causes.
        error: String,
    },
}

impl Outcome {
    /// The share of this outcome in the verdict.
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Passed => Verdict::Pass,
            Self::Failed { .. } => Verdict::Fail,
            Self::Skipped { .. } | Self::Broken { .. } => Verdict::Inconclusive,
        }
    }

    /// The word for it, without the reason.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::Skipped { .. } => "skipped",
            Self::Broken { .. } => "broken",
        }
    }

    /// The reason or error, where there is one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed { because } => because.as_deref(),
            Self::Skipped { reason } => Some(reason),
            Self::Broken { error } => Some(error),
        }
    }
}

/// What a run means. Ordered by gravity; verdicts are merged by taking the larger one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was checked and nothing was found.
    #[default]
    Pass,
    /// Nothing was found, but not everything could be checked.
    Inconclusive,
    /// Something was found.
    Fail,
}

impl Verdict {
    /// The graver of two verdicts.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        self.max(other)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        })
    }
}
