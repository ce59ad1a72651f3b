//! `append`: from flags, from a stream, and into logs that are locked, torn, cut or of version 0.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use chronicle::EventLog;
use serde_json::Value;

use super::shell::{CommandOutcome, Shell};

const EVENT_JSON: &str = r#"{"event_type":"Updated","namespace":"accounts","schema_id":"Person","schema_version":1,"aggregate_id":42,"payload":{"n": 1.0}}"#;

fn read_events(shell: &Shell) -> Vec<Value> {
    shell.run_ok("cat a.log").stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn printed_offsets(outcome: &CommandOutcome) -> Vec<u64> {
    outcome.stdout.lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn one_event_from_flags_is_stored_token_for_token() {
    let shell = Shell::new();
    shell.run_ok("create a.log");
    let flags = "--type Updated --namespace accounts --schema Person --aggregate 42 --payload";
    let outcome =
        shell.run_ok(&format!("append a.log {flags} {{\"n\":1.0,\"big\":123456789012345678901234567890}} --sync"));
    assert_eq!(printed_offsets(&outcome), [16]);
    let line = shell.run_ok("cat a.log").stdout;
    assert!(line.contains(r#""payload":{"n":1.0,"big":123456789012345678901234567890}}"#), "{line}");
    let second = shell.run_ok(&format!("append a.log {flags} null --json")).stdout_json();
    assert_eq!(second["offset"], read_events(&shell)[1]["offset"]);
    let bad = shell.run(&format!("append a.log {flags} {{n:1}}"));
    assert!(bad.exit_code == 2 && bad.stderr.contains("--payload"), "{bad:?}");
    assert_eq!(shell.run("append a.log --type Updated").exit_code, 2, "an incomplete event");
    assert_eq!(read_events(&shell).len(), 2);
}

#[test]
#[cfg(unix)]
fn an_append_over_the_size_limit_of_files_is_rolled_back_and_reported() {
    let shell = Shell::new();
    shell.run_ok("create a.log");
    shell.run_with_input("append a.log", format!("{EVENT_JSON}\n").repeat(3).as_bytes());
    fs::write(shell.path("events"), format!("{EVENT_JSON}\n").repeat(3000)).unwrap();
    // The unit of the limit is 512 or 1024 bytes, which depends on the shell.
    let script = "ulimit -f 100; exec \"$0\" append a.log < events";
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", script, env!("CARGO_BIN_EXE_chronicle")]).current_dir(shell.folder.path());
    let outcome = CommandOutcome::from_output(limited.output().unwrap());
    assert!(outcome.exit_code == 1 && outcome.stderr.contains("a.log: cannot append"), "{outcome:?}");
    let stored = printed_offsets(&outcome).len();
    // All events that were read before the first append are one batch, of which none is stored.
    assert!(stored < 3000, "{stored}");
    assert_eq!(read_events(&shell).len(), 3 + stored);
    shell.run_ok("verify a.log");
}

#[test]
fn a_stream_is_stored_up_to_the_first_invalid_line() {
    let shell = Shell::new();
    shell.run_ok("create a.log");
    let good = format!("{EVENT_JSON}\n\n{EVENT_JSON}\n").repeat(400);
    let outcome = shell.run_with_input("append a.log", good.as_bytes());
    let stored: Vec<u64> = read_events(&shell).iter().map(|line| line["offset"].as_u64().unwrap()).collect();
    assert_eq!((outcome.exit_code, printed_offsets(&outcome).len()), (0, 800));
    assert_eq!(printed_offsets(&outcome), stored);

    let with_timestamp = EVENT_JSON.replace("{\"event", "{\"write_timestamp_ms\":1,\"event");
    for (bad, reason) in
        [("{\"a\":1}", "missing"), (with_timestamp.as_str(), "write_timestamp_ms"), ("nonsense", "object")]
    {
        let before = read_events(&shell).len();
        let outcome = shell
            .run_with_input("append a.log", format!("{EVENT_JSON}\n{EVENT_JSON}\n{bad}\n{EVENT_JSON}\n").as_bytes());
        assert_eq!(
            (outcome.exit_code, printed_offsets(&outcome).len(), read_events(&shell).len()),
            (1, 2, before + 2),
            "{outcome:?}"
        );
        assert!(outcome.stderr.contains("stdin, line 3, byte ") && outcome.stderr.contains(reason), "{outcome:?}");
    }
    let outcome = shell.run_with_input("append a.log --json", b"\xff\xfe\n");
    let error: Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert!(outcome.exit_code == 1 && error["error"].as_str().unwrap().contains("not UTF-8"), "{outcome:?}");
}

#[test]
fn a_last_line_without_newline_is_an_event_and_empty_input_is_none() {
    let shell = Shell::new();
    shell.run_ok("create a.log");
    assert_eq!(printed_offsets(&shell.run_with_input("append a.log", EVENT_JSON.as_bytes())), [16]);
    let outcome = shell.run_with_input("append a.log", b"");
    assert_eq!((outcome.exit_code, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, "", ""));
}

#[test]
fn a_piped_event_is_stored_at_once_and_a_closed_output_stops_no_append() {
    let shell = Shell::new();
    shell.run_ok("create a.log");
    let mut command = shell.command("append a.log");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut reader = std::io::BufReader::new(child.stdout.take().unwrap());
    writeln!(stdin, "{EVENT_JSON}").unwrap();
    // A thread reads the output, because a missing offset must not block the test.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = std::io::BufRead::read_line(&mut reader, &mut line);
        let _ = sender.send(line);
    });
    let line = receiver.recv_timeout(std::time::Duration::from_secs(20));
    if line.is_err() {
        child.kill().unwrap();
    }
    assert_eq!(line.as_deref(), Ok("16\n"));
    assert_eq!(read_events(&shell).len(), 1, "stored while the pipe is still open");
    let rest = format!("{EVENT_JSON}\n").repeat(20_000);
    stdin.write_all(rest.as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(read_events(&shell).len(), 20_001);
}

#[test]
fn an_append_leaves_a_fresh_index_fresh() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    shell.run_with_input("append a.log", EVENT_JSON.as_bytes());
    assert_eq!(shell.run_ok("index status a.log --json").stdout_json()["index"]["events"], 301);
}

#[test]
fn an_incomplete_last_frame_is_set_aside_and_reported() {
    let shell = Shell::with_log();
    let truth = shell.plant_damage("torn_tail", "torn.log");
    let (start, end) = (truth["start"].as_u64().unwrap(), truth["end"].as_u64().unwrap());
    fs::copy(shell.path("torn.log"), shell.path("other.log")).unwrap();
    let outcome = shell.run_with_input("append torn.log --journal kept", EVENT_JSON.as_bytes());
    assert_eq!((outcome.exit_code, printed_offsets(&outcome)), (0, vec![start]), "{outcome:?}");
    assert!(outcome.stderr.contains(&format!("set aside: torn_tail at offset {start}..{end}")), "{outcome:?}");
    assert_eq!(fs::read_dir(shell.path("kept")).unwrap().count(), 1);
    assert_eq!(shell.run("verify torn.log").exit_code, 0);
    let outcome = shell.run_with_input("append other.log --json", EVENT_JSON.as_bytes());
    let notice: Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert_eq!((&notice["set_aside"]["kind"], &notice["set_aside"]["start"]), (&truth["kind"], &truth["start"]));
}

#[test]
fn appends_to_cut_old_locked_and_flagged_logs_are_refused() {
    let shell = Shell::with_log();
    shell.plant_damage("truncated", "cut.log");
    fs::write(
        shell.path("zero.log"),
        [
            &(EVENT_JSON.len() as u32 + 25).to_be_bytes(),
            b"{\"write_timestamp_ms\":10,".as_slice(),
            &EVENT_JSON.as_bytes()[1..],
        ]
        .concat(),
    )
    .unwrap();
    fs::write(shell.path("flags.log"), b"CHRN\0\x01\x01\0\0\0\0\0\0\0\0\0").unwrap();
    for (name, expected) in [("cut.log", "truncated"), ("zero.log", "version 0"), ("flags.log", "must not write")] {
        let before = fs::read(shell.path(name)).unwrap();
        let outcome = shell.run_with_input(&format!("append {name}"), EVENT_JSON.as_bytes());
        assert!(
            outcome.exit_code == 6 && outcome.stderr.contains(expected) && outcome.stdout.is_empty(),
            "{name}: {outcome:?}"
        );
        assert_eq!(fs::read(shell.path(name)).unwrap(), before);
    }
    let writer = EventLog::open(shell.path("a.log")).unwrap();
    let outcome = shell.run_with_input("append a.log", EVENT_JSON.as_bytes());
    assert!(outcome.exit_code == 6 && outcome.stderr.contains("holds the writer's lock"), "{outcome:?}");
    if cfg!(target_os = "linux") {
        assert!(outcome.stderr.contains(&format!("pid {}", std::process::id())), "{outcome:?}");
        let info = shell.run_ok("info a.log --json").stdout_json();
        assert_eq!((&info["writer"]["seen"], &info["writer"]["pid"]), (&"lock".into(), &std::process::id().into()));
        assert_eq!(shell.run("create a.log --force").exit_code, 6, "a log that is being written is not replaced");
    }
    drop(writer);
    assert_eq!(shell.run_with_input("append a.log", EVENT_JSON.as_bytes()).exit_code, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn an_end_that_is_being_written_is_not_damage() {
    let shell = Shell::with_log();
    shell.plant_damage("torn_tail", "torn.log");
    assert_eq!(shell.run("verify torn.log").exit_code, 4);
    let writer = fs::OpenOptions::new().append(true).open(shell.path("torn.log")).unwrap();
    let outcome = shell.run_ok("verify torn.log --json").stdout_json();
    assert!(outcome["in_flight"]["start"].is_u64() && outcome["findings_total"] == 0, "{outcome}");
    assert!(shell.run_ok("verify torn.log").stdout.contains("is being written: not damage"));
    assert_eq!(shell.run_ok("cat torn.log").stderr, "");
    drop(writer);
}

#[cfg(target_os = "linux")]
#[test]
fn an_end_that_another_program_is_writing_is_not_cut_off() {
    let shell = Shell::with_log();
    let whole = fs::read(shell.path("a.log")).unwrap();
    let torn = whole.len() - 30;
    fs::write(shell.path("a.log"), &whole[..torn]).unwrap();
    // The writer takes no lock and stalls in the middle of its frame.
    let mut writer = fs::OpenOptions::new().append(true).open(shell.path("a.log")).unwrap();
    let refused = shell.run_with_input("append a.log", EVENT_JSON.as_bytes());
    let pid = format!("process {}", std::process::id());
    assert!(refused.exit_code == 6 && refused.stderr.contains(&pid), "{refused:?}");
    assert!(fs::read(shell.path("a.log")).unwrap() == whole[..torn]);
    assert!(!shell.path("a.log.repairs").exists(), "nothing was set aside");

    let waiting = shell.append_while_waiting("a.log", EVENT_JSON, || {
        writer.write_all(&whole[torn..]).unwrap();
        drop(writer);
    });
    assert_eq!((waiting.exit_code, printed_offsets(&waiting)), (0, vec![whole.len() as u64]), "{waiting:?}");
    assert_eq!(read_events(&shell).len(), 301, "the event of the other program is kept");
}

#[cfg(target_os = "linux")]
#[test]
fn append_waits_for_the_lock() {
    let shell = Shell::with_log();
    let log = EventLog::open(shell.path("a.log")).unwrap();
    let outcome = shell.append_while_waiting("a.log", EVENT_JSON, || drop(log));
    assert_eq!(outcome.exit_code, 0, "{outcome:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_has_done_its_work_says_so_when_its_output_cannot_be_written() {
    let shell = Shell::with_log();
    shell.run_ok("create b.log");
    fs::write(shell.path("events.ndjson"), format!("{EVENT_JSON}\n").repeat(3)).unwrap();
    shell.plant_damage("checksum", "bad.log");
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = |line: &str, input: Option<&str>| {
        let mut command = shell.command(line);
        if let Some(input) = input {
            command.stdin(fs::File::open(shell.path(input)).unwrap());
        }
        CommandOutcome::from_output(command.stdout(full()).stderr(Stdio::piped()).output().unwrap())
    };
    for (line, input, effect) in [
        ("append b.log", Some("events.ndjson"), "stored 3 events, up to offset"),
        ("append b.log --json", Some("events.ndjson"), "stored 3 events, up to offset"),
        ("create c.log", None, "c.log is created"),
        ("generate d.log --events 3", None, "d.log is created"),
        ("drill a.log -o e.log --kind zeros", None, "e.log is created"),
        ("salvage bad.log -o f.log", None, "f.log is complete"),
        ("index update a.log", None, "a.log.idx is saved"),
        ("repair bad.log --yes", None, "repair 1 is applied"),
        ("undo bad.log --yes", None, "undo 2 is applied"),
    ] {
        let outcome = run(line, input);
        assert_eq!(outcome.exit_code, 1, "{line}: {outcome:?}");
        assert!(outcome.stderr.contains(effect), "{line}: {outcome:?}");
    }
    assert_eq!(shell.run_ok("cat b.log").stdout.lines().count(), 6);
}
