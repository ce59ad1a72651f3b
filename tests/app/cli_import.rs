//! `import`: takes back what `cat` wrote, without loss, and whole or not at all.

use std::fs;

use super::cli_streams::{gzip, zstd};
use super::shell::Shell;

#[test]
fn an_imported_log_has_the_same_bytes_when_the_exported_one_has_no_damage() {
    let shell = Shell::with_log();
    let events = shell.run_ok("cat a.log").stdout;
    fs::write(shell.path("events"), &events).unwrap();
    fs::write(shell.path("events.gz"), gzip(events.as_bytes())).unwrap();
    fs::write(shell.path("events.zst"), zstd(events.as_bytes())).unwrap();
    let log = fs::read(shell.path("a.log")).unwrap();
    for input in ["events", "events.gz", "events.zst"] {
        let outcome = shell.run_ok(&format!("import {input} -o new.log --keep-times --force"));
        assert!(outcome.stdout.contains("300 events at the old offset"), "{outcome:?}");
        assert_eq!(fs::read(shell.path("new.log")).unwrap()[16..], log[16..], "{input}");
    }
    let outcome = shell.run_with_input("import - -o piped.log --keep-times --json", events.as_bytes());
    let report = outcome.stdout_json();
    assert_eq!((report["events"].clone(), report["offsets_kept"].clone()), (300.into(), 300.into()), "{report}");
    assert_eq!(shell.run_ok("cat piped.log").stdout, events);
    // Without --keep-times only the times differ.
    let started_ms = jiff::Timestamp::now().as_millisecond();
    shell.run_ok("import events -o now.log");
    let created_ms =
        |log: &str| shell.run_ok(&format!("info {log} --json")).stdout_json()["created_at_ms"].as_i64().unwrap();
    let first: serde_json::Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    let first_ms = first["event"]["write_timestamp_ms"].as_i64().unwrap();
    assert_eq!(created_ms("new.log"), first_ms, "a log is as old as its first event");
    assert!(created_ms("now.log") >= started_ms);
    let now = shell.run_ok("cat now.log").stdout;
    let without_times = |text: &str| {
        let time = regex::Regex::new(r#""write_timestamp_ms":[0-9]+"#).unwrap();
        time.replace_all(text, "").into_owned()
    };
    assert_ne!(now, events);
    assert_eq!(without_times(&now), without_times(&events));
}

#[test]
fn events_keep_their_offsets_over_damage_and_gaps_fill_the_holes() {
    let shell = Shell::with_log();
    for kind in ["checksum", "garbage", "length"] {
        shell.plant_damage(kind, "bad.log");
        let events = shell.run("cat bad.log").stdout;
        fs::write(shell.path("events"), &events).unwrap();
        let report = shell.run_ok("import events -o new.log --keep-times --json").stdout_json();
        assert_eq!((&report["offsets_moved"], &report["holes_filled"]), (&0.into(), &1.into()), "{kind}: {report}");
        assert_eq!(shell.run_ok("cat new.log").stdout, events, "{kind}");
        let verified = shell.run_ok("verify new.log --json").stdout_json();
        assert_eq!(verified["gaps"], 1, "{kind}");
        shell.run_ok("import events -o short.log --keep-times --new-offsets");
        assert_eq!(shell.run_ok("verify short.log --json").stdout_json()["gaps"], 0, "{kind}");
        for name in ["bad.log", "bad.log.idx", "new.log", "short.log"] {
            let _ = fs::remove_file(shell.path(name));
        }
    }
}

#[test]
fn sizes_that_differ_are_padded_or_counted_and_reported() {
    let shell = Shell::new();
    let event = |offset: u64, n: u64| {
        let event = format!(
            r#"{{"write_timestamp_ms":1700000000000,"event_type":"T","namespace":"n","schema_id":"s","schema_version":1,"payload":{n}}}"#
        );
        (format!("{{\"offset\":{offset},\"event\":{event}}}\n"), event.len() as u64 + 8)
    };
    let len = event(16, 1).1;
    // Three spaces after the first event, then a hole of 40 bytes, then an event that is 5 bytes too early, and one without
    // an offset.
    let second = 16 + len + 3;
    let third = second + len + 40;
    let fourth = third + len - 5;
    let mut lines: String = [16, second, third, fourth].map(|offset| event(offset, 1).0).concat();
    lines += r#"{"event_type":"T","namespace":"n","schema_id":"s","schema_version":1,"payload":"as append takes it"}"#;
    fs::write(shell.path("events"), lines).unwrap();
    let report = shell.run_ok("import events -o new.log --keep-times --json").stdout_json();
    for (key, expected) in [
        ("events", 5),
        ("offsets_kept", 3),
        ("offsets_moved", 1),
        ("offsets_unknown", 1),
        ("holes_filled", 1),
        ("gap_bytes", 40),
        ("padded_events", 1),
    ] {
        assert_eq!(report[key], expected, "{key}: {report}");
    }
    let offsets: Vec<u64> = shell
        .run_ok("cat new.log")
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["offset"].as_u64().unwrap())
        .collect();
    assert_eq!(offsets[..4], [16, second, third, third + len]);
    assert_eq!(shell.run_ok("verify new.log").exit_code, 0);
    let text = shell.run_ok("import events -o text.log").stdout;
    assert!(
        text.contains("3 events at the old offset; 1 event at another offset; 1 event without an old offset"),
        "{text}"
    );
}

