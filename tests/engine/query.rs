//! Compares pages, filters, jumps and search over whole logs with a survey of the same bytes and with a simple
//! evaluation of the filters.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chronicle::inspect::{LogView, Progress, SurveyOptions, survey};
use chronicle::internal::format::frame;
use chronicle::internal::index::anchor_offsets;
use chronicle::query::{
    Direction, EventSummary, Filter, JumpTarget, LogRow, PageRequest, ReadStart, RowContent, RowPage, SearchPattern,
    SearchRequest, find_match, read_aggregate_history, read_page, read_row_at, resolve_jump_or_last_row,
};
use chronicle::storage::OsDisk;
use chronicle::{AggregateIndex, DamageKind, Event, EventLog, LogHeader};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use super::sim_disk::SimDisk;
use super::support::{LOG, append_frame, open_read_only};

pub(super) const FIRST_TIME_MS: u64 = 1_795_165_200_000; // 2026-11-20T09:00:00Z
const NOW: u64 = FIRST_TIME_MS + 3_600_000;

/// A log in a temporary folder.
pub(super) struct TempLog {
    _folder: TempDir,
    pub(super) path: PathBuf,
}

impl TempLog {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        fs::write(&path, bytes).unwrap();
        Self { _folder: folder, path }
    }

    pub(super) fn view(&self) -> LogView {
        LogView::open(Arc::new(OsDisk), &self.path, None).unwrap()
    }

    pub(super) fn index(&self) -> AggregateIndex {
        Arc::unwrap_or_clone(EventLog::open_read_only(&self.path).unwrap().index().unwrap())
    }
}

pub(super) const fn search_request<'a>(
    pattern: &'a SearchPattern,
    filter: &'a Filter,
    from: u64,
    direction: Direction,
) -> SearchRequest<'a> {
    SearchRequest::new(pattern, filter, ReadStart::new(from, direction))
}

