//! Tests logs of version 2: damage is found and repaired as in version 1, and what version 1 cannot see is damage.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::LogView;
use chronicle::internal::format::FrameFormat;
use chronicle::internal::format::frame::encode_at;
use chronicle::repair::{
    ApplyOptions, Certainty, CopyOptions, RepairOptions, apply, migrate, plan_repair, recover, salvage,
};
use chronicle::{LogHeader, LogId, NewLogFormat, StorageError};

use super::file_start::version_0_log;
use super::repairs::{log_paths, plan, plan_from_donor, undo};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{
    INDEX, LOG, event, finding_ranges, frame_payloads, log_bytes, open_options, open_read_only, readable_offsets,
    survey_log,
};

const NEW: &str = "/data/new.log";
const DONOR: &str = "/data/donor.log";
/// Length of the header of version 2.
const HEADER_2: usize = 64;
/// The difference of the offsets of the same frames in the two versions.
const SHIFT: usize = HEADER_2 - 16;
const ID: LogId = LogId::from_bytes(*b"0123456789abcdef");

/// Returns the bytes of a log of version 2 with this id and these payloads, and the offsets of the frames.
fn log_of_payloads(id: LogId, payloads: &[Vec<u8>]) -> (Vec<u8>, Vec<u64>) {
    let mut bytes = LogHeader::of_log(id, 7).encode().to_vec();
    let offsets = payloads.iter().map(|payload| {
        let offset = bytes.len() as u64;
        encode_at(FrameFormat::of_log(id), offset, payload, &mut bytes);
        offset
    });
    let offsets = offsets.collect();
    (bytes, offsets)
}

/// Returns the same events as logs of version 1 and 2, with the offsets of version 2.
fn both_versions(events: usize) -> (Vec<u8>, Vec<u8>, Vec<u64>) {
    let (first, _) = log_bytes(events);
    let (second, offsets) = log_of_payloads(ID, &frame_payloads(&first));
    (first, second, offsets)
}

fn disk_with(log: &[u8]) -> SimDisk {
    SimDisk::with_files(&[(LOG, log)])
}

/// Returns a disk with a log of version 2 and its index, and the offsets of the events.
fn indexed_disk(events: usize) -> (SimDisk, Vec<u64>) {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).format(NewLogFormat::V2(ID)).create(LOG).unwrap();
    let offsets = (0..events).map(|n| log.append_sync(&event(1 + n as u64 % 3, n)).unwrap()).collect();
    log.save_index().unwrap();
    (disk, offsets)
}

