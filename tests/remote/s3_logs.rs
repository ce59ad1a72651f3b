//! Logs that are read from object storage: every reading command, donors, and all logs below a prefix.

use std::fs;

use super::s3_server::S3Server;
use super::shell::Shell;

/// Stores a log, a damaged copy of it, a log in segments and a file that is none below `fleet/`.
fn fleet() -> Option<(S3Server, Shell)> {
    let server = S3Server::start()?;
    let shell = Shell::with_log();
    shell.plant_damage("checksum_noise", "bad.log");
    shell.run_ok("generate seg/ --events 300 --segment-size 8KiB");
    shell.run_ok("index update a.log");
    for (file, key) in [("a.log", "a.log"), ("a.log.idx", "a.log.idx"), ("bad.log", "deep/er/bad.log")] {
        server.put(&format!("fleet/{key}"), &fs::read(shell.path(file)).unwrap());
    }
    for entry in fs::read_dir(shell.path("seg")).unwrap() {
        let entry = entry.unwrap();
        let key = format!("fleet/seg/{}", entry.file_name().display());
        server.put(&key, &fs::read(entry.path()).unwrap());
    }
    server.put("fleet/notes.txt", b"no log");
    Some((server, shell))
}

#[test]
fn all_logs_below_a_prefix_are_judged_with_the_worst_status() {
    let Some((server, shell)) = fleet() else { return };
    for url in ["s3://logs/fleet/", "s3://logs/fleet"] {
        let verify = server.run(&shell, &format!("verify {url}"));
        let lines: Vec<&str> = verify.stdout.lines().collect();
        assert_eq!((verify.exit_code, lines.len()), (3, 3), "{verify:?}");
        assert!(lines[0].starts_with("s3://logs/fleet/a.log: 300 events; no damage; index fresh"), "{verify:?}");
        assert!(
            lines[1].starts_with("s3://logs/fleet/deep/er/bad.log: ") && lines[1].contains("(exit 3)"),
            "{verify:?}"
        );
        assert!(lines[2].starts_with("s3://logs/fleet/seg: 300 events; no damage; index missing"), "{verify:?}");
    }
    let json = server.run(&shell, "verify s3://logs/fleet/ --json");
    assert_eq!((json.exit_code, json.stdout.lines().count()), (3, 3), "{json:?}");
    let none = server.run(&shell, "verify s3://logs/nothing/");
    assert!(none.exit_code == 1 && none.stderr.contains("no such object"), "{none:?}");
}

#[test]
fn commands_print_the_same_of_a_log_on_a_server_as_of_a_file() {
    let Some((server, shell)) = fleet() else { return };
    for line in ["cat LOG", "cat LOG --filter agg:3", "stats LOG --json", "show LOG 16", "verify LOG --ndjson"] {
        for (local, remote) in [
            ("a.log", "s3://logs/fleet/a.log"),
            ("seg", "s3://logs/fleet/seg"),
            ("bad.log", "s3://logs/fleet/deep/er/bad.log"),
        ] {
            if line.starts_with("show") && local == "seg" {
                continue;
            }
            let expected = shell.run(&line.replace("LOG", local));
            let found = server.run(&shell, &line.replace("LOG", remote));
            let text = |stdout: &str, path: &str| stdout.replace(path, "LOG");
            let local_path = shell.path(local).canonicalize().unwrap().display().to_string();
            assert_eq!(found.exit_code, expected.exit_code, "{line} {remote}: {found:?}");
            if !line.starts_with("stats") {
                assert_eq!(text(&found.stdout, remote), text(&expected.stdout, &local_path), "{line} {remote}");
            }
        }
    }
    let export = server.run(&shell, "export s3://logs/fleet/a.log -o remote.csv");
    assert_eq!(export.exit_code, 0, "{export:?}");
    server.run_ok(&shell, "report s3://logs/fleet/a.log -o remote.html");
    server.run_ok(&shell, "info s3://logs/fleet/seg");
}

#[test]
fn a_log_on_a_server_is_a_donor_and_is_compared_and_copied() {
    let Some((server, shell)) = fleet() else { return };
    let plan = server.run(&shell, "repair bad.log --dry-run --donor s3://logs/fleet/a.log");
    assert!(plan.stdout.contains("take_from_donor, proven"), "{plan:?}");
    server.run_ok(&shell, "repair bad.log --yes --donor s3://logs/fleet/a.log");
    assert_eq!(fs::read(shell.path("bad.log")).unwrap(), fs::read(shell.path("a.log")).unwrap());
    server.run_ok(&shell, "diff a.log s3://logs/fleet/a.log");
    let salvage = "salvage s3://logs/fleet/deep/er/bad.log -o whole.log --donor s3://logs/fleet/a.log";
    server.run_ok(&shell, salvage);
    let events = |log: &str| shell.run_ok(&format!("verify {log} --json")).stdout_json()["events"].as_u64();
    assert_eq!(events("whole.log"), Some(300));
    server.run_ok(&shell, "migrate s3://logs/fleet/a.log -o two.log --format 2");
    server.run_ok(&shell, "migrate s3://logs/fleet/a.log -o folder/");
    assert_eq!((events("two.log"), events("folder")), (Some(300), Some(300)));
}

#[test]
fn nothing_is_written_to_a_log_on_a_server() {
    let Some((server, shell)) = fleet() else { return };
    let before = server.keys("");
    for line in [
        "repair s3://logs/fleet/a.log --yes",
        "append s3://logs/fleet/a.log --type T --namespace n --schema s --payload 1",
        "index update s3://logs/fleet/a.log",
        "undo s3://logs/fleet/a.log",
        "salvage a.log -o s3://logs/fleet/new.log",
    ] {
        let outcome = server.run(&shell, line);
        assert!(outcome.exit_code == 2 && outcome.stderr.contains("download it"), "{line}: {outcome:?}");
    }
    let saved = server.run(&shell, "verify s3://logs/fleet/a.log --save");
    assert!(saved.exit_code != 0 && saved.stderr.contains("can only be read"), "{saved:?}");
    assert_eq!(server.keys(""), before);
}
