//! `verify`: exit statuses, ranges, JSON lines, and incremental verification with `--save` and `--since-last`.

use std::fs;

use serde_json::Value;

use super::shell::Shell;

#[test]
fn the_exit_status_of_verify_reports_damage_and_index() {
    let shell = Shell::with_log();
    for (kind, expected) in
        [("checksum", 4), ("torn_tail", 4), ("truncated", 3), ("header", 4), ("garbage", 3), ("gap", 0), ("clock", 0)]
    {
        let copy = format!("{kind}.log");
        shell.plant_damage(kind, &copy);
        assert_eq!(shell.run(&format!("verify {copy}")).exit_code, expected, "{kind}");
    }
    assert_eq!(shell.run("verify gap.log --no-gaps").exit_code, 3);

    assert_eq!(shell.run("verify a.log").exit_code, 0, "a missing index is not an error");
    assert_eq!(shell.run("verify a.log --require-fresh").exit_code, 5);
    shell.run_ok("index update a.log");
    assert_eq!(shell.run("verify a.log --require-fresh").exit_code, 0);
    fs::copy(shell.path("a.log.idx"), shell.path("checksum.log.idx")).unwrap();
    shell.run_ok("generate b.log --events 300 --seed 9");
    fs::copy(shell.path("a.log.idx"), shell.path("b.log.idx")).unwrap();
    assert_eq!(shell.run("verify b.log").exit_code, 5, "a foreign index");
    assert_eq!(shell.run("verify checksum.log").exit_code, 4, "damage takes precedence over the index");
}

#[test]
fn verify_checks_every_page_of_the_index() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let len = fs::metadata(shell.path("a.log.idx")).unwrap().len() as usize;
    for at in (0..len).step_by(len / 17) {
        shell.flip_bit("a.log.idx", at);
        let outcome = shell.run("verify a.log --json");
        let state = outcome.stdout_json()["index"]["state"].as_str().unwrap().to_owned();
        let is_expected = state == "corrupt" || (state == "unsupported" && at < 16);
        assert!(outcome.exit_code == 5 && is_expected, "byte {at}: {outcome:?}");
        assert_eq!(shell.run("index status a.log").exit_code, 5, "byte {at}");
        shell.flip_bit("a.log.idx", at);
    }
    assert_eq!(shell.run("index status a.log").exit_code, 0);
}

#[test]
fn verify_reports_valid_frames_that_the_index_has_not_recorded() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let whole = fs::read(shell.path("a.log")).unwrap();
    let mut bytes = whole.clone();
    bytes.copy_within(20_480..24_576, 61_440);
    fs::write(shell.path("a.log"), &bytes).unwrap();
    fs::write(shell.path("backup.log"), &whole).unwrap();
    let text = shell.run("verify a.log");
    assert!(text.exit_code == 3 && text.stdout.contains("that the index has not recorded"), "{text:?}");
    let json = shell.run("verify a.log --json").stdout_json();
    let unrecorded = json["unrecorded"].as_array().unwrap();
    assert_eq!(unrecorded.len(), 1, "{json}");
    let missing = unrecorded[0]["missing_events"].as_u64().unwrap();
    let lines = shell.run("verify a.log --ndjson");
    assert!(lines.exit_code == 3 && lines.stderr.contains("that the index has not recorded"), "{lines:?}");
    let plan = shell.run("repair a.log --dry-run --json");
    let replaced = plan.stdout_json()["plan"]["replaced"]["at_least"].as_u64();
    assert_eq!(replaced, Some(missing), "{plan:?}");
    let with_donor = shell.run("repair a.log --dry-run --donor backup.log");
    assert!(
        with_donor.stdout.contains("where ") && with_donor.stdout.contains("has other valid frames"),
        "{with_donor:?}"
    );
    fs::write(shell.path("a.log"), &whole).unwrap();
    let clean = shell.run_ok("verify a.log --json");
    assert_eq!(clean.stdout_json()["unrecorded"].as_array().map(Vec::len), Some(0));
}

