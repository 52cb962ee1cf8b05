//! One database against a baseline that was saved of it.

use super::{Audit, TINY, errors, pair, run_sql};
use crate::checks::bench::Bench;

#[test]
fn a_database_equals_its_baseline_until_somebody_writes() {
    let audit = Audit::new();
    let file = audit.file("app.db", TINY);
    let baseline = audit.sandbox.path("monday.json");
    let baseline = baseline.to_str().unwrap();
    let saved = audit.call(&["--source", &file, "--save-baseline", baseline]);
    assert_eq!(saved.code, 0, "{saved:?}");
    let against = ["--source", &file, "--baseline", baseline];
    assert_eq!(audit.call(&against).code, 0);
    assert_eq!(audit.report().coverage.rows.checked, 5);
    run_sql(&audit.sandbox.path("app.db"), "UPDATE users SET seen = NULL; CREATE INDEX more ON orders (cents)");
    let ended = audit.call(&against);
    assert_eq!(ended.code, 1, "{ended:?}");
    let expected = ["no_trace baseline_differs source index:more 1", "no_trace baseline_differs source users.seen 1"];
    assert_eq!(errors(&audit.report()), expected);
    audit.sandbox.assert_released();
}

#[test]
fn a_baseline_of_a_server_holds_no_value() {
    let Some(bench) = Bench::take("a_baseline_of_a_server_holds_no_value") else { return };
    let pair = pair(&bench);
    let audit = Audit::new();
    let baseline = audit.sandbox.path("monday.json");
    let [file, url] = [baseline.to_str().unwrap().to_owned(), pair.target_url()];
    let call = |flags: &[&str]| audit.call_with(&[&["--target", "env:AUDITED"], flags].concat(), &[("AUDITED", &url)]);
    let saved = call(&["--save-baseline", &file]);
    assert_eq!(saved.code, 0, "{saved:?}");
    assert!(!std::fs::read_to_string(&baseline).unwrap().contains("ada@example.org"));
    assert_eq!(call(&["--baseline", &file]).code, 0);
    pair.target("DELETE FROM posts WHERE id = 3");
    assert_eq!(call(&["--baseline", &file]).code, 1);
    assert_eq!(errors(&audit.report()).len(), 1);
}

#[test]
fn a_baseline_that_cannot_be_compared_is_refused() {
    let audit = Audit::new();
    let file = audit.file("app.db", TINY);
    let path = audit.sandbox.path("monday.json");
    assert_eq!(audit.call(&["--source", &file, "--save-baseline", path.to_str().unwrap()]).code, 0);
    let text = std::fs::read_to_string(&path).unwrap();
    let version = rehearse::canon::CANON_VERSION;
    let other = text.replace(&format!("\"canon_version\":{version}"), "\"canon_version\":99");
    let engine = text.replace("\"engine\":\"sqlite\"", "\"engine\":\"postgres\"");
    let with = |name: &str, text: &str| {
        let path = audit.sandbox.write(name, text);
        let ended = audit.call(&["--source", &file, "--baseline", path.to_str().unwrap()]);
        assert_eq!(ended.code, 2, "{ended:?}");
        ended.stderr
    };
    let told = with("other.json", &other);
    let expected =
        format!("is of version 99 of the canonical form, and this is version {version}: save the baseline again");
    assert!(told.contains(&expected), "{told}");
    assert!(
        with("engine.json", &engine).contains("the baseline is of a database of postgres, and this is one of sqlite")
    );
    assert!(with("text.json", "no json").contains("is no baseline: "));
    assert!(with("empty.json", "{}").contains("is no baseline: it has no `baseline_version`"));
    let ended = audit.call(&["--source", &file]);
    assert!(ended.code == 2 && ended.stderr.contains("hint: give --source and --target"), "{ended:?}");
    let ended = audit.call(&["--source", &file, "--target", &file, "--baseline", path.to_str().unwrap()]);
    assert!(ended.code == 2 && ended.stderr.contains("hint: give --source or --target"), "{ended:?}");
}
