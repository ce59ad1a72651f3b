//! `append`: from flags, from a stream, into logs that are locked, torn, cut, old.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use chronicle::EventLog;
use serde_json::Value;

use super::cli::{Ran, Shell};

const EVENT: &str = r#"{"event_type":"Updated","namespace":"accounts","schema_id":"Person","schema_version":1,"aggregate_id":42,"payload":{"n": 1.0}}"#;

fn events(shell: &Shell) -> Vec<Value> {
    shell.done("cat a.log").out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn offsets(ran: &Ran) -> Vec<u64> {
    ran.out.lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn one_event_from_flags_is_stored_token_for_token() {
    let shell = Shell::new();
    shell.done("create a.log");
    let flags = "--type Updated --namespace accounts --schema Person --aggregate 42 --payload";
    let ran = shell.done(&format!("append a.log {flags} {{\"n\":1.0,\"big\":123456789012345678901234567890}} --sync"));
    assert_eq!(offsets(&ran), [16]);
    let line = shell.done("cat a.log").out;
    assert!(line.contains(r#""payload":{"n":1.0,"big":123456789012345678901234567890}}"#), "{line}");
    let second = shell.done(&format!("append a.log {flags} null --json")).json();
    assert_eq!(second["offset"], events(&shell)[1]["offset"]);
    let bad = shell.run(&format!("append a.log {flags} {{n:1}}"));
    assert!(bad.code == 2 && bad.err.contains("--payload"), "{bad:?}");
    assert_eq!(shell.run("append a.log --type Updated").code, 2, "half an event");
    assert_eq!(events(&shell).len(), 2);
}

#[test]
fn a_stream_is_stored_up_to_the_line_that_is_no_event() {
    let shell = Shell::new();
    shell.done("create a.log");
    let good = format!("{EVENT}\n\n{EVENT}\n").repeat(400);
    let ran = shell.feed("append a.log", good.as_bytes());
    let stored: Vec<u64> = events(&shell).iter().map(|line| line["offset"].as_u64().unwrap()).collect();
    assert_eq!((ran.code, offsets(&ran).len()), (0, 800));
    assert_eq!(offsets(&ran), stored);

    let ours = EVENT.replace("{\"event", "{\"write_timestamp_ms\":1,\"event");
    for (bad, reason) in [("{\"a\":1}", "missing"), (ours.as_str(), "write_timestamp_ms"), ("nonsense", "object")] {
        let before = events(&shell).len();
        let ran = shell.feed("append a.log", format!("{EVENT}\n{EVENT}\n{bad}\n{EVENT}\n").as_bytes());
        assert_eq!((ran.code, offsets(&ran).len(), events(&shell).len()), (1, 2, before + 2), "{ran:?}");
        assert!(ran.err.contains("stdin, line 3, byte ") && ran.err.contains(reason), "{ran:?}");
    }
    let ran = shell.feed("append a.log --json", b"\xff\xfe\n");
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    assert!(ran.code == 1 && error["error"].as_str().unwrap().contains("not UTF-8"), "{ran:?}");
}

#[test]
fn the_last_line_needs_no_end_and_nothing_at_all_is_nothing() {
    let shell = Shell::new();
    shell.done("create a.log");
    assert_eq!(offsets(&shell.feed("append a.log", EVENT.as_bytes())), [16]);
    let ran = shell.feed("append a.log", b"");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn what_is_piped_is_stored_before_more_comes_and_though_nobody_reads_the_offsets() {
    let shell = Shell::new();
    shell.done("create a.log");
    let mut command = shell.command("append a.log");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut reader = std::io::BufReader::new(child.stdout.take().unwrap());
    writeln!(stdin, "{EVENT}").unwrap();
    // Read aside: an offset that never comes must not hang the test.
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = std::io::BufRead::read_line(&mut reader, &mut line);
        let _ = said.send(line);
    });
    let line = heard.recv_timeout(std::time::Duration::from_secs(20));
    if line.is_err() {
        child.kill().unwrap();
    }
    assert_eq!(line.as_deref(), Ok("16\n"));
    assert_eq!(events(&shell).len(), 1, "stored while the pipe is still open");
    let rest = format!("{EVENT}\n").repeat(20_000);
    stdin.write_all(rest.as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(events(&shell).len(), 20_001);
}

#[test]
fn an_append_leaves_a_fresh_index_fresh() {
    let shell = Shell::with_log();
    shell.done("index update a.log");
    shell.feed("append a.log", EVENT.as_bytes());
    assert_eq!(shell.done("index status a.log --json").json()["index"]["events"], 301);
}

#[test]
fn a_torn_end_is_set_aside_and_told() {
    let shell = Shell::with_log();
    let truth = shell.plant("torn_tail", "torn.log");
    let (start, end) = (truth["start"].as_u64().unwrap(), truth["end"].as_u64().unwrap());
    fs::copy(shell.path("torn.log"), shell.path("other.log")).unwrap();
    let ran = shell.feed("append torn.log --journal kept", EVENT.as_bytes());
    assert_eq!((ran.code, offsets(&ran)), (0, vec![start]), "{ran:?}");
    assert!(ran.err.contains(&format!("set aside: torn_tail at offset {start}..{end}")), "{ran:?}");
    assert_eq!(fs::read_dir(shell.path("kept")).unwrap().count(), 1);
    assert_eq!(shell.run("verify torn.log").code, 0);
    let ran = shell.feed("append other.log --json", EVENT.as_bytes());
    let told: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((&told["set_aside"]["kind"], &told["set_aside"]["start"]), (&truth["kind"], &truth["start"]));
}

#[test]
fn a_log_that_must_not_be_appended_to_is_refused() {
    let shell = Shell::with_log();
    shell.plant("truncated", "cut.log");
    fs::write(
        shell.path("zero.log"),
        [&(EVENT.len() as u32 + 25).to_be_bytes(), b"{\"write_timestamp_ms\":10,".as_slice(), &EVENT.as_bytes()[1..]]
            .concat(),
    )
    .unwrap();
    fs::write(shell.path("flags.log"), b"CHRN\0\x01\x01\0\0\0\0\0\0\0\0\0").unwrap();
    for (name, expected) in [("cut.log", "truncated"), ("zero.log", "version 0"), ("flags.log", "forbids to write")] {
        let before = fs::read(shell.path(name)).unwrap();
        let ran = shell.feed(&format!("append {name}"), EVENT.as_bytes());
        assert!(ran.code == 6 && ran.err.contains(expected) && ran.out.is_empty(), "{name}: {ran:?}");
        assert_eq!(fs::read(shell.path(name)).unwrap(), before);
    }
    let writer = EventLog::open(shell.path("a.log")).unwrap();
    let ran = shell.feed("append a.log", EVENT.as_bytes());
    assert!(ran.code == 6 && ran.err.contains("holds the writer's lock"), "{ran:?}");
    if cfg!(target_os = "linux") {
        assert!(ran.err.contains(&format!("pid {}", std::process::id())), "{ran:?}");
        let seen = shell.done("info a.log --json").json();
        assert_eq!((&seen["writer"]["seen"], &seen["writer"]["pid"]), (&"lock".into(), &std::process::id().into()));
        assert_eq!(shell.run("create a.log --force").code, 6, "nor is a log replaced under its writer");
    }
    drop(writer);
    assert_eq!(shell.feed("append a.log", EVENT.as_bytes()).code, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn an_end_that_is_being_written_is_no_damage() {
    let shell = Shell::with_log();
    shell.plant("torn_tail", "torn.log");
    assert_eq!(shell.run("verify torn.log").code, 4);
    let writer = fs::OpenOptions::new().append(true).open(shell.path("torn.log")).unwrap();
    let ran = shell.done("verify torn.log --json").json();
    assert!(ran["in_flight"]["start"].is_u64() && ran["findings_total"] == 0, "{ran}");
    assert!(shell.done("verify torn.log").out.contains("is being written: no damage"));
    assert_eq!(shell.done("cat torn.log").err, "");
    drop(writer);
}
