//! Roles that may read, and not everything: what is missing is named, and no verdict hides it.

use super::{Audit, pair};
use crate::checks::bench::Bench;

#[test]
fn the_right_to_select_is_enough() {
    let Some(bench) = Bench::take("the_right_to_select_is_enough") else { return };
    let pair = pair(&bench);
    let audit = Audit::new();
    let role = format!("plain{}", std::process::id());
    pair.target(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'r'; GRANT USAGE ON SCHEMA public TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; \
         GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"
    ));
    let (source, url) = (pair.file().to_str().unwrap().to_owned(), pair.url_as(&role, "r"));
    let flags = ["--source", &source, "--target", "env:AUDITED"];
    let whole = audit.call_with(&flags, &[("AUDITED", &url)]);
    pair.target(&format!("REVOKE SELECT ON devices FROM {role}"));
    let without = audit.call_with(&flags, &[("AUDITED", &url)]);
    pair.target(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    assert_eq!(whole.code, 0, "{whole:?}");
    assert_eq!(without.code, 3, "{without:?}");
    assert!(without.stdout.contains("devices"), "{}", without.stdout);
}
