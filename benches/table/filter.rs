//! Measures filters: the first page of an aggregate through the index, types whose blocks the index excludes, and full
//! scans without a match.

use std::ops::ControlFlow;
use std::sync::Arc;

use chronicle::EventLog;
use chronicle::inspect::LogView;
use chronicle::query::{Filter, PageRequest, ReadStart, read_page};
use chronicle::storage::OsDisk;
use chronicle::{AggregateIndex, NameKind};

use crate::logs::{BenchLogs, file_size};
use crate::reading::{MINIMAL_READER, measure_minimal_reader};
use crate::row::{Measurement, TableRow, best_time, measure_time};

/// Number of rows of a page.
const PAGE_ROWS: usize = 50;

pub(crate) fn measure(logs: &BenchLogs) {
    let path = logs.big.as_path();
    let minimal_reader = measure_minimal_reader(path);
    let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
    let log = EventLog::open_read_only(path).unwrap();
    let index = log.index().unwrap();
    let rows_of = |filter: &Filter, limit, index: Option<&AggregateIndex>| {
        let request = PageRequest::new(filter, ReadStart::forward(0), limit);
        read_page(&view, index, &request, &mut |_| ControlFlow::Continue(())).unwrap().rows.len()
    };
    let rows = |filter: &Filter, index| rows_of(filter, PAGE_ROWS, index);

    let busiest = index.iter().map(Result::unwrap).max_by_key(|found| found.events).unwrap();
    let rare = index.iter().map(Result::unwrap).find(|found| found.events == 10).unwrap_or(busiest);
    let pages =
        [("filter agg:N, 10 events, first page", rare), ("filter agg:N, busiest aggregate, first page", busiest)];
    for (operation, found) in pages {
        let filter = Filter::parse(&format!("agg:{}", found.id), 0).unwrap();
        let expected = PAGE_ROWS.min(found.events as usize);
        let with = Measurement::Time(best_time(|| assert_eq!(rows(&filter, Some(&index)), expected)));
        let without = Measurement::Time(measure_time(|| assert_eq!(rows(&filter, None), expected)));
        TableRow::new(operation, with).with_baseline("without the index", without).with_target("under 20 ms").print();
    }
    // Generated logs have every type in most blocks. The cost of a rare type in a real log is between these two.
    let types = index.counts().iter().filter(|(name, _)| name.kind == NameKind::Type);
    let (rarest, events) = types.min_by_key(|(_, events)| *events).unwrap();
    let rarest = format!("type:{}", rarest.text.as_deref().unwrap());
    for (operation, text, expected) in [
        ("filter type:T, rarest type, all matches", rarest.as_str(), events as usize),
        ("filter type:T, no matches", "type:None", 0),
    ] {
        let filter = Filter::parse(text, 0).unwrap();
        let all = |index| assert_eq!(rows_of(&filter, expected + 1, index), expected);
        let without = Measurement::Time(measure_time(|| all(None)));
        TableRow::new(operation, Measurement::Time(best_time(|| all(Some(&index)))))
            .with_baseline("without the index", without)
            .print();
    }
    for (operation, text) in [
        ("filter payload.x=1, no matches", "payload.x=1"),
        ("filter by text, no matches", "\"no event contains this\""),
    ] {
        let filter = Filter::parse(text, 0).unwrap();
        let scan = Measurement::Rate(file_size(path), best_time(|| assert_eq!(rows(&filter, None), 0)));
        TableRow::new(operation, scan).with_baseline(MINIMAL_READER, minimal_reader).with_target("500 MB/s").print();
    }
}
