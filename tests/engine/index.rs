//! Tests of the index: its states, its lookups compared with a replay of the log, and every flipped bit of an index
//! file.

use std::collections::BTreeMap;

use chronicle::internal::index::NameKind;
use chronicle::internal::index::truncate;
use chronicle::internal::log::{catch_up_index, reindex_from};
use chronicle::{AggregateIndex, EventLog, IndexState, StorageError};
use proptest::prelude::*;

use super::sim_disk::SimDisk;
use super::support::{
    INDEX, LOG, disk_with_indexed_log, disk_with_log, event, finding_ranges, large_event, log_bytes, open_options,
    open_read_only, survey_log,
};

fn index_state(disk: &SimDisk) -> IndexState {
    open_read_only(disk).view().index_state().clone()
}

/// Returns the offsets of every aggregate according to the index.
pub(super) fn offsets_by_aggregate(index: &AggregateIndex) -> BTreeMap<u64, Vec<u64>> {
    index
        .iter()
        .map(|summary| {
            let summary = summary.unwrap();
            let offsets: Vec<u64> = index.offsets(summary.id).unwrap().collect::<Result<_, _>>().unwrap();
            assert_eq!(
                (offsets.len() as u64, offsets.first(), offsets.last()),
                (summary.events, Some(&summary.first), Some(&summary.last))
            );
            (summary.id, offsets)
        })
        .collect()
}

/// Returns the offsets of every aggregate according to a replay of the log.
pub(super) fn replayed_offsets(disk: &SimDisk) -> BTreeMap<u64, Vec<u64>> {
    let mut truth: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for event in open_read_only(disk).replay(0).unwrap().flatten() {
        if let Some(id) = event.aggregate_id() {
            truth.entry(id).or_default().push(event.offset());
        }
    }
    truth
}

fn append_events(disk: &SimDisk, events: std::ops::Range<usize>) {
    let mut log = open_options(disk).open(LOG).unwrap();
    for n in events {
        log.append(&event(n as u64 % 4, n)).unwrap();
    }
}

#[test]
fn a_log_without_valid_frames_is_read_once_to_build_and_save_its_index() {
    let (mut bytes, _) = log_bytes(0);
    bytes.extend([0x00, 0x00, 0xf0, 0x01, b'{'].repeat(20_000));
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let mut log = open_read_only(&disk);
    let before = disk.bytes_read();
    log.index().unwrap();
    assert!(disk.bytes_read() - before >= bytes.len() as u64, "the log was read");
    let before = disk.bytes_read();
    log.save_index().unwrap();
    let read = disk.bytes_read() - before;
    assert!(read < 10_000, "{read} bytes were read again");
    assert_eq!(index_state(&disk), IndexState::Fresh);
    // Another handle cannot know that a file without frames belongs to this log.
    let log = open_read_only(&disk);
    let before = disk.bytes_read();
    log.index().unwrap();
    assert!(disk.bytes_read() - before >= bytes.len() as u64);
}

#[test]
fn without_an_index_file_the_state_is_missing_and_lookups_work() {
    let (disk, _) = disk_with_log(7);
    assert_eq!(index_state(&disk), IndexState::Missing);
    assert_eq!(offsets_by_aggregate(&open_read_only(&disk).index().unwrap()), replayed_offsets(&disk));
    assert_eq!(disk.get(INDEX), None, "a lookup writes nothing");
}

