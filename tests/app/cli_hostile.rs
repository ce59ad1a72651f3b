//! Hostile text in logs, paths and arguments is escaped on a terminal.

use std::fs;
use std::io::Read;

use chronicle::{Event, EventLog};
use serde_json::Value;

use super::shell::{CommandOutcome, Shell};

const HOSTILE: &str = "a\u{202e}b\u{9b}31m\u{200b}\u{7f}‹é›";
const HOSTILE_ESCAPED: &str = "a‹U+202E›b‹U+009B›31m‹U+200B›‹DEL›‹U+2039›é›";

fn create_log_with_hostile_names(shell: &Shell) {
    let mut log = EventLog::create(shell.path("a.log")).unwrap();
    let event = Event::builder()
        .event_type(HOSTILE)
        .namespace("\u{1b}]0;title\u{7}")
        .schema_id("s")
        .schema_version(1)
        .payload_json(format!("{{\"key\u{202e}\":\"{HOSTILE}\"}}"))
        .build()
        .unwrap();
    log.append(&event).unwrap();
    log.close().unwrap();
}

fn assert_no_raw_controls(outcome: &CommandOutcome) {
    let raw = |c: &char| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
    for text in [&outcome.stdout, &outcome.stderr] {
        assert_eq!(text.chars().find(raw), None, "{outcome:?}");
    }
}

#[test]
fn names_are_escaped_in_text_and_kept_in_json() {
    let shell = Shell::new();
    create_log_with_hostile_names(&shell);
    let info = shell.run_ok("info a.log");
    assert_no_raw_controls(&info);
    assert!(info.stdout.contains(HOSTILE_ESCAPED) && info.stdout.contains("‹ESC›]0;title‹BEL›"), "{info:?}");
    let json = shell.run_ok("info a.log --json").stdout_json();
    assert_eq!(json["counts"]["types"][0]["name"], HOSTILE);
    // Output to a file or pipe is unchanged.
    let line: Value = shell.run_ok("cat a.log").stdout_json();
    assert_eq!(line["event"]["event_type"], HOSTILE);
    assert!(shell.run_ok("cat a.log").stdout.contains(HOSTILE));
}

#[cfg(unix)]
#[test]
fn paths_and_arguments_are_escaped() {
    use std::os::unix::ffi::OsStrExt;

    let shell = Shell::new();
    let names: [&[u8]; 3] = [b"x\x1b[2J.log", b"x\xff.log", "x‹xFF›.log".as_bytes()];
    let drawn = ["x‹ESC›[2J.log", "x‹xFF›.log", "x‹U+2039›xFF›.log"];
    for (name, drawn) in names.into_iter().zip(drawn) {
        let name = std::ffi::OsStr::from_bytes(name);
        for command in ["verify", "append", "index update"] {
            let outcome = CommandOutcome::from_output(shell.command(command).arg(name).output().unwrap());
            assert_no_raw_controls(&outcome);
            assert!(outcome.exit_code == 1 && outcome.stderr.contains(drawn), "{outcome:?}");
        }
        fs::write(shell.folder.path().join(name), b"CHRN\0\x01\0\0\0\0\0\0\0\0\0\x05").unwrap();
        for command in ["verify", "info", "index update", "index status"] {
            let outcome = CommandOutcome::from_output(shell.command(command).arg(name).output().unwrap());
            assert_no_raw_controls(&outcome);
            assert!(outcome.exit_code == 0 && outcome.stdout.contains(drawn), "{outcome:?}");
        }
    }
    for hostile in ["--\u{1b}[31m", "ver\u{202e}ify"] {
        let outcome = CommandOutcome::from_output(shell.command("").arg(hostile).output().unwrap());
        assert_no_raw_controls(&outcome);
        assert_eq!(outcome.exit_code, 2);
    }
    let outcome = CommandOutcome::from_output(
        shell.command("verify --index").arg("a\u{1b}\u{202e}.idx").arg("nothing").output().unwrap(),
    );
    assert_no_raw_controls(&outcome);
}

#[cfg(unix)]
#[test]
fn json_is_escaped_only_on_a_terminal() {
    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    let shell = Shell::new();
    create_log_with_hostile_names(&shell);
    let pty = native_pty_system().openpty(PtySize { cols: 400, ..PtySize::default() }).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_chronicle"));
    command.args(["cat", "a.log"]);
    command.cwd(shell.folder.path());
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut shown = Vec::new();
    // Reading a closed terminal fails on Linux and ends elsewhere.
    let _ = reader.read_to_end(&mut shown);
    assert!(child.wait().unwrap().success());
    let shown = String::from_utf8(shown).unwrap();
    let line = shown.trim_end();
    assert!(line.contains(r"a\u202eb\u009b31m\u200b\u007f‹é›"), "{line:?}");
    assert_eq!(line.chars().find(|c| c.is_control()), None);
    let value: Value = serde_json::from_str(line).unwrap();
    assert_eq!(value["event"]["event_type"], HOSTILE);
}
