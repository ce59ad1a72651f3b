//! Reading a log through: judging it, building its index, replaying it.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::file::OsDisk;
use chronicle::inspect::{LogView, Wish, survey};
use chronicle::{EventLog, OpenOptions};

use crate::logs::size;
use crate::row::{Figure, Row, best};
use crate::yardsticks;

/// The yardstick that other readers are held against, too.
pub(crate) const LEAST: &str = "frames and CRCs, least code";

/// Prints the rows; the figure of [`LEAST`].
pub(crate) fn measure(path: &Path) -> Figure {
    let bytes = size(path);
    let rate = |run: &dyn Fn()| Figure::Rate(bytes, best(run));
    let log = || EventLog::open_read_only(path).unwrap();

    Row::new("read(2) in 1 MiB pieces", rate(&|| yardsticks::read(path))).print();
    let least = rate(&|| yardsticks::walk(path));
    Row::new(LEAST, least).print();
    let middle = yardsticks::middle(path);
    let least_in_two = rate(&|| yardsticks::walk_in_two(path, middle));
    Row::new("the same, two threads with a known split point", least_in_two).beside("one thread", least).print();
    let values = rate(&|| yardsticks::into_values(path));
    let borrowed = rate(&|| yardsticks::into_borrowed(path));

    let judged = |frames_only: bool, threads: usize| {
        let view = LogView::open(Arc::new(OsDisk), path, None).unwrap().reading_with(threads);
        let wish = Wish { frames_only, ..Wish::default() };
        let seen = survey(&view, &wish, None, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(seen.damage_total, 0);
    };
    let into = "replay into Value";
    Row::new("verify --frames", rate(&|| judged(true, 1))).beside(LEAST, least).target("0.85").print();
    Row::new("the same, two threads", rate(&|| judged(true, 2))).beside(LEAST, least).target("1.4").print();
    Row::new("verify", rate(&|| judged(false, 1))).beside(into, values).target("3, 1 000 MB/s").print();
    Row::new("the same, two threads", rate(&|| judged(false, 2))).beside(into, values).print();
    let rebuilt = |threads: usize| {
        let mut log = OpenOptions::new().threads(threads).open_read_only(path).unwrap();
        log.rebuild_index_from(0).unwrap();
    };
    Row::new("index rebuild, in memory", rate(&|| rebuilt(1))).beside(into, values).target("3").print();
    Row::new("the same, two threads", rate(&|| rebuilt(2))).beside(into, values).target("5").print();

    let views = || {
        let mut replay = log().replay(0).unwrap();
        while let Some(event) = replay.next_event() {
            black_box(event.unwrap().1.payload());
        }
    };
    Row::new("replay, borrowed", rate(&views)).beside("serde_json, borrowed", borrowed).target("0.85").print();
    let owned = || log().replay(0).unwrap().for_each(|event| drop(black_box(event.unwrap())));
    Row::new("replay, owned", rate(&owned)).beside("serde_json, borrowed", borrowed).print();
    let typed = || {
        for event in log().replay(0).unwrap() {
            black_box(event.unwrap().payload_as::<serde_json::Value>().unwrap());
        }
    };
    Row::new("replay, payloads into Value", rate(&typed)).beside("serde_json into Value", values).target("0.9").print();
    least
}
