//! Tests of logs whose header is damaged together with frames. Only the index records the header and the lost end;
//! every repair that does not change them keeps these records.

use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::LogView;
use chronicle::repair::{ApplyOptions, FindingSelector, Plan, RepairOptions, apply};
use chronicle::{DamageKind, Finding, IndexState, StorageError};

use super::repairs::{log_paths, plan};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{
    INDEX, LOG, disk_with_indexed_log, disk_with_log, finding_ranges, open_options, open_read_only, readable_offsets,
    survey_log,
};

/// Builds a log of 20 events with a fresh index, and damages the log: `flips` are offsets and bit masks, `cut` is the
/// remaining length.
fn damaged_log(flips: &[(usize, u8)], cut: Option<usize>) -> (SimDisk, Vec<u8>, Vec<u64>) {
    let (disk, offsets) = disk_with_indexed_log(20);
    let good = disk.get(LOG).unwrap();
    let mut bytes = good.clone();
    for (at, mask) in flips {
        bytes[*at] ^= mask;
    }
    bytes.truncate(cut.unwrap_or(bytes.len()));
    disk.overwrite(LOG, &bytes);
    (disk, good, offsets)
}

fn apply_plan(disk: &SimDisk, plan: &Plan) {
    apply(&log_paths(disk), plan, ApplyOptions::new()).unwrap();
}

/// Repairs the log and catches up the index, as the command does.
fn repair_and_catch_up(disk: &SimDisk, options: &RepairOptions) {
    apply_plan(disk, &plan(disk, options).unwrap());
    open_read_only(disk).save_index().unwrap();
}

fn only_kind(kind: DamageKind) -> RepairOptions {
    RepairOptions::new().only(FindingSelector::Kind(kind))
}

fn header_finding(disk: &SimDisk) -> Option<(&'static str, u64, u64)> {
    finding_ranges(&survey_log(disk)).into_iter().find(|(kind, ..)| *kind == "header")
}

#[test]
fn a_log_whose_version_is_damaged_can_be_opened_after_its_first_frames_were_repaired() {
    for (flips, options) in [
        (vec![(5, 0x10), (60, 4)], RepairOptions::new()),
        (vec![(7, 1), (60, 4)], RepairOptions::new().gap_undecided()),
        (vec![(5, 2), (1500, 4)], only_kind(DamageKind::Checksum)),
    ] {
        let (disk, good, offsets) = damaged_log(&flips, None);
        let before = readable_offsets(&disk);
        let planned = plan(&disk, &options).unwrap();
        apply_plan(&disk, &planned);
        assert!(header_finding(&disk).is_some(), "{flips:?}: before the index is caught up");
        open_read_only(&disk).save_index().unwrap();
        assert_eq!(header_finding(&disk), Some(("header", 0, 16)), "{flips:?}: after the index is caught up");
        let after = readable_offsets(&disk);
        assert!(before.iter().all(|offset| after.contains(offset)), "{flips:?}");
        // The index still records the header, which is proven once a valid frame follows it.
        repair_and_catch_up(&disk, &RepairOptions::new().accept_likely());
        assert_eq!(disk.get(LOG).unwrap()[..16], good[..16], "{flips:?}");
        assert_eq!(readable_offsets(&disk).len(), offsets.len(), "{flips:?}");
    }
}

#[test]
fn a_header_left_unrepaired_stays_a_finding_after_repairs_of_frames() {
    // No event contradicts the damaged time of creation; only the index records the right one.
    let (disk, good, _) = damaged_log(&[(13, 0x10), (60, 4)], None);
    assert!(header_finding(&disk).is_some());
    let first = plan(&disk, &RepairOptions::new()).unwrap();
    assert!(first.unrepaired.iter().any(|range| range.piece.kind == "header"), "{first:?}");
    apply_plan(&disk, &first);
    open_read_only(&disk).save_index().unwrap();
    assert!(header_finding(&disk).is_some(), "the header is reported again");
    repair_and_catch_up(&disk, &RepairOptions::new());
    assert_eq!(
        disk.get(LOG).unwrap(),
        good,
        "the header is restored from the index, proven by the frame that follows it now"
    );
}

