//! MariaDB's option files: the sections `[client]`, `[client-server]` and `[client-mariadb]` of `~/.my.cnf`, or of the
//! file that a URL names.

use std::{fs, io, path::PathBuf};

use super::{at_home, is_open_to_others, parts::Parts, sections};
use crate::{cli::tell, engine::Parameter};

const SECTIONS: &[&str] = &["client", "client-server", "client-mariadb"];

/// What is taken from `~/.my.cnf` that no URL named: who logs in, and nothing about where.
const WHO: &[Parameter] = &[Parameter::User, Parameter::Password];

/// Fills in what the options say and the URL does not. The file in the user's home is asked only for URLs that name no
/// user.
pub(super) fn fill(parts: &mut Parts) -> Result<(), String> {
    let named = parts.get(Parameter::OptionFile).map(PathBuf::from);
    let takes_options = parts.urls().parameters.iter().any(|(_, parameter)| *parameter == Parameter::OptionFile);
    if !takes_options || (named.is_none() && parts.says(Parameter::User)) {
        return Ok(());
    }
    let Some(path) = named.clone().or_else(|| at_home(".my.cnf")) else { return Ok(()) };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("failed to read the option file `{}`: {error}", path.display())),
    };
    // Later sections and lines overrule earlier ones in such files, and here the first to speak is heard.
    for section in SECTIONS.iter().rev() {
        for line in sections::section(&text, section).unwrap_or_default().iter().rev() {
            let key = line.key.replace('_', "-");
            let Some(parameter) = parts.urls().parameter(&key) else { continue };
            if parameter == Parameter::Password && is_open_to_others(&path) {
                let shown = path.display();
                tell::once(&format!(
                    "warning: `{shown}` holds a password, and others may read it; hint: chmod 600 {shown}"
                ));
            }
            if parameter != Parameter::OptionFile && (named.is_some() || WHO.contains(&parameter)) {
                parts.fill(parameter, unquoted(line.value.unwrap_or_default()));
            }
        }
    }
    Ok(())
}

fn unquoted(value: &str) -> &str {
    ['\'', '"'].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value)
}
