//! How a connection to a server is encrypted, and what it insists on.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a connection is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// What is insisted on.
    pub mode: TlsMode,
    /// A file with certificates (PEM) of authorities that are trusted besides the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// A file with our own certificate (PEM), for servers that ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// The file with that certificate's key (PEM).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

/// What is insisted on, from the least to the most; the words are PostgreSQL's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// Never encrypted.
    Disable,
    /// Encrypted only if the server takes nothing else.
    Allow,
    /// Encrypted where the server can; who the server is, is not asked.
    #[default]
    Prefer,
    /// Always encrypted; who the server is, is not asked.
    Require,
    /// Encrypted, and a trusted authority signed the server's certificate.
    VerifyCa,
    /// That, and the certificate is the server's for this host name.
    VerifyFull,
}

impl Tls {
    /// No encryption: for sockets, and for servers of our own that listen on this machine alone.
    #[must_use]
    pub const fn off() -> Self {
        Self { mode: TlsMode::Disable, root: None, certificate: None, key: None }
    }

    /// What a report says about a session over this protocol (`TLSv1.3`; `None` if it is not encrypted).
    pub fn told(&self, protocol: Option<&str>) -> String {
        let Some(protocol) = protocol else { return "not encrypted".to_owned() };
        let verified = match self.mode {
            TlsMode::VerifyFull => "certificate and host name verified",
            TlsMode::VerifyCa => "certificate verified, host name not",
            _ => "server not verified",
        };
        format!("{protocol}, {verified}")
    }
}
