//! Two databases of MariaDB that were made alike, with one of everything that its catalogue has: nothing is found, and each
//! thing that can change is.

use std::collections::BTreeSet;

use rehearse::model::{Stage, Tls};

use crate::{
    checks::{
        bench::{Bench, Pair},
        unreadable::look,
    },
    conformance::mariadb_changes::CHANGES,
    support::mariadb::{Container, has},
};

/// The classes of objects that the check of the schema names.
fn classes(found: &BTreeSet<String>) -> BTreeSet<&str> {
    fn of(line: &str) -> Option<&str> {
        Some(line.strip_prefix("schema ")?.split_once(" target ")?.1.split_once(':')?.0)
    }
    found.iter().filter_map(|line| of(line)).collect()
}

#[test]
fn databases_of_mariadb_are_equal_until_something_changes() {
    let test = "databases_of_mariadb_are_equal_until_something_changes";
    let Some(bench) = Bench::take(test) else { return };
    if !bench.runtime().block_on(has(test, "11.8")) {
        return;
    }
    let server = Container::start("mariadb:11.8", &[], &[]);
    bench.runtime().block_on(server.wait());
    let admin = server.address("127.0.0.1", Tls::default());
    let sides = ["first", "second"].map(|name| {
        bench.say(&admin, &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
        admin.with_database(name)
    });
    let say = |at: usize, sql: &str| sql.split(";;").for_each(|statement| bench.say(&sides[at], statement));
    say(0, CHANGES.schema);
    say(1, CHANGES.schema);
    let look = || {
        let mut pair: Pair<'_> = bench.between(&sides[0], &sides[1]);
        pair.record(Stage::Migrated);
        look(&mut pair)
    };
    assert_eq!(look(), (BTreeSet::new(), BTreeSet::new()));
    let mut wrong = Vec::new();
    for change in CHANGES.changes {
        say(1, change.make);
        let (found, _) = look();
        let (told, known) = (classes(&found), change.classes.iter().copied().collect::<BTreeSet<_>>());
        if told.is_empty() || !told.is_subset(&known) {
            wrong.push(format!("{}: {known:?}, found {found:#?}", change.make));
        }
        say(1, change.undo);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(look(), (BTreeSet::new(), BTreeSet::new()));
}