fn shifted(found: Vec<(&'static str, u64, u64)>) -> Vec<(&'static str, u64, u64)> {
    found.into_iter().map(|(kind, start, end)| (kind, start + SHIFT as u64, end + SHIFT as u64)).collect()
}

/// Damages the same bytes of the same events in both versions, and compares what is found, planned, repaired and undone.
fn compare_versions(first: &[u8], second: &[u8], case: &str, repairs: bool) {
    let (disk_1, disk_2) = (disk_with(first), disk_with(second));
    let found = finding_ranges(&survey_log(&disk_2));
    assert_eq!(found, shifted(finding_ranges(&survey_log(&disk_1))), "{case}");
    if !repairs {
        return;
    }
    let options = RepairOptions::new().gap_undecided();
    let (plan_1, plan_2) = (plan(&disk_1, &options).unwrap(), plan(&disk_2, &options).unwrap());
    let steps = |plan: &chronicle::repair::Plan, shift: u64| {
        let step = |step: &chronicle::repair::RepairStep| {
            (
                step.action,
                step.certainty,
                step.start + shift,
                step.end + shift,
                step.new_end + shift,
                step.restored_events,
            )
        };
        plan.steps.iter().map(step).collect::<Vec<_>>()
    };
    assert_eq!(steps(&plan_2, 0), steps(&plan_1, SHIFT as u64), "{case}");
    for (disk, plan, before) in [(&disk_1, &plan_1, first), (&disk_2, &plan_2, second)] {
        if !plan.steps.is_empty() {
            apply(&log_paths(disk), plan, ApplyOptions::new().full_check()).unwrap();
            assert_eq!(survey_log(disk).damage_total, 0, "{case}");
            let repaired = readable_offsets(disk);
            undo(disk).unwrap();
            assert_eq!(disk.get(LOG).unwrap(), before, "{case}");
            apply(&log_paths(disk), plan, ApplyOptions::new()).unwrap();
            assert_eq!(readable_offsets(disk), repaired, "{case}");
        }
    }
    let moved: Vec<u64> = readable_offsets(&disk_1).iter().map(|offset| offset + SHIFT as u64).collect();
    assert_eq!(readable_offsets(&disk_2), moved, "{case}");
}

#[test]
fn every_flipped_bit_and_every_cut_is_found_and_repaired_as_in_version_1() {
    let (first, second, _) = both_versions(3);
    for byte in 16..first.len() {
        for bit in 0..8 {
            let (mut damaged_1, mut damaged_2) = (first.clone(), second.clone());
            damaged_1[byte] ^= 1 << bit;
            damaged_2[byte + SHIFT] ^= 1 << bit;
            let repairs = (byte + bit) % 11 == 0;
            compare_versions(&damaged_1, &damaged_2, &format!("bit {bit} of byte {byte}"), repairs);
        }
    }
    for len in 16..first.len() {
        compare_versions(&first[..len], &second[..len + SHIFT], &format!("cut at {len}"), len % 3 == 0);
    }
}

#[test]
fn noise_zeros_and_damaged_lengths_are_found_and_repaired_as_in_version_1() {
    // The checksums of long frames are computed from prefix checksums while a frame is searched.
    let long = |n: usize| {
        let text = "a".repeat(1100 + 700 * n);
        let name = format!(
            r#"{{"write_timestamp_ms":1,"event_type":"E","namespace":"n","schema_id":"S","schema_version":1,"payload":"{text}"}}"#
        );
        name.into_bytes()
    };
    let mut payloads = frame_payloads(&log_bytes(6).0);
    payloads.extend((0..6).map(long));
    payloads.rotate_left(3);
    let mut first = LogHeader::new(7).encode().to_vec();
    for payload in &payloads {
        encode_at(FrameFormat::V1, 0, payload, &mut first);
    }
    let (second, _) = log_of_payloads(ID, &payloads);
    let mut state = 7u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    for case in 0..300 {
        let (mut damaged_1, mut damaged_2) = (first.clone(), second.clone());
        for _ in 0..=random(3) {
            let start = 16 + random(first.len() - 16);
            let longest = [4, 60, 600][random(3)];
            let end = (start + 1 + random(longest)).min(first.len());
            let kind = random(3);
            for at in start..end {
                let value = if kind == 0 { 0 } else { random(256) as u8 };
                damaged_1[at] = value;
                damaged_2[at + SHIFT] = value;
            }
        }
        compare_versions(&damaged_1, &damaged_2, &format!("case {case}"), case % 4 == 0);
    }
}

#[test]
fn a_whole_frame_that_was_moved_duplicated_or_left_over_is_damage() {
    let payloads: Vec<Vec<u8>> = (0..6).map(|n| frame_payloads(&log_bytes(9).0)[n * 3 % 6 + 1].clone()).collect();
    let (whole, offsets) = log_of_payloads(ID, &payloads);
    let frame = |n: usize| offsets[n] as usize..offsets.get(n + 1).map_or(whole.len(), |end| *end as usize);
    let same_len = |a: usize, b: usize| frame(a).len() == frame(b).len();
    let (a, b) = (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b))).find(|(a, b)| same_len(*a, *b)).unwrap();
    // Two frames of the same length are exchanged.
    let mut swapped = whole.clone();
    swapped[frame(a)].copy_from_slice(&whole[frame(b)]);
    swapped[frame(b)].copy_from_slice(&whole[frame(a)]);
    let ranges = |found: Vec<(&str, u64, u64)>| found.iter().map(|(_, start, _)| *start).collect::<Vec<_>>();
    assert_eq!(ranges(finding_ranges(&survey_log(&disk_with(&swapped)))), [offsets[a], offsets[b]]);
    let copies: Vec<_> = survey_log(&disk_with(&swapped)).findings.iter().map(|found| found.evidence.copy_of).collect();
    // Each frame is at the place of the other one, so neither of them is valid where it was.
    assert_eq!(copies, [None, None]);
    let mut overwritten = whole.clone();
    overwritten[frame(b)].copy_from_slice(&whole[frame(a)]);
    let found = survey_log(&disk_with(&overwritten)).findings;
    assert_eq!((found.len(), found[0].start, found[0].evidence.copy_of), (1, offsets[b], Some(offsets[a])));
    // The last frame is written again.
    let duplicated = [whole.as_slice(), &whole[frame(5)]].concat();
    let found = survey_log(&disk_with(&duplicated));
    assert_eq!((found.events, ranges(finding_ranges(&found))), (6, vec![whole.len() as u64]));
    assert_eq!(found.findings[0].evidence.copy_of, Some(offsets[5]));
    // A frame of another log is at its own offset.
    let (other, _) = log_of_payloads(LogId::from_bytes([9; 16]), &payloads);
    let mut mixed = whole.clone();
    mixed[frame(3)].copy_from_slice(&other[frame(3)]);
    assert_eq!(ranges(finding_ranges(&survey_log(&disk_with(&mixed)))), [offsets[3]]);
    assert_eq!(readable_offsets(&disk_with(&mixed)).len(), 5);
    assert_eq!(survey_log(&disk_with(&mixed)).findings[0].evidence.copy_of, None);
    // The checksum alone is no proof of a copy: the frame at that place has other bytes.
    let mut elsewhere = whole.clone();
    let mut bytes = Vec::new();
    encode_at(FrameFormat::of_log(ID), offsets[0], &payloads[2], &mut bytes);
    elsewhere[frame(2)].copy_from_slice(&bytes);
    let found = survey_log(&disk_with(&elsewhere)).findings;
    assert_eq!((found[0].start, found[0].evidence.copy_of), (offsets[2], None));
    // A program that knows only version 1 has written a frame.
    let mut old = whole.clone();
    let mut bytes = Vec::new();
    encode_at(FrameFormat::V1, 0, &payloads[2], &mut bytes);
    old[frame(2)].copy_from_slice(&bytes);
    let found = survey_log(&disk_with(&old)).findings;
    assert_eq!((found.len(), found[0].start, found[0].evidence.is_version_1), (1, offsets[2], true));
}

