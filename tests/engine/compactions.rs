//! Tests of compaction: the kept events compared with a model, the map of offsets, damage, gaps, and a stale index.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chronicle::inspect::LogView;
use chronicle::repair::{
    ApplyOptions, CompactRule, CopyOptions, CopySummary, EraseOptions, apply, compact, count_compaction, plan_erase,
};
use chronicle::{AggregateIndex, Event, EventView, LogId, NewLogFormat, StorageError};
use proptest::prelude::*;

use super::copies::{MAP, NEW, assert_copy_is_atomic};
use super::repairs::log_paths;
use super::sim_disk::SimDisk;
use super::support::{INDEX, LOG, disk_with_indexed_log, open_options, open_read_only, open_view, survey_log};

const ID: LogId = LogId::from_bytes(*b"0123456789abcdef");

/// One event of a log: its offset, its aggregate, and its stored JSON.
type StoredJson = (u64, Option<u64>, String);

fn event(aggregate: Option<u64>, n: usize) -> Event {
    let event =
        Event::builder().event_type(["Created", "Updated"][n % 2]).namespace("n").schema_id("s").schema_version(1);
    let event = aggregate.into_iter().fold(event, chronicle::EventBuilder::aggregate_id);
    event.payload_json(n.to_string()).build().unwrap()
}

fn stored_events(disk: &SimDisk, path: &str) -> Vec<StoredJson> {
    let log = open_options(disk).open_read_only(path).unwrap();
    let events = log.replay(0).unwrap().filter_map(Result::ok);
    events.map(|event| (event.offset(), event.aggregate_id(), event.json().to_owned())).collect()
}

fn options() -> CopyOptions {
    CopyOptions::new(NEW).map(MAP)
}

fn run(view: &LogView, options: &CopyOptions, rule: &CompactRule) -> Result<CopySummary, StorageError> {
    let summary = compact(view, options, rule, &mut |_| ControlFlow::Continue(()))?;
    let counted = count_compaction(view, rule, &mut |_| ControlFlow::Continue(())).unwrap();
    let numbers = |summary: &CopySummary| {
        (
            summary.events_kept,
            summary.events_dropped,
            summary.omitted_total,
            summary.damage_total,
            summary.notes.clone(),
        )
    };
    assert_eq!(numbers(&counted), numbers(&summary), "the count of a dry run");
    Ok(summary)
}

fn is_created(_: u64, event: &EventView) -> bool {
    event.event_type() == "Created"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn a_compaction_keeps_what_a_model_keeps(
        aggregates in prop::collection::vec(prop::option::weighted(0.9, 0u64..6), 0..40),
        erased in prop::collection::vec(0usize..40, 0..5),
        latest in any::<bool>(),
        filtered in any::<bool>(),
        from_2 in any::<bool>(),
        to_2 in any::<bool>(),
    ) {
        let formats = [NewLogFormat::V1, NewLogFormat::V2(ID)];
        let disk = SimDisk::default();
        let mut log = open_options(&disk).format(formats[usize::from(from_2)]).create(LOG).unwrap();
        let offsets: Vec<u64> =
            aggregates.iter().enumerate().map(|(n, aggregate)| log.append_sync(&event(*aggregate, n)).unwrap()).collect();
        log.close().unwrap();
        let mut gaps: Vec<u64> = erased.iter().filter_map(|n| offsets.get(*n).copied()).collect();
        gaps.sort_unstable();
        gaps.dedup();
        let plan = plan_erase(&open_view(&disk).unwrap(), &EraseOptions::new(gaps.clone()), &mut |_| ControlFlow::Continue(())).unwrap();
        if !plan.is_empty() {
            apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
        }
        let before = disk.get(LOG).unwrap();
        let log = open_read_only(&disk);
        let index = log.index().unwrap();
        let rule = if latest { CompactRule::new().latest(&index) } else { CompactRule::new() };
        let rule = if filtered { rule.condition(&is_created) } else { rule };
        let summary = run(log.view(), &options().format(formats[usize::from(to_2)]), &rule).unwrap();

        let old = stored_events(&disk, LOG);
        let last: BTreeMap<u64, u64> = old.iter().filter_map(|(offset, id, _)| Some(((*id)?, *offset))).collect();
        let kept: Vec<&StoredJson> = old
            .iter()
            .filter(|(offset, id, _)| !latest || id.is_none_or(|id| last[&id] == *offset))
            .filter(|(_, _, json)| !filtered || json.contains("\"Created\""))
            .collect();
        let new = stored_events(&disk, NEW);
        let texts: Vec<&String> = kept.iter().map(|(_, _, json)| json).collect();
        prop_assert_eq!(new.iter().map(|(_, _, json)| json).collect::<Vec<_>>(), texts, "with their times");
        let (kept_count, dropped) = (kept.len() as u64, (old.len() - kept.len()) as u64);
        prop_assert_eq!((summary.events_kept, summary.events_dropped, summary.omitted_total), (kept_count, dropped, gaps.len() as u64));
        let mut lines: Vec<(u64, String)> =
            kept.iter().zip(&new).map(|((old, ..), (new, ..))| (*old, format!("{old},{new},kept"))).collect();
        lines.extend(gaps.iter().map(|gap| (*gap, format!("{gap},,gap"))));
        lines.sort();
        let map = String::from_utf8(disk.get(MAP).unwrap()).unwrap();
        prop_assert_eq!(map.lines().skip(1).map(str::to_owned).collect::<Vec<_>>(), lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>());
        prop_assert!(disk.get(LOG).unwrap() == before, "the log is only read");
    }
}

