//! Reading a log through: judging it, building its index, replaying it.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::{LogView, SurveyOptions, survey};
use chronicle::storage::OsDisk;
use chronicle::{EventLog, OpenOptions};

use crate::baselines;
use crate::logs::file_size;
use crate::row::{Measurement, TableRow, best_time};

/// The yardstick that other readers are held against, too.
pub(crate) const MINIMAL_READER: &str = "frames and CRCs, least code";

/// Prints the rows; the figure of [`MINIMAL_READER`].
pub(crate) fn measure(path: &Path) -> Measurement {
    let bytes = file_size(path);
    let rate = |run: &dyn Fn()| Measurement::Rate(bytes, best_time(run));
    let log = || EventLog::open_read_only(path).unwrap();

    TableRow::new("read(2) in 1 MiB pieces", rate(&|| baselines::read_all_bytes(path))).print();
    let least = rate(&|| baselines::check_frames(path));
    TableRow::new(MINIMAL_READER, least).print();
    let middle = baselines::middle_boundary(path);
    let least_in_two = rate(&|| baselines::check_frames_in_two_threads(path, middle));
    TableRow::new("the same, two threads with a known split point", least_in_two)
        .with_baseline("one thread", least)
        .print();
    let values = rate(&|| baselines::parse_into_values(path));
    let borrowed = rate(&|| baselines::parse_borrowed(path));

    let judged = |frames_only: bool, threads: usize| {
        let view = LogView::open(Arc::new(OsDisk), path, None).unwrap().with_threads(threads);
        let wish = SurveyOptions { frames_only, ..SurveyOptions::default() };
        let seen = survey(&view, &wish, None, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(seen.damage_total, 0);
    };
    let into = "replay into Value";
    TableRow::new("verify --frames", rate(&|| judged(true, 1)))
        .with_baseline(MINIMAL_READER, least)
        .with_target("0.85")
        .print();
    TableRow::new("the same, two threads", rate(&|| judged(true, 2)))
        .with_baseline(MINIMAL_READER, least)
        .with_target("1.4")
        .print();
    TableRow::new("verify", rate(&|| judged(false, 1)))
        .with_baseline(into, values)
        .with_target("3, 1 000 MB/s")
        .print();
    TableRow::new("the same, two threads", rate(&|| judged(false, 2))).with_baseline(into, values).print();
    let rebuilt = |threads: usize| {
        let log = OpenOptions::new().threads(threads).open_read_only(path).unwrap();
        log.reindex_from(0).unwrap();
    };
    TableRow::new("index rebuild, in memory", rate(&|| rebuilt(1)))
        .with_baseline(into, values)
        .with_target("3")
        .print();
    TableRow::new("the same, two threads", rate(&|| rebuilt(2))).with_baseline(into, values).with_target("5").print();

    let views = || {
        let mut replay = log().replay(0).unwrap();
        while let Some(event) = replay.next_event() {
            black_box(event.unwrap().1.payload());
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
        .with_baseline("serde_json into Value", values)
        .with_target("0.9")
        .print();
    least
}
