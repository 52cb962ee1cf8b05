//! The house is as its plan says: floors, registries, sizes, and words that have no place in it.

mod floors;
mod paths;
mod sizes;
mod source;
mod words;

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
