//! Floor 2: database products, one folder each.
//!
//! Everything that knows one product lives in its folder: connecting, quoting, introspection of the whole catalogue,
//! streaming rows as cells, bulk loading, deriving a schema. Upper floors hold a [`Session`] and ask the engine's
//! [`Dialect`]. A new engine is one folder and one line in [`ALL`]; the conformance suite in `tests/` runs it unasked.

pub mod backup;
pub mod cluster;
pub mod content;
mod definition;
pub mod dump;
pub mod emptiness;
mod error;
pub mod fence;
mod guard;
pub mod mariadb;
pub mod postgres;
mod program;
mod question;
pub mod retype;
mod rowset;
pub mod script;
mod select;
mod server;
pub mod spawned;
pub mod sqlite;
mod tls;
mod transaction;
mod urls;

use std::{collections::BTreeMap, path::Path};

use crate::{
    canon::RowSink,
    model::{
        Address, Catalogue, EngineId, LogicalType, TableName,
        catalogue::{Column, Reference, Table},
        footprint::{Locks, Storage},
    },
};
use async_trait::async_trait;
pub use definition::{Aside, AsideScript, SchemaScript};
pub use error::{BoxedError, EngineError};
pub use guard::{Guard, Standpoint};
pub use question::{PlanSql, Questions, SelfExamination};
pub use rowset::{Counted, Part, RowSource, Rowset, SentForm};
use script::{ScriptError, Statement};
pub use select::{has_value, looked_up};
pub use server::{DatabaseSql, RoleSql, ServerSpec};
pub use tls::{DemandsTls, encryption};
pub use transaction::Became;
pub use urls::{Parameter, UrlSpec};

/// Every engine.
pub const ALL: &[&dyn Engine] = &[&postgres::Postgres, &sqlite::Sqlite, &mariadb::MariaDb];

/// The engine of this id.
pub fn by_id(id: &str) -> Option<&'static dyn Engine> {
    ALL.iter().copied().find(|engine| engine.id() == id)
}

/// A database product.
#[async_trait]
pub trait Engine: Sync {
    /// Its id: `postgres`, `sqlite`, `mariadb`.
    fn id(&self) -> &'static str;

    /// Its name as its makers write it.
    fn title(&self) -> &'static str;

    /// The words by which names of files mean it.
    fn words(&self) -> &'static [&'static str] {
        &[]
    }

    /// How its SQL differs from others'.
    fn dialect(&self) -> &'static dyn Dialect;

    /// What it takes to start a server, or `None` for an embedded engine.
    fn server(&self) -> Option<&'static ServerSpec>;

    /// How it changes the type of a column where it stands; `None` if that is not made for it.
    fn retype(&self) -> Option<&'static dyn retype::Retype> {
        None
    }

    /// Opens a session with the engine's pinned settings (time zone UTC, plain search path, no surprises).
    ///
    /// # Errors
    /// [`EngineError::Unavailable`] if nothing answers there, [`EngineError::Refused`] if it answers and says no.
    async fn connect(&self, address: &Address) -> Result<Box<dyn Session>, EngineError>;

    /// The dump of this engine that is seen at first sight; `None` if it is none.
    ///
    /// # Errors
    /// If it is one, and is cut or of a kind that is not restored here.
    fn dump(&self, _glance: &dump::Glance<'_>) -> Result<Option<dump::Dump>, EngineError> {
        Ok(None)
    }

    /// Restores a dump of this engine into an empty database, and tells what a reader should know. `folder` is for files
    /// that it needs meanwhile.
    ///
    /// # Errors
    /// If the dump is damaged, or the server refuses a part of it.
    async fn restore(&self, dump: &dump::Dump, _address: &Address, _folder: &Path) -> Result<Vec<String>, EngineError> {
        Err(dump::bad(&dump.path, "is no dump that this engine restores"))
    }

    /// How its databases are backed up and brought back; `None` if that is not made for it.
    fn backups(&self) -> Option<&'static dyn backup::Backups> {
        None
    }

    /// Opens a session on an empty database that is in memory and gone with the session, to try a schema on before
    /// anything is started. `None` if the engine has no such thing.
    ///
    /// # Errors
    /// If there is no memory for it.
    fn in_memory(&self) -> Result<Option<Box<dyn Session>>, EngineError> {
        Ok(None)
    }
}

