//! What is made on second columns beside whoever writes, so that the swap itself looks at no row: indexes, references, and the
//! proof that no row lacks a value.

use std::collections::{BTreeMap, BTreeSet};

use super::{mark, quote, table};
use crate::{
    engine::{
        Dialect, EngineError, Session,
        postgres::{PostgresDialect, script::LEXICON},
        retype::{Attached, AttachedClass, Retyping, Swap},
        script::{Lexeme, LexemeKind},
    },
    model::TableName,
};

/// Second columns by their columns, of the tables as the server prints them.
type Renamed<'a> = BTreeMap<String, BTreeMap<&'a str, &'a str>>;

/// The name of a column's constraint that no row lacks a value.
pub(super) fn whole(retyping: &Retyping<'_>) -> String {
    format!("whole_{}", mark(retyping))
}

/// The name that a reference has meanwhile.
pub(super) fn meanwhile(attached: &Attached) -> String {
    let digest = blake3::hash(attached.comes.as_bytes()).to_hex();
    format!("made_{}", &digest[..16])
}

/// The statements by which a reference between second columns takes its name.
pub(super) fn taken(attached: &Attached) -> Option<String> {
    let pieces = LEXICON.pieces(&attached.comes);
    let add = pieces.iter().position(|(_, piece)| piece.is("ADD"))?;
    let child = attached.comes[pieces.get(2)?.0..pieces[add].0].trim_end();
    let comments = pieces.iter().find(|(_, piece)| piece.text == ";").map_or("", |(at, _)| &attached.comes[*at..]);
    let (from, to) = (quote(&meanwhile(attached)), quote(&attached.name));
    Some(format!("ALTER TABLE {child} RENAME CONSTRAINT {from} TO {to}{comments}"))
}

/// The statements that take references to a second column away.
pub(super) async fn referring(session: &mut dyn Session, retyping: &Retyping<'_>) -> Result<Vec<String>, EngineError> {
    let sql = format!(
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', k.conrelid::regclass, k.conname) \
         FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey) \
         WHERE k.contype = 'f' AND k.confrelid = {}::regclass AND a.attname = {}",
        PostgresDialect.literal(&table(retyping.table)),
        PostgresDialect.literal(retyping.temporary)
    );
    Ok(session.query(&sql).await?.into_iter().flatten().flatten().collect())
}

