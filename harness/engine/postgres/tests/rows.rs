//! Rows out, rows in, and questions about rows.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::*;
use crate::{
    engine::Counted,
    model::{
        LogicalType, TableName,
        catalogue::{Generation, Reference},
    },
};

#[tokio::test]
async fn every_type_is_read_as_what_it_is() {
    let schema = "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN short AS varchar(5); CREATE DOMAIN shorter AS short;
        CREATE TYPE pair AS (x int, m mood);
        CREATE TABLE t (a_bool bool, b_int2 int2, c_int4 int4, d_int8 int8, e_oid oid, f_float4 float4, g_float8 float8,
            h_numeric numeric, i_shorter shorter, j_char char(3), k_bytea bytea, l_uuid uuid, m_date date, n_time time,
            o_timetz timetz, p_timestamp timestamp, q_timestamptz timestamptz, r_interval interval, s_json json, t_jsonb jsonb,
            u_mood mood, v_ints int[], w_moods mood[], x_pair pair, y_acl aclitem, z_class regclass);
        INSERT INTO t VALUES (true, -2, 3, 9223372036854775807, 4000000000, 0.1, '-0', -12345.6780, 'abcde', 'a', '\\x00ff',
            '00000000-0000-0000-0000-00000000002a', '1970-01-02', '24:00', '01:00+02', '1970-01-01 00:00:00.000001',
            'infinity', '1 mon 2 days 3 seconds', '{\"b\": 1}', '{\"b\":1}', 'glad', '{1,NULL}', '{sad}', '(1,glad)',
            'postgres=r/postgres', 'public.t'::regclass); INSERT INTO t DEFAULT VALUES;";
    let Some(mut scratch) = Scratch::new("types", schema).await else { return };
    let table = scratch.table("t").await;
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let cells = scratch.scan("t", &names).await.unwrap();
    let expected = [
        "Boolean(true)",
        "Integer(-2)",
        "Integer(3)",
        "Integer(9223372036854775807)",
        "Integer(4000000000)",
        "Float32(0.1)",
        "Float64(-0.0)",
        "Decimal(Decimal { sign: Negative, weight: 1, scale: 4, groups: [0, 1, 9, 41, 26, 124] })",
        "Text abcde",
        "PaddedText a  ",
        "Bytes([0, 255])",
        "Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 42])",
        "Date(1)",
        "Time(86400000000)",
        "TimeTz(3600000000, 7200)",
        "Timestamp(1)",
        "TimestampTz(9223372036854775807)",
        "Interval { months: 1, days: 2, micros: 3000000 }",
        "Json {\"b\": 1}",
        "Jsonb {\"b\": 1}",
        "Label glad",
    ];
    assert_eq!(&cells[..expected.len()], expected);
    assert!(cells[21..24].iter().all(|cell| cell.starts_with("Nested")), "{:?}", &cells[21..24]);
    assert_eq!(&cells[24..26], ["Text postgres=r/postgres", "Text t"]);
    assert!(cells[26..].iter().all(|cell| cell == "Null") && cells.len() == 52);
    let kinds: Vec<_> = table.columns.iter().map(|column| column.kind.clone()).collect();
    assert_eq!(kinds[8], LogicalType::Text { limit: Some(5) });
    assert_eq!(kinds[20], LogicalType::Enum { labels: strings(&["sad", "glad"]) });
    assert_eq!(kinds[21], LogicalType::Array(Box::new(LogicalType::Integer { bits: 32 })));
    scratch.drop().await;
}