/// How an engine's SQL differs from others'.
pub trait Dialect: question::Questions + select::Objects + script::Settings + fence::Fencing {
    /// The one function by which identifiers of this engine get into SQL.
    fn quote(&self, identifier: &str) -> String;

    /// A table's name in SQL; a table without a schema is in the engine's default one, and that is written out.
    fn table(&self, name: &TableName) -> String;

    /// A condition that holds if a table has no row, and could have none for this transaction.
    fn is_empty(&self, table: &TableName) -> String {
        format!("NOT EXISTS (SELECT 1 FROM {})", self.table(table))
    }

    /// A list of columns in SQL.
    fn columns(&self, columns: &[String]) -> String {
        columns.iter().map(|column| self.quote(column)).collect::<Vec<_>>().join(", ")
    }

    /// A text as a literal.
    fn literal(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    /// The text form of an expression.
    fn as_text(&self, sql: &str) -> String {
        format!("CAST({sql} AS TEXT)")
    }

    /// Whether the text form of an expression is a literal, byte by byte and not by a collation.
    fn is_text(&self, text: &str, literal: &str) -> String;

    /// Whether what a transaction does to tables goes with it when it is rolled back. MariaDB's statements that define
    /// something end the transaction that they stand in.
    fn transactions_hold_ddl(&self) -> bool {
        true
    }

    /// Whether a column's type binds its values. SQLite's does not: any row may hold anything.
    fn enforces_types(&self) -> bool {
        true
    }

    /// The type to declare for a kind of values; `None` if this engine has none for it.
    fn declare(&self, kind: &LogicalType) -> Option<String>;

    /// The text of a value of a column's type, another one for each number as far as the type has so many; `None` if none is
    /// known. For types of which only this engine knows what their values look like.
    fn specimen(&self, _column: &Column, _number: u64) -> Option<String> {
        None
    }

    /// The smallest and the largest number that a column of whole numbers holds, where its kind does not say.
    fn bounds(&self, _column: &Column) -> Option<(i64, i64)> {
        None
    }

    /// The table and column in which the engine keeps what a column's values name, where that is no table of the user's: the
    /// numbers of large objects. No catalogue declares such a reference.
    fn kept_apart(&self, _column: &Column) -> Option<(TableName, &'static str)> {
        None
    }

    /// The statement that drops an index of a table if it is there.
    fn drop_index(&self, table: &TableName, index: &str) -> String {
        // An index lies in its table's schema, and is named as a table is.
        let index = TableName { schema: table.schema.clone(), name: index.to_owned() };
        format!("DROP INDEX IF EXISTS {}", self.table(&index))
    }

    /// The current moment in UTC, as the default of a column of this kind; `None` if there is none.
    fn current_moment(&self, _kind: &LogicalType) -> Option<&'static str> {
        None
    }

