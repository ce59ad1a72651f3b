//! Tests that blocks excluded by the index are skipped, and that the rows are the same as without the index.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::LogView;
use chronicle::internal::format::frame;
use chronicle::internal::index::anchor_offsets;
use chronicle::query::{
    BlockPruner, Direction, Filter, Hits, PageRequest, ReadStart, RowContent, RowPage, SearchPattern, TimeContext,
    find_match, read_page,
};
use chronicle::{AggregateIndex, LogHeader};
use proptest::prelude::*;

use super::query::{
    FIRST_TIME_MS, TempLog, collect_backward, collect_forward, never_stop, page_without_index, parse_filter,
    search_request,
};
use super::sim_disk::SimDisk;
use super::support::{LOG, append_frame, open_read_only};

/// A run of events of one type, and the damage to the first event.
#[derive(Debug, Clone)]
struct EventRun {
    type_number: u64,
    events: u64,
    size: usize,
    damage: RunDamage,
}

#[derive(Debug, Clone)]
enum RunDamage {
    None,
    Flipped(usize),
    Length,
    Gap,
    Invalid,
    Zeros(usize),
}

/// Damage that appears after the index was built.
#[derive(Debug, Clone)]
enum LateDamage {
    /// A bit of an anchor's frame flips.
    Anchor(usize),
    /// A bit of an anchor's frame and one of the frame before it flip.
    AnchorBorder(usize),
    /// Zeros from before an anchor to after another one.
    Zeros(usize, usize),
    /// An anchor's event becomes another, of another type.
    OtherEvent(usize),
}

fn event_runs() -> impl Strategy<Value = Vec<EventRun>> {
    let damage = prop_oneof![
        12 => Just(RunDamage::None),
        1 => (0..2000usize).prop_map(RunDamage::Flipped),
        1 => Just(RunDamage::Length),
        1 => Just(RunDamage::Gap),
        1 => Just(RunDamage::Invalid),
        1 => (1..40_000usize).prop_map(RunDamage::Zeros),
    ];
    let run = (0..8u64, 4..40u64, 300..2500usize, damage).prop_map(|(type_number, events, size, damage)| EventRun {
        type_number,
        events,
        size,
        damage,
    });
    prop::collection::vec(run, 12..24)
}

fn late_damage() -> impl Strategy<Value = Option<LateDamage>> {
    prop_oneof![
        3 => Just(None),
        1 => any::<usize>().prop_map(|at| Some(LateDamage::Anchor(at))),
        1 => any::<usize>().prop_map(|at| Some(LateDamage::AnchorBorder(at))),
        1 => (any::<usize>(), 0..3usize).prop_map(|(at, more)| Some(LateDamage::Zeros(at, more))),
        1 => any::<usize>().prop_map(|at| Some(LateDamage::OtherEvent(at))),
    ]
}

fn event_json(type_number: u64, time: u64, n: u64, size: usize) -> String {
    let (ns, schema) = (type_number % 2, type_number % 3);
    format!(
        r#"{{"write_timestamp_ms":{time},"event_type":"T{type_number}","namespace":"n{ns}","schema_id":"S{schema}","schema_version":1,"aggregate_id":{},"payload":{{"n":{n},"text":"{}"}}}}"#,
        n % 5,
        "x".repeat(size)
    )
}

/// Builds a log of these runs. Time advances by a second with each event, and decreases by an hour with each run of
/// type 7.
///
/// The first frame is valid, so the file is recognised as a log. The last frame is valid, so the end is not read twice.
fn build_log(version: u16, runs: &[EventRun]) -> Vec<u8> {
    let mut log = if version == 1 { LogHeader::new(FIRST_TIME_MS).encode().to_vec() } else { Vec::new() };
    let put = |log: &mut Vec<u8>, payload: &str| append_frame(log, version, payload);
    let (mut time, mut n) = (FIRST_TIME_MS, 0);
    put(&mut log, &event_json(0, time, 0, 10));
    for EventRun { type_number, events, size, damage } in runs {
        time = if *type_number == 7 { time - 3_600_000 } else { time };
        for i in 0..*events {
            (time, n) = (time + 1000, n + 1);
            let event = event_json(*type_number, time, n, *size);
            match damage {
                RunDamage::Flipped(at) if i == 0 => {
                    let start = put(&mut log, &event);
                    let len = log.len() - start - 4;
                    log[start + 4 + at % len] ^= 1;
                }
                RunDamage::Length if i == 0 => {
                    let start = put(&mut log, &event);
                    log[start + 3] ^= 9;
                }
                RunDamage::Gap if i == 0 => _ = put(&mut log, "{\"$gap\":{\"by\":\"test\"}}"),
                RunDamage::Invalid if i == 0 => _ = put(&mut log, "{\"no\":\"event\"}"),
                RunDamage::Zeros(n) if i == 0 => log.extend(vec![0; *n]),
                _ => _ = put(&mut log, &event),
            }
        }
    }
    put(&mut log, &event_json(0, time, 0, 10));
    log
}

