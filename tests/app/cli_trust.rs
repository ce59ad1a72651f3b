//! Side files that are in the way or belong to other users: looking goes on with a notice, and writing is refused before
//! a byte changes.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::shell::{CommandOutcome, Shell};

const EVENT: &str = "--type T --namespace n --schema s --payload {}";
/// A user who is neither root nor the user of the tests.
const OTHER_USER: u32 = 65_533;
const LOOKING: [&str; 6] = [
    "verify a.log",
    "info a.log",
    "cat a.log",
    "show a.log #1",
    "diff a.log a.log",
    "salvage a.log -o new.log --force",
];

/// Creates `a.log` with one damaged event.
fn shell_with_damage() -> Shell {
    let shell = Shell::with_log();
    shell.flip_bit("a.log", 60);
    shell
}

fn append(shell: &Shell) -> CommandOutcome {
    shell.run(&format!("append a.log {EVENT}"))
}

fn log_bytes(shell: &Shell) -> Vec<u8> {
    fs::read(shell.path("a.log")).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Creates a file of a type that no side file has.
fn create_stray(kind: &str, path: &Path) {
    match kind {
        "file" => fs::write(path, "x").unwrap(),
        "FIFO" => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        "socket" => drop(UnixListener::bind(path).unwrap()),
        "folder" => fs::create_dir(path).unwrap(),
        "dangling link" => symlink("nowhere", path).unwrap(),
        "link loop" => symlink(path.file_name().unwrap(), path).unwrap(),
        other => panic!("{other}"),
    }
}

#[test]
fn looking_ignores_stray_side_files_and_writing_names_them() {
    let intact = shell_with_damage();
    let expected: Vec<i32> = LOOKING.iter().map(|line| intact.run(line).exit_code).collect();
    // A file that cannot be a record of the log does not prevent an append. A link can lead to one.
    for (side_file, kinds, repair, index_update) in [
        ("a.log.repairs", ["file", "FIFO", "socket", "dangling link", "link loop"].as_slice(), 6, 0),
        ("a.log.idx", &["FIFO", "socket", "folder", "dangling link", "link loop"], 0, 6),
        ("a.log.repairs/0001-repair.journal", &["FIFO", "socket", "folder", "dangling link", "link loop"], 0, 0),
    ] {
        for kind in kinds {
            let case = format!("{kind} as {side_file}");
            let shell = shell_with_damage();
            fs::create_dir_all(shell.path(side_file).parent().unwrap()).unwrap();
            create_stray(kind, &shell.path(side_file));
            let is_link = kind.contains("link");
            for (line, expected) in LOOKING.iter().zip(&expected) {
                let outcome = shell.run(line);
                assert_eq!(outcome.exit_code, *expected, "{case}: {line}: {outcome:?}");
                assert!(outcome.stderr.contains("not used: expected a"), "{case}: {line}: {outcome:?}");
                assert!(!outcome.stderr.contains("device"), "{case}: {line}: {outcome:?}");
            }
            let before = log_bytes(&shell);
            let update = shell.run("index update a.log");
            assert_eq!(update.exit_code, index_update, "{case}: {update:?}");
            let repaired = shell.run("repair a.log --yes");
            let expected = if is_link { 6 } else { repair };
            assert_eq!(repaired.exit_code, expected, "{case}: {repaired:?}");
            assert_eq!(log_bytes(&shell) == before, expected == 6, "{case}");
            let before = log_bytes(&shell);
            let appended = append(&shell);
            assert_eq!(appended.exit_code, if is_link { 6 } else { 0 }, "{case}: {appended:?}");
            assert_eq!(log_bytes(&shell) == before, is_link, "{case}");
            if side_file == "a.log.repairs" {
                assert_eq!(shell.run("undo a.log --yes").exit_code, 6, "{case}");
            }
        }
    }
}

#[test]
fn side_files_that_others_can_write_are_not_used_until_that_is_corrected() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let index = shell.path("a.log.idx");
    set_mode(&shell.path("a.log"), 0o600);
    set_mode(&index, 0o666);
    let verified = shell.run("verify a.log");
    assert!(verified.exit_code == 5 && verified.stdout.contains("end of the log not judged"), "{verified:?}");
    assert!(verified.stdout.contains("index UNTRUSTED") && verified.stdout.contains("mode 0666"), "{verified:?}");
    assert_eq!(shell.run("index status a.log").exit_code, 5);
    let (log, saved) = (log_bytes(&shell), fs::read(&index).unwrap());
    for line in ["index update a.log", "index rebuild a.log", &format!("append a.log {EVENT}")] {
        let outcome = shell.run(line);
        assert!(outcome.exit_code == 6 && outcome.stderr.contains("chmod go-w"), "{line}: {outcome:?}");
        assert!(log_bytes(&shell) == log && fs::read(&index).unwrap() == saved, "{line}");
    }
    set_mode(&index, 0o600);
    assert_eq!(append(&shell).exit_code, 0);

    // The folder of the journals can hide a repair that was killed.
    shell.flip_bit("a.log", 60);
    shell.run_ok("repair a.log --yes");
    let journals = shell.path("a.log.repairs");
    set_mode(&journals, 0o777);
    let log = log_bytes(&shell);
    for line in [format!("append a.log {EVENT}"), "repair a.log --yes".into(), "undo a.log --yes".into()] {
        let outcome = shell.run(&line);
        assert!(outcome.exit_code == 6 && outcome.stderr.contains("mode 0777"), "{line}: {outcome:?}");
        assert!(log_bytes(&shell) == log, "{line}");
    }
    set_mode(&journals, 0o700);
    shell.run("undo a.log --yes");
    assert!(log_bytes(&shell) != log, "the repair is undone");

    // Where every user can write the log, others can have written the side files too.
    set_mode(&shell.path("a.log"), 0o666);
    set_mode(&index, 0o666);
    assert!(!shell.run("verify a.log").stdout.contains("UNTRUSTED"));
}