#[tokio::test]
async fn what_is_loaded_is_what_is_scanned_in_either_format() {
    let schema = "CREATE TABLE t (b bool, i int4, f float8, n numeric(10,2), x text, y bytea, u uuid, d date, m time, \
                  p timestamp, q timestamptz, j jsonb);
                  CREATE TABLE l (LIKE t, a int[] DEFAULT '{7}')";
    let Some(mut scratch) = Scratch::new("load", schema).await else { return };
    let names = ["b", "i", "f", "n", "x", "y", "u", "d", "m", "p", "q", "j"];
    let row = vec![
        Value::Boolean(true),
        Value::Integer(-5),
        Value::Float(1e-300),
        Value::Decimal("-12345.60".to_owned()),
        text("tab\t line\n back\\slash \u{1f600} \\N"),
        Value::Bytes(vec![0, 92, 255]),
        Value::Uuid([9; 16]),
        Value::Date(-719_163),
        Value::Time(1),
        Value::Timestamp(i64::MIN),
        Value::TimestampTz(-62_135_596_800_000_001),
        Value::Json("{\"a\": [1, \"\\\\\"]}".to_owned()),
    ];
    let nulls = vec![Value::Null; names.len()];
    // A row whose date is text sends the rest of the rows as text.
    let mut odd = row.clone();
    odd[7] = text("0001-12-31 BC");
    let rows = vec![row.clone(), nulls, odd, row];
    let table = scratch.table("t").await;
    let loaded = scratch.session.load(&table, &strings(&names), &mut Given::rows(rows)).await.unwrap();
    assert_eq!(loaded, 4);
    let cells = scratch.scan("t", &names).await.unwrap();
    let rows: Vec<_> = cells.chunks(names.len()).collect();
    assert_eq!(rows[0], rows[2]);
    assert_eq!(rows[0], rows[3]);
    assert_eq!(rows[0][4], "Text tab\t line\n back\\slash \u{1f600} \\N");
    assert_eq!(rows[0][5], "Bytes([0, 92, 255])");
    assert_eq!(
        rows[0][7..11],
        ["Date(-719163)", "Time(1)", &format!("Timestamp({})", i64::MIN), "TimestampTz(-62135596800000001)"]
    );
    assert!(rows[1].iter().all(|cell| cell == "Null"));
    scratch.drop().await;
}

#[tokio::test]
async fn a_failed_load_says_why_and_leaves_the_session_usable() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, x text, a inet)";
    let Some(mut scratch) = Scratch::new("refusals", schema).await else { return };
    let table = scratch.table("t").await;
    let (columns, with_inet) = (strings(&["id", "x"]), strings(&["id", "x", "a"]));
    let row = |id: i64, x: &str| vec![Value::Integer(id), text(x)];
    let session = &mut scratch.session;

    let error = session.load(&table, &columns, &mut Given::rows(vec![row(1, "a"), row(1, "b")])).await.unwrap_err();
    assert_eq!(error.to_string(), "copying into t was refused (23505)");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("t_pkey") && source.contains("COPY t, line 2"), "{source}");

    for columns in [&columns, &with_inet] {
        let rows = |rows: Vec<Vec<Value>>| {
            let pad = |mut row: Vec<Value>| {
                row.resize(columns.len(), Value::Null);
                row
            };
            rows.into_iter().map(pad).collect::<Vec<_>>()
        };
        session.begin(false).await.unwrap();
        let mut source = Given(rows(vec![row(1, "a")]).into_iter(), Some("out of paper"));
        let error = session.load(&table, columns, &mut source).await.unwrap_err();
        assert!(matches!(error, EngineError::RowSource { .. }), "{error}");
        session.tx_rollback().await.unwrap();

        let error = session.load(&table, columns, &mut Given::rows(rows(vec![row(2, "a\0b")]))).await.unwrap_err();
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("NUL"), "{error}");

        // A refusal that the server has long sent when the source fails is the true reason.
        let mut many = vec![row(1, "a"); 20_000];
        many[0] = row(3, "a");
        let error = session.load(&table, columns, &mut Given(rows(many).into_iter(), Some("late"))).await.unwrap_err();
        assert!(matches!(&error, EngineError::Refused { code: Some(code), .. } if code == "23505"), "{error}");
    }
    let rows =
        vec![vec![Value::Integer(1), text("a"), text("::1/128")], vec![Value::Integer(2), text("b"), text("no")]];
    let error = session.load(&table, &with_inet, &mut Given::rows(rows)).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.ends_with("(COPY t, line 2, column a)"), "{source}");
    assert_eq!(scratch.one("SELECT count(*) FROM t").await, "0");
    scratch.drop().await;
}