#[test]
fn verify_frames_skips_payloads_and_reports_it() {
    let shell = Shell::with_log();
    shell.plant_damage("invalid_event", "bad.log");
    let outcome = shell.run_ok("verify bad.log --frames");
    assert!(
        outcome.stdout.contains("300 frames; no damage") && outcome.stdout.contains("frames and checksums only"),
        "{outcome:?}"
    );
    assert_eq!(shell.run_ok("verify bad.log --frames --json").stdout_json()["frames_only"], true);
    assert_eq!(shell.run("verify bad.log").exit_code, 3);
}

#[test]
fn verify_is_limited_to_the_given_range() {
    let shell = Shell::with_log();
    let truth = shell.plant_damage("checksum", "bad.log");
    let (start, end) = (truth["start"].as_u64().unwrap(), truth["end"].as_u64().unwrap());
    assert_eq!(shell.run(&format!("verify bad.log --until {start}")).exit_code, 0);
    assert_eq!(shell.run(&format!("verify bad.log --from {end}")).exit_code, 0);
    let outcome = shell.run(&format!("verify bad.log --from 0x{start:x} --json"));
    assert_eq!((outcome.exit_code, outcome.stdout_json()["findings_total"].as_u64()), (4, Some(1)));
    let inside = shell.run(&format!("verify bad.log --from {}", end + 1));
    assert_eq!(inside.exit_code, 2, "{inside:?}");
    assert!(inside.stderr.contains(&format!("is inside the frame at {end}..")), "{inside:?}");
}