#[test]
fn every_damaged_bit_of_the_header_is_proven_and_no_event_is_lost() {
    let (_, whole, offsets) = both_versions(3);
    for bit in 0..8 * HEADER_2 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 0x80 >> (bit % 8);
        let disk = disk_with(&damaged);
        assert_eq!(finding_ranges(&survey_log(&disk)), [("header", 0, HEADER_2 as u64)], "bit {bit}");
        assert_eq!(readable_offsets(&disk), offsets, "bit {bit}");
        // Nothing is said about an index, which the log does not have.
        let reason = survey_log(&disk).findings[0].evidence.reason.clone().unwrap();
        assert!(!reason.contains("index") && !reason.contains("lost"), "bit {bit}: {reason}");
        let plan = plan(&disk, &RepairOptions::new()).unwrap();
        assert_eq!(plan.steps[0].certainty, Some(Certainty::Proven), "bit {bit}");
        apply(&log_paths(&disk), &plan, ApplyOptions::new().full_check()).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), whole, "bit {bit}");
        undo(&disk).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), damaged, "bit {bit}");
    }
}

#[test]
fn a_lost_header_loses_no_event_and_comes_back_from_the_index_or_a_donor() {
    let (indexed, offsets) = indexed_disk(5);
    let (whole, index) = (indexed.get(LOG).unwrap(), indexed.get(INDEX).unwrap());
    for (lost, filler) in [(64, b'#'), (64, 0), (20, 0xFF), (40, b'x'), (60, 0)] {
        let case = format!("{lost} bytes of {filler:02x}");
        let mut damaged = whole.clone();
        damaged[..lost].fill(filler);
        let alone = disk_with(&damaged);
        assert_eq!(finding_ranges(&survey_log(&alone)), [("header", 0, 64)], "{case}");
        assert_eq!(readable_offsets(&alone), offsets, "{case}");
        let says_id_is_lost = |disk: &SimDisk| {
            survey_log(disk).findings[0].evidence.reason.as_ref().unwrap().contains("the id of the log is lost")
        };
        assert!(says_id_is_lost(&alone), "{case}");
        let likely = plan(&alone, &RepairOptions::new().accept_likely()).unwrap();
        assert_eq!(likely.steps[0].certainty, Some(Certainty::Likely), "{case}");
        apply(&log_paths(&alone), &likely, ApplyOptions::new().full_check()).unwrap();
        let mut log = open_options(&alone).open(LOG).unwrap();
        let next = log.append_sync(&event(1, 9)).unwrap();
        drop(log);
        assert_eq!(next, whole.len() as u64);
        assert_eq!(survey_log(&alone).damage_total, 0, "{case}");

        let indexed = SimDisk::with_files(&[(LOG, &damaged), (INDEX, &index)]);
        assert!(!says_id_is_lost(&indexed), "{case}");
        let plan_by_index = plan(&indexed, &RepairOptions::new()).unwrap();
        assert_eq!(plan_by_index.steps[0].certainty, Some(Certainty::Proven), "{case}");
        apply(&log_paths(&indexed), &plan_by_index, ApplyOptions::new().full_check()).unwrap();
        assert_eq!(indexed.get(LOG).unwrap(), whole, "{case}");

        let with_donor = SimDisk::with_files(&[(LOG, &damaged), (DONOR, &whole)]);
        let by_donor = plan_from_donor(&with_donor, &RepairOptions::new(), Some(DONOR)).unwrap();
        apply(&log_paths(&with_donor), &by_donor, ApplyOptions::new().full_check()).unwrap();
        assert_eq!(with_donor.get(LOG).unwrap(), whole, "{case}");
    }
}

