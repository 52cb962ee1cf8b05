//! Texts with the passwords taken out: arguments for the journal, and messages that may repeat one.

/// What stands in a password's place.
const STARS: &str = "***";

/// Names whose value is a secret, in connection strings and behind a URL's `?`.
const SECRETS: &[&str] = &["password=", "sslpassword="];

/// Arguments with the passwords of URLs and connection strings taken out.
pub fn redacted(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    arguments.into_iter().map(|argument| without_keywords(&without_password(&argument).unwrap_or(argument))).collect()
}

/// A message, word by word without the passwords of URLs and connection strings.
pub fn shown(text: &str) -> String {
    let is_end = |letter: char| letter.is_whitespace() || "`'\"<>".contains(letter);
    let words = text.split_inclusive(is_end).map(|word| without_password(word).unwrap_or_else(|| word.to_owned()));
    without_keywords(&words.collect::<String>())
}

/// Goes by the text alone, so that a password in something that is no valid URL is taken out too.
fn without_password(argument: &str) -> Option<String> {
    let (scheme, rest) = argument.split_once("://")?;
    let (user_and_password, place) = rest.rsplit_once('@')?;
    let (user, _) = user_and_password.split_once(':')?;
    Some(format!("{scheme}://{user}:{STARS}@{place}"))
}

/// `password=secret` without the secret: up to its quote, or to what ends a word or a URL's parameter.
fn without_keywords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, name)) = SECRETS.iter().filter_map(|name| Some((rest.find(name)?, *name))).min() {
        let (before, value) = rest.split_at(at + name.len());
        shown.push_str(before);
        shown.push_str(STARS);
        rest = &value[length(value)..];
    }
    shown + rest
}

fn length(value: &str) -> usize {
    let quoted = value.starts_with('\'');
    let mut escaped = false;
    for (at, letter) in value.char_indices().skip(usize::from(quoted)) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' if quoted => return at + 1,
            letter if !quoted && (letter.is_whitespace() || letter == '&') => return at,
            _ => {}
        }
    }
    value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_lose_their_passwords() {
        for (argument, told) in [
            ("--target-url=postgres://u:pw@h/d", "--target-url=postgres://u:***@h/d"),
            ("postgres://u:pw@/d?host=/run", "postgres://u:***@/d?host=/run"),
            ("postgres://u:p/w@h:no/d", "postgres://u:***@h:no/d"),
            ("postgres://u@h/d", "postgres://u@h/d"),
            ("postgres://h/d?password=pw&user=u", "postgres://h/d?password=***&user=u"),
            (r"host=h password='p w\'x' dbname=d", "host=h password=*** dbname=d"),
            (r"password=p\ w host=h", "password=*** host=h"),
            ("x", "x"),
        ] {
            assert_eq!(redacted([argument.to_owned()]), [told]);
        }
    }

    #[test]
    fn messages_lose_them_word_by_word() {
        let text = "no scenario is called `postgres://u:pw@h/d`, write to a@b or postgres://v:x@h/d";
        let told = "no scenario is called `postgres://u:***@h/d`, write to a@b or postgres://v:***@h/d";
        assert_eq!(shown(text), told);
        assert_eq!(shown("12:30 ://"), "12:30 ://");
    }
}
