//! The tables in which tools keep what they ran, as each tool itself makes and fills them, on every engine.

use rehearse::{
    model::{Address, Endpoint, EngineId},
    provision::Request,
};

use super::{
    Past,
    layouts::{Pair, write},
};
use crate::{
    checks::bench::url,
    support::{
        Sandbox,
        server::{Started, ask, execute, request},
    },
};

/// Migrations whose numbers are not in the order of letters.
const PAIRS: &[Pair] = &[
    ("1", "users", "CREATE TABLE users (id INTEGER PRIMARY KEY, n INTEGER);", "DROP TABLE users;"),
    ("2", "not back", "CREATE TABLE b (id INTEGER PRIMARY KEY);", "DROP TABLE b;"),
    ("10", "left over", "CREATE TABLE c (id INTEGER PRIMARY KEY);", "DROP TABLE c;"),
];

/// A tool's table.
struct Kept {
    layout: &'static str,
    table: &'static str,
    /// Its columns, keys and indexes on SQLite, PostgreSQL and MariaDB, as the tool of today makes them.
    shapes: [&'static str; 3],
    /// A question of what it holds, with words for what engines write differently, and the answer.
    query: &'static str,
    rows: &'static [&'static str],
}

const KEPT: &[Kept] = &[
    Kept {
        layout: "sqlx",
        table: "_sqlx_migrations",
        shapes: [
            "version BIGINT, description TEXT not null, installed_on TIMESTAMP not null default CURRENT_TIMESTAMP, \
             success BOOLEAN not null, checksum BLOB not null, execution_time BIGINT not null, key (version)",
            "version bigint not null, description text not null, installed_on timestamp with time zone not null \
             default now(), success boolean not null, checksum bytea not null, execution_time bigint not null, \
             PRIMARY KEY (version)",
            "version bigint(20) not null, description text not null, installed_on timestamp not null default \
             current_timestamp(), success tinyint(1) not null, checksum blob not null, execution_time bigint(20) not \
             null, unique PRIMARY (version)",
        ],
        // printf 'CREATE TABLE users (id INTEGER PRIMARY KEY, n INTEGER);' | sha384sum, and the others in the same way.
        query: "SELECT version, description, {success}, {age}, {checksum}, execution_time FROM _sqlx_migrations ORDER BY 1",
        rows: &[
            "1|users|yes|young|a2c13c970c7760f0d186359412b9f7303adabb79bb07e74e3f878b187979f1944114aea79cfd4b776483d145d0b1a564|0",
            "2|not back|yes|young|cac40538dfa1bdbe7625e5ebe72856c031165f46876c873a624d596472767ab09d289d7f9de8af1de87cfb878c302f54|0",
            "10|left over|yes|young|48e04f5a58e657dd056051f49f0d56a37ffd7f57e78be6e897dd28c0166c988ee39a544ced4db974a7fd605becbd3e9d|0",
        ],
    },
    Kept {
        layout: "diesel",
        table: "__diesel_schema_migrations",
        shapes: [
            "version VARCHAR(50) not null, run_on TIMESTAMP not null default CURRENT_TIMESTAMP, key (version)",
            "version character varying(50) not null, run_on timestamp without time zone not null default \
             CURRENT_TIMESTAMP, PRIMARY KEY (version)",
            "version varchar(50) not null, run_on timestamp not null default current_timestamp(), \
             unique PRIMARY (version)",
        ],
        query: "SELECT version FROM __diesel_schema_migrations WHERE run_on IS NOT NULL ORDER BY 1",
        rows: &["20240101000000", "20240102000000", "20240110000000"],
    },
    Kept {
        layout: "golang-migrate",
        table: "schema_migrations",
        shapes: [
            "version uint64, dirty bool, unique version_unique (version)",
            "version bigint not null, dirty boolean not null, PRIMARY KEY (version)",
            "version bigint(20) not null, dirty tinyint(1) not null, unique PRIMARY (version)",
        ],
        query: "SELECT version, CASE WHEN dirty THEN 'dirty' ELSE 'clean' END FROM schema_migrations",
        rows: &["10|clean"],
    },
    Kept {
        layout: "goose",
        table: "goose_db_version",
        shapes: [
            "id INTEGER, version_id INTEGER not null, is_applied INTEGER not null, tstamp TIMESTAMP default \
             datetime('now'), key (id)",
            "id integer not null identity, version_id bigint not null, is_applied boolean not null, tstamp timestamp \
             without time zone not null default now(), PRIMARY KEY (id)",
            "id bigint(20) unsigned not null auto_increment, version_id bigint(20) not null, is_applied tinyint(1) not \
             null, tstamp timestamp default current_timestamp(), unique PRIMARY (id), unique id (id)",
        ],
        query: "SELECT version_id, CASE WHEN is_applied AND tstamp IS NOT NULL THEN 'yes' END FROM goose_db_version \
                ORDER BY id",
        rows: &["0|yes", "1|yes", "2|yes", "10|yes"],
    },
    Kept {
        layout: "dbmate",
        table: "schema_migrations",
        shapes: [
            "version varchar(128), key (version)",
            "version character varying not null, PRIMARY KEY (version)",
            "version varchar(128) not null, unique PRIMARY (version)",
        ],
        query: "SELECT version FROM schema_migrations ORDER BY 1",
        rows: &["01", "02", "10"],
    },
    Kept {
        layout: "pop",
        table: "schema_migration",
        shapes: [
            "version VARCHAR(48) not null, version_self INT not null default 0, schema_migration_version_self_idx \
             (version_self), unique schema_migration_version_idx (version)",
            "version character varying(48) not null, version_self integer not null default 0, \
             schema_migration_version_self_idx (version_self), unique schema_migration_version_idx (version)",
            "version varchar(48) not null, version_self int(11) not null default 0, \
             schema_migration_version_self_idx (version_self), unique schema_migration_version_idx (version)",
        ],
        query: "SELECT version, version_self FROM schema_migration ORDER BY 1",
        rows: &["01|0", "02|0", "10|0"],
    },
    Kept {
        layout: "refinery",
        table: "refinery_schema_history",
        shapes: [
            "version INT4, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255), key (version)",
            "version integer not null, name character varying(255), applied_on character varying(255), checksum \
             character varying(255), PRIMARY KEY (version)",
            "version int(11) not null, name varchar(255), applied_on varchar(255), checksum varchar(255), \
             unique PRIMARY (version)",
        ],
        // A moment as RFC 3339 has it, and an unsigned number of 64 bits.
        query: "SELECT version, name, CASE WHEN applied_on LIKE '20__-__-__T__:__:__%Z' THEN 'moment' END, \
                CASE WHEN length(checksum) BETWEEN 15 AND 20 THEN 'number' END FROM refinery_schema_history ORDER BY 1",
        rows: &["1|users|moment|number", "2|not_back|moment|number", "10|left_over|moment|number"],
    },
    Kept {
        layout: "flyway",
        table: "flyway_schema_history",
        shapes: [
            "installed_rank INT not null, version VARCHAR(50), description VARCHAR(200) not null, type VARCHAR(20) not \
             null, script VARCHAR(1000) not null, checksum INTEGER, installed_by VARCHAR(100) not null, installed_on \
             TEXT not null default strftime('%Y-%m-%d %H:%M:%f','now'), execution_time INTEGER not null, success \
             BOOLEAN not null, flyway_schema_history_s_idx (success), key (installed_rank)",
            "installed_rank integer not null, version character varying(50), description character varying(200) not \
             null, type character varying(20) not null, script character varying(1000) not null, checksum integer, \
             installed_by character varying(100) not null, installed_on timestamp without time zone not null default \
             now(), execution_time integer not null, success boolean not null, PRIMARY KEY (installed_rank), \
             flyway_schema_history_s_idx (success)",
            "installed_rank int(11) not null, version varchar(50), description varchar(200) not null, type varchar(20) \
             not null, script varchar(1000) not null, checksum int(11), installed_by varchar(100) not null, \
             installed_on timestamp not null default current_timestamp(), execution_time int(11) not null, success \
             tinyint(1) not null, flyway_schema_history_s_idx (success), unique PRIMARY (installed_rank)",
        ],
        // printf 'CREATE TABLE users (id INTEGER PRIMARY KEY, n INTEGER);' | gzip -1 | tail -c8 | od -An -td4 -N4, and so on.
        query: "SELECT version, description, type, script, checksum, CASE WHEN installed_by = '{user}' THEN 'user' END, \
                execution_time, {success} FROM flyway_schema_history h WHERE installed_rank = (SELECT \
                MAX(installed_rank) FROM flyway_schema_history l WHERE l.version = h.version) ORDER BY installed_rank",
        rows: &[
            "01|users|SQL|V01__users.sql|-1485553761|user|0|yes",
            "02|not back|SQL|V02__not_back.sql|1652765503|user|0|yes",
            "10|left over|SQL|V10__left_over.sql|202319998|user|0|yes",
        ],
    },
];

