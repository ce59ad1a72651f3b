//! `erase` and `purge`: plans, confirmation, undo until the purge, exit statuses and JSON.

use std::fs;

use serde_json::Value;

use super::shell::Shell;

/// Returns the bytes of all files of the folder and of the journals.
fn all_bytes(shell: &Shell) -> Vec<(String, Vec<u8>)> {
    let folders = [shell.folder.path().to_owned(), shell.path("a.log.repairs")];
    let files =
        folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

/// Appends an event with a text that is nowhere else, and returns its offset.
fn append_secret(shell: &Shell) -> u64 {
    let event = r#"{"event_type":"Xylograph","namespace":"n","schema_id":"S","schema_version":1,"aggregate_id":987654321987,"payload":{"born":"Quetzalcoatl"}}"#;
    let offset = fs::metadata(shell.path("a.log")).unwrap().len();
    let appended = shell.run_with_input("append a.log --json", event.as_bytes());
    assert_eq!(appended.exit_code, 0, "{appended:?}");
    shell.run_ok("index update a.log");
    offset
}

#[test]
fn an_erasure_is_planned_applied_listed_and_undone() {
    let shell = Shell::with_log();
    let before = all_bytes(&shell);
    let dry = shell.run_ok("erase a.log --aggregate 3 --dry-run --reason request-17");
    assert!(dry.stdout.contains("aggregate loses all its events (3)"), "{dry:?}");
    assert!(dry.stdout.contains("undo with `chronicle undo LOG`, until `chronicle purge LOG`"), "{dry:?}");
    assert!(dry.stdout.contains("not reached: other copies of the log"), "{dry:?}");
    assert_eq!(all_bytes(&shell), before, "a dry run writes nothing");
    let plan = shell.run_ok("erase a.log --aggregate 3 --dry-run --json").stdout_json();
    let erases = &plan["plan"]["erases"];
    assert_eq!(erases["emptied"], serde_json::json!({ "count": 1, "ids": [3] }));
    assert_eq!(plan["applied"], Value::Null);
    let events = erases["events"].as_u64().unwrap();
    // Without a terminal to ask on, nothing is erased.
    let unconfirmed = shell.run("erase a.log --aggregate 3");
    assert_eq!(unconfirmed.exit_code, 6, "{unconfirmed:?}");
    assert_eq!(all_bytes(&shell), before);
    let log = fs::read(shell.path("a.log")).unwrap();
    let applied = shell.run_ok("erase a.log --aggregate 3 --yes --reason request-17");
    assert!(applied.stdout.contains("erasure 1 applied; journal: "), "{applied:?}");
    assert_eq!(fs::metadata(shell.path("a.log")).unwrap().len(), log.len() as u64);
    assert_eq!(shell.run_ok("cat a.log --filter agg:3").stdout, "");
    let info = shell.run_ok("verify a.log --json").stdout_json();
    assert_eq!((info["gaps"].as_u64(), info["events"].as_u64()), (Some(events), Some(300 - events)));
    let gap = info["findings"][0]["start"].as_u64().unwrap();
    let shown = shell.run_ok(&format!("show a.log {gap}"));
    assert!(shown.stdout.contains("was erased at 20") && shown.stdout.contains("because: request-17"), "{shown:?}");
    let list = shell.run_ok("undo a.log --list");
    assert!(list.stdout.contains(&format!("applied; {events} events erased, because: request-17")), "{list:?}");
    let undone = shell.run_ok("undo a.log --yes");
    assert!(undone.stdout.contains("repair 1 undone"), "{undone:?}");
    assert_eq!(fs::read(shell.path("a.log")).unwrap(), log);
}

#[test]
fn events_are_selected_by_offset_filter_and_aggregate_together() {
    let shell = Shell::with_log();
    let bytes = fs::read(shell.path("a.log")).unwrap();
    let first = 16;
    let second = first + 8 + u64::from(u32::from_be_bytes(bytes[16..20].try_into().unwrap()));
    let planned = |selection: &str| {
        let plan = shell.run_ok(&format!("erase a.log {selection} --dry-run --json")).stdout_json();
        plan["plan"]["erases"]["events"].as_u64().unwrap()
    };
    assert_eq!(planned(&format!("--offset {first} --offset {second} --offset {first}")), 2);
    let (three, four) = (planned("--aggregate 3"), planned("--aggregate 4"));
    assert_eq!(planned("--aggregate 3 --aggregate 4"), three + four);
    assert_eq!(planned("--aggregate 3 --filter agg:4"), three + four);
    assert_eq!(planned(&format!("--filter offset:{first}..{} --aggregate 3000", second + 1)), 2);
    assert_eq!(planned("--filter agg:3000"), 0);
    let nothing = shell.run_ok("erase a.log --filter agg:3000 --yes");
    assert!(nothing.stdout.contains("nothing to erase"), "{nothing:?}");
    assert!(!shell.path("a.log.repairs").exists());
    for (line, status, expected) in [
        ("erase a.log", 2, "required"),
        ("erase a.log --filter tpye:A", 2, "--filter, byte"),
        ("erase a.log --filter=", 2, "an empty filter, which shows every event"),
        ("erase a.log --aggregate x", 2, "invalid value"),
        ("erase a.log --offset 17 --yes", 6, "inside the frame at 16"),
        ("erase a.log --offset 999999999 --yes", 6, "the log ends at"),
        ("erase no.log --offset 16 --yes", 1, "No such file"),
        ("purge a.log --yes", 6, "no erasure in effect"),
        ("purge a.log 7 --yes", 6, "there is no repair 7"),
    ] {
        let outcome = shell.run(line);
        assert_eq!(outcome.exit_code, status, "{line}: {outcome:?}");
        assert!(outcome.stderr.contains(expected), "{line}: {outcome:?}");
    }
}

#[test]
fn a_plan_is_saved_and_names_copies_after_a_final_erasure() {
    let shell = Shell::with_log();
    let offset = append_secret(&shell);
    let saved = shell.run_ok(&format!("erase a.log --offset {offset} --dry-run --plan p.json"));
    assert!(saved.stdout.contains("erasure in "), "{saved:?}");
    let saved: Value = serde_json::from_slice(&fs::read(shell.path("p.json")).unwrap()).unwrap();
    assert_eq!(saved["steps"][0]["start"].as_u64(), Some(offset));
    let exists = shell.run(&format!("erase a.log --offset {offset} --dry-run --plan p.json"));
    assert_eq!(exists.exit_code, 6, "{exists:?}");
    fs::copy(shell.path("a.log"), shell.path("backup.log")).unwrap();
    let dry = shell.run_ok(&format!("erase a.log --offset {offset} --dry-run --final"));
    for expected in ["p.json, a saved plan", "backup.log, which has the header of the log", "final: the saved bytes"] {
        assert!(dry.stdout.contains(expected), "{expected}: {dry:?}");
    }
    let applied = shell.run_ok(&format!("erase a.log --offset {offset} --yes --final"));
    assert!(applied.stdout.contains("purge 2 applied"), "{applied:?}");
    fs::remove_file(shell.path("p.json")).unwrap();
    fs::remove_file(shell.path("backup.log")).unwrap();
    for (name, bytes) in all_bytes(&shell) {
        for secret in ["Quetzalcoatl", "Xylograph", "987654321987"] {
            assert!(memchr::memmem::find(&bytes, secret.as_bytes()).is_none(), "{name} has {secret}");
        }
    }
    let undo = shell.run("undo a.log --yes");
    assert!(undo.exit_code == 6 && undo.stderr.contains("nothing to undo"), "{undo:?}");
    let undo = shell.run("undo a.log 1 --yes");
    assert!(undo.exit_code == 6 && undo.stderr.contains("were destroyed by a purge"), "{undo:?}");
    let list = shell.run_ok("undo a.log --list --json").stdout;
    let states: Vec<Value> =
        list.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["state"].clone()).collect();
    assert_eq!(states, ["purged", "applied"]);
    assert_eq!(shell.run_ok("index status a.log --json").stdout_json()["index"]["state"], "fresh");
    shell.run_ok("verify a.log");
}

#[test]
fn a_purge_prints_its_plan_and_makes_one_erasure_final() {
    let shell = Shell::with_log();
    shell.run_ok("erase a.log --aggregate 3 --yes");
    shell.run_ok("erase a.log --aggregate 4 --yes");
    let before = all_bytes(&shell);
    let dry = shell.run_ok("purge a.log --dry-run");
    assert!(dry.stdout.contains("erasures 1, 2 become final"), "{dry:?}");
    assert_eq!(all_bytes(&shell), before);
    assert_eq!(shell.run("purge a.log 1").exit_code, 6, "not confirmed");
    let purged = shell.run_ok("purge a.log 1 --yes --json").stdout_json();
    assert_eq!(
        (&purged["plan"]["purges"]["erasures"], &purged["applied"]["number"]),
        (&serde_json::json!([1]), &3.into())
    );
    // The other erasure can still be undone.
    shell.run_ok("undo a.log --yes");
    assert_ne!(shell.run_ok("cat a.log --filter agg:4").stdout, "");
    assert_eq!(shell.run_ok("cat a.log --filter agg:3").stdout, "");
}
