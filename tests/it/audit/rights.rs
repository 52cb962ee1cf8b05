//! Roles that may read, and not everything: what is missing is named, and no verdict hides it.

use super::{Audit, errors, pair};
use crate::checks::bench::{AUDITOR, Bench};

#[test]
fn the_right_to_select_is_enough() {
    let Some(bench) = Bench::take("the_right_to_select_is_enough") else { return };
    let pair = pair(&bench);
    let audit = Audit::new();
    pair.target(&format!(
        "GRANT USAGE ON SCHEMA public TO {AUDITOR}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {AUDITOR}; \
         GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {AUDITOR}"
    ));
    let (source, url) = (pair.file().to_str().unwrap().to_owned(), pair.url_as(AUDITOR, AUDITOR));
    let flags = ["--source", &source, "--target", "env:AUDITED"];
    let whole = audit.call_with(&flags, &[("AUDITED", &url)]);
    pair.target(&format!("REVOKE SELECT ON devices FROM {AUDITOR}"));
    let without = audit.call_with(&flags, &[("AUDITED", &url)]);
    assert_eq!(whole.code, 0, "{whole:?}");
    assert_eq!(without.code, 3, "{without:?}");
    assert!(without.stdout.contains("devices"), "{}", without.stdout);
}

#[test]
fn a_schema_without_usage_is_named_and_the_rest_compared() {
    let Some(bench) = Bench::take("a_schema_without_usage_is_named_and_the_rest_compared") else { return };
    let pair = pair(&bench);
    let audit = Audit::new();
    pair.target(&format!(
        "CREATE SCHEMA \"in.ner\"; ALTER TABLE devices SET SCHEMA \"in.ner\"; CREATE SEQUENCE \"in.ner\".more OWNED BY \"in.ner\".devices.id; \
         GRANT USAGE ON SCHEMA public TO {AUDITOR}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {AUDITOR}; \
         GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {AUDITOR}; GRANT SELECT ON \"in.ner\".devices, \"in.ner\".more TO {AUDITOR}"
    ));
    let mapping = "format_version = 1\n[[compare]]\nsource = \"devices\"\ntarget = \"in\\\\.ner.devices\"\n";
    let mapping = audit.sandbox.write("map.toml", mapping);
    let (source, url) = (pair.file().to_str().unwrap().to_owned(), pair.url_as(AUDITOR, AUDITOR));
    let flags = ["--source", &source, "--target", "env:AUDITED", "--mapping", mapping.to_str().unwrap()];
    let without = audit.call_with(&flags, &[("AUDITED", &url)]);
    let (refused, report) = (errors(&audit.report()), audit.report());
    pair.target(&format!("UPDATE users SET city = 'Linz' WHERE id = 4; GRANT USAGE ON SCHEMA \"in.ner\" TO {AUDITOR}"));
    let with = audit.call_with(&flags, &[("AUDITED", &url)]);
    assert_eq!((without.code, refused), (3, Vec::new()), "{without:?}");
    let reason = "its role lacks USAGE on the schema \"in.ner\"";
    let unchecked = &report.scenarios[0].unchecked;
    let named = unchecked.iter().find(|one| one.reason == reason).map(|one| one.subject.as_str());
    assert_eq!(named, Some("target in\\.ner.devices"), "{unchecked:?}");
    assert!(report.coverage.rows.checked > 10, "{}", report.coverage);
    assert_eq!(with.code, 1, "{with:?}");
    assert_eq!(errors(&audit.report()).len(), 2, "{with:?}");
}
