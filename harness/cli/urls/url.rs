//! URLs: `postgres://user:password@host:port/database?name=value`.

use std::borrow::Cow;

use url::Url;

use super::parts::Parts;
use crate::engine::{self, Parameter};

/// Stands where a URL has no host of its own.
const NO_HOST: &str = "host.invalid";

/// Reads a URL into its parts.
pub(super) fn read(text: &str) -> Result<Parts, String> {
    let Some((scheme, rest)) = text.split_once("://") else { return Err(no_url()) };
    let Some(mut parts) = Parts::of(scheme) else {
        return Err(format!("`{scheme}` URLs are not known; {}", expected()));
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    if place.contains(',') {
        return Err("several hosts are named, and each side is one server; name one".to_owned());
    }
    if path.contains('@') {
        // The rest of a password, most likely, and therefore not repeated.
        return Err("the URL holds an `@` behind its host; write special signs in a password as %-sequences".to_owned());
    }
    let url = Url::parse(&with_host(scheme, authority, path)).map_err(|error| {
        format!("the URL is not valid: {error}; {} (special signs in a password as %-sequences)", expected())
    })?;
    for (parameter, value) in [
        (Parameter::User, url.username()),
        (Parameter::Password, url.password().unwrap_or_default()),
        (Parameter::Database, url.path().trim_start_matches('/')),
        (Parameter::Host, url.host_str().filter(|host| *host != NO_HOST).unwrap_or_default()),
    ] {
        parts.fill(parameter, &decode(value)?);
    }
    if let Some(port) = url.port() {
        parts.fill(Parameter::Port, &port.to_string());
    }
    if url.fragment().is_some() {
        return Err("the URL holds a `#`; write it as %23".to_owned());
    }
    query(&mut parts, &url)?;
    Ok(parts)
}

/// What stands behind the `?`. A host there counts, and one before it does not, as PostgreSQL's own tools have it.
fn query(parts: &mut Parts, url: &Url) -> Result<(), String> {
    for pair in url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("a parameter of the URL has no value")?;
        let (name, value) = (decode(name)?, decode(value)?);
        // A path through a socket needs a host in the URL for some tools, which then is not meant.
        match parts.urls().parameter(&name) {
            Some(Parameter::Host) => parts.replace_host(&value),
            Some(Parameter::Port) if url.port().is_none() => parts.fill(Parameter::Port, &value),
            _ => parts.set(&name, &value)?,
        }
    }
    Ok(())
}

/// A URL whose host is in its query (`postgres://user:password@/db?host=/run`), in a form that the parser takes as well.
fn with_host<'t>(scheme: &str, authority: &str, path: &'t str) -> Cow<'t, str> {
    let no_host = if authority.is_empty() || authority.ends_with('@') { NO_HOST } else { "" };
    // A path is what a URL without one lacks to be told from its query.
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    Cow::Owned(format!("{scheme}://{authority}{no_host}{slash}{path}"))
}

/// What a URL looks like.
fn expected() -> String {
    let all: Vec<String> = engine::ALL
        .iter()
        .filter_map(|engine| engine.server())
        .map(|server| format!("{}://user@host/database", server.urls.schemes[0]))
        .collect();
    format!("expected {}", all.join(" or "))
}

fn no_url() -> String {
    format!("that is no URL; {}, env:NAME, @FILE or service:NAME", expected())
}

fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let pair = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
            bytes.push(pair.ok_or("the URL holds a broken %-sequence")?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| "the URL holds a %-sequence that is no UTF-8".to_owned())
}
