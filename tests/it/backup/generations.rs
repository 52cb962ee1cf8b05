//! Which backups are kept.

use super::*;

/// Copies the newest backup as one of another day.
fn aged(bench: &Bench, days: i64) -> PathBuf {
    let newest = bench.generations().pop().unwrap();
    let copy = newest.with_file_name(format!("{:04}-days", 1999 - days));
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(&newest).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let mut manifest = bench.manifest();
    let moment: jiff::Timestamp = manifest["moment"].as_str().unwrap().parse().unwrap();
    manifest["moment"] = (moment - jiff::SignedDuration::from_hours(24 * days)).to_string().into();
    fs::write(copy.join("manifest.json"), manifest.to_string()).unwrap();
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn age_and_number_decide_and_the_way_back_removes_its_own_backup_only() {
    let bench = Bench::sqlite().await;
    // The first backup stands for those of earlier days; the user's folder is copied, and never changed.
    bench.backup(json!({})).forward().await.unwrap();
    let given = bench.sandbox.path("given");
    let [old, older, damaged] = [40, 50, 60].map(|days| aged(&bench, days));
    fs::remove_dir_all(bench.generations().pop().unwrap()).unwrap();
    fs::write(damaged.join("backup.db"), "cut").unwrap();
    fs::rename(bench.sandbox.path("steps/kept/generations"), &given).unwrap();
    let before = crate::support::files(&given);

    let mut backup = bench.backup(json!({ "keep": 2, "keep_days": 30, "folder": given }));
    let done = backup.forward().await.unwrap();
    // The new one and the newest of the old ones make two; the damaged one counts for nothing and is named.
    let names = |paths: &[PathBuf]| -> Vec<String> {
        paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let left = names(&bench.generations());
    assert_eq!(left.len(), 3, "{left:?}");
    let [old, older, damaged] = [old, older, damaged].map(|path| names(&[path]).pop().unwrap());
    assert!(!left.contains(&older) && left.contains(&old), "{left:?}");
    assert!(done.notes.iter().any(|note| note.contains(&damaged) && note.contains("of no use")), "{:?}", done.notes);

    backup.back().await.unwrap();
    let back = names(&bench.generations());
    assert_eq!(back.len(), 3, "{back:?}");
    assert!(back.contains(&older), "what was not kept any more is back: {back:?}");
    assert_eq!(crate::support::files(&given), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_fails_deletes_nothing() {
    let bench = Bench::sqlite().await;
    bench.backup(json!({})).forward().await.unwrap();
    let kept = bench.generations();
    // A page in the middle of the file is of no table any more.
    let Endpoint::File(file) = &bench.addresses.source.endpoint else { panic!("a file") };
    execute(&bench.addresses.source, "CREATE INDEX by_body ON posts (body)").await;
    let mut bytes = fs::read(file).unwrap();
    let last = bytes.len() - 4096;
    bytes[last..].fill(0xff);
    fs::write(file, bytes).unwrap();
    let mut backup = bench.backup(json!({ "keep": 1 }));
    let error = backup.forward().await.unwrap_err();
    assert!(chain(&error).contains("damaged"), "{}", chain(&error));
    assert_eq!(bench.generations(), kept);
    assert!(!bench.sandbox.path("steps/kept/partial").exists());
    backup.back().await.unwrap();
    assert_eq!(bench.generations(), kept);
}
