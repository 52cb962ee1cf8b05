//! Mapping files: what they state is applied, and what never applies is told.

use super::{Audit, errors};

/// The shop before it moved, as `fixtures/mapping/shop.toml` states it.
const OLD: &str =
    "CREATE TABLE customer (id INTEGER PRIMARY KEY, first_nm TEXT, nm TEXT, st TEXT, vip TEXT, touched TEXT);
INSERT INTO customer VALUES (1, 'Ada', 'Lovelace', 'A', 'yes', '2020-01-01'), (2, 'Bo', 'Diddley', 'I', 'no', NULL),
    (3, 'Cy', 'Twombly', 'X', 'no', '2021-01-01');
CREATE TABLE parcel (id INTEGER PRIMARY KEY, customer_id INTEGER, delivered TEXT);
INSERT INTO parcel VALUES (1, 1, NULL), (2, 1, '2024-05-05'), (3, 2, NULL);
CREATE TABLE tmp_1 (a); CREATE TABLE tmp_2 (a);";

/// The shop as it is now.
const NEW: &str =
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, full_name TEXT, last_name TEXT, first_nm TEXT, status TEXT,
    vip BOOLEAN, touched TEXT, created_by TEXT);
INSERT INTO customers VALUES (1, 'Ada Lovelace', 'Lovelace', 'Ada', 'active', 1, '2026-02-02', 'me'),
    (2, 'Bo Diddley', 'Diddley', 'Bo', 'inactive', 0, '2026-02-02', 'me'),
    (3, 'Cy Twombly', 'Twombly', 'Cy', 'X', 0, '2026-02-02', 'me');
CREATE TABLE parcels_open (id INTEGER PRIMARY KEY, customer_id INTEGER, delivered TEXT);
CREATE TABLE parcels_done (id INTEGER PRIMARY KEY, customer_id INTEGER, delivered TEXT);
INSERT INTO parcels_open VALUES (1, 1, NULL), (3, 2, NULL);
INSERT INTO parcels_done VALUES (2, 1, '2024-05-05');
CREATE TABLE parcel_counts (customer INTEGER PRIMARY KEY, parcels INTEGER);
INSERT INTO parcel_counts VALUES (1, 2), (2, 1);";

const SHOP: &str = "fixtures/mapping/shop.toml";

impl Audit {
    /// Audits the shop with changes to the target and a mapping.
    fn shop(&self, changes: &str, mapping: &str) -> i32 {
        let (old, new) = (self.file("old.db", OLD), self.file("new.db", &format!("{NEW}{changes}")));
        let ended = self.call(&["--source", &old, "--target", &new, "--mapping", mapping, "--show-values"]);
        println!("{}{}", ended.stdout, ended.stderr);
        ended.code
    }
}

#[test]
fn the_example_says_all_that_names_do_not() {
    let audit = Audit::new();
    assert_eq!(audit.shop("", SHOP), 0);
    let report = audit.report();
    assert_eq!(errors(&report), Vec::<String>::new());
    let reasons = &report.scenarios[0].reasons;
    for left_out in [
        "column customer.touched was not checked, on purpose: volatile: a trigger writes the time of the load",
        "table source tmp_1 and table source tmp_2 were not checked, on purpose: \
         ignored: left behind by imports, until 2099-01-01",
        "column target customers.created_by was not checked, on purpose: ignored: new in the target",
        "row source parcel (delivered IS NULL) was not checked, on purpose: only rows for which this holds are compared \
         (fixtures/mapping/shop.toml:19: compare[1].source_where)",
    ] {
        assert!(reasons.iter().any(|reason| reason == left_out), "{left_out}: {reasons:#?}");
    }
    assert!(!report.coverage.columns.is_whole(), "what was left out is to be seen");
}

#[test]
fn a_difference_under_each_kind_of_rule_is_found() {
    for (change, found) in [
        ("UPDATE customers SET last_name = 'x' WHERE id = 1;", "checksum changed_value target customers.last_name 1"),
        ("UPDATE customers SET status = 'A' WHERE id = 1;", "checksum changed_value target customers.status 1"),
        (
            "UPDATE customers SET full_name = 'Bo  Diddley' WHERE id = 2;",
            "checksum changed_value target customers.full_name 1",
        ),
        ("UPDATE customers SET vip = 1 WHERE id = 2;", "checksum changed_value target customers.vip 1"),
        ("DELETE FROM parcels_done;", "checksum missing_row target parcels_done 1"),
        ("INSERT INTO parcels_open VALUES (2, 1, NULL);", "checksum extraneous_row target parcels_open 1"),
        (
            "UPDATE parcel_counts SET parcels = 9 WHERE customer = 2;",
            "checksum changed_value target parcel_counts.parcels 1",
        ),
    ] {
        let audit = Audit::new();
        assert_eq!(audit.shop(change, SHOP), 1, "{change}");
        let found_here = errors(&audit.report());
        assert!(found_here.contains(&found.to_owned()), "{change}: {found_here:?}");
    }
}

