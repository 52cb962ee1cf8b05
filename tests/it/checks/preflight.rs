//! What is looked at before the first write: each check with what trips it, and the same without it.

use rehearse::{
    canon::comparison::{Condition, Derivation, Expression, Stated, StatedColumn},
    check::{self, Examined, Surroundings, preflight::OfStep},
    model::{EngineId, Severity, Side, Sides, Stage},
};

use super::{
    bench::{Bench, Pair},
    told,
};

/// What one check of the preflight says, and whether that is a no-go.
fn says(pair: &mut Pair<'_>, id: &str) -> (Vec<String>, bool) {
    says_by(pair, id, &[])
}

/// The same by what a mapping states.
fn says_by(pair: &mut Pair<'_>, id: &str, stated: &[Stated]) -> (Vec<String>, bool) {
    pair.record(Stage::Baseline);
    let derived = pair.derive(Stage::Baseline, stated);
    let check = check::by_id(id).unwrap();
    assert_eq!(check.meta().stages, [Stage::Baseline], "{id}");
    let examined: Vec<Examined> = pair.examine(&[check], Stage::Baseline, &derived, &[]);
    let [examined] = examined.as_slice() else { unreachable!("one check was run") };
    assert_eq!((&examined.unchecked, &examined.skipped), (&Vec::new(), &None));
    let findings = examined.findings.iter().map(|finding| told(id, finding)).collect();
    (findings, examined.findings.iter().any(|finding| finding.severity == Severity::Error))
}

/// A pair of which every check of the preflight is content.
fn clean(bench: &Bench) -> Pair<'_> {
    let mut pair = bench.pair();
    pair.make_clean();
    let programs = vec![OfStep { step: "keep".to_owned(), found: Ok("pg_dump 15.18".to_owned()) }];
    let free = Sides::new(None, Some(1 << 40));
    pair.surroundings = Surroundings { programs, free, filled: vec![Side::Target], ..Surroundings::default() };
    pair
}

#[test]
fn a_clean_pair_is_a_go() {
    let Some(bench) = Bench::take("preflight") else { return };
    let mut pair = clean(&bench);
    for check in check::preflight::ALL {
        assert_eq!(says(&mut pair, check.meta().id), (Vec::new(), false), "{}", check.meta().id);
    }
}

#[test]
fn servers_of_other_versions_and_roles_without_rights_are_a_no_go() {
    let Some(bench) = Bench::take("preflight") else { return };
    let mut pair = clean(&bench);
    let version = pair.ask("SHOW server_version").unwrap();
    let version = version.split('.').next().unwrap();
    pair.surroundings.wanted.target = Some((EngineId::from("postgres"), version.to_owned()));
    assert_eq!(says(&mut pair, "access"), (Vec::new(), false));
    pair.surroundings.wanted.target = Some((EngineId::from("postgres"), "9".to_owned()));
    let (findings, is_no_go) = says(&mut pair, "access");
    assert_eq!((findings, is_no_go), (vec!["access version_other target server:postgres 1".to_owned()], true));

    let mut pair = clean(&bench);
    pair.target("GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor");
    pair.look_as_auditor();
    assert_eq!(says(&mut pair, "access"), (vec!["access right_missing target database 1".to_owned()], true));
    pair.look_as_owner();
    pair.target("GRANT INSERT ON users TO auditor");
    pair.look_as_auditor();
    assert_eq!(says(&mut pair, "access"), (Vec::new(), false));
    pair.look_as_owner();
    pair.target("DROP OWNED BY auditor");
}

#[test]
fn programs_and_backups_that_will_not_do_are_a_no_go() {
    let Some(bench) = Bench::take("preflight") else { return };
    let mut pair = clean(&bench);
    pair.surroundings.programs.push(OfStep { step: "save".to_owned(), found: Err("not installed".to_owned()) });
    let expected = "tools program_missing step:save 1";
    assert_eq!(says(&mut pair, "tools"), (vec![expected.to_owned()], true));
    pair.surroundings.backups.push(OfStep { step: "back".to_owned(), found: Ok("20260101".to_owned()) });
    assert_eq!(says(&mut pair, "backup"), (Vec::new(), false));
    pair.surroundings.backups.push(OfStep { step: "older".to_owned(), found: Err("it is cut".to_owned()) });
    let expected = "backup backup_unusable step:older 1";
    assert_eq!(says(&mut pair, "backup"), (vec![expected.to_owned()], true));
}

