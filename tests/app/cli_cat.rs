//! `cat`: events on stdout, damage on stderr, filters, ranges, and a closed pipe.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value;

use super::shell::{CommandOutcome, Shell};

#[test]
fn cat_prints_events_and_reports_damage_on_stderr() {
    let shell = Shell::with_log();
    let whole = shell.run_ok("cat a.log");
    assert_eq!((whole.stdout.lines().count(), whole.stderr.as_str()), (300, ""));
    let line: Value = serde_json::from_str(whole.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(line["offset"], 16);
    assert!(line["event"]["write_timestamp_ms"].is_u64());
    for (kind, code, lines) in [("checksum", 3, 299), ("gap", 0, 299), ("torn_tail", 3, 299), ("header", 3, 300)] {
        let copy = format!("{kind}.log");
        let truth = shell.plant_damage(kind, &copy);
        let outcome = shell.run(&format!("cat {copy}"));
        assert_eq!((outcome.exit_code, outcome.stdout.lines().count()), (code, lines), "{kind}: {}", outcome.stderr);
        let range = format!("{}..{}", truth["start"], truth["end"]);
        assert!(
            outcome.stderr.lines().count() == 1 && outcome.stderr.starts_with(&range) && outcome.stderr.contains(kind),
            "{}",
            outcome.stderr
        );
        let notice: Value = serde_json::from_str(&shell.run(&format!("cat {copy} --json")).stderr).unwrap();
        assert_eq!((&notice["kind"], &notice["start"]), (&truth["kind"], &truth["start"]));
    }
    shell.plant_damage("truncated", "cut.log");
    let outcome = shell.run("cat cut.log");
    assert!(outcome.exit_code == 3 && outcome.stderr.contains("truncated"), "{outcome:?}");
}

fn offset_of_line(line: &str) -> u64 {
    serde_json::from_str::<Value>(line).unwrap()["offset"].as_u64().unwrap()
}

#[test]
fn cat_stops_at_damage_limit_and_until() {
    let shell = Shell::with_log();
    let truth = shell.plant_damage("checksum", "bad.log");
    let all = shell.run_ok("cat a.log").stdout;
    let offsets: Vec<u64> = all.lines().map(offset_of_line).collect();
    let strict = shell.run("cat bad.log --strict");
    let before = offsets.iter().filter(|offset| **offset < truth["start"].as_u64().unwrap()).count();
    assert_eq!((strict.exit_code, strict.stdout.lines().count()), (3, before));
    assert_eq!(shell.run_ok("cat a.log --limit 7").stdout.lines().count(), 7);
    assert_eq!(shell.run_ok("cat a.log --limit 0").stdout, "");
    let part = shell.run_ok(&format!("cat a.log --from {} --until {}", offsets[10], offsets[20])).stdout;
    assert_eq!(part.lines().map(offset_of_line).collect::<Vec<_>>(), offsets[10..20]);
}

#[test]
fn cat_filters_events_and_findings() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum", "bad.log");
    let all = shell.run_ok("cat a.log").stdout;
    let is_aggregate_5 = |line: &&str| serde_json::from_str::<Value>(line).unwrap()["event"]["aggregate_id"] == 5;
    let expected: Vec<&str> = all.lines().filter(is_aggregate_5).collect();
    assert!(expected.len() > 1);
    let outcome = shell.run("cat a.log --filter agg:5");
    assert_eq!((outcome.exit_code, outcome.stdout.lines().collect::<Vec<_>>()), (0, expected));
    let damaged = shell.run("cat bad.log --filter agg:999999");
    assert!(damaged.exit_code == 3 && damaged.stdout.is_empty() && damaged.stderr.contains("checksum"), "{damaged:?}");
    let hidden = shell.run("cat bad.log --filter -is:damaged");
    assert!(hidden.exit_code == 0 && hidden.stderr.is_empty(), "{hidden:?}");
    let broken = shell.run("cat a.log --filter agg:x");
    assert!(broken.exit_code == 2 && broken.stderr.contains("agg:x"), "{broken:?}");
}