#[test]
fn rules_that_never_applied_are_told_by_file_and_line() {
    let audit = Audit::new();
    let text = std::fs::read_to_string(crate::support::root().join(SHOP)).unwrap();
    let text = text.replace("I = \"inactive\"", "I = \"inactive\", Z = \"gone\"");
    let text = text.replace("delivered IS NOT NULL\"", "delivered IS NOT NULL\"\ntarget_where = \"id > 0\"");
    let mapping = audit.sandbox.write("mapping.toml", text);
    let mapping = mapping.to_str().unwrap();
    assert_eq!(audit.shop("", mapping), 1);
    let expected = [
        format!("mapping rule_unused source {mapping}:10: compare[0].columns.st.values.Z 1"),
        format!("mapping rule_unused target {mapping}:25: compare[2].target_where 1"),
    ];
    assert_eq!(errors(&audit.report()), expected);
}

#[test]
fn rules_that_name_nothing_are_refused_before_a_row_is_read() {
    let audit = Audit::new();
    let mapping = "format_version = 1
[[compare]]
source = \"customers\"
target = \"customers\"
[[compare]]
source = \"customer\"
target = \"customers\"
columns.nmm = { target = \"last_name\" }
columns.st = { target = \"stat\" }
[[ignore]]
target = \"custom\"
why = \"x\"
[[ignore]]
source = \"parcel\"
column = \"weight\"
why = \"x\"
";
    let path = audit.sandbox.write("mapping.toml", mapping);
    let path = path.to_str().unwrap();
    assert_eq!(audit.shop("", path), 2);
    let reasons = audit.report().scenarios[0].reasons.join("\n");
    let expected = [
        ":2: compare[0]: unknown source table `customers`; expected one of `customer`, `parcel`, `tmp_1`, `tmp_2`; did you mean `customer`?",
        ":8: compare[1].columns.nmm: unknown source column of `customer` `nmm`; expected one of `first_nm`, `id`, `nm`, `st`, `touched`, `vip`; did you mean `nm`?",
        ":9: compare[1].columns.st: unknown target column of `customers` `stat`; expected one of `created_by`, `first_nm`, `full_name`, `id`, `last_name`, `status`, `touched`, `vip`",
        ":10: ignore[0]: unknown target table `custom`; expected one of `customers`, `parcel_counts`, `parcels_done`, `parcels_open`",
        ":13: ignore[1]: unknown source column of `parcel` `weight`; expected one of `customer_id`, `delivered`, `id`",
    ];
    for line in expected {
        assert!(reasons.contains(&format!("{path}{line}")), "{line}\n{reasons}");
    }
    assert!(reasons.contains("invalid input: 5 problems"), "{reasons}");
}

#[test]
fn a_reason_that_has_passed_excuses_nothing() {
    let audit = Audit::new();
    let text = std::fs::read_to_string(crate::support::root().join(SHOP)).unwrap();
    let mapping = audit.sandbox.write("mapping.toml", text.replace("2099-01-01", "2020-01-01"));
    assert_eq!(audit.shop("", mapping.to_str().unwrap()), 3);
    let reasons = audit.report().scenarios[0].reasons.join("\n");
    let told =
        "table source tmp_1 was not checked: ignored: left behind by imports, until 2020-01-01, which has passed";
    assert!(reasons.contains(told), "{reasons}");
}

#[test]
fn only_what_was_asked_for_is_compared_and_the_rest_is_named() {
    let audit = Audit::new();
    let (old, new) = (
        audit.file("old.db", super::TINY),
        audit.file(
            "new.db",
            &format!("{}DELETE FROM users WHERE id = 1; DELETE FROM orders WHERE id = 12;", super::TINY),
        ),
    );
    let sides = ["--source", &old, "--target", &new];
    let with = |flags: &[&str]| {
        let ended = audit.call(&[&sides, flags].concat());
        (ended.code, ended.stderr)
    };
    assert_eq!(with(&[]).0, 1);
    let (code, _) = with(&["--tables", "orders", "--where", "orders: id < 12", "--fail-on", "missing_row,changed_row"]);
    let report = audit.report();
    assert_eq!(code, 0, "{report:#?}");
    assert_eq!(report.coverage.rows.checked, 4);
    let reasons = report.scenarios[0].reasons.join("\n");
    assert!(
        reasons.contains("table source users and table target users were not checked, on purpose: not asked for"),
        "{reasons}"
    );
    assert!(
        reasons.contains("row source orders (id < 12) and row target orders (id < 12) were not checked"),
        "{reasons}"
    );
    assert_eq!(with(&["--exclude", "us*", "--where", "orders: id < 12", "--fail-on", "count_differs"]).0, 0);
    assert_eq!(with(&["--exclude", "us*"]).0, 1);
    let (code, told) = with(&["--tables", "order"]);
    assert_eq!(code, 2);
    assert!(
        told.contains("--tables: unknown table `order`; expected one of `orders`, `users`; did you mean `orders`?"),
        "{told}"
    );
    assert_eq!(with(&["--where", "order: id < 12"]).0, 2);
    assert_eq!(with(&["--where", "orders"]).0, 2);
    assert_eq!(with(&["--fail-on", "sometimes"]).0, 2);
}

#[test]
fn a_fragment_cannot_end_the_statement_that_it_stands_in() {
    let audit = Audit::new();
    let mapping = "format_version = 1
[[compare]]
source = \"customer\"
target = \"customers\"
source_where = \"1 = 1); DROP TABLE customer; --\"
columns.nm = { target = \"last_name\" }
";
    let mapping = audit.sandbox.write("mapping.toml", mapping);
    assert_ne!(audit.shop("", mapping.to_str().unwrap()), 0);
    let report = audit.report();
    let unchecked = &report.scenarios[0].unchecked;
    assert!(unchecked.iter().any(|thing| thing.aspect == "row" && thing.subject.contains("customer")), "{unchecked:?}");
}

#[test]
fn a_reference_that_is_stated_counts_like_a_declared_one() {
    let audit = Audit::new();
    let orders: Vec<String> =
        (1..=20).map(|id| format!("({id}, {}, {}, 1)", if id == 7 { 99 } else { 1 }, id % 3)).collect();
    let sql = format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, 'Ada'), (2, 'Bo');
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, buyer INTEGER, seller INTEGER);
         INSERT INTO orders VALUES {};",
        orders.join(",")
    );
    let (old, new) = (audit.file("old.db", &sql), audit.file("new.db", &sql));
    let with = |references: &[[&str; 2]]| {
        let one =
            |[child, parent]: &[&str; 2]| format!("[[reference]]\n{child}\nparent = \"{parent}\"\nwhy = \"joined\"\n");
        let text = references.iter().map(one).collect::<String>();
        let mapping = audit.sandbox.write("mapping.toml", format!("format_version = 1\n{text}"));
        audit.call(&["--source", &old, "--target", &new, "--mapping", mapping.to_str().unwrap()])
    };
    let orphans = || {
        let all = audit
            .report()
            .findings()
            .filter(|(check, _)| check.id == "orphan")
            .map(|(_, one)| one.clone())
            .collect::<Vec<_>>();
        all.iter().map(|one| format!("{} {} {}", one.severity, one.kind, one.total)).collect::<Vec<_>>()
    };
    // Inferred alone it warns, whatever is stated of another column.
    assert_eq!(with(&[["target = \"orders(seller)\"", "users(id)"]]).code, 0);
    assert_eq!(orphans(), ["warning orphan_inferred 1"]);
    // Accepted it is an error, in the words of either side.
    for side in ["source", "target"] {
        let ended = with(&[[&format!("{side} = \"orders(user_id)\""), "users(id)"]]);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert_eq!(errors(&audit.report()), ["orphan orphan target orders.user_id 1"]);
        assert_eq!(orphans(), ["error orphan 1"]);
        assert!(ended.stdout.contains("as is stated: joined"), "{}", ended.stdout);
    }
    // So is one that nothing suggests: six of the buyers are 0.
    let both = [["target = \"orders(buyer)\"", "users(id)"], ["source = \"orders(user_id)\"", "users(id)"]];
    assert_eq!(with(&both).code, 1);
    assert_eq!(orphans(), ["error orphan 6", "error orphan 1"]);
    assert_eq!(audit.report().coverage.references.checked, 2);
    // One that names what is not there is told by file and line.
    let ended = with(&[["target = \"order(user_id)\"", "users(id)"], ["source = \"orders(user_id)\"", "users(idd)"]]);
    assert_eq!(ended.code, 2, "{ended:?}");
    for told in [
        "mapping.toml:2: reference[0]: unknown target table `order`; expected one of `orders`, `users`; did you mean `orders`?",
        "mapping.toml:6: reference[1]: unknown source column of `users` `idd`; expected one of `id`, `name`; did you mean `id`?",
    ] {
        assert!(ended.stderr.contains(told), "{told}: {}", ended.stderr);
    }
}
