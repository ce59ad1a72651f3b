//! Measures logs in segments: appends across segments, opening, and a look-up in many segments.

use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};

use chronicle::{EventLog, LogHeader, LogId, NewLogFormat, OpenOptions, SegmentHeader};

use crate::logs::BenchLogs;
use crate::row::{Measurement, TableRow};
use crate::version_2::best_in_turn;
use crate::writing::{event_of, sample_event};

/// Number of events that one run appends.
const APPENDS: u32 = 200_000;
/// Number of segments of the logs that are opened and read.
const SEGMENTS: u32 = 400;
/// Size of a segment of the vast log, in bytes.
const VAST_SEGMENT: u64 = 256 << 20;
/// The events of the aggregate that is looked up, one in each tenth of the log.
const LOOKED_UP: u64 = 10;

pub(crate) fn measure(logs: &BenchLogs) {
    let append = |segment_size: u64| {
        let (path, event) = (logs.unused_path("segments"), sample_event());
        let _ = fs::remove_dir_all(&path);
        let mut log = OpenOptions::new().segment_size(segment_size).create(&path).unwrap();
        for _ in 0..APPENDS {
            log.append(&event).unwrap();
        }
        drop(log);
        fs::remove_dir_all(&path).unwrap();
    };
    let [baseline, measured] = best_in_turn([&|| append(1 << 40), &|| append(4 << 20)]);
    TableRow::new("segments: append, 4 MiB each", Measurement::Time(measured / APPENDS))
        .with_baseline("within one segment", Measurement::Time(baseline / APPENDS))
        .print();

    let vast = make_vast(&logs.folder);
    let open = |path: &Path| drop(black_box(EventLog::open_read_only(path).unwrap()));
    let [baseline, measured] = best_in_turn([&|| open(&logs.small), &|| open(&vast)]);
    TableRow::new("segments: open, 400 of 256 MiB", Measurement::Time(measured))
        .with_baseline("1 MiB log", Measurement::Time(baseline))
        .with_target("2 ms")
        .print();

    let path = make_indexed(&logs.folder);
    let log = EventLog::open_read_only(&path).unwrap();
    log.index().unwrap();
    let segments = log.view().segment_summaries();
    let single = |base: u64| EventLog::open_read_only(path.join(format!("{base:020}.log"))).unwrap();
    let singles: Vec<_> = segments.iter().map(|segment| single(segment.base)).collect();
    for segment in &singles {
        segment.index().unwrap();
    }
    let look_up_each = || singles.iter().for_each(|segment| drop(black_box(segment.load_aggregate(7).unwrap())));
    let look_up = || assert_eq!(black_box(log.load_aggregate(7).unwrap()).len() as u64, LOOKED_UP);
    let [baseline, measured] = best_in_turn([&look_up_each, &look_up]);
    TableRow::new("segments: one aggregate, 400 segments", Measurement::Time(measured))
        .with_baseline("400 look-ups", Measurement::Time(baseline))
        .with_target("1.5")
        .print();
}

/// Creates the files of a log of 100 GiB, all of them sparse.
fn make_vast(folder: &Path) -> PathBuf {
    let path = folder.join("vast-segments");
    if path.join(format!("{:020}.log", u64::from(SEGMENTS - 1) * VAST_SEGMENT)).is_file() {
        return path;
    }
    fs::create_dir_all(&path).unwrap();
    let log_id = LogId::from_bytes(*b"0123456789abcdef");
    for number in 0..SEGMENTS {
        let base = u64::from(number) * VAST_SEGMENT;
        let segment = SegmentHeader { log_id, base, number, prev_checksum: 0, log_start: 0 };
        let header = LogHeader { flags: 0, created_at_ms: 1, segment: Some(segment) };
        let file = path.join(format!("{base:020}.log"));
        fs::write(&file, header.encode()).unwrap();
        File::options().write(true).open(&file).unwrap().set_len(VAST_SEGMENT).unwrap();
    }
    path
}

/// Creates a log of at least 400 segments with an index for each, in which aggregate 7 has [`LOOKED_UP`] events.
fn make_indexed(folder: &Path) -> PathBuf {
    let path = folder.join("indexed-segments");
    let _ = fs::remove_dir_all(&path);
    let options = OpenOptions::new().format(NewLogFormat::V2(LogId::random())).segment_size(64 << 10);
    let mut log = options.create(&path).unwrap();
    let total = u64::from(SEGMENTS) * 200;
    for n in 0..total {
        let aggregate = if n % (total / LOOKED_UP) == 0 { 7 } else { 1000 + n % 5000 };
        log.append(&event_of(aggregate)).unwrap();
    }
    log.close().unwrap();
    path
}