#[tokio::test]
async fn a_scan_ends_early_or_is_refused_and_the_session_goes_on() {
    let schema = "CREATE TABLE t AS SELECT i AS id, repeat('x', 100) AS x FROM generate_series(1, 50000) i;
                  CREATE TABLE hidden (id int); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
                  CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1);
                  CREATE TABLE part (id int) PARTITION BY LIST (id); CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
                  INSERT INTO part VALUES (1)";
    let Some(mut scratch) = Scratch::new("scans", schema).await else { return };
    let mut seen = Seen { cells: Vec::new(), rows_left: 3 };
    let rowset = Rowset::of(TableName::new("t"), strings(&["id"]));
    assert_eq!(scratch.session.scan(&rowset, &mut seen).await.unwrap(), 3);
    assert_eq!(seen.cells, ["Integer(1)", "Integer(2)", "Integer(3)"]);
    assert_eq!(scratch.scan("parent", &["id"]).await.unwrap(), Vec::<String>::new());
    assert_eq!(scratch.scan("part", &["id"]).await.unwrap(), ["Integer(1)"]);
    for (table, column, code) in [("t", "nope", "42703"), ("nope", "id", "42P01")] {
        let error = scratch.scan(table, &[column]).await.unwrap_err();
        assert!(matches!(&error, EngineError::Refused { code: Some(found), .. } if found == code), "{error}");
    }
    let role = format!("rehearse_reader_{}", std::process::id());
    scratch
        .session
        .execute(&format!("CREATE ROLE {role}; GRANT SELECT ON hidden TO {role}; SET ROLE {role}"))
        .await
        .unwrap();
    let error = scratch.scan("hidden", &["id"]).await.unwrap_err();
    assert!(matches!(&error, EngineError::Refused { code: Some(code), .. } if code == "42501"), "{error}");
    // Whoever owns nothing can still read the catalogue.
    assert!(scratch.session.introspect().await.unwrap().tables.contains_key(&TableName::new("hidden")));
    scratch.session.execute(&format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    assert_eq!(scratch.one("SELECT count(*) FROM t").await, "50000");
    scratch.drop().await;
}

#[tokio::test]
async fn a_statement_whose_rows_nobody_wants_is_ended_and_its_snapshot_outlives_that() {
    // Whoever read all of it would need a day.
    let schema = "CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 7) i;
                  CREATE VIEW endless AS SELECT i AS id, CASE WHEN i > 1000 THEN pg_sleep(0.1)::text END AS x
                      FROM generate_series(1, 1000000) i";
    let Some(mut scratch) = Scratch::new("ended", schema).await else { return };
    let mut other = Postgres.connect(&scratch.address).await.unwrap();
    scratch.session.begin(true).await.unwrap();
    for _ in 0..3 {
        let mut seen = Seen { cells: Vec::new(), rows_left: 3 };
        let rowset = Rowset::of(TableName::new("endless"), strings(&["id", "x"]));
        assert_eq!(scratch.session.scan(&rowset, &mut seen).await.unwrap(), 3);
        assert_eq!(scratch.scan("t", &["id"]).await.unwrap().len(), 7);
        other.execute("INSERT INTO t VALUES (8)").await.unwrap();
    }
    scratch.session.commit().await.unwrap();
    assert_eq!(scratch.scan("t", &["id"]).await.unwrap().len(), 10);
    // The session that asked is gone too.
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
    assert_eq!(scratch.one(sessions).await, "2");
    other.close().await.unwrap();
    scratch.drop().await;
}

/// Tells that a row came.
struct Flag(Arc<AtomicBool>);

