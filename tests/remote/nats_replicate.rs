//! `replicate` against a NATS server: each event once and in order, whatever is killed when.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::nats_server::NatsServer;
use super::shell::{CommandOutcome, Shell};

/// Starts a command that runs until it is stopped.
pub(super) fn spawn(shell: &Shell, line: &str) -> Child {
    let mut command = shell.command(line);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Asks a command to end as Ctrl-c does, and returns its outcome.
pub(super) fn interrupt(child: Child) -> CommandOutcome {
    let pid = i32::try_from(child.id()).unwrap();
    let status = std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status().unwrap();
    assert!(status.success());
    CommandOutcome::from_output(child.wait_with_output().unwrap())
}

/// Waits until `condition` is true.
pub(super) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < Duration::from_secs(90), "waited 90 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Checks that the stream has `events` messages, and that they are `log`: a restored copy has the same bytes.
pub(super) fn assert_stream_is(shell: &Shell, server: &NatsServer, stream: &str, (log, events): (&str, u64)) {
    assert_eq!(server.client().stream_state(stream), (events, events), "messages and last sequence number");
    let restored = format!("restored-{stream}");
    let _ = fs::remove_file(shell.path(&restored));
    shell.run_ok(&format!("restore {} -o {restored}", server.url(stream)));
    assert!(fs::read(shell.path(log)).unwrap() == fs::read(shell.path(&restored)).unwrap(), "the copy differs");
}

#[test]
fn a_log_is_sent_once_and_a_second_run_sends_nothing() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    let missing = shell.run(&format!("replicate a.log {url} --once"));
    assert_eq!((missing.exit_code, missing.stdout.as_str()), (6, ""), "{}", missing.stderr);
    assert!(
        missing.stderr.contains("no stream of this name") && missing.stderr.contains("--create"),
        "{}",
        missing.stderr
    );
    let sent = shell.run_ok(&format!("replicate a.log {url} --once --create --json"));
    let lines: Vec<serde_json::Value> = sent.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let log_bytes = fs::metadata(shell.path("a.log")).unwrap().len();
    let end = lines.last().unwrap();
    assert_eq!(lines[0]["event"], "created", "{}", sent.stdout);
    assert_eq!((&end["event"], &end["events"], &end["lag_events"]), (&"end".into(), &300.into(), &0.into()), "{end}");
    assert_eq!((end["position"].as_u64(), end["bytes"].as_u64()), (Some(log_bytes), Some(log_bytes)), "{end}");
    assert!(sent.stderr.contains("one replica"), "{}", sent.stderr);
    let again = shell.run_ok(&format!("replicate a.log {url} --once"));
    assert!(
        again.stdout.contains("the stream has 300 messages") && again.stdout.contains("0 events sent"),
        "{}",
        again.stdout
    );
    assert_stream_is(&shell, &server, "A", ("a.log", 300));
    let (headers, body) = server.client().message("A", 2);
    assert_eq!(headers.len(), 3, "{headers:?}");
    assert!(shell.run_ok("cat a.log --limit 2").stdout.lines().nth(1).unwrap().contains(&body[1..]), "{body}");
}

#[test]
fn events_are_sent_as_they_are_appended() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    let follower = spawn(&shell, &format!("replicate a.log {url} --create"));
    let event = r#"{"event_type":"T.x","namespace":"n","schema_id":"S","schema_version":1,"payload":{}}"#;
    for count in 1..=5u64 {
        wait_until("the stream has the events", || {
            server.client().api("STREAM.INFO.A", "").unwrap()["state"]["messages"].as_u64() == Some(299 + count)
        });
        assert_eq!(shell.run_with_input("append a.log --sync", event.as_bytes()).exit_code, 0);
    }
    wait_until("the stream has the last event", || server.client().stream_state("A").0 == 305);
    let ended = interrupt(follower);
    assert_eq!(ended.exit_code, 0, "{ended:?}");
    assert!(ended.stdout.contains("305 events sent"), "{}", ended.stdout);
    assert_stream_is(&shell, &server, "A", ("a.log", 305));
}

#[test]
fn a_sender_that_is_killed_at_any_moment_goes_on_where_the_stream_ends() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::new(), server.url("A"));
    shell.run_ok("generate a.log --events 30000");
    shell.run_ok("generate empty.log --events 1");
    shell.run_ok(&format!("replicate empty.log {} --once --create", server.url("OTHER")));
    let line = format!("replicate a.log {url} --once --create");
    // The moments are spread over the whole run, which takes a second or less.
    let mut counts = Vec::new();
    for ms in [150, 30, 200, 60, 90, 250, 40, 120] {
        let mut child = spawn(&shell, &line);
        std::thread::sleep(Duration::from_millis(ms));
        child.kill().unwrap();
        child.wait().unwrap();
        let state = server.client().api("STREAM.INFO.A", "").unwrap();
        counts.push(state["state"]["messages"].as_u64().unwrap_or(0));
    }
    assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]), "{counts:?}");
    shell.run_ok(&line);
    assert_stream_is(&shell, &server, "A", ("a.log", 30000));
}

#[test]
fn of_two_senders_at_once_each_event_is_stored_once() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::new(), server.url("A"));
    shell.run_ok("generate a.log --events 20000");
    shell.run_ok("generate one.log --events 1");
    let line = format!("replicate a.log {url} --once --create");
    let children = [spawn(&shell, &line), spawn(&shell, &line)];
    let outcomes = children.map(|child| CommandOutcome::from_output(child.wait_with_output().unwrap()));
    for outcome in &outcomes {
        assert!(matches!(outcome.exit_code, 0 | 6), "{outcome:?}");
        assert!(outcome.exit_code == 0 || outcome.stderr.contains("another process sends"), "{outcome:?}");
    }
    assert!(outcomes.iter().any(|outcome| outcome.exit_code == 0), "{outcomes:?}");
    assert_stream_is(&shell, &server, "A", ("a.log", 20000));
}

