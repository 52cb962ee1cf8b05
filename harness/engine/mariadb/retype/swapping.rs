//! Second columns take their columns' places.

use std::collections::{BTreeMap, BTreeSet};

use super::{attached, desynchronise, fillers, filling, quote, table};
use crate::{
    engine::{
        EngineError, Session,
        mariadb::{dialect::literal, script::LEXICON},
        retype::{Attached, AttachedClass, Swap},
        script::LexemeKind,
    },
    model::TableName,
};

/// The clauses of the one ALTER TABLE by which second columns of a table take their places.
pub(super) fn exchange(swaps: &[&Swap<'_>]) -> String {
    let mut clauses: Vec<String> = Vec::new();
    let mut add = |clause: String| {
        if !clauses.contains(&clause) {
            clauses.push(clause);
        }
    };
    let of_table = |attached: &&Attached| matches!(attached.class, AttachedClass::Constraint | AttachedClass::Index);
    for attached in swaps.iter().flat_map(|swap| swap.attached).filter(of_table) {
        attached.goes.iter().cloned().for_each(&mut add);
    }
    for swap in swaps {
        let (column, temporary) = (quote(swap.retyping.column), quote(swap.retyping.temporary));
        add(format!("DROP COLUMN {column}"));
        add(format!("CHANGE COLUMN {temporary} {column} {}", definition(swap)));
    }
    for attached in swaps.iter().flat_map(|swap| swap.attached).filter(of_table) {
        add(attached.comes.clone());
    }
    for swap in swaps.iter().filter(|swap| swap.restores) {
        let counters = swap.attached.iter().filter(|attached| attached.class == AttachedClass::Counter);
        counters.for_each(|counter| add(counter.comes.clone()));
    }
    clauses.join(", ")
}

/// What a column is declared as after its swap.
fn definition(swap: &Swap<'_>) -> String {
    let attributes = swap.attached.iter().filter(|attached| attached.class == AttachedClass::Attribute);
    let (whole, others): (Vec<_>, Vec<_>) = attributes.partition(|attached| attached.name == attached::DEFINITION);
    if let Some(whole) = whole.first().filter(|_| swap.restores) {
        return whole.comes.clone();
    }
    let default = swap.default.map(|default| format!("DEFAULT {default}"));
    let others = others.into_iter().map(|attached| attached.comes.clone());
    [swap.retyping.declared.to_owned()].into_iter().chain(default).chain(others).collect::<Vec<_>>().join(" ")
}

/// Whether writers fill any of these second columns.
async fn are_written(session: &mut dyn Session, swaps: &[Swap<'_>]) -> Result<bool, EngineError> {
    let names = swaps.iter().flat_map(|swap| fillers(swap.retyping)).map(|(name, _)| literal(&name));
    let sql = format!(
        "SELECT 1 FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND trigger_name IN ({}) LIMIT 1",
        names.collect::<Vec<_>>().join(", ")
    );
    Ok(!session.query(&sql).await?.is_empty())
}

/// The statement that keeps everybody out of these tables, under each name by which they are read here. A name can stand for
/// one table only, so that values are taken from the tables under their own.
fn lock(swaps: &[Swap<'_>], references: &BTreeMap<String, [TableName; 2]>) -> String {
    let mut locks: BTreeSet<String> =
        references.values().flatten().map(|name| format!("{} WRITE", table(name))).collect();
    for Swap { retyping, .. } in swaps {
        locks.insert(format!("{} WRITE", table(retyping.table)));
        locks.extend(retyping.beside.map(|beside| format!("{} AS k WRITE", table(beside))));
    }
    format!("LOCK TABLES {}", locks.into_iter().collect::<Vec<_>>().join(", "))
}

pub(super) async fn swap(session: &mut dyn Session, swaps: &[Swap<'_>]) -> Result<(), EngineError> {
    if !are_written(session, swaps).await? {
        return exchange_all(session, swaps, false).await;
    }
    let references = referring(session, swaps).await?;
    session.execute(&lock(swaps, &references)).await?;
    let outcome = exchange_all(session, swaps, true).await;
    let unlocked = session.execute("UNLOCK TABLES").await;
    outcome.and(unlocked)
}

/// The tables of each foreign key that hangs on these columns and is there.
async fn referring(
    session: &mut dyn Session,
    swaps: &[Swap<'_>],
) -> Result<BTreeMap<String, [TableName; 2]>, EngineError> {
    let attached = swaps.iter().flat_map(|swap| swap.attached);
    let names: BTreeSet<&String> =
        attached.filter(|attached| attached.class == AttachedClass::Reference).map(|attached| &attached.name).collect();
    let sql = "SELECT DISTINCT constraint_name, table_name, referenced_table_name FROM information_schema.key_column_usage \
               WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE()";
    let rows = session.query(sql).await?.into_iter().filter_map(|row| {
        let [name, child, parent]: [Option<String>; 3] = row.try_into().ok()?;
        Some((name?, [TableName::new(child?), TableName::new(parent?)]))
    });
    Ok(rows.filter(|(name, _)| names.contains(name)).collect())
}

/// SQL about a row called `t`, about a row of this table.
fn of_table(sql: &str, name: &str) -> String {
    let pieces = LEXICON.pieces(sql);
    let (mut written, mut from) = (String::new(), 0);
    for pair in pieces.windows(2) {
        let [(at, row), (_, point)] = pair else { continue };
        if row.kind == LexemeKind::Word && row.text == "t" && point.text == "." {
            written.push_str(&sql[from..*at]);
            written.push_str(name);
            from = at + row.text.len();
        }
    }
    written.push_str(&sql[from..]);
    written
}

async fn exchange_all(session: &mut dyn Session, swaps: &[Swap<'_>], are_written: bool) -> Result<(), EngineError> {
    let there = referring(session, swaps).await?;
    let mut said = BTreeSet::new();
    for attached in swaps.iter().flat_map(|swap| swap.attached) {
        let is_there = attached.class == AttachedClass::Reference && there.contains_key(&attached.name);
        if let Some(goes) = attached.goes.as_ref().filter(|goes| is_there && said.insert(goes.as_str())) {
            session.execute(goes).await?;
        }
    }
    for Swap { retyping, .. } in swaps {
        let (temporary, column) = (quote(retyping.temporary), quote(retyping.column));
        let left = if are_written {
            // What a foreign key did to rows meanwhile (SET NULL, CASCADE) no trigger has seen.
            format!("NOT (t.{temporary} <=> {})", retyping.value)
        } else {
            format!("t.{temporary} IS NULL AND t.{column} IS NOT NULL")
        };
        let set = filling::assignments(session, retyping).await?;
        let name = table(retyping.table);
        let update = format!("SET {set} WHERE {left}");
        session.execute(&format!("UPDATE {name} {}", of_table(&update, &name))).await?;
    }
    let mut tables: Vec<&TableName> = swaps.iter().map(|swap| swap.retyping.table).collect();
    tables.dedup();
    for (at, name) in tables.iter().enumerate() {
        if tables[..at].contains(name) {
            continue;
        }
        let of_table: Vec<&Swap<'_>> = swaps.iter().filter(|swap| swap.retyping.table == *name).collect();
        session.execute(&format!("ALTER TABLE {} {}", table(name), exchange(&of_table))).await?;
        // After it and not before: if the connection is lost in between, writers are refused until somebody goes on or
        // back, and no second column falls behind.
        for statement in of_table.iter().flat_map(|swap| desynchronise(swap.retyping)) {
            session.execute(&statement).await?;
        }
    }
    if !are_written {
        return Ok(());
    }
    // While nobody can delete a parent whose children would not go with it.
    let mut said = BTreeSet::new();
    for attached in swaps.iter().flat_map(|swap| swap.attached) {
        let was_there = attached.class == AttachedClass::Reference && there.contains_key(&attached.name);
        if was_there && said.insert(attached.comes.as_str()) {
            session.execute(&attached.comes).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_called_by_its_table() {
        assert_eq!(
            of_table("SET t.`t` = CONCAT('t.', t.`a`, k.t)", "`s`.`x`"),
            "SET `s`.`x`.`t` = CONCAT('t.', `s`.`x`.`a`, k.t)"
        );
    }
}
