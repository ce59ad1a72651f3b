//! Paths of a command that lead to the same file, or to a file of another kind: the command is refused before it reads
//! or writes anything, whatever the kind of link, and also with `--force`.

use std::fs;
use std::path::{Path, PathBuf};

use super::shell::{CommandOutcome, Shell};

/// Commands that write to `OUT`, and whether they also read `good.log` as a donor.
const WRITING_COMMANDS: [&str; 15] = [
    "repair a.log --dry-run --donor good.log --plan OUT --force",
    "repair a.log --yes --donor good.log --plan OUT --force",
    "salvage a.log --donor good.log -o OUT --force",
    "salvage a.log --donor good.log -o new.log --map OUT --force",
    "migrate a.log -o OUT --force",
    "migrate a.log -o new.log --map OUT --force",
    "drill a.log -o OUT --kind checksum --force",
    "index update a.log --index OUT",
    "index rebuild a.log --index OUT",
    "verify a.log --save --index OUT",
    "append a.log --index OUT --type T --namespace n --schema s --payload 1",
    "repair a.log --yes --index OUT",
    "undo a.log --yes --index OUT",
    "create new.log --index OUT",
    "create new.log --force --index OUT",
];

/// Creates a damaged log, a donor, their side files and a text file.
fn shell_with_files() -> Shell {
    let shell = Shell::new();
    shell.run_ok("generate good.log --events 40");
    shell.run_ok("drill good.log -o a.log --kind checksum");
    shell.run_ok("index update good.log");
    shell.run_ok("index update a.log");
    fs::create_dir(shell.path("a.log.repairs")).unwrap();
    fs::write(shell.path("a.log.repairs/0001-abc.journal"), "CHRJ, a journal").unwrap();
    fs::write(shell.path("notes.txt"), "my notes").unwrap();
    fs::create_dir(shell.path("sub")).unwrap();
    shell
}

/// Returns every file in the folder and its folders, with its bytes.
fn all_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            files.extend(all_files(&path));
        } else {
            // A link to a folder cannot be read, and has no bytes.
            files.push((path.clone(), fs::read(&path).unwrap_or_default()));
        }
    }
    files.sort();
    files
}

/// Runs every command of the table on `out`, and checks that it is refused and changes no file.
fn assert_refused(shell: &Shell, out: &str, is_covered: impl Fn(&str) -> bool) {
    let before = all_files(shell.folder.path());
    for command in WRITING_COMMANDS.into_iter().filter(|command| is_covered(command)) {
        let outcome = shell.run(&command.replace("OUT", out));
        let expected: &[i32] = if command.starts_with("verify") { &[1, 2] } else { &[6] };
        assert!(expected.contains(&outcome.exit_code), "{command}, {out}: {outcome:?}");
        assert!(outcome.stderr.contains("would replace"), "{command}, {out}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{command}, {out}");
        assert!(all_files(shell.folder.path()) == before, "{command}, {out}: a file changed");
    }
}

#[test]
fn no_command_replaces_a_file_that_it_reads() {
    let shell = shell_with_files();
    let is_index_command = |command: &str| command.contains("--index OUT");
    let reads_log = |command: &str| !command.starts_with("create");
    assert_refused(&shell, "a.log", reads_log);
    assert_refused(&shell, "a.log.idx", |command| reads_log(command) && !is_index_command(command));
    assert_refused(&shell, "a.log.repairs/0001-abc.journal", reads_log);
    for donor in ["good.log", "good.log.idx"] {
        assert_refused(&shell, donor, |command| command.contains("--donor"));
    }
    // An index replaces nothing but an index.
    for other in ["good.log", "notes.txt", "a.log.repairs/0001-abc.journal"] {
        assert_refused(&shell, other, is_index_command);
    }
}

#[test]
fn two_outputs_of_a_command_are_different_files() {
    let shell = shell_with_files();
    let before = all_files(shell.folder.path());
    for command in [
        "salvage a.log -o new.log --map new.log --force",
        "salvage a.log -o new.log --map sub/../new.log --force",
        "salvage a.log -o new.log --map new.log.idx --force",
        "salvage a.log -o a.log.repairs",
        "salvage a.log -o x.log --journal x.log",
        "salvage a.log --donor new.log.idx -o new.log --force",
        "create new.log --index new.log",
        "create new.log --index ./new.log --force",
        "repair a.log --yes --plan new.idx --index new.idx",
        "repair a.log --yes --apply a.log --index a.log",
    ] {
        fs::copy(shell.path("good.log"), shell.path("new.log.idx")).unwrap();
        let outcome = shell.run(command);
        assert_eq!(outcome.exit_code, 6, "{command}: {outcome:?}");
        assert!(outcome.stderr.contains("would replace"), "{command}: {outcome:?}");
        fs::remove_file(shell.path("new.log.idx")).unwrap();
        assert!(all_files(shell.folder.path()) == before, "{command}: a file changed");
    }
}

