//! Tables that cannot be read: named as unchecked, while the rest goes on.
//!
//! Row security, a missing right, a lock that is not given back, a foreign server that is away, a table that vanished or
//! changed its shape since it was recorded: each concerns one table. Every check meets them by the two functions here.

use super::{CheckContext, Examined};
use crate::{
    canon::comparison::Comparison,
    engine::EngineError,
    model::{Side, TableName, Unchecked, catalogue::ObjectName, chain},
};

impl CheckContext<'_> {
    /// Why a table's rows cannot be read, as far as its catalogue or an earlier attempt tells.
    pub fn unreadable(&self, side: Side, table: &TableName) -> Option<&str> {
        match self.snapshot(self.stage, side).tables.get(table) {
            Some(recorded) => recorded.unreadable.as_deref(),
            None => self.catalogue(side).tables.get(table)?.unreadable.as_deref(),
        }
    }

    /// Whether the rows of a table of one side can be asked; one that cannot is named.
    pub fn can_ask(&self, side: Side, table: &TableName, examined: &mut Examined) -> bool {
        let Some(reason) = self.unreadable(side, table) else { return true };
        let pairs = |one: &&Comparison| table == if side == Side::Source { &one.source } else { &one.target };
        if self.derived.comparisons.iter().find(pairs).is_some_and(|comparison| self.is_elsewhere(comparison)) {
            return false;
        }
        examined.unchecked.push(Unchecked::new("row", format!("{side} {table}"), reason));
        false
    }

    /// Whether both tables of a pair stand for rows that nobody can read, because their foreign data wrapper has no handler: the
    /// definitions, which say so, are compared like any other.
    pub fn is_elsewhere(&self, comparison: &Comparison) -> bool {
        self.derived.same_engine
            && self.has_no_handler(Side::Source, &comparison.source)
            && self.has_no_handler(Side::Target, &comparison.target)
    }

    fn has_no_handler(&self, side: Side, table: &TableName) -> bool {
        let object = |class: &str, name: &str| self.catalogue(side).objects.get(&ObjectName::new(class, name));
        let wrapper = object("foreign_table", &table.to_string())
            .and_then(|table| object("server", table.get("server")?))
            .and_then(|server| object("foreign_data_wrapper", server.get("wrapper")?));
        // That of an extension is not listed: extensions bring wrappers for something.
        wrapper.is_some_and(|wrapper| !wrapper.contains_key("handler"))
    }

    /// Whether the rows of both tables of a pair can be asked; those that cannot are named.
    pub fn can_compare(&self, comparison: &Comparison, examined: &mut Examined) -> bool {
        if self.is_elsewhere(comparison) {
            return false;
        }
        let source = self.can_ask(Side::Source, &comparison.source, examined);
        self.can_ask(Side::Target, &comparison.target, examined) && source
    }

    /// Whether a table had no row when it was recorded or counted: then there is nothing to ask.
    pub fn is_empty(&self, side: Side, table: &TableName) -> bool {
        self.known_rows(side, table) == Some(0)
    }

    /// How many rows a table has, as far as somebody counted them at this stage.
    pub fn known_rows(&self, side: Side, table: &TableName) -> Option<u64> {
        if let Some(recorded) = self.snapshot(self.stage, side).tables.get(table) {
            return recorded.unreadable.is_none().then_some(recorded.rows.rows);
        }
        // A rowset that a filter made says nothing of its table.
        let is_it = |one: &Comparison| table == one.table(side) && one.terms.get(side).is_plain();
        let position = self.derived.comparisons.iter().position(is_it)?;
        self.tally.get(&position).map(|rows| *rows.get(side))
    }

    /// Takes what came of a question about one table. If it was refused, the table is named as unchecked and the sessions
    /// are made ready for the next question.
    ///
    /// # Errors
    /// If a side is gone, which is more than one table's affair.
    pub async fn answered<T>(
        &mut self,
        side: Side,
        table: &TableName,
        answer: Result<T, EngineError>,
        examined: &mut Examined,
    ) -> Result<Option<T>, EngineError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_about_the_question() => {
                examined.unchecked.push(Unchecked::new("row", format!("{side} {table}"), chain(&error)));
                self.readers.recover().await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
