//! Checks that all readers of a log agree: survey, pages in both directions, replay, and index.

use std::ops::ControlFlow;

use super::memory_disk::MemoryDisk;
use super::sample_logs::{LOG, open_read_only, open_view};
use crate::file::SegmentSet;
use crate::format::{DamageKind, StoredEvent, Version};
use crate::inspect::{LogView, Survey, SurveyOptions, survey};
use crate::log::EventLog;
use crate::query::{Filter, LogRow, PageRequest, ReadStart, RowContent, read_page};

/// Reads the whole log in one pass.
pub(super) fn survey_log(view: &LogView, options: &SurveyOptions) -> Survey {
    survey(view, options, None, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// Reads every row of the log that `filter` shows.
pub(super) fn read_rows(log: &EventLog, filter: &Filter, start: ReadStart) -> Vec<LogRow> {
    let request = PageRequest::new(filter, start, usize::MAX);
    read_page(log.view(), None, &request, &mut |_| ControlFlow::Continue(())).unwrap().rows
}

/// Returns the events of a log, and the number of damaged ranges, gaps and other frames that its replay reports.
pub(super) fn read_events(log: &EventLog) -> (Vec<StoredEvent>, usize) {
    let (mut events, mut others) = (Vec::new(), 0);
    for event in log.replay(0).unwrap() {
        match event {
            Ok(event) => events.push(event),
            Err(_) => others += 1,
        }
    }
    (events, others)
}

/// Returns the offset and the text of every event that can be read.
pub(super) fn readable_events(log: &EventLog) -> Vec<(u64, String)> {
    read_events(log).0.iter().map(|event| (StoredEvent::offset(event), event.json().to_owned())).collect()
}

/// Checks the readers of the log on a disk without an index. `threads` is the number of threads of a second survey, which
/// reads parts of `part_bytes` bytes.
pub(super) fn check_readers(disk: &MemoryDisk, threads: usize, part_bytes: u64) {
    let Ok(log) = open_read_only(disk) else { return };
    let end = log.len().unwrap();
    let found = survey_log(log.view(), &SurveyOptions::new());
    check_findings(&found, end);
    let in_parts = open_view(disk, LOG).unwrap().with_threads(threads);
    let in_parts = survey_log(&in_parts, &SurveyOptions::new().part_bytes(part_bytes));
    assert_eq!(in_parts.findings, found.findings);
    assert_eq!(
        (in_parts.events, in_parts.gaps, in_parts.in_flight),
        (found.events, found.gaps, found.in_flight.clone())
    );
    let rows = check_rows(&log, end);
    let (events, others) = read_events(&log);
    assert_eq!(events.len() as u64, found.events, "the replay and the survey have the same events");
    let is_event = |row: &&LogRow| matches!(row.content, RowContent::Event(_));
    assert!(events.iter().map(StoredEvent::offset).eq(rows.iter().filter(is_event).map(|row| row.start)));
    let is_finding = |row: &&LogRow| matches!(row.content, RowContent::Finding(_));
    assert!(others <= rows.iter().filter(is_finding).count());
    check_index(&log, &events);
}

/// Checks that the findings are in order and inside the log.
fn check_findings(found: &Survey, end: u64) {
    let mut start = 0;
    let mut damaged_end = 0;
    for finding in &found.findings {
        assert!(start <= finding.start && finding.start <= finding.end && finding.end <= end, "{finding:?} of {end}");
        assert!(
            !finding.kind.is_damage() || damaged_end <= finding.start,
            "{finding:?} is in damage up to {damaged_end}"
        );
        start = finding.start;
        if finding.kind.is_damage() {
            damaged_end = finding.end;
        }
    }
    assert_eq!(found.findings.len() as u64, found.findings_total);
}

/// Checks that the rows cover the log without a hole, and are the same in both directions. Returns them.
///
/// The headers of the segments after the first one have no rows.
fn check_rows(log: &EventLog, end: u64) -> Vec<LogRow> {
    let rows = read_rows(log, &Filter::default(), ReadStart::forward(0));
    let segments = log.view().log().storage().segments();
    let bases = segments.map(SegmentSet::bases).unwrap_or_default();
    let header_len = Version::V2.first_frame_offset();
    let mut position = 0;
    for row in &rows {
        if row.start == position + header_len && position > 0 && bases.contains(&position) {
            position = row.start;
        }
        let is_lost_end = matches!(&row.content, RowContent::Finding(found) if found.kind == DamageKind::Truncated);
        assert!(row.start == position && (row.end > position || is_lost_end), "{row:?} after {position}");
        position = row.end;
    }
    let is_in_header = bases.last() == Some(&position) && end <= position + header_len;
    assert!(position == end || is_in_header, "the last row ends at {position}, and the log at {end}");
    assert_eq!(read_rows(log, &Filter::default(), ReadStart::backward(u64::MAX)), rows);
    rows
}

/// Checks that the index gives exactly the events of each aggregate.
pub(super) fn check_index(log: &EventLog, events: &[StoredEvent]) {
    let index = log.index().unwrap();
    assert_eq!(index.coverage().events, events.len() as u64);
    let mut ids: Vec<u64> = events.iter().filter_map(StoredEvent::aggregate_id).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let indexed: Vec<u64> = log.load_aggregate(id).unwrap().iter().map(StoredEvent::offset).collect();
        let expected = events.iter().filter(|event| event.aggregate_id() == Some(id)).map(StoredEvent::offset);
        assert!(indexed.iter().copied().eq(expected), "aggregate {id}: {indexed:?}");
    }
}