fn apply_late_damage(log: &mut [u8], anchors: &[u64], late: &LateDamage) {
    let position = |at: usize| anchors[at % anchors.len()] as usize;
    match late {
        LateDamage::Anchor(at) => log[position(*at) + 40] ^= 1,
        LateDamage::AnchorBorder(at) => {
            let at = position(*at).max(40);
            log[at + 40] ^= 1;
            log[at - 6] ^= 1;
        }
        LateDamage::Zeros(at, more) => {
            let (from, to) = (position(*at).saturating_sub(100).max(17), position(at % anchors.len() + more) + 30);
            log[from..to.max(from)].fill(0);
        }
        LateDamage::OtherEvent(at) => {
            let at = position(*at);
            let len = u32::from_be_bytes(log[at..at + 4].try_into().unwrap()) as usize;
            let event = String::from_utf8(log[at + 4..at + 4 + len].to_vec()).unwrap();
            let old = event.find("\"T").unwrap() + 2;
            let mut other = Vec::new();
            frame::encode(format!("{}3{}", &event[..old], &event[old + 1..]).as_bytes(), &mut other);
            log[at..at + 4 + len].copy_from_slice(&other[..4 + len]);
            if anchors[0] == 16 {
                log[at + 4 + len..at + 8 + len].copy_from_slice(&other[4 + len..]);
            }
        }
    }
}

/// Words of filters that the block summaries can or cannot use, with each operator. No word names single aggregates: their
/// events are read through the index alone.
const WORDS: [&str; 33] = [
    "type=T3,T5",
    "type:T*",
    "type:*5,None",
    "-type:T5",
    "!type:T5",
    "type!=T5",
    "type~[35]$",
    "type~/^t3/i",
    "type!~[35]$",
    "ns:n1",
    "ns!=n1",
    "ns:x*",
    "schema:S2,S1",
    "schema~2",
    "v>=1",
    "v>1",
    "agg:1,2..3",
    "agg:1..2",
    "agg>3",
    "agg!=0",
    "time>=2026-11-20T09:03",
    "time>2026-11-20T09:03",
    "time<2026-11-20T09:02",
    "time<=2026-11-20T09:02",
    "time:2026-11-20T09:03..2026-11-20T09:04",
    "time!=2026-11-20T09:03",
    "after:end-1m",
    "before:end-2m",
    "offset>90000",
    "offset<=60000",
    "offset!=1..80000",
    "size>200",
    "payload.n:100..200",
];

/// A filter of one to three of [`WORDS`], or one of [`FILTERS`].
fn filter_texts() -> impl Strategy<Value = String> {
    let words = prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..4).prop_map(|words| words.join(" "));
    prop_oneof![3 => words, 2 => prop::sample::select(FILTERS.to_vec()).prop_map(str::to_owned)]
}

