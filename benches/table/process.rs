//! The program as a process: the memory it takes, and the time it has on a core. Linux alone tells.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use chronicle::EventLog;

use crate::logs::Logs;
use crate::row::{Figure, Row};

/// The program that is measured.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_chronicle");
/// More than the longest frame of a generated log.
const FRAME: u64 = 1 << 10;

pub(crate) fn measure(logs: &Logs) {
    let mut log = EventLog::open_read_only(&logs.big).unwrap();
    let index = log.index().unwrap();
    let of_index = 6 * index.coverage().events + 64 * index.iter().count() as u64;
    drop(log);
    let (big, hostile) = (logs.big.as_os_str(), logs.hostile.as_os_str());
    let elsewhere = logs.free("rebuilt.idx");
    let elsewhere = [OsStr::new("--index"), elsewhere.as_os_str()];

    let allowed = |bytes| ("allowed", Figure::Bytes(bytes));
    for (what, peak, allowed) in [
        ("memory of verify --frames", peak("verify --frames", &[big]), allowed((16 << 20) + FRAME)),
        ("the same on hostile input", peak("verify --frames", &[hostile]), allowed(64 << 20)),
        ("memory of verify, judging payloads too", peak("verify", &[big]), allowed((16 << 20) + FRAME)),
        ("memory of index rebuild", peak("index rebuild", &[&[big], &elsewhere[..]].concat()), allowed(of_index)),
    ] {
        Row::new(what, peak).beside(allowed.0, allowed.1).target("1").print();
    }
}

/// The most memory that a process has had resident.
pub(crate) fn peak_so_far(pid: u32) -> Figure {
    let told = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    told().map_or(Figure::Unknown, |kib| Figure::Bytes(kib << 10))
}

/// How long the threads of a process have been on a core.
pub(crate) fn on_core(pid: u32) -> Option<Duration> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let told = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        sum += told.split_ascii_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(sum))
}

/// Runs the program to its end; the most memory it has had resident, looked at every millisecond.
fn peak(command: &str, more: &[&OsStr]) -> Figure {
    let mut program = Command::new(PROGRAM);
    program.args(command.split_ascii_whitespace()).args(more).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = program.spawn().unwrap();
    let mut peak = Figure::Unknown;
    loop {
        if let known @ Figure::Bytes(_) = peak_so_far(child.id()) {
            peak = known;
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!([Some(0), Some(3)].contains(&status.code()), "{command}: {status}");
            return peak;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
