//! Filters: the first page of an aggregate through the index, blocks that it rules out, and scans in which nothing is
//! found.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::EventLog;
use chronicle::file::OsDisk;
use chronicle::index::{AggregateIndex, NameKind};
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
    let rows_of = |filter: &Filter, limit, index: Option<&AggregateIndex>| {
        let ask = Ask { from: 0, direction: Direction::Forward, limit, filter };
        page(&view, index, &ask, &mut |_| ControlFlow::Continue(())).unwrap().rows.len()
    };
    let rows = |filter: &Filter, index| rows_of(filter, LIMIT, index);

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
        let without = Figure::Time(timed(|| all(None)));
        Row::new(what, Figure::Time(best(|| all(Some(index))))).beside("without the index", without).print();
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