#[test]
fn a_server_that_is_killed_and_started_again_loses_and_repeats_nothing() {
    let Some(mut server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::new(), server.url("A"));
    shell.run_ok("generate a.log --events 30000");
    let follower = spawn(&shell, &format!("replicate a.log {url} --create"));
    wait_until("the stream has events", || {
        let info = server.client().api("STREAM.INFO.A", "");
        info.is_some_and(|info| info["state"]["messages"].as_u64() > Some(0))
    });
    server.kill();
    std::thread::sleep(Duration::from_millis(700));
    server.restart();
    wait_until("the stream has all events", || server.client().stream_state("A").1 == 30000);
    let ended = interrupt(follower);
    assert_eq!(ended.exit_code, 0, "{ended:?}");
    assert_stream_is(&shell, &server, "A", ("a.log", 30000));
}

#[test]
fn a_stream_of_another_log_is_refused() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    shell.run_ok(&format!("replicate a.log {url} --once --create"));
    shell.run_ok("generate b.log --events 300 --seed 7");
    shell.run_ok("generate c.log --events 300 --format 2");
    for other in ["b.log", "c.log"] {
        let refused = shell.run(&format!("replicate {other} {url} --once"));
        assert_eq!(refused.exit_code, 6, "{refused:?}");
        assert!(refused.stderr.contains("another log"), "{}", refused.stderr);
    }
    assert_stream_is(&shell, &server, "A", ("a.log", 300));
}

#[test]
fn a_repair_of_what_was_sent_is_told_and_one_of_the_last_event_is_refused() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    shell.run_ok(&format!("replicate a.log {url} --once --create"));
    let offsets: Vec<u64> = shell.run_ok("cat a.log").stdout.lines().map(offset_of).collect();
    shell.run_ok(&format!("erase a.log --offset {} --reason test --yes", offsets[7]));
    let told = shell.run(&format!("replicate a.log {url} --once"));
    assert_eq!(told.exit_code, 3, "{told:?}");
    assert!(told.stdout.contains(&format!("offset {}: the stream has an event", offsets[7])), "{}", told.stdout);
    assert!(told.stdout.contains("sequence number 8") && told.stdout.contains("a gap"), "{}", told.stdout);
    shell.run_ok(&format!("erase a.log --offset {} --reason test --yes", offsets[299]));
    let refused = shell.run(&format!("replicate a.log {url} --once"));
    assert_eq!(refused.exit_code, 6, "{refused:?}");
    assert!(refused.stderr.contains("log was repaired, undone or damaged since"), "{}", refused.stderr);
    assert_eq!(server.client().stream_state("A"), (300, 300));
    shell.run_ok("undo a.log --yes");
    let undone = shell.run(&format!("replicate a.log {url} --once"));
    assert_eq!(undone.exit_code, 3, "{undone:?}");
}

fn offset_of(line: &str) -> u64 {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["offset"].as_u64().unwrap()
}

#[test]
fn sending_stops_in_front_of_damage_and_goes_on_after_the_repair() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    let planted = shell.plant_damage("checksum", "b.log");
    let start = planted["start"].as_u64().or_else(|| planted["range"]["start"].as_u64());
    let stopped = shell.run(&format!("replicate b.log {url} --once --create --json"));
    assert_eq!(stopped.exit_code, 3, "{stopped:?}");
    let lines: Vec<serde_json::Value> =
        stopped.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let damage = lines.iter().find(|line| line["event"] == "damage").unwrap_or_else(|| panic!("{}", stopped.stdout));
    assert!(start.is_none() || damage["finding"]["start"].as_u64() == start, "{planted} {damage}");
    let sent = server.client().stream_state("A").0;
    assert!((1..300).contains(&sent), "{sent}");
    let follower = spawn(&shell, &format!("replicate b.log {url}"));
    shell.run_ok("repair b.log --yes");
    wait_until("the stream has all events", || server.client().stream_state("A").0 == 300);
    let ended = interrupt(follower);
    assert_eq!(ended.exit_code, 0, "{ended:?}");
    assert_stream_is(&shell, &server, "A", ("b.log", 300));
}

#[test]
fn an_event_that_is_larger_than_the_server_takes_is_an_error_before_anything_is_sent() {
    let Some(server) = NatsServer::with_config("max_payload: 60000") else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    let offset = fs::metadata(shell.path("a.log")).unwrap().len();
    let event = format!(
        r#"{{"event_type":"T","namespace":"n","schema_id":"S","schema_version":1,"payload":"{}"}}"#,
        "x".repeat(60_000)
    );
    assert_eq!(shell.run_with_input("append a.log", event.as_bytes()).exit_code, 0);
    let refused = shell.run(&format!("replicate a.log {url} --once --create"));
    assert_eq!(refused.exit_code, 6, "{refused:?}");
    assert!(refused.stderr.contains(&format!("the event at offset {offset} needs a message of")), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("takes 60000 bytes") && refused.stderr.contains("max_payload"),
        "{}",
        refused.stderr
    );
    assert_eq!(server.client().stream_state("A"), (0, 0));
}

#[test]
fn a_server_that_is_not_there_is_an_error_with_its_address() {
    let shell = Shell::with_log();
    let port = super::nats_server::free_port();
    let failed = shell.run(&format!("replicate a.log nats://127.0.0.1:{port}/A --once"));
    assert_eq!(failed.exit_code, 1, "{failed:?}");
    assert!(failed.stderr.contains(&format!("nats://127.0.0.1:{port}/A")), "{}", failed.stderr);
    assert!(failed.stderr.contains("cannot be reached"), "{}", failed.stderr);
}
