//! `repair` and `undo`: confirmation, dry runs, plan files, interrupted repairs, the repair history.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use chronicle::FrameFormat;
use chronicle::repair::{
    ByteChange, Candidate, CandidateChoice, Certainty, Fix, LogIdentity, Loss, Plan, PlannedPiece, RepairAction,
    RepairStep, StepWrite, UnrepairedRange,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::shell::{CommandOutcome, Shell};

/// Returns every file in the folder with its bytes.
fn folder_contents(shell: &Shell) -> Vec<(PathBuf, Vec<u8>)> {
    let mut names: Vec<_> = fs::read_dir(shell.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect()
}

/// Builds a plan that changes one byte of `a.log`.
fn sample_plan(shell: &Shell) -> Plan {
    let bytes = fs::read(shell.path("a.log")).unwrap();
    let first_end = 16 + 8 + u32::from_be_bytes(bytes[16..20].try_into().unwrap()) as usize;
    let changes = vec![ByteChange { offset: 71, before: vec![0x61], after: vec![0x62] }];
    let piece = PlannedPiece { kind: "checksum".into(), start: 16, end: 300 };
    let choice = Fix {
        action: RepairAction::CorrectBits,
        certainty: Some(Certainty::Choice),
        candidates: vec![Candidate { expected_false_positives: 0.25, changes: changes.clone() }; 2],
        unsearched: None,
        choice: Some(CandidateChoice::new(16, 1)),
    };
    let step = RepairStep {
        action: RepairAction::CorrectBits,
        certainty: Some(Certainty::Proven),
        start: 16,
        end: 300,
        new_end: 300,
        pieces: vec![piece.clone()],
        write: StepWrite::Edits(changes),
        restored_events: 1,
        loss: Loss::default(),
        alternatives: vec![choice],
        before_sha256: Sha256::digest(&bytes[16..300]).to_vec(),
        after_sha256: vec![0; 32],
        neighbours: Vec::new(),
    };
    let log = LogIdentity {
        path: shell.path("a.log"),
        format: FrameFormat::V1,
        header: bytes[..16].to_vec(),
        first_checksum: Some(u32::from_be_bytes(bytes[first_end - 4..first_end].try_into().unwrap())),
        file: None,
        bytes: bytes.len() as u64,
        short_segments: Vec::new(),
    };
    Plan {
        layout_version: 1,
        id: "0123abcd".into(),
        digest: String::new(),
        undoes: None,
        cut_segments: Vec::new(),
        settings: None,
        erases: None,
        purges: None,
        log,
        steps: vec![step],
        unrepaired: vec![UnrepairedRange {
            piece,
            reason: "the payload is no \u{1b}event".into(),
            alternatives: Vec::new(),
        }],
        notes: Vec::new(),
        forgotten_index_end: None,
        replaced_loss: Loss::default(),
        forgotten_loss: Loss::default(),
        estimated_lock_ms: 2,
    }
}

/// Creates a shell with `a.log`, and with the sample plan, modified by `change`, in `p.json`.
fn shell_with_plan(change: impl FnOnce(&mut Plan)) -> Shell {
    let shell = Shell::with_log();
    let mut plan = sample_plan(&shell);
    change(&mut plan);
    plan.seal();
    fs::write(shell.path("p.json"), plan.to_json().unwrap()).unwrap();
    shell
}

#[test]
fn without_a_terminal_and_yes_nothing_is_written() {
    let shell = shell_with_plan(|_| {});
    let before = folder_contents(&shell);
    let outcome = shell.run("repair a.log --apply p.json");
    assert_eq!(outcome.exit_code, 6, "{outcome:?}");
    assert!(
        outcome.stdout.contains("16..300 checksum: correct_bits, proven: 1 byte at offset 71, 61 → 62, \"a\" → \"b\""),
        "{outcome:?}"
    );
    assert!(
        outcome.stdout
            .contains("    --choose 16=2  1 byte at offset 71, 61 → 62, \"a\" → \"b\" (chance alone would offer 0.25: check by eye)"),
        "{outcome:?}"
    );
    assert!(outcome.stdout.contains("the payload is no ‹ESC›event"), "text of a plan is escaped: {outcome:?}");
    assert!(outcome.stderr.contains("not confirmed") && outcome.stderr.contains("--yes"), "{outcome:?}");

    let outcome = shell.run("repair a.log --apply p.json --json");
    let report = outcome.stdout_json();
    assert_eq!((outcome.exit_code, &report["plan"]["id"], &report["applied"]), (6, &"0123abcd".into(), &Value::Null));
    let error: Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert_eq!((&error["exit"], &error["corruption"]), (&6.into(), &false.into()), "{outcome:?}");
    assert!(folder_contents(&shell) == before);
}

#[test]
fn a_dry_run_writes_nothing_and_returns_the_status_of_the_log() {
    let shell = shell_with_plan(|_| {});
    let before = folder_contents(&shell);
    for yes in ["", " --yes"] {
        let outcome = shell.run(&format!("repair a.log --apply p.json --dry-run{yes}"));
        assert_eq!((outcome.exit_code, outcome.stderr.as_str()), (3, ""), "unrepaired damage: {outcome:?}");
    }
    assert!(folder_contents(&shell) == before);

    let shell = shell_with_plan(|plan| plan.unrepaired.clear());
    assert_eq!(shell.run("repair a.log --apply p.json --dry-run").exit_code, 4);
}

#[test]
fn an_outdated_plan_is_refused_before_it_is_shown() {
    let shell = shell_with_plan(|_| {});
    shell.flip_bit("a.log", 200);
    let before = folder_contents(&shell);
    for options in ["", " --dry-run", " --yes", " --json --dry-run"] {
        let outcome = shell.run(&format!("repair a.log --apply p.json{options}"));
        assert_eq!((outcome.exit_code, outcome.stdout.as_str()), (6, ""), "{options}: {outcome:?}");
        assert!(outcome.stderr.contains("found another first frame"), "{options}: {outcome:?}");
    }
    assert!(folder_contents(&shell) == before);
}

#[test]
fn a_repair_updates_an_existing_index_and_creates_none() {
    for indexed in [true, false] {
        let shell = Shell::with_log();
        if indexed {
            shell.run_ok("index update a.log");
        }
        let more = fs::read(shell.path("a.log")).unwrap();
        fs::write(shell.path("a.log"), [&more[..], &more[16..]].concat()).unwrap();
        shell.flip_bit("a.log", more.len() + 1000);
        assert_eq!(shell.run("repair a.log --yes").exit_code, 0);
        assert_eq!(shell.path("a.log.idx").exists(), indexed);
        assert_eq!(shell.run("index status a.log").exit_code, if indexed { 0 } else { 5 });
    }
}

#[test]
fn an_empty_plan_needs_no_confirmation() {
    let shell = shell_with_plan(|plan| plan.steps.clear());
    let outcome = shell.run("repair a.log --apply p.json");
    assert_eq!((outcome.exit_code, outcome.stderr.as_str()), (3, ""), "{outcome:?}");
    assert!(
        outcome
            .stdout
            .contains("a.log: no repair planned, 1 range left as is\nnot repaired: 16..300 checksum: the payload"),
        "{outcome:?}"
    );
    let shell = shell_with_plan(|plan| {
        plan.steps.clear();
        plan.unrepaired.clear();
    });
    let outcome = shell.run_ok("repair a.log --apply p.json");
    assert!(outcome.stdout.ends_with("a.log: nothing to repair\n"), "{outcome:?}");
}

/// Runs a command at a terminal, answers its question, and returns its exit status.
#[cfg(unix)]
fn run_with_answer(shell: &Shell, line: &str, answer: &str) -> u32 {
    use std::io::{Read, Write as _};

    let pair = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).unwrap();
    let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_chronicle"));
    command.args(line.split_ascii_whitespace());
    command.cwd(shell.folder.path());
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let (mut reader, mut keys) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let (mut output, mut buf) = (String::new(), [0; 4096]);
    while !output.contains("Apply this plan? [y/N]") {
        let read = reader.read(&mut buf).unwrap_or_default();
        assert!(read > 0, "the command ended without a question: {output}");
        output.push_str(&String::from_utf8_lossy(&buf[..read]));
    }
    keys.write_all(answer.as_bytes()).unwrap();
    keys.flush().unwrap();
    while let Ok(1..) = reader.read(&mut buf) {}
    child.wait().unwrap().exit_code()
}

#[cfg(unix)]
#[test]
fn at_a_terminal_the_default_answer_is_no() {
    for answer in ["\r", "n\r", "yeah\r"] {
        let shell = shell_with_plan(|_| {});
        let before = folder_contents(&shell);
        assert_eq!(run_with_answer(&shell, "repair a.log --apply p.json", answer), 6, "{answer:?}");
        assert!(folder_contents(&shell) == before);
    }
}

#[test]
fn saving_a_plan_replaces_files_only_with_force_and_never_the_log() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    fs::write(shell.path("p.json"), "mine").unwrap();
    let before = folder_contents(&shell);
    let outcome = shell.run("repair a.log --dry-run --plan p.json");
    assert!(outcome.exit_code == 6 && outcome.stderr.contains("p.json: already exists"), "{outcome:?}");
    fs::hard_link(shell.path("a.log"), shell.path("same.log")).unwrap();
    for protected in ["a.log", "same.log", "a.log.idx"] {
        let outcome = shell.run(&format!("repair a.log --dry-run --plan {protected} --force"));
        assert!(outcome.exit_code == 6 && outcome.stderr.contains("would replace"), "{protected}: {outcome:?}");
    }
    fs::remove_file(shell.path("same.log")).unwrap();
    assert!(folder_contents(&shell) == before);
    assert_eq!(shell.run("repair a.log --dry-run --force").exit_code, 2, "--force is about --plan");
}