#[test]
fn a_zeroed_header_is_restored_only_from_the_index() {
    for indexed in [true, false] {
        let (disk, good, _) = damaged_log(&[], None);
        let mut bytes = good.clone();
        bytes[..512].fill(0);
        disk.overwrite(LOG, &bytes);
        if !indexed {
            disk.put(super::support::INDEX, b"no index");
        }
        for _ in 0..2 {
            repair_and_catch_up(&disk, &RepairOptions::new());
            let now = disk.get(LOG).unwrap();
            assert!(now[..16] == [0; 16] || now[..16] == good[..16], "a guess was written: {:02x?}", &now[..16]);
        }
        repair_and_catch_up(&disk, &RepairOptions::new().accept_likely());
        let now = disk.get(LOG).unwrap();
        assert_eq!(now[..16] == good[..16], indexed, "{:02x?}", &now[..16]);
    }
}

#[test]
fn an_index_does_not_confirm_a_guessed_header() {
    let (disk, _) = disk_with_log(20);
    let mut bytes = disk.get(LOG).unwrap();
    // A time of creation after the first event is not plausible, so that it is guessed from that event.
    bytes[..4].copy_from_slice(b"NOPE");
    bytes[8] = 0x7f;
    disk.overwrite(LOG, &bytes);
    for _ in 0..2 {
        let planned = plan(&disk, &RepairOptions::new()).unwrap();
        assert!(planned.steps.is_empty() && planned.unrepaired.len() == 1, "{planned:?}");
        open_read_only(&disk).save_index().unwrap();
    }
    // Once the user has accepted the header, the index trusts it.
    repair_and_catch_up(&disk, &RepairOptions::new().accept_likely());
    assert_eq!(header_finding(&disk), None);
    open_read_only(&disk).save_index().unwrap();
    let mut bytes = disk.get(LOG).unwrap();
    let accepted = bytes.clone();
    bytes[12] ^= 1;
    disk.overwrite(LOG, &bytes);
    assert!(header_finding(&disk).is_some());
    repair_and_catch_up(&disk, &RepairOptions::new());
    assert_eq!(disk.get(LOG).unwrap(), accepted);
}

#[test]
fn a_lost_end_stays_a_finding_after_repairs_before_it() {
    for (flips, cut) in [(vec![(13, 0x10), (1150, 4)], 1700), (vec![(13, 0x10), (60, 4)], 1700), (vec![(60, 4)], 1650)]
    {
        let (disk, good, offsets) = damaged_log(&flips, Some(cut));
        // Returns the range of the lost end and the end that the index records. The number of lost events may include a
        // damaged event.
        let truncated = |disk: &SimDisk| {
            let survey = survey_log(disk);
            let finding = survey.findings.iter().find(|finding| finding.kind == DamageKind::Truncated);
            let finding = finding.unwrap_or_else(|| unreachable!("{flips:?}: {:?}", survey.findings));
            let lost = offsets.iter().filter(|offset| **offset >= finding.start).count() as u64;
            let missing = finding.evidence.events_missing.unwrap();
            assert!((lost..=lost + 1).contains(&missing), "{flips:?}: {missing} of {lost} are missing");
            (finding.range(), finding.evidence.log_end_offset)
        };
        let before = truncated(&disk);
        assert_eq!(before.1, Some(good.len() as u64));
        apply_plan(&disk, &plan(&disk, &only_kind(DamageKind::Checksum)).unwrap());
        assert_eq!(truncated(&disk), before, "{flips:?}: before the index is caught up");
        open_read_only(&disk).save_index().unwrap();
        assert_eq!(truncated(&disk), before, "{flips:?}: after the index is caught up");
        assert!(matches!(open_read_only(&disk).view().index_state(), IndexState::Ahead { .. }));
        let refused = open_options(&disk).open(LOG).unwrap_err();
        assert!(matches!(refused, StorageError::Truncated { .. }), "no offset of a lost event is reused: {refused}");
    }
}

#[test]
fn a_killed_repair_of_a_damaged_version_is_reported_by_read_only_opens() {
    let (disk, ..) = damaged_log(&[(5, 0x10), (60, 4)], None);
    let planned = plan(&disk, &RepairOptions::new()).unwrap();
    let mut pending = 0;
    for call in 0.. {
        let probe = disk.next_process();
        probe.fail_if_reached(call, DiskFault::Kill);
        let done = apply(&log_paths(&probe), &planned, ApplyOptions::new()).is_ok();
        let after_kill = probe.next_process();
        let log = open_options(&after_kill)
            .open_read_only(Path::new(LOG))
            .unwrap_or_else(|error| unreachable!("{call}: {error}"));
        pending += u32::from(log.pending_repair().unwrap().is_some());
        if done && probe.faulted_call().is_none() {
            break;
        }
    }
    assert!(pending > 2, "{pending}");
}