/// What an engine is asked, and in which words.
struct Asked {
    /// The place of its shapes.
    place: usize,
    /// The name of the session's user, as a tool is told it.
    user: &'static str,
    /// What `checksum` is as hexadecimal digits.
    checksum: &'static str,
    /// The query that gives a table's columns, keys and indexes as one text.
    shape: &'static str,
    /// The query that gives the databases that a run kept.
    databases: &'static str,
}

const SQLITE: Asked = Asked {
    place: 0,
    user: "",
    checksum: "lower(hex(checksum))",
    shape: "SELECT group_concat(line, ', ') FROM (SELECT * FROM (
        SELECT cid AS place, name || ' ' || type || iif(\"notnull\", ' not null', '')
            || coalesce(' default ' || dflt_value, '') AS line FROM pragma_table_info('{table}')
        UNION ALL SELECT 1000, iif(l.\"unique\", 'unique ', '') || l.name || ' (' || group_concat(i.name) || ')'
            FROM pragma_index_list('{table}') l, pragma_index_info(l.name) i WHERE l.origin = 'c' GROUP BY l.name
        UNION ALL SELECT 1001, 'key (' || group_concat(name) || ')' FROM pragma_table_info('{table}') WHERE pk > 0
            HAVING count(*) > 0) ORDER BY place, line)",
    databases: "",
};