#[test]
fn cat_with_an_index_reads_less_and_prints_the_same() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 3000 --aggregates 20");
    shell.plant_damage("checksum", "bad.log");
    for log in ["a.log", "bad.log"] {
        shell.run(&format!("index rebuild {log}"));
        let all = shell.run(&format!("cat {log}")).stdout;
        let offsets: Vec<u64> = all.lines().map(offset_of_line).collect();
        let (from, until) = (offsets[700], offsets[2100]);
        let time = |i: usize| serde_json::from_str::<Value>(all.lines().nth(i).unwrap()).unwrap();
        let time = |i: usize| time(i)["event"]["write_timestamp_ms"].as_u64().unwrap();
        let stamp = |i| jiff::Timestamp::from_millisecond(time(i).cast_signed()).unwrap();
        let span = format!("after:{}\u{20}before:{}", stamp(1500), stamp(1700));
        for filter in ["type:None", "type:Returned", "ns:orders\u{20}schema:Payment", &span, "offset:0x8000.."] {
            for rest in ["", "--limit 9", &format!("--from {from} --until {until}"), "--strict"] {
                let run = |more: &str| {
                    let mut command = shell.command(&format!("cat {log} {rest} {more}"));
                    let outcome = CommandOutcome::from_output(command.args(["--filter", filter]).output().unwrap());
                    // Only an index knows the names that no event has.
                    let findings: Vec<String> = outcome
                        .stderr
                        .lines()
                        .filter(|line| !line.starts_with("no event has"))
                        .map(str::to_owned)
                        .collect();
                    (outcome.exit_code, outcome.stdout, findings)
                };
                assert_eq!(run(""), run("--index none.idx"), "{log} {filter} {rest}");
            }
        }
    }
    // With an index, filters by aggregate read single events.
    for log in ["a.log", "bad.log"] {
        for filter in ["agg:7", "agg:7\u{20}agg:12"] {
            let with_index = shell.command(&format!("cat {log} --filter")).arg(filter).output().unwrap();
            let without_index =
                shell.command(&format!("cat {log} --index none.idx --filter")).arg(filter).output().unwrap();
            assert!(with_index.stdout.len() > 1000);
            assert_eq!(CommandOutcome::from_output(with_index), CommandOutcome::from_output(without_index));
        }
    }
    // Damage in a range that the index excludes is not found without --strict.
    let at = shell.run_ok("cat a.log").stdout.lines().nth(1000).map(offset_of_line).unwrap();
    shell.flip_bit("a.log", at as usize + 60);
    let codes = ["", "--strict", "--index none.idx"]
        .map(|more| shell.run(&format!("cat a.log --filter type:None {more}")).exit_code);
    assert_eq!(codes, [0, 3, 3]);
    assert_eq!(shell.run("cat a.log --filter is:damaged").exit_code, 3);
}

#[test]
fn a_closed_pipe_is_success() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 20000");
    let mut child = shell.command("cat a.log").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    drop(reader);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
    assert!(first.starts_with("{\"offset\":16,"));
}

#[test]
fn a_filter_that_shows_nothing_reports_the_nearest_names_and_the_times_of_the_log() {
    let shell = Shell::with_log();
    let known = shell.run_ok("cat a.log --limit 1").stdout;
    let event: Value = serde_json::from_str(&known).unwrap();
    let name = event["event"]["event_type"].as_str().unwrap().to_owned();
    let search = |filter: &str| shell.run_ok(&format!("cat a.log --filter {filter}"));
    let without_index = search(&format!("type:{}", name.to_lowercase()));
    let expected = format!("no event has the type `{}`; {name} has ", name.to_lowercase());
    assert!(without_index.stdout.is_empty() && without_index.stderr.starts_with(&expected), "{without_index:?}");
    shell.run_ok("index update a.log");
    let outcome = search(&format!("type:{}", name.to_lowercase()));
    assert!(outcome.stdout.is_empty() && outcome.stderr.starts_with(&expected), "{}", outcome.stderr);
    for filter in [format!("type:{name},{}", name.to_lowercase()), format!("!type:{}", name.to_lowercase())] {
        let outcome = search(&filter);
        assert!(!outcome.stdout.is_empty() && outcome.stderr.starts_with(&expected), "{filter}: {}", outcome.stderr);
    }
    let outcome = search("before:2001-01-01");
    assert!(outcome.stderr.contains("the first event is from 20"), "{}", outcome.stderr);
    assert_eq!(search(&format!("type:{name}")).stderr, "");
    assert_eq!(search("before:2001-01-01 --limit 0").stderr, "");
}

#[test]
fn a_filter_counts_back_from_the_last_event() {
    let shell = Shell::with_log();
    let times = |filter: &str| -> Vec<u64> {
        let lines = shell.run_ok(&format!("cat a.log {filter}")).stdout;
        lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"]["write_timestamp_ms"].as_u64().unwrap())
            .collect()
    };
    let all = times("");
    let last = *all.last().unwrap();
    let seconds = (last - all[all.len() / 2]) / 1000;
    let start = last - seconds * 1000;
    let expected: Vec<u64> = all.iter().copied().filter(|time| *time >= start).collect();
    assert!(expected.len() > 1 && expected.len() < all.len(), "{} of {}", expected.len(), all.len());
    assert_eq!(times(&format!("--filter after:end-{seconds}s")), expected);
    assert_eq!(times(&format!("--filter time>={start}")), expected, "milliseconds");
    let shown = shell.run_ok(&format!("show a.log end-{seconds}s --json")).stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let in_milliseconds = shell.run_ok(&format!("show a.log {start}ms --json")).stdout;
    assert_eq!(shown, serde_json::from_str::<Value>(&in_milliseconds).unwrap());
    let refused = shell.run("show a.log 1795165200000");
    assert!(refused.exit_code == 2 && refused.stderr.contains("1795165200000ms"), "{}", refused.stderr);
}