#[test]
fn a_hole_that_takes_several_gaps_leaves_room_for_the_last_one() {
    const MAX_FRAME: u64 = 8 + 16_777_215;
    const EVENT: &str = r#"{"write_timestamp_ms":1700000000000,"event_type":"T","namespace":"n","schema_id":"s","schema_version":1,"payload":1}"#;
    let shell = Shell::new();
    // The rest after one gap of the largest size is shorter than any gap.
    let second = 16 + 8 + EVENT.len() as u64 + MAX_FRAME + 9;
    let lines = [16, second].map(|offset| format!("{{\"offset\":{offset},\"event\":{EVENT}}}\n")).concat();
    let outcome = shell.run_with_input("import - -o new.log --keep-times --json", lines.as_bytes());
    let report = outcome.stdout_json();
    assert_eq!((&report["offsets_kept"], &report["gap_bytes"]), (&2.into(), &(MAX_FRAME + 9).into()), "{report}");
    let verified = shell.run_ok("verify new.log --json").stdout_json();
    assert_eq!((&verified["gaps"], &verified["events"]), (&2.into(), &2.into()), "{verified}");
}

#[test]
fn a_log_of_version_0_is_imported_into_version_1() {
    let shell = Shell::new();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v0-older-name-torn.log");
    let events = shell.run(&format!("cat {fixture}")).stdout;
    assert!(events.contains("\"timestamp_ms\""), "{events}");
    let outcome = shell.run_with_input("import - -o new.log --keep-times", events.as_bytes());
    assert_eq!(outcome.exit_code, 0, "{outcome:?}");
    let times = |text: &str| text.matches("_ms\":17").count();
    assert_eq!(times(&shell.run_ok("cat new.log").stdout), times(&events));
    assert_eq!(shell.run_ok("verify new.log --json").stdout_json()["events"], 5);
}

