//! Filters: the first page of an aggregate through the index, blocks that it rules out, and scans in which nothing is
//! found.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::EventLog;
use chronicle::inspect::LogView;
use chronicle::query::{Direction, Filter, PageRequest, read_page};
use chronicle::storage::OsDisk;
use chronicle::{AggregateIndex, NameKind};

use crate::logs::file_size;
use crate::reading::MINIMAL_READER;
use crate::row::{Measurement, TableRow, best_time, measure_time};

/// Rows of a page.
const PAGE_ROWS: usize = 50;

pub(crate) fn measure(path: &Path, baseline: Measurement) {
    let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
    let log = EventLog::open_read_only(path).unwrap();
    let index = log.index().unwrap();
    let rows_of = |filter: &Filter, limit, index: Option<&AggregateIndex>| {
        let ask = PageRequest { from: 0, direction: Direction::Forward, limit, filter };
        read_page(&view, index, &ask, &mut |_| ControlFlow::Continue(())).unwrap().rows.len()
    };
    let rows = |filter: &Filter, index| rows_of(filter, PAGE_ROWS, index);

    let busiest = index.iter().map(Result::unwrap).max_by_key(|found| found.events).unwrap();
    let rare = index.iter().map(Result::unwrap).find(|found| found.events == 10).unwrap_or(busiest);
    let pages = [("filter agg:N of 10 events, first page", rare), ("filter agg:N of the busiest, first page", busiest)];
    for (what, found) in pages {
        let filter = Filter::parse(&format!("agg:{}", found.id), 0).unwrap();
        let expected = PAGE_ROWS.min(found.events as usize);
        let with = Measurement::Time(best_time(|| assert_eq!(rows(&filter, Some(&index)), expected)));
        let without = Measurement::Time(measure_time(|| assert_eq!(rows(&filter, None), expected)));
        TableRow::new(what, with).with_baseline("without the index", without).with_target("under 20 ms").print();
    }
    // Generated logs have every type in most blocks: what a type of few events costs lies between these two.
    let types = index.counts().iter().filter(|(name, _)| name.kind == NameKind::Type);
    let (rarest, events) = types.min_by_key(|(_, events)| *events).unwrap();
    let rarest = format!("type:{}", rarest.text.as_deref().unwrap());
    for (what, text, expected) in [
        ("filter by the rarest type, all its events", rarest.as_str(), events as usize),
        ("filter by a type that no event has, nothing found", "type:None", 0),
    ] {
        let filter = Filter::parse(text, 0).unwrap();
        let all = |index| assert_eq!(rows_of(&filter, expected + 1, index), expected);
        let without = Measurement::Time(measure_time(|| all(None)));
        TableRow::new(what, Measurement::Time(best_time(|| all(Some(&index)))))
            .with_baseline("without the index", without)
            .print();
    }
    for (what, text) in [
        ("filter payload.x=1, nothing found", "payload.x=1"),
        ("filter by text, nothing found", "\"no event says so\""),
    ] {
        let filter = Filter::parse(text, 0).unwrap();
        let scan = Measurement::Rate(file_size(path), best_time(|| assert_eq!(rows(&filter, None), 0)));
        TableRow::new(what, scan).with_baseline(MINIMAL_READER, baseline).with_target("500 MB/s").print();
    }
}
