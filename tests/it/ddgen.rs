//! What can go wrong with the scenarios of the Data Dictionary Generator, and how each of them then ends.

mod exports;

use rehearse::model::{Outcome, Side, Stage, Verdict};

use crate::support::scenarios::{Scenarios, assert_nothing_left, failed, why};

const VERSION: [&str; 2] = ["--target-version", "15"];
const TO_SQLITE: &str = "ddgen-pg-to-sqlite/scenario.toml";

fn bench(test: &str) -> Option<Scenarios> {
    Scenarios::new(test, &["ddgen-pg-to-sqlite", "ddgen-sqlite-to-pg", "ddgen-schema-upgrade"])
}

/// An index that says another thing than the table that it is on: every query by it goes wrong, and no row is missing.
#[test]
fn a_target_that_is_damaged_behind_the_load_fails_and_is_restored() {
    let Some(bench) = bench("a_target_that_is_damaged_behind_the_load_fails_and_is_restored") else { return };
    let damage = "PRAGMA writable_schema = ON;\nUPDATE sqlite_schema SET sql = \
                  'CREATE INDEX dictionaries_name_idx ON dictionaries (description)' WHERE name = 'dictionaries_name_idx';\n\
                  PRAGMA writable_schema = OFF;\n";
    bench.sandbox.write("ddgen-pg-to-sqlite/damage.sql", damage);
    bench.sandbox.write("ddgen-pg-to-sqlite/nothing.sql", "SELECT 1;\n");
    // Its way back does nothing: that of `load`, which comes next, is to bring back the file of before.
    let step = "[[step]]\nname = \"damaged\"\nkind = \"sql\"\nup = \"damage.sql\"\ndown = \"nothing.sql\"\n\n";
    let switch = "[[step]]\nname = \"switch\"";
    bench.change(TO_SQLITE, switch, &format!("{step}{switch}"));
    let (output, report) = bench.run("ddgen-pg-to-sqlite");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    assert!(failed(&report, Stage::Migrated).contains(&"integrity"), "{output:?}");
    assert!(output.stdout.contains("dictionaries_name_idx"), "{output:?}");
    let steps = &report.scenarios[0].steps;
    // The workbooks of the two dictionaries that a trial had left there were left out, and taken in its place.
    for (step, figure) in [("books-in", "files_failed"), ("books-again", "files_taken")] {
        let found = steps.iter().find(|one| one.id == format!("migrate/{step}")).unwrap();
        assert_eq!(found.figures.iter().find(|one| one.name == figure).unwrap().value, 2.0, "{found:?}");
    }
    assert!(!failed(&report, Stage::Migrated).contains(&"accounted"), "{output:?}");
    let restored = steps.iter().find(|step| step.id == "rollback/load").unwrap();
    assert_eq!(restored.outcome, Outcome::Passed, "{output:?}");
    assert_nothing_left(&report);
    bench.sandbox.assert_released();
}

#[test]
fn a_database_at_a_version_that_nobody_knows_is_left_as_it_is() {
    let Some(bench) = bench("a_database_at_a_version_that_nobody_knows_is_left_as_it_is") else { return };
    let scenario = "ddgen-schema-upgrade/scenario.toml";
    bench.sandbox.write("ddgen-schema-upgrade/wrong.sql", "UPDATE schema_migrations SET version = 9;\n");
    bench.sandbox.write("ddgen-schema-upgrade/right.sql", "UPDATE schema_migrations SET version = 1;\n");
    let step = "[[step]]\nname = \"wrong\"\nkind = \"sql\"\nup = \"wrong.sql\"\ndown = \"right.sql\"\n\n";
    let newest = "[[step]]\nname = \"target-newest\"";
    bench.change(scenario, newest, &format!("{step}{newest}"));
    let (output, report) = bench.run_with("ddgen-schema-upgrade", &VERSION);
    assert_ne!(output.code, 0, "{output:?}");
    let told = why(&report, "migrate/target-newest");
    assert!(told.contains("the target is at version `9`, of which the folder knows nothing"), "{told}");
    assert_nothing_left(&report);
    bench.sandbox.assert_released();
}

