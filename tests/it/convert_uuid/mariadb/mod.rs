//! The same on MariaDB, where every change of a definition commits by itself.

use rehearse::model::{Endpoint, Host, Tls};

use super::*;
use crate::support::mariadb::{self, Container};

mod cut;
mod kinds;
mod online;
mod refused;
mod whole;

/// The versions that are tried, each in a container.
const VERSIONS: [&str; 2] = ["10.11", "11.8"];

/// Keys in every spelling that MariaDB reads, under a collation that tells no cases apart, and everything that can hang on a
/// column.
const SCHEMA: &str = "
    CREATE TABLE users (id varchar(40) NOT NULL DEFAULT uuid() COMMENT 'the ''key''', email varchar(60) NOT NULL, name text,
        invited_by varchar(40), seen_at timestamp(6) NOT NULL DEFAULT '2024-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP(6),
        CONSTRAINT users_id_is_long CHECK (length(id) >= 32),
        PRIMARY KEY (id), CONSTRAINT users_inviter FOREIGN KEY (invited_by) REFERENCES users (id));
    CREATE TABLE journal_entries (id bigint AUTO_INCREMENT PRIMARY KEY,
        user_id varchar(40) NOT NULL, note varchar(60), `a ``b` int INVISIBLE DEFAULT 3,
        shout varchar(60) AS (upper(note)) STORED,
        CONSTRAINT journal_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE INDEX journal_by_user ON journal_entries (user_id, id DESC) COMMENT 'of the list';
    CREATE TABLE tags (user_id varchar(40), name varchar(60), PRIMARY KEY (user_id, name),
        FOREIGN KEY (user_id) REFERENCES users (id));
    CREATE TABLE tag_uses (user_id varchar(40) CHECK (length(user_id) > 3), name varchar(60), entry bigint REFERENCES journal_entries (id),
        FOREIGN KEY (user_id, name) REFERENCES tags (user_id, name), UNIQUE KEY once (entry, user_id));
    CREATE TABLE reminders (id bigint PRIMARY KEY, user_id varchar(40) INVISIBLE,
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE);
    INSERT INTO users (id, email) SELECT CASE seq % 4 WHEN 0 THEN u WHEN 1 THEN upper(CAST(CAST(u AS uuid) AS char))
        WHEN 2 THEN CAST(CAST(u AS uuid) AS char) ELSE INSERT(u, 5, 0, '-') END, concat('user', seq)
        FROM (SELECT seq, INSERT(md5(seq), 17, 1, 'a') AS u FROM seq_1_to_13) AS numbered;
    UPDATE users u JOIN users i ON i.email = 'user1' SET u.invited_by = i.id, u.seen_at = u.seen_at WHERE u.email IN ('user3', 'user7');
    INSERT INTO journal_entries (id, user_id, note) SELECT seq, (SELECT id FROM users WHERE email = concat('user', seq % 13 + 1)),
        IF(seq % 3 > 0, concat('note ', seq), NULL) FROM seq_1_to_29;
    INSERT INTO tags SELECT id, concat(email, ' tag') FROM users;
    INSERT INTO tag_uses SELECT user_id, name, 5 FROM tags LIMIT 6;
    INSERT INTO tag_uses VALUES (NULL, NULL, 7);
    INSERT INTO reminders (id, user_id) SELECT seq, IF(seq % 5 > 0, (SELECT id FROM users WHERE email = concat('user', seq % 13 + 1)), NULL)
        FROM seq_1_to_17;";

/// A server for a few cases, which never waits for its disk.
struct Home {
    _container: Container,
    admin: Address,
    /// Which of the versions it is: each takes points of its own of a long way, which together are many.
    turn: u64,
}

impl Home {
    async fn new(test: &str, version: &str) -> Option<Self> {
        if !mariadb::has(test, version).await {
            return None;
        }
        let unsynced = ["--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0"];
        let container = Container::start(&format!("mariadb:{version}"), &[], &unsynced);
        container.wait().await;
        let turn = u64::from(version != VERSIONS[0]);
        Some(Self { admin: container.address("127.0.0.1", Tls::default()), _container: container, turn })
    }

    /// A database with this schema.
    async fn database(&self, name: &str, schema: &str) -> Address {
        execute(&self.admin, &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await;
        let address = self.admin.with_database(name);
        execute(&address, schema).await;
        address
    }

    /// Nothing is left of a conversion but its log.
    async fn assert_no_backup(&self, name: &str) {
        let there =
            format!("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '{name}_migration%'");
        assert_eq!(ask(&self.admin, &there).await, Vec::<Vec<Option<String>>>::new());
    }
}

/// The columns that are UUIDs.
async fn native(address: &Address) -> Vec<String> {
    let sql = "SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns
        WHERE data_type = 'uuid' AND table_schema = DATABASE() ORDER BY 1";
    let mut names: Vec<String> = ask(address, sql).await.into_iter().flatten().flatten().collect();
    names.sort();
    names
}

/// Runs a test on each version.
macro_rules! on_each {
    ($($test:ident),* $(,)?) => {
        $(mod $test {
            #[tokio::test]
            async fn mariadb_10_11() {
                let name = concat!(stringify!($test), "::mariadb_10_11");
                let Some(home) = super::super::Home::new(name, super::super::VERSIONS[0]).await else { return };
                super::$test(&home).await;
            }

            #[tokio::test]
            async fn mariadb_11_8() {
                let name = concat!(stringify!($test), "::mariadb_11_8");
                let Some(home) = super::super::Home::new(name, super::super::VERSIONS[1]).await else { return };
                super::$test(&home).await;
            }
        })*
    };
}
use on_each;