#[test]
fn a_plan_that_others_can_write_is_not_applied() {
    let shell = shell_with_damage();
    set_mode(&shell.path("a.log"), 0o600);
    shell.run("repair a.log --dry-run --plan p.json");
    let log = log_bytes(&shell);
    set_mode(&shell.path("p.json"), 0o622);
    let outcome = shell.run("repair a.log --apply p.json --yes");
    assert!(outcome.exit_code == 6 && outcome.stderr.contains("p.json: refused"), "{outcome:?}");
    create_stray("FIFO", &shell.path("pipe.json"));
    symlink("p.json", shell.path("link.json")).unwrap();
    for file in ["pipe.json", "link.json"] {
        let outcome = shell.run(&format!("repair a.log --apply {file} --yes"));
        assert!(outcome.exit_code == 6 && outcome.stderr.contains("expected a regular file"), "{outcome:?}");
    }
    assert!(log_bytes(&shell) == log);
    set_mode(&shell.path("p.json"), 0o600);
    shell.run_ok("repair a.log --apply p.json --yes");
}

#[test]
fn side_files_of_other_users_are_not_used() {
    let shell = shell_with_damage();
    shell.run("index update a.log");
    shell.run("repair a.log --dry-run --plan p.json");
    fs::create_dir(shell.path("a.log.repairs")).unwrap();
    let foreign = ["a.log.idx", "p.json", "a.log.repairs"];
    for file in foreign {
        if chown(shell.path(file), Some(OTHER_USER), None).is_err() {
            eprintln!("this user cannot give files away: files of other users are not tested");
            return;
        }
    }
    let log = log_bytes(&shell);
    let verified = shell.run("verify a.log");
    assert_eq!(verified.exit_code, 4, "{verified:?}");
    for file in ["a.log.idx", "a.log.repairs"] {
        let notice = format!("{file}: not used: it belongs to user {OTHER_USER}");
        assert!(verified.stderr.contains(&notice), "{notice}: {verified:?}");
    }
    for line in ["repair a.log --yes", "repair a.log --apply p.json --yes", "undo a.log --yes", "index update a.log"] {
        let outcome = shell.run(line);
        assert!(outcome.exit_code == 6 && outcome.stderr.contains("belongs to user"), "{line}: {outcome:?}");
        assert!(log_bytes(&shell) == log, "{line}");
    }
    // Files that only another user can have created hide nothing, so they do not prevent an append.
    assert_eq!(append(&shell).exit_code, 0);
    assert!(log_bytes(&shell).starts_with(&log) && log_bytes(&shell).len() > log.len());
    for file in foreign {
        assert_eq!(fs::metadata(shell.path(file)).unwrap().uid(), OTHER_USER, "{file}");
    }
}

