//! The program as a process: the memory it takes, and the time it has on a core. Linux alone tells.

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
/// More than the longest frame of a generated log.
const MAX_FRAME_BYTES: u64 = 1 << 10;

pub(crate) fn measure(logs: &BenchLogs) {
    let log = EventLog::open_read_only(&logs.big).unwrap();
    let index = log.index().unwrap();
    let of_index = 6 * index.coverage().events + 64 * index.iter().count() as u64;
    drop(log);
    let (big, hostile) = (logs.big.as_os_str(), logs.hostile.as_os_str());
    let elsewhere = logs.unused_path("rebuilt.idx");
    let elsewhere = [OsStr::new("--index"), elsewhere.as_os_str()];

    let allowed = |bytes| ("allowed", Measurement::Bytes(bytes));
    for (what, peak, allowed) in [
        (
            "memory of verify --frames",
            run_for_peak_memory("verify --frames", &[big]),
            allowed((16 << 20) + MAX_FRAME_BYTES),
        ),
        ("the same on hostile input", run_for_peak_memory("verify --frames", &[hostile]), allowed(64 << 20)),
        (
            "memory of verify, judging payloads too",
            run_for_peak_memory("verify", &[big]),
            allowed((16 << 20) + MAX_FRAME_BYTES),
        ),
        (
            "memory of index rebuild",
            run_for_peak_memory("index rebuild", &[&[big], &elsewhere[..]].concat()),
            allowed(of_index),
        ),
    ] {
        TableRow::new(what, peak).with_baseline(allowed.0, allowed.1).with_target("1").print();
    }
}

/// The most memory that a process has had resident.
pub(crate) fn peak_memory(pid: u32) -> Measurement {
    let told = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    told().map_or(Measurement::Unknown, |kib| Measurement::Bytes(kib << 10))
}

/// How long the threads of a process have been on a core.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let told = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        sum += told.split_ascii_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(sum))
}

/// Runs the program to its end; the most memory it has had resident, looked at every millisecond.
fn run_for_peak_memory(command: &str, more: &[&OsStr]) -> Measurement {
    let mut program = Command::new(PROGRAM);
    program.args(command.split_ascii_whitespace()).args(more).stdout(Stdio::null()).stderr(Stdio::null());
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
