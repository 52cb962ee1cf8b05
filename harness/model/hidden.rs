//! What a catalogue keeps from the role that reads it.

use serde::{Deserialize, Serialize};

use super::{
    Catalogue, TableName,
    catalogue::{Definition, ObjectName},
};

/// What stands in a definition as its `contents` where the session's role may not read them; `lacks` is the right then, as
/// far as one right would do.
pub const HIDDEN: &str = "unreadable";

/// Objects of which some may be there without the role's seeing them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// Their class.
    pub class: String,
    /// Only those that are parts of this table.
    pub of: Option<TableName>,
    /// The right that the role lacks, and on what: `TRIGGER on the whole database`.
    pub right: String,
}

impl Hidden {
    /// Objects of a class in the whole database.
    pub fn class(class: &str, right: &str) -> Self {
        Self { class: class.to_owned(), of: None, right: right.to_owned() }
    }

    /// What is told of it: the class, and the right.
    pub fn told(&self) -> (&str, &str) {
        (&self.class, &self.right)
    }

    fn covers(&self, object: &ObjectName) -> bool {
        let is_part = |table: &TableName| {
            let rest = object.name.strip_prefix(&table.to_string());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ' ']))
        };
        self.class == object.class && self.of.as_ref().is_none_or(is_part)
    }
}

impl Catalogue {
    /// Why this object may be there and not be seen; `None` if it would be seen.
    pub fn hides(&self, object: &ObjectName) -> Option<&Hidden> {
        self.hidden.iter().find(|hidden| hidden.covers(object))
    }
}

/// Why an object's contents cannot be compared, as far as its definition says that they cannot.
pub fn why_hidden(definition: &Definition) -> Option<String> {
    let is_hidden = definition.get("contents").is_some_and(|contents| contents == HIDDEN);
    is_hidden.then(|| match definition.get("lacks") {
        Some(right) => format!("the role lacks {right}, without which it may not read its contents"),
        None => "the role may not read its contents".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_table_are_hidden_with_it_and_others_are_not() {
        let mut catalogue = Catalogue::default();
        let of = Some(TableName::new("users"));
        catalogue.hidden.push(Hidden { class: "column".to_owned(), of, right: "SELECT".to_owned() });
        catalogue.hidden.push(Hidden::class("trigger", "TRIGGER"));
        let hides =
            |class: &str, name: &str| catalogue.hides(&ObjectName::new(class, name)).map(|one| one.right.as_str());
        assert_eq!(hides("column", "users.id"), Some("SELECT"));
        assert_eq!((hides("column", "users2.id"), hides("index", "users.id")), (None, None));
        assert_eq!(hides("trigger", "anything"), Some("TRIGGER"));
    }
}