#[test]
fn closing_a_writer_saves_the_index_and_dropping_it_does_not() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    log.append(&event(1, 1)).unwrap();
    log.close().unwrap();
    assert_eq!(index_state(&disk), IndexState::Fresh);
    let empty = SimDisk::default();
    open_options(&empty).create(LOG).unwrap().close().unwrap();
    assert_eq!(index_state(&empty), IndexState::Fresh, "creating a log saves its index, even without events");
    let before = disk.get(LOG).unwrap().len() as u64;
    append_events(&disk, 0..3);
    let len = disk.get(LOG).unwrap().len() as u64;
    assert_eq!(index_state(&disk), IndexState::Behind { bytes: len - before });
    // This writer opened the log with an index that was behind and did not catch it up, so closing does not save the
    // index.
    let mut log = open_options(&disk).open(LOG).unwrap();
    log.append(&event(1, 2)).unwrap();
    log.close().unwrap();
    assert!(matches!(index_state(&disk), IndexState::Behind { .. }));
    for catch_up in [EventLog::save_index, |log: &mut EventLog| log.index().map(|_| ())] {
        append_events(&disk, 0..3);
        let mut log = open_options(&disk).open(LOG).unwrap();
        catch_up(&mut log).unwrap();
        log.append(&event(1, 2)).unwrap();
        log.close().unwrap();
        assert_eq!(index_state(&disk), IndexState::Fresh);
    }
}

#[test]
fn an_index_of_a_newer_version_is_unsupported_and_a_broken_one_corrupt() {
    let (disk, _) = disk_with_indexed_log(3);
    let index = disk.get(INDEX).unwrap();
    let mut newer = index.clone();
    newer[5] = 2;
    let checksum = chronicle::internal::format::index::page_checksum(0, &newer[..4092]);
    newer[4092..4096].copy_from_slice(&checksum.to_be_bytes());
    disk.put(INDEX, &newer);
    assert_eq!(index_state(&disk), IndexState::Unsupported { version: 2 });
    for broken in [&b""[..], b"no index at all", &index[..4095], &[0; 4096]] {
        disk.put(INDEX, broken);
        assert!(matches!(index_state(&disk), IndexState::Corrupt { .. }), "{} bytes", broken.len());
        assert_eq!(offsets_by_aggregate(&open_read_only(&disk).index().unwrap()), replayed_offsets(&disk));
    }
}

#[test]
fn an_index_of_another_log_is_foreign() {
    let (disk, _) = disk_with_indexed_log(3);
    let (other, _) = disk_with_log(5);
    disk.put(LOG, &other.get(LOG).unwrap());
    assert!(matches!(index_state(&disk), IndexState::Foreign { .. }), "{:?}", index_state(&disk));
    assert_eq!(offsets_by_aggregate(&open_read_only(&disk).index().unwrap()), replayed_offsets(&disk));
    assert_eq!(finding_ranges(&survey_log(&disk)), [], "the index of another log causes no finding");
}

#[test]
fn a_frame_across_an_indexed_offset_makes_the_index_foreign() {
    let (disk, _) = disk_with_indexed_log(3);
    // The header stays the same, and one frame covers the offsets of the second and the last frame.
    let mut bytes = disk.get(LOG).unwrap()[..16].to_vec();
    let payload = format!("{{\"$gap\":{{}}}}{}", " ".repeat(900));
    chronicle::internal::format::frame::encode(payload.as_bytes(), &mut bytes);
    disk.put(LOG, &bytes);
    assert!(matches!(index_state(&disk), IndexState::Foreign { .. }), "{:?}", index_state(&disk));
}

#[test]
fn an_index_is_foreign_to_a_log_that_shares_only_the_first_frames() {
    let (disk, offsets) = disk_with_indexed_log(3);
    let mut bytes = disk.get(LOG).unwrap()[..offsets[1] as usize].to_vec();
    chronicle::internal::format::frame::encode(" ".repeat(900).as_bytes(), &mut bytes);
    disk.put(LOG, &bytes);
    assert!(matches!(index_state(&disk), IndexState::Foreign { .. }), "{:?}", index_state(&disk));
}

#[test]
fn an_index_of_another_empty_log_is_foreign() {
    let (disk, _) = disk_with_indexed_log(0);
    assert_eq!(index_state(&disk), IndexState::Fresh);
    let mut bytes = disk.get(LOG).unwrap();
    bytes[15] ^= 1;
    disk.put(LOG, &bytes);
    assert!(matches!(index_state(&disk), IndexState::Foreign { .. }), "{:?}", index_state(&disk));
}

