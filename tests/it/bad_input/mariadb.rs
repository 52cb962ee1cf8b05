//! MariaDB: dates that no calendar has, the widest table, names, partitions, generated columns, values above what a packet
//! holds.

use super::*;
use crate::support::{
    mariadb::{Container, PASSWORD, docker, has},
    server::execute,
};
use rehearse::model::Tls;

/// Columns of the widest table that InnoDB takes.
const WIDEST: u32 = 1017;

fn url(server: &Container, database: &str) -> String {
    format!("mariadb://root:{PASSWORD}@127.0.0.1:{}/{database}", server.port)
}

/// Feeds a script to the server's own client, which keeps to its own settings.
async fn client(server: &Container, database: &str, sql: &str) {
    docker(&["exec", &server.name, "mariadb", "-uroot", &format!("-p{PASSWORD}"), "-e", sql, database]);
}

#[tokio::test(flavor = "multi_thread")]
async fn peculiar_tables_of_mariadb_are_compared_right() {
    let test = "peculiar_tables_of_mariadb_are_compared_right";
    if !has(test, "11.8").await {
        return;
    }
    let server = Container::start("mariadb:11.8", &[], &[]);
    server.wait().await;
    let admin = server.address("127.0.0.1", Tls::default());
    let list = |prefix: &str, suffix: &str| {
        (0..WIDEST)
            .map(|i| format!("{prefix}{}{suffix}", i % if prefix.is_empty() { 100 } else { WIDEST }))
            .collect::<Vec<_>>()
            .join(",")
    };
    let wide = format!("CREATE TABLE wide ({}); INSERT INTO wide VALUES ({});", list("c", " tinyint"), list("", ""));
    let tables = "SET sql_mode = '';
        CREATE TABLE zero (id int PRIMARY KEY, d date, dt datetime, ts timestamp NULL);
        INSERT INTO zero VALUES (1, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
                                (2, '2024-02-00', '2024-00-15 01:02:03', NULL);
        SET sql_mode = 'ALLOW_INVALID_DATES'; INSERT INTO zero VALUES (3, '2024-02-30', '2024-02-30 00:00:00', NULL);
        CREATE TABLE `sel``ect t€` (`or der` int PRIMARY KEY, `from` text); INSERT INTO `sel``ect t€` VALUES (1, 'x');
        CREATE TABLE made (id int PRIMARY KEY, twice int AS (id * 2) STORED, thrice int AS (id * 3) VIRTUAL);
        INSERT INTO made (id) VALUES (1), (2);
        CREATE TABLE parts (id int PRIMARY KEY, t text) PARTITION BY HASH (id) PARTITIONS 3; INSERT INTO parts VALUES (1, 'a'), (2, 'b');
        CREATE VIEW seen AS SELECT 1 AS x;";
    for database in ["a", "b"] {
        execute(&admin, &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4")).await;
        client(&server, database, &format!("SET NAMES utf8mb4; {tables}{wide}")).await;
    }
    let (source, target) = (url(&server, "a"), url(&server, "b"));
    let audit = Audit::new();
    audit.passes(&source, &target);
    let changes = "SET NAMES utf8mb4; SET sql_mode = 'ALLOW_INVALID_DATES';
        UPDATE zero SET d = NULL WHERE id = 1; UPDATE zero SET d = '2024-03-01' WHERE id = 3;
        UPDATE zero SET dt = '2024-01-15 01:02:03' WHERE id = 2; UPDATE zero SET ts = NULL WHERE id = 1;
        UPDATE `sel``ect t€` SET `from` = 'X'; UPDATE parts SET t = 'B' WHERE id = 2; UPDATE wide SET c1016 = 7;";
    client(&server, "b", changes).await;
    let found = audit.finds(&source, &target);
    for expected in [
        "checksum changed_value target zero.d 2",
        "checksum changed_value target zero.dt 1",
        "checksum changed_value target zero.ts 1",
        "checksum changed_value target sel`ect t€.from 1",
        "checksum changed_value target parts.t 1",
        "checksum missing_row target wide 1",
    ] {
        assert!(found.contains(&expected.to_owned()), "{expected}: {found:#?}");
    }

    // Larger than what a packet of this server may hold by the time it is read.
    execute(&admin, "SET GLOBAL max_allowed_packet = 1073741824").await;
    for database in ["c", "d"] {
        execute(&admin, &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4")).await;
        let last = if database == "c" { "x" } else { "y" };
        let sql = format!(
            "CREATE TABLE huge (id int PRIMARY KEY, t longtext);
             INSERT INTO huge VALUES (1, CONCAT(REPEAT('x', 40000000), '{last}'));"
        );
        client(&server, database, &sql).await;
    }
    execute(&admin, "SET GLOBAL max_allowed_packet = 16777216").await;
    let expected = ["checksum changed_row target huge 1", "checksum changed_value target huge.t 1"];
    assert_eq!(audit.finds(&url(&server, "c"), &url(&server, "d")), expected);
}
