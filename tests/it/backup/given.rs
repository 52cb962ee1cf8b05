//! Backups of the user's are looked at before anything is migrated.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_given_backup_that_cannot_be_restored_is_a_no_go() {
    let bench = Bench::sqlite().await;
    bench.backup(json!({})).forward().await.unwrap();
    let file = bench.manifest()["files"][0]["path"].as_str().unwrap().to_owned();
    let sandbox = &bench.sandbox;
    sandbox.write("given/schema.sql", SOURCE);
    sandbox.write("given/dataset.toml", "format_version = 1\n");
    sandbox.write(
        "given/scenario.toml",
        "format_version = 1\ntitle = \"Given\"\n[source]\nengine = \"sqlite\"\nschema = \"schema.sql\"\n\
         dataset = \"dataset.toml\"\n[target]\nengine = \"sqlite\"\n[[step]]\nkind = \"restore\"\nfolder = \"backups\"\n",
    );
    let backups = sandbox.path("given/backups");
    fs::rename(sandbox.path("steps/kept/generations"), &backups).unwrap();
    let file = fs::read_dir(&backups).unwrap().next().unwrap().unwrap().path().join(file);
    let run = || {
        let told = ended(&mut sandbox.rehearsal(&["run", sandbox.path("given").to_str().unwrap()]));
        (told, sandbox.report("given"))
    };
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let (told, report) = run();
    assert_eq!((told.code, report.verdict), (1, Verdict::Fail), "{told:?}");
    assert!(told.stdout.contains("no-go: `backup` failed") && told.stdout.contains("when it was written"), "{told:?}");
    assert!(report.scenarios[0].steps.iter().all(|step| !step.id.starts_with("migrate/")), "{told:?}");
    fs::write(&file, whole).unwrap();
    let (told, report) = run();
    assert_eq!((told.code, report.verdict), (0, Verdict::Pass), "{told:?}");
}
