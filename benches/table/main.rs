//! Prints the table of the README: each operation beside a yardstick measured in the same run, and its target.
//!
//! Run by `benches/run`, which says how. No figure here is asserted: they are for reading.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement that fails may stop, and its result is what it prints"
)]

mod baselines;
mod filter;
mod index;
mod logs;
mod process;
mod reading;
mod row;
mod screen;
mod terminal;
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
    println!("Log: {gib:.2} GiB, {events} events of {} bytes in the mean.\n", bytes / events.max(1));
    println!("{}", row::TableRow::TABLE_HEAD);
    let least = reading::measure(&logs.big);
    index::measure(&logs);
    filter::measure(&logs.big, least);
    writing::measure(&logs);
    process::measure(&logs);
    screen::measure(&logs);
}
