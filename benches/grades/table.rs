//! The table of an education system that everything is measured on, and its variants.

use std::path::{Path, PathBuf};

use rehearse::{
    canon::{Cell, RowSink, text_of},
    engine::{RowSource, Rowset, Session},
    model::{Address, Endpoint, EngineId, TableName, Value},
};

use crate::{Error, server::Started};

/// Its columns.
pub const COLUMNS: [&str; 9] =
    ["id", "student_id", "course", "mark", "term", "graded_at", "teacher_id", "remark", "details"];

/// Rows of either side that differ in `few`, one difference each.
pub const FEW: u64 = 10;
/// Those of them that both sides have, with other values.
pub const CHANGED: u64 = 4;

const CREATE: &str = "CREATE TABLE grades (
    id uuid NOT NULL, student_id uuid NOT NULL, course text NOT NULL, mark numeric(5,2) NOT NULL, term text NOT NULL,
    graded_at timestamptz NOT NULL, teacher_id uuid NOT NULL, remark text, details jsonb NOT NULL)";

/// A UUID of version 4, as far as a server can tell: MariaDB takes no others. Gone with the session.
const UUID_OF: &str = "CREATE FUNCTION pg_temp.uuid_of(name text) RETURNS uuid LANGUAGE sql IMMUTABLE AS
        $$ SELECT overlay(overlay(md5(name) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid $$";

/// The same rows with every run; about 200 bytes each.
const ROWS: &str = "SELECT
        pg_temp.uuid_of('grade ' || n) AS id, pg_temp.uuid_of('student ' || n % 160487) AS student_id,
        (ARRAY['Algebra', 'Geometry', 'Physics', 'Organic chemistry', 'World history', 'Français'])[1 + n % 6] AS course,
        ((n * 7919) % 10001)::numeric / 100 AS mark, (2009 + n % 16) || '-' || 1 + n % 3 AS term,
        timestamptz '2009-09-01 08:00:00+00' + n * interval '157.4321 seconds' AS graded_at,
        pg_temp.uuid_of('teacher ' || n % 9973) AS teacher_id,
        CASE WHEN n % 3 = 0 THEN 'handed in ' || n % 40 || ' days late' END AS remark,
        jsonb_build_object('attempt', 1 + n % 3, 'weights', jsonb_build_array(n % 5, 0.25), 'source', 'import') AS details
    FROM generate_series(1, ROWS::bigint) AS n";

/// Four values changed, three rows gone, three rows more.
const CHANGE_FEW: &str = "
    UPDATE grades SET mark = mark + 1 WHERE id IN (SELECT pg_temp.uuid_of('grade ' || n) FROM generate_series(11, 14) AS n);
    DELETE FROM grades WHERE id IN (SELECT pg_temp.uuid_of('grade ' || n) FROM generate_series(21, 23) AS n);
    INSERT INTO grades SELECT pg_temp.uuid_of('more ' || n), student_id, course, mark, term, graded_at, teacher_id, remark, details
        FROM generate_series(1, 3) AS n, LATERAL (SELECT * FROM grades WHERE id = pg_temp.uuid_of('grade 31')) AS one";

/// Loaded in the order of the keys, which is none of the source's, as a migration might; every other row an hour late.
const SHIFTED: &str = "SELECT id, student_id, course, mark, term,
        CASE WHEN get_byte(uuid_send(id), 15) % 2 = 0 THEN graded_at + interval '1 hour' ELSE graded_at END AS graded_at,
        teacher_id, remark, details FROM unshifted ORDER BY id";

/// How many rows of `half` are shifted.
const COUNT_SHIFTED: &str = "SELECT count(*) FROM grades WHERE get_byte(uuid_send(id), 15) % 2 = 0";

/// Makes the database `grades`, and from it `equal`, `few` and `half`.
pub async fn make(server: &Started, rows: u64) -> Result<(), Error> {
    make_large(server, rows).await?;
    server.session(None).await?.execute("CREATE DATABASE few TEMPLATE grades").await?;
    let mut few = server.session(Some("few")).await?;
    few.execute(&format!("{UUID_OF}; {CHANGE_FEW}")).await?;
    settle(&mut *few).await
}

/// Makes the database `grades`, and from it `equal` and `half`.
pub async fn make_large(server: &Started, rows: u64) -> Result<(), Error> {
    make_one(server, rows).await?;
    let mut admin = server.session(None).await?;
    for name in ["equal", "half"] {
        admin.execute(&format!("CREATE DATABASE {name} TEMPLATE grades")).await?;
    }
    let mut half = server.session(Some("half")).await?;
    half.execute(&format!(
        "ALTER TABLE grades RENAME TO unshifted; {CREATE}; INSERT INTO grades {SHIFTED}; DROP TABLE unshifted; \
         ALTER TABLE grades ADD PRIMARY KEY (id)"
    ))
    .await?;
    settle(&mut *half).await
}

/// Makes the database `grades` alone.
pub async fn make_one(server: &Started, rows: u64) -> Result<(), Error> {
    server.session(None).await?.execute("CREATE DATABASE grades TEMPLATE template0 ENCODING 'UTF8'").await?;
    let mut session = server.session(Some("grades")).await?;
    let fill = format!("INSERT INTO grades {}", ROWS.replace("ROWS", &rows.to_string()));
    session.execute(&format!("{UUID_OF}; {CREATE}; {fill}; ALTER TABLE grades ADD PRIMARY KEY (id)")).await?;
    settle(&mut *session).await
}

/// How many rows of `half` are shifted.
pub async fn shifted(server: &Started) -> Result<u64, Error> {
    let rows = server.session(Some("grades")).await?.query(COUNT_SHIFTED).await?;
    Ok(rows.into_iter().flatten().flatten().next().ok_or("no count")?.parse()?)
}

/// Nothing is left to be done at the first reading or in its midst.
async fn settle(session: &mut dyn Session) -> Result<(), Error> {
    session.execute("VACUUM (ANALYZE, FREEZE) grades").await?;
    Ok(session.execute("CHECKPOINT").await?)
}

/// Makes a database of empty tables.
pub async fn make_empty(server: &Started, name: &str, tables: u32) -> Result<(), Error> {
    server.session(None).await?.execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
    let mut session = server.session(Some(name)).await?;
    let create = |n| format!("CREATE TABLE t{n} (id bigint PRIMARY KEY, name text NOT NULL, at timestamptz)");
    for first in (0..tables).step_by(100) {
        let script: Vec<String> = (first..(first + 100).min(tables)).map(create).collect();
        session.execute(&script.join(";")).await?;
    }
    Ok(())
}

/// Writes the same rows to a SQLite file, as a program would have that keeps UUIDs and times as text.
pub async fn make_file(server: &Started, folder: &Path) -> Result<Address, Error> {
    let path = folder.join("grades.db");
    let connection = rusqlite::Connection::open(&path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         CREATE TABLE grades (id TEXT NOT NULL PRIMARY KEY, student_id TEXT NOT NULL, course TEXT NOT NULL,
            mark NUMERIC NOT NULL, term TEXT NOT NULL, graded_at TEXT NOT NULL, teacher_id TEXT NOT NULL, remark TEXT,
            details TEXT NOT NULL);
         BEGIN",
    )?;
    let insert = "INSERT INTO grades VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let mut sink = Copied { connection, insert, row: Vec::new(), failed: None };
    let columns = COLUMNS.map(str::to_owned).to_vec();
    let rowset = Rowset::of(TableName { schema: None, name: "grades".to_owned() }, columns);
    server.session(Some("grades")).await?.scan(&rowset, &mut sink).await?;
    if let Some(error) = sink.failed {
        return Err(error.into());
    }
    sink.connection.execute_batch("COMMIT")?;
    Ok(Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(path) })
}

/// Puts rows into the file.
struct Copied {
    connection: rusqlite::Connection,
    insert: &'static str,
    row: Vec<Option<String>>,
    failed: Option<rusqlite::Error>,
}

impl RowSink for Copied {
    fn cell(&mut self, _column: usize, cell: Cell<'_>) {
        self.row.push(text_of(&cell));
    }

    fn end_row(&mut self) -> std::ops::ControlFlow<()> {
        let insert = self.connection.prepare_cached(self.insert);
        let done = insert.and_then(|mut insert| insert.execute(rusqlite::params_from_iter(&self.row)));
        self.row.clear();
        match done {
            Ok(_) => std::ops::ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                std::ops::ControlFlow::Break(())
            }
        }
    }
}

