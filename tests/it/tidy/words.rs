//! Words that have no place in the program, expectations that say too little, and engines on foreign floors.

use std::fs;

use super::{
    assert_none,
    source::{blanked, line, sources},
};
use crate::support::{files, root};

/// Files that name an engine although they are on no floor of its own, and why.
const NAMES_AN_ENGINE: &[(&str, &str)] = &[
    ("cli/urls/parts.rs", "connection strings without a scheme are those of libpq"),
    ("scenario/of_file.rs", "any SQLite file"),
    ("provision/local/account.rs", "the account that the distributions' packages make is called like that"),
];

#[test]
fn words_that_have_no_place_in_the_program_are_not_there() {
    let mut problems = Vec::new();
    for source in sources() {
        let (code, name) = (source.product(), &source.name);
        let mut forbid = |what: &str, why: &str| {
            for (at, _) in code.match_indices(what) {
                // `eprintln!` ends in `println!`, and is told once.
                if !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
                    problems.push(format!("harness/{name}:{}: `{what}` {why}", line(code, at)));
                }
            }
        };
        if source.folder() != "cli" {
            for printing in ["println!", "eprintln!", "print!", "eprint!"] {
                forbid(printing, "is for `cli` alone");
            }
            forbid("std::env", "is for `cli` alone");
        }
        for unfinished in ["todo!", "unimplemented!", "dbg!"] {
            forbid(unfinished, "is unfinished work");
        }
        forbid("#[allow(", "should be `#[expect(…, reason)]`");
        forbid(".unwrap()", "says nothing");
    }
    assert_none(&problems);
}

#[test]
fn no_test_is_switched_off() {
    let tests = files(&root().join("tests")).into_iter().chain(files(&root().join("harness")));
    for path in tests.filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let code = blanked(&fs::read_to_string(&path).unwrap(), true);
        assert!(!code.contains("#[ignore"), "{}", path.display());
    }
}

#[test]
fn every_expectation_says_why_it_holds() {
    let mut problems = Vec::new();
    for source in sources() {
        let text = source.product_text();
        for (at, _) in source.product().match_indices(".expect(") {
            let reason = text[at + ".expect(".len()..].trim_start();
            let told =
                reason.strip_prefix('"').and_then(|reason| reason.split_once('"')).map_or(0, |(told, _)| told.len());
            if told <= 10 {
                problems.push(format!("harness/{}:{}: says too little", source.name, line(text, at)));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn engines_are_named_on_their_own_floor_only() {
    let mut problems = Vec::new();
    let may = |name: &str| NAMES_AN_ENGINE.iter().any(|(file, _)| *file == name);
    for source in sources().iter().filter(|source| source.folder() != "engine" && !may(&source.name)) {
        for engine in rehearse::engine::ALL {
            for (at, _) in source.product_text().match_indices(&format!("\"{}\"", engine.id())) {
                problems.push(format!("harness/{}:{}: names `{}`", source.name, line(&source.text, at), engine.id()));
            }
        }
    }
    assert_none(&problems);
    for (file, _) in NAMES_AN_ENGINE {
        assert!(root().join("harness").join(file).is_file(), "{file} is gone, and its exception with it");
    }
}

#[test]
fn no_file_is_named_after_nothing() {
    let all = ["harness", "tests"].map(|folder| files(&root().join(folder))).concat();
    for path in all {
        let names = path.strip_prefix(root()).unwrap().with_extension("");
        for name in names.components().filter_map(|part| part.as_os_str().to_str()) {
            assert!(
                !["utils", "util", "helpers", "helper", "common", "imp", "misc"].contains(&name),
                "{}",
                path.display()
            );
        }
    }
}
