//! `show`: one row of the log: events, damage, gaps, the header, and locations that are refused.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use chronicle::{Event, EventLog};
use serde_json::Value;

use super::shell::{CommandOutcome, Shell};

/// Offset of the first event.
const FIRST_OFFSET: usize = 16;

/// Returns the bytes of a range of the file, as hexadecimal digits.
fn stored_hex(shell: &Shell, name: &str, start: u64, end: u64) -> String {
    let bytes = fs::read(shell.path(name)).unwrap();
    bytes[start as usize..end as usize].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the value after a label in the text output.
fn line<'t>(outcome: &'t CommandOutcome, label: &str) -> &'t str {
    let found = outcome.stdout.lines().find_map(|line| line.strip_prefix("  ")?.strip_prefix(label));
    found.unwrap_or_else(|| panic!("no {label}: {outcome:?}")).trim()
}

#[test]
fn an_event_is_shown_with_its_frame_its_json_and_its_bytes() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let cat: Vec<Value> =
        shell.run_ok("cat a.log").stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (third, fourth) = (cat[2]["offset"].as_u64().unwrap(), cat[3]["offset"].as_u64().unwrap());
    let shown = shell.run_ok(&format!("show a.log {third} --json")).stdout_json();
    assert_eq!(
        (shown["kind"].as_str(), shown["start"].as_u64(), shown["end"].as_u64()),
        (Some("event"), Some(third), Some(fourth))
    );
    assert_eq!(shown["event"], cat[2]["event"]);
    assert_eq!(shown["hex"], stored_hex(&shell, "a.log", third, fourth));
    assert_eq!(shown["frame"]["length"], fourth - third - 8);
    assert_eq!(shown["frame"]["stored"], shown["frame"]["computed"]);
    assert_eq!(shown["frame"]["stored"], stored_hex(&shell, "a.log", fourth - 4, fourth));
    let fields: Vec<_> =
        shown["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(fields, ["length", "payload", "checksum"]);
    assert_eq!(shown["fields"][1]["end"], fourth - 4);
    assert!(shown["finding"].is_null() && shown["payload_text"].is_null());

    // The position is the event's number among the events of its aggregate.
    let id = &cat[2]["event"]["aggregate_id"];
    let of_aggregate: Vec<u64> = cat
        .iter()
        .filter(|row| &row["event"]["aggregate_id"] == id)
        .map(|row| row["offset"].as_u64().unwrap())
        .collect();
    let position = of_aggregate.iter().position(|offset| *offset == third).unwrap() + 1;
    let entry = serde_json::json!({"status": "listed", "position": position, "events": of_aggregate.len()});
    assert_eq!(shown["frame"]["index_entry"], entry);

    let text = shell.run_ok(&format!("show a.log {third}"));
    assert!(line(&text, "offset").starts_with(&format!("{third} (0x")), "{text:?}");
    assert!(line(&text, "checksum stored").ends_with("matches"), "{text:?}");
    assert_eq!(line(&text, "index entry"), format!("event {position} of {} of its aggregate", of_aggregate.len()));
    assert!(line(&text, "payload").starts_with("{\"write_timestamp_ms\":"), "{text:?}");
    assert!(text.stdout.lines().last().unwrap().ends_with("checksum"), "{text:?}");
}

#[test]
fn an_offset_inside_a_frame_an_event_number_and_a_share_show_the_frame() {
    let shell = Shell::with_log();
    let start_of =
        |location: &str| shell.run_ok(&format!("show a.log {location} --json")).stdout_json()["start"].clone();
    let cat = shell.run_ok("cat a.log --limit 2");
    let second = serde_json::from_str::<Value>(cat.stdout.lines().nth(1).unwrap()).unwrap()["offset"].as_u64().unwrap();
    assert_eq!(start_of(&(second + 1).to_string()), second);
    assert_eq!(start_of(&format!("{:#x}", second + 30)), second);
    assert_eq!(start_of(&(second - 1).to_string()), FIRST_OFFSET);
    assert_eq!(start_of("#2"), second);
    assert_eq!(start_of("0%"), 0);
    let bytes = fs::metadata(shell.path("a.log")).unwrap().len();
    let middle = shell.run_ok("show a.log 50% --json").stdout_json();
    assert!((middle["start"].as_u64().unwrap()..middle["end"].as_u64().unwrap()).contains(&(bytes / 2)), "{middle}");
}

