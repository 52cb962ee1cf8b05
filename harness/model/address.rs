//! Where a database can be reached.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{EngineId, Secret, Tls};

/// One database of one engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The engine that speaks to it.
    pub engine: EngineId,
    /// How it is reached.
    pub endpoint: Endpoint,
}

/// How a database is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// An embedded database in a file.
    File(PathBuf),
    /// A database on a server.
    Server {
        /// The machine or socket.
        host: Host,
        /// The role that connects.
        user: String,
        /// Its password, where it needs one.
        password: Option<Secret>,
        /// The database's name on that server.
        database: String,
        /// How the connection is encrypted.
        #[serde(default)]
        tls: Tls,
    },
}

/// The machine or socket of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// A TCP address.
    Tcp {
        /// Host name or IP address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// A Unix socket in a directory.
    Socket {
        /// The directory that holds the socket.
        directory: PathBuf,
        /// The port number that is part of the socket's name.
        port: u16,
    },
}

impl Address {
    /// The same server, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let mut address = self.clone();
        if let Endpoint::Server { database, .. } = &mut address.endpoint {
            name.clone_into(database);
        }
        address
    }
}

/// A URL without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::File(path) => write!(f, "{}:{}", self.engine, path.display()),
            Endpoint::Server { host: Host::Tcp { host, port }, user, database, .. } => {
                // An IPv6 address has colons of its own.
                let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
                write!(f, "{}://{user}@{open}{host}{close}:{port}/{database}", self.engine)
            }
            Endpoint::Server { host: Host::Socket { directory, port }, user, database, .. } => {
                write!(f, "{}://{user}@/{database}?host={}&port={port}", self.engine, directory.display())
            }
        }
    }
}