#[test]
fn an_import_that_fails_leaves_nothing_and_never_replaces_a_file_by_itself() {
    let shell = Shell::with_log();
    let events = shell.run_ok("cat a.log").stdout;
    let good = fs::read(shell.path("a.log")).unwrap();
    for (name, line, place) in [
        ("no event", "{\"offset\":1000000,\"event\":{\"a\":1}}\n", "line 301, byte 32"),
        ("no JSON", "events\n", "line 301, byte 0"),
        ("a key too many", "{\"offset\":1,\"event\":{},\"more\":1}\n", "line 301"),
    ] {
        let outcome = shell.run_with_input("import - -o new.log", (events.clone() + line).as_bytes());
        assert!(outcome.exit_code == 1 && outcome.stderr.contains(place), "{name}: {outcome:?}");
        assert!(outcome.stderr.contains("No log was created"), "{name}: {outcome:?}");
    }
    fs::write(shell.path("a.log.gz"), gzip(&good)).unwrap();
    for name in ["a.log", "a.log.gz"] {
        let outcome = shell.run(&format!("import {name} -o new.log"));
        let expected = format!("{name}, line 1, byte 0: expected an event as a JSON object, found: a Chronicle log");
        assert!(outcome.exit_code == 1 && outcome.stderr.contains(&expected), "{outcome:?}");
        assert!(outcome.stderr.contains("`chronicle cat LOG`"), "{outcome:?}");
    }
    fs::remove_file(shell.path("a.log.gz")).unwrap();
    let far = events.replacen("{\"offset\":16,", "{\"offset\":1000000000000,", 1);
    let outcome = shell.run_with_input("import - -o new.log", far.as_bytes());
    assert!(outcome.exit_code == 6 && outcome.stderr.contains("--new-offsets"), "{outcome:?}");
    let packed = gzip(events.as_bytes());
    let outcome = shell.run_with_input("import - -o new.log", &packed[..packed.len() / 2]);
    assert_eq!(outcome.exit_code, 1, "{outcome:?}");
    assert_eq!(fs::read_dir(shell.folder.path()).unwrap().count(), 1, "only a.log is in the folder");
    assert_eq!(shell.run_with_input("import - -o a.log", events.as_bytes()).exit_code, 6);
    assert_eq!(fs::read(shell.path("a.log")).unwrap(), good);
    // An input that is also the output is refused, also with --force.
    fs::write(shell.path("events"), &events).unwrap();
    assert_eq!(shell.run("import events -o events --force").exit_code, 6);
    // The index of a replaced log goes with it.
    shell.run_ok("index update a.log");
    shell.run_ok("import events -o a.log --force");
    assert!(!shell.path("a.log.idx").exists());
}

#[test]
fn append_refuses_offsets_and_times_and_names_import() {
    let shell = Shell::with_log();
    let events = shell.run_ok("cat a.log --limit 1").stdout;
    let inner = events.trim().split_once("\"event\":").unwrap().1.strip_suffix('}').unwrap();
    for line in [&events, inner] {
        let outcome = shell.run_with_input("append a.log", line.as_bytes());
        assert!(outcome.exit_code == 1 && outcome.stderr.contains("chronicle import FILE -o NEW"), "{outcome:?}");
    }
    let other = shell.run_with_input("append a.log", b"{}");
    assert!(!other.stderr.contains("chronicle import"), "{other:?}");
}

#[test]
fn a_log_of_version_2_is_imported_with_its_offsets() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 60 --format 2");
    fs::write(shell.path("a.ndjson"), shell.run_ok("cat a.log").stdout).unwrap();
    shell.run_ok("import a.ndjson -o b.log --keep-times --format 2");
    let verified = shell.run_ok("verify b.log --json").stdout_json();
    assert_eq!(
        (&verified["version"], &verified["events"], &verified["findings_total"]),
        (&2.into(), &60.into(), &0.into())
    );
    let (old, new) = (fs::read(shell.path("a.log")).unwrap(), fs::read(shell.path("b.log")).unwrap());
    // The new log has another identity, so the header and every checksum differ, and every payload is at its offset.
    assert_eq!(old.len(), new.len());
    assert_eq!(shell.run_ok("cat a.log").stdout, shell.run_ok("cat b.log").stdout);
    assert_ne!(old[16..32], new[16..32]);
    let id = shell.run_ok("info b.log --json").stdout_json()["log_id"].as_str().unwrap().replace('-', "");
    assert_eq!(id, new[16..32].iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    assert!(shell.run_ok("info b.log").stdout.contains("log id"));
}
