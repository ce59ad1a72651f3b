//! The commands agree about the end of a log for every index that cannot be read, and for every broken page of one.

use std::fs;
use std::os::unix::fs::symlink;

use super::shell::Shell;

const APPEND: &str = "append a.log --type T --namespace n --schema s --payload {}";
const PAGE: usize = 4096;

/// The part of its bytes that a log keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Whole,
    Half,
}

/// Creates a log with an index, and cuts the log to `length`.
fn shell_with_index(length: Length) -> Shell {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    if length == Length::Half {
        let log = fs::read(shell.path("a.log")).unwrap();
        fs::write(shell.path("a.log"), &log[..log.len() / 2]).unwrap();
    }
    shell
}

fn exit_codes(shell: &Shell, lines: &[&str]) -> Vec<i32> {
    lines.iter().map(|line| shell.run(line).exit_code).collect()
}

#[test]
fn every_command_agrees_about_the_end_with_one_broken_page_after_the_header() {
    let pages = fs::metadata(shell_with_index(Length::Whole).path("a.log.idx")).unwrap().len() as usize / PAGE;
    for page in 1..pages {
        for length in [Length::Whole, Length::Half] {
            let case = format!("page {page}, {length:?}");
            let shell = shell_with_index(length);
            shell.flip_bit("a.log.idx", page * PAGE + 100);
            let end = |line: &str| shell.run(line).stdout_json()["index"].clone();
            let (verified, info) = (end("verify a.log --json"), end("info a.log --json"));
            assert_eq!(verified, info, "{case}");
            assert!(verified["state"] == "corrupt" && verified["seen_end"]["state"] == "offset", "{case}: {verified}");
            let codes = exit_codes(&shell, &["verify a.log", "cat a.log", "repair a.log --dry-run", APPEND]);
            assert_eq!(codes, if length == Length::Half { [3, 3, 3, 6] } else { [5, 0, 5, 0] }, "{case}");
            // An append to the whole log has already replaced the index where it had to be rebuilt.
            let repaired = shell.run("repair a.log --yes").exit_code;
            assert!(
                if length == Length::Half { repaired == 3 } else { [0, 5].contains(&repaired) },
                "{case}: {repaired}"
            );
            shell.run_ok("index update a.log");
            shell.run_ok("verify a.log");
            shell.run_ok(APPEND);
        }
    }
}

#[test]
fn an_index_that_cannot_be_read_leaves_the_end_unjudged_and_names_the_way_out() {
    for length in [Length::Whole, Length::Half] {
        for fault in ["header", "link", "link, corrected"] {
            let case = format!("{fault}, {length:?}");
            let shell = shell_with_index(length);
            let (index, moved) = (shell.path("a.log.idx"), shell.path("moved.idx"));
            if fault == "header" {
                shell.flip_bit("a.log.idx", 27);
            } else {
                fs::rename(&index, &moved).unwrap();
                symlink("moved.idx", &index).unwrap();
            }
            let before = fs::read(shell.path("a.log")).unwrap();
            let verified = shell.run("verify a.log");
            // Half a log usually ends within a frame, which is neither torn nor lost for certain.
            assert_eq!(verified.exit_code, if length == Length::Half { 3 } else { 5 }, "{case}: {verified:?}");
            assert!(verified.stdout.contains("end of the log not judged"), "{case}: {verified:?}");
            assert!(
                !verified.stdout.contains("torn_tail") && !verified.stdout.contains("fix:"),
                "{case}: {verified:?}"
            );
            let json = shell.run("verify a.log --json").stdout_json();
            assert_eq!(json["index"]["seen_end"]["state"], "unknown", "{case}");
            assert!(shell.run("cat a.log").stderr.contains("the end of the log is not judged"), "{case}");
            let way_out = if fault == "header" { "chronicle index rebuild LOG" } else { "Move it away" };
            for line in [APPEND, "repair a.log --dry-run", "repair a.log --yes", "index update a.log"] {
                let refused = shell.run(line);
                assert!(refused.exit_code == 6 && refused.stderr.contains(way_out), "{case}: {line}: {refused:?}");
            }
            assert!(fs::read(shell.path("a.log")).unwrap() == before, "{case}");
            match fault {
                "header" => {
                    let rebuilt = shell.run_ok("index rebuild a.log");
                    assert!(rebuilt.stderr.contains("is given up"), "{case}: {rebuilt:?}");
                    shell.run_ok(APPEND);
                }
                "link" => {
                    fs::remove_file(&index).unwrap();
                    shell.run_ok(APPEND);
                }
                _ => {
                    fs::rename(&moved, &index).unwrap();
                    assert_eq!(shell.run(APPEND).exit_code, if length == Length::Half { 6 } else { 0 }, "{case}");
                }
            }
        }
    }
}

/// Returns the offset of the last event of `a.log`.
fn last_event_offset(shell: &Shell) -> u64 {
    let last = shell.run_ok("cat a.log").stdout.lines().last().map(str::to_owned).unwrap();
    serde_json::from_str::<serde_json::Value>(&last).unwrap()["offset"].as_u64().unwrap()
}

#[test]
fn every_answer_about_a_lost_end_names_the_donor_and_the_way_to_give_it_up() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let (border, log) = (last_event_offset(&shell) as usize, fs::read(shell.path("a.log")).unwrap());
    for cut in [border, border + 9, log.len() - 5] {
        fs::write(shell.path("a.log"), &log[..cut]).unwrap();
        for line in [APPEND, "verify a.log", "info a.log", "index status a.log", "index update a.log", "cat a.log"] {
            let outcome = shell.run(line);
            let text = outcome.stdout + &outcome.stderr;
            assert!(text.contains("--forget") && text.contains("backup"), "{line}, cut at {cut}: {text}");
        }
        let planned = shell.run("repair a.log --dry-run --except truncated");
        assert!(planned.exit_code == 3, "{planned:?}");
        let verdict = shell.run("verify a.log").stdout;
        assert_eq!(verdict.contains("ends at a frame boundary"), cut == border, "{verdict}");
        assert_eq!(verdict.contains("copy the index first"), cut == border, "{verdict}");
    }
    // A lost end that is too short for a gap has no other ways out.
    fs::write(shell.path("a.log"), &log[..log.len() - 5]).unwrap();
    assert_eq!(exit_codes(&shell, &["repair a.log --forget --yes", "verify a.log", APPEND]), [3, 0, 0]);
}
