//! The peak memory of commands on logs that are hard to read.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use chronicle::{Event, EventLog};

use super::shell::Shell;

/// Number of elements of the payload, whose text has three bytes for each.
const ELEMENTS: usize = 2_800_000;

/// Runs `verify`, and returns the peak of its resident memory, in bytes. The peak is sampled until the process ends.
fn peak_memory_of_verify(log: &Path) -> u64 {
    let mut program = Command::new(env!("CARGO_BIN_EXE_chronicle"));
    let mut child = program.arg("verify").arg(log).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status_path = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    loop {
        let status = fs::read_to_string(&status_path).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak_kib = peak.map_or(peak_kib, |kib| kib.parse().unwrap());
        if let Some(status) = child.try_wait().unwrap() {
            assert!(matches!(status.code(), Some(0 | 3)), "{status}");
            return peak_kib << 10;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn verify_holds_a_large_damaged_event_three_times_at_most() {
    let shell = Shell::new();
    let (small, large) = (shell.path("small.log"), shell.path("large.log"));
    EventLog::create(&small).unwrap().close().unwrap();
    let payload = format!("[{}10]", "10,".repeat(ELEMENTS - 1));
    let event = Event::builder().event_type("T").namespace("n").schema_id("s").schema_version(1);
    let mut log = EventLog::create(&large).unwrap();
    log.append(&event.payload_json(payload).build().unwrap()).unwrap();
    log.close().unwrap();
    // Two control characters that are far apart: no pattern of a few bits can be the damage, which bounds the time.
    let mut bytes = fs::read(&large).unwrap();
    let len = bytes.len();
    for at in [len / 4, len / 2] {
        bytes[at] &= 0x0f;
    }
    fs::write(&large, bytes).unwrap();
    // The window of the scan, the buffer of the classification and that of the correction. For the largest event, the
    // sum is below 64 MiB.
    let limit = peak_memory_of_verify(&small) + 3 * len as u64 + (4 << 20);
    let peak = peak_memory_of_verify(&large);
    assert!(peak > 2 * len as u64, "the peak was not measured: {peak}");
    assert!(peak <= limit, "{peak} bytes, expected at most {limit}");
}
