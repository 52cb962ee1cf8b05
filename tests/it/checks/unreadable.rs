//! Tables that cannot be read: each is named as unchecked, the others are checked as if nothing were, and no check breaks.

use std::collections::BTreeSet;

use rehearse::{
    check::{self, Readers},
    engine::{self, Session},
    model::{Side, Stage, Unchecked},
};

use super::{
    bench::{AUDITOR, Bench, Pair},
    told,
};

/// What all checks of a migrated stage say: findings, and what they did not check.
pub(super) fn look(pair: &mut Pair<'_>) -> (BTreeSet<String>, BTreeSet<Unchecked>) {
    let derived = pair.derive(Stage::Migrated, &[]);
    let mut checks = check::ALL.to_vec();
    checks.retain(|check| check.meta().stages.contains(&Stage::Migrated));
    let examined = pair.examine(&checks, Stage::Migrated, &derived, &[]);
    let findings = checks.iter().zip(&examined).flat_map(|(check, examined)| {
        examined.findings.iter().map(|finding| told(check.meta().id, finding)).collect::<Vec<_>>()
    });
    let unchecked = examined.iter().flat_map(|examined| examined.unchecked.iter().cloned());
    (findings.filter(|line| !line.contains(" note ")).collect(), unchecked.collect())
}

pub(super) fn subjects(unchecked: &BTreeSet<Unchecked>) -> BTreeSet<String> {
    unchecked.iter().map(|one| format!("{} {}", one.aspect, one.subject)).collect()
}

pub(super) fn lines(lines: &[&str]) -> BTreeSet<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn row_security_and_missing_rights_are_noticed_and_not_suffered() {
    let Some(bench) = Bench::take("row security") else { return };
    let mut pair = bench.pair();
    pair.make_clean();
    pair.target(&format!(
        "GRANT USAGE ON SCHEMA public TO {AUDITOR}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {AUDITOR};
         ALTER TABLE posts ENABLE ROW LEVEL SECURITY; REVOKE SELECT ON words FROM {AUDITOR};
         UPDATE users SET city = 'Linz' WHERE id = 4"
    ));
    pair.look_as_auditor();
    pair.record(Stage::Migrated);
    let (findings, unchecked) = look(&mut pair);
    assert_eq!(
        findings,
        lines(&[
            "checksum changed_row target users 1",
            "checksum changed_value target users.city 1 [id=\"4\" city: \"Graz\" -> \"Linz\"]"
        ])
    );
    let reason = |table: &str| {
        let subject = format!("target {table}");
        unchecked.iter().find(|one| one.subject == subject).map(|one| one.reason.clone()).unwrap_or_default()
    };
    assert!(reason("posts").contains("row-level security"), "{unchecked:?}");
    assert!(reason("words").contains("permission denied"), "{unchecked:?}");
    assert_eq!(
        subjects(&unchecked),
        lines(&[
            "row target posts",
            "row target words",
            "sequence target posts_id_seq",
            "sequence target spellings_id_seq",
            "sequence target users_id_seq",
            "reference posts(author) -> users(id)",
            "reference posts(editor) -> users(id)",
        ])
    );
    pair.look_as_owner();
}

#[test]
fn a_table_that_changes_its_shape_or_vanishes_meanwhile_is_named() {
    let Some(bench) = Bench::take("shapes") else { return };
    let mut pair = bench.pair();
    pair.make_clean();
    pair.record(Stage::Migrated);
    pair.target("DROP TABLE words; ALTER TABLE devices RENAME COLUMN serial TO number; DELETE FROM users WHERE id = 3");
    let (findings, unchecked) = look(&mut pair);
    assert_eq!(findings, lines(&["checksum missing_row target users 1 [id=\"3\"]"]));
    let found = subjects(&unchecked);
    assert_eq!(found, lines(&["row target devices", "row target words"]), "{unchecked:?}");
}

#[test]
fn a_locked_table_is_named_after_a_while() {
    let Some(bench) = Bench::take("locks") else { return };
    let mut pair = bench.pair();
    pair.make_clean();
    let lock = pair.hold("BEGIN; LOCK TABLE words IN ACCESS EXCLUSIVE MODE");
    pair.record(Stage::Migrated);
    let (findings, unchecked) = look(&mut pair);
    drop(lock);
    assert_eq!(findings, BTreeSet::new());
    assert_eq!(subjects(&unchecked), lines(&["row target words"]));
    assert!(unchecked.iter().all(|one| one.reason.contains("lock timeout")), "{unchecked:?}");
}

#[test]
fn a_refused_question_leaves_the_snapshot_as_it_is() {
    let Some(bench) = Bench::take("snapshots") else { return };
    let mut pair = bench.pair();
    pair.make_clean();
    let run = bench.runtime();
    let mut readers = run.block_on(Readers::open(pair.addresses())).unwrap();
    let count = |session: &mut dyn Session| {
        run.block_on(session.query("SELECT count(*)::text FROM posts")).unwrap()[0][0].clone().unwrap()
    };
    let before = count(readers.side(Side::Target).unwrap());
    pair.target("DELETE FROM posts");
    for wrong in ["SELECT 1 / 0", "SELECT nothing FROM nowhere"] {
        run.block_on(readers.side(Side::Target).unwrap().query(wrong)).unwrap_err();
        run.block_on(readers.recover()).unwrap();
        assert_eq!(count(readers.side(Side::Target).unwrap()), before, "{wrong}");
    }
    // Nor does it keep others from seeing the same, and these are refused questions as well.
    let shared = run.block_on(readers.side(Side::Target).unwrap().share_snapshot()).unwrap().unwrap();
    let mut other = run.block_on(engine::by_id("postgres").unwrap().connect(pair.address(Side::Target))).unwrap();
    run.block_on(other.begin_at(&shared)).unwrap();
    for session in [readers.side(Side::Target).unwrap(), other.as_mut()] {
        run.block_on(session.query("SELECT 1 / 0")).unwrap_err();
        run.block_on(session.recover()).unwrap();
        assert_eq!(count(session), before);
    }
    run.block_on(other.close()).unwrap();
    run.block_on(readers.close()).unwrap();
}
