//! `verify` and `info` of several logs and of folders: a line for each, and the worst exit status.

use std::fs;

use serde_json::Value;

use super::shell::Shell;

/// Creates a folder `logs` with a good log, a restorable one, one that costs events, and files that are no logs.
fn shell_with_folder() -> Shell {
    let shell = Shell::with_log();
    fs::create_dir(shell.path("logs")).unwrap();
    shell.run_ok("generate logs/a.log --events 20");
    shell.run_ok("index update logs/a.log");
    shell.plant_damage("torn_tail", "logs/b");
    shell.plant_damage("garbage", "logs/c.log");
    shell.run_ok("generate logs/second --events 5 --format 2");
    fs::write(shell.path("logs/notes.txt"), "no log\n").unwrap();
    fs::create_dir(shell.path("logs/older")).unwrap();
    shell
}

#[test]
fn several_logs_and_folders_take_a_line_each_and_the_worst_status() {
    let shell = shell_with_folder();
    let outcome = shell.run("verify a.log logs");
    assert_eq!(outcome.exit_code, 3, "{outcome:?}");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{outcome:?}");
    for (line, expected) in lines.iter().zip([
        ["a.log: 300 events; no damage; index missing", "index missing"],
        ["logs/a.log: 20 events; no damage; index fresh", "index fresh"],
        ["logs/b: ", "1 torn_tail; index missing (exit 4)"],
        ["logs/c.log: ", "1 garbage; index missing (exit 3)"],
        ["logs/second: 5 events; no damage; index missing", "index missing"],
    ]) {
        assert!(line.contains(expected[0]) && line.ends_with(expected[1]), "{line}");
    }
    let alone = |path: &str| shell.run(&format!("verify {path} --json")).stdout_json();
    let outcome = shell.run("verify --json a.log logs");
    let reports: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reports, ["a.log", "logs/a.log", "logs/b", "logs/c.log", "logs/second"].map(alone));
    assert_eq!(shell.run("verify a.log logs/b").exit_code, 4);
    assert_eq!(shell.run("verify logs/c.log logs/b a.log").exit_code, 3, "the worst status is not the last");
    assert_eq!(shell.run_ok("verify a.log logs/a.log").stdout.lines().count(), 2);
    assert_eq!(shell.run("verify logs/a.log a.log --require-fresh").exit_code, 5);
    assert!(shell.run_ok("verify --frames a.log logs/a.log").stdout.contains("300 frames; no damage"));
    let info = shell.run_ok("info logs").stdout;
    assert!(info.lines().count() == 4 && info.contains("20 events, index fresh"), "{info}");
    assert_eq!(shell.run_ok("info logs --json").stdout.lines().count(), 4);
}

#[test]
fn a_file_that_fails_is_a_line_and_the_logs_after_it_follow() {
    let shell = shell_with_folder();
    fs::write(shell.path("text"), "root:x:0:0:root:/root:/bin/bash\n").unwrap();
    let outcome = shell.run("verify missing.log text a.log");
    assert_eq!(outcome.exit_code, 1, "{outcome:?}");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines.len() == 3 && lines[2].contains("no damage"), "{outcome:?}");
    assert!(lines[..2].iter().all(|line| line.ends_with("(exit 1)")), "{outcome:?}");
    let outcome = shell.run("verify missing.log a.log --json");
    let first: Value = serde_json::from_str(outcome.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&first["exit"], outcome.stdout.lines().count()), (&1.into(), 2), "{first}");
}

#[test]
fn options_for_one_log_and_folders_without_logs_are_refused() {
    let shell = shell_with_folder();
    for (line, named) in [
        ("verify a.log logs --from 16", "--from concerns one log"),
        ("verify a.log logs --until 99", "--until concerns one log"),
        ("verify logs --ndjson", "--ndjson concerns one log"),
        ("verify logs --index x.idx", "--index concerns one log"),
        ("info logs --journal x", "--journal concerns one log"),
        ("verify logs/older", "logs/older: no log in this folder"),
    ] {
        let outcome = shell.run(line);
        assert!(outcome.exit_code == 2 && outcome.stderr.contains(named), "{line}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{line}");
    }
}
