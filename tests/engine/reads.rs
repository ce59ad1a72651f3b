//! Tests of the ranges that a filter by aggregate reads: only those of its events, and no event or damage is missed.

use std::ops::Range;

use chronicle::EventLog;
use chronicle::EventView;
use chronicle::internal::file::{ScanItem, Scanner};
use chronicle::internal::format::Version;
use chronicle::query::{Filter, ReadPlan};
use proptest::prelude::*;

use super::sim_disk::SimDisk;
use super::support::{LOG, disk_with_indexed_log, disk_with_log, event, open_options, open_read_only};

/// Reads these ranges, and returns the offsets of the matching events and the damaged ranges.
fn read_ranges(log: &EventLog, filter: &Filter, ranges: Vec<Range<u64>>) -> (Vec<u64>, Vec<Range<u64>>) {
    let (mut events, mut damage) = (Vec::new(), Vec::new());
    for range in ranges {
        let len = log.len().unwrap();
        let mut scanner = Scanner::new(log.view().log().clone(), range.start.min(len)..len);
        while scanner.position() < range.end
            && let Some(item) = scanner.next_item().unwrap()
        {
            match item {
                ScanItem::Frame(at, frame) => {
                    let shown = EventView::parse(frame.payload(), Version::V1);
                    events.extend(shown.ok().filter(|event| filter.matches_event(at, event)).map(|_| at));
                }
                ScanItem::Damaged(range) | ScanItem::Unreadable(range) | ScanItem::Missing(range) => damage.push(range),
            }
        }
    }
    (events, damage)
}

fn ranges_through_index(log: &EventLog, filter: &Filter, from: u64) -> Vec<Range<u64>> {
    let index = log.view().clone().load_index();
    let ranges: Vec<Range<u64>> =
        ReadPlan::new(log.view().log(), Some(&index), filter).ranges_from(from).map(Result::unwrap).collect();
    assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "{ranges:?}");
    ranges
}

#[test]
fn a_filter_by_aggregate_reads_only_its_events() {
    let (disk, offsets) = disk_with_indexed_log(300);
    let log = open_read_only(&disk);
    let filter = Filter::parse("agg:2", 0).unwrap();
    let ranges = ranges_through_index(&log, &filter, 16);
    let read: u64 = ranges.iter().rev().skip(1).map(|range| range.end - range.start).sum();
    assert_eq!(
        (ranges.len(), read),
        (101, 16 + 100 - 16),
        "one range for each event, and one for the bytes that the index does not cover"
    );
    let aggregate_offsets: Vec<u64> = offsets.iter().skip(1).step_by(3).copied().collect();
    assert_eq!(read_ranges(&log, &filter, ranges), (aggregate_offsets, vec![]));
}

#[test]
fn damage_across_the_end_of_the_covered_part_is_found_once() {
    let (disk, offsets) = disk_with_log(8);
    let whole = disk.get(LOG).unwrap();
    let cut = |n: usize| whole[..offsets[n] as usize].to_vec();
    // Because of a frame that is not an event, the whole block is read.
    let mut bytes = cut(3);
    chronicle::internal::format::frame::encode(b"[]", &mut bytes);
    let shift = bytes.len() as u64 - offsets[3];
    bytes.extend_from_slice(&whole[offsets[3] as usize..offsets[5] as usize]);
    let covered = bytes.len();
    disk.put(LOG, &bytes);
    open_read_only(&disk).save_index().unwrap();
    bytes.extend_from_slice(&whole[offsets[5] as usize..]);
    bytes[covered - 30..covered + 30].fill(0xee);
    disk.put(LOG, &bytes);
    let log = open_read_only(&disk);
    let filter = Filter::parse("agg:0 agg:1", 0).unwrap();
    let through_index = read_ranges(&log, &filter, ranges_through_index(&log, &filter, 16));
    assert_eq!(through_index.1, std::slice::from_ref(&(offsets[4] + shift..offsets[6] + shift)));
    assert_eq!(through_index, read_ranges(&log, &filter, std::iter::once(16..u64::MAX).collect()));
}

fn overwrite_bytes(bytes: &mut [u8], damage: &[(usize, usize, u8)]) {
    for (at, len, fill) in damage {
        let (at, end) = ((*at).min(bytes.len()), (at + len).min(bytes.len()));
        bytes[at..end].fill(*fill);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn skipped_ranges_hold_no_matching_rows(
        events in 3usize..60,
        more in 0usize..9,
        before in proptest::collection::vec((16usize..14_000, 1usize..700, any::<u8>()), 0..4),
        since in proptest::collection::vec((16usize..14_000, 1usize..300, any::<u8>()), 0..3),
        ids in proptest::collection::vec(0u64..5, 1..3),
        start in 0usize..60,
    ) {
        let (disk, offsets) = disk_with_log(events);
        let mut bytes = disk.get(LOG).unwrap();
        overwrite_bytes(&mut bytes, &before);
        disk.put(LOG, &bytes);
        open_read_only(&disk).save_index().unwrap();
        if let Ok(mut log) = open_options(&disk).open(LOG) {
            for n in 0..more {
                log.append(&event(n as u64 % 4, n)).unwrap();
            }
        }
        let words: Vec<String> = ids.iter().map(|id| format!("agg:{id}")).collect();
        let filter = Filter::parse(&words.join(" "), 0).unwrap();
        let from = if since.is_empty() && before.is_empty() { offsets[start % offsets.len()] } else { 16 };
        let check = |disk: &SimDisk, with_damage: bool| {
            let log = open_read_only(disk);
            let whole = read_ranges(&log, &filter, std::iter::once(from..u64::MAX).collect());
            let through_index = read_ranges(&log, &filter, ranges_through_index(&log, &filter, from));
            assert_eq!(through_index.0, whole.0);
            if with_damage {
                assert_eq!(through_index.1, whole.1);
            }
        };
        check(&disk, true);
        let mut bytes = disk.get(LOG).unwrap();
        overwrite_bytes(&mut bytes, &since);
        disk.put(LOG, &bytes);
        // Damage newer than the index is found only in the ranges that are read.
        check(&disk, false);
    }
}

#[test]
fn a_read_at_any_offset_after_the_end_returns_no_bytes() {
    use chronicle::storage::{Disk, OpenMode, OsDisk};

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "x").unwrap();
    let storage = OsDisk.open(file.path(), OpenMode::Read).unwrap();
    // An index can claim any offset, and the system refuses those that do not fit its own signed type.
    for offset in [1, 1 << 40, i64::MAX as u64, 1 << 63, u64::MAX] {
        assert_eq!(storage.read_at(&mut [0; 8], offset).unwrap(), 0, "{offset}");
    }
}