#[test]
fn cutting_a_tail_keeps_the_header_record_of_the_index() {
    let (disk, good, _) = damaged_log(&[], None);
    let mut bytes = good.clone();
    bytes.extend_from_slice(&[0; 50]);
    disk.overwrite(LOG, &bytes);
    open_read_only(&disk).save_index().unwrap();
    for mask in [vec![(14, 0xff)], vec![(5, 2), (8, 0xff)]] {
        let mut bytes = bytes.clone();
        for (at, mask) in &mask {
            bytes[*at] ^= *mask;
        }
        let disk = disk.next_process();
        disk.overwrite(LOG, &bytes);
        for by_append in [true, false] {
            let disk = disk.next_process();
            if by_append {
                drop(open_options(&disk).open(LOG).unwrap());
            } else {
                apply_plan(&disk, &plan(&disk, &only_kind(DamageKind::Zeros)).unwrap());
            }
            assert!(
                header_finding(&disk).is_some(),
                "{mask:?} {by_append}: {:?}",
                open_read_only(&disk).view().index_state()
            );
            open_read_only(&disk).save_index().unwrap();
            assert!(
                header_finding(&disk).is_some(),
                "{mask:?} {by_append}: {:?}",
                open_read_only(&disk).view().index_state()
            );
            repair_and_catch_up(&disk, &RepairOptions::new());
            assert_eq!(disk.get(LOG).unwrap(), good);
        }
    }
}

#[test]
fn a_rebuilt_index_keeps_the_record_of_a_lost_end_that_other_bytes_replaced() {
    let (disk, good, offsets) = damaged_log(&[], None);
    let mut zeroed = good.clone();
    let torn = offsets[15] as usize + 40;
    zeroed[torn..].fill(0);
    for bytes in [zeroed, [&good[..torn], &[0; 9000]].concat()] {
        let disk = disk.next_process();
        disk.overwrite(LOG, &bytes);
        let before = finding_ranges(&survey_log(&disk));
        assert!(before.iter().all(|(kind, ..)| *kind != "torn_tail"), "{before:?}");
        let mut log = open_read_only(&disk);
        log.reindex_from(0).unwrap();
        log.save_index().unwrap();
        assert_eq!(finding_ranges(&survey_log(&disk)), before);
        drop(open_options(&disk).open(LOG).unwrap());
        assert_eq!(disk.get(LOG).unwrap(), bytes, "bytes that the index covers are not cut");
    }
}

#[test]
fn a_rebuilt_index_keeps_the_header_of_a_log_cut_within_it_and_forgetting_it_is_refused() {
    for cut in [0, 5, 15] {
        let (disk, good, _) = damaged_log(&[], Some(cut));
        let mut log = open_read_only(&disk);
        log.reindex_from(0).unwrap();
        log.save_index().unwrap();
        let forget = plan(&disk, &RepairOptions::new().forget_lost_end()).unwrap_err();
        assert!(matches!(forget, StorageError::Refused { .. }), "{forget}");
        apply_plan(&disk, &plan(&disk, &RepairOptions::new()).unwrap());
        assert_eq!(disk.get(LOG).unwrap()[..16], good[..16], "{cut}");
        assert_eq!(survey_log(&disk).damage_total, 0, "{cut}");
    }
}

#[test]
fn every_decision_about_the_header_is_about_the_bytes_of_one_read() {
    let (disk, _) = disk_with_indexed_log(6);
    let (intact, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let mut damaged = intact.clone();
    damaged[0] ^= 1;
    let open = |disk: &SimDisk| LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap();
    let found = |finding: &Finding| finding.evidence.header_found.clone().unwrap();
    let hex = |bytes: &[u8]| bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>();

    for files in [vec![(LOG, damaged.as_slice()), (INDEX, index.as_slice())], vec![(LOG, damaged.as_slice())]] {
        let disk = SimDisk::with_files(&files);
        let view = open(&disk);
        assert_eq!(found(&view.header_finding().unwrap()), hex(&damaged));
        disk.overwrite(LOG, &intact);
        assert_eq!(view.header_finding(), None, "the header is intact now");
        disk.overwrite(LOG, &damaged);
        assert_eq!(found(&view.header_finding().unwrap()), hex(&damaged));
        for read in 0.. {
            let disk = SimDisk::with_files(&files);
            disk.change_before_read(read, LOG, &intact);
            let finding = open(&disk).header_finding();
            if let Some(finding) = finding {
                assert_eq!(found(&finding), hex(&damaged), "read {read}");
                assert!(finding.evidence.reason.unwrap().starts_with("the magic"), "read {read}");
            }
            if disk.has_scheduled_change() {
                assert!(read > 3, "the header and the frames are read");
                break;
            }
        }
    }
}
