//! Filters: the first page of an aggregate through the index, and scans in which nothing is found.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::EventLog;
use chronicle::file::OsDisk;
use chronicle::index::AggregateIndex;
use chronicle::inspect::LogView;
use chronicle::query::{Ask, Direction, Filter, page};

use crate::logs::size;
use crate::reading::LEAST;
use crate::row::{Figure, Row, best, timed};

/// Rows of a page.
const LIMIT: usize = 50;

pub(crate) fn measure(path: &Path, least: Figure) {
    let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
    let mut log = EventLog::open_read_only(path).unwrap();
    let index = log.index().unwrap();
    let rows = |filter: &Filter, index: Option<&AggregateIndex>| {
        let ask = Ask { from: 0, direction: Direction::Forward, limit: LIMIT, filter };
        page(&view, index, &ask, &mut |_| ControlFlow::Continue(())).unwrap().rows.len()
    };

    let busiest = index.iter().map(Result::unwrap).max_by_key(|found| found.events).unwrap();
    let rare = index.iter().map(Result::unwrap).find(|found| found.events == 10).unwrap_or(busiest);
    let pages = [("filter agg:N of 10 events, first page", rare), ("filter agg:N of the busiest, first page", busiest)];
    for (what, found) in pages {
        let filter = Filter::parse(&format!("agg:{}", found.id), 0).unwrap();
        let expected = LIMIT.min(found.events as usize);
        let with = Figure::Time(best(|| assert_eq!(rows(&filter, Some(index)), expected)));
        let without = Figure::Time(timed(|| assert_eq!(rows(&filter, None), expected)));
        Row::new(what, with).beside("without the index", without).target("under 20 ms").print();
    }
    for (what, text) in [
        ("filter payload.x=1, nothing found", "payload.x=1"),
        ("filter by text, nothing found", "\"no event says so\""),
    ] {
        let filter = Filter::parse(text, 0).unwrap();
        let scan = Figure::Rate(size(path), best(|| assert_eq!(rows(&filter, None), 0)));
        Row::new(what, scan).beside(LEAST, least).target("500 MB/s").print();
    }
}