#[cfg(unix)]
#[test]
fn a_saved_plan_has_the_permissions_of_the_log() {
    use std::os::unix::fs::PermissionsExt;

    let shell = Shell::with_log();
    fs::set_permissions(shell.path("a.log"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(shell.path("old.json"), "an old plan").unwrap();
    fs::set_permissions(shell.path("old.json"), fs::Permissions::from_mode(0o644)).unwrap();
    for (file, force) in [("new.json", ""), ("old.json", " --force")] {
        shell.run(&format!("repair a.log --dry-run --plan {file}{force}"));
        let mode = fs::metadata(shell.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
        assert!(Plan::from_json(&fs::read_to_string(shell.path(file)).unwrap()).is_ok(), "{file}");
    }
}

#[test]
fn files_that_are_not_plans_are_refused() {
    let shell = shell_with_plan(|plan| plan.layout_version = 2);
    let outcome = shell.run("repair a.log --apply p.json --yes");
    assert!(
        outcome.exit_code == 2 && outcome.stderr.contains("expected a repair plan of layout 1, found layout 2"),
        "{outcome:?}"
    );
    for text in ["", "{}", "{\"plan\":1", "[1]"] {
        fs::write(shell.path("p.json"), text).unwrap();
        let outcome = shell.run("repair a.log --apply p.json --yes");
        assert!(
            outcome.exit_code == 2 && outcome.stderr.contains("p.json: expected a repair plan of layout 1"),
            "{text}: {outcome:?}"
        );
    }
    assert_eq!(shell.run("repair a.log --apply missing.json").exit_code, 1);
}

#[test]
fn a_saved_plan_that_was_changed_is_refused() {
    let shell = shell_with_plan(|_| {});
    let saved = fs::read_to_string(shell.path("p.json")).unwrap();
    // One hexadecimal digit of the bytes that the plan shows as the ones before the repair.
    let changed = saved.replacen("\"before\":\"61\"", "\"before\":\"71\"", 1);
    assert_ne!(changed, saved);
    fs::write(shell.path("p.json"), changed).unwrap();
    let before = folder_contents(&shell);
    let outcome = shell.run("repair a.log --apply p.json --yes");
    assert_eq!(outcome.exit_code, 6, "{outcome:?}");
    for part in ["expected the plan as it was saved, with digest", "found a changed plan", "--dry-run --plan FILE"] {
        assert!(outcome.stderr.contains(part), "{part}: {outcome:?}");
    }
    assert_eq!(folder_contents(&shell), before);
}

#[test]
fn the_old_name_of_gap_undecided_still_works() {
    let plans = ["--gap-undecided", "--fence-undecided"].map(|flag| {
        let shell = Shell::with_log();
        shell.plant_damage("checksum_byte", "bad.log");
        assert!(shell.run("repair bad.log --dry-run").stdout.contains("not repaired: "));
        let outcome = shell.run(&format!("repair bad.log --dry-run {flag} --json"));
        outcome.stdout_json()["plan"]["steps"][0]["action"].clone()
    });
    assert_eq!(plans, ["gap", "gap"]);
    assert!(!Shell::new().run("repair --help").stdout.contains("--fence-undecided"), "the alias is hidden");
}

#[test]
fn invalid_arguments_exit_with_2() {
    let shell = Shell::with_log();
    for line in [
        "repair",
        "repair a.log --accept choice",
        "repair a.log --choose 16",
        "repair a.log --choose 16=0",
        "repair a.log --only torn-tail",
        "repair a.log --except 0xzz",
        "repair a.log --max-loss many",
        "repair a.log --wait -1",
        "repair a.log --apply p.json --accept likely",
        "repair a.log --apply p.json --plan q.json",
        "undo",
        "undo a.log first",
        "undo a.log 1 --list",
        "undo a.log --list --yes",
    ] {
        let outcome = shell.run(line);
        assert!(outcome.exit_code == 2 && outcome.stdout.is_empty(), "{line}: {outcome:?}");
        let outcome = shell.run(&format!("{line} --json"));
        let error: Value = serde_json::from_str(&outcome.stderr).unwrap();
        assert_eq!((outcome.exit_code, &error["exit"]), (2, &2.into()), "{line}: {outcome:?}");
    }
    let missing = shell.run("repair nothing.log --json --yes");
    let error: Value = serde_json::from_str(&missing.stderr).unwrap();
    assert_eq!((missing.exit_code, &error["exit"]), (1, &1.into()), "{missing:?}");
}

#[test]
fn a_log_without_repairs_has_an_empty_history() {
    let shell = Shell::with_log();
    let outcome = shell.run_ok("undo a.log --list");
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("no repairs yet"), "{outcome:?}");
    let outcome = shell.run_ok("undo a.log --list --json");
    assert!(outcome.stdout.is_empty() && outcome.stderr.is_empty(), "{outcome:?}");
    assert_eq!(shell.run_ok("info a.log --json").stdout_json()["repairs"], 0);
}

/// Returns the lines that `cat` prints: every readable event with its offset.
fn readable_lines(shell: &Shell, name: &str) -> Vec<String> {
    shell.run(&format!("cat {name}")).stdout.lines().map(str::to_owned).collect()
}

/// Returns the damage that `verify` reports.
fn reported_damage(shell: &Shell, name: &str) -> Vec<Value> {
    let report = shell.run(&format!("verify {name} --json")).stdout_json();
    report["findings"].as_array().unwrap().iter().filter(|found| found["damage"] == true).cloned().collect()
}

#[test]
fn every_damaged_fixture_is_repaired_as_planned_and_undone_to_the_byte() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let mut repaired = 0;
    for entry in fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("v1-") {
            continue;
        }
        let shell = Shell::new();
        fs::copy(&path, shell.path("a.log")).unwrap();
        let original = fs::read(&path).unwrap();
        let before = folder_contents(&shell);
        let (status, events) = (shell.run("verify a.log").exit_code, readable_lines(&shell, "a.log"));
        let planned = shell.run("repair a.log --dry-run --json");
        assert_eq!(planned.exit_code, status, "{name}: a dry run returns the status of the log: {planned:?}");
        assert!(folder_contents(&shell) == before, "{name}");

        let outcome = shell.run("repair a.log --yes --json");
        let report = outcome.stdout_json();
        for part in ["id", "steps", "left"] {
            assert_eq!(report["plan"][part], planned.stdout_json()["plan"][part], "{name}: the same plan");
        }
        let unrepaired = report["plan"]["left"].as_array().unwrap();
        assert_eq!(reported_damage(&shell, "a.log").len(), unrepaired.len(), "{name}: {report}");
        let given_up = report["plan"]["steps"].as_array().unwrap().iter().any(|step| step["given_up"]["at_most"] != 0);
        assert_eq!(outcome.exit_code, if unrepaired.is_empty() && !given_up { 0 } else { 3 }, "{name}: {report}");
        let after = readable_lines(&shell, "a.log");
        assert!(events.iter().all(|line| after.contains(line)), "{name}: an event is no longer readable");

        if report["applied"].is_null() {
            assert!(folder_contents(&shell) == before, "{name}: an empty plan writes nothing");
            continue;
        }
        repaired += 1;
        assert!(PathBuf::from(report["applied"]["journal"].as_str().unwrap()).is_file(), "{name}");
        let outcome = shell.run("undo a.log --yes");
        assert_eq!(outcome.exit_code, status, "{name}: {outcome:?}");
        assert!(fs::read(shell.path("a.log")).unwrap() == original, "{name}: not the identical file");
        assert_eq!(shell.run_ok("undo a.log --list").stdout.lines().count(), 2, "{name}");
    }
    assert!(repaired >= 12, "{repaired}");
}

