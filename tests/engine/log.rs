//! Tests of `EventLog`: the start and the end of a replay, the effect of opening for append on the tail, and refusals.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chronicle::internal::format::{frame, gap};
use chronicle::{Durability, Event, EventLog, LogHeader, StorageError};

use super::sim_disk::SimDisk;
use super::support::{
    INDEX, LOG, disk_with_indexed_log, disk_with_log, event, finding_ranges, log_bytes, open_options, open_read_only,
    readable_offsets, survey_log,
};

fn replayed_starts(disk: &SimDisk, from: u64, until: u64) -> Vec<u64> {
    open_read_only(disk).replay_until(from, until).unwrap().map(|item| item.unwrap().offset()).collect()
}

#[test]
fn replay_starts_at_the_first_frame_from_anywhere_in_the_header() {
    let (disk, offsets) = disk_with_log(3);
    for from in 0..=16 {
        assert_eq!(replayed_starts(&disk, from, u64::MAX), offsets, "from {from}");
    }
}

#[test]
fn replay_reports_the_frame_that_its_start_is_inside() {
    let (disk, offsets) = disk_with_log(3);
    for from in offsets[1] + 1..offsets[2] {
        let error = open_read_only(&disk).replay(from).unwrap_err();
        let expected = (from, offsets[1], offsets[2]);
        match error {
            StorageError::InsideFrame { offset, start, end, .. } => assert_eq!((offset, start, end), expected),
            other => unreachable!("{other}"),
        }
    }
    let len = disk.get(LOG).unwrap().len() as u64;
    assert_eq!(replayed_starts(&disk, offsets[2], u64::MAX), offsets[2..]);
    assert_eq!(replayed_starts(&disk, len, u64::MAX), [0u64; 0], "the end of the file is empty");
    assert_eq!(replayed_starts(&disk, len + 99, u64::MAX), [0u64; 0]);
}

#[test]
fn replay_until_includes_frames_that_start_before_the_limit() {
    let (disk, offsets) = disk_with_log(4);
    assert_eq!(replayed_starts(&disk, 0, offsets[2]), offsets[..2]);
    assert_eq!(replayed_starts(&disk, offsets[1], offsets[2] + 1), offsets[1..3]);
    assert_eq!(replayed_starts(&disk, offsets[1], offsets[1]), [0u64; 0]);
}

#[test]
fn a_start_inside_damage_yields_that_damage_first() {
    let (mut bytes, offsets) = log_bytes(4);
    bytes[offsets[1] as usize + 50] ^= 1;
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    for from in offsets[1]..offsets[2] {
        let mut replay = open_read_only(&disk).replay(from).unwrap();
        let first = replay.next().unwrap().unwrap_err();
        assert_eq!((first.offset(), first.is_corruption()), (Some(offsets[1]), true), "from {from}");
        assert_eq!(replay.next().unwrap().unwrap().offset(), offsets[2], "from {from}");
    }
}

#[test]
fn a_strict_replay_ends_at_the_first_damage_and_not_at_a_gap() {
    let (bytes, offsets) = log_bytes(3);
    let mut with_gap = bytes.clone();
    frame::encode(&gap::build_gap_payload(60, "{}"), &mut with_gap);
    with_gap.extend_from_slice(&bytes[offsets[0] as usize..]);
    let broken = with_gap.len() - 30;
    with_gap[broken] ^= 1;
    with_gap.extend_from_slice(&bytes[offsets[0] as usize..offsets[1] as usize]);
    let disk = SimDisk::with_files(&[(LOG, &with_gap)]);
    let item_kinds = |strict: bool| -> String {
        let replay = open_read_only(&disk).replay(0).unwrap();
        let replay = if strict { replay.strict() } else { replay };
        replay
            .map(|item| match item {
                Ok(_) => 'e',
                Err(StorageError::Gap { .. }) => 'g',
                Err(_) => 'x',
            })
            .collect()
    };
    assert_eq!(item_kinds(false), "eeegeexe");
    assert_eq!(item_kinds(true), "eeegeex");
}

