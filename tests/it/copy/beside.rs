//! Parts that are loaded at the same time, triggers that are off meanwhile, and tables that are left to other steps.

use rehearse::model::chain;

use super::*;

/// However many parts are loaded at the same time, the same rows come of it.
pub(super) async fn parts_are_loaded_beside_each_other(places: &Places) {
    for to in places.engines() {
        let alone = pairs::case(places, "sqlite", to, json!({})).await;
        alone.forward().await.unwrap();
        let case = pairs::case(places, "sqlite", to, json!({ "jobs": 3 })).await;
        let empty = case.state(Side::Target).await;
        let done = case.forward().await.unwrap_or_else(|error| panic!("{to}: {error:?}"));
        assert_eq!(case.state(Side::Target).await, alone.state(Side::Target).await, "{to}");
        assert_eq!(case.said().await, Vec::<String>::new(), "{to}");
        assert_eq!(case.back().await.unwrap().rows, done.rows, "{to}");
        assert_eq!(case.state(Side::Target).await, empty, "{to}");
        // One that is gone before the first part, and one that goes on.
        assert!(case.play(Direction::Forward, Some(2)).await.is_none(), "{to}");
        case.forward().await.unwrap_or_else(|error| panic!("{to}: {error:?}"));
        assert_eq!(case.state(Side::Target).await, alone.state(Side::Target).await, "{to}");
    }
}

const SOURCE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE others (id INTEGER PRIMARY KEY);
    INSERT INTO people WITH RECURSIVE n (v) AS (VALUES (1) UNION ALL SELECT v + 1 FROM n WHERE v < 60)
        SELECT v, 'name ' || v FROM n;";
const TARGET: &str = "CREATE TABLE people (id bigint PRIMARY KEY, name varchar(10) NOT NULL);
    CREATE TABLE trail (line varchar(10));";
const MAPPING: &str = "format_version = 1\n[[copy]]\nsource = \"people\"\ntarget = \"people\"\n";

/// Ends at a row that cannot be carried, while other parts are under way, and takes all of them back.
pub(super) async fn a_part_that_fails_ends_the_others(places: &Places) {
    for to in places.engines() {
        let addresses = Sides::new(places.database("sqlite").await, places.database(to).await);
        execute(&addresses.source, SOURCE).await;
        execute(&addresses.source, "UPDATE people SET name = NULL WHERE id = 45").await;
        execute(&addresses.target, TARGET).await;
        let case = Case::new(places, addresses, MAPPING, json!({ "jobs": 3, "tables": "stated" }));
        let empty = case.state(Side::Target).await;
        let error = case.forward().await.unwrap_err();
        assert!(chain(&error).contains("row 3 of part 7 of `people`: `name` holds NULL"), "{to}: {error:?}");
        assert_eq!(case.state(Side::Target).await, empty, "{to}");
    }
}

/// Triggers do nothing while rows come and while they go, and are what they were before and afterwards.
pub(super) async fn triggers_are_off_while_rows_come_and_go(places: &Places) {
    for to in places.engines() {
        let addresses = Sides::new(places.database("sqlite").await, places.database(to).await);
        execute(&addresses.source, SOURCE).await;
        execute(&addresses.target, TARGET).await;
        execute(&addresses.target, trigger(to)).await;
        let case = Case::new(places, addresses, MAPPING, json!({ "triggers": "off", "tables": "stated" }));
        let empty = case.state(Side::Target).await;
        if to == "mariadb" {
            let error = case.forward().await.unwrap_err();
            assert!(chain(&error).ends_with("this engine cannot set it aside"), "{error:?}");
            assert_eq!(case.state(Side::Target).await, empty);
            continue;
        }
        case.forward().await.unwrap_or_else(|error| panic!("{to}: {error:?}"));
        assert_eq!((case.count("people").await, case.count("trail").await), (60, 0), "{to}");
        assert_eq!(case.state(Side::Target).await.catalogue, empty.catalogue, "{to}");
        // A process that is gone left them off, and the way back brings them.
        case.back().await.unwrap();
        assert_eq!(case.state(Side::Target).await, empty, "{to}");
        assert!(case.play(Direction::Forward, Some(4)).await.is_none(), "{to}");
        case.back().await.unwrap();
        assert_eq!(case.state(Side::Target).await, empty, "{to}");
        // They are on.
        execute(&case.task.addresses.target, "INSERT INTO people VALUES (1, 'new')").await;
        assert_eq!(case.count("trail").await, 1, "{to}");
    }
}

fn trigger(engine: &str) -> &'static str {
    match engine {
        "postgres" => {
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN INSERT INTO trail VALUES (TG_OP); RETURN NULL; END';
             CREATE TRIGGER one AFTER INSERT OR DELETE ON people FOR EACH ROW EXECUTE FUNCTION note();
             CREATE TRIGGER two AFTER UPDATE ON people FOR EACH ROW EXECUTE FUNCTION note();
             CREATE TRIGGER three AFTER UPDATE ON people FOR EACH ROW EXECUTE FUNCTION note();
             CREATE TRIGGER four AFTER TRUNCATE ON people FOR EACH STATEMENT EXECUTE FUNCTION note();
             ALTER TABLE people ENABLE ALWAYS TRIGGER two; ALTER TABLE people DISABLE TRIGGER three"
        }
        "sqlite" => "CREATE TRIGGER \"o ne\" AFTER INSERT ON people BEGIN INSERT INTO trail VALUES ('insert'); END",
        _ => "CREATE TRIGGER one AFTER INSERT ON people FOR EACH ROW INSERT INTO trail VALUES ('insert')",
    }
}
