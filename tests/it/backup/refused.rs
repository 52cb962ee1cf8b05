//! Backups that are not restored, and nothing is touched for them.

use super::*;

/// Changes the newest backup, tries to restore it, and brings it back to what it was.
async fn told(bench: &Bench, spoil: impl Fn(&std::path::Path)) -> String {
    let newest = bench.generations().pop().unwrap();
    let whole: Vec<(PathBuf, Vec<u8>)> =
        crate::support::files(&newest).into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
    spoil(&newest);
    let mut restore = bench.restore(json!({}));
    let error = restore.forward().await.unwrap_err();
    assert!(restore.task.marks.is_empty(), "something was begun: {}", chain(&error));
    fs::remove_dir_all(&newest).unwrap();
    for (path, bytes) in whole {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    chain(&error)
}

/// Changes a manifest.
pub fn manifest(folder: &std::path::Path, change: impl Fn(&mut Json)) {
    let path = folder.join("manifest.json");
    let mut manifest: Json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(path, manifest.to_string()).unwrap();
}

/// Has the manifest say that a file is as it is.
pub fn agree(folder: &std::path::Path, file: &str) {
    let bytes = fs::read(folder.join(file)).unwrap();
    let sha256 = rehearse::canon::sha256(&bytes[..]).unwrap();
    manifest(folder, |manifest| {
        let listed = manifest["files"].as_array_mut().unwrap().iter_mut().find(|one| one["path"] == file).unwrap();
        listed["bytes"] = bytes.len().into();
        listed["sha256"] = sha256.clone().into();
    });
}

pub async fn a_damaged_cut_foreign_or_newer_backup_is_refused_before_anything_is_touched(bench: &Bench) {
    for form in bench.forms {
        let what = format!("{} {form}", bench.engine);
        bench.backup(json!({ "format": form })).forward().await.unwrap();
        let before = state(&bench.addresses.target).await;
        let file = bench.manifest()["files"][0]["path"].as_str().unwrap().to_owned();
        let expect = |told: String, part: &str| assert!(told.contains(part), "{what}: {part}: {told}");

        let flipped = told(bench, |folder| {
            let mut bytes = fs::read(folder.join(&file)).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(folder.join(&file), bytes).unwrap();
        });
        expect(flipped.await, "is damaged: its SHA-256 is ");
        let cut = |folder: &std::path::Path| {
            let bytes = fs::read(folder.join(&file)).unwrap();
            fs::write(folder.join(&file), &bytes[..bytes.len() / 2]).unwrap();
        };
        expect(told(bench, cut).await, "when it was written");
        expect(told(bench, |folder| fs::remove_file(folder.join(&file)).unwrap()).await, "cannot be read");
        let stranger = |folder: &std::path::Path| fs::write(folder.join("more"), "x").unwrap();
        expect(told(bench, stranger).await, "is no part of the backup");
        // Cut before its manifest was made: the product's own tool finds it.
        if *form != "directory" {
            let cut_before = |folder: &std::path::Path| {
                cut(folder);
                agree(folder, &file);
            };
            let found = told(bench, cut_before).await;
            assert!(found.contains("backup."), "{what}: {found}");
        }
        let foreign = |folder: &std::path::Path| manifest(folder, |it| it["engine"] = "other".into());
        expect(told(bench, foreign).await, "it is of other, and this is a database of ");
        let more =
            |folder: &std::path::Path| manifest(folder, |it| it["tables"]["gone"] = it["tables"]["people"].clone());
        expect(told(bench, more).await, "does not hold the table gone");
        if bench.engine != "sqlite" {
            let newer = |folder: &std::path::Path| manifest(folder, |it| it["server_version"] = "99.1".into());
            expect(told(bench, newer).await, "it is of version 99.1, which is newer than this server's ");
        }
        let other = |folder: &std::path::Path| manifest(folder, |it| it["format_version"] = 7.into());
        expect(told(bench, other).await, "is of version 7, and 1 is known");
        let none = |folder: &std::path::Path| fs::remove_file(folder.join("manifest.json")).unwrap();
        expect(told(bench, none).await, "no backup is in ");
        assert_no_trace(&before, &state(&bench.addresses.target).await, &what);

        // Other rows than the manifest says are found once they are there, and are gone again.
        if *form == bench.forms[0] {
            let other_rows = |it: &mut Json| it["tables"]["people"] = it["tables"]["empty_one"].clone();
            manifest(bench.generations().last().unwrap(), other_rows);
            let error = bench.restore(json!({})).forward().await.unwrap_err();
            expect(chain(&error), "people: 3 rows in place of 0 rows");
            assert_no_trace(&before, &state(&bench.addresses.target).await, &what);
        }
        fs::remove_dir_all(bench.sandbox.path("steps")).unwrap();
    }
}

/// Secrets are in no argument: a program that fails is named, and no password with it.
pub async fn a_server_that_refuses_leaves_no_backup(bench: &Bench) {
    fs::remove_dir_all(bench.sandbox.path("steps")).unwrap();
    execute(&bench.addresses.source, "CREATE ROLE clerk LOGIN PASSWORD 'a-word-of-the-clerk'").await;
    let mut backup = bench.backup(json!({}));
    let Endpoint::Server { user, password, .. } = &mut backup.task.addresses.source.endpoint else {
        panic!("a server")
    };
    *user = "clerk".to_owned();
    *password = Some(rehearse::model::Secret::new("a-word-of-the-clerk"));
    let error = chain(&backup.forward().await.unwrap_err());
    assert!(error.contains("permission denied") && !error.contains("a-word"), "{error}");
    assert_eq!(bench.generations(), Vec::<PathBuf>::new());
}
