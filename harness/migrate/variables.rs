//! What programs and files of the user's are told: where both databases are, what is to be done, and where.

use std::{collections::BTreeMap, path::Path};

use super::command::Turn;
use crate::{
    document::nearest,
    engine::{self, Parameter, UrlSpec},
    model::{Address, Endpoint, Host, Secret, Tls, TlsMode},
};

/// Words that stand for something in `{braces}`, in arguments and in values of variables.
const OPEN: &[&str] = &[
    "step",
    "work",
    "source_host",
    "source_port",
    "source_user",
    "source_database",
    "target_host",
    "target_port",
    "target_user",
    "target_database",
];
/// Those that hold a password: anybody on the machine can read the arguments of a program, and nobody else its
/// environment.
const SECRET: &[&str] = &["source_url", "source_password", "target_url", "target_password"];
/// Those that there are where versions are.
const OF_VERSION: &[&str] = &["version", "previous"];

/// Whether what stands in braces in an argument is known and may stand there.
///
/// # Errors
/// What is wrong with it.
pub(super) fn argument(text: &str, is_listed: bool) -> Result<(), String> {
    for word in words(text) {
        if SECRET.contains(&word) {
            return Err(format!(
                "`{{{word}}}` may hold a password, and everybody can read the arguments of a program; the variable \
                 {} holds it, and [environment] can give it another name",
                word.to_uppercase()
            ));
        }
    }
    value(text, is_listed)
}

/// The same of the value of a variable.
///
/// # Errors
/// What is wrong with it.
pub(super) fn value(text: &str, is_listed: bool) -> Result<(), String> {
    for word in words(text) {
        if OF_VERSION.contains(&word) {
            if !is_listed {
                return Err(format!("`{{{word}}}` stands for nothing here: there is no `list` and no `versions`"));
            }
        } else if !OPEN.contains(&word) && !SECRET.contains(&word) {
            // Braces mean something to many programs; what only looks like a slip is one.
            let known = OPEN.iter().chain(SECRET).chain(OF_VERSION).copied();
            if let Some(near) = nearest(word, known) {
                return Err(format!("`{{{word}}}` stands for nothing; did you mean `{{{near}}}`?"));
            }
        }
    }
    Ok(())
}

/// The words that stand in braces.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(word, _)| word)
}

/// What a command is told.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    secrets: Vec<String>,
}

/// Who a command works for.
pub(super) struct About<'a> {
    /// The step's name.
    pub step: &'a str,
    /// A folder for its own files.
    pub work: &'a Path,
    /// The source, where there is one.
    pub source: Option<&'a Address>,
    /// The target; `None` before there is a server.
    pub target: Option<&'a Address>,
    /// The version that is concerned.
    pub turn: Option<&'a Turn>,
}

impl Variables {
    /// Where both databases are; URLs begin with this word, where not with the engine's own.
    pub fn of_databases(source: Option<&Address>, target: Option<&Address>, url_scheme: Option<&str>) -> Self {
        let (mut values, mut secrets) = (BTreeMap::new(), Vec::new());
        for (side, address) in [("source", source), ("target", target)] {
            let Some(address) = address else { continue };
            for (word, value) in of_address(address, url_scheme) {
                values.insert(format!("{side}_{word}"), value);
            }
            if let Endpoint::Server { password: Some(password), .. } = &address.endpoint {
                secrets.extend(spellings(password));
            }
        }
        let environment = values.iter().map(|(word, value)| (word.to_uppercase(), value.clone())).collect();
        Self { values, environment, secrets }
    }

    /// Everything that a command is told about its task, with variables of the user's own on top.
    pub fn of(about: &About<'_>, url_scheme: Option<&str>, own: &BTreeMap<String, String>) -> Self {
        let mut told = Self::of_databases(about.source, about.target, url_scheme);
        let mut tell = |word: &str, variable: &str, value: String| {
            told.values.insert(word.to_owned(), value.clone());
            told.environment.insert(variable.to_owned(), value);
        };
        tell("step", "STEP_NAME", about.step.to_owned());
        tell("work", "WORK_FOLDER", about.work.display().to_string());
        if let Some(turn) = about.turn {
            tell("version", "MIGRATION_VERSION", turn.version.clone());
            tell("previous", "MIGRATION_PREVIOUS", turn.previous.clone());
        }
        let own: Vec<_> = own.iter().map(|(name, text)| (name.clone(), told.filled(text))).collect();
        told.environment.extend(own);
        told
    }

    /// A text with what stands in braces filled in; other braces stay.
    pub fn filled(&self, text: &str) -> String {
        let mut told = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            told.push_str(before);
            match after.split_once('}').and_then(|(word, after)| Some((self.values.get(word)?, after))) {
                Some((value, after)) => {
                    told.push_str(value);
                    rest = after;
                }
                None => {
                    told.push('{');
                    rest = after;
                }
            }
        }
        told.push_str(rest);
        told
    }

    /// The variables of its environment.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// What must not be kept of what it prints, the longest first.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }
}

