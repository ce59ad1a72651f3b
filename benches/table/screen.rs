//! The screen, in a real terminal: when it is there, how soon a key is answered, what it takes while nobody types.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::logs::BenchLogs;
use crate::process::{cpu_time, peak_memory};
use crate::row::{Measurement, TableRow};
use crate::terminal::BenchTerminal;

/// Keys that each move the cursor, from the first row and back to it.
const KEY_SEQUENCE: [&str; 14] =
    ["j", "j", "k", PAGE_DOWN, PAGE_DOWN, PAGE_UP, ":50%\r", "j", "k", PAGE_DOWN, "G", "k", PAGE_UP, "g"];
const PAGE_DOWN: &str = "\x1b[6~";
const PAGE_UP: &str = "\x1b[5~";
/// Distance of two keys: what a key repeats at that is held down.
const KEY_INTERVAL: Duration = Duration::from_millis(33);
/// How many keys are measured, and how often the screen is opened at most to come to so many.
const KEY_COUNT: usize = 300;
const MAX_SESSIONS: usize = 10;
/// How often a first screen is waited for.
const RUNS: usize = 5;
/// How long nobody types, once the scan and what follows it are over.
const IDLE_TIME: Duration = Duration::from_secs(4);

pub(crate) fn measure(logs: &BenchLogs) {
    let nowhere = logs.unused_path("none.idx");
    let without = [OsStr::new("--index"), nowhere.as_os_str()];
    for (what, index) in [("first screen, fresh index", &[][..]), ("first screen, no index", &without)] {
        let first = |log: &Path| {
            let screens = (0..RUNS).map(|_| BenchTerminal::open(log, index).first_screen());
            Measurement::Time(screens.min().unwrap())
        };
        let small = first(&logs.small);
        for (size, log) in [("", &logs.big), (", 100 GiB, sparse", &logs.vast)] {
            let operation = format!("{what}{size}");
            TableRow::new(&operation, first(log))
                .with_baseline("the same at 1 MiB", small)
                .with_target("under 50 ms")
                .print();
        }
    }
    let scanning = KeyLatencies::measure_during_scan(logs, &without);
    let still = KeyLatencies::measure_without_scan(logs);
    for (percent, target) in [(50, "under 5 ms"), (99, "under 16 ms")] {
        let operation = format!("a key to its frame while scanning, {percent} % of {}", scanning.0.len());
        let (ours, without) = (scanning.percentile(percent), still.percentile(percent));
        TableRow::new(&operation, ours).with_baseline("no scan", without).with_target(target).print();
    }
    measure_idle(logs);
}

/// How long each key took to its frame.
struct KeyLatencies(Vec<Duration>);

impl KeyLatencies {
    /// Opens the screen again as often as the scan ends too soon.
    fn measure_during_scan(logs: &BenchLogs, options: &[&OsStr]) -> Self {
        let mut keys = Vec::new();
        for _ in 0..MAX_SESSIONS {
            let mut terminal = BenchTerminal::open(&logs.big, options);
            terminal.first_screen();
            for key in KEY_SEQUENCE.iter().cycle() {
                let took = press(&mut terminal, key);
                if keys.len() == KEY_COUNT || terminal.contains_text("verified 100 %") {
                    break;
                }
                keys.push(took);
            }
        }
        Self(keys)
    }

    fn measure_without_scan(logs: &BenchLogs) -> Self {
        let mut terminal = BenchTerminal::open(&logs.big, &[OsStr::new("--no-scan")]);
        terminal.first_screen();
        Self(KEY_SEQUENCE.iter().cycle().take(KEY_COUNT).map(|key| press(&mut terminal, key)).collect())
    }

    /// The time that so many in a hundred keys took at most.
    fn percentile(&self, percent: usize) -> Measurement {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() * percent / 100).map_or(Measurement::Unknown, |time| Measurement::Time(*time))
    }
}

/// Presses a key, and lets the time pass to the next one.
fn press(terminal: &mut BenchTerminal, key: &str) -> Duration {
    let next = Instant::now() + KEY_INTERVAL;
    let took = terminal.cursor_latency(key);
    terminal.process_until(next);
    took
}

fn measure_idle(logs: &BenchLogs) {
    let mut terminal = BenchTerminal::open(&logs.big, &[]);
    terminal.first_screen();
    terminal.wait_for_text("verified 100 %");
    for key in KEY_SEQUENCE {
        press(&mut terminal, key);
    }
    terminal.process_until(Instant::now() + Duration::from_secs(1));
    let (before, start) = (cpu_time(terminal.pid()), Instant::now());
    terminal.process_until(start + IDLE_TIME);
    let share = cpu_time(terminal.pid()).zip(before).map_or(Measurement::Unknown, |(after, before)| {
        Measurement::CpuShare(after.saturating_sub(before).as_secs_f64() / start.elapsed().as_secs_f64())
    });
    TableRow::new("share of a core while nobody types", share).with_target("under 1 %").print();
    let allowed = Measurement::Bytes(64 << 20);
    let row = TableRow::new("memory of the screen, fresh index, scanned", peak_memory(terminal.pid()));
    row.with_baseline("allowed", allowed).with_target("1").print();
}