#[test]
fn proven_fixes_restore_the_original_bytes() {
    let shell = Shell::with_log();
    let whole = fs::read(shell.path("a.log")).unwrap();
    for kind in ["checksum", "length", "header"] {
        let copy = format!("{kind}.log");
        shell.plant_damage(kind, &copy);
        assert_eq!(shell.run(&format!("verify {copy}")).exit_code, 4, "{kind}");
        let verified = shell.run(&format!("verify {copy}")).stdout;
        assert!(verified.contains("\n  fix: ") && verified.contains(", proven: "), "{kind}: {verified}");
        shell.run_ok(&format!("repair {copy} --yes"));
        assert!(fs::read(shell.path(&copy)).unwrap() == whole, "{kind}");
        assert_eq!(
            shell.run(&format!("repair {copy} --yes")).exit_code,
            0,
            "{kind}: the second repair has nothing to do"
        );
    }
}

#[test]
fn a_lost_range_becomes_a_gap_and_its_bytes_are_in_the_named_journal() {
    let shell = Shell::with_log();
    let truth = shell.plant_damage("garbage", "bad.log");
    let before = fs::read(shell.path("bad.log")).unwrap();
    let outcome = shell.run("repair bad.log --yes --max-loss 0");
    assert!(outcome.exit_code == 6 && fs::read(shell.path("bad.log")).unwrap() == before, "{outcome:?}");
    assert_eq!(shell.run("repair bad.log --yes --except garbage").exit_code, 3);
    assert!(fs::read(shell.path("bad.log")).unwrap() == before, "excluded damage is left");

    let outcome = shell.run("repair bad.log --yes --json");
    assert_eq!(outcome.exit_code, 3, "events are given up: {outcome:?}");
    let journal = outcome.stdout_json()["applied"]["journal"].clone();
    let report = shell.run("verify bad.log --json");
    let gap = &report.stdout_json()["findings"][0];
    assert_eq!(
        (report.exit_code, &gap["kind"], &gap["start"], &gap["end"]),
        (0, &"gap".into(), &truth["start"], &truth["end"])
    );
    assert_eq!(gap["evidence"]["kept_in"], journal);
    let journal_note = format!("original bytes in {}", journal.as_str().unwrap());
    assert!(shell.run("verify bad.log").stdout.contains(&journal_note));
    assert!(shell.run("cat bad.log").stderr.contains(&journal_note));
    assert!(shell.run("info bad.log").stdout.contains("repairs     1"));
}