/// Loads the rows of the SQLite file into a database of MariaDB.
pub async fn make_mariadb(server: &Started, file: &Address) -> Result<(), Error> {
    let Endpoint::File(path) = &file.endpoint else { unreachable!("a file") };
    server.session(None).await?.execute("CREATE DATABASE grades CHARACTER SET utf8mb4").await?;
    let mut session = server.session(Some("grades")).await?;
    session
        .execute(
            "CREATE TABLE grades (id uuid NOT NULL PRIMARY KEY, student_id uuid NOT NULL, course text NOT NULL,
                mark decimal(5,2) NOT NULL, term varchar(20) NOT NULL, graded_at datetime(6) NOT NULL,
                teacher_id uuid NOT NULL, remark text, details json NOT NULL)",
        )
        .await?;
    let catalogue = session.introspect().await?;
    let table = catalogue.tables.values().next().ok_or("the table was just made")?;
    let columns = COLUMNS.map(str::to_owned).to_vec();
    session.begin(false).await?;
    let mut rows = FileRows { path: path.clone(), after: 0, batch: Vec::new().into_iter() };
    session.load(table, &columns, &mut rows).await?;
    Ok(session.commit().await?)
}

/// The rows of the file, a few thousand at a time.
struct FileRows {
    path: PathBuf,
    after: i64,
    batch: std::vec::IntoIter<Vec<Value>>,
}