pub(super) fn never_stop(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(super) fn page_without_index(
    view: &LogView,
    from: u64,
    direction: Direction,
    limit: usize,
    filter: &Filter,
) -> RowPage {
    read_page(view, None, &PageRequest::new(filter, ReadStart::new(from, direction), limit), &mut never_stop).unwrap()
}

pub(super) fn parse_filter(text: &str) -> Filter {
    Filter::parse(text, NOW).unwrap()
}

/// Builds every row from a survey and a replay.
fn expected_rows(view: &LogView) -> Vec<LogRow> {
    let survey = survey(view, &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
    let findings = survey.findings.iter().filter(|finding| finding.kind != DamageKind::Clock);
    let mut rows: Vec<LogRow> = findings
        .map(|finding| LogRow { start: finding.start, end: finding.end, content: RowContent::Finding(finding.clone()) })
        .collect();
    rows.extend(survey.in_flight.map(|range| LogRow {
        start: range.start,
        end: range.end,
        content: RowContent::InFlight,
    }));
    if view.log().first_frame_offset() == 16 && view.header_finding().is_none() {
        rows.push(LogRow { start: 0, end: view.log().len().unwrap().min(16), content: RowContent::Header });
    }
    let log = EventLog::open_read_only(view.path()).unwrap();
    for event in log.replay(0).unwrap().filter_map(Result::ok) {
        let (start, len) =
            (event.offset(), event.json().len() as u64 + if view.log().first_frame_offset() == 16 { 8 } else { 4 });
        rows.push(LogRow {
            start,
            end: start + len,
            content: RowContent::Event(EventSummary::from_event(&event.view())),
        });
    }
    rows.sort_by_key(|row| (row.start, row.end));
    rows
}

/// Reads all rows page by page from the start.
pub(super) fn collect_forward(
    view: &LogView,
    index: Option<&AggregateIndex>,
    limit: usize,
    filter: &Filter,
) -> Vec<LogRow> {
    let (mut rows, mut from) = (Vec::new(), 0);
    loop {
        let request = PageRequest::new(filter, ReadStart::forward(from), limit);
        let page = read_page(view, index, &request, &mut never_stop).unwrap();
        assert!(page.rows.len() <= limit && (page.at_end || page.rows.len() >= limit), "{page:?}");
        assert!(page.at_start == (from == 0) || page.rows.is_empty(), "{page:?}");
        from = page.rows.last().map_or(from, |row| row.end);
        rows.extend(page.rows);
        if page.at_end {
            return rows;
        }
    }
}

/// Reads all rows page by page from the end.
pub(super) fn collect_backward(
    view: &LogView,
    index: Option<&AggregateIndex>,
    limit: usize,
    filter: &Filter,
) -> Vec<LogRow> {
    let (mut rows, mut from) = (Vec::new(), u64::MAX);
    loop {
        let request = PageRequest::new(filter, ReadStart::backward(from), limit);
        let page = read_page(view, index, &request, &mut never_stop).unwrap();
        assert!(page.rows.len() <= limit && (page.at_start || page.rows.len() >= limit), "{page:?}");
        assert_eq!(page.at_end, from == u64::MAX, "{page:?}");
        from = page.rows.first().map_or(from, |row| row.start);
        rows.splice(0..0, page.rows);
        if page.at_start {
            return rows;
        }
    }
}

fn event_json(i: u64, payload: &str) -> String {
    let aggregate = if i.is_multiple_of(5) { "null".to_owned() } else { (i % 4).to_string() };
    let kind = ["Created", "Updated", "Upd\\u0061ted", "Deleted"][(i % 4) as usize];
    let (time, ns, version) =
        (FIRST_TIME_MS + i * 1000, if i.is_multiple_of(3) { "accounts" } else { "acc" }, 1 + i % 2);
    format!(
        r#"{{"write_timestamp_ms":{time},"event_type":"{kind}","namespace":"{ns}","schema_id":"Person","schema_version":{version},"aggregate_id":{aggregate},"payload":{payload}}}"#
    )
}

#[derive(Debug, Clone)]
pub(super) enum SampleLogPart {
    Event(String),
    Flipped(String, usize),
    WrongLength(String, usize),
    Gap,
    Invalid,
    Zeros(usize),
    Noise(Vec<u8>),
}

pub(super) fn log_part() -> impl Strategy<Value = SampleLogPart> {
    let payload = prop_oneof![
        Just(r#"{"amount":1.5,"email":"ana@example.org"}"#.to_owned()),
        Just(r#"{"amount":100,"email":"bob@example.com","tags":["x","y"]}"#.to_owned()),
        (0..400usize).prop_map(|n| format!(r#"{{"amount":{n},"text":"{}"}}"#, "z".repeat(n))),
        Just("null".to_owned()),
    ];
    prop_oneof![
        12 => payload.clone().prop_map(SampleLogPart::Event),
        1 => (payload.clone(), 0..2000usize).prop_map(|(payload, at)| SampleLogPart::Flipped(payload, at)),
        1 => (payload, 0..30usize).prop_map(|(payload, by)| SampleLogPart::WrongLength(payload, by)),
        1 => Just(SampleLogPart::Gap),
        1 => Just(SampleLogPart::Invalid),
        1 => (1..200usize).prop_map(SampleLogPart::Zeros),
        1 => prop::collection::vec(any::<u8>(), 1..80).prop_map(SampleLogPart::Noise),
    ]
}

/// Builds a log of these parts. The last frame is valid, so the end is not read twice.
pub(super) fn build_log(version: u16, parts: &[SampleLogPart]) -> Vec<u8> {
    let mut log = if version == 1 { LogHeader::new(FIRST_TIME_MS).encode().to_vec() } else { Vec::new() };
    let put = |log: &mut Vec<u8>, payload: &str| append_frame(log, version, payload);
    put(&mut log, &event_json(1, "{}"));
    for (i, part) in parts.iter().enumerate() {
        let i = i as u64 + 2;
        match part {
            SampleLogPart::Event(payload) => _ = put(&mut log, &event_json(i, payload)),
            SampleLogPart::Flipped(payload, at) => {
                let start = put(&mut log, &event_json(i, payload));
                let len = log.len() - start - 4;
                log[start + 4 + at % len] ^= 1 << (at % 8);
            }
            SampleLogPart::WrongLength(payload, by) => {
                let start = put(&mut log, &event_json(i, payload));
                log[start + 3] ^= 1 + *by as u8;
            }
            SampleLogPart::Gap => _ = put(&mut log, "{\"$gap\":{\"by\":\"test\"}}  "),
            SampleLogPart::Invalid => _ = put(&mut log, "{\"no\":\"event\"}"),
            SampleLogPart::Zeros(n) => log.extend(vec![0; *n]),
            SampleLogPart::Noise(bytes) => log.extend(bytes),
        }
    }
    put(&mut log, &event_json(3, "{}"));
    log
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn pages_of_any_size_in_either_direction_make_up_the_log(
        version in 0u16..2,
        parts in prop::collection::vec(log_part(), 0..30),
        limit in 1usize..8,
        positions in prop::collection::vec(any::<prop::sample::Index>(), 6),
    ) {
        let temp_log = TempLog::new(&build_log(version, &parts));
        let (view, all) = (temp_log.view(), Filter::default());
        let rows = expected_rows(&view);
        let whole = page_without_index(&view, 0, Direction::Forward, 1000, &all);
        prop_assert_eq!(&whole.rows, &rows);
        prop_assert!(whole.at_start && whole.at_end);
        prop_assert_eq!(&page_without_index(&view, u64::MAX, Direction::Backward, 1000, &all).rows, &rows);
        prop_assert_eq!(&collect_forward(&view, None, limit, &all), &rows);
        prop_assert_eq!(&collect_backward(&view, None, limit, &all), &rows);
        for position in positions {
            let at = position.index(view.log().len().unwrap() as usize) as u64;
            let forward = page_without_index(&view, at, Direction::Forward, 1000, &all).rows;
            let before = page_without_index(&view, at, Direction::Backward, 1000, &all).rows;
            let covering = rows.iter().position(|row| row.end > at).unwrap();
            prop_assert_eq!(&forward[..], &rows[covering..], "from {}", at);
            prop_assert_eq!(&before[..], &rows[..covering], "to {}", at);
            prop_assert_eq!(read_row_at(&view, at).unwrap(), Some(rows[covering].clone()));
        }
    }

    #[test]
    fn the_index_finds_the_rows_of_an_aggregate_that_a_scan_finds(
        version in 0u16..2,
        parts in prop::collection::vec(log_part(), 0..30),
        covered in any::<prop::sample::Index>(),
        limit in 1usize..6,
        words in prop::sample::select(vec![
            "agg:1", "agg:2 agg:3", "agg:1 -is:damaged -is:gap", "agg:7", "agg:1 payload.amount>50 -is:gap", "agg:2 is:damaged",
        ]),
    ) {
        let bytes = build_log(version, &parts);
        // The index covers the log up to one of its frames.
        let temp_log = TempLog::new(&bytes);
        let ends: Vec<u64> = expected_rows(&temp_log.view()).iter().filter(|row| matches!(row.content, RowContent::Event(_))).map(|row| row.end).collect();
        let end = ends[covered.index(ends.len())] as usize;
        fs::write(&temp_log.path, &bytes[..end]).unwrap();
        let index = temp_log.index();
        prop_assert_eq!(index.coverage().covered_to, end as u64);
        fs::write(&temp_log.path, &bytes).unwrap();
        let (view, filter) = (temp_log.view(), parse_filter(words));
        let scanned = page_without_index(&view, 0, Direction::Forward, 1000, &filter).rows;
        prop_assert_eq!(&collect_forward(&view, Some(&index), limit, &filter), &scanned);
        prop_assert_eq!(&collect_backward(&view, Some(&index), limit, &filter), &scanned);
        prop_assert_eq!(&collect_backward(&view, None, limit, &filter), &scanned);
        let middle = end as u64 / 2;
        for from in [middle, middle + 1, end as u64, end as u64 + 1] {
            for direction in [Direction::Forward, Direction::Backward] {
                let request = PageRequest::new(&filter, ReadStart::new(from, direction), limit);
                let with_index = read_page(&view, Some(&index), &request, &mut never_stop).unwrap();
                prop_assert_eq!(with_index.rows, read_page(&view, None, &request, &mut never_stop).unwrap().rows, "{} {:?}", from, direction);
            }
        }
    }

    #[test]
    fn a_filter_shows_the_rows_that_its_terms_match(
        parts in prop::collection::vec(log_part(), 0..30),
        words in prop::collection::vec((0..TERM_CASES.len(), any::<bool>()), 0..5),
    ) {
        let temp_log = TempLog::new(&build_log(1, &parts));
        let view = temp_log.view();
        let text: Vec<String> = words.iter().map(|(i, not)| format!("{}{}", if *not { "-" } else { "" }, TERM_CASES[*i].0)).collect();
        let filter = parse_filter(&text.join(" "));
        let shown = page_without_index(&view, 0, Direction::Forward, 1000, &filter).rows;
        let log = EventLog::open_read_only(&temp_log.path).unwrap();
        let keep = |row: &LogRow| match &row.content {
            RowContent::Event(_) => {
                let event = log.replay(row.start).unwrap().next().unwrap().unwrap();
                matches_terms(&words, row.start, event.json())
            }
            RowContent::Header => words.is_empty(),
            _ => true,
        };
        let rows: Vec<LogRow> = expected_rows(&view).into_iter().filter(keep).collect();
        prop_assert_eq!(shown, rows, "{}", text.join(" "));
    }
}

type TermPredicate = fn(u64, &Value, &str) -> bool;

/// Filter terms with their keys, and a simple evaluation of each.
const TERM_CASES: [(&str, &str, TermPredicate); 40] = [
    ("agg:1", "agg", |_, event, _| event["aggregate_id"] == 1),
    ("agg:null", "agg", |_, event, _| event["aggregate_id"].is_null()),
    ("type:Updated", "type", |_, event, _| event["event_type"] == "Updated"),
    ("type:Created", "type", |_, event, _| event["event_type"] == "Created"),
    ("ns:acc", "ns", |_, event, _| event["namespace"] == "acc"),
    ("schema:\"Person\"", "schema", |_, event, _| event["schema_id"] == "Person"),
    ("v:2", "v", |_, event, _| event["schema_version"] == 2),
    ("after:2026-11-20T09:00:09Z", "after", |_, event, _| {
        event["write_timestamp_ms"].as_u64() >= Some(FIRST_TIME_MS + 9000)
    }),
    ("before:-59m50s", "before", |_, event, _| event["write_timestamp_ms"].as_u64() < Some(FIRST_TIME_MS + 10_000)),
    ("offset:500..0x5dc", "offset", |at, _, _| (500..1500).contains(&at)),
    (r"payload.email~example\.org", "email~", |_, event, _| event["payload"]["email"] == "ana@example.org"),
    ("payload.amount>=100", "amount>=", |_, event, _| event["payload"]["amount"].as_f64() >= Some(100.0)),
    ("payload.amount<200", "amount<", |_, event, _| event["payload"]["amount"].as_f64().is_some_and(|n| n < 200.0)),
    ("payload.amount=1.50", "amount=", |_, event, _| event["payload"]["amount"] == 1.5),
    ("payload.tags.1=y", "tags.1=", |_, event, _| event["payload"]["tags"][1] == "y"),
    ("BOB", "", |_, _, json| json.contains("BOB")),
    ("person", "", |_, _, json| json.contains("Person")),
    ("type=Deleted,Updated", "type", |_, event, _| {
        event["event_type"] == "Updated" || event["event_type"] == "Deleted"
    }),
    ("event_type:Created", "type", |_, event, _| event["event_type"] == "Created"),
    ("type:Up*,*ed", "type", |_, event, _| event["event_type"].as_str().unwrap().ends_with("ed")),
    ("type!=Updated,Created", "", |_, event, _| event["event_type"] != "Updated" && event["event_type"] != "Created"),
    ("type~^Cr", "type~", |_, event, _| event["event_type"] == "Created"),
    ("type~/^UP/i", "type~", |_, event, _| event["event_type"] == "Updated"),
    ("type!~^Cr", "", |_, event, _| event["event_type"] != "Created"),
    ("agg>=1", "agg>=", |_, event, _| event["aggregate_id"].as_u64() >= Some(1)),
    ("agg:0..1", "agg", |_, event, _| event["aggregate_id"].as_u64().is_some_and(|id| id <= 1)),
    ("agg!=1,null", "", |_, event, _| event["aggregate_id"] != 1 && !event["aggregate_id"].is_null()),
    ("v>=2", "v>=", |_, event, _| event["schema_version"].as_u64() >= Some(2)),
    ("v:1..1,3", "v", |_, event, _| event["schema_version"] == 1 || event["schema_version"] == 3),
    ("time:2026-11-20T09:00:09", "time", |_, event, _| {
        event["write_timestamp_ms"].as_u64().unwrap() / 1000 == FIRST_TIME_MS / 1000 + 9
    }),
    ("time<=2026-11-20T09:00:09", "time<=", |_, event, _| {
        event["write_timestamp_ms"].as_u64() < Some(FIRST_TIME_MS + 10_000)
    }),
    ("time>2026-11-20T09:00:09", "time>", |_, event, _| {
        event["write_timestamp_ms"].as_u64() >= Some(FIRST_TIME_MS + 10_000)
    }),
    ("time:1795165200000..2026-11-20T09:00:04", "time", |_, event, _| {
        event["write_timestamp_ms"].as_u64().is_some_and(|ms| (FIRST_TIME_MS..FIRST_TIME_MS + 5000).contains(&ms))
    }),
    ("offset>1000", "offset>", |at, _, _| at > 1000),
    ("offset<=0x3e8", "offset<=", |at, _, _| at <= 1000),
    ("size<170", "size<", |_, _, json| json.len() < 170),
    ("size:160..1KiB", "size", |_, _, json| (160..=1024).contains(&json.len())),
    ("payload.amount:50..150", "amount=", |_, event, _| {
        event["payload"]["amount"].as_f64().is_some_and(|n| (50.0..=150.0).contains(&n))
    }),
    ("/\"email\": ?\"ANA@/i", "", |_, event, _| event["payload"]["email"] == "ana@example.org"),
    ("example*g", "", |_, _, json| json.split('"').any(|text| text.to_lowercase().contains("example.org"))),
];

fn matches_terms(words: &[(usize, bool)], at: u64, json: &str) -> bool {
    let event: Value = serde_json::from_str(json).unwrap();
    let matches = |i: usize| (TERM_CASES[i].2)(at, &event, json);
    words.iter().all(|(i, not)| {
        if *not {
            return !matches(*i);
        }
        let key = TERM_CASES[*i].1;
        let alternative = |(j, not): &(usize, bool)| !not && !key.is_empty() && TERM_CASES[*j].1 == key && matches(*j);
        matches(*i) || words.iter().any(alternative)
    })
}

/// Builds a log of 40 valid events.
fn clean_log() -> Vec<u8> {
    let event = SampleLogPart::Event(r#"{"amount":1,"email":"ana@example.org"}"#.into());
    build_log(1, &vec![event; 38])
}

fn row_starts(rows: &[LogRow]) -> Vec<u64> {
    rows.iter().map(|row| row.start).collect()
}

#[test]
fn a_torn_end_is_a_row_in_either_direction() {
    let mut bytes = clean_log();
    bytes.truncate(bytes.len() - 30);
    let temp_log = TempLog::new(&bytes);
    let (view, rows) = (temp_log.view(), expected_rows(&temp_log.view()));
    assert!(
        matches!(&rows.last().unwrap().content, RowContent::Finding(finding) if finding.kind == DamageKind::TornTail)
    );
    let all = Filter::default();
    assert_eq!(page_without_index(&view, 0, Direction::Forward, 1000, &all).rows, rows);
    assert_eq!(page_without_index(&view, u64::MAX, Direction::Backward, 2, &all).rows, rows[rows.len() - 2..]);
    assert_eq!(
        resolve_jump_or_last_row(&view, None, &JumpTarget::Last, &mut never_stop).unwrap(),
        rows.last().unwrap().start
    );
    assert_eq!(
        page_without_index(&view, 0, Direction::Forward, 9, &parse_filter("type:None")).rows,
        rows[rows.len() - 1..]
    );
}

#[test]
fn an_unfinished_end_is_in_flight_and_only_terms_about_findings_hide_it() {
    let mut bytes = clean_log();
    bytes.truncate(bytes.len() - 30);
    let temp_log = TempLog::new(&bytes);
    let grow = fs::OpenOptions::new().append(true).open(&temp_log.path).unwrap();
    let view = temp_log.view();
    let is_read = Arc::new(AtomicBool::new(false));
    let until_read = is_read.clone();
    let writer = std::thread::spawn(move || {
        while !until_read.load(Ordering::Relaxed) {
            std::io::Write::write_all(&mut &grow, b"x").unwrap();
            // A byte in a few milliseconds is many bytes between two reads of the end.
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    });
    let rows = page_without_index(&view, u64::MAX, Direction::Backward, 1, &Filter::default()).rows;
    assert_eq!(rows.iter().map(|row| &row.content).collect::<Vec<_>>(), [&RowContent::InFlight]);
    assert!(page_without_index(&view, 0, Direction::Forward, 100, &parse_filter("is:damaged")).rows.is_empty());
    is_read.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}

#[test]
fn an_end_that_is_completed_while_it_is_read_is_shown_complete() {
    let whole = clean_log();
    let rows = expected_rows(&TempLog::new(&whole).view());
    let [.., second_last, last] = &rows[..] else { panic!("{rows:?}") };
    let all = Filter::default();
    for (written, unfinished) in [(last.end, None), (last.start + 20, Some(RowContent::InFlight))] {
        // The file grows before the bytes are written.
        let mut before = whole.clone();
        before[second_last.start as usize + 9..].fill(0);
        let mut after = whole.clone();
        after[written as usize..].fill(0);
        for (from, direction) in [(second_last.start, Direction::Forward), (u64::MAX, Direction::Backward)] {
            let disk = SimDisk::with_files(&[(LOG, &before)]);
            let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap();
            disk.change_while_waiting(&after);
            let page = page_without_index(&view, from, direction, 2, &all);
            assert_eq!(page.rows[0], *second_last, "{written} {direction:?}");
            assert_eq!(
                page.rows[1].content,
                unfinished.clone().unwrap_or(last.content.clone()),
                "{written} {direction:?}"
            );
        }
    }
}

#[test]
fn a_log_that_lost_its_end_has_a_row_that_reports_it() {
    let bytes = clean_log();
    let temp_log = TempLog::new(&bytes);
    let mut log = EventLog::open(&temp_log.path).unwrap();
    log.save_index().unwrap();
    drop(log);
    let whole = expected_rows(&temp_log.view());
    let all = Filter::default();
    // Cut at the start of a frame, inside a frame, after the header, and inside it.
    let cuts = [whole[20].start, whole[20].start + 30, 16, 5];
    for cut in cuts {
        fs::write(&temp_log.path, &bytes[..cut as usize]).unwrap();
        let view = temp_log.view();
        let rows = page_without_index(&view, 0, Direction::Forward, 1000, &all).rows;
        let last = rows.last().unwrap();
        assert!(matches!(&last.content, RowContent::Finding(f) if f.kind == DamageKind::Truncated), "{cut}: {last:?}");
        assert_eq!((last.end, rows.iter().filter(|row| row.start == last.start).count()), (cut, 1));
        assert_eq!(rows[..], expected_rows(&view)[expected_rows(&view).len() - rows.len()..], "{cut}");
        // Five divides the number of rows of the first cut, so the last page is full.
        for limit in [1, 5, 7] {
            assert_eq!(collect_forward(&view, None, limit, &all), rows, "{cut}");
            assert_eq!(collect_backward(&view, None, limit, &all), rows, "{cut}");
        }
        let around = [Direction::Backward, Direction::Forward]
            .map(|direction| page_without_index(&view, cut, direction, 1000, &all).rows);
        assert_eq!(around.concat(), rows, "{cut}");
        assert_eq!(around[1].len(), usize::from(last.start == cut), "{cut}");
        assert_eq!(read_row_at(&view, cut).unwrap().as_ref(), Some(last).filter(|last| last.start == cut), "{cut}");
        let index = temp_log.view().load_index();
        let one = parse_filter("agg:1");
        assert_eq!(collect_forward(&view, Some(&index), 3, &one), collect_forward(&view, None, 3, &one), "{cut}");
        assert_eq!(collect_backward(&view, Some(&index), 3, &one), collect_backward(&view, None, 3, &one), "{cut}");
    }
}

#[test]
fn a_damaged_header_and_an_empty_log_have_their_row() {
    let all = Filter::default();
    let mut bytes = clean_log();
    bytes[1] = b'x';
    let temp_log = TempLog::new(&bytes);
    let first = page_without_index(&temp_log.view(), 7, Direction::Forward, 1, &parse_filter("agg:1"));
    assert!(matches!(&first.rows[0].content, RowContent::Finding(f) if f.kind == DamageKind::Header), "{first:?}");
    let temp_log = TempLog::new(&bytes[..0]);
    fs::write(&temp_log.path, LogHeader::new(FIRST_TIME_MS).encode()).unwrap();
    for (from, direction) in [(0, Direction::Forward), (u64::MAX, Direction::Backward)] {
        let page = page_without_index(&temp_log.view(), from, direction, 3, &all);
        let header = LogRow { start: 0, end: 16, content: RowContent::Header };
        assert_eq!(page, RowPage { rows: vec![header], at_start: true, at_end: true });
    }
    assert_eq!(page_without_index(&temp_log.view(), 16, Direction::Forward, 3, &all).rows, []);
    assert_eq!(resolve_jump_or_last_row(&temp_log.view(), None, &JumpTarget::Time(0), &mut never_stop).unwrap(), 0);
}

#[test]
fn damage_newer_than_the_index_is_shown_and_events_of_other_aggregates_are_not() {
    let mut bytes = clean_log();
    let temp_log = TempLog::new(&bytes);
    let (index, rows) = (temp_log.index(), expected_rows(&temp_log.view()));
    let one = parse_filter("agg:1");
    let of_one = page_without_index(&temp_log.view(), 0, Direction::Forward, 1000, &one).rows;
    let hit = of_one[2].start;
    bytes[hit as usize + 60] ^= 1;
    // An event of another aggregate replaces one of this aggregate.
    let (a, b) = (of_one[4].start as usize, of_one[4].end as usize);
    let other =
        String::from_utf8(bytes[a + 4..b - 4].to_vec()).unwrap().replace("aggregate_id\":1", "aggregate_id\":2");
    let mut frame = Vec::new();
    frame::encode(other.as_bytes(), &mut frame);
    bytes[a..b].copy_from_slice(&frame);
    fs::write(&temp_log.path, &bytes).unwrap();
    let view = temp_log.view();
    let scanned = page_without_index(&view, 0, Direction::Forward, 1000, &one).rows;
    assert_eq!(scanned.len(), of_one.len() - 1);
    assert!(scanned.iter().any(|row| row.start == hit && matches!(row.content, RowContent::Finding(_))));
    assert_eq!(collect_forward(&view, Some(&index), 2, &one), scanned);
    assert_eq!(collect_backward(&view, Some(&index), 2, &one), scanned);
    assert_eq!(rows.len(), expected_rows(&view).len());
}

#[test]
fn jumps_resolve_to_the_row_at_the_target() {
    let temp_log = TempLog::new(&clean_log());
    let (view, index) = (temp_log.view(), temp_log.index());
    let rows = expected_rows(&view);
    let len = view.log().len().unwrap();
    for index in [None, Some(&index)] {
        let to = |text: &str| {
            resolve_jump_or_last_row(&view, index, &JumpTarget::parse(text, NOW).unwrap(), &mut never_stop).unwrap()
        };
        assert_eq!((to("0"), to("3"), to("16")), (0, 0, 16));
        assert_eq!(to(&format!("0x{:x}", rows[9].start + 5)), rows[9].start);
        assert_eq!((to("#1"), to("#40"), to("#41")), (16, rows[40].start, rows[40].start));
        assert_eq!(to("0%"), 0);
        assert_eq!(to("50%"), rows.iter().find(|row| row.end > len / 2).unwrap().start);
        assert_eq!((to("100%"), to("99999999")), (rows[40].start, rows[40].start));
        assert_eq!((to("2026-11-20T09:00:20"), to("2020-01-01")), (rows[20].start, 16));
        assert_eq!((to("2026-11-20T09:00:20.001"), to("2027-01-01")), (rows[21].start, rows[40].start));
        assert_eq!(resolve_jump_or_last_row(&view, index, &JumpTarget::First, &mut never_stop).unwrap(), 0);
        assert_eq!(resolve_jump_or_last_row(&view, index, &JumpTarget::Last, &mut never_stop).unwrap(), rows[40].start);
    }
    for text in ["#0", "#", "101%", "x%", "tomorrow", "", "-5", "#-1", "+5"] {
        assert!(JumpTarget::parse(text, NOW).is_err(), "{text}");
    }
}

#[test]
fn an_anchor_whose_event_is_gone_is_ignored() {
    let mut bytes = long_log();
    let temp_log = TempLog::new(&bytes);
    let index = temp_log.index();
    let rows = page_without_index(&temp_log.view(), 0, Direction::Forward, 200, &Filter::default()).rows;
    let anchor = anchor_offsets(&index)[1];
    let mut replace = |range: std::ops::Range<u64>, payload: &str| {
        let mut frame = Vec::new();
        let len = (range.end - range.start) as usize - 8;
        frame::encode(format!("{payload:len$}").as_bytes(), &mut frame);
        bytes[range.start as usize..range.end as usize].copy_from_slice(&frame);
    };
    // Two events before the anchor become a gap, and the anchor's event becomes another one.
    replace(rows[2].start..rows[3].end, "{\"$gap\":{}}");
    let anchor_ordinal = rows.iter().position(|row| row.start == anchor).unwrap();
    replace(anchor..rows[anchor_ordinal].end, &event_json(7, "{}"));
    fs::write(&temp_log.path, &bytes).unwrap();
    let view = temp_log.view();
    let ordinal = JumpTarget::Ordinal(anchor_ordinal as u64 + 3);
    let scanned = resolve_jump_or_last_row(&view, None, &ordinal, &mut never_stop).unwrap();
    assert_eq!(resolve_jump_or_last_row(&view, Some(&index), &ordinal, &mut never_stop).unwrap(), scanned);
}

/// Builds a log of some megabytes in which a few times decrease and a long range is damaged.
fn long_log() -> Vec<u8> {
    let event = |i: u64| SampleLogPart::Event(format!(r#"{{"n":{i},"text":"{}"}}"#, "z".repeat(300)));
    let mut parts: Vec<SampleLogPart> = (0..9000).map(event).collect();
    parts[3000] = SampleLogPart::Noise((0..1_200_000u32).map(|i| (i.wrapping_mul(i) / 7) as u8).collect());
    build_log(1, &parts)
}

#[test]
fn times_and_ordinals_are_found_in_a_long_log_without_reading_it_all() {
    let bytes = long_log();
    let temp_log = TempLog::new(&bytes);
    let (view, index) = (temp_log.view(), temp_log.index());
    assert!(bytes.len() as u64 > 4 << 20);
    for second in [1u64, 500, 2999, 3005, 4000, 8999] {
        let start = resolve_jump_or_last_row(
            &view,
            Some(&index),
            &JumpTarget::Time(FIRST_TIME_MS + second * 1000),
            &mut never_stop,
        )
        .unwrap();
        let Some(LogRow { content: RowContent::Event(event), .. }) = read_row_at(&view, start).unwrap() else {
            panic!("{second}")
        };
        assert_eq!(event.time_ms, FIRST_TIME_MS + second * 1000);
        let mut progress_calls = 0;
        let scanned =
            resolve_jump_or_last_row(&view, None, &JumpTarget::Time(FIRST_TIME_MS + second * 1000), &mut |_| {
                progress_calls += 1;
                ControlFlow::Continue(())
            });
        assert_eq!(scanned.unwrap(), start, "{second}");
        assert!(progress_calls <= 2, "{progress_calls} MiB were read for {second}");
        let ordinal = JumpTarget::Ordinal(second - u64::from(second > 3002));
        assert_eq!(
            resolve_jump_or_last_row(&view, Some(&index), &ordinal, &mut never_stop).unwrap(),
            start,
            "{second}"
        );
        assert_eq!(resolve_jump_or_last_row(&view, None, &ordinal, &mut never_stop).unwrap(), start, "{second}");
    }
}

#[test]
fn a_scan_without_matches_can_be_cancelled() {
    let temp_log = TempLog::new(&long_log());
    let view = temp_log.view();
    let none = parse_filter("type:None -is:damaged");
    let pattern = SearchPattern::parse("not there").unwrap();
    for direction in [Direction::Forward, Direction::Backward] {
        let from = if direction == Direction::Forward { 0 } else { u64::MAX };
        let mut positions = Vec::new();
        let mut on = |at| {
            positions.push(at);
            if positions.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let stopped = read_page(&view, None, &PageRequest::new(&none, ReadStart::new(from, direction), 5), &mut on);
        assert!(matches!(stopped, Err(chronicle::StorageError::Cancelled)));
        assert_eq!(positions.len(), 2);
        let found =
            find_match(&view, None, &search_request(&pattern, &none, from, direction), &mut |_| ControlFlow::Break(()));
        assert!(matches!(found, Err(chronicle::StorageError::Cancelled)));
    }
    let rows = page_without_index(&view, 0, Direction::Forward, 50, &Filter::default()).rows;
    let mut on = |_| panic!("a page reads no more than the log around it");
    let page =
        read_page(&view, None, &PageRequest::new(&Filter::default(), ReadStart::backward(rows[40].start), 30), &mut on);
    assert_eq!(row_starts(&page.unwrap().rows), row_starts(&rows[10..40]));
}

#[test]
fn long_damage_does_not_hide_the_rows_before_it() {
    let temp_log = TempLog::new(&long_log());
    let view = temp_log.view();
    let all = Filter::default();
    let forward = page_without_index(&view, 0, Direction::Forward, 9100, &all).rows;
    let noise = forward.iter().position(|row| matches!(row.content, RowContent::Finding(_))).unwrap();
    let before = page_without_index(&view, forward[noise + 3].start, Direction::Backward, 9, &all).rows;
    assert_eq!(before, forward[noise - 6..noise + 3]);
    let damage = page_without_index(&view, u64::MAX, Direction::Backward, 9, &parse_filter("is:damaged")).rows;
    assert_eq!(damage.first(), forward.get(noise));
    assert_eq!(collect_backward(&view, None, 1000, &all), forward);
}

#[test]
fn a_page_of_long_damage_reads_no_more_than_its_rows() {
    let flipped = |i: usize| SampleLogPart::Flipped(format!("\"{}\"", "z".repeat(300)), 200 + i % 50);
    let temp_log = TempLog::new(&build_log(1, &(0..4000).map(flipped).collect::<Vec<_>>()));
    let view = temp_log.view();
    let all = Filter::default();
    let rows = expected_rows(&view);
    assert_eq!(rows.len(), 4003);
    let mut on = |_| panic!("more than a mebibyte was read");
    let request = PageRequest::new(&all, ReadStart::forward(rows[9].start), 9);
    assert_eq!(read_page(&view, None, &request, &mut on).unwrap().rows, rows[9..18]);
    let (index, one) = (temp_log.index(), parse_filter("agg:1"));
    let request = PageRequest::new(&one, request.start, request.limit);
    assert_eq!(read_page(&view, Some(&index), &request, &mut on).unwrap().rows, rows[9..18]);
    assert_eq!(collect_forward(&view, None, 999, &all), rows);
    assert_eq!(collect_backward(&view, None, 999, &all), rows);
    assert_eq!(collect_forward(&view, Some(&index), 999, &one), collect_forward(&view, None, 999, &one));
    assert_eq!(collect_backward(&view, Some(&index), 999, &one), collect_forward(&view, None, 999, &one));
}

#[test]
fn an_aggregate_of_many_events_is_read_once() {
    let event = SampleLogPart::Event(format!("\"{}\"", "z".repeat(300)));
    let temp_log = TempLog::new(&build_log(1, &vec![event; 9000]));
    let (view, index) = (temp_log.view(), temp_log.index());
    let one = parse_filter("agg:1");
    let scanned = collect_forward(&view, None, 9000, &one);
    assert!(scanned.len() > 1024 && scanned.iter().map(|row| row.end - row.start).sum::<u64>() < 1 << 20);
    assert_eq!(collect_forward(&view, Some(&index), 700, &one), scanned);
    assert_eq!(collect_backward(&view, Some(&index), 700, &one), scanned);
    let mut on = |_| panic!("more than the aggregate's own frames were read");
    let none = parse_filter("agg:1 type:None");
    let request = PageRequest::new(&none, ReadStart::backward(u64::MAX), 9);
    assert_eq!(read_page(&view, Some(&index), &request, &mut on).unwrap().rows, []);
}

#[test]
fn search_finds_the_next_and_the_previous_event_under_a_filter() {
    let parts: Vec<SampleLogPart> = ["alpha", "Beta", "beta", "gamma", "beta"]
        .iter()
        .map(|text| SampleLogPart::Event(format!("{{\"t\":\"{text}\"}}")))
        .chain([SampleLogPart::Invalid, SampleLogPart::Noise(b"beta".to_vec())])
        .collect();
    let temp_log = TempLog::new(&build_log(1, &parts));
    let view = temp_log.view();
    let rows = expected_rows(&view);
    let all = Filter::default();
    let next = |pattern: &str, from, filter: &Filter| {
        let pattern = SearchPattern::parse(pattern).unwrap();
        find_match(&view, None, &search_request(&pattern, filter, from, Direction::Forward), &mut never_stop).unwrap()
    };
    let previous = |pattern: &str, from| {
        let pattern = SearchPattern::parse(pattern).unwrap();
        find_match(&view, None, &search_request(&pattern, &all, from, Direction::Backward), &mut never_stop).unwrap()
    };
    let at = |i: usize| Some(rows[i].start);
    assert_eq!([next("beta", 0, &all), next("beta", rows[3].end, &all), next("Beta", 0, &all)], [at(3), at(4), at(3)]);
    assert_eq!([next("beta", rows[4].start + 9, &all), next("beta", rows[6].end, &all)], [at(4), None]);
    assert_eq!([next("/b.ta/", rows[4].end, &all), next("/G.mma/", 0, &all)], [at(6), None]);
    assert_eq!([next("beta", 0, &parse_filter("type:Created")), next("no\":", 0, &all)], [at(4), None]);
    assert_eq!(
        [previous("beta", u64::MAX), previous("beta", rows[6].start), previous("beta", rows[3].start)],
        [at(6), at(4), None]
    );
    assert!(SearchPattern::parse("/(/").is_err() && SearchPattern::parse("").is_err());
}

#[test]
fn is_terms_select_rows_that_are_not_events() {
    let parts =
        [SampleLogPart::Gap, SampleLogPart::Invalid, SampleLogPart::Zeros(50), SampleLogPart::Event("1".into())];
    let temp_log = TempLog::new(&build_log(1, &parts));
    let view = temp_log.view();
    let kinds = |text: &str| -> Vec<&str> {
        let rows = page_without_index(&view, 0, Direction::Forward, 100, &parse_filter(text)).rows;
        rows.iter()
            .map(|row| match &row.content {
                RowContent::Header => "header",
                RowContent::Event(_) => "event",
                RowContent::Finding(finding) => finding.kind.name(),
                RowContent::InFlight => "in_flight",
            })
            .collect()
    };
    assert_eq!(kinds("is:damaged"), ["invalid_event", "zeros"]);
    assert_eq!(kinds("is:gap"), ["gap"]);
    assert_eq!(kinds("is:invalid is:gap"), ["gap", "invalid_event"]);
    assert_eq!(kinds("type:None"), ["gap", "invalid_event", "zeros"]);
    assert_eq!(kinds("type:None offset:0..16"), ["gap", "invalid_event", "zeros"]);
    assert_eq!(kinds("is:damaged offset:0..16"), [""; 0]);
    assert_eq!(kinds("-is:damaged"), ["header", "event", "gap", "event", "event"]);
    assert_eq!(kinds("-is:gap -is:invalid type:None"), ["zeros"]);
}

#[test]
fn all_terms_must_match_and_terms_with_one_key_are_alternatives() {
    let parts =
        [1, 2, 3, 4].map(|n| SampleLogPart::Event(format!(r#"{{"n":{n},"text":"one {}"}}"#, "two ".repeat(n % 2))));
    let temp_log = TempLog::new(&build_log(1, &parts));
    let view = temp_log.view();
    let shown = |text: &str| page_without_index(&view, 0, Direction::Forward, 100, &parse_filter(text)).rows.len();
    assert_eq!([shown("one"), shown("two"), shown("one two"), shown("\"two one\"")], [4, 2, 2, 0]);
    assert_eq!([shown("one -two"), shown("-one -two")], [2, 2]);
    assert_eq!(
        [shown("payload.n=1 payload.n=3"), shown("payload.n>1 payload.n<4"), shown("payload.n>1 one")],
        [2, 2, 3]
    );
    assert_eq!([shown("payload.n!=1 payload.n!=3"), shown("payload.n!=1,3")], [2, 2], "both are excluded");
    assert_eq!([shown("payload.n=1 payload.n=3 -payload.n=3"), shown("-payload.n=1 -payload.n=3")], [1, 4]);
}

#[test]
fn an_unreadable_range_is_a_row_through_the_index_too() {
    for frames in [3, 200] {
        let parts = vec![SampleLogPart::Event("1".into()); frames];
        let disk = SimDisk::with_files(&[(LOG, &[build_log(1, &parts), build_log(1, &parts).split_off(16)].concat())]);
        disk.refuse_reads(20_480..24_576);
        let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap();
        let index = open_read_only(&disk).index().unwrap();
        for text in ["", "agg:1", "agg:2 -is:gap"] {
            let filter = parse_filter(text);
            let rows = page_without_index(&view, 0, Direction::Forward, 1000, &filter).rows;
            let refused =
                |row: &&LogRow| matches!(&row.content, RowContent::Finding(f) if f.kind == DamageKind::Unreadable);
            assert_eq!(rows.iter().filter(refused).count(), usize::from(frames == 200), "{text}");
            assert_eq!(collect_forward(&view, Some(&index), 3, &filter), rows, "{text}");
            assert_eq!(collect_backward(&view, Some(&index), 3, &filter), rows, "{text}");
        }
    }
}

#[test]
fn a_corrupt_index_does_not_change_the_rows() {
    let temp_log = TempLog::new(&clean_log());
    EventLog::open(&temp_log.path).unwrap().save_index().unwrap();
    let index_path = temp_log.path.with_file_name("a.log.idx");
    let good = fs::read(&index_path).unwrap();
    let one = parse_filter("agg:1");
    let scanned = page_without_index(&temp_log.view(), 0, Direction::Forward, 1000, &one).rows;
    let mut broken = 0;
    for at in (0..good.len()).step_by(64) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&index_path, bytes).unwrap();
        let view = temp_log.view();
        let index = view.load_index();
        let with_index: Result<Vec<u64>, _> = index.offsets(1).and_then(Iterator::collect);
        broken += usize::from(with_index.is_err());
        assert_eq!(collect_forward(&view, Some(&index), 4, &one), scanned, "{at}");
        assert_eq!(collect_backward(&view, Some(&index), 4, &one), scanned, "{at}");
    }
    assert!(broken > 0);
}

#[test]
fn terms_are_added_to_and_removed_from_a_filter() {
    let two = parse_filter(" agg:7  -type:\"a b\" ").with_words("agg:3").unwrap();
    assert_eq!(two.text(), "agg:7 -type:\"a b\" agg:3");
    assert_eq!(two.aggregate_ids(), Some(&[3, 7][..]));
    assert_eq!(two.with_words("agg:7").unwrap().text(), two.text());
    assert_eq!(two.without_last().aggregate_ids(), Some(&[7][..]));
    assert_eq!(parse_filter("agg:7 agg:null").aggregate_ids(), None);
    assert_eq!(parse_filter("-agg:7").aggregate_ids(), None);
    let none = two.without_last().without_last().without_last().without_last();
    assert!(none.is_empty() && none.text().is_empty());
    assert!(Filter::default().with_words("agg:1").is_ok());
    let error = Filter::default().with_words("before:-15m").unwrap_err();
    assert!(error.reason.contains("needs the current time"), "{error}");
}

#[test]
fn a_term_that_cannot_be_parsed_reports_the_expected_form() {
    for (text, at, reason) in [
        ("agg:1 aggregate:2", 6, "the nearest is `agg`"),
        ("tpye:x", 0, "the nearest is `type`"),
        ("agg:x", 4, "expected an aggregate id or null after `agg:`, found `x`"),
        ("agg:+1", 4, "an aggregate id or null"),
        ("v:-1", 2, "a whole number"),
        ("type:", 4, "`type:` needs a value: an event type"),
        ("after:yesterday", 6, "2026-11-20T09:14"),
        ("offset:9..1", 7, "the end is less than the start"),
        ("x is:damage", 5, "the nearest is `damaged`"),
        ("a \"b c", 2, "not closed"),
        ("\"\"", 0, "the quotes are empty"),
        ("payload.a", 0, "expected an operator after the path"),
        ("payload..a=1", 0, "a key is missing"),
        ("payloads.a=1", 0, "the nearest is `payload`"),
    ] {
        let error = Filter::parse(text, NOW).unwrap_err();
        assert!(error.position == at && error.reason.contains(reason), "{text}: {} at {}", error, error.position);
        assert!(error.to_string().starts_with(&format!("`{}`: ", error.word)), "{error}");
    }
}

#[test]
fn the_history_of_an_aggregate_lists_the_changes_of_each_event() {
    let folder = TempDir::new().unwrap();
    let mut log = EventLog::create(folder.path().join("a.log")).unwrap();
    let numbers = |first: u32| (first..first + 30).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let payloads = [
        "{\"a\":1.0}".to_owned(),
        "{\"a\":1.00}".to_owned(),
        format!("[{}]", numbers(0)),
        format!("[{}]", numbers(100)),
    ];
    let mut offsets = Vec::new();
    for payload in payloads.iter().chain(vec![&payloads[3]; 100]) {
        let event = Event::builder().event_type("E").namespace("n").schema_id("s").schema_version(1).aggregate_id(7);
        offsets.push(log.append(&event.payload_json(payload.as_str()).build().unwrap()).unwrap());
    }
    let view = log.view();
    let history = read_aggregate_history(view, None, 7, offsets[3], &mut never_stop).unwrap();
    let listed: Vec<u64> = history.entries.iter().map(|entry| entry.row.start).collect();
    assert_eq!(listed, offsets[..83]);
    assert_eq!((history.aggregate, history.more_before, history.more_after), (7, false, true));
    assert!(history.entries[0].is_first && history.entries[0].changes.is_empty());
    let change = &history.entries[1].changes[0];
    assert_eq!(
        (change.path.as_str(), change.before.as_deref(), change.after.as_deref()),
        ("a", Some("1.0"), Some("1.00")),
        "tokens are compared"
    );
    assert_eq!((history.entries[3].changes.len(), history.entries[3].omitted_changes), (12, 18));
    assert!(history.entries[4].changes.is_empty());

    let later = read_aggregate_history(view, None, 7, offsets[60], &mut never_stop).unwrap();
    assert_eq!(later.entries.first().map(|entry| entry.row.start), Some(offsets[20]), "40 events before");
    assert!(later.more_before && !later.more_after && !later.entries[0].is_first);
}
