//! What each form replaces, and what it leaves.

use super::*;

fn set(form: &str, text: &str, key: &str, value: &str) -> Result<String, String> {
    by_id(form).unwrap().set(text, key, value)
}

#[test]
fn one_value_is_replaced_and_every_other_byte_stays() {
    let url = "postgres://app:s@127.0.0.1:5432/new";
    for (form, text, key, value, expected) in [
        ("env", "A=1\r\nexport URL=old # why\nB=2", "URL", url, format!("A=1\r\nexport URL={url} # why\nB=2")),
        ("env", "URL='old'\n", "URL", "a b$c", "URL='a b$c'\n".to_owned()),
        ("env", "URL=\"o\\\"ld\" # x\n", "URL", "a\"$b", "URL=\"a\\\"\\$b\" # x\n".to_owned()),
        ("env", "URL=old\n", "URL", "a b#c", "URL=\"a b#c\"\n".to_owned()),
        ("env", "XURL=1\nURL=\n", "URL", "x", "XURL=1\nURL=x\n".to_owned()),
        (
            "ini",
            "url = 0\n[a]\nurl = 1\n; url = c\n[b]\nurl: 2\n",
            "b.url",
            url,
            format!("url = 0\n[a]\nurl = 1\n; url = c\n[b]\nurl: {url}\n"),
        ),
        ("ini", "url = 0\n[a]\nurl = 1\n", "url", "9", "url = 9\n[a]\nurl = 1\n".to_owned()),
        ("ini", "[al]\nsql.url = 1\n", "al.sql.url", "9", "[al]\nsql.url = 9\n".to_owned()),
        ("ini", "spring.url=1\n", "spring.url", "9", "spring.url=9\n".to_owned()),
        (
            "toml",
            "# top\n[db]\nurl = 'old' # why\nport = 1\n",
            "db.url",
            url,
            format!("# top\n[db]\nurl = \"{url}\" # why\nport = 1\n"),
        ),
        ("toml", "[db]\nport   =   1\n", "db.port", "5432", "[db]\nport   =   5432\n".to_owned()),
        (
            "json",
            "{\n  // why\n  \"db\": {\"url\" :\"old\", \"port\": 1}\n}\n",
            "db.url",
            "a\"b",
            "{\n  // why\n  \"db\": {\"url\" :\"a\\\"b\", \"port\": 1}\n}\n".to_owned(),
        ),
        (
            "json",
            "{\"a\": [ {\"b\": 1 }, {\"b\": 2 } ]}",
            "a.1.b",
            "3",
            "{\"a\": [ {\"b\": 1 }, {\"b\": 3 } ]}".to_owned(),
        ),
        (
            "text",
            "x\nENGINE = 'sqlite3'\ny",
            r"ENGINE = '(\w+)'",
            "postgresql",
            "x\nENGINE = 'postgresql'\ny".to_owned(),
        ),
    ] {
        assert_eq!(set(form, text, key, value).as_deref(), Ok(expected.as_str()), "{form} {text:?}");
    }
}

#[test]
fn what_is_not_there_or_twice_is_refused() {
    for (form, text, key, said) in [
        ("env", "A=1\n", "URL", "there is no `URL`"),
        ("env", "URL=1\nURL=2\n", "URL", "`URL` is there 2 times"),
        ("env", "# URL=1\n", "URL", "there is no `URL`"),
        ("ini", "[a]\nurl=1\n", "b.url", "there is no `b.url`"),
        ("toml", "[db]\nurl = 1\n", "db.uri", "there is no `db.uri`"),
        ("toml", "[db]\nport = 1\n", "db.port", "`db.port` is a number"),
        ("toml", "[db]\nport = 1\n", "db", "`db` is no single value"),
        ("json", "{\"a\": 1}", "b", "there is no `b`"),
        ("json", "{\"a\": {}}", "a", "`a` is of another kind than the value"),
        ("text", "a", "b(c)", "nothing matches `b(c)`"),
        ("text", "a a", "(a)", "`(a)` matches 2 times, and nobody says which is meant"),
        ("text", "a", "a", "`a` has no group (in parentheses) for the value"),
    ] {
        assert_eq!(set(form, text, key, "x").unwrap_err(), said, "{form} {text:?}");
    }
    for (form, text) in [("toml", "[db\n"), ("json", "{\"a\": ")] {
        assert!(set(form, text, "a", "x").is_err(), "{form}");
    }
}

#[test]
fn the_form_is_told_by_the_name() {
    for (name, form) in
        [(".env", "env"), (".env.production", "env"), ("app.toml", "toml"), ("a.json", "json"), ("my.cnf.ini", "ini")]
    {
        assert_eq!(usual(Path::new(name)).map(Format::id), Some(form), "{name}");
    }
    assert!(usual(Path::new("settings.py")).is_none());
}
