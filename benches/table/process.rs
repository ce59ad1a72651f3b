//! Measures the memory and the CPU time of the program as a process. Both are available on Linux only.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use chronicle::EventLog;

use crate::logs::BenchLogs;
use crate::row::{Measurement, TableRow};

/// The program that is measured.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_chronicle");
/// An upper bound of the size of a frame in a generated log.
const MAX_FRAME_BYTES: u64 = 1 << 10;

pub(crate) fn measure(logs: &BenchLogs) {
    let log = EventLog::open_read_only(&logs.big).unwrap();
    let index = log.index().unwrap();
    let index_bytes = 6 * index.coverage().events + 64 * index.iter().count() as u64;
    drop(log);
    let (big, hostile) = (logs.big.as_os_str(), logs.hostile.as_os_str());
    let rebuilt = logs.unused_path("rebuilt.idx");
    let index_option = [OsStr::new("--index"), rebuilt.as_os_str()];

    let limit = Measurement::Bytes;
    for (operation, peak, limit) in [
        (
            "memory of verify --frames",
            run_for_peak_memory("verify --frames", &[big]),
            limit((16 << 20) + MAX_FRAME_BYTES),
        ),
        (
            "memory of verify --frames, hostile input",
            run_for_peak_memory("verify --frames", &[hostile]),
            limit(64 << 20),
        ),
        ("memory of verify", run_for_peak_memory("verify", &[big]), limit((16 << 20) + MAX_FRAME_BYTES)),
        (
            "memory of index rebuild",
            run_for_peak_memory("index rebuild", &[&[big], &index_option[..]].concat()),
            limit(index_bytes),
        ),
    ] {
        TableRow::new(operation, peak).with_baseline("limit", limit).with_target("1").print();
    }
}

/// Returns the peak resident memory of a process.
pub(crate) fn peak_memory(pid: u32) -> Measurement {
    let peak_kib = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    peak_kib().map_or(Measurement::Unknown, |kib| Measurement::Bytes(kib << 10))
}

/// Returns the CPU time of all threads of a process.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let schedstat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        sum += schedstat.split_ascii_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(sum))
}

/// Runs the program, and returns its peak resident memory, sampled every millisecond.
fn run_for_peak_memory(command: &str, arguments: &[&OsStr]) -> Measurement {
    let mut program = Command::new(PROGRAM);
    program.args(command.split_ascii_whitespace()).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = program.spawn().unwrap();
    let mut peak = Measurement::Unknown;
    loop {
        if let known @ Measurement::Bytes(_) = peak_memory(child.id()) {
            peak = known;
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!([Some(0), Some(3)].contains(&status.code()), "{command}: {status}");
            return peak;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
