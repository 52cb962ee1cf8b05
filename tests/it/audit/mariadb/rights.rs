//! What a role may see in MariaDB depends on its rights: what it does not see is named and is no difference.

use std::collections::BTreeSet;

use super::{super::errors, Audit, Place};
use crate::support::Ended;

/// One of everything that rights hide.
pub(super) const SCHEMA: &str = "
    CREATE TABLE users (id int AUTO_INCREMENT PRIMARY KEY, mail varchar(50) UNIQUE, boss int, about json, age int CHECK (age > 0),
        twice int AS (age * 2) STORED, KEY by_age (age, mail), CONSTRAINT boss FOREIGN KEY (boss) REFERENCES users (id) ON DELETE SET NULL,
        CONSTRAINT `old``er` CHECK (age < 200 AND mail <> 'it''s, (a)'));
    CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL, CONSTRAINT buyer FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);
    CREATE TABLE secrets (id int PRIMARY KEY);
    CREATE SEQUENCE numbers; CREATE VIEW adults AS SELECT id FROM users WHERE age > 17;
    CREATE TRIGGER aged BEFORE INSERT ON orders FOR EACH ROW SET NEW.id = NEW.id; CREATE PROCEDURE nothing() SELECT 1;
    CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO SELECT 1;
    INSERT INTO users (id, mail, boss, about, age) VALUES (1, 'a', NULL, '{\"x\": 1}', 30), (2, 'b', 1, '{\"y\":  [2]}', 40);
    INSERT INTO orders VALUES (1, 1), (2, 2); INSERT INTO secrets VALUES (1);";

/// Roles of the server, with all the rights that they have in both databases.
const ROLES: &[(&str, &[&str])] = &[
    ("plain", &["SELECT ON {}.*"]),
    ("single", &["SELECT ON {}.users", "SELECT ON {}.orders"]),
    ("narrow", &["SELECT (id, mail) ON {}.users", "SELECT ON {}.orders", "SELECT ON {}.secrets"]),
    ("whole", &["SELECT, TRIGGER, EVENT, EXECUTE, SHOW VIEW ON {}.*", "SELECT ON mysql.*"]),
];

/// What is compared by a role on both sides, or on the target's alone.
struct Look<'a> {
    place: &'a Place,
    audit: Audit,
}

impl Look<'_> {
    fn by(&self, source: &str, target: &str) -> Ended {
        let url = |role: &str, database: &str| match role {
            "root" => self.place.root(database),
            role => self.place.url(role, "r", database),
        };
        let urls = [("SOURCE", &*url(source, "a")), ("TARGET", &*url(target, "b"))];
        self.audit.call_with(&["--source", "env:SOURCE", "--target", "env:TARGET"], &urls)
    }

    /// Everything that is said to be wrong, and everything that was not checked, each with the right that is lacking.
    fn told(&self) -> (Vec<String>, BTreeSet<String>) {
        let report = self.audit.report();
        let right = |reason: &str| {
            let right = reason.split_once("lacks ").map_or(reason, |(_, right)| right);
            right.split_once(", ").map_or(right, |(right, _)| right).to_owned()
        };
        let unchecked = report.scenarios[0].unchecked.iter();
        (
            errors(&report),
            unchecked.map(|one| format!("{} {}: {}", one.aspect, one.subject, right(&one.reason))).collect(),
        )
    }
}

fn lines(lines: &[&str]) -> BTreeSet<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// What is lacking on a side of whoever may only SELECT.
fn of_plain(sides: &[&str]) -> BTreeSet<String> {
    let of_side = |side: &&str| {
        let hidden = [("trigger", "TRIGGER"), ("event", "EVENT"), ("routine", "EXECUTE")];
        let hidden = hidden.map(|(class, right)| format!("object {side} {class}:*: {right} on the whole database"));
        hidden.into_iter().chain([format!("object {side} grant:*: SELECT on the database mysql")]).collect::<Vec<_>>()
    };
    sides.iter().flat_map(of_side).chain(["object view:adults: SHOW VIEW".to_owned()]).collect()
}