#[test]
fn a_disk_without_room_is_a_no_go_and_one_that_nobody_knows_is_told() {
    let Some(bench) = Bench::take("preflight") else { return };
    let mut pair = clean(&bench);
    let bytes = 3 * std::fs::metadata(pair.file()).unwrap().len();
    pair.surroundings.free.target = Some(bytes);
    assert_eq!(says(&mut pair, "room"), (Vec::new(), false));
    pair.surroundings.free.target = Some(bytes - 7);
    assert_eq!(says(&mut pair, "room"), (vec!["room room_short target disk 7".to_owned()], true));
    pair.surroundings.free.target = None;
    let expected = format!("room note room_unknown target disk {bytes}");
    assert_eq!(says(&mut pair, "room"), (vec![expected], false));
    // Each backup keeps the rows once more, where the run's own files lie.
    pair.surroundings.free.target = Some(bytes);
    let twice = OfStep { step: "again".to_owned(), found: Ok("pg_dump 15.18".to_owned()) };
    pair.surroundings.programs.push(twice);
    pair.surroundings.free_here = Some(bytes / 3 * 2);
    assert_eq!(says(&mut pair, "room"), (Vec::new(), false));
    pair.surroundings.free_here = Some(bytes / 3 * 2 - 5);
    assert_eq!(says(&mut pair, "room"), (vec!["room room_short disk of the run 5".to_owned()], true));
    // A backup that is restored to test it takes its room beside the database that it is of.
    pair.surroundings.free_here = None;
    pair.surroundings.scratch = vec![Side::Target];
    assert_eq!(says(&mut pair, "room"), (vec![format!("room room_short target disk {}", bytes / 3)], true));
    pair.surroundings.scratch = vec![Side::Source];
    pair.surroundings.free.source = Some(bytes / 3 - 3);
    assert_eq!(says(&mut pair, "room"), (vec!["room room_short source disk 3".to_owned()], true));
}

#[test]
fn rows_in_the_target_are_told() {
    let Some(bench) = Bench::take("preflight") else { return };
    let mut pair = clean(&bench);
    pair.surroundings.filled = Vec::new();
    pair.target("TRUNCATE users, posts, devices, spellings");
    let expected = "target_empty warning target_not_empty target words 3";
    assert_eq!(says(&mut pair, "target_empty"), (vec![expected.to_owned()], false));
}

#[test]
fn another_encoding_is_told() {
    let Some(bench) = Bench::take("preflight") else { return };
    let pair = clean(&bench);
    let create = "CREATE DATABASE narrow TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
    bench.say(&bench.admin, create);
    let narrow = bench.admin.with_database("narrow");
    let mut other = bench.between(pair.address(Side::Source), &narrow);
    let expected = "encoding warning encoding_narrower target database 1";
    assert_eq!(says(&mut other, "encoding"), (vec![expected.to_owned()], false));
    let mut other = bench.between(pair.address(Side::Target), &narrow);
    let (findings, _) = says(&mut other, "encoding");
    assert_eq!(findings[0], "encoding warning encoding_narrower target database 1");
    assert!(findings.len() == 1 || findings[1].contains("collation_other"), "{findings:?}");
    drop(other);
    bench.say(&bench.admin, "DROP DATABASE narrow");
}

#[test]
fn rows_that_the_target_cannot_take_are_told_by_kind() {
    let Some(bench) = Bench::take("preflight") else { return };
    let mut pair = clean(&bench);
    pair.target(
        "ALTER TABLE devices ADD UNIQUE (ticket);
         ALTER TABLE devices ALTER COLUMN serial SET NOT NULL;
         ALTER TABLE posts ALTER COLUMN editor TYPE smallint",
    );
    assert_eq!(says(&mut pair, "source_data"), (Vec::new(), false));
    pair.source(
        "UPDATE posts SET author = 77 WHERE id = 1;
         UPDATE posts SET editor = 70000 WHERE id = 2;
         UPDATE devices SET serial = NULL WHERE serial = 'X1';
         UPDATE devices SET ticket = 'T';
         UPDATE spellings SET token = 'no uuid at all' WHERE id = 1;
         UPDATE users SET email = printf('%081d', 7) WHERE id = 1",
    );
    let (mut findings, is_no_go) = says(&mut pair, "source_data");
    assert!(!is_no_go);
    findings.sort_unstable();
    let expected = [
        "source_data warning duplicate_key source devices.ticket 1 [ticket=\"T\"]",
        "source_data warning null_value source devices.serial 1",
        "source_data warning orphan source posts.author 1",
        "source_data warning orphan source posts.editor 1",
        "source_data warning value_unfit source posts.editor 1",
        "source_data warning value_unfit source spellings.token 1",
        "source_data warning value_unfit source users.email 1",
    ];
    assert_eq!(findings, expected);
}

