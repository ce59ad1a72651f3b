//! Measures logs of version 2 beside logs of version 1 with the same events. The runs of both take turns.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chronicle::inspect::{LogView, SurveyOptions, survey};
use chronicle::internal::format::Version;
use chronicle::internal::sample::{GeneratorOptions, LogLength, generate};
use chronicle::storage::OsDisk;
use chronicle::{EventLog, LogId, NewLogFormat, OpenOptions};

use crate::logs::{BenchLogs, file_size};
use crate::row::{Measurement, TableRow, measure_time};
use crate::writing::sample_event;

/// Size of the logs, in bytes.
const LOG_BYTES: u64 = 256 << 20;
/// Number of runs of each version. The best run counts.
const RUNS: usize = 7;
/// Number of events that one run appends.
const APPENDS: u32 = 200_000;
/// The name of the baseline.
const VERSION_1: &str = "version 1";

/// An operation that reads the log at a path.
type MeasuredRead<'a> = &'a dyn Fn(&Path);

pub(crate) fn measure(logs: &BenchLogs) {
    let [one, two] = [Version::V1, Version::V2].map(|version| generate_log(logs, version));
    let rows: [(&str, MeasuredRead); 4] = [
        ("version 2: verify --frames", &|path| verify(path, &SurveyOptions::new().frames_only())),
        ("version 2: verify", &|path| verify(path, &SurveyOptions::new())),
        ("version 2: index rebuild, in memory", &|path| {
            EventLog::open_read_only(path).unwrap().reindex_from(0).unwrap();
        }),
        ("version 2: replay, owned", &|path| {
            let log = EventLog::open_read_only(path).unwrap();
            log.replay(0).unwrap().for_each(|event| drop(black_box(event.unwrap())));
        }),
    ];
    for (operation, run) in rows {
        let [baseline, measured] = best_in_turn([&|| run(&one), &|| run(&two)]);
        TableRow::new(operation, Measurement::Rate(file_size(&two), measured))
            .with_baseline(VERSION_1, Measurement::Rate(file_size(&one), baseline))
            .with_target("0.95")
            .print();
    }
    let append = |format: NewLogFormat| {
        let event = sample_event();
        let mut log = OpenOptions::new().format(format).create(logs.unused_path("appends.log")).unwrap();
        for _ in 0..APPENDS {
            log.append(&event).unwrap();
        }
    };
    let two = NewLogFormat::V2(LogId::random());
    let [baseline, measured] = best_in_turn([&|| append(NewLogFormat::V1), &|| append(two)]);
    TableRow::new("version 2: append", Measurement::Time(measured / APPENDS))
        .with_baseline(VERSION_1, Measurement::Time(baseline / APPENDS))
        .with_target("1.05")
        .print();
}

fn generate_log(logs: &BenchLogs, version: Version) -> PathBuf {
    let path = logs.unused_path(&format!("version-{}.log", version.number()));
    let length = LogLength::Bytes(LOG_BYTES);
    let options = GeneratorOptions { length, version, ..GeneratorOptions::default() };
    generate(&OsDisk, &path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    path
}

fn verify(path: &Path, options: &SurveyOptions) {
    let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
    let result = survey(&view, options, None, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(result.damage_total, 0);
}

/// Returns the time of the best of [`RUNS`] runs of each, in turn.
pub(crate) fn best_in_turn(runs: [&dyn Fn(); 2]) -> [Duration; 2] {
    let mut best = [Duration::MAX; 2];
    for _ in 0..RUNS {
        for (best, run) in best.iter_mut().zip(runs) {
            *best = (*best).min(measure_time(run));
        }
    }
    best
}
