//! `index`: states, updates and rebuilds; the number of threads and the memory limit do not change any result.

use std::fs;
use std::io::Write;

use super::shell::{CommandOutcome, Shell};

#[test]
fn index_commands_act_on_the_index_state() {
    let shell = Shell::with_log();
    let state = || {
        let outcome = shell.run("index status a.log --json");
        (outcome.stdout_json()["index"]["state"].as_str().unwrap().to_owned(), outcome.exit_code)
    };
    assert_eq!(state(), ("missing".into(), 5));
    shell.run_ok("index update a.log");
    assert_eq!(state(), ("fresh".into(), 0));
    // A killed writer leaves an index that is behind.
    let more = fs::read(shell.path("a.log")).unwrap();
    fs::OpenOptions::new().append(true).open(shell.path("a.log")).unwrap().write_all(&more[16..]).unwrap();
    assert_eq!(state(), ("behind".into(), 5));
    let updated = shell.run_ok("index update a.log --json").stdout_json();
    assert_eq!((&updated["before"]["state"], &updated["index"]["events"]), (&"behind".into(), &600.into()));
    shell.flip_bit("a.log.idx", 5000);
    assert_eq!(state(), ("corrupt".into(), 5));
    shell.run_ok("index update a.log");
    assert_eq!(state(), ("fresh".into(), 0));
    shell.run_ok("index rebuild a.log");
    assert_eq!(state(), ("fresh".into(), 0));

    shell.plant_damage("truncated", "cut.log");
    let refused = shell.run("index update cut.log");
    assert_eq!(refused.exit_code, 6, "{refused:?}");
    assert!(refused.stderr.contains("AHEAD") && refused.stderr.contains("chronicle repair"), "{refused:?}");
    assert_eq!(shell.run_ok("index rebuild cut.log --json").stdout_json()["index"]["state"], "ahead");
}

#[test]
fn the_index_option_chooses_the_index_file() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log --index elsewhere.idx");
    assert!(shell.path("elsewhere.idx").exists() && !shell.path("a.log.idx").exists());
    assert_eq!(shell.run("--index elsewhere.idx verify a.log --require-fresh").exit_code, 0);
    assert_eq!(shell.run("verify a.log --require-fresh").exit_code, 5);
}

#[test]
fn threads_and_memory_do_not_change_any_result() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --size 50MiB --aggregates 5000");
    shell.flip_bit("a.log", 20_000_000);
    shell.flip_bit("a.log", 45_000_000);
    let mut first: Option<(CommandOutcome, CommandOutcome, Vec<u8>, Vec<u8>)> = None;
    for (threads, memory) in [(1, "256MiB"), (3, "1MiB")] {
        let outcome = shell.run(&format!("verify a.log --ndjson --threads {threads}"));
        let plan = shell.run(&format!("repair a.log --dry-run --json --threads {threads}"));
        shell.run_ok(&format!("salvage a.log -o b.log --force --threads {threads}"));
        let copy = fs::read(shell.path("b.log")).unwrap();
        shell.run_ok(&format!("index rebuild a.log --threads {threads} --memory {memory}"));
        let index = fs::read(shell.path("a.log.idx")).unwrap();
        fs::remove_file(shell.path("a.log.idx")).unwrap();
        if let Some((first_outcome, first_plan, first_copy, first_index)) = &first {
            assert_eq!((outcome.exit_code, &outcome.stdout), (first_outcome.exit_code, &first_outcome.stdout));
            assert_eq!((plan.exit_code, &plan.stdout), (first_plan.exit_code, &first_plan.stdout));
            // The header contains the time of creation.
            assert!(copy[16..] == first_copy[16..], "{} and {} bytes", copy.len(), first_copy.len());
            // The first page contains the time of verification.
            assert!(index[4096..] == first_index[4096..], "{} and {} bytes", index.len(), first_index.len());
        }
        first.get_or_insert((outcome, plan, copy, index));
    }
    assert_eq!(
        first.map(|(outcome, plan, ..)| (outcome.exit_code, outcome.stdout.lines().count(), plan.exit_code)),
        Some((4, 2, 4))
    );
}

#[test]
fn a_corrupt_index_reports_a_lost_end_that_its_head_records() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let (log, index) = (fs::read(shell.path("a.log")).unwrap(), fs::read(shell.path("a.log.idx")).unwrap());
    fs::write(shell.path("a.log"), &log[..log.len() / 2]).unwrap();
    shell.flip_bit("a.log.idx", index.len() - 10);
    let reason = format!(
        "end of the log lost: the header of the index is intact and has recorded the log up to offset {}",
        log.len()
    );
    for command in ["verify a.log", "index status a.log"] {
        let outcome = shell.run(command);
        assert!(outcome.stdout.contains("CORRUPT") && outcome.stdout.contains(&reason), "{command}: {outcome:?}");
    }
    // With a complete log there is nothing to report.
    fs::write(shell.path("a.log"), &log).unwrap();
    assert!(!shell.run("verify a.log").stdout.contains("end of the log"));
}