#[test]
fn a_cut_log_keeps_its_lost_offsets_unless_forget_is_given() {
    let shell = Shell::with_log();
    shell.plant_damage("truncated", "cut.log");
    let index = fs::read(shell.path("cut.log.idx")).unwrap();
    let cut = fs::read(shell.path("cut.log")).unwrap();
    let restore_cut_log = || {
        fs::write(shell.path("cut.log"), &cut).unwrap();
        fs::write(shell.path("cut.log.idx"), &index).unwrap();
        let _ = fs::remove_dir_all(shell.path("cut.log.repairs"));
    };
    let flags = "--type T --namespace n --schema s --payload 1";
    let append_offset = || shell.run_ok(&format!("append cut.log {flags}")).stdout.trim().parse::<usize>().unwrap();
    let whole = fs::read(shell.path("a.log")).unwrap();

    assert_eq!(shell.run("repair cut.log --yes").exit_code, 3, "events are given up");
    assert_eq!(shell.run("verify cut.log --require-fresh").exit_code, 0, "the index was caught up");
    assert_eq!(append_offset(), whole.len());

    restore_cut_log();
    assert_eq!(shell.run("repair cut.log --yes --forget").exit_code, 3, "events are given up");
    assert_eq!(append_offset(), cut.len());

    restore_cut_log();
    shell.run_ok("repair cut.log --yes --donor a.log");
    assert!(fs::read(shell.path("cut.log")).unwrap() == whole);
    assert_eq!(shell.run("verify cut.log").exit_code, 0);
}