#[test]
fn opening_for_append_sets_a_torn_tail_aside_at_every_length() {
    let (bytes, offsets) = log_bytes(3);
    let last = offsets[2] as usize;
    for len in last + 1..bytes.len() {
        let disk = SimDisk::with_files(&[(LOG, &bytes[..len])]);
        let mut log = open_options(&disk).open(LOG).unwrap();
        let backup = log.set_aside_tail().unwrap();
        assert_eq!((backup.finding.start, backup.finding.end), (last as u64, len as u64));
        assert!(disk.names().contains(&backup.journal.to_string_lossy().into_owned()));
        assert_eq!(log.append(&event(1, 9)).unwrap(), last as u64);
        drop(log);
        assert_eq!(finding_ranges(&survey_log(&disk)), []);
    }
}

#[test]
fn bytes_that_an_index_covers_are_never_set_aside() {
    let (disk, offsets) = disk_with_indexed_log(3);
    let mut bytes = disk.get(LOG).unwrap();
    let last = offsets[2] as usize;
    bytes[last..].fill(b'x');
    disk.put(LOG, &bytes);
    let mut log = open_options(&disk).open(LOG).unwrap();
    assert_eq!(log.set_aside_tail(), None);
    assert_eq!(
        log.append(&event(1, 9)).unwrap(),
        bytes.len() as u64,
        "the event is appended after the damage, which is kept"
    );
    drop(log);
    assert_eq!(finding_ranges(&survey_log(&disk)), [("garbage", offsets[2], bytes.len() as u64)]);
}

#[test]
fn zeros_and_garbage_at_the_end_are_set_aside_and_a_complete_frame_is_not() {
    let (bytes, offsets) = log_bytes(2);
    let zeros = [&bytes[..], &[0; 4096]].concat();
    let garbage = [&bytes[..], &[0xEE; 100]].concat();
    for tail in [zeros, garbage] {
        let disk = SimDisk::with_files(&[(LOG, &tail)]);
        assert!(open_options(&disk).open(LOG).unwrap().set_aside_tail().is_some());
        assert_eq!(disk.get(LOG).unwrap(), bytes);
    }
    let mut damaged = bytes.clone();
    damaged[offsets[1] as usize + 30] ^= 1;
    let disk = SimDisk::with_files(&[(LOG, &damaged)]);
    assert_eq!(open_options(&disk).open(LOG).unwrap().set_aside_tail(), None);
    assert_eq!(disk.get(LOG).unwrap(), damaged);
}

#[test]
fn damage_in_the_middle_does_not_prevent_an_append() {
    let (mut bytes, offsets) = log_bytes(4);
    bytes[offsets[1] as usize..offsets[2] as usize].fill(0);
    bytes[1] ^= 4;
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let mut log = open_options(&disk).open(LOG).unwrap();
    assert_eq!(log.append_sync(&event(1, 9)).unwrap(), bytes.len() as u64);
    drop(log);
    assert_eq!(finding_ranges(&survey_log(&disk)), [("header", 0, 16), ("zeros", offsets[1], offsets[2])]);
}

#[test]
fn unknown_flags_forbid_writing_or_reading_by_their_byte() {
    let (bytes, offsets) = log_bytes(2);
    let mut high = bytes.clone();
    high[6] = 0x40;
    let disk = SimDisk::with_files(&[(LOG, &high)]);
    assert_eq!(readable_offsets(&disk), offsets);
    assert_eq!(finding_ranges(&survey_log(&disk)), []);
    let refused = open_options(&disk).open(LOG).unwrap_err();
    assert!(matches!(refused, StorageError::UnknownFlags { found: 0x4000, forbids: "write", .. }), "{refused}");
    let mut low = bytes;
    low[7] = 1;
    let disk = SimDisk::with_files(&[(LOG, &low)]);
    let refused = open_options(&disk).open_read_only(LOG).unwrap_err();
    assert!(matches!(refused, StorageError::UnknownFlags { found: 1, forbids: "read", .. }), "{refused}");
    assert!(!refused.is_corruption());
}

#[test]
fn a_file_that_is_not_a_log_is_reported_with_its_first_bytes() {
    let open = |bytes: &[u8]| open_options(&SimDisk::with_files(&[(LOG, bytes)])).open_read_only(LOG).unwrap_err();
    for len in 0..16 {
        assert!(matches!(open(&vec![b'C'; len]), StorageError::TooShort { bytes, .. } if bytes == len as u64));
    }
    assert!(matches!(open(&[b'x'; 5000]), StorageError::NotALog { found: [b'x', ..], .. }));
    let mut next = LogHeader::new(5).encode().to_vec();
    next[5] = 3;
    assert!(matches!(open(&next), StorageError::UnsupportedVersion { found: 3, .. }));
}