/// What a mapping makes of values, the source cannot tell about: that is said, and the columns beside them are looked at.
#[test]
fn what_a_mapping_makes_is_named_and_the_rest_is_looked_at() {
    let Some(bench) = Bench::take("preflight") else { return };
    let mut pair = clean(&bench);
    pair.source(
        "UPDATE posts SET author = 77, title = 'twice' WHERE id IN (1, 2);
         UPDATE devices SET ticket = 'T', serial = NULL;",
    );
    pair.target(
        "ALTER TABLE posts ADD UNIQUE (title);
         ALTER TABLE devices ADD UNIQUE (ticket);
         ALTER TABLE devices ALTER COLUMN serial SET NOT NULL",
    );
    let stated = |table: &str, column: &str, expression: Expression| Stated {
        source: table.to_owned(),
        target: table.to_owned(),
        columns: [(
            column.to_owned(),
            StatedColumn { expressions: Sides::new(Some(expression), None), ..StatedColumn::default() },
        )]
        .into(),
        ..Stated::default()
    };
    let derived = |table: &str| Expression::Derived(Derivation { table: table.to_owned(), ..Derivation::default() });
    let sql = |sql: &str| Expression::Sql(sql.to_owned());
    let orphans = "source_data warning orphan source posts.author 2";
    let twice = "source_data warning duplicate_key source posts.title 1 [title=\"twice\"]";
    // UUIDs that follow from keys are double, or dangle, where these do.
    let told = |mut told: Vec<String>| {
        told.retain(|line| line.contains("posts") || line.contains("users"));
        told
    };
    let by_keys = [stated("users", "id", derived("users")), stated("posts", "author", derived("users"))];
    let (findings, is_no_go) = says_by(&mut pair, "source_data", &by_keys);
    let expected = [
        twice,
        orphans,
        "source_data note made_on_the_way source posts(author, editor) 2",
        "source_data note made_on_the_way source users.id 1",
    ];
    assert_eq!(told(findings), expected);
    assert!(!is_no_go);
    let (findings, _) = says_by(&mut pair, "source_data", &[stated("posts", "author", sql("author + 0"))]);
    assert_eq!(told(findings), [twice, "source_data note made_on_the_way source posts.author 1"]);

    // Rows that a condition chooses: their values are looked at, and their keys are named.
    let condition = Condition { sql: "id <> 'none'".to_owned(), ..Condition::default() };
    let chosen = Stated {
        source: "devices".to_owned(),
        target: "devices".to_owned(),
        filters: Sides::new(Some(condition), None),
        ..Stated::default()
    };
    let (mut findings, _) = says_by(&mut pair, "source_data", &[chosen]);
    findings.retain(|line| line.contains("devices"));
    let expected =
        ["source_data warning null_value source devices.serial 2", "source_data note made_on_the_way source devices 1"];
    assert_eq!(findings, expected);
}

/// A source that declares no reference has some all the same: names, types and nine of ten values tell.
#[test]
fn rows_that_dangle_are_told_also_where_the_source_declares_nothing() {
    let Some(bench) = Bench::take("preflight") else { return };
    let mut pair = clean(&bench);
    let items = "CREATE TABLE items (id integer PRIMARY KEY, user_id integer, post_id integer)";
    let rows = "INSERT INTO items WITH RECURSIVE n (v) AS (VALUES (1) UNION ALL SELECT v + 1 FROM n WHERE v < 20) \
                SELECT v, 1, v + 1000 FROM n";
    pair.source(&format!("{items}; {rows}; UPDATE items SET user_id = NULL WHERE id = 20"));
    // What the target declares is asked for as that, and once.
    for declared in ["", "; ALTER TABLE items ADD FOREIGN KEY (user_id) REFERENCES users (id)"] {
        pair.target(&format!("DROP TABLE IF EXISTS items; {items}{declared}"));
        pair.source("UPDATE items SET user_id = 1 WHERE id = 3");
        assert_eq!(says(&mut pair, "source_data"), (Vec::new(), false), "{declared}");
        pair.source("UPDATE items SET user_id = 99 WHERE id = 3");
        let kind = if declared.is_empty() { "orphan_inferred" } else { "orphan" };
        let (findings, is_no_go) = says(&mut pair, "source_data");
        assert!(findings.len() == 1 && findings[0].contains(&format!("{kind} source items.user_id 1")), "{findings:?}");
        assert!(!is_no_go, "{declared}");
    }
}