/// A password as it may be printed: as it is, and as URLs write it.
fn spellings(password: &Secret) -> Vec<String> {
    let mut spellings = vec![encoded(password.reveal()).replace('/', "%2F"), password.reveal().to_owned()];
    spellings.retain(|one| !one.is_empty());
    spellings.sort_by_key(|one| std::cmp::Reverse(one.len()));
    spellings.dedup();
    spellings
}

/// The parts of an address by the words for them.
fn of_address(address: &Address, scheme: Option<&str>) -> Vec<(&'static str, String)> {
    let urls = engine::by_id(address.engine.as_str()).and_then(|engine| engine.server()).map(|server| &server.urls);
    // The last one is what other tools write, too.
    let own = urls.and_then(|urls| urls.schemes.last().copied()).unwrap_or(address.engine.as_str());
    let scheme = scheme.unwrap_or(own);
    match &address.endpoint {
        Endpoint::File(path) => {
            let path = path.display().to_string();
            vec![("url", format!("{scheme}://{path}")), ("database", path)]
        }
        Endpoint::Server { host, user, password, database, tls } => {
            let secret = password.as_ref().map_or("", |password| password.reveal());
            let colon = if secret.is_empty() { "" } else { ":" };
            let who = format!("{}{colon}{}", encoded(user), encoded(secret).replace('/', "%2F"));
            let mut parameters = urls.map_or_else(Vec::new, |urls| encryption(urls, tls));
            let (host, port, place) = match host {
                Host::Tcp { host, port } => {
                    let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
                    (host.clone(), *port, format!("{open}{host}{close}:{port}"))
                }
                Host::Socket { directory, port } => {
                    let directory = directory.display().to_string();
                    if let Some(urls) = urls {
                        parameters.insert(0, (urls.name_of(Parameter::Host), directory.clone()));
                        parameters.insert(1, (urls.name_of(Parameter::Port), port.to_string()));
                    }
                    // Many tools want a host in a URL; the one behind the `?` is the one that counts.
                    (directory, *port, "localhost".to_owned())
                }
            };
            let query: Vec<String> =
                parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
            let question = if query.is_empty() { "" } else { "?" };
            let url = format!("{scheme}://{who}@{place}/{}{question}{}", encoded(database), query.join("&"));
            vec![
                ("url", url),
                ("host", host),
                ("port", port.to_string()),
                ("user", user.clone()),
                ("password", secret.to_owned()),
                ("database", database.clone()),
            ]
        }
    }
}

/// What is insisted on, where that is not what everybody does anyway.
fn encryption(urls: &UrlSpec, tls: &Tls) -> Vec<(&'static str, String)> {
    let mut parameters = Vec::new();
    if !matches!(tls.mode, TlsMode::Prefer | TlsMode::Disable) {
        parameters.push((urls.name_of(Parameter::TlsMode), urls.word_of(tls.mode).to_owned()));
    }
    for (parameter, file) in
        [(Parameter::TlsRoot, &tls.root), (Parameter::TlsCertificate, &tls.certificate), (Parameter::TlsKey, &tls.key)]
    {
        parameters.extend(file.iter().map(|file| (urls.name_of(parameter), file.display().to_string())));
    }
    parameters
}

/// A text as part of a URL: all but letters, digits and `-._~/` in %-sequences.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::model::EngineId;

    fn address(host: Host) -> Address {
        let endpoint = Endpoint::Server {
            host,
            user: "a b".to_owned(),
            password: Some(Secret::new("p/w:@")),
            database: "db".to_owned(),
            tls: Tls::default(),
        };
        Address { engine: EngineId::from("postgres"), endpoint }
    }

    fn url(address: &Address, scheme: Option<&str>) -> String {
        of_address(address, scheme)[0].1.clone()
    }

    #[test]
    fn urls_are_what_other_tools_read() {
        let tcp = address(Host::Tcp { host: "::1".to_owned(), port: 5433 });
        assert_eq!(url(&tcp, None), "postgresql://a%20b:p%2Fw%3A%40@[::1]:5433/db");
        assert_eq!(url(&tcp, Some("postgresql+psycopg")), "postgresql+psycopg://a%20b:p%2Fw%3A%40@[::1]:5433/db");
        let socket = address(Host::Socket { directory: PathBuf::from("/run/pg"), port: 5432 });
        assert_eq!(url(&socket, None), "postgresql://a%20b:p%2Fw%3A%40@localhost/db?host=/run/pg&port=5432");
        let file = Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(PathBuf::from("/tmp/a.db")) };
        assert_eq!(url(&file, None), "sqlite:///tmp/a.db");
    }

    #[test]
    fn passwords_may_not_stand_in_arguments() {
        assert!(argument("--url={target_url}", true).unwrap_err().contains("TARGET_URL"));
        assert!(value("{target_url}", true).is_ok());
        assert!(argument("{version}", false).unwrap_err().contains("there is no `list`"));
        assert!(argument("{verson}", true).unwrap_err().contains("did you mean `{version}`?"));
        assert!(argument("{print $1}", true).is_ok());
    }
}
