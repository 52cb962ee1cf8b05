//! From a scenario to the acts of its rehearsals. Pure: prints and runs alike are made from it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Options, options::Subject};
use crate::{
    check, migrate,
    model::{Side, Stage, event::Direction},
    scenario::Scenario,
};

/// Everything that a run is going to do, in order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// One for each version of the target.
    pub rehearsals: Vec<RehearsalPlan>,
}

/// One rehearsal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RehearsalPlan {
    /// The scenario, with the target's version where it is rehearsed on several.
    pub name: String,
    /// The target's version, where one is asked for.
    pub version: Option<String>,
    /// The acts in order.
    pub acts: Vec<Act>,
}

/// One act of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Act {
    /// Unique within the rehearsal: `migrate/transfer`.
    pub id: String,
    /// What to do.
    pub kind: ActKind,
    /// What that means, one line each.
    pub lines: Vec<String>,
}

/// What an act does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActKind {
    /// Get a database for one side.
    Provision(Side),
    /// Run the SQL that makes one side's tables.
    Schema(Side),
    /// Fill one side with the dataset or the snapshot.
    Populate(Side),
    /// Record the state of both sides.
    Record(Stage),
    /// Run one step of the migration, forward or back.
    Step {
        /// Its position in the scenario.
        index: usize,
        /// Which way.
        direction: Direction,
        /// The stage that it leads to.
        towards: Stage,
    },
    /// Run one check.
    Check {
        /// The stage that it looks at.
        stage: Stage,
        /// Its id.
        id: &'static str,
    },
}

impl ActKind {
    /// Whether it belongs to the rollback or to its proof.
    pub const fn is_way_back(&self) -> bool {
        matches!(
            self,
            Self::Step { direction: Direction::Back, .. }
                | Self::Record(Stage::RolledBack)
                | Self::Check { stage: Stage::RolledBack, .. }
        )
    }

    /// Whether it belongs to the second migration.
    pub const fn is_again(&self) -> bool {
        matches!(
            self,
            Self::Step { towards: Stage::Reapplied, .. }
                | Self::Record(Stage::Reapplied)
                | Self::Check { stage: Stage::Reapplied, .. }
        )
    }

    /// The word for it in reports.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Provision(_) => "provision",
            Self::Schema(_) => "schema",
            Self::Populate(_) => "populate",
            Self::Record(_) => "record",
            Self::Step { .. } => "step",
            Self::Check { .. } => "check",
        }
    }
}

impl Plan {
    /// Plans the rehearsals of a scenario.
    pub fn of(scenario: &Scenario, options: &Options) -> Self {
        let versions = if options.versions.is_empty() { &scenario.target.versions } else { &options.versions };
        let mut named: Vec<Option<String>> = match versions.as_slice() {
            [] => vec![None],
            versions => versions.iter().cloned().map(Some).collect(),
        };
        // Whoever names a version twice wants it once: two rehearsals of one name would write the same files.
        let mut taken = BTreeSet::new();
        named.retain(|version| taken.insert(version.clone()));
        let several = named.len() > 1;
        let rehearsals = named
            .into_iter()
            .map(|version| RehearsalPlan {
                name: match &version {
                    Some(version) if several => format!("{}@{version}", scenario.name),
                    _ => scenario.name.clone(),
                },
                acts: acts(scenario, options, version.as_deref()),
                version,
            })
            .collect();
        Self { rehearsals }
    }
}

