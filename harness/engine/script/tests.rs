use proptest::prelude::*;

use super::{ScriptError, Statement};
use crate::engine;

fn split(engine: &str, script: &'static str) -> Result<Vec<Statement<'static>>, ScriptError> {
    engine::by_id(engine).unwrap().dialect().split(script)
}

/// The statements as (line, first twelve characters).
fn cut(engine: &str, script: &'static str) -> Vec<(usize, String)> {
    split(engine, script).unwrap().iter().map(|one| (one.line, one.text.chars().take(12).collect())).collect()
}

fn told(engine: &str, script: &'static str) -> String {
    split(engine, script).unwrap_err().to_string()
}

#[track_caller]
fn assert_cut(engine: &str, script: &'static str, expected: &[(usize, &str)]) {
    let expected: Vec<(usize, String)> = expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();
    assert_eq!(cut(engine, script), expected, "{engine}: {script}");
}

#[test]
fn quotes_and_comments_hide_semicolons_everywhere() {
    for engine in ["postgres", "mariadb", "sqlite"] {
        assert_cut(
            engine,
            "select ';' , 'it''s;';\n-- a;b\n/* ;\n */ select 2",
            &[(1, "select ';' ,"), (4, "select 2")],
        );
        assert_cut(engine, "\u{feff}\n ; ;; -- nothing", &[]);
        assert_cut(engine, "select 'é;😀';select 'x'", &[(1, "select 'é;😀'"), (1, "select 'x'")]);
    }
}

#[test]
fn names_are_quoted_as_each_engine_does() {
    assert_cut("postgres", "select \"a;\"\"b\"; select 1", &[(1, "select \"a;\"\""), (1, "select 1")]);
    assert_cut("mariadb", "select `a;``b`; select \"c;\"", &[(1, "select `a;``"), (1, "select \"c;\"")]);
    assert_cut("sqlite", "select [a;b]; select `c;`", &[(1, "select [a;b]"), (1, "select `c;`")]);
}

#[test]
fn postgres_texts_in_dollars_and_with_backslashes() {
    let body = "create function f() returns int as $x$ begin; $$;$$ return 1; end $x$ language plpgsql;\nselect 1";
    assert_cut("postgres", body, &[(1, "create funct"), (2, "select 1")]);
    assert_cut(
        "postgres",
        "select E'a\\';b'; select 'a\\'; select e'\\\\'",
        &[(1, "select E'a\\'"), (1, "select 'a\\'"), (1, "select e'\\\\'")],
    );
    // A dollar within a word, a parameter and an unquoted one are no quotes.
    assert_cut(
        "postgres",
        "select a$b$; select $1; select 1",
        &[(1, "select a$b$"), (1, "select $1"), (1, "select 1")],
    );
    assert_cut("postgres", "/* a /* b; */ c; */ select 1", &[(1, "select 1")]);
}

#[test]
fn postgres_bodies_and_rules_are_whole() {
    let body = "create or replace function f(a int) returns int\nbegin atomic select case when a > 0 then 1 end; \
                select 2; end;\nselect 1";
    assert_cut("postgres", body, &[(1, "create or re"), (3, "select 1")]);
    assert_cut(
        "postgres",
        "create rule r as on insert to t do (delete from a; delete from b); begin; commit",
        &[(1, "create rule "), (1, "begin"), (1, "commit")],
    );
    assert_cut(
        "postgres",
        "select case when true then 1 end; create table \"end\" (begin int); end",
        &[(1, "select case "), (1, "create table"), (1, "end")],
    );
}

#[test]
fn commands_of_a_client_are_refused_by_name() {
    assert_eq!(
        told("postgres", "select 1;\n\\connect other\n"),
        "line 2: `\\connect` is a command of the client psql and no SQL"
    );
    assert_eq!(
        told("postgres", "select 1;\n\ncopy t (a) from stdin;\n1\n\\.\n"),
        "line 3: `COPY … FROM stdin` has its rows in the script, where only the client psql reads them"
    );
    assert_eq!(told("mariadb", "select 1;\nDELIMITER \nselect 2"), "line 2: DELIMITER names no delimiter");
    assert_cut("postgres", "copy t to stdout; copy t from '/x'", &[(1, "copy t to st"), (1, "copy t from ")]);
}

#[test]
fn what_has_no_end_is_told_with_its_line() {
    for engine in ["postgres", "mariadb", "sqlite"] {
        assert_eq!(told(engine, "select 1;\nselect 'a;\n b"), "line 2: a text in quotes has no end");
    }
    assert_eq!(told("postgres", "select 1; \n\n do $a$ begin"), "line 3: a text in $a$ has no end");
    assert_eq!(told("postgres", "/* /* */ select 1"), "line 1: a comment has no end");
    assert_eq!(told("mariadb", "select `a"), "line 1: a quoted name has no end");
    // SQLite takes the end of the text for the comment's.
    assert_cut("sqlite", "select 1; /* select 2;", &[(1, "select 1")]);
}

#[test]
fn mariadb_delimiters_and_comments() {
    let script = "delimiter //\ncreate procedure p() begin select 1; end //\ndelimiter ;\nselect 2;";
    assert_cut("mariadb", script, &[(2, "create proce"), (4, "select 2")]);
    assert_cut(
        "mariadb",
        "# a;\nselect 1--1; select 2 -- b;\n; /*!40101 set x = 1 */; select 'a\\';'",
        &[(2, "select 1--1"), (2, "select 2 -- "), (3, "/*!40101 set"), (3, "select 'a\\';")],
    );
}

#[test]
fn mariadb_bodies_are_whole_without_a_delimiter() {
    let bodies = [
        "create trigger t before insert on x for each row set new.a = if(new.b, 1, 2);",
        "create trigger t before insert on x for each row if new.a then set new.a = 1; else set new.a = 2; end if;",
        "create definer = `u`@`%` procedure if not exists p(in a int)\nbegin\n declare exit handler for sqlexception begin end;\n \
         l: loop if a > 1 then leave l; end if; set a = repeat('x', case a when 1 then 2 end); end loop l;\n \
         while a do set a = a - 1; end while; repeat set a = 1; until a end repeat; for r in (select 1) do set a = 2; end for;\nend;",
        "create event e on schedule every 1 day do begin select 1; end;",
        "create or replace function f(a int) returns int deterministic return if(a, 1, 2);",
        "begin not atomic select 1; select 2; end;",
    ];
    for body in bodies {
        let script: &'static str = Box::leak(format!("{body}\nselect 9;").into_boxed_str());
        let statements = split("mariadb", script).unwrap();
        assert_eq!(statements.len(), 2, "{body}: {statements:?}");
        assert_eq!(statements[1].text, "select 9");
    }
    assert_cut(
        "mariadb",
        "begin; insert into t values (1); commit",
        &[(1, "begin"), (1, "insert into "), (1, "commit")],
    );
    assert_cut(
        "mariadb",
        "create table if not exists t (a int); select if(1, 2, 3)",
        &[(1, "create table"), (1, "select if(1,")],
    );
}

#[test]
fn sqlite_triggers_are_whole() {
    let script = "create temp trigger t after insert on x begin update x set a = case when 1 then 2 end; select 1; END;\nselect 2";
    assert_cut("sqlite", script, &[(1, "create temp "), (2, "select 2")]);
    assert_cut(
        "sqlite",
        "begin; create table \"trigger\" (a); end; select 1",
        &[(1, "begin"), (1, "create table"), (1, "end"), (1, "select 1")],
    );
}

proptest! {
    /// Statements come back whole and in order, whatever stands between them.
    #[test]
    fn statements_come_back(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("select 1"), Just("select ';'"), Just("insert into t values ('a''b;', 2)"), Just("update t set a = -1"),
                Just("select /* ; */ 2"),
            ],
            0..8,
        ),
        between in prop_oneof![Just(";"), Just(" ;\n"), Just(";\n-- ;\n"), Just("; /* ';' */ ;;\t")],
    ) {
        let script = pieces.iter().map(|piece| format!("{piece}{between}")).collect::<String>();
        for engine in engine::ALL {
            let statements = engine.dialect().split(&script).unwrap();
            prop_assert_eq!(statements.iter().map(|one| one.text).collect::<Vec<_>>(), pieces.clone());
        }
    }

    /// No text makes the lexer panic, and what it cuts is in the script, in order.
    #[test]
    fn any_text_is_cut_or_refused(script in "[a-zA-Z$'\"`;/*#\\-\\\\\\[\\]() \n.é]{0,60}") {
        for engine in engine::ALL {
            let Ok(statements) = engine.dialect().split(&script) else { continue };
            let mut rest = script.as_str();
            for statement in statements {
                let at = rest.find(statement.text);
                prop_assert!(at.is_some(), "{:?}", statement);
                rest = &rest[at.unwrap() + statement.text.len()..];
            }
        }
    }
}