const POSTGRES: Asked = Asked {
    place: 1,
    user: "postgres",
    checksum: "encode(checksum, 'hex')",
    shape: "SELECT string_agg(line, ', ' ORDER BY place, line COLLATE \"C\") FROM (
        SELECT attnum AS place, concat(attname, ' ', format_type(atttypid, atttypmod),
            CASE WHEN attnotnull THEN ' not null' END, ' default ' || pg_get_expr(adbin, adrelid),
            CASE attidentity WHEN 'd' THEN ' identity' END) AS line
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = '{table}'::regclass AND attnum > 0
        UNION ALL SELECT 1000, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{table}'::regclass
        UNION ALL SELECT 1001, concat(CASE WHEN indisunique THEN 'unique ' END, indexrelid::regclass, ' ',
            substring(pg_get_indexdef(indexrelid) FROM '[(].*$')) FROM pg_index WHERE indrelid = '{table}'::regclass
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)) AS shape",
    databases: "SELECT datname FROM pg_database WHERE datname LIKE 'rehearse%'",
};

const MARIADB: Asked = Asked {
    place: 2,
    user: "root",
    checksum: "lower(hex(checksum))",
    shape: "SELECT group_concat(line ORDER BY place, binary line SEPARATOR ', ') FROM (
        SELECT ordinal_position AS place, concat(column_name, ' ', column_type, if(is_nullable = 'NO', ' not null', ''),
            ifnull(concat(' default ', nullif(column_default, 'NULL')), ''), if(extra = '', '', concat(' ', extra)),
            if(collation_name = @@collation_database, '', ifnull(concat(' ', collation_name), ''))) AS line FROM information_schema.columns WHERE table_schema = database() AND table_name = '{table}'
        UNION ALL SELECT 1000, concat(if(non_unique, '', 'unique '), index_name, ' (',
            group_concat(column_name ORDER BY seq_in_index), ')') FROM information_schema.statistics
            WHERE table_schema = database() AND table_name = '{table}' GROUP BY index_name, non_unique) AS shape",
    databases: "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'rehearse%'",
};

