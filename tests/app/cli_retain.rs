//! `retain`, and `undo`, `purge` and `show` for removed segments: plans, confirmation, exit statuses and JSON.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::shell::Shell;

/// Creates a folder with the log `accounts` of 120 events in segments of four kibibytes.
fn shell_with_segments() -> Shell {
    let shell = Shell::new();
    shell.run_ok("generate accounts --events 120 --aggregates 5 --segment-size 4KiB");
    shell.run_ok("index update accounts");
    shell
}

/// Returns the sorted names of the segments in a folder.
fn segments(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let segments = paths.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    let mut names: Vec<String> =
        segments.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn base(name: &str) -> u64 {
    name[..20].parse().unwrap()
}

fn events(shell: &Shell) -> u64 {
    shell.run_ok("verify accounts --json").stdout_json()["events"].as_u64().unwrap()
}

#[test]
fn a_retention_is_planned_applied_listed_undone_and_purged() {
    let shell = shell_with_segments();
    let (folder, removed) = (shell.path("accounts"), shell.path("accounts/.removed"));
    let all = segments(&folder);
    assert!(all.len() > 4, "{all:?}");
    let start = base(&all[2]);
    let dry = shell.run_ok(&format!("retain accounts --before {start} --dry-run"));
    let table: Vec<&str> = dry.stdout.lines().take(3).collect();
    assert!(table[0].contains("segment") && table[0].contains("last event"), "{dry:?}");
    assert!(table[1].trim_start().starts_with("0  "), "{dry:?}");
    assert!(dry.stdout.contains(": 2 segments, ") && dry.stdout.contains("every aggregate keeps an event"), "{dry:?}");
    assert!(dry.stdout.contains("undo with `chronicle undo LOG`, until `chronicle purge LOG`"), "{dry:?}");
    assert_eq!(segments(&folder), all, "a dry run writes nothing");
    let plan = shell.run_ok(&format!("retain accounts --before {start} --dry-run --json")).stdout_json();
    assert_eq!((plan["plan"]["new_start"].as_u64(), &plan["applied"]), (Some(start), &Value::Null));
    let gone = plan["plan"]["events"].as_u64().unwrap();
    // Without a terminal to ask on, nothing is removed.
    let unconfirmed = shell.run(&format!("retain accounts --before {start}"));
    assert_eq!(unconfirmed.exit_code, 6, "{unconfirmed:?}");
    assert_eq!(segments(&folder), all);
    let applied = shell.run_ok(&format!("retain accounts --before {start} --yes"));
    assert!(applied.stdout.contains("2 segments moved to ") && applied.stdout.contains(".removed"), "{applied:?}");
    assert_eq!(segments(&removed), all[..2]);
    assert_eq!(events(&shell), 120 - gone);
    let shown = shell.run("show accounts 100 --json");
    let error: Value = serde_json::from_str(&shown.stderr).unwrap();
    assert_eq!((shown.exit_code, error["offset"].as_u64()), (2, Some(100)), "{shown:?}");
    assert!(error["error"].as_str().unwrap().ends_with(&format!("the log starts at {start}")), "{shown:?}");
    assert_eq!(shell.run("cat accounts --from 100").exit_code, 2);
    assert_eq!(shell.run_ok("cat accounts").stdout.lines().count() as u64, 120 - gone);
    let list = shell.run_ok("undo accounts --list");
    assert!(list.stdout.contains(&format!("removed; 2 segments, {gone} events")), "{list:?}");
    let listed = shell.run_ok("undo accounts --list --json").stdout_json();
    assert_eq!((&listed["action"], listed["new_start"].as_u64()), (&"retain".into(), Some(start)));
    assert_eq!(shell.run("undo accounts").exit_code, 6);
    let undone = shell.run_ok("undo accounts --yes");
    assert!(undone.stdout.contains("the segments are restored"), "{undone:?}");
    assert_eq!((events(&shell), segments(&removed).len()), (120, 0));
    // A purge makes it final.
    shell.run_ok(&format!("retain accounts --before {start} --yes"));
    assert!(shell.run_ok("purge accounts --dry-run").stdout.contains("2 removed segments, "));
    assert_eq!((shell.run("purge accounts").exit_code, segments(&removed).len()), (6, 2));
    let purged = shell.run_ok("purge accounts --yes --json").stdout_json();
    assert_eq!(purged["applied"]["segments"].as_u64(), Some(2));
    assert_eq!(segments(&removed).len(), 0);
    assert!(shell.run_ok("undo accounts --list").stdout.contains("deleted for good; 2 segments"));
    let refused = shell.run("undo accounts --yes");
    assert!(refused.exit_code == 6 && refused.stderr.contains("deleted for good"), "{refused:?}");
    assert_eq!(shell.run("purge accounts --yes").exit_code, 6, "there is nothing left to purge");
    assert_eq!(events(&shell), 120 - gone);
}

#[test]
fn a_history_that_starts_late_is_named_and_stdout_stays() {
    let shell = shell_with_segments();
    let all = segments(&shell.path("accounts"));
    let (second, third) = (base(&all[1]), base(&all[2]));
    let commands =
        ["cat accounts --filter agg:1", "stats accounts", "export accounts -o x.csv --force", "info accounts"];
    let names_start = |line: &str| {
        let outcome = shell.run_ok(line);
        outcome.stderr.contains("the log starts at") || outcome.stdout.contains("the log starts at")
    };
    for line in commands {
        assert!(!names_start(line), "{line}: the log is complete");
    }
    let whole = shell.run_ok("cat accounts").stdout;
    let gone = |before: u64| {
        let offset = |line: &str| line["{\"offset\":".len()..].split(',').next().unwrap().parse::<u64>().unwrap();
        whole.lines().filter(|line| offset(line) < before).count()
    };
    // Two removals, and the purge of both: the records stay.
    shell.run_ok(&format!("retain accounts --before {second} --yes"));
    shell.run_ok(&format!("retain accounts --before {third} --yes"));
    shell.run_ok("purge accounts --yes");
    let sentence =
        format!("the log starts at offset {third}: {} events before it were removed by retention", gone(third));
    for line in commands.iter().copied().chain([
        "show accounts 50% --state --hex 0",
        "compact accounts -o latest.log --latest",
        "compact accounts -o latest2.log --latest --dry-run",
        "salvage accounts -o copy.log",
    ]) {
        let outcome = shell.run_ok(line);
        let shown = if line.starts_with("info") { &outcome.stdout } else { &outcome.stderr };
        assert_eq!(shown.matches(&sentence).count(), 1, "{line}: {outcome:?}");
        assert!(line.starts_with("info") || !outcome.stdout.contains("the log starts"), "{line}: {outcome:?}");
    }
    shell.run_ok("report accounts -o page.html");
    assert!(fs::read_to_string(shell.path("page.html")).unwrap().contains(&sentence));
    assert!(whole.ends_with(&shell.run_ok("cat accounts").stdout), "data does not change");
    assert_eq!(shell.run_ok(&format!("cat accounts --from {third}")).stderr, "", "a start that was asked for");
    let notice: Value = serde_json::from_str(&shell.run_ok("stats accounts --json").stderr).unwrap();
    let expected = serde_json::json!({"offset": third, "events_before": gone(third)});
    assert_eq!(notice["removed_start"], expected, "{notice}");
    assert_eq!(shell.run_ok("info accounts --json").stdout_json()["removed_start"], expected);
    // Without all records, the number is not known, and nothing is guessed.
    fs::remove_file(shell.path(&format!("accounts/.removed/{second:020}.json"))).unwrap();
    let outcome = shell.run_ok("cat accounts");
    assert!(outcome.stderr.contains("and their number is not known"), "{outcome:?}");
}

#[test]
fn limits_of_size_and_age_keep_the_last_segment() {
    let shell = shell_with_segments();
    let all = segments(&shell.path("accounts"));
    let plan = |options: &str| shell.run_ok(&format!("retain accounts {options} --dry-run --json")).stdout_json();
    let new_start = |options: &str| plan(options)["plan"]["new_start"].as_u64().unwrap();
    let last = base(all.last().unwrap());
    assert_eq!(new_start("--keep-size 1GiB"), 0);
    assert_eq!(new_start("--keep-size 0"), last);
    assert!(plan("--keep-size 0")["plan"]["active_over_limit"].as_u64().unwrap() > 0);
    assert_eq!(new_start("--keep-size 1GiB --before 999999999"), last, "one limit is enough");
    assert_eq!(new_start("--keep-for 3650000d"), 0);
    assert_eq!(new_start("--before 1971-01-01"), 0);
    assert_eq!(new_start("--before 2999-01-01"), last);
    let nothing = shell.run_ok("retain accounts --keep-size 1GiB --yes");
    assert!(nothing.stdout.contains("nothing to remove"), "{nothing:?}");
    assert!(!shell.path("accounts/.removed").exists());
    for (wrong, reason) in [
        ("", "--keep-for"),
        ("--before soon", "expected an offset or a time, found `soon`"),
        ("--before #3", "expected an offset or a time"),
        ("--keep-size many", "expected a size"),
        ("--keep-for old", "expected an age"),
    ] {
        let refused = shell.run(&format!("retain accounts {wrong}"));
        assert!(refused.exit_code == 2 && refused.stderr.contains(reason), "{wrong}: {refused:?}");
    }
}

#[test]
fn a_log_in_one_file_is_refused_with_the_next_step() {
    let shell = Shell::with_log();
    let refused = shell.run("retain a.log --keep-size 0 --yes");
    assert_eq!(refused.exit_code, 6, "{refused:?}");
    assert!(
        refused.stderr.contains("the log is one file") && refused.stderr.contains("chronicle compact"),
        "{refused:?}"
    );
}

/// Copies the files of a log that is a folder.
fn copy_log(shell: &Shell, from: &str, to: &str) {
    fs::create_dir(shell.path(to)).unwrap();
    let files = fs::read_dir(shell.path(from)).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|path| path.is_file()) {
        fs::copy(&file, shell.path(to).join(file.file_name().unwrap())).unwrap();
    }
}

#[test]
fn logs_without_their_removed_start_are_compared() {
    let shell = shell_with_segments();
    copy_log(&shell, "accounts", "whole");
    let start = base(&segments(&shell.path("accounts"))[2]);
    shell.run_ok(&format!("retain accounts --before {start} --yes"));
    copy_log(&shell, "accounts", "copy");
    let same = shell.run("diff accounts copy");
    assert!(same.exit_code == 0 && same.stdout.starts_with("identical"), "{same:?}");
    for pair in ["accounts whole", "whole accounts"] {
        let compared = shell.run(&format!("diff {pair}"));
        // The retention has added the header of a segment without an event.
        let is_longer = compared.exit_code == 3 && compared.stdout.contains("identical up to offset");
        assert!(is_longer && compared.stdout.contains("1 difference"), "{compared:?}");
    }
}
