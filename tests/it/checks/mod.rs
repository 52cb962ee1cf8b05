//! The check matrix: defects planted one at a time in a clean pair of databases, and what every check says then.
//!
//! A case states everything that all checks of its stage find, not only what the check that it is about finds: a defect
//! that trips more checks than it should, or a check that speaks up without a defect, fails a case too.

mod after;
pub mod bench;
mod causes;
mod collisions;
mod peculiar;
mod preflight;
mod rows;
mod sent;
mod structure;
mod traps;
mod twins;
mod unreadable;
mod values;
mod wide;

use std::{collections::BTreeSet, fs, path::PathBuf};

use rehearse::{
    canon::comparison::{At, Expression, Stated, StatedColumn, ValueMap},
    check::{self, Check, Examined},
    model::{Evidence, Finding, LossEntry, Severity, Sides, Stage},
};

use bench::{Bench, Pair};

/// A defect, where it is planted, and what the checks find then.
struct Planted {
    /// The check that it is for.
    check: &'static str,
    /// What is wrong, in words.
    name: &'static str,
    /// SQL that plants it in the source.
    source: &'static str,
    /// SQL that plants it in the target.
    target: &'static str,
    /// What a scenario would state: table, column and rule.
    stated: &'static [(&'static str, &'static str, &'static str)],
    /// What a mapping would state: table, column, and a value that stands for itself.
    values: &'static [(&'static str, &'static str, &'static str)],
    /// The table that a mapping would carry.
    copied: Option<&'static str>,
    /// What the migration would say that it leaves behind: object and reason.
    left: &'static [(&'static str, &'static str)],
    /// Whether a byte of the source's file is changed that no table and no catalogue object shows.
    touch_file: bool,
    /// Every finding of every check of the stage, as [`told`] tells it.
    finds: &'static [&'static str],
    /// Every line of the loss ledger: side, column, rule and rows.
    ledger: &'static [&'static str],
}

/// Nothing planted, nothing found.
const NOTHING: Planted = Planted {
    check: "",
    name: "nothing",
    source: "",
    target: "",
    stated: &[],
    values: &[],
    copied: None,
    left: &[],
    touch_file: false,
    finds: &[],
    ledger: &[],
};

/// What the target of the matrix has by itself, which is told of every case of a migrated stage.
const OWN: &[&str] = &[
    "schema note object_extra target function:touch() 1",
    "schema note object_extra target policy:posts.readers 1",
    "schema note object_extra target trigger:users.users_touch 1",
    "schema note object_extra target view:active_users 1",
];

/// The whole matrix.
fn matrix() -> impl Iterator<Item = &'static Planted> {
    [rows::CASES, structure::CASES, after::CASES].into_iter().flatten()
}

/// `schema note object_missing target index:users.users_last_name 1`, severity only if it is no error, and behind it
/// the sample: ` [id="1" city: "Graz" -> NULL]`.
fn told(check: &str, finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => String::new(),
        other => format!("{other} "),
    };
    let mut text = format!("{check} {severity}{} {} {}", finding.kind, finding.subject, finding.total);
    if !finding.sample.is_empty() {
        let mut rows: Vec<String> = finding.sample.iter().map(row).collect();
        // Which rows are shown follows from their digests, and so does their order.
        rows.sort_unstable();
        text += &format!(" [{}]", rows.join("; "));
    }
    text
}

fn row(evidence: &Evidence) -> String {
    let mut parts: Vec<String> = evidence.key.iter().map(|part| format!("{}={}", part.column, part.value)).collect();
    if let (Some(column), Some(source), Some(target)) = (&evidence.column, &evidence.source, &evidence.target) {
        parts.push(format!("{column}: {source} -> {target}"));
    }
    parts.join(" ")
}

fn entry(loss: &LossEntry) -> String {
    format!("{} {}.{} {}: {}", loss.side, loss.table, loss.column, loss.rule, loss.rows)
}

impl Planted {
    fn stated(&self) -> Vec<Stated> {
        let one = |(table, column, rule): &(&str, &str, &str)| {
            let column_of = StatedColumn { rule: Some((*rule).to_owned()), ..StatedColumn::default() };
            Stated {
                source: (*table).to_owned(),
                target: (*table).to_owned(),
                columns: [((*column).to_owned(), column_of)].into(),
                ..Stated::default()
            }
        };
        let value = |(table, column, value): &(&str, &str, &str)| {
            let at = At { file: "mapping.toml".to_owned(), line: 7, key: "compare[0].columns".to_owned() };
            let entries = vec![((*value).to_owned(), (*value).to_owned(), at)];
            let map = Expression::Values(ValueMap { entries, ..ValueMap::default() });
            let column_of = StatedColumn { expressions: Sides::new(Some(map), None), ..StatedColumn::default() };
            Stated {
                source: (*table).to_owned(),
                target: (*table).to_owned(),
                columns: [((*column).to_owned(), column_of)].into(),
                ..Stated::default()
            }
        };
        let copied = self.copied.map(|table| Stated {
            source: table.to_owned(),
            target: table.to_owned(),
            is_copied: true,
            ..Stated::default()
        });
        self.stated.iter().map(one).chain(self.values.iter().map(value)).chain(copied).collect()
    }

