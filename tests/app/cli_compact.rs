//! `compact`: the latest events, filters, the map, dry runs, exit statuses and JSON.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::shell::Shell;

fn events(shell: &Shell, log: &str) -> Vec<Value> {
    let cat = shell.run_ok(&format!("cat {log}")).stdout;
    cat.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].clone()).collect()
}

#[test]
fn the_latest_event_of_each_aggregate_is_copied_with_its_time_and_mapped() {
    let shell = Shell::with_log();
    let dry = shell.run_ok("compact a.log -o new.log --latest --dry-run");
    assert!(dry.stdout.contains("would keep") && dry.stdout.contains("dropped"), "{dry:?}");
    assert!(!shell.path("new.log").exists());
    let counted = shell.run_ok("compact a.log -o new.log --latest --dry-run --json").stdout_json();
    let summary = shell.run_ok("compact a.log -o new.log --latest --map moved.csv --format 2 --json").stdout_json();
    assert_eq!(
        (&summary["events_kept"], &summary["events_dropped"]),
        (&counted["events_kept"], &counted["events_dropped"])
    );
    let (old, new) = (events(&shell, "a.log"), events(&shell, "new.log"));
    assert_eq!(summary["events_kept"].as_u64().unwrap() as usize, new.len());
    assert_eq!(new.len() + summary["events_dropped"].as_u64().unwrap() as usize, old.len());
    let with_aggregate: Vec<_> = new.iter().filter_map(|event| event["aggregate_id"].as_u64()).collect();
    assert_eq!(with_aggregate.len(), with_aggregate.iter().collect::<BTreeSet<_>>().len(), "one of each");
    let time_of = |events: &[Value], id: u64| {
        events.iter().rev().find(|event| event["aggregate_id"] == id).unwrap()["write_timestamp_ms"].clone()
    };
    for id in with_aggregate {
        assert_eq!(time_of(&new, id), time_of(&old, id));
    }
    let map = fs::read_to_string(shell.path("moved.csv")).unwrap();
    assert_eq!(map.lines().count(), new.len() + 1);
    let verified = shell.run_ok("verify new.log --json").stdout_json();
    assert_eq!(verified["version"], 2);
    let exists = shell.run("compact a.log -o new.log --latest");
    assert_eq!(exists.exit_code, 6, "{exists:?}");
    shell.run_ok("compact a.log -o new.log --latest --filter agg:3 --force");
    let only = events(&shell, "new.log");
    assert!(only.len() == 1 && only[0]["aggregate_id"] == 3, "{only:?}");
}

#[test]
fn damage_and_arguments_decide_about_the_exit_status() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum", "bad.log");
    let outcome = shell.run("compact bad.log -o new.log --latest");
    assert!(outcome.exit_code == 3 && outcome.stdout.contains("1 damaged range left out"), "{outcome:?}");
    let outcome = shell.run("compact bad.log -o other.log --filter agg:3 --dry-run");
    assert!(outcome.exit_code == 3 && outcome.stdout.contains("would keep"), "{outcome:?}");
    for (line, status, expected) in [
        ("compact a.log -o n.log", 2, "required"),
        ("compact a.log --latest", 2, "--output"),
        ("compact a.log -o n.log --filter tpye:A", 2, "--filter, byte"),
        ("compact a.log -o n.log --filter=", 2, "an empty filter"),
        ("compact a.log -o a.log --latest --force", 6, "a.log"),
        ("compact no.log -o n.log --latest", 1, "No such file"),
    ] {
        let outcome = shell.run(line);
        assert_eq!(outcome.exit_code, status, "{line}: {outcome:?}");
        assert!(outcome.stderr.contains(expected), "{line}: {outcome:?}");
    }
    assert!(!shell.path("n.log").exists());
}
