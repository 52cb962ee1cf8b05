//! The table in which a tool keeps what it ran: made, written and read as the tool itself does, so that the user's own
//! application can start on a database that was rehearsed on.

use super::Migration;
use crate::{canon::hex::hex, engine::Engine, model::TableName};

/// How a tool keeps what it ran.
pub trait Ledger: Sync {
    /// Its table, a plain word.
    fn table(&self) -> &'static str;

    /// The statements that make it, on a database on which nothing ran yet.
    fn begin(&self, sql: &LedgerSql) -> Vec<String>;

    /// What the tool writes when a migration went up.
    fn applied(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String>;

    /// What the tool writes when a migration went down.
    fn reverted(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String>;

    /// Whether the tool writes in the migration's own transaction.
    fn is_inside(&self) -> bool {
        true
    }

    /// The column that says what was run: after a way down it holds what it held before the way up. `None` where the tool
    /// keeps what it took back as well.
    fn versions(&self) -> Option<&'static str>;

    /// The query that gives the versions that the database has now, as [`Migration::version`] writes them. `None` where the tool
    /// does not say.
    fn standing(&self, sql: &LedgerSql) -> Option<String> {
        let dialect = sql.engine.dialect();
        let table = dialect.table(&TableName::new(self.table()));
        self.versions().map(|column| format!("SELECT {} FROM {table}", dialect.as_text(&dialect.quote(column))))
    }

    /// Whether it holds a row for each version that was run; else only the last one.
    fn keeps_each(&self) -> bool {
        true
    }

    /// A version that it holds from the beginning, and that no migration has.
    fn beginning(&self) -> Option<&'static str> {
        None
    }

    /// The query that gives a row where another text was run than the migration's is now. `None` where the tool keeps no
    /// checksum.
    fn is_other(&self, _migration: &Migration, _sql: &LedgerSql) -> Option<String> {
        None
    }
}

/// What is written about.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// The one before it.
    pub previous: Option<&'a Migration>,
    /// The moment, RFC 3339 in UTC.
    pub now: &'a str,
}

/// How statements about a ledger differ between engines.
#[derive(Clone, Copy)]
pub struct LedgerSql {
    /// The engine.
    pub engine: &'static dyn Engine,
}

impl LedgerSql {
    /// The text for this engine, by one of the words by which tools mean it; the last, where none fits.
    pub fn by_word<'t>(&self, texts: &[(&str, &'t str)]) -> &'t str {
        let is_meant = |word: &str| self.engine.words().contains(&word);
        let meant = texts.iter().find(|(word, _)| is_meant(word));
        meant.or(texts.last()).map_or("", |(_, text)| text)
    }

    /// A ledger's table, with the schema that it is in: a migration may have changed where plain names lead.
    pub fn table(&self, ledger: &dyn Ledger) -> String {
        self.engine.dialect().table(&TableName::new(ledger.table()))
    }

    /// A text as a literal.
    pub fn text(&self, text: &str) -> String {
        self.engine.dialect().literal(text)
    }

    /// Bytes as a literal.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        let digits = hex(bytes);
        self.by_word(&[("postgresql", "'\\xHEX'"), ("", "X'HEX'")]).replace("HEX", &digits)
    }
}