#[test]
fn a_saved_plan_is_applied_once_and_not_to_another_log() {
    let shell = Shell::with_log();
    shell.plant_damage("length", "bad.log");
    let before = fs::read(shell.path("bad.log")).unwrap();
    assert_eq!(shell.run("repair bad.log --dry-run --plan p.json").exit_code, 4);
    let outcome = shell.run("repair a.log --apply p.json --yes");
    assert_eq!(outcome.exit_code, 6, "{outcome:?}");
    shell.run_ok("repair bad.log --apply p.json --yes");
    let outcome = shell.run("repair bad.log --apply p.json --yes");
    assert_eq!(outcome.exit_code, 6, "{outcome:?}");
    let outcome = shell.run("undo bad.log 1 --yes");
    assert!(outcome.exit_code == 4 && fs::read(shell.path("bad.log")).unwrap() == before, "{outcome:?}");
    shell.run_ok("repair bad.log --apply p.json --yes --full-check");
}

#[test]
fn a_log_that_is_being_written_is_not_repaired() {
    let shell = Shell::with_log();
    shell.plant_damage("length", "bad.log");
    let writer = chronicle::EventLog::open(shell.path("bad.log")).unwrap();
    let before = fs::read(shell.path("bad.log")).unwrap();
    let outcome = shell.run("repair bad.log --yes");
    assert!(outcome.exit_code == 6 && fs::read(shell.path("bad.log")).unwrap() == before, "{outcome:?}");
    drop(writer);
    shell.run_ok("repair bad.log --yes --wait 5");
}