#[test]
fn a_different_header_is_damage_only_when_the_frames_match() {
    let (disk, offsets) = disk_with_indexed_log(5);
    let good = disk.get(LOG).unwrap();
    let last = offsets[4] as usize;
    // The index contradicts a version, a flag and a time. It is matched by the last frame, because the first is
    // damaged.
    for (byte, bit) in [(4, 4), (7, 1), (15, 1)] {
        let mut bytes = good.clone();
        bytes[byte] ^= bit;
        bytes[16..offsets[1] as usize].fill(0);
        disk.put(LOG, &bytes);
        assert_eq!(finding_ranges(&survey_log(&disk))[0], ("header", 0, 16), "byte {byte}");
        // No indexed frame is left. A different time can belong to another log, so it is no finding; a different
        // version or flag makes the open fail.
        bytes[last + 60] ^= 1;
        bytes[offsets[1] as usize..last].fill(b'#');
        disk.put(LOG, &bytes);
        match byte {
            15 => assert!(finding_ranges(&survey_log(&disk)).iter().all(|(kind, ..)| *kind != "header")),
            _ => assert!(open_options(&disk).open_read_only(LOG).is_err(), "byte {byte}"),
        }
    }
}

#[test]
fn damaged_frames_do_not_make_an_index_foreign() {
    let (disk, offsets) = disk_with_indexed_log(3);
    let mut bytes = disk.get(LOG).unwrap();
    for offset in &offsets {
        bytes[*offset as usize + 30] ^= 1;
    }
    disk.put(LOG, &bytes);
    assert_eq!(index_state(&disk), IndexState::Fresh);
}

#[test]
fn rebuilding_an_index_that_is_ahead_keeps_the_record_of_lost_events() {
    let (disk, offsets) = disk_with_indexed_log(6);
    let bytes = disk.get(LOG).unwrap();
    let missing = bytes.len() as u64 - offsets[4];
    disk.put(LOG, &bytes[..offsets[4] as usize]);
    assert_eq!(index_state(&disk), IndexState::Ahead { bytes: missing });
    let refused = open_options(&disk).open(LOG).unwrap_err();
    assert!(matches!(refused, StorageError::Truncated { .. }), "{refused}");
    let mut log = open_read_only(&disk);
    log.reindex_from(0).unwrap();
    log.save_index().unwrap();
    assert_eq!(index_state(&disk), IndexState::Ahead { bytes: missing });
    let survey = survey_log(&disk);
    assert_eq!(finding_ranges(&survey), [("truncated", offsets[4], offsets[4])]);
    assert_eq!(survey.findings[0].evidence.events_missing, Some(2));
    assert_eq!(survey.findings[0].evidence.aggregates_missing, Some(2));
    assert!(open_options(&disk).open(LOG).is_err(), "appending stays refused");
}

#[test]
fn counts_match_the_names_of_the_events() {
    let (disk, _) = disk_with_indexed_log(7);
    append_events(&disk, 0..5);
    let log = open_read_only(&disk);
    let index = log.index().unwrap();
    let counts = index.counts();
    let count = |kind, text: &str| {
        counts.iter().find(|(name, _)| name.kind == kind && name.text.as_deref() == Some(text)).map(|(_, count)| count)
    };
    assert_eq!(count(NameKind::Type, "Created"), Some(3 + 2));
    assert_eq!(count(NameKind::Type, "Deleted"), Some(2 + 1));
    assert_eq!(count(NameKind::Namespace, "accounts"), Some(12));
    assert_eq!(count(NameKind::Schema, "Person"), Some(12));
}

