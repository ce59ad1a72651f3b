//! `backup` and `restore` with a folder, and `retain --only-archived`.

use std::fs;
use std::path::{Path, PathBuf};

use super::shell::Shell;

/// Returns the files below a folder, sorted, with their bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Returns the files of a log in a folder that a backup copies.
fn log_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let all = files(folder).into_iter().map(|(path, bytes)| (name(path), bytes));
    all.filter(|(name, _)| Path::new(name).extension().is_some_and(|end| end == "log") || name == "log.json").collect()
}

fn part_files(shell: &Shell) -> Vec<PathBuf> {
    files(&shell.path("dest/parts")).into_iter().map(|(path, _)| path).collect()
}

/// A log in segments, with an index, in `accounts`.
fn shell_with_segments() -> Shell {
    let shell = Shell::new();
    shell.run_ok("generate accounts/ --events 400 --segment-size 8KiB");
    shell
}

#[test]
fn a_log_in_one_file_is_restored_byte_by_byte_and_a_second_backup_writes_only_what_is_new() {
    let shell = Shell::new();
    // More than one part of 16 MiB.
    shell.run_ok("generate a.log --size 18MiB");
    let first = shell.run_ok("backup a.log dest --json").stdout_json();
    let len = fs::metadata(shell.path("a.log")).unwrap().len();
    assert_eq!((first["backup"].as_u64(), first["written_parts"].as_u64()), (Some(1), Some(2)), "{first}");
    assert_eq!((first["bytes"].as_u64(), first["written_bytes"].as_u64()), (Some(len), Some(len)), "{first}");
    let again = shell.run_ok("backup a.log dest --json").stdout_json();
    assert_eq!((again["backup"].as_u64(), again["is_new"].as_bool()), (Some(1), Some(false)), "{again}");
    let old = fs::read(shell.path("a.log")).unwrap();
    shell.run_ok("append a.log --type T --namespace n --schema s --payload 1");
    let grown = shell.run_ok("backup a.log dest --json").stdout_json();
    assert_eq!((grown["backup"].as_u64(), grown["written_parts"].as_u64()), (Some(2), Some(1)), "{grown}");
    assert!(grown["written_bytes"].as_u64().unwrap() < 4 << 20, "only the last part: {grown}");
    shell.run_ok("restore dest -o new.log");
    assert!(fs::read(shell.path("new.log")).unwrap() == fs::read(shell.path("a.log")).unwrap(), "the newest backup");
    shell.run_ok("restore dest -o old.log --number 1");
    assert!(fs::read(shell.path("old.log")).unwrap() == old, "backup 1");
    let list = shell.run_ok("restore dest --list").stdout;
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.starts_with("1  a.log on 20"), "{list}");
    let kept = shell.run("restore dest -o new.log");
    assert_eq!(kept.exit_code, 6, "an existing log is kept: {kept:?}");
    shell.run_ok("restore dest -o new.log --number 1 --force");
    assert!(fs::read(shell.path("new.log")).unwrap() == old);
}

#[test]
fn a_log_in_segments_is_restored_with_its_settings_and_sealed_segments_are_written_once() {
    let shell = shell_with_segments();
    shell.run_ok("backup accounts dest");
    let parts = part_files(&shell).len();
    for _ in 0..3 {
        shell.run_ok("append accounts --type T --namespace n --schema s --payload 1");
    }
    let second = shell.run_ok("backup accounts dest --json").stdout_json();
    assert_eq!(second["written_parts"].as_u64(), Some(1), "the last segment only: {second}");
    assert_eq!(part_files(&shell).len(), parts + 1);
    shell.run_ok("restore dest -o new");
    let (expected, found) = (log_files(&shell.path("accounts")), log_files(&shell.path("new")));
    assert!(expected.len() > 10 && expected == found, "{} and {} files", expected.len(), found.len());
    shell.run_ok("verify new");
    shell.run_ok("append new --type T --namespace n --schema s --payload 1");
    let third = &expected[2].0;
    let refused = shell.run(&format!("backup accounts/{third} other"));
    assert!(refused.exit_code == 6 && refused.stderr.contains("one segment"), "{refused:?}");
}

#[test]
fn damage_is_copied_as_it_is_and_counted() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum", "bad.log");
    let backup = shell.run("backup bad.log dest");
    assert_eq!(backup.exit_code, 3, "{backup:?}");
    assert!(backup.stderr.contains("1 damaged range copied as"), "{backup:?}");
    let restored = shell.run("restore dest -o new.log");
    assert_eq!(restored.exit_code, 3, "{restored:?}");
    assert_eq!(fs::read(shell.path("new.log")).unwrap(), fs::read(shell.path("bad.log")).unwrap());
}

