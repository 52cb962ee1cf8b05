//! The registry in which sqitch keeps what it deployed (version 1.1 of its tables, `App::Sqitch::Engine::pg` and its kin).
//!
//! It is written once, as `sqitch deploy --log-only` does, to a database that is kept: where the engine has no schemas it
//! is a database or file of its own, which the many databases of a rehearsal would have to share. Comments on its tables
//! are left out, and on MySQL its triggers and its function `checkit`.

use super::{super::LedgerSql, Plan, plan::Planned};
use crate::{
    canon::hex,
    migrate::layout::{Migration, Script},
};
use sha1::{Digest as _, Sha1};

/// What it is called.
const NAME: &str = "sqitch";

/// Who is said to have deployed.
const COMMITTER: &str = "'Rehearse', 'rehearse@localhost'";

/// Where the registry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a schema of the database that was migrated.
    Schema(&'static str),
    /// In a database of its own, on the same server.
    Database(&'static str),
    /// In a file of its own, in the same folder: this and the ending of the database's file.
    File(&'static str),
}

/// Its tables, in words for what engines call differently.
const TABLES: &[&str] = &[
    "releases (version {number} PRIMARY KEY, installed_at {moment}, installer_name {name} NOT NULL, \
     installer_email {name} NOT NULL)",
    "projects (project {name} PRIMARY KEY, uri {name} NULL UNIQUE, created_at {moment}, creator_name {name} NOT NULL, \
     creator_email {name} NOT NULL)",
    "changes (change_id {id} PRIMARY KEY, script_hash {id} NULL, {change} {name} NOT NULL, \
     project {name} NOT NULL REFERENCES {in}projects(project) ON UPDATE CASCADE, note {note}, {who}, \
     UNIQUE (project, script_hash))",
    "tags (tag_id {id} PRIMARY KEY, tag {name} NOT NULL, \
     project {name} NOT NULL REFERENCES {in}projects(project) ON UPDATE CASCADE, \
     change_id {id} NOT NULL REFERENCES {in}changes(change_id) ON UPDATE CASCADE, note {tag_note}, {who}, \
     UNIQUE (project, tag))",
    "dependencies (change_id {id} NOT NULL REFERENCES {in}changes(change_id) ON UPDATE CASCADE ON DELETE CASCADE, \
     type {type} NOT NULL, dependency {name} NOT NULL, \
     dependency_id {id} NULL REFERENCES {in}changes(change_id) ON UPDATE CASCADE, \
     PRIMARY KEY (change_id, dependency){check})",
    "events (event {event}, change_id {id} NOT NULL, {change} {name} NOT NULL, \
     project {name} NOT NULL REFERENCES {in}projects(project) ON UPDATE CASCADE, note {note}, \
     requires {list}, conflicts {list}, tags {list}, {who}, PRIMARY KEY (change_id, committed_at))",
];

const WHO: &str = "committed_at {moment}, committer_name {name} NOT NULL, committer_email {name} NOT NULL, \
                   planned_at {planned} NOT NULL, planner_name {name} NOT NULL, planner_email {name} NOT NULL";

const CHECK: &str = ", CONSTRAINT dependencies_check CHECK (\
                     (type = 'require' AND dependency_id IS NOT NULL) OR (type = 'conflict' AND dependency_id IS NULL))";

/// What the words are for one family of engines.
struct Words {
    number: &'static str,
    moment: &'static str,
    planned: &'static str,
    name: &'static str,
    id: &'static str,
    kind: &'static str,
    note: &'static str,
    tag_note: &'static str,
    list: &'static str,
    event: &'static str,
    check: &'static str,
    /// What is said about a table behind its columns.
    options: &'static str,
}

const POSTGRES: Words = Words {
    number: "REAL",
    moment: "TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()",
    planned: "TIMESTAMPTZ",
    name: "TEXT",
    id: "TEXT",
    kind: "TEXT",
    note: "TEXT NOT NULL DEFAULT ''",
    tag_note: "TEXT NOT NULL DEFAULT ''",
    list: "TEXT[] NOT NULL DEFAULT '{}'",
    event: "TEXT NOT NULL CONSTRAINT events_event_check CHECK (event IN ('deploy', 'revert', 'fail', 'merge'))",
    check: CHECK,
    options: "",
};

const SQLITE: Words = Words {
    number: "FLOAT",
    moment: "DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP",
    planned: "DATETIME",
    list: "TEXT NOT NULL DEFAULT ''",
    ..POSTGRES
};

const MYSQL: Words = Words {
    number: "FLOAT(4, 1)",
    moment: "DATETIME(6) NOT NULL",
    planned: "DATETIME(6)",
    name: "VARCHAR(255)",
    id: "VARCHAR(40)",
    kind: "VARCHAR(8)",
    note: "TEXT NOT NULL",
    tag_note: "VARCHAR(255) NOT NULL",
    list: "TEXT NOT NULL",
    event: "ENUM ('deploy', 'fail', 'merge', 'revert') NOT NULL",
    // MySQL takes no CHECK of a column that a cascade writes.
    check: "",
    options: " ENGINE InnoDB, CHARACTER SET 'utf8'",
};

impl Plan {
    /// Where sqitch keeps its registry with this engine.
    pub fn place(sql: &LedgerSql) -> Place {
        match sql.by_word(&[("postgresql", "schema"), ("sqlite3", "file"), ("mysql", "database")]) {
            "schema" => Place::Schema(NAME),
            "file" => Place::File(NAME),
            _ => Place::Database(NAME),
        }
    }

    /// The statements that make the registry and say in it that these migrations, the plan's first ones, were deployed. They
    /// are run where [`Self::place`] says.
    pub fn registry(&self, migrations: &[Migration], sql: &LedgerSql) -> Vec<String> {
        let writer = Writer { plan: self, sql, place: Self::place(sql), of: migrations.len() };
        let mut statements = writer.tables();
        statements.push(format!(
            "INSERT INTO {}releases (version, installed_at, installer_name, installer_email) VALUES (1.1, {}, {COMMITTER})",
            writer.prefix(),
            writer.moment(0)
        ));
        let uri = self.uri.as_ref().map_or_else(|| "NULL".to_owned(), |uri| sql.text(uri));
        statements.push(format!(
            "INSERT INTO {}projects (project, uri, created_at, creator_name, creator_email) VALUES ({}, {uri}, {}, {COMMITTER})",
            writer.prefix(),
            sql.text(&self.project),
            writer.moment(0)
        ));
        for (at, migration) in migrations.iter().enumerate() {
            statements.extend(writer.change(at, &migration.up, &migrations[..at]));
        }
        statements
    }
}

/// Writes it for one engine.
struct Writer<'a> {
    plan: &'a Plan,
    sql: &'a LedgerSql,
    place: Place,
    /// How many changes there are to write.
    of: usize,
}

impl Writer<'_> {
    fn prefix(&self) -> String {
        match self.place {
            Place::Schema(name) => format!("{name}."),
            Place::Database(_) | Place::File(_) => String::new(),
        }
    }

    fn tables(&self) -> Vec<String> {
        let words = match self.place {
            Place::Schema(_) => &POSTGRES,
            Place::File(_) => &SQLITE,
            Place::Database(_) => &MYSQL,
        };
        let schema = match self.place {
            Place::Schema(name) => Some(format!("CREATE SCHEMA {name}")),
            Place::Database(_) | Place::File(_) => None,
        };
        let tables = TABLES.iter().map(|table| {
            let mut table = format!("CREATE TABLE {{in}}{table}{}", words.options).replace("{who}", WHO);
            for (word, meant) in [
                ("{in}", self.prefix().as_str()),
                ("{change}", &self.quoted("change")),
                ("{event}", words.event),
                ("{number}", words.number),
                ("{moment}", words.moment),
                ("{planned}", words.planned),
                ("{name}", words.name),
                ("{id}", words.id),
                ("{type}", words.kind),
                ("{note}", words.note),
                ("{tag_note}", words.tag_note),
                ("{list}", words.list),
                ("{check}", words.check),
            ] {
                table = table.replace(word, meant);
            }
            table
        });
        schema.into_iter().chain(tables).collect()
    }

    fn quoted(&self, name: &str) -> String {
        self.sql.engine.dialect().quote(name)
    }

    /// A moment for the so-manyth change: by them sqitch knows the order, and no two may be one.
    fn moment(&self, at: usize) -> String {
        let ago = self.of - at;
        match self.place {
            Place::Schema(_) => format!("clock_timestamp() - interval '{ago} milliseconds'"),
            Place::File(_) => {
                format!("strftime('%Y-%m-%d %H:%M:%f', 'now', '-{}.{:03} seconds')", ago / 1000, ago % 1000)
            }
            Place::Database(_) => format!("utc_timestamp(6) - INTERVAL {ago}000 MICROSECOND"),
        }
    }

    /// When something was planned, and by whom.
    fn planned(&self, planned: &Planned) -> String {
        let at = match self.place {
            Place::Schema(_) => planned.at.clone(),
            Place::Database(_) | Place::File(_) => planned.at.replace('T', " ").replace('Z', ""),
        };
        [&at, &planned.name, &planned.email].map(|text| self.sql.text(text)).join(", ")
    }

    fn list<'t>(&self, texts: impl Iterator<Item = &'t str>, separator: &str) -> String {
        let texts: Vec<&str> = texts.collect();
        match self.place {
            Place::Schema(_) => {
                let texts: Vec<String> = texts.iter().map(|text| self.sql.text(text)).collect();
                format!("ARRAY[{}]::text[]", texts.join(", "))
            }
            Place::Database(_) | Place::File(_) => self.sql.text(&texts.join(separator)),
        }
    }

    /// What is written of a change.
    fn change(&self, at: usize, script: &Script, before: &[Migration]) -> Vec<String> {
        let (to, change) = (self.prefix(), &self.plan.changes[at]);
        let [id, name, project, note] =
            [&change.id, &change.name, &self.plan.project, &change.note].map(|text| self.sql.text(text));
        let (moment, planned) = (self.moment(at), self.planned(&change.planned));
        // sqitch itself deploys no script twice.
        let is_twice = before.iter().any(|other| other.up.text == script.text);
        let hash = if is_twice { "NULL".to_owned() } else { self.sql.text(&hex(&Sha1::digest(&script.text))) };
        let word = self.quoted("change");
        let who = "committed_at, committer_name, committer_email, planned_at, planner_name, planner_email";
        let mut statements = vec![format!(
            "INSERT INTO {to}changes (change_id, script_hash, {word}, project, note, {who}) \
             VALUES ({id}, {hash}, {name}, {project}, {note}, {moment}, {COMMITTER}, {planned})"
        )];
        let requires = change.requires.iter().filter_map(|one| Some(("require", &one.text, Some(one.id.as_ref()?))));
        let conflicts = change.conflicts.iter().map(|text| ("conflict", text, None));
        for (kind, text, meant) in requires.chain(conflicts) {
            let text = self.sql.text(text);
            let meant = meant.map_or_else(|| "NULL".to_owned(), |id| self.sql.text(id));
            statements.push(format!(
                "INSERT INTO {to}dependencies (change_id, type, dependency, dependency_id) VALUES ({id}, '{kind}', {text}, {meant})"
            ));
        }
        for tag in &change.tags {
            let [tag_id, tag_name, tag_note] =
                [tag.id.clone(), format!("@{}", tag.name), tag.note.clone()].map(|text| self.sql.text(&text));
            let planned = self.planned(&tag.planned);
            statements.push(format!(
                "INSERT INTO {to}tags (tag_id, tag, project, change_id, note, {who}) \
                 VALUES ({tag_id}, {tag_name}, {project}, {id}, {tag_note}, {moment}, {COMMITTER}, {planned})"
            ));
        }
        let requires = self.list(change.requires.iter().map(|one| one.text.as_str()), ",");
        let conflicts = self.list(change.conflicts.iter().map(String::as_str), ",");
        let tags: Vec<String> = change.tags.iter().map(|tag| format!("@{}", tag.name)).collect();
        let tags = self.list(tags.iter().map(String::as_str), " ");
        statements.push(format!(
            "INSERT INTO {to}events (event, change_id, {word}, project, note, requires, conflicts, tags, {who}) \
             VALUES ('deploy', {id}, {name}, {project}, {note}, {requires}, {conflicts}, {tags}, {moment}, {COMMITTER}, {planned})"
        ));
        statements
    }
}
