//! How URLs and connection strings name the databases of an engine.

use crate::model::TlsMode;

/// The words of an engine's URLs.
#[derive(Clone, Copy, Debug)]
pub struct UrlSpec {
    /// What a URL begins with; the first is the one that we write.
    pub schemes: &'static [&'static str],
    /// The parameters, as the engine's own tools call them.
    pub parameters: &'static [(&'static str, Parameter)],
    /// The words for how much encryption is insisted on.
    pub tls_modes: &'static [(&'static str, TlsMode)],
}

/// What a parameter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parameter {
    /// Host name or address, or the directory of a socket.
    Host,
    /// The socket's own path.
    Socket,
    /// TCP port, or the number in a socket's name.
    Port,
    /// The role that connects.
    User,
    /// Its password.
    Password,
    /// The database.
    Database,
    /// How much encryption is insisted on.
    TlsMode,
    /// The file with the authorities that are trusted.
    TlsRoot,
    /// The file with our own certificate.
    TlsCertificate,
    /// The file with its key.
    TlsKey,
    /// A section of the engine's service file that says the rest.
    Service,
    /// The file with passwords, in place of the usual one.
    PassFile,
    /// The file with options, in place of the usual one.
    OptionFile,
    /// Harmless, and without effect here.
    NoEffect,
}

impl UrlSpec {
    /// What a parameter of this name says.
    pub fn parameter(&self, name: &str) -> Option<Parameter> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, parameter)| *parameter)
    }

    /// The name of a parameter, for messages.
    pub fn name_of(&self, parameter: Parameter) -> &'static str {
        self.parameters.iter().find(|(_, known)| *known == parameter).map_or("", |(name, _)| name)
    }

    /// The word for a mode, for messages.
    pub fn word_of(&self, mode: TlsMode) -> &'static str {
        self.tls_modes.iter().find(|(_, known)| *known == mode).map_or("", |(word, _)| word)
    }
}
