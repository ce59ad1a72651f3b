//! `restore` from a NATS stream: the same bytes, checked, whole or not at all.

use std::fs;

use super::nats_replicate::{interrupt, spawn, wait_until};
use super::nats_server::NatsServer;
use super::shell::Shell;

const EVENT: &str = r#"{"event_type":"T","namespace":"n","schema_id":"S","schema_version":1,"payload":{"a":1}}"#;

#[test]
fn a_log_of_each_version_is_written_again_byte_for_byte() {
    let Some(server) = NatsServer::start() else { return };
    let shell = Shell::with_log();
    shell.run_ok("generate v2.log --events 300 --format 2");
    for log in ["a.log", "v2.log"] {
        let url = server.url(&log.replace('.', "-"));
        shell.run_ok(&format!("replicate {log} {url} --once --create"));
        let restored = shell.run_ok(&format!("restore {url} -o new-{log}"));
        assert!(restored.stdout.contains("300 events written") && restored.stdout.contains("is valid"), "{restored:?}");
        assert!(fs::read(shell.path(log)).unwrap() == fs::read(shell.path(&format!("new-{log}"))).unwrap(), "{log}");
        let exists = shell.run(&format!("restore {url} -o new-{log}"));
        assert!(exists.exit_code == 6 && exists.stderr.contains("already exists"), "{exists:?}");
    }
}

/// Returns the segments of a log, by name.
fn segments(shell: &Shell, log: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(shell.path(log)).unwrap().map(|entry| entry.unwrap());
    let named = files.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    let mut segments: Vec<_> = named
        .filter(|(name, _)| name.rsplit_once('.').is_some_and(|(_, extension)| extension == "log"))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect();
    segments.sort();
    segments
}

#[test]
fn a_log_in_segments_is_written_again_also_when_retention_has_removed_its_start() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::new(), server.url("S"));
    shell.run_ok("generate s/ --events 2000 --segment-size 64KiB");
    shell.run_ok(&format!("replicate s {url} --once --create"));
    shell.run_ok(&format!("restore {url} -o t"));
    assert_eq!(segments(&shell, "s"), segments(&shell, "t"));
    assert!(segments(&shell, "s").len() > 3);
    shell.run_ok("retain s --before 150000 --yes");
    assert_eq!(shell.run_with_input("append s --sync", EVENT.as_bytes()).exit_code, 0);
    let kept = segments(&shell, "s");
    shell.run_ok(&format!("replicate s {url} --once"));
    shell.run_ok(&format!("restore {url} -o u"));
    assert_eq!(kept, segments(&shell, "u"));
    // The other copy goes on with the rest of the last segment and the new ones.
    shell.run_ok(&format!("restore {url} -o t --continue"));
    assert!(segments(&shell, "t").ends_with(&kept));
    shell.run_ok("verify t");
}

#[test]
fn a_copy_with_the_first_part_is_continued_and_another_log_is_not() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    shell.run_ok(&format!("replicate a.log {url} --once --create"));
    shell.run_ok(&format!("restore {url} -o b.log"));
    for _ in 0..3 {
        assert_eq!(shell.run_with_input("append a.log --sync", EVENT.as_bytes()).exit_code, 0);
    }
    shell.run_ok(&format!("replicate a.log {url} --once"));
    // A kill in the middle of a write leaves an unfinished frame.
    let mut torn = fs::read(shell.path("b.log")).unwrap();
    torn.truncate(torn.len() - 7);
    fs::write(shell.path("b.log"), torn).unwrap();
    let _ = fs::remove_file(shell.path("b.log.idx"));
    let continued = shell.run_ok(&format!("restore {url} -o b.log --continue"));
    assert!(continued.stdout.contains("4 events written"), "{continued:?}");
    assert!(fs::read(shell.path("a.log")).unwrap() == fs::read(shell.path("b.log")).unwrap());
    shell.run_ok("generate other.log --events 300 --seed 9");
    let before = fs::read(shell.path("other.log")).unwrap();
    let refused = shell.run(&format!("restore {url} -o other.log --continue"));
    assert!(refused.exit_code == 6 && refused.stderr.contains("that the stream does not have"), "{refused:?}");
    assert_eq!(fs::read(shell.path("other.log")).unwrap(), before);
}