#[test]
fn a_log_that_was_cut_within_its_header_is_restored_by_its_index_and_a_donor() {
    let (indexed, _) = indexed_disk(5);
    let (whole, index) = (indexed.get(LOG).unwrap(), indexed.get(INDEX).unwrap());
    for cut in [0, 8, 16, 40, 63] {
        let disk = SimDisk::with_files(&[(LOG, &whole[..cut]), (INDEX, &index), (DONOR, &whole)]);
        assert_eq!(survey_log(&disk).findings[0].kind.name(), "truncated", "cut at {cut}");
        let by_donor = plan_from_donor(&disk, &RepairOptions::new(), Some(DONOR)).unwrap();
        apply(&log_paths(&disk), &by_donor, ApplyOptions::new().full_check()).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), whole, "cut at {cut}");
        undo(&disk).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), &whole[..cut], "cut at {cut}");
        // Without a donor, the header comes from the index, and a gap replaces the rest.
        let by_index = plan(&disk, &RepairOptions::new().gap_undecided()).unwrap();
        apply(&log_paths(&disk), &by_index, ApplyOptions::new().full_check()).unwrap();
        let repaired = disk.get(LOG).unwrap();
        assert_eq!((&repaired[..HEADER_2], repaired.len()), (&whole[..HEADER_2], whole.len()), "cut at {cut}");
        assert_eq!(survey_log(&disk).damage_total, 0, "cut at {cut}");
    }
}

#[test]
fn a_damaged_header_keeps_its_id_and_its_creation_time_when_the_frames_agree() {
    let (_, whole, _) = both_versions(3);
    let mut magic_lost = whole.clone();
    magic_lost[..8].fill(b'#');
    let disk = disk_with(&magic_lost);
    let proven = plan(&disk, &RepairOptions::new()).unwrap();
    assert_eq!(proven.steps[0].certainty, Some(Certainty::Proven));
    apply(&log_paths(&disk), &proven, ApplyOptions::new().full_check()).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), whole);
    let mut time_lost = whole;
    time_lost[..16].fill(b'#');
    let disk = disk_with(&time_lost);
    let likely = plan(&disk, &RepairOptions::new().accept_likely()).unwrap();
    assert_eq!(likely.steps[0].certainty, Some(Certainty::Likely));
    apply(&log_paths(&disk), &likely, ApplyOptions::new().full_check()).unwrap();
    let header = LogHeader::decode(&disk.get(LOG).unwrap()).unwrap();
    assert_eq!(header.segment.unwrap().log_id, ID);
}

