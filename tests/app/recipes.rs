//! The recipes of `docs/recipes` do what they say.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::shell::Shell;

/// Creates a valid log, a damaged one and a folder of segments below `logs`.
fn shell_with_logs() -> Shell {
    let shell = Shell::with_log();
    fs::create_dir_all(shell.path("logs/more")).unwrap();
    fs::copy(shell.path("a.log"), shell.path("logs/valid.log")).unwrap();
    let mut bytes = fs::read(shell.path("a.log")).unwrap();
    bytes[40..60].fill(0xff);
    fs::write(shell.path("logs/more/damaged.log"), bytes).unwrap();
    shell.run_ok("generate logs/more/folder/ --segment-size 64KiB --events 500");
    // Removed segments are no logs, and a log can have a number as its name.
    shell.run_ok("retain logs/more/folder --before 70000 --yes");
    fs::copy(shell.path("a.log"), shell.path("logs/20261120.log")).unwrap();
    shell
}

/// A search path in which the tested program is found first.
fn search_path() -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_chronicle")).parent().unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes").join(name)).unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn xargs_verifies_each_log_once() {
    let shell = shell_with_logs();
    let text = document("fleet.md");
    let script = text.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let output = Command::new("sh")
        .args(["-c", script])
        .current_dir(shell.path(""))
        .envs([("LOGS", "logs"), ("OUT", "out")])
        .env("PATH", search_path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.lines().count() == 1 && stdout.starts_with('3') && stdout.contains("damaged.log"), "{stdout}");
    let mut status: Vec<String> =
        fs::read_to_string(shell.path("out/status")).unwrap().lines().map(str::to_owned).collect();
    status.sort();
    assert_eq!(status, ["0 logs/20261120.log", "0 logs/more/folder", "0 logs/valid.log", stdout.trim()]);
    let report = fs::read(shell.path("out/logs/more/folder.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert!(report["events"].as_u64().is_some_and(|events| (1..500).contains(&events)), "{report}");
}

/// Runs where the interpreter that `CHRONICLE_PYTHON` names has Ray.
#[test]
fn ray_verifies_each_log_once() {
    let python = std::env::var("CHRONICLE_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_ray = Command::new(&python).args(["-c", "import ray"]).output();
    if !has_ray.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {python} has no ray");
        return;
    }
    let shell = shell_with_logs();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes/verify_with_ray.py");
    let output = Command::new(&python).arg(script).arg(shell.path("logs")).env("PATH", search_path()).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines.len() == 4 && lines[0].starts_with("3 1 ") && lines[0].contains("damaged.log"), "{stdout}");
    assert!(lines[1..].iter().all(|line| line.starts_with("0 0 ")), "{stdout}");
}