#[test]
fn an_index_rebuilt_from_a_checkpoint_has_the_counts_of_a_full_build() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    let offsets: Vec<u64> = (0..60).map(|n| log.append(&large_event(n % 7, 100_000 + n as usize)).unwrap()).collect();
    log.save_index().unwrap();
    drop(log);
    let counts =
        |index: &AggregateIndex| -> Vec<_> { index.counts().iter().map(|(name, n)| (name.clone(), n)).collect() };
    let whole = counts(&open_read_only(&disk).reindex_from(0).unwrap());
    for from in [offsets[5], offsets[30], offsets[59]] {
        let log = open_read_only(&disk);
        let (index, survey) = reindex_from(&log, from, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
        let survey = survey.unwrap();
        assert_eq!(counts(&index), whole, "rebuilt from {from}");
        assert_eq!(self::offsets_by_aggregate(&index), replayed_offsets(&disk), "rebuilt from {from}");
        assert!(survey.events < 60 || from == offsets[5], "{} events read again from {from}", survey.events);
    }
}

#[test]
fn verification_moves_the_mark_forward_and_truncation_moves_it_back() {
    let (disk, offsets) = disk_with_log(6);
    let mark = |disk: &SimDisk| open_read_only(disk).view().trusted_index().and_then(|index| index.verification_mark());
    open_read_only(&disk).save_index().unwrap();
    let first = mark(&disk).unwrap();
    assert_eq!(first.verified_to, disk.get(LOG).unwrap().len() as u64);
    append_events(&disk, 6..8);
    assert_eq!(mark(&disk), Some(first), "appending verifies nothing");
    open_read_only(&disk).save_index().unwrap();
    let second = mark(&disk).unwrap();
    assert_eq!(
        (second.verified_to, second.verified_at_ms),
        (disk.get(LOG).unwrap().len() as u64, first.verified_at_ms)
    );
    let mut log = open_read_only(&disk);
    log.reindex_from(0).unwrap();
    log.save_index().unwrap();
    assert!(mark(&disk).unwrap().verified_at_ms > first.verified_at_ms, "the whole log was verified again");
    let mut index = open_read_only(&disk).view().clone().load_index();
    truncate(&mut index, offsets[4]);
    assert!(index.verification_mark().is_none_or(|mark| mark.verified_to <= offsets[4]));
}

#[test]
fn no_flipped_bit_of_an_index_yields_a_wrong_event() {
    let (disk, _) = disk_with_indexed_log(5);
    append_events(&disk, 5..7);
    let index = disk.get(INDEX).unwrap();
    let truth = replayed_offsets(&disk);
    // Most of a page is padding, which its checksum covers too. Every bit of the used parts is flipped, and one bit of
    // each byte of the padding.
    for byte in 0..index.len() {
        let used = byte % 4096 < 300 || byte % 4096 >= 4092;
        for bit in (0..8).filter(|bit| used || *bit == byte % 8) {
            let mut broken = index.clone();
            broken[byte] ^= 1 << bit;
            disk.put(INDEX, &broken);
            let log = open_read_only(&disk);
            let whole = log.view().persisted_index().map(|index| index.check());
            assert!(!matches!(whole, Some(Ok(()))), "byte {byte}, bit {bit} passes");
            let log = open_read_only(&disk);
            for (id, offsets) in &truth {
                let events = log.load_aggregate(*id).unwrap();
                let found: Vec<u64> = events.iter().map(chronicle::StoredEvent::offset).collect();
                assert_eq!(found, *offsets, "byte {byte}, bit {bit}, aggregate {id}");
            }
        }
    }
}