#[test]
fn the_state_of_the_aggregate_is_shown_on_request() {
    let shell = Shell::with_log();
    let cat: Vec<Value> =
        shell.run_ok("cat a.log").stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let id = cat[0]["event"]["aggregate_id"].as_u64().unwrap();
    let of_aggregate: Vec<&Value> = cat.iter().filter(|row| row["event"]["aggregate_id"] == id).collect();
    let mut expected = serde_json::Map::new();
    for (number, row) in of_aggregate.iter().enumerate() {
        // The generated payloads are flat and have no null.
        expected.extend(row["event"]["payload"].as_object().unwrap().clone());
        let shown = shell.run_ok(&format!("show a.log {} --state --json", row["offset"])).stdout_json();
        let state = &shown["state"];
        assert_eq!(state["payload"], Value::Object(expected.clone()));
        assert_eq!((&state["aggregate"], &state["events"]), (&Value::from(id), &Value::from(number as u64 + 1)));
    }
    let last = &of_aggregate.last().unwrap()["offset"];
    let text = shell.run_ok(&format!("show a.log {last} --state"));
    let events = of_aggregate.len();
    assert_eq!(line(&text, "state"), format!("aggregate {id} after {events} events, the last at {last}"));
    assert!(line(&text, "merged payload").starts_with('{'), "{text:?}");
    assert!(shell.run_ok(&format!("show a.log {last} --json")).stdout_json()["state"].is_null());

    // The loss of the first event is reported with the state.
    let first = of_aggregate[0]["offset"].as_u64().unwrap() as usize;
    let mut bytes = fs::read(shell.path("a.log")).unwrap();
    bytes[first + 30] ^= 1;
    fs::write(shell.path("b.log"), bytes).unwrap();
    let text = shell.run_ok(&format!("show b.log {last} --state"));
    let expected = "1 damaged range may hold an event of this aggregate before this one";
    assert_eq!(line(&text, "may be missing"), expected);

    let refused = shell.run("show a.log 0 --state");
    assert_eq!(refused.exit_code, 2, "{refused:?}");
    assert!(refused.stderr.contains("--state: at 0 is no event but a row of the kind header"), "{refused:?}");
}

#[test]
fn the_header_is_shown_field_by_field() {
    let shell = Shell::with_log();
    let shown = shell.run_ok("show a.log 3");
    assert_eq!(line(&shown, "magic"), "43 48 52 4e");
    assert_eq!(line(&shown, "header"), "valid (version 1)");
    let json = shell.run_ok("show a.log 0 --json").stdout_json();
    assert_eq!((json["kind"].as_str(), json["end"].as_u64()), (Some("header"), Some(16)));
    assert_eq!(json["fields"][3]["name"], "created_at");
}

#[test]
fn damage_is_shown_with_the_verdict_and_the_fix_of_verify_and_exits_with_3() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let kinds = ["checksum", "length", "zeros", "torn_tail", "garbage", "truncated", "header", "invalid_event"];
    for kind in kinds {
        let copy = format!("{kind}.log");
        let start = shell.plant_damage(kind, &copy)["start"].as_u64().unwrap();
        if kind == "truncated" {
            fs::copy(shell.path("a.log.idx"), shell.path("truncated.log.idx")).unwrap();
        }
        let verify = shell.run(&format!("verify {copy} --ndjson"));
        let finding = verify.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let finding = finding.into_iter().find(|finding| finding["start"] == start).unwrap();
        let outcome = shell.run(&format!("show {copy} {start} --json"));
        assert_eq!(outcome.exit_code, 3, "{kind}: {outcome:?}");
        let shown = outcome.stdout_json();
        assert_eq!(shown["finding"], finding, "{kind}");
        assert_eq!(shown["kind"], kind);
        let end = shown["end"].as_u64().unwrap();
        assert_eq!(shown["hex"], stored_hex(&shell, &copy, start, end), "{kind}");

        let text = shell.run(&format!("show {copy} {start} --hex 0"));
        assert_eq!((text.exit_code, line(&text, "verdict")), (3, finding["verdict"].as_str().unwrap()));
        let fix = finding["fix"]["action"].as_str().unwrap_or("nothing in place");
        assert!(line(&text, "fix").starts_with(fix), "{kind}: {text:?}");
    }
}

#[test]
fn short_adjacent_pieces_share_the_gap_that_verify_offers() {
    let shell = Shell::with_log();
    let first_end = shell.run_ok("show a.log 16 --json").stdout_json()["end"].as_u64().unwrap();
    let mut bytes = fs::read(shell.path("a.log")).unwrap();
    // Stale bytes and zeros between two frames: pieces that are too short for a gap of their own.
    let junk = [[0x41; 6], [0; 6]].concat();
    bytes.splice(first_end as usize..first_end as usize, junk);
    fs::write(shell.path("b.log"), bytes).unwrap();
    let verify = shell.run("verify b.log --ndjson");
    let findings: Vec<Value> = verify.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!findings.is_empty());
    for finding in findings {
        let shown = shell.run(&format!("show b.log {} --json", finding["start"])).stdout_json();
        assert_eq!(shown["finding"], finding);
    }
}