#[test]
fn a_log_of_version_2_without_two_adjacent_frames_and_without_its_id_is_not_recognised() {
    let (_, whole, _) = both_versions(1);
    let mut damaged = whole;
    damaged[..HEADER_2].fill(b'#');
    let error = LogView::open(Arc::new(disk_with(&damaged)), Path::new(LOG), None).map(|view| view.log().version());
    assert!(!matches!(error, Ok(chronicle::internal::format::Version::V2)), "{error:?}");
}

#[test]
fn a_log_of_version_2_is_appended_to_indexed_and_looked_up() {
    let (disk, offsets) = indexed_disk(7);
    assert_eq!(offsets[0], HEADER_2 as u64);
    let mut log = open_options(&disk).open(LOG).unwrap();
    let batch = log.append_batch(&[event(2, 7), event(3, 8)], chronicle::Durability::Synced).unwrap();
    drop(log);
    let all = [offsets.clone(), batch].concat();
    assert_eq!(readable_offsets(&disk), all);
    let log = open_read_only(&disk);
    assert_eq!(log.header().unwrap().segment.unwrap().log_id, ID);
    let of_two: Vec<u64> = log.load_aggregate(2).unwrap().iter().map(chronicle::StoredEvent::offset).collect();
    assert_eq!(of_two, [offsets[1], offsets[4], all[7]]);
    assert_eq!(survey_log(&disk).damage_total, 0);
}

#[test]
fn a_lost_end_is_known_from_the_index_and_comes_back_from_a_donor_of_the_same_log_only() {
    let (indexed, offsets) = indexed_disk(6);
    let (whole, index) = (indexed.get(LOG).unwrap(), indexed.get(INDEX).unwrap());
    let cut = &whole[..offsets[3] as usize + 20];
    let disk = SimDisk::with_files(&[(LOG, cut), (INDEX, &index), (DONOR, &whole)]);
    assert_eq!(finding_ranges(&survey_log(&disk)), [("truncated", offsets[3], cut.len() as u64)]);
    assert!(matches!(open_options(&disk).open(LOG), Err(StorageError::Truncated { .. })));
    let plan = plan_from_donor(&disk, &RepairOptions::new(), Some(DONOR)).unwrap();
    apply(&log_paths(&disk), &plan, ApplyOptions::new().full_check()).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), whole);

    let (other, _) = log_of_payloads(LogId::from_bytes([1; 16]), &frame_payloads_2(&whole, &offsets));
    let disk = SimDisk::with_files(&[(LOG, cut), (INDEX, &index), (DONOR, &other)]);
    let refused = plan_from_donor(&disk, &RepairOptions::new(), Some(DONOR)).unwrap_err();
    assert!(refused.to_string().contains("another log"), "{refused}");
}

/// Returns the payloads of the frames of a log of version 2 without damage.
fn frame_payloads_2(log: &[u8], offsets: &[u64]) -> Vec<Vec<u8>> {
    let ends = offsets.iter().skip(1).copied().chain([log.len() as u64]);
    offsets.iter().zip(ends).map(|(start, end)| log[*start as usize + 4..end as usize - 4].to_vec()).collect()
}

