//! `stats`: groups of events as text and JSON, filters, the index, damage and wrong properties.

use serde_json::Value;

use super::shell::Shell;

fn json(shell: &Shell, line: &str) -> Value {
    serde_json::from_str(&shell.run(line).stdout).unwrap()
}

#[test]
fn stats_count_the_events_that_cat_prints() {
    let shell = Shell::with_log();
    for filter in ["", " --filter type:Updated", " --filter payload.quantity>=0"] {
        let printed = shell.run_ok(&format!("cat a.log{filter}")).stdout.lines().count() as u64;
        for by in ["type", "ns", "schema", "v", "agg", "hour", "day", "payload.quantity"] {
            let found = json(&shell, &format!("stats a.log --by {by}{filter} --json"));
            let groups = found["groups"].as_array().unwrap();
            let sum: u64 = groups.iter().map(|group| group["events"].as_u64().unwrap()).sum();
            assert_eq!((found["events"].as_u64().unwrap(), sum), (printed, printed), "{by}{filter}");
        }
    }
    let found = json(&shell, "stats a.log --by agg --top 2 --json");
    assert_eq!((found["groups"].as_array().unwrap().len(), found["others"]["groups"].as_u64()), (2, Some(19)));
}

#[test]
fn stats_print_an_aligned_table_with_the_total() {
    let shell = Shell::with_log();
    let text = shell.run_ok("stats a.log --by v").stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("v ") && lines[0].contains(" events    share"), "{text}");
    assert!(lines.last().unwrap().starts_with("total") && lines.last().unwrap().contains("300"), "{text}");
    assert!(text.contains("100.0 %") && text.contains('█'), "{text}");
    let bars = |line: &str| line.chars().filter(|c| ('▁'..='█').contains(c)).count();
    assert!(bars(lines.last().unwrap()) >= bars(lines[1]) && bars(lines[1]) > 0, "{text}");
    let first = shell.run_ok("cat a.log --limit 1").stdout_json()["event"]["write_timestamp_ms"].as_u64().unwrap();
    let found = json(&shell, "stats a.log --by v --json");
    assert_eq!(found["first_ms"].as_u64(), Some(first));
    assert!(found["last_ms"].as_u64() > Some(first), "{found}");
    let shares: Vec<f64> = lines[1..lines.len() - 1]
        .iter()
        .map(|line| line.split_once(" %").unwrap().0.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!((shares.iter().sum::<f64>() - 100.0).abs() < 0.2, "{text}");
}

#[test]
fn stats_report_damage_and_exit_with_3() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum", "bad.log");
    let outcome = shell.run("stats bad.log");
    assert_eq!(outcome.exit_code, 3);
    assert!(outcome.stderr.starts_with("1 damaged range may hide events"), "{}", outcome.stderr);
    let found = json(&shell, "stats bad.log --json");
    assert_eq!((found["events"].as_u64(), found["damage"].as_u64()), (Some(299), Some(1)));
}

#[test]
fn stats_take_counts_from_the_index() {
    let shell = Shell::with_log();
    let read = json(&shell, "stats a.log --json");
    assert_eq!(read["counted_from_index_to"], 0);
    shell.run_ok("index update a.log");
    let outcome = shell.run_ok("stats a.log --counts");
    assert!(outcome.stderr.starts_with("Counted from the index up to offset"), "{}", outcome.stderr);
    let counted = json(&shell, "stats a.log --counts --json");
    assert!(counted["counted_from_index_to"].as_u64() > Some(16) && counted["bytes"].is_null(), "{counted}");
    let counts = |value: &Value| -> Vec<(String, u64)> {
        let groups = value["groups"].as_array().unwrap().iter();
        groups.map(|group| (group["key"].to_string(), group["events"].as_u64().unwrap())).collect()
    };
    assert_eq!(counts(&read), counts(&counted));
}

#[test]
fn a_wrong_property_is_refused_with_the_nearest_one() {
    let shell = Shell::with_log();
    for (by, expected) in
        [("typ", "the nearest is `type`"), ("payload.", "a key is missing"), ("x", "expected one of type, ns")]
    {
        let outcome = shell.run(&format!("stats a.log --by {by}"));
        assert_eq!((outcome.exit_code, outcome.stdout.as_str()), (2, ""));
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    }
}
