//! The baselines of the table: a minimal reader of frames, and `serde_json` on the payloads.

use std::borrow::Cow;
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;

use serde_json::value::RawValue;

use crate::logs::{HEADER_LEN, file_size};

/// An event as `serde_json` parses it, with the payload as a tree.
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "read by the deserialiser")]
struct TypedEvent {
    write_timestamp_ms: u64,
    event_type: String,
    namespace: String,
    schema_id: String,
    schema_version: u32,
    aggregate_id: Option<u64>,
    payload: serde_json::Value,
}

/// An event as `serde_json` parses it, borrowing from the frame where it can.
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "read by the deserialiser")]
struct BorrowedEvent<'a> {
    write_timestamp_ms: u64,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Cow<'a, str>,
    #[serde(borrow)]
    schema_id: Cow<'a, str>,
    schema_version: u32,
    aggregate_id: Option<u64>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// Reads every byte of the file and discards it.
pub(crate) fn read_all_bytes(path: &Path) {
    let mut file = File::open(path).unwrap();
    let mut buf = vec![0; 1 << 20];
    while file.read(&mut buf).unwrap() > 0 {}
}

/// Reads all frames and compares their checksums, with as little code as possible.
pub(crate) fn check_frames(path: &Path) {
    check_frames_in_range(path, HEADER_LEN..file_size(path));
}

/// Does the work of [`check_frames`] on two threads. The second one starts at `boundary`, a known frame boundary.
pub(crate) fn check_frames_in_two_threads(path: &Path, boundary: u64) {
    thread::scope(|scope| {
        scope.spawn(|| check_frames_in_range(path, boundary..file_size(path)));
        check_frames_in_range(path, HEADER_LEN..boundary);
    });
}

/// Returns the first frame boundary at or after the middle of the file.
pub(crate) fn middle_boundary(path: &Path) -> u64 {
    let (mut at, end) = (HEADER_LEN, file_size(path));
    for_each_frame(path, HEADER_LEN..end, |frame| {
        if at < end / 2 {
            at += frame.len() as u64;
        }
    });
    at
}

/// Parses every event into owned values, and its payload into a tree.
pub(crate) fn parse_into_values(path: &Path) {
    for_each_payload(path, |payload| drop(black_box(serde_json::from_slice::<TypedEvent>(payload).unwrap())));
}

/// Parses every event, borrowing from the frame where possible.
pub(crate) fn parse_borrowed(path: &Path) {
    for_each_payload(path, |payload| drop(black_box(serde_json::from_slice::<BorrowedEvent>(payload).unwrap())));
}

/// Reads the start of the frame at each offset, with one system call each.
pub(crate) fn read_offsets(path: &Path, offsets: &[u64]) {
    let file = File::open(path).unwrap();
    let mut buf = vec![0; 4096];
    for offset in offsets {
        black_box(file.read_at(&mut buf, *offset).unwrap());
    }
}

fn check_frames_in_range(path: &Path, range: Range<u64>) {
    for_each_frame(path, range, |frame| {
        let (covered, stored) = frame.split_at(frame.len() - 4);
        assert_eq!(crc32fast::hash(covered).to_be_bytes(), stored);
    });
}

fn for_each_payload(path: &Path, mut visit: impl FnMut(&[u8])) {
    for_each_frame(path, HEADER_LEN..file_size(path), |frame| visit(&frame[4..frame.len() - 4]));
}

fn for_each_frame(path: &Path, range: Range<u64>, mut visit: impl FnMut(&[u8])) {
    let mut file = File::open(path).unwrap();
    file.seek(SeekFrom::Start(range.start)).unwrap();
    let mut file = file.take(range.end - range.start);
    let mut buf = vec![0; 4 << 20];
    let mut buffered = 0;
    loop {
        let read = file.read(&mut buf[buffered..]).unwrap();
        buffered += read;
        let mut at = 0;
        while let Some(length) = buf[at..buffered].first_chunk::<4>() {
            let end = at + 8 + u32::from_be_bytes(*length) as usize;
            if end > buffered {
                break;
            }
            visit(&buf[at..end]);
            at = end;
        }
        if read == 0 {
            assert_eq!(at, buffered);
            return;
        }
        buf.copy_within(at..buffered, 0);
        buffered -= at;
    }
}