#[test]
fn a_repair_that_waits_for_a_writer_plans_after_it() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum", "bad.log");
    for line in ["repair bad.log --yes --wait 60", "undo bad.log --yes --wait 60"] {
        let mut writer = chronicle::EventLog::open(shell.path("bad.log")).unwrap();
        // While the writer has the log, no plan is made that its next event would make obsolete.
        let too_short = shell.run(&line.replace("60", "1"));
        assert_eq!((too_short.exit_code, too_short.stdout.as_str()), (6, ""), "{line}: {too_short:?}");
        let waiting = shell.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let descriptors = format!("/proc/{}/fd", waiting.id());
        let has_log_open = || {
            let links = fs::read_dir(&descriptors).into_iter().flatten().flatten();
            links.filter_map(|link| fs::read_link(link.path()).ok()).any(|target| target.ends_with("bad.log"))
        };
        while !has_log_open() {
            std::thread::yield_now();
        }
        let event = chronicle::Event::builder().event_type("T").namespace("n").schema_id("s").schema_version(1);
        writer.append_sync(&event.payload_json("{}").build().unwrap()).unwrap();
        drop(writer);
        let outcome = CommandOutcome::from_output(waiting.wait_with_output().unwrap());
        assert!(matches!(outcome.exit_code, 0 | 4), "{line}: {outcome:?}");
        assert!(outcome.stdout.contains("bad.log"), "{line}: {outcome:?}");
    }
}

#[test]
fn a_saved_plan_that_is_too_large_is_not_read() {
    let shell = Shell::with_log();
    let plan = fs::File::create(shell.path("p.json")).unwrap();
    plan.set_len((256 << 20) + 1).unwrap();
    let outcome = shell.run("repair a.log --apply p.json --yes");
    assert!(outcome.exit_code != 0 && outcome.stderr.contains("expected at most 268435456 bytes"), "{outcome:?}");
}

