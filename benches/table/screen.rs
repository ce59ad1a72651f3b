//! The screen, in a real terminal: when it is there, how soon a key is answered, what it takes while nobody types.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::logs::Logs;
use crate::process::{on_core, peak_so_far};
use crate::row::{Figure, Row};
use crate::terminal::Terminal;

/// Keys that each move the cursor, from the first row and back to it.
const TOUR: [&str; 14] =
    ["j", "j", "k", PAGE_DOWN, PAGE_DOWN, PAGE_UP, ":50%\r", "j", "k", PAGE_DOWN, "G", "k", PAGE_UP, "g"];
const PAGE_DOWN: &str = "\x1b[6~";
const PAGE_UP: &str = "\x1b[5~";
/// Distance of two keys: what a key repeats at that is held down.
const REPEAT: Duration = Duration::from_millis(33);
/// How many keys are measured, and how often the screen is opened at most to come to so many.
const KEYS: usize = 300;
const SESSIONS: usize = 10;
/// How often a first screen is waited for.
const RUNS: usize = 5;
/// How long nobody types, once the scan and what follows it are over.
const IDLE: Duration = Duration::from_secs(4);

pub(crate) fn measure(logs: &Logs) {
    let nowhere = logs.free("none.idx");
    let without = [OsStr::new("--index"), nowhere.as_os_str()];
    for (what, index) in [("first screen, fresh index", &[][..]), ("first screen, no index", &without)] {
        let first = |log: &Path| {
            let screens = (0..RUNS).map(|_| Terminal::open(log, index).first_screen());
            Figure::Time(screens.min().unwrap())
        };
        let small = first(&logs.small);
        for (size, log) in [("", &logs.big), (", 100 GiB, sparse", &logs.vast)] {
            let operation = format!("{what}{size}");
            Row::new(&operation, first(log)).beside("the same at 1 MiB", small).target("under 50 ms").print();
        }
    }
    let scanning = Keys::during_scan(logs, &without);
    let still = Keys::without_scan(logs);
    for (percent, target) in [(50, "under 5 ms"), (99, "under 16 ms")] {
        let operation = format!("a key to its frame while scanning, {percent} % of {}", scanning.0.len());
        let (ours, without) = (scanning.within(percent), still.within(percent));
        Row::new(&operation, ours).beside("no scan", without).target(target).print();
    }
    at_rest(logs);
}

/// How long each key took to its frame.
struct Keys(Vec<Duration>);

impl Keys {
    /// Opens the screen again as often as the scan ends too soon.
    fn during_scan(logs: &Logs, options: &[&OsStr]) -> Self {
        let mut keys = Vec::new();
        for _ in 0..SESSIONS {
            let mut terminal = Terminal::open(&logs.big, options);
            terminal.first_screen();
            for key in TOUR.iter().cycle() {
                let took = press(&mut terminal, key);
                if keys.len() == KEYS || terminal.shows("verified 100 %") {
                    break;
                }
                keys.push(took);
            }
        }
        Self(keys)
    }

    fn without_scan(logs: &Logs) -> Self {
        let mut terminal = Terminal::open(&logs.big, &[OsStr::new("--no-scan")]);
        terminal.first_screen();
        Self(TOUR.iter().cycle().take(KEYS).map(|key| press(&mut terminal, key)).collect())
    }

    /// The time that so many in a hundred keys took at most.
    fn within(&self, percent: usize) -> Figure {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() * percent / 100).map_or(Figure::Unknown, |time| Figure::Time(*time))
    }
}

/// Presses a key, and lets the time pass to the next one.
fn press(terminal: &mut Terminal, key: &str) -> Duration {
    let next = Instant::now() + REPEAT;
    let took = terminal.moved_by(key);
    terminal.pass(next);
    took
}

fn at_rest(logs: &Logs) {
    let mut terminal = Terminal::open(&logs.big, &[]);
    terminal.first_screen();
    terminal.sees("verified 100 %");
    for key in TOUR {
        press(&mut terminal, key);
    }
    terminal.pass(Instant::now() + Duration::from_secs(1));
    let (before, start) = (on_core(terminal.pid()), Instant::now());
    terminal.pass(start + IDLE);
    let share = on_core(terminal.pid()).zip(before).map_or(Figure::Unknown, |(after, before)| {
        Figure::Share(after.saturating_sub(before).as_secs_f64() / start.elapsed().as_secs_f64())
    });
    Row::new("share of a core while nobody types", share).target("under 1 %").print();
    let allowed = Figure::Bytes(64 << 20);
    let row = Row::new("memory of the screen, fresh index, scanned", peak_so_far(terminal.pid()));
    row.beside("allowed", allowed).target("1").print();
}
