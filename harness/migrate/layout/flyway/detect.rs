//! What Flyway's parser of PostgreSQL finds in a script before it runs: statements that no transaction holds, for which it
//! leaves out its own, and a mix of both kinds, which it refuses (`PostgreSQLParser` and `ParserSqlScript` of
//! <https://github.com/flyway/flyway>).

use super::super::{Folder, Refused, Script, Transaction};
use crate::engine::{
    Dialect,
    script::{LexemeKind, Lexicon},
};

/// How these statements begin. What else the server runs only outside of a transaction, Flyway does not know, and it fails
/// there as it fails here. To `ALTER TYPE … ADD VALUE` its rule applies on servers before version 12 alone.
const ALONE: &[&str] = &[
    "CREATE DATABASE",
    "CREATE TABLESPACE",
    "CREATE SUBSCRIPTION",
    "DROP DATABASE",
    "DROP TABLESPACE",
    "DROP SUBSCRIPTION",
    "ALTER SYSTEM",
    "CREATE INDEX CONCURRENTLY",
    "CREATE UNIQUE INDEX CONCURRENTLY",
    "DROP INDEX CONCURRENTLY",
    "REINDEX SCHEMA",
    "REINDEX DATABASE",
    "REINDEX SYSTEM",
    "REINDEX VERBOSE SCHEMA",
    "REINDEX VERBOSE DATABASE",
    "REINDEX VERBOSE SYSTEM",
    "VACUUM",
    "DISCARD ALL",
];

/// As many words as the longest of them has.
const WORDS: usize = 4;

static LEXICON: Lexicon = Lexicon {
    names: &[('"', '"')],
    texts: &['\''],
    has_backslash: false,
    has_dollar_quotes: true,
    has_nested_comments: true,
    has_hash_comments: false,
    has_open_comments: false,
    has_client_commands: false,
    has_delimiter: false,
};

/// Takes the transaction away from a script, or the script from the tool, as Flyway does where no file beside the script
/// says what it wants.
pub(super) fn settle(script: &mut Script, dialect: &dyn Dialect, is_mixed: bool) {
    // A script that cannot be cut is told of elsewhere.
    let Ok(statements) = script.statements(dialect) else { return };
    let Some(first) = statements.first() else { return };
    let other = statements.iter().find(|one| is_alone(one.text) != is_alone(first.text));
    match other {
        Some(other) if !is_mixed => {
            let begins = other.text.lines().next().unwrap_or_default();
            let said = format!(
                "Flyway runs none of it: \"Detected both transactional and non-transactional statements within the same \
                 migration (even though mixed is false)\", found at `{begins}`"
            );
            script.refused = Some(Refused { line: other.line, said });
        }
        None if !is_alone(first.text) => {}
        _ => script.transaction = Transaction::Nothing,
    }
}

/// Whether Flyway takes a statement for one that no transaction holds.
fn is_alone(statement: &str) -> bool {
    let mut depth = 0_usize;
    let mut words: Vec<String> = Vec::new();
    for (_, piece) in LEXICON.pieces(statement) {
        match piece.kind {
            LexemeKind::Mark if piece.is("(") => depth += 1,
            LexemeKind::Mark if piece.is(")") => depth = depth.saturating_sub(1),
            LexemeKind::Word if depth == 0 => words.push(piece.text.to_ascii_uppercase()),
            _ => {}
        }
        if words.len() == WORDS {
            break;
        }
    }
    ALONE.iter().any(|begins| begins.split(' ').eq(words.iter().map(String::as_str).take(begins.split(' ').count())))
}

/// Whether the project's own settings allow a mix, in the folder or one of the few above it.
pub(super) fn is_mixed(folder: &Folder) -> bool {
    let says = |text: &str| {
        let plain = |line: &str| line.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
        text.lines().any(|line| plain(line).eq_ignore_ascii_case("flyway.mixed=true"))
    };
    let says_toml = |text: &str| {
        let table: toml::Table = text.parse().unwrap_or_default();
        table.get("flyway").and_then(|flyway| flyway.get("mixed")).and_then(toml::Value::as_bool) == Some(true)
    };
    folder.above("flyway.conf").is_some_and(|text| says(&text))
        || folder.above("flyway.toml").is_some_and(|text| says_toml(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_no_transaction_holds_are_known_by_their_first_words() {
        for alone in [
            "create index concurrently i on t (n)",
            "CREATE UNIQUE /* soon */ INDEX\n  CONCURRENTLY i ON t (n)",
            "DROP INDEX CONCURRENTLY i",
            "VACUUM",
            "VACUUM (ANALYZE) t",
            "REINDEX (VERBOSE) DATABASE d",
        ] {
            assert!(is_alone(alone), "{alone}");
        }
        for other in [
            "CREATE INDEX i ON t (n)",
            "REINDEX INDEX CONCURRENTLY i",
            "ALTER TYPE mood ADD VALUE 'well'",
            "CREATE TABLE vacuum (n int)",
            "SELECT 'VACUUM'",
            "",
        ] {
            assert!(!is_alone(other), "{other}");
        }
    }
}