/// Which of these names stand for something that is made and proven.
pub(super) async fn ready(session: &mut dyn Session, swaps: &[Swap<'_>]) -> Result<BTreeSet<String>, EngineError> {
    let sql = "SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indisvalid \
               UNION ALL SELECT conname FROM pg_constraint WHERE convalidated";
    let there: BTreeSet<String> = session.query(sql).await?.into_iter().flatten().flatten().collect();
    let names = swaps.iter().flat_map(|swap| {
        let early = swap.attached.iter().filter_map(|attached| attached.early.as_ref()).map(|early| early.name.clone());
        let references = swap.attached.iter().filter(|attached| attached.class == AttachedClass::Reference);
        early.chain(references.map(meanwhile)).chain([whole(swap.retyping)])
    });
    Ok(names.filter(|name| there.contains(name)).collect())
}

/// Makes what can be made. Each part is left out if it is there; what was cut off is made again.
pub(super) async fn prepare(session: &mut dyn Session, swaps: &[Swap<'_>]) -> Result<(), EngineError> {
    let ready = ready(session, swaps).await?;
    for Swap { retyping, attached, .. } in swaps {
        if !ready.contains(&whole(retyping)) {
            prove(session, retyping, is_not_null(attached)).await?;
        }
    }
    let renamed = renamed(session, swaps).await?;
    let mut met = BTreeSet::new();
    for Swap { retyping, attached, .. } in swaps {
        let columns = &renamed[&printed(session, retyping.table).await?];
        for early in attached.iter().filter_map(|attached| attached.early.as_ref()) {
            if met.insert(early.name.clone()) && !ready.contains(&early.name) {
                let place = TableName { schema: retyping.table.schema.clone(), name: early.name.clone() };
                session.execute(&format!("DROP INDEX IF EXISTS {}", table(&place))).await?;
                concurrently(session, &index(&early.makes, &early.name, columns)).await?;
            }
        }
    }
    for attached in swaps.iter().flat_map(|swap| swap.attached) {
        // One that was never proven comes back as it was, behind the swap.
        let is_proven = attached.class == AttachedClass::Reference && attached.proves.is_some();
        let name = meanwhile(attached);
        if !is_proven || !met.insert(name.clone()) || ready.contains(&name) {
            continue;
        }
        let Some((child, definition)) = reference(&attached.comes, &renamed) else { continue };
        let name = quote(&name);
        for statement in [
            format!("ALTER TABLE {child} DROP CONSTRAINT IF EXISTS {name}"),
            format!("ALTER TABLE {child} ADD CONSTRAINT {name} {definition}"),
            format!("ALTER TABLE {child} VALIDATE CONSTRAINT {name}"),
        ] {
            session.execute(&statement).await?;
        }
    }
    for Swap { retyping, .. } in swaps {
        session.execute(&format!("ANALYZE {}", table(retyping.table))).await?;
    }
    Ok(())
}

/// Whether a column is NOT NULL.
pub(super) fn is_not_null(attached: &[Attached]) -> bool {
    attached.iter().any(|attached| attached.class == AttachedClass::Attribute && attached.name == "NOT NULL")
}

/// Proves that every row has a value in the second column that has one in the first.
async fn prove(session: &mut dyn Session, retyping: &Retyping<'_>, is_not_null: bool) -> Result<(), EngineError> {
    let (name, constraint) = (table(retyping.table), quote(&whole(retyping)));
    let (temporary, column) = (quote(retyping.temporary), quote(retyping.column));
    let or_none = if is_not_null { String::new() } else { format!(" OR {column} IS NULL") };
    for statement in [
        format!(
            "UPDATE {name} t SET {temporary} = {} WHERE t.{temporary} IS NULL AND t.{column} IS NOT NULL",
            retyping.value
        ),
        format!("ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {constraint}"),
        format!("ALTER TABLE {name} ADD CONSTRAINT {constraint} CHECK ({temporary} IS NOT NULL{or_none}) NOT VALID"),
        format!("ALTER TABLE {name} VALIDATE CONSTRAINT {constraint}"),
    ] {
        session.execute(&statement).await?;
    }
    Ok(())
}

/// Builds an index while others write. It waits for their transactions, and nobody waits for it, so that there is no hurry.
async fn concurrently(session: &mut dyn Session, statement: &str) -> Result<(), EngineError> {
    let patience = session.query("SHOW lock_timeout").await?.into_iter().flatten().flatten().next();
    session.execute("SET lock_timeout = 0").await?;
    let made = session.execute(statement).await;
    if let Some(patience) = patience {
        let restored = session.execute(&format!("SET lock_timeout = {}", PostgresDialect.literal(&patience))).await;
        return made.and(restored);
    }
    made
}

/// A table as the server prints it in definitions.
async fn printed(session: &mut dyn Session, name: &TableName) -> Result<String, EngineError> {
    let sql = format!("SELECT {}::regclass::text", PostgresDialect.literal(&table(name)));
    Ok(session.query(&sql).await?.into_iter().flatten().flatten().next().unwrap_or_default())
}

async fn renamed<'a>(session: &mut dyn Session, swaps: &[Swap<'a>]) -> Result<Renamed<'a>, EngineError> {
    let mut renamed = Renamed::new();
    for Swap { retyping, .. } in swaps {
        let columns = renamed.entry(printed(session, retyping.table).await?).or_default();
        columns.insert(retyping.column, retyping.temporary);
    }
    Ok(renamed)
}

/// The statement that makes an index on second columns, from the one that made it on the first.
fn index(makes: &str, name: &str, columns: &BTreeMap<&str, &str>) -> String {
    let pieces = LEXICON.pieces(makes);
    let on = pieces.iter().position(|(_, piece)| piece.is("ON")).unwrap_or_default();
    let unique = if pieces[..on].iter().any(|(_, piece)| piece.is("UNIQUE")) { "UNIQUE " } else { "" };
    let behind = pieces.iter().position(|(_, piece)| piece.text == "(").unwrap_or(pieces.len());
    let begin = pieces.get(on).map_or(0, |(at, _)| *at);
    let definition = replaced(makes, begin, &pieces, |position| (position >= behind).then_some(columns));
    format!("CREATE {unique}INDEX CONCURRENTLY {} {definition}", quote(name))
}