impl RowSink for Flag {
    fn cell(&mut self, _column: usize, _cell: Cell<'_>) {}

    fn end_row(&mut self) -> ControlFlow<()> {
        self.0.store(true, Ordering::Relaxed);
        ControlFlow::Continue(())
    }
}

#[tokio::test]
async fn a_session_whose_scan_was_dropped_halfway_answers_nothing_wrong() {
    // After a while the server hesitates before each row: it cannot be done before anybody has looked at the flag.
    let schema = "CREATE VIEW t AS SELECT i AS id,
        repeat('x', 1000) || CASE WHEN i > 1000 THEN pg_sleep(0.001)::text ELSE '' END AS x
        FROM generate_series(1, 50000) i";
    let Some(mut scratch) = Scratch::new("dropped", schema).await else { return };
    let flag = Arc::new(AtomicBool::new(false));
    let rowset = Rowset::of(TableName::new("t"), strings(&["id", "x"]));
    let mut sink = Flag(Arc::clone(&flag));
    tokio::select! {
        biased;
        () = async { while !flag.load(Ordering::Relaxed) { tokio::task::yield_now().await } } => {}
        outcome = scratch.session.scan(&rowset, &mut sink) => panic!("not dropped: {outcome:?}"),
    }
    let error = scratch.session.query("SELECT 1").await.unwrap_err();
    assert!(matches!(error, EngineError::Unavailable { .. }), "{error}");
    scratch.session = Postgres.connect(&scratch.address).await.unwrap();
    scratch.drop().await;
}

#[tokio::test]
async fn a_lost_connection_is_unavailable() {
    let Some(mut scratch) = Scratch::new("lost", "CREATE TABLE t (id int)").await else { return };
    let pid = scratch.one("SELECT pg_backend_pid()").await;
    let mut other = Postgres.connect(&scratch.address).await.unwrap();
    other.query(&format!("SELECT pg_terminate_backend({pid})")).await.unwrap();
    for _ in 0..2 {
        let error = scratch.session.query("SELECT 1").await.unwrap_err();
        assert!(matches!(error, EngineError::Unavailable { .. }), "{error}");
    }
    scratch.session = other;
    let nobody = scratch.server.with_database("rehearse_no_such_database");
    let Err(error) = Postgres.connect(&nobody).await else { panic!("connected to a database that is not there") };
    assert!(matches!(&error, EngineError::Refused { code: Some(code), .. } if code == "3D000"), "{error}");
    scratch.drop().await;
}

#[tokio::test]
async fn a_transaction_that_failed_is_not_committed() {
    let Some(mut scratch) = Scratch::new("commit", "CREATE TABLE t (id int)").await else { return };
    let session = &mut scratch.session;
    session.begin(false).await.unwrap();
    session.execute("INSERT INTO t VALUES (1)").await.unwrap();
    assert!(session.execute("SELECT 1/0").await.is_err());
    assert!(session.commit().await.is_err());
    session.tx_rollback().await.unwrap();
    session.begin(true).await.unwrap();
    assert!(session.execute("INSERT INTO t VALUES (1)").await.is_err());
    session.tx_rollback().await.unwrap();
    assert!(session.execute("SELECT 1 -- \0").await.is_err());
    assert_eq!(scratch.one("SELECT count(*) FROM t").await, "0");
    scratch.drop().await;
}

#[tokio::test]
async fn sequences_follow_the_rows_and_go_back_with_them() {
    let schema = "CREATE SEQUENCE shared INCREMENT 10;
        CREATE TABLE a (id serial PRIMARY KEY, other bigint DEFAULT nextval('shared'));
        CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY (INCREMENT -1), other bigint DEFAULT nextval('shared'));
        INSERT INTO a VALUES (41, 100), (7, 5); INSERT INTO b OVERRIDING SYSTEM VALUE VALUES (-9, 300);";
    let Some(mut scratch) = Scratch::new("sequences", schema).await else { return };
    let standing = async |scratch: &mut Scratch| {
        let sequences = scratch.session.introspect().await.unwrap().sequences;
        sequences.iter().map(|s| format!("{} {}", s.name, s.next)).collect::<Vec<_>>()
    };
    assert_eq!(standing(&mut scratch).await, ["a_id_seq 1", "b_id_seq -1", "shared 1"]);
    scratch.session.execute("SELECT setval('a_id_seq', 3, false)").await.unwrap();
    assert_eq!(standing(&mut scratch).await[0], "a_id_seq 3");
    let tables = [TableName::new("a"), TableName::new("b")];
    scratch.session.advance_sequences(&tables).await.unwrap();
    assert_eq!(standing(&mut scratch).await, ["a_id_seq 42", "b_id_seq -10", "shared 310"]);
    scratch.session.truncate(&tables[..1]).await.unwrap();
    assert_eq!(standing(&mut scratch).await, ["a_id_seq 1", "b_id_seq -10", "shared 310"]);
    scratch.session.truncate(&tables).await.unwrap();
    assert_eq!(standing(&mut scratch).await, ["a_id_seq 1", "b_id_seq -1", "shared 1"]);
    scratch.session.advance_sequences(&tables).await.unwrap();
    assert_eq!(standing(&mut scratch).await, ["a_id_seq 1", "b_id_seq -1", "shared 1"]);
    let table = scratch.table("a").await;
    assert_eq!(table.columns[0].generation, Generation::IdentityByDefault);
    assert_eq!(table.columns[1].generation, Generation::None);
    scratch.drop().await;
}