impl Asked {
    /// Looks at a tool's table in a database that was kept.
    async fn look(&self, database: &Address, kept: &Kept) {
        let layout = kept.layout;
        let shape = ask(database, &self.shape.replace("{table}", kept.table)).await;
        assert_eq!(shape[0][0].as_deref(), Some(kept.shapes[self.place]), "{layout}");
        let query = kept.query.replace("{user}", self.user).replace("{checksum}", self.checksum);
        let query = query.replace("{success}", "CASE WHEN success THEN 'yes' END");
        let query = query.replace("{age}", "CASE WHEN installed_on <= CURRENT_TIMESTAMP THEN 'young' END");
        let rows = ask(database, &query).await;
        let told = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
        let rows: Vec<String> = rows.iter().map(|row| row.iter().map(told).collect::<Vec<_>>().join("|")).collect();
        assert_eq!(rows, kept.rows, "{layout}");
    }
}

/// Rehearses a history of each layout on a server of ours, and looks at what is kept.
async fn all_on(started: &Started, scheme: &str, asked: &Asked) {
    let admin = &started.server.admin;
    let url = url(admin).replacen("postgres", scheme, 1);
    for kept in KEPT {
        let past = Past::sqlite();
        write(&past, kept.layout, PAIRS);
        let folder = past.folder();
        let on = ["--engine", scheme, "--target-url", &url, "--disposable"];
        let what = ["run", "--migrations", &folder, "--layout", kept.layout, "--keep", "--require-coverage", "0"];
        let ended = past.sandbox.rehearse(&[&what[..], &on].concat());
        assert_eq!(ended.code, 0, "{}: {ended:?}", kept.layout);
        let databases: Vec<String> = ask(admin, asked.databases).await.into_iter().flatten().flatten().collect();
        let [database] = &databases[..] else { panic!("{}: {databases:?}", kept.layout) };
        asked.look(&admin.with_database(database), kept).await;
        execute(admin, &format!("DROP DATABASE {database}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_find_their_own_tables_on_sqlite() {
    for kept in KEPT {
        let past = Past::sqlite();
        write(&past, kept.layout, PAIRS);
        let ended = past.run(&["--layout", kept.layout, "--keep", "--require-coverage", "0"]);
        assert_eq!(ended.code, 0, "{}: {ended:?}", kept.layout);
        let file = past.sandbox.work().join(format!("rehearse-{}/target.db", past.report().run.id));
        let database = Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(file) };
        SQLITE.look(&database, kept).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_find_their_own_tables_on_postgres() {
    let Some(started) = Started::local("tools_find_their_own_tables_on_postgres").await else { return };
    all_on(&started, "postgres", &POSTGRES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_find_their_own_tables_on_mariadb() {
    let sandbox = Sandbox::new();
    let engine = rehearse::engine::by_id("mariadb").unwrap();
    let request = Request { engine, version: Some("10.11".to_owned()), ..request(&sandbox.work()) };
    let test = "tools_find_their_own_tables_on_mariadb";
    let Some(started) = Started::of(test, "container", request, sandbox).await else { return };
    all_on(&started, "mariadb", &MARIADB).await;
}