#[test]
fn an_invalid_event_is_left_and_reported() {
    let shell = Shell::with_log();
    shell.plant_damage("invalid_event", "bad.log");
    let before = folder_contents(&shell);
    let outcome = shell.run("repair bad.log --yes");
    assert!(
        outcome.exit_code == 3 && outcome.stdout.contains("not repaired: ") && outcome.stdout.contains("invalid_event"),
        "{outcome:?}"
    );
    assert!(folder_contents(&shell) == before);
    assert_eq!(shell.run("undo bad.log --yes").exit_code, 6, "there is nothing to undo");
}

#[test]
fn the_undo_of_a_repair_that_made_a_file_a_log_reports_damage_and_no_failure() {
    let shell = Shell::with_log();
    let whole = fs::read(shell.path("a.log")).unwrap();
    for len in [0, 7, 15] {
        fs::write(shell.path("cut.log"), &whole[..len]).unwrap();
        let repaired = shell.run("repair cut.log --donor a.log --choose 0=1 --yes");
        assert_eq!(repaired.exit_code, 0, "{len}: {repaired:?}");
        let undone = shell.run("undo cut.log --yes");
        assert_eq!(undone.exit_code, 3, "{len}: {undone:?}");
        assert!(undone.stderr.contains("not verified: "), "{len}: {undone:?}");
        assert_eq!(fs::read(shell.path("cut.log")).unwrap(), whole[..len], "{len}");
        fs::remove_dir_all(shell.path("cut.log.repairs")).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn confirming_at_the_terminal_applies_the_printed_plan() {
    let shell = Shell::with_log();
    shell.plant_damage("torn_tail", "bad.log");
    let before = fs::read(shell.path("bad.log")).unwrap();
    assert_eq!(run_with_answer(&shell, "repair bad.log", "y\r"), 0);
    assert!(fs::read(shell.path("bad.log")).unwrap().len() < before.len());
    assert_eq!(run_with_answer(&shell, "undo bad.log", "Yes\r"), 4, "the status of verify afterwards");
    assert!(fs::read(shell.path("bad.log")).unwrap() == before);
}

#[test]
fn an_interrupted_repair_is_reported_by_readers_and_completed_by_a_writer() {
    let shell = Shell::with_log();
    shell.plant_damage("length", "bad.log");
    let outcome = shell.run("repair bad.log --yes --json").stdout_json();
    let journal = PathBuf::from(outcome["applied"]["journal"].as_str().unwrap());
    let bytes = fs::read(&journal).unwrap();
    // Removes the last record of the journal, which marks the repair as applied.
    let last_record = bytes.windows(8).rposition(|window| window == b"{\"state\"").unwrap() - 4;
    fs::write(&journal, &bytes[..last_record]).unwrap();

    let before = folder_contents(&shell);
    assert!(shell.run("verify bad.log").stdout.contains("pending repair: "));
    assert!(shell.run_ok("undo bad.log --list").stdout.contains("PENDING"));
    shell.run("repair bad.log --dry-run");
    shell.run("repair bad.log");
    assert!(
        folder_contents(&shell) == before && fs::read(&journal).unwrap().len() == last_record,
        "reading does not complete a repair"
    );
    let outcome = shell.run_ok("repair bad.log --yes");
    assert!(outcome.stderr.contains("repair 1 was interrupted") && outcome.stderr.contains("completed"), "{outcome:?}");
    assert!(!shell.run("verify bad.log").stdout.contains("pending repair: "));
}

#[test]
fn an_unreadable_journal_is_reported_not_ignored() {
    let shell = Shell::with_log();
    shell.plant_damage("garbage", "bad.log");
    shell.run("repair bad.log --yes --gap-undecided");
    let folder = fs::read_dir(shell.path("bad.log.repairs")).unwrap();
    let journal = folder.map(|entry| entry.unwrap().path()).next().unwrap();
    let mut bytes = fs::read(&journal).unwrap();
    bytes[60] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    let listed = shell.run("undo bad.log --list");
    assert!(listed.stderr.contains("0001-") && !listed.stderr.contains("no repairs yet"), "{listed:?}");
    let undone = shell.run("undo bad.log --yes");
    assert!(undone.exit_code == 6 && undone.stderr.contains("0001-"), "{undone:?}");
}