#[test]
fn no_side_file_has_more_rights_than_the_log() {
    let shell = shell_with_damage();
    set_mode(&shell.path("a.log"), 0o600);
    let torn = log_bytes(&shell);
    fs::write(shell.path("torn.log"), &torn[..torn.len() - 20]).unwrap();
    set_mode(&shell.path("torn.log"), 0o600);
    for line in [
        "index update a.log",
        "repair a.log --dry-run --plan p.json",
        "salvage a.log -o new.log --map map.csv",
        "repair a.log --yes",
        "undo a.log --yes",
        "verify a.log --save",
        &format!("append a.log {EVENT}"),
        &format!("append torn.log {EVENT}"),
    ] {
        let script = format!("umask 000; exec {} {line}", env!("CARGO_BIN_EXE_chronicle"));
        let status = Command::new("sh").args(["-c", &script]).current_dir(shell.folder.path()).output().unwrap();
        assert!([0, 3, 4].contains(&status.status.code().unwrap()), "{line}: {status:?}");
    }
    let (mut folders, mut modes) = (vec![shell.folder.path().to_owned()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let (path, metadata) = entry.map(|entry| (entry.path(), entry.metadata().unwrap())).unwrap();
            modes.insert(path.clone(), metadata.mode() & 0o077);
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    assert!(modes.len() >= 11, "{modes:?}");
    assert!(modes.values().all(|mode| *mode == 0), "{modes:?}");
}

#[test]
fn numbers_in_journal_names_are_checked() {
    for (name, exit_code) in [
        ("4294967295-repair.journal", 6),
        ("4294967293-repair.journal", 0),
        ("4294967296-repair.journal", 0),
        ("18446744073709551615-repair.journal", 0),
        ("00001-repair.journal", 0),
        ("-1-repair.journal", 0),
        ("x-repair.journal", 0),
    ] {
        let shell = shell_with_damage();
        fs::create_dir(shell.path("a.log.repairs")).unwrap();
        fs::write(shell.path("a.log.repairs").join(name), "x").unwrap();
        let before = log_bytes(&shell);
        let outcome = shell.run("repair a.log --yes");
        assert_eq!(outcome.exit_code, exit_code, "{name}: {outcome:?}");
        assert_eq!(log_bytes(&shell) == before, exit_code == 6, "{name}");
        if exit_code == 6 {
            assert!(outcome.stderr.contains("no journal can have a higher one"), "{outcome:?}");
        } else {
            shell.run("undo a.log --yes");
            assert!(log_bytes(&shell) == before, "{name}: the repair can be undone");
        }
    }
}

#[test]
fn two_journals_with_one_number_are_both_named_and_not_undone() {
    let shell = shell_with_damage();
    shell.run_ok("repair a.log --yes");
    let folder = shell.path("a.log.repairs");
    let journal = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    fs::copy(&journal, folder.join("0001-other.journal")).unwrap();
    let before = log_bytes(&shell);
    let outcome = shell.run("undo a.log 1 --yes");
    let name = journal.file_name().unwrap().to_str().unwrap();
    let is_named = outcome.stderr.contains(name) && outcome.stderr.contains("0001-other.journal");
    assert!(outcome.exit_code == 6 && is_named, "{outcome:?}");
    assert!(log_bytes(&shell) == before);
}

#[test]
fn an_abandoned_temporary_file_of_another_user_stays() {
    let shell = Shell::with_log();
    let own = shell.path("a.log.idx.7-0.tmp");
    let foreign = shell.path("a.log.idx.8-0.tmp");
    let of_log_owner = shell.path("a.log.idx.9-0.tmp");
    for path in [&own, &foreign, &of_log_owner] {
        fs::write(path, "left by a killed process").unwrap();
    }
    if chown(&foreign, Some(OTHER_USER), None).is_err() {
        eprintln!("skipped: only root can give files to another user");
        return;
    }
    shell.run_ok("index rebuild a.log");
    assert!(!own.exists() && foreign.exists() && !of_log_owner.exists());
    // Root clears what it has left for the owner of the log, and nothing of a third user.
    for path in [&shell.path("a.log"), &shell.path("a.log.idx"), &of_log_owner] {
        fs::write(path, fs::read(path).unwrap_or_default()).unwrap();
        chown(path, Some(OTHER_USER - 1), None).unwrap();
    }
    shell.run_ok("index rebuild a.log");
    assert!(foreign.exists() && !of_log_owner.exists());
}
