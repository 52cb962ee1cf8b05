//! What an engine is asked about itself.

/// The questions, in the engine's own SQL.
pub trait Questions {
    /// A query for one row of text: encoding, collation, the database's bytes, and why the user can make nothing in it.
    fn readiness(&self) -> &'static str;

    /// How the engine is asked how it would answer a query.
    fn plan_of(&self) -> PlanSql;

    /// The questions by which the engine looks its own file through.
    fn self_examinations(&self) -> &'static [SelfExamination] {
        &[]
    }
}

/// A question by which an engine looks its own file through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfExamination {
    /// Its name, as the engine's own documentation has it.
    pub name: &'static str,
    /// The query. Each row of its answer tells something that is wrong.
    pub sql: &'static str,
    /// The only row of a whole file, where that gives one.
    pub whole: Option<&'static str>,
    /// Whether it looks at what refers to what, which is the migration's to answer for in the target alone.
    pub is_of_references: bool,
}

/// How an engine is asked how it would answer a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanSql {
    /// What stands before the query.
    pub explain: &'static str,
    /// Columns of the answer that tell estimates or mere numbers, by position: they change without the plan.
    pub estimates: &'static [usize],
}
