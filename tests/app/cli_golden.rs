//! Complete output of commands, text and JSON, compared with `snapshots/`.

use std::sync::LazyLock;

use regex::Regex;

use super::shell::{CommandOutcome, Shell};

/// Matches the time of verification in the index, which differs in every run.
static TIME_PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(, on |"at_ms":)[0-9][-0-9: .Z]*"#).unwrap());

/// Compares the output with `snapshots/cli__<name>.snap`, with `DIR` for the folder and `NOW` for the time.
fn assert_golden(shell: &Shell, name: &str, outcome: &CommandOutcome) {
    let folder = shell.folder.path().canonicalize().unwrap();
    let text = format!("exit {}\n-- stdout\n{}-- stderr\n{}", outcome.exit_code, outcome.stdout, outcome.stderr);
    let text = text.replace(folder.to_str().unwrap(), "DIR");
    let text = TIME_PATTERN.replace_all(&text, "${1}NOW").into_owned();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("cli__{name}"), text));
}

#[test]
fn help() {
    let shell = Shell::new();
    let main = shell.run("--help");
    assert_golden(&shell, "help", &main);
    let mut pending: Vec<String> = listed_commands(&main.stdout);
    assert!(pending.len() >= 18, "{pending:?}");
    while let Some(command) = pending.pop() {
        let outcome = shell.run(&format!("{command} --help"));
        let nested = listed_commands(&outcome.stdout);
        pending.extend(nested.iter().map(|name| format!("{command} {name}")));
        assert_golden(&shell, &format!("help_{}", command.replace(' ', "_")), &outcome);
    }
}

/// Returns the names of the commands that a help text lists.
fn listed_commands(help: &str) -> Vec<String> {
    let after_heading = help.split_once("\nCommands:\n").map_or("", |(_, list)| list);
    let lines = after_heading.lines().take_while(|line| !line.is_empty());
    // The description of a command can continue on lines that are indented further.
    let entries = lines.filter_map(|line| line.strip_prefix("  ").filter(|entry| !entry.starts_with(' ')));
    let names = entries.filter_map(|entry| entry.split_whitespace().next().map(str::to_owned));
    // `help COMMAND` prints the help text of the command.
    names.filter(|name| name != "help").collect()
}

#[test]
fn verify() {
    let shell = Shell::with_log();
    assert_golden(&shell, "verify_clean", &shell.run("verify a.log"));
    for kind in ["checksum", "length", "garbage", "torn_tail", "truncated", "header", "invalid_event", "gap", "clock"] {
        shell.plant_damage(kind, "bad.log");
        assert_golden(&shell, &format!("verify_{kind}"), &shell.run("verify bad.log"));
        assert_golden(&shell, &format!("verify_{kind}_json"), &shell.run("verify bad.log --json"));
        let _ = (std::fs::remove_file(shell.path("bad.log")), std::fs::remove_file(shell.path("bad.log.idx")));
    }
}

#[test]
fn info_and_index() {
    let shell = Shell::with_log();
    assert_golden(&shell, "info_without_index", &shell.run("info a.log"));
    assert_golden(&shell, "index_missing", &shell.run("index status a.log"));
    assert_golden(&shell, "index_update_json", &shell.run("index update a.log --json"));
    assert_golden(&shell, "info", &shell.run("info a.log"));
    assert_golden(&shell, "info_json", &shell.run("info a.log --json"));
    assert_golden(&shell, "index_fresh_json", &shell.run("index status a.log --json"));
}

#[test]
fn drill_and_demo() {
    let shell = Shell::with_log();
    assert_golden(&shell, "drill", &shell.run("drill a.log -o b.log --kind checksum --seed 7"));
    assert_golden(&shell, "demo", &shell.run("demo d"));
    assert_golden(&shell, "demo_verify", &shell.run("verify d/demo.log"));
}

#[test]
fn copies() {
    let shell = Shell::with_log();
    assert_golden(&shell, "diff_identical", &shell.run("diff a.log a.log"));
    // Damage that no fix restores, so that salvage must leave it out.
    let mut bytes = std::fs::read(shell.path("a.log")).unwrap();
    bytes[5000..9000].fill(b'#');
    std::fs::write(shell.path("bad.log"), bytes).unwrap();
    assert_golden(&shell, "diff", &shell.run("diff a.log bad.log"));
    assert_golden(&shell, "diff_json", &shell.run("diff bad.log a.log --json"));
    assert_golden(&shell, "diff_ndjson", &shell.run("diff bad.log a.log --ndjson"));
    // An older backup, and a log with other events.
    let older = std::fs::read(shell.path("a.log")).unwrap();
    std::fs::write(shell.path("older-backup.log"), &older[..90_000]).unwrap();
    assert_golden(&shell, "diff_older", &shell.run("diff a.log older-backup.log"));
    shell.run_ok("generate other.log --events 40 --seed 9");
    assert_golden(&shell, "diff_unrelated", &shell.run("diff a.log other.log"));
    assert_golden(&shell, "diff_unrelated_json", &shell.run("diff a.log other.log --json"));
    assert_golden(&shell, "diff_unrelated_ndjson", &shell.run("diff a.log other.log --ndjson"));
    assert_golden(&shell, "salvage", &shell.run("salvage bad.log -o new.log --map new.csv"));
    assert_golden(&shell, "salvage_exists", &shell.run("salvage bad.log -o new.log"));
    assert_golden(&shell, "salvage_json", &shell.run("salvage bad.log -o new.log --force --json"));
    assert_golden(&shell, "salvage_donor", &shell.run("salvage bad.log -o new.log --force --donor a.log"));
    assert_eq!(std::fs::read(shell.path("new.log")).unwrap(), std::fs::read(shell.path("a.log")).unwrap());
    assert_golden(&shell, "migrate_refused", &shell.run("migrate a.log -o newer.log"));
    let older = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v0-older-name-torn.log");
    std::fs::copy(older, shell.path("older.log")).unwrap();
    assert_golden(&shell, "verify_version_0_torn_tail", &shell.run("verify older.log"));
    assert_golden(&shell, "migrate", &shell.run("migrate older.log -o newer.log --map newer.ndjson"));
    let map = std::fs::read_to_string(shell.path("newer.ndjson")).unwrap();
    let ends: Vec<&str> = map.lines().take(1).chain(map.lines().last()).collect();
    assert_eq!(ends, [r#"{"old":0,"new":16,"how":"kept"}"#, r#"{"old":951,"new":null,"how":"torn_tail"}"#]);
    shell.run_ok("verify newer.log");
    assert_golden(&shell, "salvage_refused", &shell.run("salvage older.log -o newest.log"));
}

#[test]
fn failures() {
    let shell = Shell::with_log();
    std::fs::write(shell.path("text.log"), "just some text, no log").unwrap();
    assert_golden(&shell, "no_log", &shell.run("verify text.log"));
    assert_golden(&shell, "no_log_json", &shell.run("verify text.log --json"));
    assert_golden(&shell, "exists", &shell.run("create a.log"));
    assert_golden(&shell, "unknown_command", &shell.run("verfy a.log"));
    assert_golden(&shell, "no_terminal", &shell.run("a.log"));
}
