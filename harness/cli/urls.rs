//! URLs of the user's own databases: from a flag, a variable (`env:NAME`) or a file (`@PATH`), never printed with a
//! password.

use std::{borrow::Cow, env, fs};

use url::Url;

use crate::{
    model::{Address, Endpoint, EngineId, Host, Secret},
    provision::UrlSource,
};

/// A URL that a flag gave, and how the journal refers to it.
pub struct Given {
    /// Where it is.
    pub address: Address,
    /// `env:NAME`, `file:PATH` or `flag`.
    pub reference: String,
}

/// Reads what a flag says: a URL, `env:NAME`, or `@PATH`.
pub fn given(flag: &str) -> Result<Given, String> {
    let (text, reference) = if let Some(name) = flag.strip_prefix("env:") {
        (variable(name)?, flag.to_owned())
    } else if let Some(path) = flag.strip_prefix('@') {
        (file(path)?, format!("file:{path}"))
    } else {
        (flag.to_owned(), "flag".to_owned())
    };
    Ok(Given { address: parse(text.trim())?, reference })
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("the environment has no variable `{name}`"))
}

fn file(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("failed to read a URL from `{path}`: {error}"))
}

/// Parses a URL; messages never repeat it, since it may hold a password.
fn parse(text: &str) -> Result<Address, String> {
    let url = Url::parse(&with_host(text))
        .map_err(|error| format!("the URL is not valid: {error}; expected postgres://user@host/database"))?;
    let engine = match url.scheme() {
        "postgres" | "postgresql" => "postgres",
        "mariadb" => "mariadb",
        other => return Err(format!("`{other}` URLs are not known; expected postgres://user@host/database")),
    };
    let decode = |text: &str| percent_decode(text).ok_or_else(|| "the URL holds a broken %-sequence".to_owned());
    let database = decode(url.path().trim_start_matches('/'))?;
    if database.is_empty() || url.username().is_empty() {
        return Err("the URL names no user or no database; expected postgres://user@host/database".to_owned());
    }
    parameters(&url)?;
    let asked = url.query_pairs().find(|(key, _)| key == "host").map(|(_, value)| value.into_owned());
    let written = url.host_str().filter(|host| *host != NO_HOST).map(str::to_owned);
    let port = url
        .port()
        .or_else(|| url.query_pairs().find(|(key, _)| key == "port").and_then(|(_, value)| value.parse().ok()));
    let usual = crate::engine::by_id(engine).and_then(|engine| engine.server()).map_or(0, |server| server.port);
    let host = match asked.or(written) {
        Some(directory) if directory.starts_with('/') => {
            Host::Socket { directory: directory.into(), port: port.unwrap_or(usual) }
        }
        Some(host) if !host.is_empty() => Host::Tcp { host, port: port.unwrap_or(usual) },
        _ => return Err("the URL names no host; expected postgres://user@host/database".to_owned()),
    };
    Ok(Address {
        engine: EngineId::from(engine),
        endpoint: Endpoint::Server {
            host,
            user: decode(url.username())?,
            password: url.password().map(decode).transpose()?.map(Secret::new),
            database,
        },
    })
}

/// Stands where a URL has no host of its own.
const NO_HOST: &str = "host.invalid";

/// A URL whose host is in its query, as PostgreSQL's own tools take it (`postgres://user:password@/db?host=/run`), in a
/// form that the parser takes as well.
fn with_host(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else { return Cow::Borrowed(text) };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.is_empty() || authority.ends_with('@') {
        return Cow::Owned(format!("{scheme}://{authority}{NO_HOST}{path}"));
    }
    Cow::Borrowed(text)
}

/// Refuses what would be left out in silence: a URL that asks for TLS must not be reached without.
fn parameters(url: &Url) -> Result<(), String> {
    for (key, value) in url.query_pairs() {
        match (&*key, &*value) {
            ("host" | "port", _) | ("sslmode", "disable" | "allow" | "prefer") => {}
            ("sslmode", _) => return Err("the URL asks for TLS, which is not supported".to_owned()),
            _ => return Err(format!("the URL's parameter `{key}` is not known; expected `host`, `port` or `sslmode`")),
        }
    }
    Ok(())
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Arguments with the passwords of URLs taken out, for the journal.
pub fn redacted(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    arguments.into_iter().map(|argument| without_password(&argument).unwrap_or(argument)).collect()
}

/// Goes by the text alone, so that a password in something that is no valid URL is taken out too.
fn without_password(argument: &str) -> Option<String> {
    let (scheme, rest) = argument.split_once("://")?;
    let (user_and_password, place) = rest.rsplit_once('@')?;
    let (user, _) = user_and_password.split_once(':')?;
    Some(format!("{scheme}://{user}:***@{place}"))
}

/// Finds URLs again by their references; one that was typed only if it was typed again.
#[derive(Clone, Debug, Default)]
pub struct Urls {
    /// The URL of the flag, if there is one.
    pub typed: Option<Address>,
}

impl UrlSource for Urls {
    fn url(&self, reference: &str) -> Option<Address> {
        match reference.split_once(':') {
            Some(("env", name)) => parse(variable(name).ok()?.trim()).ok(),
            Some(("file", path)) => parse(file(path).ok()?.trim()).ok(),
            _ => self.typed.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_never_told() {
        let given = given("postgres://us%40er:s3cr%2Ft@db.example:6000/app").unwrap();
        assert_eq!(given.address.to_string(), "postgres://us@er@db.example:6000/app");
        let Endpoint::Server { password, .. } = given.address.endpoint else { panic!("a server") };
        assert_eq!(password.unwrap().reveal(), "s3cr/t");
        assert!(!parse("postgres://user:hunter2@").unwrap_err().contains("hunter2"));
        let error = parse("postgres://user@h/d?password=hunter2").unwrap_err();
        assert!(error.contains("`password`") && !error.contains("hunter2"), "{error}");
        assert!(parse("postgres://user@h/d?sslmode=require").unwrap_err().contains("TLS"));
        assert!(parse("postgres://user@h/d?sslmode=prefer&port=6000").is_ok());
        assert!(parse("mysql://root@localhost/x").unwrap_err().contains("`mysql`"));
        assert_eq!(parse("mariadb://root@localhost/x").unwrap().to_string(), "mariadb://root@localhost:3306/x");
    }

    #[test]
    fn sockets_come_by_query() {
        for (user, has_password) in [("me", false), ("me:pw", true)] {
            let address = parse(&format!("postgres://{user}@/app?host=/run/postgresql&port=5433")).unwrap();
            let Endpoint::Server { host, password, .. } = address.endpoint else { panic!("a server") };
            assert_eq!(host, Host::Socket { directory: "/run/postgresql".into(), port: 5433 });
            assert_eq!(password.is_some(), has_password);
        }
        assert!(parse("postgres://me@/app").unwrap_err().contains("no host"));
    }

    #[test]
    fn arguments_lose_their_passwords() {
        let told = redacted(
            [
                "--target-url=postgres://u:pw@h/d",
                "postgres://u:pw@/d?host=/run",
                "x",
                "postgres://u:p/w@h:no/d",
                "postgres://u@h/d",
            ]
            .map(str::to_owned),
        );
        assert_eq!(told[0], "--target-url=postgres://u:***@h/d");
        assert_eq!(told[1], "postgres://u:***@/d?host=/run");
        assert_eq!(told[3], "postgres://u:***@h:no/d");
        assert_eq!(told[4], "postgres://u@h/d");
        assert_eq!(told[2], "x");
    }
}