#[cfg(unix)]
#[test]
fn links_to_a_file_that_is_read_are_refused() {
    use std::os::unix::fs::symlink;

    let shell = shell_with_files();
    symlink(shell.folder.path(), shell.path("here")).unwrap();
    let absolute = shell.path("a.log").display().to_string();
    symlink("a.log", shell.path("soft")).unwrap();
    fs::hard_link(shell.path("a.log"), shell.path("hard")).unwrap();
    for spelling in ["soft", "hard", "./a.log", "sub/../a.log", "here/a.log", "here/soft", &absolute] {
        assert_refused(&shell, spelling, |command| !command.starts_with("create"));
    }
    symlink("good.log.idx", shell.path("soft.idx")).unwrap();
    for spelling in ["soft.idx", "here/good.log.idx"] {
        assert_refused(&shell, spelling, |command| command.contains("--donor"));
    }
    // A log that is named by a link has its side files next to the log itself.
    let before = all_files(shell.folder.path());
    let outcome = shell.run("repair sub/../soft --dry-run --plan a.log.idx --force");
    assert!(outcome.exit_code == 6 && outcome.stderr.contains("would replace"), "{outcome:?}");
    assert!(all_files(shell.folder.path()) == before);
}

#[test]
fn files_of_the_same_kind_are_replaced_as_before() {
    let shell = shell_with_files();
    fs::copy(shell.path("good.log.idx"), shell.path("x.idx")).unwrap();
    fs::write(shell.path("empty.idx"), "").unwrap();
    shell.run_ok("index update a.log --index x.idx");
    shell.run_ok("index update a.log --index empty.idx");
    shell.run_ok("index rebuild a.log --index a.log.idx");
    // The side files of another log are not side files of this command's logs.
    shell.run_ok("generate other.log --events 3");
    for line in ["salvage a.log -o other.log --force", "salvage a.log -o n.log --map notes.txt --force"] {
        assert_eq!(shell.run(line).exit_code, 0, "{line}");
    }
    assert!(fs::read_to_string(shell.path("notes.txt")).unwrap().starts_with("old,new,how\n"));
    let outcome = shell.run("salvage a.log -o n2.log --map notes.txt");
    assert!(outcome.exit_code == 6 && outcome.stderr.contains("already exists"), "{outcome:?}");
    assert!(!shell.path("n2.log").exists());
}

#[test]
fn a_forced_creation_that_fails_restores_what_it_would_replace() {
    let shell = shell_with_files();
    let before = all_files(shell.folder.path());
    // The log is too short for this drill, which is known only after the old copy was moved away.
    shell.run_ok("create short.log");
    let outcome = shell.run("drill short.log -o good.log --kind length --force");
    assert_ne!(outcome.exit_code, 0, "{outcome:?}");
    for name in ["short.log", "short.log.idx"] {
        fs::remove_file(shell.path(name)).unwrap();
    }
    assert!(all_files(shell.folder.path()) == before, "the old log and its index are back");
}

#[cfg(unix)]
#[test]
fn the_screen_refuses_an_index_that_would_replace_another_file() {
    use std::io::{Read, Write as _};

    let shell = shell_with_files();
    let before = all_files(shell.folder.path());
    for index in ["notes.txt", "good.log", "a.log"] {
        let pair = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).unwrap();
        let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_chronicle"));
        command.args(["a.log", "--index", index]);
        command.cwd(shell.folder.path());
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        // A screen that opens nevertheless is left with this key, and exits with another status.
        pair.master.take_writer().unwrap().write_all(b"q").unwrap();
        let mut shown = Vec::new();
        let _ = pair.master.try_clone_reader().unwrap().read_to_end(&mut shown);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert_eq!(child.wait().unwrap().exit_code(), 6, "{index}: {shown}");
        assert!(shown.contains("would replace"), "{index}: {shown}");
    }
    assert!(all_files(shell.folder.path()) == before);
}

#[test]
fn a_message_names_both_arguments_and_the_next_step() {
    let shell = shell_with_files();
    let CommandOutcome { stderr, .. } = shell.run("repair a.log --dry-run --donor good.log --plan good.log --force");
    let expected = "chronicle: good.log: --plan would replace the donor (good.log)\n  Name another file; --force does not allow this.\n";
    assert_eq!(stderr, expected);
}

#[test]
fn no_output_replaces_a_file_in_the_folder_of_a_log_that_is_read() {
    let shell = Shell::new();
    shell.run_ok("generate acc/ --segment-size 64KiB --events 400");
    let files = || -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(shell.path("acc"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files();
    for command in [
        "export acc -o acc/00000000000000000000.log --force",
        "export acc -o acc/new.ndjson",
        "report acc -o acc/log.json --force",
        "repair acc --dry-run --plan acc/log.json --force",
        "salvage acc -o new.log --map acc/log.json --force",
    ] {
        let outcome = shell.run(command);
        assert!(outcome.exit_code == 6 && outcome.stderr.contains("would be inside"), "{command}: {outcome:?}");
        assert!(files() == before && !shell.path("new.log").exists(), "{command}");
    }
}