#[test]
fn damage_is_left_out_and_counted_and_not_restored() {
    let (disk, offsets) = disk_with_indexed_log(9);
    let mut bytes = disk.get(LOG).unwrap();
    bytes[offsets[2] as usize + 60] ^= 4;
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let log = open_read_only(&disk);
    let index = log.index().unwrap();
    let summary = run(log.view(), &options(), &CompactRule::new().latest(&index)).unwrap();
    assert_eq!((summary.events_kept, summary.events_restored, summary.events_dropped), (3, 0, 5));
    assert_eq!((summary.omitted_total, summary.damage_total), (1, 1));
    let error =
        compact(log.view(), &options().accept_likely(), &CompactRule::new(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(error, Err(StorageError::Refused { .. })), "{error:?}");
}

#[test]
fn an_index_that_is_not_that_of_the_log_is_refused_and_no_log_is_written() {
    let (disk, offsets) = disk_with_indexed_log(9);
    let index: AggregateIndex = open_read_only(&disk).index().unwrap().as_ref().clone();
    // The latest event of an aggregate was damaged after the index was built.
    let mut bytes = disk.get(LOG).unwrap();
    bytes[offsets[8] as usize + 60] ^= 4;
    let damaged = SimDisk::with_files(&[(LOG, &bytes), (INDEX, &disk.get(INDEX).unwrap())]);
    let view = open_view(&damaged).unwrap();
    let rule = CompactRule::new().latest(&index);
    let error = compact(&view, &options(), &rule, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }) && error.to_string().contains("index rebuild"), "{error}");
    assert_eq!(damaged.names(), [LOG, INDEX].map(str::to_owned));
    // An index of the events that can be read keeps the event before it.
    let log = open_read_only(&damaged);
    let rebuilt = log.rebuild_index_from(0).unwrap();
    let summary = run(&view, &options(), &CompactRule::new().latest(&rebuilt)).unwrap();
    assert_eq!((summary.events_kept, summary.damage_total), (3, 1));
    assert!(stored_events(&damaged, NEW).iter().any(|(_, _, json)| json.contains("\"n\":5")), "the event before it");
}

#[test]
fn events_that_were_appended_after_the_index_are_left_out_with_a_note() {
    let (disk, _) = disk_with_indexed_log(6);
    let index = open_read_only(&disk).index().unwrap();
    open_options(&disk).open(LOG).unwrap().append_sync(&event(Some(1), 7)).unwrap();
    let summary = run(&open_view(&disk).unwrap(), &options(), &CompactRule::new().latest(&index)).unwrap();
    assert_eq!((summary.events_kept, summary.events_dropped), (3, 4));
    assert!(summary.notes.iter().any(|note| note.starts_with("1 of the dropped events")), "{:?}", summary.notes);
    assert_eq!(survey_log(&disk).events, 7);
}

#[test]
fn a_compaction_that_is_killed_or_fails_is_absent_or_complete_and_the_log_unchanged() {
    for replaces in [options(), options().replace()] {
        let (disk, _) = disk_with_indexed_log(9);
        assert_copy_is_atomic(&disk, &replaces, |disk, options| {
            let log = open_read_only(disk);
            let index = log.index()?;
            let rule = CompactRule::new().latest(&index);
            compact(log.view(), options, &rule, &mut |_| ControlFlow::Continue(())).map(drop)
        });
    }
}