#[test]
fn a_copy_follows_the_stream_and_is_read_like_a_log_that_is_being_written() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    let sender = spawn(&shell, &format!("replicate a.log {url} --create"));
    wait_until("the stream has the log", || {
        server.client().api("STREAM.INFO.A", "").unwrap()["state"]["messages"].as_u64() == Some(300)
    });
    let mut follower = spawn(&shell, &format!("restore {url} -o b.log --follow"));
    let is_same = || fs::read(shell.path("b.log")).is_ok_and(|copy| copy == fs::read(shell.path("a.log")).unwrap());
    wait_until("the copy has the log", is_same);
    assert_eq!(shell.run_with_input("append a.log --sync", EVENT.as_bytes()).exit_code, 0);
    wait_until("the copy has the event", is_same);
    let locked = shell.run_with_input("append b.log", EVENT.as_bytes());
    assert_eq!(locked.exit_code, 6, "{locked:?}");
    shell.run_ok("verify b.log");
    follower.kill().unwrap();
    follower.wait().unwrap();
    assert_eq!(shell.run_with_input("append a.log --sync", EVENT.as_bytes()).exit_code, 0);
    let follower = spawn(&shell, &format!("restore {url} -o b.log --follow"));
    wait_until("the copy has the last event", is_same);
    assert_eq!(interrupt(follower).exit_code, 0);
    assert_eq!(interrupt(sender).exit_code, 0);
}

#[test]
fn a_corrupted_and_a_missing_message_are_named_and_leave_no_log() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    shell.run_ok(&format!("replicate a.log {url} --once --create"));
    let mut client = server.client();
    let (headers, body) = client.message("A", 300);
    // A frame that continues the log, with one changed character in its payload.
    let offset = fs::metadata(shell.path("a.log")).unwrap().len();
    let mut lines: Vec<String> = headers.iter().filter(|line| !line.starts_with("Chronicle-Offset")).cloned().collect();
    lines.push(format!("Chronicle-Offset: {offset}"));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    client.request("A.n.T", &lines, body.replace("payload", "payloae").as_bytes()).unwrap();
    let refused = shell.run(&format!("restore {url} -o b.log"));
    assert_eq!(refused.exit_code, 6, "{refused:?}");
    assert!(
        refused.stderr.contains("sequence number 301") && refused.stderr.contains("checksum"),
        "{}",
        refused.stderr
    );
    let refused = shell.run(&format!("replicate a.log {url} --once"));
    assert!(refused.exit_code == 6 && refused.stderr.contains("sequence number 301"), "{refused:?}");
    client.api("STREAM.MSG.DELETE.A", r#"{"seq":301}"#).unwrap();
    client.api("STREAM.MSG.DELETE.A", r#"{"seq":120}"#).unwrap();
    client.request("A.n.T", &["Chronicle-Log: 1 0\u{1b}[2J"], b"{}").unwrap();
    let refused = shell.run(&format!("restore {url} -o b.log"));
    assert_eq!(refused.exit_code, 6, "{refused:?}");
    assert!(!refused.stderr.contains('\u{1b}'), "{:?}", refused.stderr);
    client.api("STREAM.MSG.DELETE.A", r#"{"seq":302}"#).unwrap();
    let again = shell.run(&format!("restore {url} -o b.log"));
    assert!(again.exit_code == 6 && again.stderr.contains("sequence number 302"), "{again:?}");
    assert!(!shell.path("b.log").exists());
    let left = fs::read_dir(shell.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.starts_with("b.log")).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_hole_in_the_middle_is_named_by_sequence_and_offset() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    shell.run_ok(&format!("replicate a.log {url} --once --create"));
    server.client().api("STREAM.MSG.DELETE.A", r#"{"seq":120}"#).unwrap();
    let refused = shell.run(&format!("restore {url} -o b.log"));
    assert_eq!(refused.exit_code, 6, "{refused:?}");
    assert!(refused.stderr.contains("sequence number 121 has offset"), "{}", refused.stderr);
    assert!(refused.stderr.contains("the one before it, 119, ends at"), "{}", refused.stderr);
    assert!(!shell.path("b.log").exists());
}