#[test]
fn version_0_is_read_with_both_names_of_the_time_field_and_never_written() {
    let mut bytes = Vec::new();
    for (n, name) in ["timestamp_ms", "write_timestamp_ms"].iter().enumerate() {
        let json = format!(
            r#"{{"{name}":{n},"event_type":"T","namespace":"n","schema_id":"S","schema_version":1,"aggregate_id":{n},"payload":null}}"#
        );
        bytes.extend_from_slice(&(json.len() as u32).to_be_bytes());
        bytes.extend_from_slice(json.as_bytes());
    }
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let times: Vec<u64> =
        open_read_only(&disk).replay(0).unwrap().map(|event| event.unwrap().write_timestamp_ms()).collect();
    assert_eq!(times, [0, 1]);
    assert!(matches!(open_options(&disk).open(LOG).unwrap_err(), StorageError::Version0ReadOnly { .. }));
    let mut log = open_read_only(&disk);
    assert_eq!(log.load_aggregate(1).unwrap().len(), 1);
    log.save_index().unwrap();
    assert_eq!(open_read_only(&disk).view().index_state().name(), "fresh");
    assert_eq!(disk.get(LOG).unwrap(), bytes);
    assert!(disk.get(INDEX).is_some());
}

#[test]
fn a_log_opened_for_reading_refuses_appends() {
    let (disk, _) = disk_with_log(1);
    assert!(matches!(open_read_only(&disk).append(&event(1, 1)), Err(StorageError::ReadOnly { .. })));
}

#[test]
fn a_batch_is_one_write_and_returns_every_offset() {
    let (disk, _) = disk_with_log(1);
    let mut log = open_options(&disk).open(LOG).unwrap();
    let calls = disk.calls();
    let events: Vec<Event> = (0..5).map(|n| event(1, n)).collect();
    let offsets = log.append_batch(&events, Durability::Synced).unwrap();
    assert_eq!(disk.calls() - calls, 2, "a write and a sync");
    assert_eq!(readable_offsets(&disk)[1..], offsets);
    assert_eq!(log.append_batch(&[], Durability::Buffered).unwrap(), [0u64; 0]);
}

#[test]
fn creating_refuses_an_existing_file() {
    let (disk, _) = disk_with_log(1);
    let before = disk.get(LOG).unwrap();
    assert!(matches!(open_options(&disk).create(LOG).unwrap_err(), StorageError::AlreadyExists { .. }));
    assert_eq!(disk.get(LOG).unwrap(), before);
}

#[test]
fn a_log_that_is_being_appended_to_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.log");
    let mut log = EventLog::create(&path).unwrap();
    let (done, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writer = std::thread::spawn({
        let (done, written) = (done.clone(), written.clone());
        move || {
            while !done.load(Ordering::Relaxed) {
                let n = written.fetch_add(3, Ordering::Relaxed);
                log.append_batch(&[event(n, 1), event(n, 2), event(n, 3)], Durability::Buffered).unwrap();
            }
        }
    });
    let mut surveys = 0;
    while surveys < 200 || written.load(Ordering::Relaxed) < 3000 {
        let findings = survey_kinds(&path);
        assert!(findings.iter().all(|kind| *kind == "clock"), "{findings:?}");
        surveys += 1;
    }
    done.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}

fn survey_kinds(path: &Path) -> Vec<&'static str> {
    use chronicle::inspect::{LogView, SurveyOptions, survey};
    use chronicle::storage::OsDisk;
    let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
    let end = view.log().len().unwrap();
    // Only the end is surveyed, because the log grows fast.
    let from = chronicle::internal::file::spans_before(view.log(), end, 1);
    let from = from.ok().and_then(|spans| spans.last().map(|span| span.range().start));
    let mut options = SurveyOptions::new();
    options.from = from;
    let survey = survey(&view, &options, None, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    survey.findings.iter().map(|finding| finding.kind.name()).collect()
}
