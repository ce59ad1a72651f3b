//! Prints the table of docs/performance.md: each operation, a baseline measured in the same run, their ratio, and the
//! target.
//!
//! `benches/run` runs it and describes its options. No figure is asserted.
//!
//! The arguments name the groups of rows that are measured, such as `segments version_2`; without one, all of them are.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark may panic when it fails, and prints its result"
)]

mod baselines;
mod diff;
mod filter;
mod index;
mod logs;
mod process;
mod reading;
mod row;
mod screen;
mod segments;
mod shared;
mod terminal;
mod version_2;
mod writing;

use std::path::PathBuf;

use chronicle::EventLog;

fn main() {
    let mib: u64 = std::env::var("CHRONICLE_BENCH_MIB").ok().map_or(1024, |text| text.parse().unwrap());
    let folder = std::env::var_os("CHRONICLE_BENCH_DIR").map(PathBuf::from);
    let logs =
        logs::BenchLogs::open_or_create(folder.unwrap_or_else(|| std::env::temp_dir().join("chronicle-bench")), mib);
    let bytes = logs::file_size(&logs.big);
    let events = EventLog::open_read_only(&logs.big).unwrap().index().unwrap().coverage().events;
    let gib = bytes as f64 / f64::from(1 << 30);
    println!("Log: {gib:.2} GiB, {events} events of {} bytes on average.\n", bytes / events.max(1));
    println!("{}", row::TableRow::TABLE_HEAD);
    // Cargo adds an option of its own.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, measure) in GROUPS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            measure(&logs);
        }
    }
}

/// A function that measures the rows of a group and prints them.
type MeasureGroup = fn(&logs::BenchLogs);

/// The groups of rows, in the order of the table.
const GROUPS: [(&str, MeasureGroup); 10] = [
    ("reading", reading::measure),
    ("diff", diff::measure),
    ("index", index::measure),
    ("filter", filter::measure),
    ("writing", writing::measure),
    ("shared", shared::measure),
    ("version_2", version_2::measure),
    ("segments", segments::measure),
    ("process", process::measure),
    ("screen", screen::measure),
];