#[test]
fn ndjson_prints_one_finding_per_line() {
    let shell = Shell::with_log();
    let outcome = shell.run("verify a.log --ndjson");
    assert_eq!((outcome.exit_code, outcome.stdout.as_str()), (0, ""));
    shell.run_ok("demo d");
    let outcome = shell.run("verify d/demo.log --ndjson");
    let kinds: Vec<String> = outcome
        .stdout
        .lines()
        .map(|line| {
            let found: Value = serde_json::from_str(line).unwrap();
            found["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(outcome.exit_code, 3);
    assert_eq!(kinds.len(), 10, "{kinds:?}");
    assert_eq!(kinds.last().unwrap(), "torn_tail");
}

#[test]
fn since_last_starts_at_the_saved_mark() {
    let shell = Shell::with_log();
    let all = shell.run_ok("verify a.log --since-last");
    assert!(all.stdout.contains("no earlier verification"), "{}", all.stdout);
    assert!(!shell.path("a.log.idx").exists(), "only --save writes the index");
    let saved = shell.run_ok("verify a.log --save");
    assert!(saved.stdout.contains("index fresh"), "one pass verifies and builds the index: {}", saved.stdout);
    let end = fs::metadata(shell.path("a.log")).unwrap().len();
    let mark = |shell: &Shell| shell.run_ok("info a.log --json").stdout_json()["verified"].clone();
    let first = mark(&shell);
    assert_eq!(first["to"], end);
    // A closing writer moves the mark; the saved copy of the index has the earlier mark.
    let index = fs::read(shell.path("a.log.idx")).unwrap();
    shell.run_ok(r#"append a.log --type T --namespace n --schema s --payload {"n":1}"#);
    assert!(mark(&shell)["to"].as_u64() > Some(end));
    fs::write(shell.path("a.log.idx"), index).unwrap();
    // Bytes before the mark are not verified again, later bytes are.
    shell.flip_bit("a.log", 100);
    let since = shell.run_ok("verify a.log --since-last --json").stdout_json();
    assert_eq!((&since["from"], &since["events"]), (&Value::from(end), &Value::from(1)));
    assert_eq!(shell.run("verify a.log").exit_code, 4);
    // Verifying only new bytes keeps the earlier date; verifying everything sets a new one.
    shell.run_ok("verify a.log --since-last --save");
    let longer = mark(&shell);
    assert!(longer["to"].as_u64() > Some(end) && longer["at_ms"] == first["at_ms"], "{first} {longer}");
    assert_eq!(shell.run("verify a.log --save").exit_code, 4);
    assert!(mark(&shell)["at_ms"].as_u64() > first["at_ms"].as_u64());
    assert_eq!(shell.run("verify a.log --save --frames").exit_code, 2);
}

#[test]
fn since_last_verifies_known_damage_again_until_it_is_repaired() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 2000");
    shell.run_ok("index update a.log");
    let intact = fs::read(shell.path("a.log")).unwrap();
    // Damage below the mark that the index does not list: `verify --save` adds it to the index.
    let mut damaged = intact.clone();
    damaged[300_000..300_300].fill(b'Z');
    fs::write(shell.path("a.log"), damaged).unwrap();
    let plan = shell.run("repair a.log --dry-run --json").stdout;
    assert!(plan.contains(r#""given_up":{"at_least":2"#), "{plan}");
    assert_eq!(shell.run_ok("verify a.log --since-last").exit_code, 0, "not found yet");
    assert_eq!(shell.run("verify a.log --save").exit_code, 3);
    for line in ["verify a.log --since-last", "verify a.log --since-last --save", "verify a.log --since-last"] {
        let since = shell.run(line);
        assert!(since.exit_code == 3 && since.stdout.contains("1 damaged"), "{line}: {}", since.stdout);
        assert!(since.stdout.contains("verified again: 1 earlier range"), "{line}: {}", since.stdout);
    }
    assert_eq!(shell.run("repair a.log --dry-run --json").stdout, plan, "the index still lists the lost events");
    fs::write(shell.path("a.log"), &intact).unwrap();
    shell.run_ok("verify a.log --since-last --save");
    let since = shell.run_ok("verify a.log --since-last");
    assert!(!since.stdout.contains("verified again"), "{}", since.stdout);
    // Damage that is found while the index is built is listed too.
    shell.flip_bit("a.log", 300_000);
    shell.run_ok("index rebuild a.log");
    assert_eq!(shell.run("verify a.log --since-last").exit_code, 4);
}

#[test]
fn the_mark_moves_only_over_verified_bytes() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 300");
    let mut bytes = fs::read(shell.path("a.log")).unwrap();
    bytes[60..90].fill(0xA7);
    fs::write(shell.path("a.log"), &bytes).unwrap();
    let all = shell.run("verify a.log --ndjson");
    let end =
        all.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["end"].as_u64().unwrap()).max();
    let end = end.unwrap();
    shell.run_ok(&format!("verify a.log --from {end} --save"));
    let mark = |shell: &Shell| shell.run_ok("info a.log --json").stdout_json()["verified"].clone();
    assert!(mark(&shell).is_null(), "{}", mark(&shell));
    assert_eq!(shell.run("verify a.log --since-last").exit_code, 3);
    // Starting at the first frame verifies everything and sets a new date.
    assert_eq!(shell.run("verify a.log --save").exit_code, 3);
    let first = mark(&shell);
    assert_eq!(shell.run("verify a.log --from 16 --save").exit_code, 3);
    let second = mark(&shell);
    assert!(first["to"] == second["to"] && first["at_ms"].as_u64() < second["at_ms"].as_u64(), "{first} {second}");
}

#[test]
fn since_last_on_a_cut_log_starts_before_the_cut() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 300");
    shell.run_ok("index rebuild a.log");
    let bytes = fs::read(shell.path("a.log")).unwrap();
    fs::write(shell.path("a.log"), &bytes[..bytes.len() - 700]).unwrap();
    let (all, since) = (shell.run("verify a.log --json"), shell.run("verify a.log --since-last --json"));
    assert_eq!((all.exit_code, since.exit_code), (3, 3));
    let (all, since) = (all.stdout_json(), since.stdout_json());
    assert_eq!(all["findings"], since["findings"]);
    assert!(since["from"].as_u64() < Some(bytes.len() as u64 - 700), "{since}");
}

#[test]
fn an_empty_range_is_a_usage_error() {
    let shell = Shell::with_log();
    let end = fs::metadata(shell.path("a.log")).unwrap().len();
    for line in ["--from 99999999", "--from 654 --until 100", "--from 654 --until 654"] {
        let outcome = shell.run(&format!("verify a.log {line}"));
        assert_eq!(outcome.exit_code, 2, "{line}: {}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stdout.is_empty() || !outcome.stdout.contains("damage"), "{line}: {}", outcome.stdout);
    }
    shell.run_ok(&format!("verify a.log --from {end}"));
}

#[cfg(unix)]
#[test]
fn findings_are_reported_even_if_the_index_cannot_be_saved() {
    let shell = Shell::with_log();
    shell.flip_bit("a.log", 100);
    let unsaved = shell.run("verify a.log --save --index nowhere/a.idx");
    let plain = shell.run("verify a.log --index nowhere/a.idx");
    assert_eq!((unsaved.exit_code, plain.exit_code), (1, 4));
    assert!(
        unsaved.stdout == plain.stdout && unsaved.stderr.contains("nowhere"),
        "{}{}",
        unsaved.stdout,
        unsaved.stderr
    );
    let json = shell.run("verify a.log --save --json --index nowhere/a.idx");
    assert_eq!((json.exit_code, json.stdout_json()["findings_total"].as_u64()), (1, Some(1)));
}

#[test]
fn since_last_starts_at_a_frame_after_bytes_were_removed() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 100");
    let whole = fs::read(shell.path("a.log")).unwrap();
    let offset = |line: &str| serde_json::from_str::<Value>(line).unwrap()["offset"].as_u64().unwrap() as usize;
    let offsets: Vec<usize> = shell.run_ok("cat a.log").stdout.lines().map(offset).collect();
    fs::write(shell.path("a.log"), &whole[..offsets[99]]).unwrap();
    shell.run_ok("index update a.log");
    let lost = offsets[98] + 100;
    fs::write(shell.path("a.log"), [&whole[..lost], &whole[lost + 10..]].concat()).unwrap();
    let found = |line: &str| {
        let report = shell.run(line).stdout_json();
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|found| (found["start"].as_u64(), found["end"].as_u64())).collect::<Vec<_>>()
    };
    let all = found("verify a.log --json --save");
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(found("verify a.log --json --since-last"), all);
}

#[test]
fn a_damaged_length_of_version_0_has_one_answer_in_verify_repair_and_migrate() {
    let shell = Shell::new();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v0-clean.log");
    let mut log = fs::read(fixture).unwrap();
    let third = (0..3).fold(0, |at, _| at + 4 + u32::from_be_bytes(log[at..at + 4].try_into().unwrap()) as usize);
    log[third + 3] ^= 0x10;
    fs::write(shell.path("old.log"), log).unwrap();
    let verified = shell.run("verify old.log");
    assert_eq!(verified.exit_code, 4);
    assert!(verified.stdout.contains("restore_length") && verified.stdout.contains("--accept likely"), "{verified:?}");
    for line in ["repair old.log --yes", "append old.log --type T --namespace n --schema s --payload {}"] {
        let refused = shell.run(line);
        assert!(refused.exit_code == 6 && refused.stderr.contains("--accept likely"), "{refused:?}");
    }
    let without = shell.run("migrate old.log -o without.log");
    assert!(without.exit_code == 3 && without.stderr.contains("--accept likely"), "{without:?}");
    shell.run_ok("migrate old.log -o new.log --accept likely");
    assert_eq!(shell.run_ok("verify new.log --json").stdout_json()["events"], 6);
    for (line, place) in [("verify old.log", "verify"), ("info old.log", "info"), ("verify new.log", "")] {
        let says = shell.run(line).stdout.contains("version 0 has no checksums");
        assert_eq!(says, !place.is_empty(), "{line}");
    }
}