#[test]
fn migration_writes_version_2_and_salvage_keeps_the_version() {
    let (version_0, _) = version_0_log(5);
    let (version_1, version_2, _) = both_versions(5);
    let copy_payloads = |disk: &SimDisk| {
        let view = LogView::open(Arc::new(disk.clone()), Path::new(NEW), None).unwrap();
        let id = LogHeader::decode(&view.header_bytes().unwrap()).unwrap().segment.unwrap().log_id;
        let events = open_options(disk).open_read_only(NEW).unwrap();
        let offsets: Vec<u64> = events.replay(0).unwrap().map(|event| event.unwrap().offset()).collect();
        (id, frame_payloads_2(&disk.get(NEW).unwrap(), &offsets))
    };
    for (name, bytes) in [("0", &version_0), ("1", &version_1), ("2", &version_2)] {
        let disk = disk_with(bytes);
        let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap();
        let options = CopyOptions::new(NEW).format(NewLogFormat::V2(ID));
        let copied = migrate(&view, &options, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(copied.events_kept, 5, "version {name}");
        let (id, payloads) = copy_payloads(&disk);
        assert_eq!((id, payloads.len()), (ID, 5), "version {name}");
        if name != "0" {
            assert_eq!(payloads, frame_payloads(&version_1), "version {name}");
        }
        let refused = migrate(&view, &CopyOptions::new("/data/x.log"), &mut |_| ControlFlow::Continue(()));
        assert_eq!(refused.is_err(), name != "0", "version {name}");
    }
    let mut damaged = version_2;
    let second = HEADER_2 + frame_payloads(&version_1)[0].len() + 8;
    damaged[second + 30..second + 90].fill(b'~');
    let disk = disk_with(&damaged);
    let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap();
    salvage(&view, &CopyOptions::new(NEW), &mut |_| ControlFlow::Continue(())).unwrap();
    let (id, payloads) = copy_payloads(&disk);
    assert_ne!(id, ID, "a copy with other offsets is another log");
    let mut kept = frame_payloads(&version_1);
    kept.remove(1);
    assert_eq!(payloads, kept);
}

#[test]
fn a_repair_that_is_killed_at_any_call_is_completed_or_rolled_back() {
    for header_is_damaged in [false, true] {
        kill_repair_at_every_call(header_is_damaged);
    }
}

fn kill_repair_at_every_call(header_is_damaged: bool) {
    let (indexed, offsets) = indexed_disk(6);
    let mut damaged = indexed.get(LOG).unwrap();
    damaged[9] ^= if header_is_damaged { 0x10 } else { 0 };
    damaged[offsets[1] as usize + 50] ^= 4;
    damaged[offsets[3] as usize..offsets[4] as usize + 30].fill(0);
    let index = indexed.get(INDEX).unwrap();
    let disk = SimDisk::with_files(&[(LOG, &damaged), (INDEX, &index)]);
    let planned = |disk: &SimDisk| {
        let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap();
        let options = RepairOptions::new().gap_undecided();
        plan_repair(&view, &options, &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let probe = disk.next_process();
    let plan = planned(&probe);
    apply(&log_paths(&probe), &plan, ApplyOptions::new()).unwrap();
    let (calls, repaired) = (probe.calls(), probe.get(LOG).unwrap());
    assert!(calls > 8, "{calls} calls");
    let (mut completed, mut rolled_back) = (0, 0);
    for call in 0..calls {
        let disk = disk.next_process();
        let plan = planned(&disk);
        disk.fail(call, DiskFault::Kill);
        let _killed = apply(&log_paths(&disk), &plan, ApplyOptions::new());
        let after = disk.next_process();
        recover(&log_paths(&after)).unwrap();
        let log = after.get(LOG).unwrap();
        assert!(log == repaired || log == damaged, "killed at call {call}");
        *(if log == repaired { &mut completed } else { &mut rolled_back }) += 1;
    }
    assert!(completed > 0 && rolled_back > 0, "{completed} completed, {rolled_back} rolled back");
}

#[test]
fn a_later_segment_is_read_by_itself_and_not_changed() {
    let mut header = LogHeader::of_log(ID, 7);
    header.segment.as_mut().unwrap().base = 4096;
    header.segment.as_mut().unwrap().number = 1;
    let disk = disk_with(&header.encode());
    assert_eq!(open_options(&disk).open_read_only(LOG).unwrap().len().unwrap(), 4096 + 64);
    let error = open_options(&disk).open(LOG).unwrap_err();
    assert!(matches!(error, StorageError::SegmentOfLog { number: 1, base: 4096, .. }), "{error}");
}
