//! What a statement does to the transaction in which a session stands, by its words.

use super::Placed;

/// What a statement does to the session's transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Begins one.
    Begins,
    /// Ends it; `goes_on` is whether another one begins at once.
    Ends { goes_on: bool },
    /// Neither.
    Stays,
}

/// Words with which a statement begins that is about transactions.
const WORDS: &[&str] = &["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"];
/// What may follow BEGIN where that begins a transaction: MariaDB's compound statement begins with the word, too.
const BEHIND_BEGIN: &[&str] = &["", "work", "transaction", "deferred", "immediate", "exclusive", "isolation", "read"];

impl Turn {
    /// Of a statement.
    pub fn of(statement: &str) -> Self {
        let words: Vec<String> = words(statement).take(3).collect();
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        match (word(0), word(1)) {
            ("begin", second) if BEHIND_BEGIN.contains(&second) => Self::Begins,
            ("start", "transaction") => Self::Begins,
            // What was prepared is another session's to end.
            ("commit" | "rollback", "prepared") => Self::Stays,
            ("rollback", "to") => Self::Stays,
            ("rollback", "work" | "transaction") if word(2) == "to" => Self::Stays,
            ("commit" | "end" | "rollback" | "abort", _) => {
                let chains = self::words(statement).collect::<Vec<_>>().join(" ").ends_with("and chain");
                Self::Ends { goes_on: chains }
            }
            ("prepare", "transaction") => Self::Ends { goes_on: false },
            _ => Self::Stays,
        }
    }
}

/// Whether a script begins or ends transactions itself.
pub(super) fn has_own(statements: &[Placed<'_>]) -> bool {
    statements.iter().any(|one| words(one.text).next().is_some_and(|word| WORDS.contains(&word.as_str())))
}

/// Whether a script is one transaction of its own and nothing else: then it leaves all or nothing, in one message or in
/// several.
pub(super) fn is_one_transaction(statements: &[Placed<'_>]) -> bool {
    let [first, between @ .., last] = statements else { return false };
    let commits = words(last.text).next().is_some_and(|word| word == "commit" || word == "end");
    Turn::of(first.text) == Turn::Begins
        && commits
        && Turn::of(last.text) == (Turn::Ends { goes_on: false })
        && !has_own(between)
}

/// The words of a statement in small letters.
fn words(statement: &str) -> impl Iterator<Item = String> {
    let words = statement.split(|c: char| !c.is_ascii_alphabetic() && c != '_');
    words.filter(|word| !word.is_empty()).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_does_is_known_by_its_words() {
        let ends = |goes_on| Turn::Ends { goes_on };
        for (statement, turn) in [
            ("BEGIN", Turn::Begins),
            ("begin isolation level serializable", Turn::Begins),
            ("BEGIN IMMEDIATE", Turn::Begins),
            ("START TRANSACTION READ ONLY", Turn::Begins),
            ("BEGIN NOT ATOMIC SELECT 1", Turn::Stays),
            ("COMMIT", ends(false)),
            ("end", ends(false)),
            ("Commit Work And Chain", ends(true)),
            ("COMMIT AND NO CHAIN", ends(false)),
            ("ROLLBACK", ends(false)),
            ("ROLLBACK  TO x", Turn::Stays),
            ("ROLLBACK TRANSACTION TO SAVEPOINT x", Turn::Stays),
            ("PREPARE TRANSACTION 'x'", ends(false)),
            ("PREPARE x AS SELECT 1", Turn::Stays),
            ("COMMIT PREPARED 'x'", Turn::Stays),
            ("ALTER TABLE t ADD n int", Turn::Stays),
        ] {
            assert_eq!(Turn::of(statement), turn, "{statement}");
        }
    }

    #[test]
    fn a_script_is_one_transaction_if_nothing_stands_beside_it() {
        let is_one = |texts: &[&str]| {
            let placed: Vec<Placed<'_>> = texts.iter().map(|text| Placed { line: 1, text }).collect();
            is_one_transaction(&placed)
        };
        assert!(is_one(&["BEGIN", "a", "b", "COMMIT"]) && is_one(&["start transaction", "END"]));
        assert!(!is_one(&["a", "BEGIN", "b", "COMMIT"]) && !is_one(&["BEGIN", "a", "COMMIT", "b"]));
        assert!(!is_one(&["BEGIN", "a", "COMMIT", "BEGIN", "b", "COMMIT"]));
        assert!(!is_one(&["BEGIN", "a", "ROLLBACK"]) && !is_one(&["BEGIN", "a"]) && !is_one(&["COMMIT"]));
        assert!(!is_one(&["BEGIN", "SAVEPOINT x", "COMMIT"]));
    }
}