async fn look_at(version: &str) {
    let Some(place) = Place::start("rights in MariaDB", version).await else { return };
    place.make(&["a", "b"], SCHEMA).await;
    for (role, rights) in ROLES {
        let grants = |database: &str| {
            let grant = |right: &&str| format!("GRANT {} TO {role}@'%';", right.replace("{}", database));
            rights.iter().map(grant).collect::<String>()
        };
        place.say("a", &format!("CREATE USER {role}@'%' IDENTIFIED BY 'r'; {}{}", grants("a"), grants("b")));
    }
    let look = Look { place: &place, audit: Audit::new() };

    // Whoever sees everything misses nothing, but the routines' text on servers that show it to their owners only.
    assert_eq!(look.by("root", "root").code, 0, "{version}: {:?}", look.told());
    assert_eq!(look.by("whole", "whole").code, 0, "{version}: {:?}", look.told());

    // SELECT alone: keys, actions and CHECKs are seen, and what is not seen is named.
    for (source, target, sides) in [("plain", "plain", &["source", "target"][..]), ("root", "plain", &["target"])] {
        let ended = look.by(source, target);
        let (found, unchecked) = look.told();
        assert_eq!((ended.code, found), (3, Vec::new()), "{version} {source}: {ended:?}");
        let expected = of_plain(sides);
        // Where one side shows what the other does not, that is named besides.
        assert!(unchecked.is_superset(&expected), "{version} {source}: {unchecked:#?}");
        assert!(source == "root" || unchecked == expected, "{version}: {unchecked:#?}");
    }

    // Rights on single tables: the others may be there, and those that are seen are seen whole.
    let ended = look.by("root", "single");
    let (found, unchecked) = look.told();
    assert_eq!((ended.code, found), (3, Vec::new()), "{version}: {ended:?}");
    let hidden = [
        "object target table:secrets: SELECT on the whole database",
        "object target table:*: SELECT on the whole database",
        "object target sequence:*: SELECT on the whole database",
        "object target view:adults: SELECT on the whole database",
    ];
    assert!(unchecked.is_superset(&lines(&hidden)), "{version}: {unchecked:#?}");
    // What others may do with them is not among that.
    let is_of_seen = |line: &&String| !line.contains(" grant:") && (line.contains("users") || line.contains("orders"));
    assert_eq!(unchecked.iter().find(is_of_seen), None, "{version}");
    assert_eq!(look.by("single", "single").code, 3);
    assert_eq!(look.told().0, Vec::<String>::new());

    // Rights on columns: the table is named.
    let ended = look.by("root", "narrow");
    let (found, unchecked) = look.told();
    assert_eq!((ended.code, found), (3, Vec::new()), "{version}: {ended:?}");
    assert!(unchecked.contains("row target users: SELECT on the whole table"), "{version}: {unchecked:#?}");
    assert!(unchecked.contains("object target column:users.age: SELECT on the table"), "{version}: {unchecked:#?}");

    // And what is seen is compared.
    place.say("b", "ALTER TABLE orders DROP FOREIGN KEY buyer; ALTER TABLE orders ADD CONSTRAINT buyer FOREIGN KEY (user_id) REFERENCES users (id);
        ALTER TABLE users DROP CONSTRAINT `old``er`, DROP INDEX by_age; DROP TRIGGER aged; DELETE FROM orders WHERE id = 2");
    let expected = [
        "schema object_missing target constraint:users.old`er 1",
        "schema object_missing target index:users.by_age 1",
        "schema object_changed target constraint:orders.buyer 1",
        "checksum missing_row target orders 1",
        "foreign_key foreign_key_changed target orders.user_id 1",
        "row_count count_differs target orders 1",
    ];
    for (source, target) in [("plain", "plain"), ("single", "single"), ("root", "single"), ("single", "root")] {
        let ended = look.by(source, target);
        let mut found = look.told().0;
        let mut expected = expected.map(str::to_owned);
        found.sort();
        expected.sort();
        assert_eq!((ended.code, &found[..]), (1, &expected[..]), "{version} {source} {target}");
    }
    // The trigger is missed by those who would see it.
    assert_eq!(look.by("whole", "root").code, 1);
    assert!(look.told().0.contains(&"schema object_missing target trigger:aged 1".to_owned()), "{:?}", look.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_may_not_see_is_no_difference() {
    for version in ["11.8", "10.11"] {
        look_at(version).await;
    }
}
