//! Measures the comparison of two copies of a log, beside verifying both.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::{DiffListing, LogView, SurveyOptions, diff, survey};
use chronicle::internal::sample::{GeneratorOptions, LogLength, generate};
use chronicle::storage::OsDisk;

use crate::baselines;
use crate::logs::{BenchLogs, HEADER_LEN, file_size};
use crate::row::{Measurement, TableRow, best_time};

/// Size of the compared logs. The ratios do not depend on it.
const LOG_BYTES: u64 = 64 << 20;

pub(crate) fn measure(logs: &BenchLogs) {
    let [log, other, copy] = ["diff-a.log", "diff-b.log", "diff-copy.log"].map(|name| logs.unused_path(name));
    for (path, seed) in [(&log, 1), (&other, 2)] {
        let options = GeneratorOptions { length: LogLength::Bytes(LOG_BYTES), seed, ..GeneratorOptions::default() };
        generate(&OsDisk, path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    }
    let (bytes, other_bytes) = (fs::read(&log).unwrap(), fs::read(&other).unwrap());
    let middle = baselines::middle_boundary(&log) as usize;
    let other_events = &other_bytes[HEADER_LEN as usize..];
    let first_end = HEADER_LEN as usize + 8 + u32::from_be_bytes(bytes[16..20].try_into().unwrap()) as usize;
    let measure_copy = |operation: &str, contents: &[u8]| {
        fs::write(&copy, contents).unwrap();
        let view = |path: &Path| LogView::open(Arc::new(OsDisk), path, None).unwrap();
        let both_bytes = file_size(&log) + file_size(&copy);
        let rate = |run: &dyn Fn()| Measurement::Rate(both_bytes, best_time(run));
        let verify_both = rate(&|| {
            for path in [&log, &copy] {
                survey(&view(path), &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
            }
        });
        let compare = rate(&|| {
            diff(&view(&log), &view(&copy), DiffListing::First, &mut |_| ControlFlow::Continue(())).unwrap();
        });
        TableRow::new(operation, compare).with_baseline("verify of both", verify_both).with_target("1").print();
    };
    measure_copy("diff, identical copies", &bytes);
    measure_copy("diff, a copy without its second half", &bytes[..middle]);
    measure_copy("diff, copies that diverge after one event", &[&bytes[..first_end], other_events].concat());
    measure_copy("diff, copies that diverge in the middle", &[&bytes[..middle], other_events].concat());
    for path in [log, other, copy] {
        fs::remove_file(path).unwrap();
    }
}
