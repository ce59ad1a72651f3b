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
    let drawn = [r"x\033[2J.log", r"x\377.log", r"x\342\200\271xFF›.log"];
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
        // A message about two arguments names both of them.
        let copied = shell.command("salvage").arg(name).arg("-o").arg(name).output().unwrap();
        let copied = CommandOutcome::from_output(copied);
        assert_no_raw_controls(&copied);
        assert_eq!((copied.exit_code, copied.stderr.matches(drawn).count()), (6, 2), "{copied:?}");
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

/// Returns the first character that a terminal or an editor would act on.
fn first_raw_control(text: &str) -> Option<char> {
    let is_raw =
        |c: &char| (c.is_control() && *c != '\n') || matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{feff}');
    text.chars().find(is_raw)
}

#[test]
fn composed_json_is_escaped_also_in_a_pipe_and_keeps_its_values() {
    let shell = Shell::new();
    let hostile = format!("{HOSTILE}\u{feff}");
    let mut log = EventLog::create(shell.path("a.log")).unwrap();
    for _ in 0..40 {
        let event = Event::builder().event_type(&hostile).namespace(&hostile).schema_id(&hostile).schema_version(1);
        log.append(&event.payload_json(format!("\"{hostile}\"")).build().unwrap()).unwrap();
    }
    log.close().unwrap();
    let mut bytes = fs::read(shell.path("a.log")).unwrap();
    // The evidence of an invalid event and the alternatives of a plan contain text of the log.
    let event = format!("{{\"{hostile}\":1}}");
    chronicle::internal::format::frame::encode(event.as_bytes(), &mut bytes);
    fs::write(shell.path("a.log"), &bytes).unwrap();
    shell.flip_bit("a.log", 100);
    fs::copy(shell.path("a.log"), shell.path("b.log")).unwrap();
    shell.flip_bit("b.log", 3000);
    for command in [
        "verify a.log --json",
        "verify a.log --ndjson",
        "info a.log --json",
        "show a.log 16 --json",
        "show a.log 1000 --json",
        "index status a.log --json",
        "diff a.log b.log --json",
        "repair a.log --dry-run --json",
        "repair a.log --dry-run --plan p.json --json",
        "repair a.log --yes --json",
        "undo a.log --list --json",
        "salvage a.log -o n.log --map m.csv --json",
        "cat a.log --filter type=\u{202e}\u{feff} --json",
        "verify \u{202e}\u{feff} --json",
    ] {
        let outcome = shell.run(command);
        assert_eq!(first_raw_control(&outcome.stdout), None, "{command}: {outcome:?}");
        assert_eq!(first_raw_control(&outcome.stderr), None, "{command}: {outcome:?}");
        for line in outcome.stdout.lines().chain(outcome.stderr.lines()) {
            let _: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{command}: {error}: {line}"));
        }
    }
    let plan = fs::read_to_string(shell.path("p.json")).unwrap();
    assert_eq!(first_raw_control(&plan), None, "{plan}");
    let info = shell.run("info a.log --json").stdout_json();
    assert_eq!(info["counts"]["types"][0]["name"], hostile);
    let shown = shell.run_ok("show a.log #2 --json").stdout_json();
    assert_eq!(shown["event"]["payload"], hostile);
    // Stored events stay as they are, token for token.
    assert!(shell.run("cat a.log").stdout.contains(&format!("\"payload\":\"{hostile}\"}}}}")));
}

#[cfg(unix)]
#[test]
fn stored_json_is_escaped_only_on_a_terminal() {
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
