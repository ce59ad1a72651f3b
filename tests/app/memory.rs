//! The peak memory of commands on logs that are hard to read.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use chronicle::{Durability, Event, EventLog};

use super::shell::Shell;

/// Number of elements of the payload, whose text has three bytes for each.
const ELEMENTS: usize = 2_800_000;

/// Runs `verify` on one thread, and returns the peak of its resident memory, in bytes. The peak is sampled until the process
/// ends. Each further thread can hold the frame once more.
fn peak_memory_of_verify(log: &Path) -> u64 {
    let mut program = Command::new(env!("CARGO_BIN_EXE_chronicle"));
    let mut child = program
        .args(["verify", "--threads", "1"])
        .arg(log)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status_path = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    loop {
        let status = fs::read_to_string(&status_path).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak_kib = peak.map_or(peak_kib, |kib| kib.parse().unwrap());
        if let Some(status) = child.try_wait().unwrap() {
            assert!(matches!(status.code(), Some(0 | 3 | 4)), "{status}");
            assert!(peak_kib > 0, "the process ended before its memory was sampled");
            return peak_kib << 10;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Writes a log of a large event between two small ones, and returns its bytes and the offsets of the events.
fn log_with_large_event(path: &Path) -> (Vec<u8>, Vec<usize>) {
    let payload = format!("[{}10]", "10,".repeat(ELEMENTS - 1));
    let event = Event::builder().event_type("T").namespace("n").schema_id("s").schema_version(1);
    let mut log = EventLog::create(path).unwrap();
    let mut append =
        |payload: &str| log.append(&event.clone().payload_json(payload).build().unwrap()).unwrap() as usize;
    // Two small events precede and follow the large one, because a repair searches the frames next to the damage.
    let offsets = ["0", "1", &payload, "2", "3"].map(&mut append).to_vec();
    log.close().unwrap();
    (fs::read(path).unwrap(), offsets)
}

/// Writes a log of small events, which takes long enough to read that the memory is sampled at its peak.
fn write_small_events(path: &Path) {
    let event = Event::builder().event_type("T").namespace("n").schema_id("s").schema_version(1).payload_json("{}");
    let events = vec![event.build().unwrap(); 50_000];
    let mut log = EventLog::create(path).unwrap();
    log.append_batch(&events, Durability::Buffered).unwrap();
    log.close().unwrap();
}

#[test]
fn one_thread_of_verify_holds_a_large_damaged_event_three_times_at_most() {
    let shell = Shell::new();
    let (small, large) = (shell.path("small.log"), shell.path("large.log"));
    write_small_events(&small);
    let (mut bytes, offsets) = log_with_large_event(&large);
    // The window of the scan, the buffer of the classification, and that of the correction or of the search for the frames
    // next to the damage. For the largest event, the sum is below 64 MiB.
    let smallest = (0..3).map(|_| peak_memory_of_verify(&small)).max().unwrap();
    let limit = smallest + 3 * bytes.len() as u64 + (6 << 20);
    // Two control characters that are far apart: no pattern of a few bits can be the damage, which bounds the time.
    let large_len = offsets[3] - offsets[2];
    for at in [large_len / 4, large_len / 2] {
        bytes[offsets[2] + at] &= 0x0f;
    }
    for damaged_neighbours in [&[][..], &[offsets[1], offsets[3]]] {
        for neighbour in damaged_neighbours {
            bytes[neighbour + 60] ^= 0x55;
        }
        fs::write(&large, &bytes).unwrap();
        let peak = peak_memory_of_verify(&large);
        assert!(peak > 2 * bytes.len() as u64, "the peak was not measured: {peak}");
        assert!(peak <= limit, "{peak} bytes, expected at most {limit}; damaged too: {damaged_neighbours:?}");
    }
}
