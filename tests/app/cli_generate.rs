//! `create`, `generate`, `drill` and `demo`: the commands that create logs.

use std::fs;

use serde_json::Value;

use super::shell::{CommandOutcome, Shell};

#[test]
fn existing_files_are_replaced_only_with_force() {
    let shell = Shell::with_log();
    let before = fs::read(shell.path("a.log")).unwrap();
    for line in ["create a.log", "generate a.log --events 5", "drill a.log -o a.log --kind gap"] {
        let outcome = shell.run(line);
        assert_eq!(outcome.exit_code, 6, "{line}: {outcome:?}");
        assert_eq!(fs::read(shell.path("a.log")).unwrap(), before, "{line}");
    }
    fs::hard_link(shell.path("a.log"), shell.path("same.log")).unwrap();
    assert_eq!(shell.run("drill a.log -o same.log --kind gap --force").exit_code, 6, "the copy is the log itself");
    assert_eq!(fs::read(shell.path("a.log")).unwrap(), before);
    fs::remove_file(shell.path("same.log")).unwrap();

    shell.run_ok("index update a.log");
    shell.run_ok("generate a.log --events 5 --seed 3 --force");
    assert_ne!(fs::read(shell.path("a.log")).unwrap(), before);
    assert!(!shell.path("a.log.idx").exists(), "the index of the replaced log is removed");
    shell.run_ok("create a.log --force");
    assert_eq!(fs::metadata(shell.path("a.log")).unwrap().len(), 16);
    fs::create_dir(shell.path("folder")).unwrap();
    let outcome = shell.run("create folder --force");
    assert!(outcome.exit_code == 1 && shell.path("folder").is_dir(), "{outcome:?}");
}

#[test]
fn equal_options_give_equal_logs() {
    let shell = Shell::with_log();
    shell.run_ok("generate b.log --events 300 --aggregates 20 --start-time 2026-01-01T00:00Z");
    assert!(fs::read(shell.path("a.log")).unwrap() == fs::read(shell.path("b.log")).unwrap());
    let summary = shell.run_ok("generate c.log --size 100KiB --json").stdout_json();
    assert_eq!(summary["bytes"].as_u64(), Some(fs::metadata(shell.path("c.log")).unwrap().len()));
    assert!((101_000..=102_400).contains(&summary["bytes"].as_u64().unwrap()));
}

#[test]
fn verify_reports_the_finding_that_drill_prints() {
    let shell = Shell::with_log();
    let help = shell.run_ok("drill --help").stdout;
    let start = help.find("Possible values:").unwrap();
    let kinds: Vec<&str> =
        help[start..].lines().filter_map(|line| line.trim().strip_prefix("- ")?.split(':').next()).collect();
    assert!(kinds.len() > 15, "{kinds:?}");
    shell.run_ok("generate b.log --format 2 --events 300 --aggregates 20");
    for kind in kinds {
        let log = if matches!(kind, "moved_frame" | "duplicated_frame") { "b.log" } else { "a.log" };
        let truth = shell.run_ok(&format!("drill {log} -o copy.log --kind {kind}")).stdout_json();
        let found = shell.run("verify copy.log --json").stdout_json();
        assert_eq!(found["findings_total"], 1, "{kind}");
        for key in ["kind", "damage", "start", "end"] {
            assert_eq!(found["findings"][0][key], truth[key], "{kind}: {key}");
        }
        let _ = (fs::remove_file(shell.path("copy.log")), fs::remove_file(shell.path("copy.log.idx")));
    }
}

#[test]
#[cfg(unix)]
fn a_copy_that_cannot_be_written_is_named_and_removed() {
    let shell = Shell::with_log();
    // The unit of the limit is 512 or 1024 bytes, which depends on the shell.
    let script = "ulimit -f 10; exec \"$0\" drill a.log -o copy.log --kind gap";
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", script, env!("CARGO_BIN_EXE_chronicle")]).current_dir(shell.folder.path());
    let outcome = CommandOutcome::from_output(limited.output().unwrap());
    assert!(outcome.exit_code == 1 && outcome.stderr.contains("copy.log: cannot write"), "{outcome:?}");
    assert!(!outcome.stderr.contains("a.log:") && !shell.path("copy.log").exists(), "{outcome:?}");
}

#[test]
fn an_existing_demo_is_used_again() {
    let shell = Shell::new();
    let demo = shell.run_ok("demo --json").stdout_json();
    let found = shell.run("verify chronicle-demo/demo.log --json").stdout_json();
    let range = |found: &Value| (found["kind"].clone(), found["start"].clone(), found["end"].clone());
    let ranges = |list: &Value| list.as_array().unwrap().iter().map(range).collect::<Vec<_>>();
    assert_eq!(ranges(&found["findings"]), ranges(&demo["findings"]));
    assert_eq!(found["index"]["state"], "behind");
    let again = shell.run_ok("demo");
    assert!(
        again.stderr.contains("using the existing demo log") && again.stderr.contains("chronicle verify"),
        "{again:?}"
    );
}
