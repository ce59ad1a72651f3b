//! `backup`, `restore` and `retain --only-archived` with object storage.

use std::fs;
use std::time::Duration;

use super::s3_server::{S3Server, command_with_endpoint};
use super::shell::Shell;

/// Creates `a.log` of more than two parts.
fn shell_with_large_log() -> Shell {
    let shell = Shell::new();
    shell.run_ok("generate a.log --size 34MiB");
    shell
}

#[test]
fn a_log_is_backed_up_in_steps_checked_and_restored_byte_by_byte() {
    let Some(server) = S3Server::start() else { return };
    let shell = shell_with_large_log();
    let first = server.run_ok(&shell, "backup a.log s3://logs/one --json").stdout_json();
    assert_eq!(first["written_parts"].as_u64(), Some(3), "{first}");
    shell.run_ok("append a.log --type T --namespace n --schema s --payload 1");
    let second = server.run_ok(&shell, "backup a.log s3://logs/one/ --json").stdout_json();
    assert_eq!((second["backup"].as_u64(), second["written_parts"].as_u64()), (Some(2), Some(1)), "{second}");
    assert_eq!(server.keys("one/parts/").len(), 4);
    assert_eq!(server.keys("one/manifests/"), ["one/manifests/00000001.json", "one/manifests/00000002.json"]);
    let list = server.run_ok(&shell, "restore s3://logs/one --list").stdout;
    assert_eq!(list.lines().count(), 2, "{list}");
    server.run_ok(&shell, "restore s3://logs/one -o new.log");
    assert!(fs::read(shell.path("new.log")).unwrap() == fs::read(shell.path("a.log")).unwrap());
}

#[test]
fn a_folder_of_segments_is_restored_and_only_held_segments_are_removed() {
    let Some(server) = S3Server::start() else { return };
    let shell = Shell::new();
    shell.run_ok("generate seg/ --events 300 --segment-size 8KiB");
    server.run_ok(&shell, "backup seg s3://logs/seg");
    server.run_ok(&shell, "restore s3://logs/seg -o new");
    for name in fs::read_dir(shell.path("new")).unwrap().map(|entry| entry.unwrap().file_name()) {
        if name != "lock" {
            let read = |folder: &str| fs::read(shell.path(folder).join(&name)).unwrap();
            assert_eq!(read("new"), read("seg"), "{}", name.display());
        }
    }
    let line = "retain seg --before 99999999 --only-archived s3://logs/seg --dry-run --json";
    let held = server.run_ok(&shell, line).stdout_json();
    let count = held["plan"]["segments"].as_array().unwrap().len();
    assert!(count > 5 && held["not_archived"].is_null(), "{held}");
    let manifest = String::from_utf8(server.get("seg/manifests/00000001.json")).unwrap();
    let part = manifest.split("00000000000000000000.log\",\"parts\":[{\"sha256\":\"").nth(1).unwrap()[..64].to_owned();
    server.delete(&format!("seg/parts/{}/{part}", &part[..2]));
    let gone = server.run_ok(&shell, line).stdout_json();
    assert_eq!(gone["plan"]["segments"].as_array().unwrap().len(), 0, "{gone}");
    assert_eq!(gone["not_archived"]["segments"].as_u64(), Some(count as u64), "{gone}");
}

#[test]
fn altered_truncated_and_missing_parts_and_manifests_are_found() {
    let Some(server) = S3Server::start() else { return };
    let shell = Shell::with_log();
    server.run_ok(&shell, "backup a.log s3://logs/b");
    let part = server.keys("b/parts/").remove(0);
    let good = server.get(&part);
    let mut flipped = good.clone();
    flipped[99] ^= 4;
    let mut longer = good.clone();
    longer.extend_from_slice(b"more");
    for bytes in [flipped, good[..99].to_vec(), longer, Vec::new()] {
        server.put(&part, &bytes);
        let check = server.run(&shell, "restore s3://logs/b --check --json");
        assert_eq!((check.exit_code, check.stdout_json()["fault_count"].as_u64()), (3, Some(1)), "{check:?}");
        assert_eq!(server.run(&shell, "restore s3://logs/b -o new.log").exit_code, 3);
    }
    server.delete(&part);
    let gone = server.run(&shell, "restore s3://logs/b -o new.log");
    assert!(gone.exit_code == 3 && gone.stderr.contains("no such object"), "{gone:?}");
    server.put("b/manifests/00000001.json", b"{}\n");
    assert_eq!(server.run(&shell, "restore s3://logs/b -o new.log").exit_code, 3);
    assert!(!shell.path("new.log").exists());
}

#[test]
fn a_backup_that_is_killed_leaves_none_and_the_next_one_completes_it() {
    let Some(server) = S3Server::start() else { return };
    let shell = shell_with_large_log();
    let mut killed_early = 0;
    for round in 0..6_u64 {
        let url = format!("s3://logs/k{round}");
        let mut child =
            command_with_endpoint(&shell, &server.endpoint(), &format!("backup a.log {url}")).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(150 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let manifests = server.keys(&format!("k{round}/manifests/")).len();
        killed_early += usize::from(manifests == 0);
        let empty = server.run(&shell, &format!("restore {url} --list"));
        assert_eq!(empty.exit_code, if manifests == 0 { 2 } else { 0 }, "{empty:?}");
        server.run_ok(&shell, &format!("backup a.log {url}"));
        server.run_ok(&shell, &format!("restore {url} --check"));
        assert_eq!(server.keys(&format!("k{round}/manifests/")).len(), 1);
    }
    assert!(killed_early > 0, "no backup was killed before its manifest");
}
