//! Prints the table of docs/performance.md: each operation, a baseline measured in the same run, their ratio, and the
//! target.
//!
//! `benches/run` runs it and describes its options. No figure is asserted.
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
    if std::env::var_os("CHRONICLE_BENCH_SHARED_ONLY").is_some() {
        return shared::measure(&logs);
    }
    let minimal_reader = reading::measure(&logs.big);
    diff::measure(&logs);
    index::measure(&logs);
    filter::measure(&logs.big, minimal_reader);
    writing::measure(&logs);
    shared::measure(&logs);
    version_2::measure(&logs);
    segments::measure(&logs);
    process::measure(&logs);
    screen::measure(&logs);
}
