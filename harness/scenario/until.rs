//! The first steps of a scenario: a phase that is rehearsed before the next one is written or dared.

use super::Scenario;
use crate::{
    canon::comparison::{Ignored, Mapping, Reason, Stated},
    migrate,
    model::Side,
};

impl Scenario {
    /// The scenario up to this step, which is its last then; `None` if no step is called so. What later steps copy is left out of
    /// the comparison, for that reason.
    #[must_use]
    pub fn until(mut self, step: &str) -> Option<Self> {
        let last = self.steps.iter().position(|one| one.name == step)?;
        for later in self.steps.split_off(last + 1) {
            let states = migrate::by_id(&later.kind).and_then(|kind| kind.states(&later.config));
            if let Some(states) = states {
                take_out(&mut self.stated, &states, &later.name);
            }
            for probe in self.probes.iter_mut().filter(|probe| probe.step.as_ref() == Some(&later.name)) {
                probe.left_to = Some(later.name.clone());
                self.waivers.insert(probe.subject(), format!("left to the step `{}`", later.name));
            }
        }
        Some(self)
    }

    /// This step of the scenario alone, on what those before it left; `None` if no step is called so.
    #[must_use]
    pub fn phase(self, step: &str) -> Option<Self> {
        let mut phase = self.until(step)?;
        phase.begins = phase.steps.len() - 1;
        Some(phase)
    }

    /// The steps that are rehearsed.
    pub fn rehearsed(&self) -> &[super::StepSpec] {
        &self.steps[self.begins..]
    }
}

/// Takes out what a step states, and names the tables that nothing else is stated about as left to it.
fn take_out(stated: &mut Mapping, states: &Mapping, step: &str) {
    stated.compare.retain(|one| !states.compare.contains(one));
    stated.ignore.retain(|one| !states.ignore.contains(one));
    stated.references.retain(|one| !states.references.contains(one));
    let tables = |one: &Stated| [(Side::Source, one.source.clone()), (Side::Target, one.target.clone())];
    for one in states.compare.iter().filter(|one| one.queries.iter().all(|(_, query)| query.is_none())) {
        for (side, table) in tables(one) {
            let is_stated = stated.compare.iter().any(|other| tables(other).contains(&(side, table.clone())));
            let is_out =
                stated.ignore.iter().any(|other| other.side == side && other.table == table && other.column.is_none());
            if !is_stated && !is_out {
                let reason = Reason { why: format!("ignored: left to the step `{step}`"), until: None };
                stated.ignore.push(Ignored { side, table, column: None, reason, at: one.at.clone() });
            }
        }
    }
}
