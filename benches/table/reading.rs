//! Measures operations that read a whole log: verifying it, building its index, replaying it.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::{LogView, SurveyOptions, survey};
use chronicle::storage::OsDisk;
use chronicle::{EventLog, OpenOptions};

use crate::baselines;
use crate::logs::{BenchLogs, file_size};
use crate::row::{Measurement, TableRow, best_time};

/// The name of the baseline that reads frames and compares checksums, and does nothing else.
pub(crate) const MINIMAL_READER: &str = "minimal reader";

/// Measures [`MINIMAL_READER`] on the log at `path`.
pub(crate) fn measure_minimal_reader(path: &Path) -> Measurement {
    Measurement::Rate(file_size(path), best_time(|| baselines::check_frames(path)))
}

pub(crate) fn measure(logs: &BenchLogs) {
    let path = logs.big.as_path();
    let bytes = file_size(path);
    let rate = |run: &dyn Fn()| Measurement::Rate(bytes, best_time(run));
    let log = || EventLog::open_read_only(path).unwrap();

    TableRow::new("read(2) in 1 MiB pieces", rate(&|| baselines::read_all_bytes(path))).print();
    let minimal_reader = measure_minimal_reader(path);
    TableRow::new("minimal reader: frames and checksums", minimal_reader).print();
    let middle = baselines::middle_boundary(path);
    let two_threads = rate(&|| baselines::check_frames_in_two_threads(path, middle));
    TableRow::new("minimal reader, two threads with a known split point", two_threads)
        .with_baseline("one thread", minimal_reader)
        .print();
    let values = rate(&|| baselines::parse_into_values(path));
    let borrowed = rate(&|| baselines::parse_borrowed(path));

    let verify = |options: SurveyOptions, threads: usize| {
        let view = LogView::open(Arc::new(OsDisk), path, None).unwrap().with_threads(threads);
        let result = survey(&view, &options, None, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(result.damage_total, 0);
    };
    let frames_only = || SurveyOptions::new().frames_only();
    let into_value = "serde_json into Value";
    TableRow::new("verify --frames", rate(&|| verify(frames_only(), 1)))
        .with_baseline(MINIMAL_READER, minimal_reader)
        .with_target("0.85")
        .print();
    TableRow::new("verify --frames, two threads", rate(&|| verify(frames_only(), 2)))
        .with_baseline(MINIMAL_READER, minimal_reader)
        .with_target("1.4")
        .print();
    TableRow::new("verify", rate(&|| verify(SurveyOptions::new(), 1)))
        .with_baseline(into_value, values)
        .with_target("3, 1 000 MB/s")
        .print();
    TableRow::new("verify, two threads", rate(&|| verify(SurveyOptions::new(), 2)))
        .with_baseline(into_value, values)
        .print();
    let rebuild = |threads: usize| {
        let log = OpenOptions::new().threads(threads).open_read_only(path).unwrap();
        log.reindex_from(0).unwrap();
    };
    TableRow::new("index rebuild, in memory", rate(&|| rebuild(1)))
        .with_baseline(into_value, values)
        .with_target("3")
        .print();
    TableRow::new("index rebuild, in memory, two threads", rate(&|| rebuild(2)))
        .with_baseline(into_value, values)
        .with_target("5")
        .print();

    let views = || {
        let mut replay = log().replay(0).unwrap();
        while let Some(event) = replay.next_event() {
            black_box(event.unwrap().event.payload());
        }
    };
    TableRow::new("replay, borrowed", rate(&views))
        .with_baseline("serde_json, borrowed", borrowed)
        .with_target("0.85")
        .print();
    let owned = || log().replay(0).unwrap().for_each(|event| drop(black_box(event.unwrap())));
    TableRow::new("replay, owned", rate(&owned)).with_baseline("serde_json, borrowed", borrowed).print();
    let typed = || {
        for event in log().replay(0).unwrap() {
            black_box(event.unwrap().payload_as::<serde_json::Value>().unwrap());
        }
    };
    TableRow::new("replay, payloads into Value", rate(&typed))
        .with_baseline(into_value, values)
        .with_target("0.9")
        .print();
}