/// The table and the definition of a reference between second columns, from the statement that brings it between the first.
/// `None` for one that sets defaults, which second columns do not have.
fn reference(comes: &str, renamed: &Renamed<'_>) -> Option<(String, String)> {
    let pieces = LEXICON.pieces(comes);
    let end = pieces.iter().position(|(_, piece)| piece.text == ";").unwrap_or(pieces.len());
    let pieces = &pieces[..end];
    let find = |word: &str| pieces.iter().position(|(_, piece)| piece.is(word));
    let (add, foreign, refers) = (find("ADD")?, find("FOREIGN")?, find("REFERENCES")?);
    if pieces.windows(2).any(|pair| pair[0].1.is("SET") && pair[1].1.is("DEFAULT")) {
        return None;
    }
    let opens = refers + pieces[refers..].iter().position(|(_, piece)| piece.text == "(")?;
    let closes = opens + pieces[opens..].iter().position(|(_, piece)| piece.text == ")")?;
    let between = |from: usize, to: usize| comes[pieces[from].0..pieces[to].0].trim_end().to_owned();
    let (child, parent) = (between(2, add), between(refers + 1, opens));
    let (last, piece) = pieces.last()?;
    let of = |position: usize| {
        let is_parent = (opens..closes).contains(&position);
        renamed.get(if is_parent { &parent } else { &child })
    };
    let in_group = |position: usize| {
        let before = &pieces[..position];
        let depth = before.iter().filter(|(_, piece)| piece.text == "(").count()
            - before.iter().filter(|(_, piece)| piece.text == ")").count();
        (position > foreign && depth > 0).then(|| of(position)).flatten()
    };
    let definition = replaced(&comes[..last + piece.text.len()], pieces[foreign].0, pieces, in_group);
    Some((child, definition))
}

/// SQL from a byte on, with the columns replaced where they are given for a piece.
fn replaced<'a>(
    sql: &str,
    begin: usize,
    pieces: &[(usize, Lexeme<'_>)],
    columns: impl Fn(usize) -> Option<&'a BTreeMap<&'a str, &'a str>>,
) -> String {
    let (mut written, mut from) = (String::new(), begin);
    for (position, (at, piece)) in pieces.iter().enumerate() {
        let name = match piece.kind {
            LexemeKind::Word => piece.text.to_owned(),
            LexemeKind::Quoted if piece.text.starts_with('"') => piece.text.trim_matches('"').replace("\"\"", "\""),
            _ => continue,
        };
        let before = position.checked_sub(1).map(|before| pieces[before].1);
        let is_other = before.is_some_and(|piece| [":", "."].contains(&piece.text) || piece.is("COLLATE"))
            || pieces.get(position + 1).is_some_and(|(_, piece)| piece.text == "(");
        let Some(second) = columns(position).and_then(|columns| columns.get(name.as_str())).filter(|_| !is_other)
        else {
            continue;
        };
        written.push_str(&sql[from..*at]);
        written.push_str(&quote(second));
        from = at + piece.text.len();
    }
    written.push_str(&sql[from..]);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_made_on_second_columns() {
        let columns = BTreeMap::from([("id", "id_uuid"), ("a\"b", "a_uuid")]);
        let made = "CREATE UNIQUE INDEX id ON public.id USING btree (id, id(x), \"a\"\"b\" DESC, ((y)::id), lower((id)::text)) \
                    INCLUDE (z) WHERE (id <> 'id'::text)";
        let expected = "CREATE UNIQUE INDEX CONCURRENTLY \"made\" ON public.id USING btree (\"id_uuid\", id(x), \"a_uuid\" DESC, \
                        ((y)::id), lower((\"id_uuid\")::text)) INCLUDE (z) WHERE (\"id_uuid\" <> 'id'::text)";
        assert_eq!(index(made, "made", &columns), expected);
    }

    #[test]
    fn a_reference_is_made_between_second_columns() {
        let renamed = BTreeMap::from([
            ("s.uses".to_owned(), BTreeMap::from([("user_id", "child")])),
            ("tags".to_owned(), BTreeMap::from([("user_id", "parent")])),
        ]);
        let comes = "ALTER TABLE s.uses ADD CONSTRAINT user_id FOREIGN KEY (user_id, name) REFERENCES tags(user_id, name) \
                     MATCH FULL ON DELETE SET NULL (user_id) NOT VALID; COMMENT ON CONSTRAINT x ON s.uses IS 'user_id'";
        let expected = "FOREIGN KEY (\"child\", name) REFERENCES tags(\"parent\", name) MATCH FULL ON DELETE SET NULL \
                        (\"child\") NOT VALID";
        assert_eq!(reference(comes, &renamed), Some(("s.uses".to_owned(), expected.to_owned())));
        let defaults = "ALTER TABLE a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES d(e) ON DELETE SET DEFAULT";
        assert_eq!(reference(defaults, &renamed), None);
    }
}
