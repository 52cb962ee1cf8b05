//! Files and functions of a size to read.

use super::{
    assert_none,
    source::{line, sources, word},
};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

#[test]
fn files_and_functions_are_of_a_size_to_read() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test) {
        let lines = source.product().lines().count();
        if lines > FILE_LINES {
            problems.push(format!("harness/{}: {lines} lines, at most {FILE_LINES}", source.name));
        }
        for (name, at, lines) in functions(source.product()) {
            if lines > FUNCTION_LINES {
                problems.push(format!("harness/{}:{at}: `{name}` has {lines} lines", source.name));
            }
        }
    }
    assert_none(&problems);
}

/// The functions of a text: name, line, lines.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let name = word(&code[at + 3..]);
        let is_word = at == 0 || code[..at].ends_with(|before: char| before.is_whitespace() || before == '(');
        let Some(body) = code[at..].find(['{', ';']).map(|body| at + body) else { continue };
        if name.is_empty() || !is_word || code[body..].starts_with(';') {
            continue;
        }
        let mut depth = 0_usize;
        for (end, letter) in code[body..].char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                found.push((name, line(code, at), code[at..body + end].matches('\n').count() + 1));
                break;
            }
        }
    }
    found
}