#[tokio::test]
async fn orphans_duplicates_and_spellings_are_counted() {
    let schema = "CREATE TABLE p (x int, y text, n numeric(10,2), u uuid);
        INSERT INTO p VALUES (1, 'a', 1, '123e4567-e89b-12d3-a456-426614174000'), (1, 'a', 2, null);
        CREATE TABLE c (x int, y text, t text);
        INSERT INTO c VALUES (1, 'a', '123e4567-e89b-12d3-a456-426614174000'), (1, 'z', '123E4567e89b12d3a456426614174000'),
            (null, 'z', 'nonsense'), (null, null, 'NONSENSE'), (3, 'a', null)";
    let Some(mut scratch) = Scratch::new("counts", schema).await else { return };
    let reference = |columns: &[&str], parent_columns: &[&str], match_full| Reference {
        child: TableName::new("c"),
        columns: strings(columns),
        parent: TableName::new("p"),
        parent_columns: strings(parent_columns),
        match_full,
    };
    let session = &mut scratch.session;
    let row = |values: &[&str]| values.iter().map(|value| Some((*value).to_owned())).collect::<Vec<_>>();
    let simple = session.dangling(&reference(&["x", "y"], &["x", "y"], false), 5).await.unwrap();
    assert_eq!(simple, Counted { total: 2, sample: vec![row(&["1", "z"]), row(&["3", "a"])] });
    assert_eq!(session.dangling(&reference(&["x", "y"], &["x", "y"], true), 0).await.unwrap().total, 3);
    // Numbers of other types are compared by value, UUIDs in whatever spelling, other unlike types by text.
    assert_eq!(session.dangling(&reference(&["x"], &["n"], false), 1).await.unwrap().total, 1);
    assert_eq!(session.dangling(&reference(&["t"], &["u"], false), 0).await.unwrap().total, 2);
    let twice = session.duplicates(&TableName::new("p"), &strings(&["x", "y"]), 5).await.unwrap();
    assert_eq!(twice, Counted { total: 1, sample: vec![row(&["1", "a"])] });
    assert_eq!(session.duplicates(&TableName::new("p"), &strings(&["u"]), 5).await.unwrap(), Counted::default());
    let spellings = session.uuid_spellings(&TableName::new("c"), "t", 5).await.unwrap();
    let pair = row(&["123E4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-426614174000"]);
    assert_eq!(spellings, Counted { total: 1, sample: vec![pair] });
    scratch.drop().await;
}
