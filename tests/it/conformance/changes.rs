//! One change of each class of catalogue objects, and its undoing.
//!
//! That undoing restores equality also proves that nothing volatile is in the catalogue: an index that was dropped and
//! made again has another OID and another place.

use std::collections::BTreeSet;

use rehearse::{engine::Session, model::Catalogue};

use super::{Place, mariadb_changes, postgres_changes, rows, sqlite_changes};

/// What is said to change something, what is said to undo it, and the classes of the objects that differ in between.
pub struct Change {
    pub make: &'static str,
    pub undo: &'static str,
    pub classes: &'static [&'static str],
}

/// The changes of an engine, on top of a schema.
pub struct Changes {
    pub engine: &'static str,
    pub schema: &'static str,
    pub changes: &'static [Change],
}

const ALL: &[&Changes] = &[&postgres_changes::CHANGES, &sqlite_changes::CHANGES, &mariadb_changes::CHANGES];

fn differing(before: &Catalogue, after: &Catalogue) -> BTreeSet<String> {
    let names = before.objects.keys().chain(after.objects.keys());
    names.filter(|name| before.objects.get(name) != after.objects.get(name)).map(ToString::to_string).collect()
}

async fn read(session: &mut dyn Session) -> Catalogue {
    session.introspect().await.unwrap()
}

pub(super) async fn every_change_is_seen_and_its_undoing_too(place: &Place) {
    let id = place.engine.id();
    let changes = ALL.iter().find(|changes| changes.engine == id);
    let changes = changes.unwrap_or_else(|| panic!("nobody wrote down what can change in {id}"));
    let mut session = place.open().await;
    for statement in changes.schema.split(";;") {
        rows::run(session.as_mut(), [&statement.to_owned()]).await;
    }
    let before = read(session.as_mut()).await;
    assert_eq!(read(session.as_mut()).await, before, "two readings are equal");
    for Change { make, undo, classes } in changes.changes {
        for statement in make.split(";;") {
            rows::run(session.as_mut(), [&statement.to_owned()]).await;
        }
        let after = read(session.as_mut()).await;
        let changed = differing(&before, &after);
        let found: BTreeSet<&str> = changed.iter().filter_map(|name| name.split(':').next()).collect();
        assert_eq!(found, classes.iter().copied().collect(), "{make}: {changed:?}");
        for statement in undo.split(";;") {
            rows::run(session.as_mut(), [&statement.to_owned()]).await;
        }
    }
    // What an undoing left would also have been among what the next change was compared with.
    let undone = read(session.as_mut()).await;
    assert_eq!(differing(&before, &undone), BTreeSet::new());
    assert_eq!(undone.tables, before.tables);
    session.close().await.unwrap();
}
