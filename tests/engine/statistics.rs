//! Compares statistics with a simple count over a replay, for every property, any damage, any number of threads, any size of
//! parts, with and without an index, and in little memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::LogView;
use chronicle::query::{Filter, GroupBy, GroupKey, Statistics, StatisticsGroup, StatisticsOptions, collect_statistics};
use chronicle::{Event, StorageError};
use proptest::prelude::*;

use super::sim_disk::SimDisk;
use super::support::{LOG, open_options, open_read_only};

/// Milliseconds between two events: an hour has about three.
const STEP_MS: u64 = 1_234_567;

/// Creates a log of `events` events with an index that covers the first `indexed` of them.
pub(super) fn disk_with_varied_log(events: u64, indexed: u64) -> SimDisk {
    let disk = SimDisk::default();
    let ticks = std::sync::atomic::AtomicU64::new(0);
    let clock = move || 1_795_165_200_000 + STEP_MS * ticks.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut log = open_options(&disk).clock(clock).create(LOG).unwrap();
    for n in 0..events {
        if n == indexed {
            log.save_index().unwrap();
        }
        let event = Event::builder()
            .event_type(["Created", "Upd\"ated", "Deleted"][(n * n % 7 % 3) as usize])
            .namespace(if n % 5 == 0 { "orders" } else { "accounts" })
            .schema_id("Person")
            .schema_version((n % 4) as u32);
        let event = if n % 6 == 0 { event } else { event.aggregate_id(n * 31 % 11) };
        let payload = match n % 4 {
            0 => format!(r#"{{"x":{n},"text":"{}"}}"#, "y".repeat((n % 90) as usize)),
            1 => r#"{"x":"1"}"#.into(),
            2 => r#"{"x":[1,{"z":null}]}"#.into(),
            _ => "7".into(),
        };
        log.append(&event.payload_json(payload).build().unwrap()).unwrap();
    }
    drop(log);
    disk
}

fn properties() -> impl Iterator<Item = GroupBy> {
    ["type", "ns", "schema", "v", "agg", "hour", "day", "payload.x", "payload.x.1.z"]
        .into_iter()
        .map(|name| GroupBy::parse(name).unwrap())
}

/// The number of events, their bytes, and the first and the last time.
type Tally = (u64, u64, u64, u64);

/// Counts the events of a replay: by key, and in total.
fn expected_tallies(disk: &SimDisk, by: &GroupBy, filter: &Filter) -> (BTreeMap<String, Tally>, Tally) {
    let mut groups = BTreeMap::new();
    let mut total = (0, 0, u64::MAX, 0);
    for event in open_read_only(disk).replay(0).unwrap().filter_map(Result::ok) {
        if !filter.matches_event(event.offset(), &event.view()) {
            continue;
        }
        let payload: serde_json::Value = serde_json::from_str(event.payload()).unwrap();
        let time = event.write_timestamp_ms();
        let text = |value: Option<&serde_json::Value>| {
            value.map_or("Missing".to_owned(), |value| match value {
                serde_json::Value::String(text) => format!("Text({text:?})"),
                other => format!("Json({:?})", other.to_string()),
            })
        };
        let key = match by.to_string().as_str() {
            "type" => format!("Text({:?})", event.event_type()),
            "ns" => format!("Text({:?})", event.namespace()),
            "schema" => format!("Text({:?})", event.schema_id()),
            "v" => format!("Number({})", event.schema_version()),
            "agg" => event.aggregate_id().map_or("Missing".into(), |id| format!("Number({id})")),
            "hour" => format!("Time({})", time / 3_600_000 * 3_600_000),
            "day" => format!("Time({})", time / 86_400_000 * 86_400_000),
            "payload.x" => text(payload.get("x")),
            _ => text(payload.pointer("/x/1/z")),
        };
        let bytes = event.json().len() as u64 + 8;
        for (events, size, first, last) in [groups.entry(key).or_insert((0, 0, u64::MAX, 0)), &mut total] {
            (*events, *size) = (*events + 1, *size + bytes);
            (*first, *last) = ((*first).min(time), (*last).max(time));
        }
    }
    (groups, total)
}

fn collect(disk: &SimDisk, filter: &Filter, options: &StatisticsOptions, threads: usize, index: bool) -> Statistics {
    let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap().with_threads(threads);
    let index = (index && view.trusted_index().is_some()).then(|| view.load_index());
    collect_statistics(&view, index.as_ref(), filter, options, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn tally_of(group: &StatisticsGroup) -> Tally {
    let (first, last) = group.tally.times.unwrap();
    (group.tally.events, group.tally.bytes, first, last)
}

fn found_tallies(statistics: &Statistics) -> BTreeMap<String, Tally> {
    statistics.groups.iter().map(|group| (format!("{:?}", group.key), tally_of(group))).collect()
}

#[test]
fn statistics_equal_a_count_over_a_replay() {
    let mut disk = disk_with_varied_log(400, 300);
    for damaged in [false, true] {
        if damaged {
            let mut bytes = disk.get(LOG).unwrap();
            for at in [1000, 1003, 20_000, 40_001] {
                bytes[at] ^= 0x10;
            }
            let end = bytes.len() - 5;
            disk = SimDisk::with_files(&[
                (LOG, &bytes[..end]),
                ("/data/a.log.idx", &disk.get("/data/a.log.idx").unwrap()),
            ]);
        }
        for by in properties() {
            for text in ["", "type:Created", "agg:3 agg:7", "after:2026-11-20T12:00 ns:orders", "payload.x=1 v:1"] {
                let filter = Filter::parse(text, 0).unwrap();
                let (groups, total) = expected_tallies(&disk, &by, &filter);
                for (threads, part, index) in [(1, 1 << 20, false), (1, 700, true), (3, 700, false), (2, 5000, true)] {
                    let options = StatisticsOptions::new(by.clone()).part_bytes(part);
                    let found = collect(&disk, &filter, &options, threads, index);
                    let context = format!("by {by}, filter {text}, {threads} threads, parts of {part}");
                    assert_eq!(found_tallies(&found), groups, "{context}");
                    assert_eq!((found.total.events, found.total.bytes), (total.0, total.1), "{context}");
                    assert_eq!(found.histogram.counts().sum::<u64>(), total.0, "{context}");
                    // Damage in ranges that the index excludes is not noticed.
                    assert!((found.damage > 0) == damaged || index && found.damage == 0, "{context}");
                    for group in found.groups.iter().filter(|_| !by.is_time()) {
                        let histogram = group.histogram.as_ref().unwrap();
                        assert_eq!(histogram.counts().sum::<u64>(), group.tally.events, "{context}");
                        assert_eq!(histogram.width_ms(), found.histogram.width_ms(), "{context}");
                    }
                }
            }
        }
    }
}

#[test]
fn groups_that_do_not_fit_in_memory_are_collected_in_further_passes() {
    let disk = disk_with_varied_log(400, 0);
    let by = GroupBy::parse("payload.x").unwrap();
    let (groups, total) = expected_tallies(&disk, &by, &Filter::default());
    let options = StatisticsOptions::new(by.clone()).max_memory(3000).part_bytes(2000);
    for threads in [1, 3] {
        let found = collect(&disk, &Filter::default(), &options, threads, false);
        assert!(found.passes > 3, "{}", found.passes);
        assert_eq!(found_tallies(&found), groups);
        let few = collect(&disk, &Filter::default(), &options.clone().max_groups(2), threads, false);
        assert_eq!(
            few.groups.iter().map(tally_of).collect::<Vec<_>>(),
            found.groups[..2].iter().map(tally_of).collect::<Vec<_>>()
        );
        assert_eq!(few.other_groups, groups.len() as u64 - 2);
        assert_eq!(few.others.events + few.groups.iter().map(|group| group.tally.events).sum::<u64>(), total.0);
    }
}

#[test]
fn the_latest_intervals_of_time_are_listed_in_order() {
    let disk = disk_with_varied_log(60, 0);
    let all = collect(&disk, &Filter::default(), &StatisticsOptions::new(GroupBy::Hour), 1, false);
    let last = collect(&disk, &Filter::default(), &StatisticsOptions::new(GroupBy::Hour).max_groups(3), 1, false);
    assert!(all.groups.is_sorted_by(|a, b| a.key < b.key));
    assert_eq!(last.groups, all.groups[all.groups.len() - 3..]);
}

#[test]
fn the_index_supplies_the_counts_that_it_knows() {
    let disk = disk_with_varied_log(400, 300);
    for by in properties() {
        let (groups, total) = expected_tallies(&disk, &by, &Filter::default());
        let found = collect(&disk, &Filter::default(), &StatisticsOptions::new(by.clone()).counts_only(), 2, true);
        let counts = |events: &Tally| events.0;
        let expected: BTreeMap<_, _> = groups.iter().map(|(key, tally)| (key.clone(), counts(tally))).collect();
        let counted: BTreeMap<_, _> =
            found.groups.iter().map(|group| (format!("{:?}", group.key), group.tally.events)).collect();
        assert_eq!((counted, found.total.events), (expected, total.0), "{by}");
        let known = ["type", "ns", "schema", "agg"].contains(&by.to_string().as_str());
        assert_eq!(found.counted_to > 16, known, "{by}");
    }
    let filter = Filter::parse("type:Created", 0).unwrap();
    let filtered = collect(&disk, &filter, &StatisticsOptions::new(GroupBy::Type).counts_only(), 1, true);
    assert_eq!((filtered.counted_to, filtered.groups[0].key.clone()), (0, GroupKey::Text("Created".into())));
}

#[test]
fn statistics_stop_when_progress_breaks() {
    let disk = disk_with_varied_log(10, 0);
    let bytes = disk.get(LOG).unwrap();
    let frames = bytes[16..].repeat((2 << 20) / bytes.len());
    let disk = SimDisk::with_files(&[(LOG, &[&bytes[..16], &frames[..]].concat())]);
    for threads in [1, 2] {
        let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap().with_threads(threads);
        let options = StatisticsOptions::new(GroupBy::Type).part_bytes(100_000);
        let stopped = collect_statistics(&view, None, &Filter::default(), &options, &mut |_| ControlFlow::Break(()));
        assert!(matches!(stopped, Err(StorageError::Cancelled)), "{stopped:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn parts_and_threads_do_not_change_statistics(
        edits in prop::collection::vec((16usize..30_000, any::<u8>(), 1usize..400), 0..6),
        part in 1u64..4000,
        threads in 2usize..5,
    ) {
        let disk = disk_with_varied_log(120, 0);
        let mut bytes = disk.get(LOG).unwrap();
        for (at, value, len) in edits {
            let end = (at + len).min(bytes.len());
            bytes.get_mut(at..end).into_iter().for_each(|range| range.fill(value));
        }
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let options = StatisticsOptions::new(GroupBy::Type);
        let whole = collect(&disk, &Filter::default(), &options, 1, false);
        let (groups, _) = expected_tallies(&disk, &GroupBy::Type, &Filter::default());
        prop_assert_eq!(&found_tallies(&whole), &groups);
        let parts = collect(&disk, &Filter::default(), &options.part_bytes(part), threads, false);
        prop_assert_eq!(parts, whole);
    }
}

#[test]
fn gaps_are_counted_and_are_not_damage() {
    let disk = disk_with_varied_log(5, 0);
    let mut bytes = disk.get(LOG).unwrap();
    chronicle::internal::format::frame::encode(br#"{"$gap":{}}"#, &mut bytes);
    let found = collect(
        &SimDisk::with_files(&[(LOG, &bytes)]),
        &Filter::default(),
        &StatisticsOptions::new(GroupBy::Type),
        1,
        false,
    );
    assert_eq!((found.gaps, found.damage, found.total.events), (1, 0, 5));
}
