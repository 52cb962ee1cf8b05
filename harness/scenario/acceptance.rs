//! Acceptance files: what of a history of migrations is known and accepted, why, and until when.

use std::{collections::BTreeMap, fs, path::Path};

use super::ScenarioError;
use crate::{
    document::{Document, Fields, Problem},
    model::{DisorderKind, MigrationClass, Worsened, history::CHAIN},
};

/// Something that is known and accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The migration, by name or version; [`CHAIN`] for all of them in a row.
    pub migration: String,
    /// What it comes to: the word of a class, of what is wrong behind its way up or of a disorder, or [`CHAIN`].
    pub class: String,
    /// Why that is accepted.
    pub why: String,
    /// The last day on which it is, as in `2027-01-31`.
    pub until: Option<String>,
    /// Where it stands: `accept.toml:7`.
    pub place: String,
}

/// Reads an acceptance file.
///
/// # Errors
/// All problems at once, with file, line, key, what was expected and the nearest name.
pub fn acceptances(path: &Path) -> Result<Vec<Acceptance>, ScenarioError> {
    let bytes = fs::read(path).map_err(|source| ScenarioError::Unreadable { path: path.to_owned(), source })?;
    let file = path.display().to_string();
    let text = Document::decode(&file, bytes).map_err(|problems| ScenarioError::Invalid(vec![problems]))?;
    let document = Document::parse(&file, &text);
    let mut root = document.root();
    let entries = root.array_of_tables("accept");
    if entries.is_empty() && root.present(&["accept"]).is_empty() {
        let problem = Problem::new(root.place(), "accepts nothing");
        root.problem(problem.expected("at least one [[accept]]"));
    }
    let mut taken = BTreeMap::new();
    let read: Vec<Acceptance> =
        entries.into_iter().filter_map(|fields| acceptance(fields, &file, &mut taken)).collect();
    root.finish();
    document.finish(Some(read)).map_err(|problems| ScenarioError::Invalid(vec![problems]))
}

fn acceptance(mut fields: Fields<'_>, file: &str, taken: &mut BTreeMap<(String, String), usize>) -> Option<Acceptance> {
    let accepted = MigrationClass::ALL.into_iter().filter(|class| class.severity().is_some());
    let disorders = DisorderKind::ALL.into_iter().map(DisorderKind::word);
    let worsened = Worsened::KINDS.into_iter().map(|(_, word)| word);
    let words: Vec<&'static str> =
        accepted.map(MigrationClass::word).chain(worsened).chain(disorders).chain([CHAIN]).collect();
    let place = fields.place().clone();
    let migration = fields.required_str("migration");
    let class = fields.required_one_of("class", "class", &words);
    let why = fields.required("why", "the reason, in words").and_then(|entry| entry.str());
    let why = why.filter(|why| {
        let is_said = !why.value.trim().is_empty();
        if !is_said {
            fields.problem(Problem::new(&why.place, "empty").expected("the reason, in words"));
        }
        is_said
    });
    let until = fields.optional("until").and_then(|entry| entry.date()).map(|day| day.value);
    let named =
        migration.zip(class).zip(why).map(|((migration, class), why)| (migration.value, class.value, why.value));
    if let Some((migration, class, _)) = &named
        && let Some(line) = taken.insert((migration.clone(), (*class).to_owned()), place.line)
    {
        let problem = Problem::new(&place, format!("`{migration}` is accepted as {class} in line {line} already"));
        fields.problem(problem.expected("one [[accept]] for each class of a migration"));
    }
    fields.finish();
    let (migration, class, why) = named?;
    let class = class.to_owned();
    Some(Acceptance { migration, class, why, until, place: format!("{file}:{}", place.line) })
}
