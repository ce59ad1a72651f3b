//! Filters, jumps and search patterns: an error names a position in the text, a parsed filter has a text with the
//! same meaning, and an index changes no answer.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use super::memory_disk::MemoryDisk;
use super::sample_logs::{LOG, SampleVersion, open_read_only, sample_log};
use crate::format::StoredEvent;
use crate::index::AggregateIndex;
use crate::inspect::LogView;
use crate::log::EventLog;
use crate::query::{
    Filter, JumpTarget, KnownNames, LogRow, PageRequest, ReadStart, SearchPattern, complete_filter, read_page,
    resolve_jump,
};

/// The time from which relative times count back: a minute after the events of the sample log.
const NOW_MS: u64 = 1_766_718_334_106;

/// Returns the sample log with one damaged event.
fn log() -> &'static EventLog {
    static LOG_FILE: OnceLock<EventLog> = OnceLock::new();
    LOG_FILE.get_or_init(|| {
        let mut bytes = sample_log(SampleVersion::V1).log.clone();
        bytes[600] ^= 1;
        open_read_only(&MemoryDisk::with_files(&[(LOG, &bytes)])).unwrap()
    })
}

pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let names = KnownNames::from_index(&log().index().unwrap());
    for completion in complete_filter(&text, &names) {
        let _ = Filter::parse(&completion.text, NOW_MS);
    }
    if let Ok(pattern) = SearchPattern::parse(&text) {
        assert_eq!(pattern.text(), text);
        pattern.is_match(sample_log(SampleVersion::V1).log.get(100..400).unwrap_or_default());
    }
    if let Ok(target) = JumpTarget::parse(&text, NOW_MS) {
        let index = log().index().unwrap();
        resolve_jump(log().view(), Some(&index), &target, &mut |_| ControlFlow::Continue(())).unwrap();
    }
    match Filter::parse(&text, NOW_MS) {
        Ok(filter) => check_filter(&filter),
        Err(error) => {
            let is_place = text.is_char_boundary(error.position) && text.contains(&error.word);
            assert!(is_place, "{error:?} in {text:?}");
            assert!(!error.reason.is_empty());
        }
    }
}

fn check_filter(filter: &Filter) {
    let again = Filter::parse(filter.text(), NOW_MS).unwrap_or_else(|error| panic!("{error} in {:?}", filter.text()));
    assert!(again.is_same(filter), "{:?} became {:?}", filter.text(), again.text());
    assert!(filter.with_words(filter.text()).is_ok_and(|same| same.is_same(filter)), "{:?}", filter.text());
    let shorter = filter.without_last();
    assert!(shorter.text().len() <= filter.text().len());
    let view = log().view();
    let index = log().index().unwrap();
    let rows = read_rows(view, None, filter, ReadStart::forward(0));
    assert_eq!(read_rows(view, Some(&index), filter, ReadStart::forward(0)), rows, "forward with an index");
    let backward = read_rows(view, Some(&index), filter, ReadStart::backward(u64::MAX));
    assert_eq!(backward, rows, "backward with an index");
    if let Ok(negated) = Filter::parse(&format!("-{}", filter.text()), NOW_MS) {
        check_negation(filter, &negated);
    }
}

/// Checks that a filter of one word and the same word with a leading minus show each event once.
fn check_negation(filter: &Filter, negated: &Filter) {
    let is_one_word = filter.without_last().is_empty() && negated.without_last().is_empty();
    if !is_one_word || filter.is_empty() || filter.text().starts_with(['-', '!']) {
        return;
    }
    for event in log().replay(0).unwrap().flatten() {
        let (offset, event) = (StoredEvent::offset(&event), event.view());
        let shown = filter.matches_event(offset, &event);
        assert_ne!(shown, negated.matches_event(offset, &event), "{:?} at {offset}", filter.text());
    }
}

fn read_rows(view: &LogView, index: Option<&AggregateIndex>, filter: &Filter, start: ReadStart) -> Vec<LogRow> {
    let request = PageRequest::new(filter, start, usize::MAX);
    read_page(view, index, &request, &mut |_| ControlFlow::Continue(())).unwrap().rows
}
