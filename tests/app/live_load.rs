//! Runs a writer at full speed together with readers, verifiers, index updates, repairs, undos and a screen on one log,
//! and kills each of them at random moments.
//!
//! Every event whose offset the writer has printed stays readable there, and no run reports damage other than the torn
//! tail that a killed writer leaves. `CHRONICLE_LIVE_SECONDS` sets how long it runs; `tests/live/run` runs it for minutes.
//! `CHRONICLE_LIVE_SEED` replays the random choices of a run, as far as the timing of the processes allows.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chronicle::EventLog;

use super::shell::{CommandOutcome, Shell};
use super::tui::TestTerminal;

/// The number of writers that follow each other on one log.
const WRITERS: usize = 6;

/// Random numbers from a seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// Returns the time after which a process is killed; `None` to let it end.
    fn kill_time(&mut self) -> Option<Duration> {
        (self.below(2) == 0).then(|| Duration::from_millis(self.below(300)))
    }
}

/// How often each command ended in each way.
#[derive(Default)]
struct Tally(Mutex<BTreeMap<String, u64>>);

impl Tally {
    fn add(&self, command: &str, ending: &str, count: u64) {
        let command = command.split_ascii_whitespace().take(2).collect::<Vec<_>>().join(" ").replace(" a.log", "");
        *self.0.lock().unwrap().entry(format!("{command}: {ending}")).or_default() += count;
    }
}

/// Waits for a process, which is killed after `kill_time`. Returns `None` when it was killed.
fn wait_or_kill(mut child: Child, kill_time: Option<Duration>) -> (Option<i32>, Vec<u8>, String) {
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    thread::scope(|scope| {
        let out = scope.spawn(move || {
            let mut bytes = Vec::new();
            stdout.read_to_end(&mut bytes).unwrap();
            bytes
        });
        let err = scope.spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        if let Some(time) = kill_time {
            thread::sleep(time);
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        assert!(status.code().is_some() || status.signal() == Some(9), "{status}: {:?}", child.id());
        (status.code(), out.join().unwrap(), err.join().unwrap())
    })
}

/// Runs a command, or kills it at a random moment. Returns its outcome unless it was killed.
fn run_or_kill(shell: &Shell, line: &str, random: &mut Random, tally: &Tally) -> Option<CommandOutcome> {
    let child = shell.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (code, stdout, stderr) = wait_or_kill(child, random.kill_time());
    let Some(exit_code) = code else {
        tally.add(line, "killed", 1);
        return None;
    };
    tally.add(line, &format!("exit status {exit_code}"), 1);
    Some(CommandOutcome { exit_code, stdout: String::from_utf8(stdout).unwrap(), stderr })
}

/// An event whose offset the writer has printed.
#[derive(Debug, Clone, Copy)]
struct Acknowledged {
    offset: u64,
    number: u64,
}

/// Appends events with writers that follow each other. Most of them are killed while they write at full speed.
fn write_events(shell: &Shell, random: &mut Random, tally: &Tally) -> Vec<Acknowledged> {
    let (mut acknowledged, mut first_number) = (Vec::new(), 0);
    for writer in 0..WRITERS {
        let line = if writer % 2 == 0 { "append a.log --wait 60" } else { "append a.log --wait 60 --sync" };
        let mut command = shell.command(line);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let lifetime = Duration::from_millis(200 + random.below(1000));
        let is_killed = writer % 3 != 2;
        let (stop, start) = (AtomicBool::new(false), first_number);
        let (code, stdout, stderr) = thread::scope(|scope| {
            let feeder = scope.spawn(|| {
                for number in start.. {
                    let event = format!(
                        "{{\"event_type\":\"Live\",\"namespace\":\"accounts\",\"schema_id\":\"Person\",\"schema_version\":1,\
                         \"aggregate_id\":{},\"payload\":{{\"n\":{number}}}}}\n",
                        number % 7
                    );
                    if stop.load(Ordering::Relaxed) || stdin.write_all(event.as_bytes()).is_err() {
                        drop(stdin);
                        return number;
                    }
                }
                unreachable!("the numbers do not end")
            });
            if !is_killed {
                scope.spawn(|| {
                    thread::sleep(lifetime);
                    stop.store(true, Ordering::Relaxed);
                });
            }
            let ended = wait_or_kill(child, is_killed.then_some(lifetime));
            stop.store(true, Ordering::Relaxed);
            let next_number = feeder.join().unwrap() + 1;
            let text = String::from_utf8(ended.1.clone()).unwrap();
            // A line without its end was not printed completely.
            let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            acknowledged.extend(
                lines
                    .zip(first_number..)
                    .map(|(line, number)| Acknowledged { offset: line.trim().parse().unwrap(), number }),
            );
            first_number = next_number;
            ended
        });
        let ending = code.map_or("killed".to_owned(), |code| format!("exit status {code}"));
        assert!(matches!(code, None | Some(0)), "{line}: {ending}: {stderr}, {} bytes printed", stdout.len());
        tally.add(line, &ending, 1);
    }
    acknowledged
}

/// Verifies the log once, and checks that no damage is reported but a torn tail.
fn check_verification(shell: &Shell, random: &mut Random, tally: &Tally) {
    let Some(verified) = run_or_kill(shell, "verify a.log --json", random, tally) else { return };
    assert!([0, 4].contains(&verified.exit_code), "{verified:?}");
    for line in verified.stdout.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let kind = value.get("kind").and_then(serde_json::Value::as_str);
        assert!(matches!(kind, None | Some("torn_tail")), "{line}");
    }
}

