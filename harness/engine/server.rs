//! What it takes to start a server of an engine, and to make databases on it.

use super::{UrlSpec, cluster::ClusterSpec};

/// What a provisioner has to know to start a server of an engine.
#[derive(Debug)]
pub struct ServerSpec {
    /// Image name without a tag: `postgres`.
    pub image: &'static str,
    /// Tag taken where none is said.
    pub default_tag: &'static str,
    /// Port inside the container.
    pub port: u16,
    /// The environment that makes the official images create a superuser with a password: given the password.
    pub environment: fn(password: &str) -> Vec<(String, String)>,
    /// The superuser of such a container.
    pub superuser: &'static str,
    /// A database that is always there, to create others from.
    pub maintenance_database: &'static str,
    /// The server's program, by which local installations are found: `postgres`.
    pub program: &'static str,
    /// How a throw-away cluster is made from installed programs.
    pub cluster: ClusterSpec,
    /// Folders in which distributions put that program, `*` standing for a version.
    pub program_folders: &'static [&'static str],
    /// What is said to such a server about scratch databases.
    pub databases: DatabaseSql,
    /// How URLs name its databases.
    pub urls: UrlSpec,
}

/// The SQL around roles.
#[derive(Clone, Copy, Debug)]
pub struct RoleSql {
    /// The query that names them, but for the server's own.
    pub list: &'static str,
    /// The statement that drops one on which nothing depends. The name comes in quoted already.
    pub drop: fn(quoted: &str) -> String,
}

/// The SQL around scratch databases on a server. Names come in quoted already.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseSql {
    /// The statement that creates an empty database in UTF-8.
    pub create: fn(quoted: &str) -> String,
    /// The statement that drops a database if it is there, and cuts the sessions in it.
    pub drop: fn(quoted: &str) -> String,
    /// The statement that creates a database as a copy of another one in which nobody is; `None` if there is none.
    pub copy: Option<fn(quoted: &str, of: &str) -> String>,
    /// The query that gives the statements by which a copy gets what a database has beside what is in it: its rights, its
    /// settings. Both names come in as literals; `None` if there is nothing of the kind.
    pub beside: Option<fn(literal: &str, of: &str) -> String>,
    /// What has a throw-away server not wait for its disk, statement by statement: making and dropping databases is mostly
    /// that.
    pub unsynced: &'static [&'static str],
    /// What waits for as long as whoever reads a table waits, and reads nothing. Sent as one message.
    pub reads: fn(table: &str) -> String,
    /// The same for whoever writes it, and nothing is written.
    pub writes: fn(table: &str) -> String,
    /// How roles are looked after, which belong to the whole server; `None` where they are not.
    pub roles: Option<RoleSql>,
    /// The query that gives a row if the session's role may create databases.
    pub may_create: &'static str,
    /// The query that gives a row if the session's database has a table of this name (a plain word) in any schema.
    pub has_table: fn(table: &str) -> String,
}