fn acts(scenario: &Scenario, options: &Options, version: Option<&str>) -> Vec<Act> {
    let act = |id: String, kind: ActKind, lines: Vec<String>| Act { id, kind, lines };
    let (of_source, of_target) = (&scenario.source.engine, &scenario.target.engine);
    let target = version.map_or(of_target.to_string(), |version| format!("{of_target} {version}"));
    let mut acts = vec![
        act("provision/source".into(), ActKind::Provision(Side::Source), vec![format!("a {of_source} database")]),
        act("provision/target".into(), ActKind::Provision(Side::Target), vec![format!("a {target} database")]),
    ];
    let snapshot = match &options.subject {
        Subject::File { file, .. } => Some(file),
        Subject::Scenario { .. } => options.snapshot.as_ref(),
    };
    for side in Side::BOTH {
        let is_filled = scenario.filled().contains(&side);
        let lines = scenario.schema(side).iter().map(|file| format!("run {}", file.path.display()));
        let lines: Vec<String> = lines.collect();
        if !lines.is_empty() && (!is_filled || snapshot.is_none()) {
            acts.push(act(format!("schema/{side}"), ActKind::Schema(side), lines));
        }
        if is_filled {
            let line = match snapshot {
                Some(file) => format!("a private copy of {}; the file itself is never written", file.display()),
                None => format!("fill the {side} from seed {}", options.root_seed),
            };
            let id = if side == Side::Source { "populate".to_owned() } else { format!("populate/{side}") };
            acts.push(act(id, ActKind::Populate(side), vec![line]));
        }
    }
    let record = |stage: Stage| {
        let id = format!("record/{}", stage_word(stage));
        act(id, ActKind::Record(stage), vec!["every row, column and catalogue object of both sides".to_owned()])
    };
    acts.extend(steps(scenario, Direction::Forward, Stage::Baseline));
    acts.push(record(Stage::Baseline));
    acts.extend(checks(Stage::Baseline));
    acts.extend(steps(scenario, Direction::Forward, Stage::Migrated));
    acts.push(record(Stage::Migrated));
    acts.extend(checks(Stage::Migrated));
    acts.extend(steps(scenario, Direction::Back, Stage::RolledBack));
    acts.push(record(Stage::RolledBack));
    acts.extend(checks(Stage::RolledBack));
    acts.extend(steps(scenario, Direction::Forward, Stage::Reapplied));
    acts.push(record(Stage::Reapplied));
    acts.extend(checks(Stage::Reapplied));
    // What nothing is asked by is no check, and passes nothing.
    acts.retain(|act| !scenario.probes.is_empty() || !matches!(act.kind, ActKind::Check { id: check::probe::ID, .. }));
    acts
}

/// The steps that lead to a stage: to the baseline those that are done beforehand, and to any other those that are rehearsed.
fn steps(scenario: &Scenario, direction: Direction, towards: Stage) -> Vec<Act> {
    let verb = match towards {
        Stage::RolledBack => "rollback",
        Stage::Reapplied => "reapply",
        Stage::Migrated => "migrate",
        Stage::Baseline => "before",
    };
    let is_beforehand = towards == Stage::Baseline;
    let mut acts: Vec<Act> = scenario
        .steps
        .iter()
        .enumerate()
        .filter(|(index, _)| (*index < scenario.begins) == is_beforehand)
        .map(|(index, step)| Act {
            id: format!("{verb}/{}", step.name),
            kind: ActKind::Step { index, direction, towards },
            lines: migrate::by_id(&step.kind)
                .map_or(Vec::new(), |kind| migrate::rollback::describe(kind, &step.config, direction)),
        })
        .collect();
    if direction == Direction::Back {
        acts.reverse();
    }
    acts
}

fn checks(stage: Stage) -> impl Iterator<Item = Act> {
    check::every().map(|check| check.meta()).filter(move |meta| meta.stages.contains(&stage)).map(move |meta| Act {
        id: format!("check/{}/{}", stage_word(stage), meta.id),
        kind: ActKind::Check { stage, id: meta.id },
        lines: vec![meta.asserts.to_owned()],
    })
}

/// A stage as part of an id or a file name.
pub(super) const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Baseline => "baseline",
        Stage::Migrated => "migrated",
        Stage::RolledBack => "rolled-back",
        Stage::Reapplied => "reapplied",
    }
}
