//! `cat` and `export` with several threads: the same bytes and findings in the same order, and bounded memory.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use chronicle::internal::format::frame;

use super::shell::Shell;

/// The size of the logs, which several threads read in pieces of one mebibyte.
const LOG_SIZE: &str = "5MiB";
/// More events than any log here has. Events that are limited in number are read one by one.
const ONE_BY_ONE: &str = "--limit 999999999";

/// Damages a log at and around the places where one thread ends and the next begins.
fn damage(shell: &Shell, name: &str) {
    let mut bytes = fs::read(shell.path(name)).unwrap();
    for at in [500_000, (1 << 20) - 40, (2 << 20) + 3, 2_700_000] {
        bytes[at] ^= 0x55;
    }
    bytes[(4 << 20) - 3000..(4 << 20) + 3000].fill(0);
    bytes.truncate(bytes.len() - 20);
    fs::write(shell.path(name), bytes).unwrap();
}

/// Writes a log with a valid frame that is no event, because its payload is the frames of another log, which cover the place
/// where a thread begins.
fn nest(shell: &Shell, whole: &str, name: &str) {
    let bytes = fs::read(shell.path(whole)).unwrap();
    let lines = shell.run_ok(&format!("cat {whole}")).stdout;
    let starts: Vec<usize> = lines.lines().map(|line| offset(line).parse().unwrap()).collect();
    let start_near = |at: usize| starts[starts.partition_point(|start| *start < at)];
    let (before, after) = (start_near(900_000), start_near(2_400_000));
    let mut nested = bytes[..before].to_vec();
    frame::encode(&bytes[before..after], &mut nested);
    nested.extend_from_slice(&bytes[before..]);
    fs::write(shell.path(name), nested).unwrap();
}

fn offset(line: &str) -> &str {
    line["{\"offset\":".len()..].split(',').next().unwrap()
}

/// Creates logs that are whole, damaged, repaired, with frames of more than two mebibytes, with frames in a frame, and in
/// segments.
fn logs(shell: &Shell) -> [&'static str; 6] {
    for (name, options) in
        [("whole.log", ""), ("damaged.log", "--format 2"), ("repaired.log", ""), ("segments", "--segment-size 900KiB")]
    {
        shell.run_ok(&format!("generate {name} --size {LOG_SIZE} {options}"));
    }
    damage(shell, "damaged.log");
    damage(shell, "repaired.log");
    assert_eq!(shell.run("repair repaired.log --yes").exit_code, 3);
    let mut segments: Vec<_> =
        fs::read_dir(shell.path("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    segments.sort();
    let mut middle = fs::read(&segments[2]).unwrap();
    middle[300_000] ^= 0x55;
    middle.truncate(middle.len() - 1000);
    fs::write(&segments[2], middle).unwrap();
    shell.run_ok("create large.log");
    let event = |len: usize| {
        let text = "x ".repeat(len / 2);
        format!(
            r#"{{"event_type":"T","namespace":"n","schema_id":"S","schema_version":2,"payload":{{"text":"{text}"}}}}"#
        )
    };
    let lines: String = [100, 3 << 20, 100, 1 << 20, 3 << 20, 100].map(|len| event(len) + "\n").concat();
    assert_eq!(shell.run_with_input("append large.log", lines.as_bytes()).exit_code, 0);
    nest(shell, "whole.log", "nested.log");
    ["whole.log", "damaged.log", "repaired.log", "segments", "large.log", "nested.log"]
}

#[test]
fn the_lines_and_findings_are_the_same_for_any_number_of_threads() {
    let shell = Shell::new();
    for log in logs(&shell) {
        let all = shell.run(&format!("cat {log} {ONE_BY_ONE}"));
        let offsets: Vec<&str> = all.stdout.lines().map(offset).collect();
        let (from, until) = (offsets[1], offsets[offsets.len() - 2]);
        let range = format!("--from {from} --until {until}");
        for selection in ["", "--strict", "--filter payload.items>=8", range.as_str()] {
            let run = |more: &str| {
                let outcome = shell.run(&format!("cat {log} {selection} {more}"));
                (outcome.exit_code, outcome.stdout, outcome.stderr)
            };
            let expected = run(ONE_BY_ONE);
            for threads in [1, 3] {
                assert!(run(&format!("--threads {threads}")) == expected, "{log} {selection}, {threads} threads");
            }
        }
    }
}

#[test]
fn an_exported_file_is_the_same_for_any_number_of_threads() {
    let shell = Shell::new();
    shell.run_ok(&format!("generate a.log --size {LOG_SIZE}"));
    damage(&shell, "a.log");
    for name in ["out.csv", "out.ndjson"] {
        let export = |more: &str| {
            let outcome = shell.run(&format!("export a.log -o {name} --force {more}"));
            (outcome.exit_code, outcome.stdout, outcome.stderr, fs::read(shell.path(name)).unwrap())
        };
        let expected = export(ONE_BY_ONE);
        assert_eq!(expected.0, 3);
        for threads in [1, 4] {
            assert!(export(&format!("--threads {threads}")) == expected, "{name}, {threads} threads");
        }
    }
}

#[test]
fn a_closed_pipe_ends_all_threads() {
    let shell = Shell::new();
    shell.run_ok(&format!("generate a.log --size {LOG_SIZE}"));
    let mut child =
        shell.command("cat a.log --threads 3").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("{\"offset\":16,"));
    drop(lines);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

/// Threads wait for the reader of stdout: what they hold does not depend on the size of the log.
#[cfg(target_os = "linux")]
#[test]
fn threads_hold_a_few_mebibytes_while_nobody_reads_stdout() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --size 64MiB");
    let mut child = shell.command("cat a.log --threads 2").stdout(Stdio::piped()).spawn().unwrap();
    let mut first = BufReader::with_capacity(64, child.stdout.take().unwrap()).lines();
    first.next().unwrap().unwrap();
    let cpu_ticks = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let fields: Vec<i64> =
            stat.rsplit(')').next().unwrap().split(' ').filter_map(|field| field.parse().ok()).collect();
        fields[10] + fields[11]
    };
    // The threads have read as far ahead as they do when the process has come to rest.
    let mut ticks = cpu_ticks();
    loop {
        std::thread::sleep(std::time::Duration::from_millis(400));
        let now = cpu_ticks();
        if now == ticks {
            break;
        }
        ticks = now;
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")).unwrap();
    drop(first);
    child.wait().unwrap();
    let peak: u64 = peak.parse().unwrap();
    assert!(peak < 32 << 10, "{peak} KiB");
}