    /// What a session is told before a migration of somebody's runs in it, where the tool's sessions are set otherwise than
    /// ours: whether it has the engine keep references meanwhile.
    fn as_of_tool(&self, _keeps_references: bool) -> Option<&'static str> {
        None
    }

    /// The statement that gathers the statistics by which queries of a table are planned; `None` where they would be rows of a
    /// table of their own.
    fn analyze(&self, _table: &TableName) -> Option<String> {
        None
    }

    /// What has a session not look at references while rows come, and look again. `None` where keys are set aside instead.
    fn heeds_references(&self, _heeds: bool) -> Option<&'static str> {
        None
    }

    /// Whether a script of several statements that comes in one message is one transaction.
    fn message_is_transaction(&self) -> bool {
        false
    }

    /// Whether a statement was refused because it cannot run in a transaction.
    fn refuses_transaction(&self, _error: &EngineError) -> bool {
        false
    }

    /// Whether an expression gives another value whenever it is asked.
    fn is_volatile(&self, expression: &str) -> bool {
        const WORDS: &[&str] =
            &["now(", "current_time", "current_date", "localtime", "_timestamp(", "random", "uuid", "rand(", "'now"];
        let expression = expression.to_ascii_lowercase();
        WORDS.iter().any(|word| expression.contains(word))
    }

    /// Cuts a script into its statements, as this engine's clients do.
    ///
    /// # Errors
    /// The first place where a quote or comment has no end, or where a command stands that only a client understands.
    fn split<'a>(&self, script: &'a str) -> Result<Vec<Statement<'a>>, ScriptError>;

    /// The statements that create these tables (whose columns already have the types of this engine in
    /// [`crate::model::catalogue::Column::declared`]), in order, and those that take them away again.
    fn create_tables(&self, tables: &[Table]) -> SchemaScript;
}

/// One connection to one database.
#[async_trait]
pub trait Session: Send {
    /// The server's or library's version: `15.18`.
    async fn version(&mut self) -> Result<String, EngineError>;

    /// The protocol that encrypts this session, as the server names it (`TLSv1.3`); `None` if nothing does.
    async fn encryption(&mut self) -> Result<Option<String>, EngineError> {
        Ok(None)
    }

    /// Runs a script of one or more statements.
    async fn execute(&mut self, script: &str) -> Result<(), EngineError>;

    /// Runs a query and gives its few rows as text (`None` is NULL). For catalogues and counts, never for user rows.
    async fn query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, EngineError>;

    /// Reads the whole catalogue.
    async fn introspect(&mut self) -> Result<Catalogue, EngineError>;

    /// Streams a rowset into a sink in constant memory and tells how many rows it saw.
    async fn scan(&mut self, rowset: &Rowset, sink: &mut dyn RowSink) -> Result<u64, EngineError>;

    /// In which form the rows of a rowset are sent. `None` where a sink can have cells only, or where what is the same is sent
    /// unlike by another database.
    async fn sent_form(&mut self, _rowset: &Rowset) -> Result<Option<SentForm>, EngineError> {
        Ok(None)
    }

    /// Whether the rows of a rowset have addresses: integers by which the same transaction finds them again.
    async fn has_addresses(&mut self, _rowset: &Rowset) -> Result<bool, EngineError> {
        Ok(false)
    }

    /// Cuts a rowset into parts of about the same size, at most so many, that hold each of its rows once. One, where the
    /// engine cannot cut it or it is not worth it.
    async fn parts(&mut self, _rowset: &Rowset, _at_most: usize) -> Result<Vec<Part>, EngineError> {
        Ok(vec![Part::Whole])
    }

    /// A word by which other sessions can see the very state that the open read-only transaction sees, as long as it lasts.
    /// `None` where that cannot be had.
    async fn share_snapshot(&mut self) -> Result<Option<String>, EngineError> {
        Ok(None)
    }

    /// Begins a read-only transaction that sees the state that another session shares.
    async fn begin_at(&mut self, _snapshot: &str) -> Result<(), EngineError> {
        let what = "this engine shares no snapshots".to_owned();
        Err(EngineError::Unexpected { doing: "beginning a transaction".to_owned(), what })
    }

    /// Loads rows in bulk into named columns, inside the transaction that is open (if one is), and tells how many.
    ///
    /// Stops at the first row that the server or the source refuses; nothing of this call stays then if a transaction
    /// was open.
    async fn load(&mut self, table: &Table, columns: &[String], rows: &mut dyn RowSource) -> Result<u64, EngineError>;

