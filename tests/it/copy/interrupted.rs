//! A process that goes away at any moment, and what takes it up.

use super::*;

pub(super) async fn wherever_a_copy_ends_it_goes_on_or_goes_back(places: &Places) {
    for to in places.engines() {
        let case = pairs::case(places, "sqlite", to, json!({})).await;
        let empty = case.state(Side::Target).await;
        let whole = {
            case.forward().await.unwrap();
            let whole = case.state(Side::Target).await;
            case.back().await.unwrap();
            whole
        };
        let mut ends = 0;
        // Servers take longer for each: there, every fifth.
        for word in (1..).step_by(if to == "sqlite" { 1 } else { 5 }) {
            let Some(ended) = case.play(Direction::Forward, Some(word)).await else {
                ends += 1;
                if ends % 3 == 0 {
                    // Back from there, and nothing is left of it.
                    case.back().await.unwrap_or_else(|error| panic!("{to} at {word}: {error:?}"));
                } else {
                    // On from there, and if that ends early as well, on from there too.
                    let again = case.play(Direction::Forward, Some(2 + word % 5)).await;
                    if again.is_none() {
                        case.forward().await.unwrap_or_else(|error| panic!("{to} at {word}: {error:?}"));
                    }
                    assert_eq!(case.state(Side::Target).await, whole, "{to} at {word}");
                    case.back().await.unwrap();
                }
                assert_eq!(case.state(Side::Target).await, empty, "{to} at {word}");
                continue;
            };
            ended.unwrap();
            break;
        }
        // Marks around the rows, and a word for each part at the least: 6 of things, 5 of tags, 1 of the log.
        assert!(ends >= if to == "sqlite" { 12 } else { 3 }, "{to}: {ends}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_are_there_are_not_copied_again() {
    let places = Places::with("parts_that_are_there_are_not_copied_again", &[]).await;
    let case = pairs::case(&places, "sqlite", "sqlite", json!({})).await;
    assert!(case.play(Direction::Forward, Some(9)).await.is_none());
    let before = ask(&case.task.addresses.target, "SELECT part FROM rehearse_copy_copy ORDER BY part").await;
    assert!(!before.is_empty());
    // A row of a part that is there would not come back by itself, and is missed in the end.
    execute(&case.task.addresses.target, "DELETE FROM tags; DELETE FROM items").await;
    let error = case.forward().await.unwrap_err();
    assert!(rehearse::model::chain(&error).contains("rows were loaded, and"), "{error:?}");
    assert_eq!((case.count("items").await, case.count("tags").await, case.count("log").await), (0, 0, 0));
}