/// Workbooks that were damaged on their way are named, all of them and no others; once they are mended, everything goes in.
#[test]
fn workbooks_that_are_damaged_are_named_and_mended_ones_are_taken() {
    let Some(bench) = bench("workbooks_that_are_damaged_are_named_and_mended_ones_are_taken") else { return };
    // Cuts the last byte off two of fifteen, as long as nobody mended them.
    let damage = "test -e mended && exit 0\ncd \"$WORK_FOLDER/../books-out/files\"\n\
                  for book in 003-*.xlsx 011-*.xlsx; do truncate -s -1 \"$book\"; done\n";
    bench.sandbox.write("ddgen-sqlite-to-pg/damage.sh", damage);
    let step =
        "[[step]]\nname = \"on-the-way\"\nkind = \"command\"\nup = [\"sh\", \"damage.sh\"]\ndown = [\"true\"]\n\n";
    let books = "[[step]]\nname = \"books-in\"";
    bench.change("ddgen-sqlite-to-pg/scenario.toml", books, &format!("{step}{books}"));
    let (output, report) = bench.run_with("ddgen-sqlite-to-pg", &VERSION);
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    let told = why(&report, "migrate/books-in");
    assert!(told.contains("2 files or sheets are wrong"), "{told}");
    let named: Vec<u32> = (1..=15).filter(|number| told.contains(&format!("/{number:03}-dictionaries-"))).collect();
    assert_eq!(named, [3, 11], "{told}");
    assert_nothing_left(&report);

    bench.sandbox.write("ddgen-sqlite-to-pg/mended", "");
    let (output, report) = bench.run_with("ddgen-sqlite-to-pg", &VERSION);
    assert_eq!((output.code, report.verdict), (0, Verdict::Pass), "{output:?}");
    // There and back again, JSON came back by its value, and that is told.
    let came_back = "json by value (exported by step `source-as-it-was`)";
    let ledger = &report.scenarios[0].loss_ledger;
    assert!(ledger.iter().any(|one| one.rule == came_back && one.side == Side::Source && one.rows > 0), "{ledger:?}");
    bench.sandbox.assert_released();
}

/// One value that is another one when it comes back: in JSON, whose spelling may be another, and in a column of its
/// own.
#[test]
fn a_value_that_is_changed_on_the_way_there_and_back_is_found() {
    let Some(bench) = bench("a_value_that_is_changed_on_the_way_there_and_back_is_found") else { return };
    bench.sandbox.write("ddgen-sqlite-to-pg/nothing.sql", "SELECT 1;\n");
    let step = "[[step]]\nname = \"planted\"\nkind = \"sql\"\nup = \"planted.sql\"\ndown = \"nothing.sql\"\n\n";
    let back = "[[step]]\nname = \"books-back-out\"";
    bench.change("ddgen-sqlite-to-pg/scenario.toml", back, &format!("{step}{back}"));
    let of_one = |table: &str| format!("WHERE id = (SELECT id FROM {table} ORDER BY id LIMIT 1);\n");
    for (table, change) in [("versions", "processing_stats = '{\"planted\": 1}'"), ("annotations", "confidence = -1")] {
        let planted = format!("UPDATE {table} SET {change} {}", of_one(table));
        bench.sandbox.write("ddgen-sqlite-to-pg/planted.sql", planted);
        let (output, report) =
            bench.run_with("ddgen-sqlite-to-pg", &[VERSION.as_slice(), &["--scale", "0.2"]].concat());
        assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
        let told = why(&report, "migrate/source-came-back");
        assert_eq!(told, format!("other rows than those of step `source-as-it-was` are in {table}"), "{output:?}");
        assert_nothing_left(&report);
    }
    bench.sandbox.assert_released();
}
