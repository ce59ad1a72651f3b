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
    assert!(outcome.exit_code == 6 && outcome.stderr.contains("it is a folder"), "{outcome:?}");
    assert!(shell.path("folder").is_dir());
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
    for kind in kinds.into_iter().filter(|kind| !kind.ends_with("segment") && !kind.ends_with("segments")) {
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

/// Returns the events that `cat` prints of a log, with their offsets.
fn printed_events(shell: &Shell, log: &str) -> String {
    shell.run(&format!("cat {log}")).stdout
}

#[test]
fn each_kind_of_missing_segment_is_reported_as_drill_prints_it_and_repaired() {
    let shell = Shell::new();
    shell.run_ok("generate a/ --events 300 --aggregates 20 --segment-size 16KiB");
    let whole = printed_events(&shell, "a");
    let kinds = ["swapped_segments", "cut_segment", "missing_segment", "missing_first_segment", "missing_last_segment"];
    for kind in kinds {
        let truth = shell.run_ok(&format!("drill a -o bad/ --kind {kind}")).stdout_json();
        let found = shell.run("verify bad --json").stdout_json();
        let findings = found["findings"].as_array().unwrap();
        assert_eq!(findings.len(), if kind == "swapped_segments" { 2 } else { 1 }, "{kind}: {found}");
        let last = findings.last().unwrap();
        assert_eq!((&findings[0]["start"], &last["end"]), (&truth["start"], &truth["end"]), "{kind}");
        assert!(findings.iter().all(|finding| finding["kind"] == truth["kind"]), "{kind}");
        assert_ne!(printed_events(&shell, "bad"), whole, "{kind}");
        let segments = truth["segments"].as_array().unwrap();
        let path = |segment: &Value| shell.path("bad").join(segment["file"].as_str().unwrap());
        match kind {
            // The right names bring swapped segments back, and a copy of the file the first one.
            "swapped_segments" => {
                let spare = shell.path("spare");
                fs::rename(path(&segments[0]), &spare).unwrap();
                fs::rename(path(&segments[1]), path(&segments[0])).unwrap();
                fs::rename(spare, path(&segments[1])).unwrap();
            }
            "missing_first_segment" => {
                let name = segments[0]["file"].as_str().unwrap();
                fs::copy(shell.path("a").join(name), path(&segments[0])).unwrap();
            }
            _ => {
                // The range of the header can become a gap, which gives up no event and is still counted.
                let repaired = shell.run("repair bad --donor a --yes");
                assert!([0, 3].contains(&repaired.exit_code), "{kind}: {repaired:?}");
            }
        }
        assert_eq!(printed_events(&shell, "bad"), whole, "{kind}");
        shell.run_ok("verify bad");
        fs::remove_dir_all(shell.path("bad")).unwrap();
    }
    let file = shell.run("drill a/00000000000000000000.log -o bad.log --kind missing_segment");
    assert!(file.exit_code == 1 && file.stderr.contains("in a folder"), "{file:?}");
    shell.run_ok("generate b/ --events 20 --segment-size 16KiB");
    for kind in kinds {
        let short = shell.run(&format!("drill b -o bad/ --kind {kind}"));
        assert!(short.exit_code == 1 && short.stderr.contains("more segments"), "{kind}: {short:?}");
        assert!(!shell.path("bad").exists(), "{kind}");
    }
}

#[test]
fn a_drill_copies_a_folder_and_refuses_a_place_inside_it() {
    let shell = Shell::new();
    shell.run_ok("generate a/ --events 300 --aggregates 20 --segment-size 16KiB");
    let whole = printed_events(&shell, "a");
    let truth = shell.run_ok("drill a -o bad --kind checksum").stdout_json();
    let found = shell.run("verify bad --json").stdout_json();
    assert_eq!(found["findings"][0]["start"], truth["start"], "{found}");
    shell.run_ok("repair bad --yes");
    assert_eq!(printed_events(&shell, "bad"), whole);
    for (line, reason) in [
        ("drill a -o a/bad/ --kind checksum --force", "would be inside"),
        ("drill a -o a --kind checksum --force", "would replace"),
        ("drill a/00000000000000000000.log -o a/x.log --kind checksum", "would be inside"),
        ("drill a -o bad --kind checksum", "already exists"),
        ("drill a -o bad --kind checksum --force", "repairs"),
    ] {
        let refused = shell.run(line);
        assert!(refused.exit_code == 6 && refused.stderr.contains(reason), "{line}: {refused:?}");
    }
    assert_eq!(printed_events(&shell, "a"), whole);
    fs::remove_dir_all(shell.path("bad/repairs")).unwrap();
    shell.run_ok("drill a -o bad --kind checksum --force");
    let second = fs::read_dir(shell.path("a")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let second = second.filter(|name| !name.contains(".idx") && name.contains(".log")).max().unwrap();
    let refused = shell.run(&format!("drill a/{second} -o x.log --kind checksum"));
    assert!(refused.exit_code == 6 && refused.stderr.contains("one segment of a log"), "{refused:?}");
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
    let segmented = shell.run("verify chronicle-demo/segments --json").stdout_json();
    assert_eq!(ranges(&segmented["findings"]), ranges(&demo["in_segments"]["findings"]));
    assert_eq!((segmented["findings_total"].as_u64(), &segmented["index"]["state"]), (Some(3), &"behind".into()));
    assert!(shell.run("info chronicle-demo/segments").stdout.contains("removed by retention"));
    let again = shell.run_ok("demo");
    assert!(
        again.stderr.contains("using the existing demo log") && again.stderr.contains("chronicle verify"),
        "{again:?}"
    );
    assert!(again.stderr.contains("`chronicle chronicle-demo/segments` opens the log in a folder"), "{again:?}");
    // What a user has in the folder of segments is never replaced.
    fs::write(shell.path("chronicle-demo/segments/notes.txt"), "keep").unwrap();
    let forced = shell.run_ok("demo --force");
    assert!(forced.stderr.contains("segments exists and is kept"), "{forced:?}");
    assert!(shell.path("chronicle-demo/segments/notes.txt").exists());
}