impl FileRows {
    fn read(&mut self) -> rusqlite::Result<()> {
        let connection = rusqlite::Connection::open(&self.path)?;
        let sql = "SELECT rowid, * FROM grades WHERE rowid > ? ORDER BY rowid LIMIT 10000";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([self.after], |row| {
            let text = |at| Ok(row.get::<_, Option<String>>(at)?.map_or(Value::Null, Value::Text));
            let mark = row.get_ref(4)?;
            let mark = match mark {
                rusqlite::types::ValueRef::Integer(whole) => whole.to_string(),
                other => format!("{:.2}", other.as_f64().unwrap_or(f64::NAN)),
            };
            // The mark is a number, and comes by itself.
            let one = |at| if at == 4 { Ok(Value::Decimal(mark.clone())) } else { text(at) };
            let mut values = (1..=9).map(one).collect::<rusqlite::Result<Vec<Value>>>()?;
            // A datetime has no zone to say.
            if let Value::Text(moment) = &mut values[5] {
                moment.truncate(moment.find(['+', 'Z']).unwrap_or(moment.len()));
            }
            Ok((row.get::<_, i64>(0)?, values))
        })?;
        let rows: Vec<(i64, Vec<Value>)> = rows.collect::<rusqlite::Result<_>>()?;
        self.after = rows.last().map_or(self.after, |(rowid, _)| *rowid);
        self.batch = rows.into_iter().map(|(_, values)| values).collect::<Vec<_>>().into_iter();
        Ok(())
    }
}

impl RowSource for FileRows {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, Error> {
        if self.batch.len() == 0 {
            self.read()?;
        }
        Ok(self.batch.next().map(|values| row.extend(values)).is_some())
    }
}