const FILTERS: [&str; 12] = [
    "type:T3",
    "type:None",
    "type:None -is:damaged -is:gap",
    "type:T3 type:T5",
    "ns:n1 schema:S1",
    "ns:n0 payload.n>100",
    "schema:S2 -type:T5",
    "after:2026-11-20T09:03 before:2026-11-20T09:04",
    "before:2026-11-20T09:00",
    "offset:50000..100000 -is:damaged",
    "type:T1 -agg:1",
    "type:T2 is:damaged is:gap",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rows_are_the_same_whichever_blocks_are_skipped(
        version in 0u16..2,
        runs in event_runs(),
        covered in prop::option::weighted(0.5, 200..1000usize),
        late in late_damage(),
        text in filter_texts(),
        limit in 1usize..40,
        positions in prop::collection::vec((0..1100usize, 1usize..6), 6),
    ) {
        let mut bytes = build_log(version, &runs);
        let temp_log = TempLog::new(&bytes);
        if let Some(mille) = covered {
            // The index covers the log up to a byte that is usually inside a frame.
            fs::write(&temp_log.path, &bytes[..bytes.len() * mille / 1000]).unwrap();
        }
        let index = temp_log.index();
        let times = TimeContext::at(FIRST_TIME_MS + 600_000).with_last_event(Some(FIRST_TIME_MS + 300_000));
        let filter = Filter::parse_with(&text, times).unwrap();
        prop_assert!(anchor_offsets(&index).len() > 1);
        if let Some(late) = &late {
            // Damage is noticed at the anchors that are compared with the log.
            let mut anchors: Vec<u64> =
                BlockPruner::new(temp_log.view().log(), Some(&index), &filter).anchors().collect();
            if anchors.is_empty() {
                anchors = anchor_offsets(&index);
            }
            apply_late_damage(&mut bytes, &anchors, late);
        }
        fs::write(&temp_log.path, &bytes).unwrap();
        let view = temp_log.view();
        let scanned = page_without_index(&view, 0, Direction::Forward, 10_000, &filter);
        prop_assert!(scanned.at_end);
        prop_assert_eq!(&collect_forward(&view, Some(&index), limit, &filter), &scanned.rows);
        prop_assert_eq!(&collect_backward(&view, Some(&index), limit, &filter), &scanned.rows);
        let pattern = SearchPattern::parse("/\"n\":[0-9]*7,/").unwrap();
        for (position, limit) in positions {
            let from = (bytes.len() * position / 1000) as u64;
            for direction in [Direction::Forward, Direction::Backward] {
                let request = PageRequest::new(&filter, ReadStart::new(from, direction), limit);
                let with_index = read_page(&view, Some(&index), &request, &mut never_stop).unwrap();
                let without_index = read_page(&view, None, &request, &mut never_stop).unwrap();
                prop_assert_eq!(&with_index.rows, &without_index.rows, "{} {:?}", from, direction);
                prop_assert_eq!(with_index.at_end, without_index.at_end, "{} {:?}", from, direction);
                let first = with_index.rows.first().map_or(from, |row| row.start);
                prop_assert!(!with_index.at_start || scanned.rows.iter().all(|row| row.start >= first || row.end > from));
                let [with_index, without_index] = [Some(&index), None]
                    .map(|index| find_match(&view, index, &search_request(&pattern, &filter, from, direction), &mut never_stop).unwrap());
                prop_assert_eq!(with_index, without_index, "{} {:?}", from, direction);
            }
        }
    }
}

/// Builds a log of some megabytes with 200 events of type 5 in the middle, and one event of type 3 near each end.
fn log_with_rare_types() -> Vec<u8> {
    let run = |type_number, events| EventRun { type_number, events, size: 2000, damage: RunDamage::None };
    let all = [run(0, 40), run(3, 1), run(0, 900), run(5, 200), run(0, 900), run(3, 1)];
    build_log(1, &[all.as_slice(), &[run(0, 40)]].concat())
}

/// The source from which a page is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PageSource {
    Index,
    Log,
}

/// A log on a simulated disk, which counts the bytes read.
struct CountedLog {
    disk: SimDisk,
    view: LogView,
    index: AggregateIndex,
}

impl CountedLog {
    fn new(bytes: &[u8]) -> Self {
        let disk = SimDisk::with_files(&[(LOG, bytes)]);
        let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap();
        let index = Arc::unwrap_or_clone(open_read_only(&disk).index().unwrap());
        Self { disk, view, index }
    }

    fn count_bytes_read<T>(&self, read: impl FnOnce() -> T) -> (T, u64) {
        let before = self.disk.bytes_read();
        let result = read();
        (result, self.disk.bytes_read() - before)
    }

    fn page(&self, source: PageSource, from: u64, direction: Direction, filter: &Filter) -> (RowPage, u64) {
        let request = PageRequest::new(filter, ReadStart::new(from, direction), 1000);
        let index = Some(&self.index).filter(|_| source == PageSource::Index);
        self.count_bytes_read(|| read_page(&self.view, index, &request, &mut never_stop).unwrap())
    }
}

