//! Measures the screen in a pseudo terminal: time to the first screen, time from a key to its frame, CPU time while
//! idle.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::logs::BenchLogs;
use crate::process::{cpu_time, peak_memory};
use crate::row::{Measurement, TableRow};
use crate::terminal::BenchTerminal;

/// Keys that each move the cursor. The sequence starts and ends at the first row.
const KEY_SEQUENCE: [&str; 14] =
    ["j", "j", "k", PAGE_DOWN, PAGE_DOWN, PAGE_UP, ":50%\r", "j", "k", PAGE_DOWN, "G", "k", PAGE_UP, "g"];
const PAGE_DOWN: &str = "\x1b[6~";
const PAGE_UP: &str = "\x1b[5~";
/// Time between two keys: the repeat interval of a key that is held down.
const KEY_INTERVAL: Duration = Duration::from_millis(33);
/// Number of keys that are measured.
const KEY_COUNT: usize = 300;
/// Maximum number of sessions that are opened to measure [`KEY_COUNT`] keys while a scan runs.
const MAX_SESSIONS: usize = 10;
/// Number of measurements of the time to the first screen.
const RUNS: usize = 5;
/// Time over which CPU use is measured, after the scan has ended.
const IDLE_TIME: Duration = Duration::from_secs(4);

pub(crate) fn measure(logs: &BenchLogs) {
    let missing = logs.unused_path("none.idx");
    let no_index = [OsStr::new("--index"), missing.as_os_str()];
    for (name, options) in [("first screen, fresh index", &[][..]), ("first screen, no index", &no_index)] {
        let first_screen = |log: &Path| {
            let screens = (0..RUNS).map(|_| BenchTerminal::open(log, options).first_screen());
            Measurement::Time(screens.min().unwrap())
        };
        let small = first_screen(&logs.small);
        for (size, log) in [("", &logs.big), (", 100 GiB, sparse", &logs.vast)] {
            let operation = format!("{name}{size}");
            TableRow::new(&operation, first_screen(log))
                .with_baseline("1 MiB log", small)
                .with_target("under 50 ms")
                .print();
        }
    }
    let scanning = KeyLatencies::measure_during_scan(logs, &no_index);
    let idle = KeyLatencies::measure_without_scan(logs);
    for (percent, target) in [(50, "under 5 ms"), (99, "under 16 ms")] {
        let operation = format!("key press to frame during a scan, {percent}th percentile of {}", scanning.0.len());
        TableRow::new(&operation, scanning.percentile(percent))
            .with_baseline("no scan", idle.percentile(percent))
            .with_target(target)
            .print();
    }
    measure_idle(logs);
}

/// The time from each key press to the frame that shows its effect.
struct KeyLatencies(Vec<Duration>);

impl KeyLatencies {
    /// Measures keys while a scan runs, in several sessions when a scan ends too soon.
    fn measure_during_scan(logs: &BenchLogs, options: &[&OsStr]) -> Self {
        let mut keys = Vec::new();
        for _ in 0..MAX_SESSIONS {
            let mut terminal = BenchTerminal::open(&logs.big, options);
            terminal.first_screen();
            for key in KEY_SEQUENCE.iter().cycle() {
                let latency = press(&mut terminal, key);
                if keys.len() == KEY_COUNT || terminal.contains_text("verified 100 %") {
                    break;
                }
                keys.push(latency);
            }
        }
        Self(keys)
    }

    fn measure_without_scan(logs: &BenchLogs) -> Self {
        let mut terminal = BenchTerminal::open(&logs.big, &[OsStr::new("--no-scan")]);
        terminal.first_screen();
        Self(KEY_SEQUENCE.iter().cycle().take(KEY_COUNT).map(|key| press(&mut terminal, key)).collect())
    }

    /// Returns the latency that `percent` of the keys do not exceed.
    fn percentile(&self, percent: usize) -> Measurement {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() * percent / 100).map_or(Measurement::Unknown, |time| Measurement::Time(*time))
    }
}

/// Presses a key, waits until the next key is due, and returns the key's latency.
fn press(terminal: &mut BenchTerminal, key: &str) -> Duration {
    let next = Instant::now() + KEY_INTERVAL;
    let latency = terminal.cursor_latency(key);
    terminal.process_until(next);
    latency
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
    TableRow::new("CPU use while idle, share of one core", share).with_target("under 1 %").print();
    let limit = Measurement::Bytes(64 << 20);
    let row = TableRow::new("memory of the screen after a scan, fresh index", peak_memory(terminal.pid()));
    row.with_baseline("limit", limit).with_target("1").print();
}