#[test]
fn a_gap_is_information_and_names_the_journal_with_its_bytes() {
    let shell = Shell::with_log();
    let start = shell.plant_damage("garbage", "bad.log")["start"].as_u64().unwrap();
    shell.run("repair bad.log --yes");
    let outcome = shell.run(&format!("show bad.log {start}"));
    assert_eq!((outcome.exit_code, line(&outcome, "kind")), (0, "gap"), "{outcome:?}");
    assert!(line(&outcome, "original bytes in").contains("bad.log.repairs"), "{outcome:?}");
    let json = shell.run_ok(&format!("show bad.log {start} --json")).stdout_json();
    assert!(json["payload_text"].as_str().unwrap().starts_with("{\"$gap\":"), "{json}");
    assert!(json["finding"]["evidence"]["kept_in"].as_str().unwrap().contains("bad.log.repairs"), "{json}");
}

#[test]
fn an_offset_in_a_lost_end_shows_the_loss_and_an_offset_past_the_end_is_refused() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let whole = fs::metadata(shell.path("a.log")).unwrap().len();
    shell.plant_damage("truncated", "cut.log");
    fs::copy(shell.path("a.log.idx"), shell.path("cut.log.idx")).unwrap();
    let lost = shell.run(&format!("show cut.log {} --json", whole - 1));
    assert_eq!((lost.exit_code, lost.stdout_json()["kind"].as_str()), (3, Some("truncated")), "{lost:?}");
    for location in [whole.to_string(), "99999999".into(), "#301".into()] {
        let outcome = shell.run(&format!("show a.log {location}"));
        assert!(outcome.exit_code == 2 && outcome.stdout.is_empty(), "{outcome:?}");
        assert!(outcome.stderr.contains(&format!("{location} is past the end of the log")), "{outcome:?}");
    }
    for location in ["foo", "#0", "101%"] {
        let outcome = shell.run(&format!("show a.log {location}"));
        assert!(outcome.exit_code == 2 && outcome.stderr.contains("expected"), "{outcome:?}");
    }
}

#[test]
fn hex_is_limited_and_reports_the_omitted_bytes() {
    let shell = Shell::with_log();
    let end = shell.run_ok("show a.log 16 --json").stdout_json()["end"].as_u64().unwrap();
    let text = shell.run_ok("show a.log 16 --hex 20");
    assert!(text.stdout.contains(&format!("… {} bytes more; use --hex SIZE", end - 16 - 20)), "{text:?}");
    let json = shell.run_ok("show a.log 16 --hex 20 --json").stdout_json();
    assert_eq!((json["hex"].as_str().unwrap().len(), json["hex_omitted_bytes"].as_u64()), (40, Some(end - 16 - 20)));
    let has_hex = |line: &str| shell.run_ok(line).stdout.contains("\n  00000010  ");
    assert!(has_hex("show a.log 16 --hex 1") && !has_hex("show a.log 16 --hex 0"));
}

#[test]
fn hostile_text_is_escaped_and_json_keeps_it() {
    let hostile = "a\u{202e}b\u{9b}31m\u{200b}\u{7f}";
    let shell = Shell::new();
    let mut log = EventLog::create(shell.path("a.log")).unwrap();
    let event = Event::builder().event_type(hostile).namespace("\u{1b}]0;title\u{7}").schema_id("s").schema_version(1);
    log.append(&event.payload_json(format!("{{\"key\":\"{hostile}\",\"n\":1.0}}")).build().unwrap()).unwrap();
    log.close().unwrap();
    let text = shell.run_ok("show a.log 16");
    let raw = |c: &char| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
    assert_eq!(text.stdout.chars().find(raw), None, "{text:?}");
    assert!(line(&text, "payload").contains("a‹U+202E›b‹U+009B›31m‹U+200B›‹DEL›"), "{text:?}");
    let json = shell.run_ok("show a.log 16 --json");
    assert_eq!(json.stdout_json()["event"]["event_type"], hostile);
    assert!(json.stdout.contains("\"n\":1.0"), "numbers keep their digits: {json:?}");
}

#[test]
fn a_closed_pipe_ends_show_without_an_error() {
    let shell = Shell::new();
    let mut log = EventLog::create(shell.path("a.log")).unwrap();
    let event = Event::builder().event_type("E").namespace("n").schema_id("s").schema_version(1);
    let payload = format!("\"{}\"", "x".repeat(1 << 20));
    log.append(&event.payload_json(payload).build().unwrap()).unwrap();
    log.close().unwrap();
    let mut child = shell.command("show a.log 16").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let outcome = CommandOutcome::from_output(child.wait_with_output().unwrap());
    assert_eq!((outcome.exit_code, outcome.stderr.as_str()), (0, ""));
}