#[test]
fn blocks_that_cannot_match_are_not_read() {
    let bytes = log_with_rare_types();
    let log = CountedLog::new(&bytes);
    let (blocks, len) = (anchor_offsets(&log.index).len() as u64, bytes.len() as u64);
    assert!(len > 4 << 20 && blocks > 200, "{len} bytes in {blocks} blocks");
    let time = |n: u64| format!("2026-11-20T09:{:02}:{:02}", n / 60, n % 60);
    let texts = [
        "type:T3",
        "type:T5,T3",
        "type~[35]$",
        "type:*5",
        "schema:S2",
        &format!("after:{} before:{}", time(1000), time(1010)),
        &format!("time:{}..{}", time(1000), time(1010)),
        "ns:none",
        "offset<50000",
    ];
    for text in texts {
        let filter = parse_filter(text);
        for (from, direction) in [(0, Direction::Forward), (u64::MAX, Direction::Backward)] {
            let (scanned, all) = log.page(PageSource::Log, from, direction, &filter);
            let (with_index, some) = log.page(PageSource::Index, from, direction, &filter);
            assert_eq!(with_index.rows, scanned.rows, "{text} {direction:?}");
            let shown: u64 = with_index.rows.iter().map(|row| row.end - row.start).sum();
            // At most 64 anchors although there are more blocks, the blocks of the shown rows, and the log around the start.
            let most = 64 * 4096 + shown + (256 << 10);
            assert!(all + 16 >= len && some < most && some < len / 2, "{text} {direction:?}: {some} of {all} bytes");
        }
        let pattern = SearchPattern::parse("not there").unwrap();
        for (from, direction) in [(0, Direction::Forward), (u64::MAX, Direction::Backward)] {
            let index = Some(&log.index);
            let find = || {
                find_match(&log.view, index, &search_request(&pattern, &filter, from, direction), &mut never_stop)
                    .unwrap()
            };
            let (found, some) = log.count_bytes_read(find);
            assert!(found.is_none() && some < len / 2, "{text} {direction:?}: {some} of {len} bytes");
        }
    }
    let filter = parse_filter("type:T5");
    let reads: Vec<Range<u64>> =
        BlockPruner::new(log.view.log(), Some(&log.index), &filter).ranges_to_read(16).collect();
    let [around, last] = reads.as_slice() else { panic!("{reads:?}") };
    assert!(around.end - around.start < 500_000 && last.start > len - (16 << 10), "{reads:?}");
}

#[test]
fn hits_are_collected_without_blocks_that_cannot_match() {
    let bytes = log_with_rare_types();
    let log = CountedLog::new(&bytes);
    let len = bytes.len() as u64;
    for text in ["type:T3", "type:T5", "ns:none"] {
        let filter = parse_filter(text);
        let rows = log.page(PageSource::Log, 0, Direction::Forward, &filter).0.rows;
        for from in [0, len / 2, len] {
            let collect = |index: Option<&AggregateIndex>| {
                let mut hits = Hits::new(filter.clone(), None, from);
                log.count_bytes_read(|| {
                    while !hits.is_complete(len) {
                        hits.scan_more(&log.view, index, 1 << 20, &mut never_stop).unwrap();
                    }
                    hits
                })
            };
            let ((hits, all), (with_index, some)) = (collect(None), collect(Some(&log.index)));
            for hits in [hits, with_index] {
                assert_eq!(hits.len(), rows.len() as u64, "{text} from {from}");
                assert!(rows.iter().enumerate().all(|(n, row)| hits.ordinal(row.start) == Some(n as u64 + 1)));
            }
            assert!(some < all * 2 / 3, "{text} from {from}: {some} of {all} bytes");
        }
    }
}

#[test]
fn a_filter_for_damage_reads_everything() {
    let bytes = log_with_rare_types();
    let log = CountedLog::new(&bytes);
    // The damage is in the middle of a block, away from the anchors.
    let anchors: Vec<u64> = anchor_offsets(&log.index);
    let mut damaged = bytes.clone();
    damaged[anchors[40] as usize + 5000] ^= 1;
    log.disk.overwrite(LOG, &damaged);
    for (text, rows) in [("is:damaged", 1), ("type:T3 is:damaged", 1), ("-type:T0 -is:gap", 203), ("type:T3", 2)] {
        for (from, direction) in [(0, Direction::Forward), (u64::MAX, Direction::Backward)] {
            let found = log.page(PageSource::Index, from, direction, &parse_filter(text)).0.rows;
            assert_eq!(found.len(), rows, "{text} {direction:?}");
            let events = found.iter().filter(|row| matches!(row.content, RowContent::Event(_))).count();
            assert_eq!(
                events,
                if text.contains(" is:") || text.starts_with("is:") { 0 } else { rows - usize::from(rows > 2) }
            );
        }
    }
}
