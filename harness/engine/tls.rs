//! Encrypted sessions through the driver: the order in which a mode is tried, and errors that say what to do.

use std::io;

use super::{BoxedError, EngineError, Parameter, Session, UrlSpec};
use crate::model::{Address, Endpoint, Host, Tls, TlsMode};

/// How the sessions to a server are encrypted, as a report says it. `None` for a file, and for a socket, which leaves no
/// machine.
///
/// # Errors
/// Those of the session.
pub async fn encryption(session: &mut dyn Session, address: &Address) -> Result<Option<String>, EngineError> {
    let Endpoint::Server { host: Host::Tcp { .. }, tls, .. } = &address.endpoint else { return Ok(None) };
    Ok(Some(tls.told(session.encryption().await?.as_deref())))
}

/// The modes to try one after another until one gets through. The driver knows no `allow`, and gives up where a
/// preferred encryption does not come about.
pub(super) const fn attempts(tls: &Tls, host: &Host) -> &'static [TlsMode] {
    match (host, tls.mode) {
        // What goes through a socket leaves no machine, and servers do not encrypt it.
        (Host::Socket { .. }, _) | (_, TlsMode::Disable) => &[TlsMode::Disable],
        (_, TlsMode::Allow) => &[TlsMode::Disable, TlsMode::Require],
        (_, TlsMode::Prefer) => &[TlsMode::Prefer, TlsMode::Disable],
        (_, TlsMode::Require) => &[TlsMode::Require],
        (_, TlsMode::VerifyCa) => &[TlsMode::VerifyCa],
        (_, TlsMode::VerifyFull) => &[TlsMode::VerifyFull],
    }
}

/// Whether encryption itself failed, and not the network or the login.
pub(super) fn is_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        // The library's errors come wrapped as invalid data, those of the system have nothing inside.
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::InvalidData && error.get_ref().is_some(),
        _ => false,
    }
}

/// An encryption that did not come about.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct NotEncrypted {
    what: String,
    #[source]
    source: sqlx::Error,
}

/// A driver's error, with what it means where it is about encryption.
pub(super) fn explained(error: sqlx::Error, host: &Host, urls: &UrlSpec) -> BoxedError {
    if !is_tls(&error) {
        return error.into();
    }
    let (said, root) = (error.to_string(), urls.name_of(Parameter::TlsRoot));
    let what = if said.contains("does not support TLS") {
        format!("the server offers no TLS, and `{}` insists on it", urls.name_of(Parameter::TlsMode))
    } else if said.contains("UnknownIssuer") {
        format!(
            "no authority that is trusted here signed the server's certificate; name its authority's file as `{root}`"
        )
    } else if said.contains("CaUsedAsEndEntity") {
        "the server shows an authority's certificate as its own, which cannot be verified".to_owned()
    } else if said.contains("NotValidForName") || said.contains("not valid for name") {
        let host = if let Host::Tcp { host, .. } = host { host } else { "a socket" };
        format!(
            "the server's certificate is not for `{host}`; use the name that it is for, or {}={} if any name will do",
            urls.name_of(Parameter::TlsMode),
            urls.word_of(TlsMode::VerifyCa)
        )
    } else if said.contains("Expired") {
        "the server's certificate has expired".to_owned()
    } else {
        "the encrypted session did not come about".to_owned()
    };
    NotEncrypted { what, source: error }.into()
}

/// A server's refusal of a session that is not encrypted.
#[derive(Debug, thiserror::Error)]
#[error("{said}; the server {takes} encrypted sessions only, and the URL says {parameter}={word}")]
pub struct DemandsTls {
    said: String,
    takes: &'static str,
    parameter: &'static str,
    word: &'static str,
}

impl DemandsTls {
    /// What the server said, with the words of its URLs; `surely`, unless it may have meant something else.
    pub(super) fn new(said: String, surely: bool, urls: &UrlSpec) -> Self {
        let takes = if surely { "takes" } else { "(or the account) may take" };
        Self { said, takes, parameter: urls.name_of(Parameter::TlsMode), word: urls.word_of(TlsMode::Disable) }
    }
}