#[test]
fn loading_an_aggregate_reports_its_damaged_frame() {
    let (disk, offsets) = disk_with_indexed_log(6);
    let mut bytes = disk.get(LOG).unwrap();
    bytes[offsets[3] as usize + 40] ^= 4;
    disk.put(LOG, &bytes);
    let log = open_read_only(&disk);
    let error = log.load_aggregate(1).unwrap_err();
    assert_eq!(error.offset(), Some(offsets[3]));
    assert!(error.is_corruption(), "{error}");
    let items: Vec<bool> = log.aggregate_events(1).unwrap().map(|item| item.is_ok()).collect();
    assert_eq!(items, [true, false]);
    assert_eq!(log.load_aggregate(2).unwrap().len(), 2, "other aggregates are not affected");
    assert_eq!(log.load_aggregate(99).unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// An index that was caught up, rebuilt or saved has the offsets that a replay of the log finds.
    #[test]
    fn index_lookups_equal_a_replay_of_the_log(
        first in 0usize..40,
        second in 0usize..40,
        cut in 0u64..20_000,
        damage in proptest::collection::vec((16usize..12_000, 1usize..40, any::<u8>()), 0..4),
    ) {
        let (disk, _) = disk_with_indexed_log(first);
        append_events(&disk, 0..second);
        let expected = replayed_offsets(&disk);
        let mut log = open_read_only(&disk);
        assert_eq!(&offsets_by_aggregate(&log.index().unwrap()), &expected, "caught up");
        assert_eq!(&offsets_by_aggregate(&log.reindex_from(cut).unwrap()), &expected, "rebuilt");
        log.save_index().unwrap();
        assert_eq!(&offsets_by_aggregate(&open_read_only(&disk).index().unwrap()), &expected, "saved and read back");

        let mut bytes = disk.get(LOG).unwrap();
        for (at, len, fill) in damage {
            let end = (at + len).min(bytes.len());
            bytes.get_mut(at.min(end)..end).unwrap_or_default().fill(fill);
        }
        disk.put(LOG, &bytes);
        let truth = replayed_offsets(&disk);
        let log = open_read_only(&disk);
        for (id, before) in &expected {
            let found: Vec<u64> = log.aggregate_events(*id).unwrap().flatten().map(|event| event.offset()).collect();
            prop_assert_eq!(&found, &truth.get(id).cloned().unwrap_or_default());
            prop_assert!(found.len() <= before.len());
        }
        assert_eq!(&offsets_by_aggregate(&log.reindex_from(0).unwrap()), &truth, "rebuilt over damage");
    }
}

#[test]
fn catching_up_reads_only_the_new_bytes() {
    let (bytes, _) = log_bytes(3);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    open_read_only(&disk).save_index().unwrap();
    append_events(&disk, 0..2);
    let mut reports = Vec::new();
    let log = open_read_only(&disk);
    let (_, survey) = catch_up_index(&log, &mut |step| {
        if let chronicle::inspect::SurveyUpdate::Progress(progress) = step {
            reports.push(progress);
        }
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(survey.unwrap().events, 2, "only the new events were read");
    assert_eq!(reports.len(), 1);
    assert!(catch_up_index(&log, &mut |_| std::ops::ControlFlow::Continue(())).unwrap().1.is_none(), "no event is new");
}

#[test]
fn a_lookup_by_a_writer_reads_only_its_own_appends_and_makes_close_save_the_index() {
    let (bytes, _) = log_bytes(3000);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    open_options(&disk).open(LOG).unwrap().append(&event(99, 0)).unwrap();
    open_read_only(&disk).save_index().unwrap();
    let mut log = open_options(&disk).open(LOG).unwrap();
    let look_up = |log: &mut EventLog| {
        let before = disk.bytes_read();
        let found: Vec<u64> = log.load_aggregate(99).unwrap().iter().map(chronicle::StoredEvent::offset).collect();
        let read = disk.bytes_read() - before;
        assert_eq!(Some(&found), replayed_offsets(&disk).get(&99), "the index file and the appended events together");
        (found.len(), read)
    };
    look_up(&mut log);
    for n in 1..20 {
        log.append(&event(99, n)).unwrap();
        log.append(&event(n as u64, n)).unwrap();
        let (found, read) = look_up(&mut log);
        assert_eq!(found, n + 1);
        assert!(read < 100_000, "{read} bytes were read, of a log of {}", bytes.len());
        if n % 7 == 0 {
            log.save_index().unwrap();
            assert_eq!(index_state(&disk), IndexState::Fresh, "while the log stays open for append");
        }
    }
    assert!(matches!(index_state(&disk), IndexState::Behind { .. }), "{:?}", index_state(&disk));
    log.close().unwrap();
    assert_eq!(index_state(&disk), IndexState::Fresh);
}