    /// Sets every sequence, identity or counter that feeds a column of these tables to the value after the largest one
    /// in the data (or to its start, in an empty table).
    async fn advance_sequences(&mut self, tables: &[TableName]) -> Result<(), EngineError>;

    /// What of these tables can be set aside, each as the statements that take it away and bring it back, in the order of their
    /// coming back (they go in the reverse). None, where a load gains nothing by it or the engine cannot, and none that would
    /// not come back exactly as it was.
    async fn aside(&mut self, _what: Aside, _tables: &[TableName]) -> Result<Vec<AsideScript>, EngineError> {
        Ok(Vec::new())
    }

    /// Empties these tables in one act, whatever their keys, and sets their counters back to the start. Parents come first.
    async fn truncate(&mut self, tables: &[TableName]) -> Result<(), EngineError>;

    /// Counts rows whose reference dangles by asking the rows themselves (an anti-join), and shows a few referencing
    /// values as text.
    async fn dangling(&mut self, reference: &Reference, sample: u32) -> Result<Counted, EngineError>;

    /// Counts the rows in excess of one for each value of a key (NULLs never collide), and shows a few values.
    async fn duplicates(&mut self, table: &TableName, columns: &[String], sample: u32) -> Result<Counted, EngineError>;

    /// The same with the columns under these collations (`None` is a column's own), which may find keys equal that the
    /// columns' own do not.
    async fn duplicates_under(
        &mut self,
        table: &TableName,
        columns: &[String],
        collations: &[Option<String>],
        sample: u32,
    ) -> Result<Counted, EngineError>;

    /// Counts UUIDs that appear in more than one spelling in a text column, and shows a few values.
    async fn uuid_spellings(&mut self, table: &TableName, column: &str, sample: u32) -> Result<Counted, EngineError>;

    /// Begins a transaction; `read_only` refuses writes where the engine can.
    async fn begin(&mut self, read_only: bool) -> Result<(), EngineError>;

    /// Commits it.
    async fn commit(&mut self) -> Result<(), EngineError>;

    /// Takes it back.
    async fn tx_rollback(&mut self) -> Result<(), EngineError>;

    /// Bounds what the session may take of a server, before a transaction begins; of a file there is nothing to bound.
    async fn guard(&mut self, _guard: &Guard) -> Result<(), EngineError> {
        Ok(())
    }

    /// What the session sees, in the transaction that is open, and by what its role could write. An engine that reads a file
    /// has nothing to tell.
    async fn standpoint(&mut self) -> Result<Standpoint, EngineError> {
        Ok(Standpoint::default())
    }

    /// Names the open transaction, so that a later session can be asked what became of it ([`Self::became`]); `None` where
    /// the engine cannot tell.
    async fn transaction_name(&mut self) -> Result<Option<String>, EngineError> {
        Ok(None)
    }

    /// What became of a transaction that an earlier session named.
    async fn became(&mut self, _transaction: &str) -> Result<Became, EngineError> {
        Ok(Became::Unknown)
    }

    /// Makes a session that only reads usable again after it was refused something; it sees the state that it saw before.
    async fn recover(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    /// Rows of each partition of a partitioned table by the partition's name; none, where the engine has no such thing.
    async fn partition_rows(&mut self, _table: &TableName) -> Result<BTreeMap<String, u64>, EngineError> {
        Ok(BTreeMap::new())
    }

    /// The locks that the open transaction holds on tables.
    async fn locks(&mut self) -> Result<Locks, EngineError> {
        Ok(Locks::Unknown("this engine does not show a session's own locks".to_owned()))
    }

    /// Where the rows of all tables lie.
    async fn storage(&mut self) -> Result<Storage, EngineError> {
        Ok(Storage::default())
    }

    /// Ends the session.
    async fn close(self: Box<Self>) -> Result<(), EngineError>;
}

/// The id of an engine as the model names it.
pub fn engine_id(engine: &dyn Engine) -> EngineId {
    EngineId::from(engine.id())
}
