//! Audits with MariaDB on one side or both, by roles that may read some of it.

mod manner;
mod rights;

use super::Audit;
use crate::support::{
    mariadb::{Container, PASSWORD, docker, has},
    server::execute,
};
use rehearse::model::Tls;

/// A server of a test's own.
struct Place {
    server: Container,
}

impl Place {
    /// A server of this version; `None` where none can be had, which is said.
    async fn start(test: &str, version: &str) -> Option<Self> {
        if !has(test, version).await {
            return None;
        }
        let server = Container::start(&format!("mariadb:{version}"), &[], &[]);
        server.wait().await;
        Some(Self { server })
    }

    /// The URL of a database for a user.
    fn url(&self, user: &str, password: &str, database: &str) -> String {
        format!("mariadb://{user}:{password}@127.0.0.1:{}/{database}", self.server.port)
    }

    /// The URL of a database for its owner.
    fn root(&self, database: &str) -> String {
        self.url("root", PASSWORD, database)
    }

    /// Runs SQL in a database by the server's own client, and gives what that prints.
    fn say(&self, database: &str, sql: &str) -> String {
        let sql = format!("SET NAMES utf8mb4; {sql}");
        docker(&["exec", &self.server.name, "mariadb", "-uroot", &format!("-p{PASSWORD}"), "-e", &sql, database])
    }

    /// Makes these databases anew, by the same SQL.
    async fn make(&self, databases: &[&str], sql: &str) {
        let admin = self.server.address("127.0.0.1", Tls::default());
        for database in databases {
            execute(&admin, &format!("DROP DATABASE IF EXISTS {database}")).await;
            execute(&admin, &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4")).await;
            self.say(database, sql);
        }
    }
}