#[test]
fn an_altered_truncated_or_missing_part_is_found_and_nothing_is_restored() {
    let shell = Shell::with_log();
    shell.run_ok("backup a.log dest");
    shell.run_ok("restore dest --check");
    let part = part_files(&shell).remove(0);
    let good = fs::read(&part).unwrap();
    let mut flipped = good.clone();
    flipped[1000] ^= 1;
    for bytes in [Some(flipped), Some(good[..500].to_vec()), None] {
        match &bytes {
            Some(bytes) => fs::write(&part, bytes).unwrap(),
            None => fs::remove_file(&part).unwrap(),
        }
        let check = shell.run("restore dest --check --json");
        assert_eq!((check.exit_code, check.stdout_json()["fault_count"].as_u64()), (3, Some(1)), "{check:?}");
        let restored = shell.run("restore dest -o new.log");
        assert_eq!(restored.exit_code, 3, "{restored:?}");
        assert!(restored.stderr.contains("parts"), "{restored:?}");
        let left = fs::read_dir(shell.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(!left.into_iter().any(|name| name.to_string_lossy().starts_with("new.log")), "{bytes:?}");
    }
    // The next backup writes a part that is missing or has another size.
    let mended = shell.run_ok("backup a.log dest --json").stdout_json();
    assert_eq!(mended["written_parts"].as_u64(), Some(1), "{mended}");
    shell.run_ok("restore dest --check");
}

#[test]
fn a_manifest_that_was_changed_is_refused_and_listed() {
    let shell = Shell::with_log();
    shell.run_ok("backup a.log dest");
    let manifest = shell.path("dest/manifests/00000001.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("\"events\":300", "\"events\":301", 1)).unwrap();
    for line in ["restore dest -o new.log", "restore dest --check", "restore dest --list"] {
        let outcome = shell.run(line);
        assert_eq!(outcome.exit_code, 3, "{line}: {outcome:?}");
        assert!(format!("{outcome:?}").contains("SHA-256"), "{line}: {outcome:?}");
    }
    assert!(!shell.path("new.log").exists());
}

#[test]
fn a_backup_that_was_interrupted_is_none_and_the_next_one_uses_its_parts() {
    let shell = Shell::with_log();
    shell.run_ok("backup a.log dest");
    fs::remove_file(shell.path("dest/manifests/00000001.json")).unwrap();
    let empty = shell.run("restore dest -o new.log");
    assert_eq!(empty.exit_code, 2, "{empty:?}");
    let next = shell.run_ok("backup a.log dest --json").stdout_json();
    assert_eq!((next["backup"].as_u64(), next["written_parts"].as_u64()), (Some(1), Some(0)), "{next}");
    shell.run_ok("restore dest -o new.log");
}

#[test]
fn destinations_that_would_mix_logs_are_refused() {
    let shell = shell_with_segments();
    shell.run_ok("generate a.log --events 30");
    shell.run_ok("backup a.log dest");
    let before = files(&shell.path("dest"));
    for (line, reason) in [
        ("backup accounts dest", "another log"),
        ("backup accounts accounts/dest", "different folders"),
        ("backup accounts accounts", "different folders"),
        ("backup accounts .", "different folders"),
        ("restore dest -o dest/new.log --number 7", "manifests/00000007.json"),
    ] {
        let outcome = shell.run(line);
        assert!(outcome.exit_code != 0 && outcome.stderr.contains(reason), "{line}: {outcome:?}");
    }
    assert_eq!(files(&shell.path("dest")), before);
    let missing = shell.run("restore missing -o new.log");
    assert!(missing.exit_code == 1 && missing.stderr.contains("No such file"), "{missing:?}");
}

#[test]
fn only_segments_that_a_backup_holds_are_removed() {
    let shell = shell_with_segments();
    let start = "999999999";
    let none = shell.run(&format!("retain accounts --before {start} --only-archived dest --dry-run"));
    assert!(none.exit_code != 0, "{none:?}");
    shell.run_ok("backup accounts dest");
    let all = shell.run_ok(&format!("retain accounts --before {start} --dry-run --json")).stdout_json();
    let line = format!("retain accounts --before {start} --only-archived dest");
    let held = shell.run_ok(&format!("{line} --dry-run --json")).stdout_json();
    assert_eq!(held["plan"]["segments"], all["plan"]["segments"]);
    assert!(held["not_archived"].is_null(), "{held}");
    // The part of the third segment is altered in the backup, with its size unchanged.
    let segments = all["plan"]["segments"].as_array().unwrap();
    let third = segments[2]["base"].as_u64().unwrap();
    let bytes = fs::read(shell.path(&format!("accounts/{third:020}.log"))).unwrap();
    let part = part_files(&shell).into_iter().find(|part| fs::read(part).unwrap() == bytes).unwrap();
    fs::write(&part, vec![b'x'; bytes.len()]).unwrap();
    let altered = shell.run_ok(&format!("{line} --dry-run --json")).stdout_json();
    assert_eq!(altered["plan"]["segments"].as_array().unwrap().len(), 2, "{altered}");
    assert_eq!(altered["not_archived"]["base"].as_u64(), Some(third));
    assert_eq!(altered["not_archived"]["segments"].as_u64(), Some(segments.len() as u64 - 2));
    let applied = shell.run_ok(&format!("{line} --yes"));
    assert!(
        applied.stdout.contains("over the limit stay") && applied.stdout.contains("2 segments moved"),
        "{applied:?}"
    );
    // A segment that was changed after the backup is not the one that the backup holds.
    fs::write(&part, &bytes).unwrap();
    shell.flip_bit(&format!("accounts/{third:020}.log"), 100);
    let changed = shell.run(&format!("{line} --dry-run --json")).stdout_json();
    assert_eq!(changed["plan"]["segments"].as_array().unwrap().len(), 0, "{changed}");
    assert!(changed["not_archived"]["reason"].as_str().unwrap().contains("other bytes"), "{changed}");
}