    /// Plants it in a clean pair and lets every check of the stage look, each with what it examined.
    fn play(&self, pair: &mut Pair<'_>, stage: Stage) -> Vec<(&'static dyn Check, Examined)> {
        match stage {
            Stage::RolledBack => pair.record(Stage::Baseline),
            Stage::Reapplied => pair.record(Stage::Migrated),
            Stage::Migrated if self.check == "source" => pair.record(Stage::Baseline),
            Stage::Baseline | Stage::Migrated => {}
        }
        if !self.source.is_empty() {
            pair.source(self.source);
        }
        if !self.target.is_empty() {
            pair.target(self.target);
        }
        if self.touch_file {
            touch(pair);
        }
        pair.record(stage);
        let derived = pair.derive(stage, &self.stated());
        let left: Vec<(String, String)> =
            self.left.iter().map(|(object, reason)| ((*object).to_owned(), (*reason).to_owned())).collect();
        let mut checks = check::ALL.to_vec();
        checks.retain(|check| check.meta().stages.contains(&stage));
        let examined = pair.examine(&checks, stage, &derived, &left);
        checks.into_iter().zip(examined).collect()
    }
}

/// Changes the reserved byte of the header where SQLite keeps the number of the version that wrote the file last.
fn touch(pair: &Pair<'_>) {
    let mut bytes = fs::read(pair.file()).unwrap();
    bytes[96] ^= 1;
    fs::write(pair.file(), bytes).unwrap();
}

/// Plays all cases of one check, and the clean case before them.
fn plays(id: &'static str) {
    let Some(bench) = Bench::take(&format!("checks of {id}")) else { return };
    let check = check::by_id(id).unwrap();
    let cases = || std::iter::once(&NOTHING).chain(matrix().filter(|case| case.check == id));
    let mut pair = bench.pair();
    let mut wrong = Vec::new();
    for stage in check.meta().stages {
        for case in cases() {
            pair.make_clean();
            let seen = case.play(&mut pair, *stage);
            let mut finds: BTreeSet<String> = seen
                .iter()
                .flat_map(|(check, examined)| examined.findings.iter().map(|one| told(check.meta().id, one)))
                .collect();
            let is_clean = case.name == NOTHING.name && *stage == Stage::Migrated;
            assert!(!is_clean || OWN.iter().all(|note| finds.contains(*note)), "{finds:#?}");
            finds.retain(|line| !OWN.contains(&line.as_str()));
            let ledger: BTreeSet<String> =
                seen.iter().flat_map(|(_, examined)| examined.loss_ledger.iter().map(entry)).collect();
            let stated = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
            let (expected, expected_ledger) = (stated(case.finds), stated(case.ledger));
            if finds != expected {
                wrong.push(format!("{}: expected {expected:#?}\nfound {finds:#?}", case.name));
            }
            if ledger != expected_ledger {
                wrong.push(format!("{}: expected in the ledger {expected_ledger:#?}\nfound {ledger:#?}", case.name));
            }
            let failed = seen.iter().any(|(check, examined)| check.meta().id == id && examined.has_failed());
            let should = case.finds.iter().any(|line| {
                let word = line.strip_prefix(id).and_then(|rest| rest.split_whitespace().next());
                word.is_some_and(|word| word != "note" && word != "warning")
            });
            if failed != should {
                wrong.push(format!("{}: the check {}", case.name, if failed { "failed" } else { "passed" }));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

macro_rules! played {
    ($($id:ident),* $(,)?) => {
        $(#[test]
        fn $id() {
            plays(stringify!($id));
        })*

        /// The checks that have a test here.
        const PLAYED: &[&str] = &[$(stringify!($id)),*];
    };
}

played!(
    schema,
    row_count,
    accounted,
    checksum,
    not_null,
    unique,
    foreign_key,
    orphan,
    uuid_type,
    sequence,
    mapping,
    integrity,
    source,
    no_trace,
    reapply,
);

#[test]
fn every_check_is_in_the_matrix() {
    // What a scenario asks is its own affair: `probe.rs` plants answers that do not hold.
    let all = || check::ALL.iter().filter(|check| check.meta().id != check::probe::ID);
    let ids: Vec<&str> = all().map(|check| check.meta().id).collect();
    assert_eq!(ids, PLAYED);
    for check in all() {
        let meta = check.meta();
        assert!(!meta.stages.is_empty(), "{} never runs", meta.id);
        let trips = |case: &Planted| {
            case.check == meta.id && case.finds.iter().any(|line| line.split(' ').next() == Some(meta.id))
        };
        assert!(matrix().any(trips), "no planted defect trips {}", meta.id);
    }
    for case in matrix() {
        assert!(ids.contains(&case.check), "{}: there is no check `{}`", case.name, case.check);
        let alike = matrix().filter(|other| (other.check, other.name) == (case.check, case.name));
        assert_eq!(alike.count(), 1, "{} of {} is there twice", case.name, case.check);
    }
}

#[test]
fn every_file_with_a_check_is_registered() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("harness/check");
    let mut written = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = if path.is_dir() { path.join("mod.rs") } else { path.clone() };
        // A folder beside a file of its name has parts of it, and no `mod.rs`.
        if fs::read_to_string(&file).is_ok_and(|text| text.contains("impl Check for ")) {
            written.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    written.sort();
    let mut registered: Vec<&str> = check::ALL.iter().map(|check| check.meta().id).collect();
    registered.sort_unstable();
    assert_eq!(written, registered);
}