/// Reads the events of one aggregate, with the index when there is one.
fn check_reading(shell: &Shell, random: &mut Random, tally: &Tally) {
    let Some(read) = run_or_kill(shell, "cat a.log --filter agg:3", random, tally) else { return };
    let is_torn = read.exit_code == 3 && read.stderr.contains("torn_tail");
    assert!(read.exit_code == 0 || is_torn, "{} {}", read.exit_code, read.stderr);
}

/// Runs one of `lines`, whose exit status must be one of `expected`.
fn check_command(shell: &Shell, lines: &[&str], expected: &[i32], random: &mut Random, tally: &Tally) {
    let line = lines[random.below(lines.len() as u64) as usize];
    let Some(outcome) = run_or_kill(shell, line, random, tally) else { return };
    // A verification whose result cannot be saved, because a repair has begun, is complete and fails.
    let is_unsaved = line == "verify a.log --save" && outcome.exit_code == 1;
    assert!(expected.contains(&outcome.exit_code) || is_unsaved, "{line}: {outcome:?}");
    assert!(!outcome.stderr.contains("without the"), "{line}: {outcome:?}");
    let reasons = ["holds the writer's lock", "changed while in use", "nothing to undo", "were appended after"];
    let has_reason = reasons.iter().any(|reason| outcome.stderr.contains(reason));
    assert!(!(outcome.exit_code == 6 || is_unsaved) || has_reason, "{line}: {outcome:?}");
}

/// Opens the screen, follows the log, and kills the screen.
fn watch_on_screen(shell: &Shell, random: &mut Random, tally: &Tally) {
    let mut terminal = TestTerminal::open(shell, "a.log", (120, 30));
    terminal.wait_for_text("events");
    terminal.press("F");
    thread::sleep(Duration::from_millis(random.below(800)));
    terminal.kill();
    tally.add("open", "killed", 1);
}

/// Runs everything on one new log, and checks the log at the end.
fn run_on_new_log(seed: u64, tally: &Tally) {
    let shell = Shell::new();
    shell.run_ok("create a.log");
    let done = AtomicBool::new(false);
    let acknowledged = thread::scope(|scope| {
        let repeat = |salt: u64, task: fn(&Shell, &mut Random, &Tally)| {
            let (shell, done) = (&shell, &done);
            scope.spawn(move || {
                let mut random = Random(seed ^ (salt << 32));
                while !done.load(Ordering::Relaxed) {
                    task(shell, &mut random, tally);
                }
            });
        };
        repeat(1, check_verification);
        repeat(2, check_reading);
        repeat(3, |shell, random, tally| {
            let lines = ["index update a.log", "index update a.log", "index rebuild a.log", "verify a.log --save"];
            check_command(shell, &lines, &[0, 4, 6], random, tally);
        });
        repeat(4, |shell, random, tally| {
            let lines = ["repair a.log --yes --wait 1", "repair a.log --yes", "undo a.log --yes"];
            check_command(shell, &lines, &[0, 4, 6], random, tally);
        });
        repeat(5, watch_on_screen);
        let written =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| write_events(&shell, &mut Random(seed), tally)));
        done.store(true, Ordering::Relaxed);
        written.unwrap()
    });
    check_end(&shell, &acknowledged, seed);
    tally.add("events", "acknowledged and read back", acknowledged.len() as u64);
}

/// Checks that one more append resolves what the kills have left, and that every acknowledged event is read back.
fn check_end(shell: &Shell, acknowledged: &[Acknowledged], seed: u64) {
    shell.run_ok("append a.log --type End --namespace accounts --schema Person --aggregate 1 --payload 1");
    let verified = shell.run("verify a.log");
    assert_eq!(verified.exit_code, 0, "seed {seed}: {verified:?}");
    shell.run_ok("index update a.log");
    let log = EventLog::open_read_only(shell.path("a.log")).unwrap();
    let mut stored = BTreeMap::new();
    for event in log.replay(0).unwrap() {
        let event = event.unwrap();
        stored.insert(event.offset(), event.view().payload().to_owned());
    }
    for Acknowledged { offset, number } in acknowledged {
        let expected = format!("{{\"n\":{number}}}");
        assert_eq!(stored.get(offset), Some(&expected), "seed {seed}: event {number} at {offset}");
    }
    let indexed = log.index().unwrap();
    assert_eq!(indexed.coverage().events, stored.len() as u64, "seed {seed}: the index covers every event");
    for entry in fs::read_dir(shell.folder.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(["a.log", "a.log.idx", "a.log.repairs"].contains(&name.as_str()), "seed {seed}: {name} is left");
    }
}

#[test]
fn a_live_log_with_kills_loses_no_acknowledged_event_and_shows_no_false_damage() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let run_time = number("CHRONICLE_LIVE_SECONDS").map(Duration::from_secs);
    let mut seed = number("CHRONICLE_LIVE_SEED").unwrap_or(0x9E37_79B9_7F4A_7C15);
    let (started, tally) = (Instant::now(), Tally::default());
    loop {
        eprintln!("seed {seed}");
        run_on_new_log(seed, &tally);
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) | 1;
        if run_time.is_none_or(|time| started.elapsed() >= time) {
            break;
        }
    }
    for (ending, count) in tally.0.lock().unwrap().iter() {
        eprintln!("{count:>9}  {ending}");
    }
}
