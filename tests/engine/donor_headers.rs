//! Tests of logs whose header is damaged and of which a donor is a copy: the donor's header is offered, and a file that is
//! otherwise not a log is recognised by the donor.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::StorageError;
use chronicle::inspect::{DiffListing, LogView, diff};
use chronicle::repair::{
    ApplyOptions, CandidateChoice, Certainty, CopyOptions, Plan, RepairOptions, apply, plan_repair, recover, salvage,
};

use super::repairs::{action_names, log_paths, plan_from_donor, undo};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{INDEX, LOG, disk_with_indexed_log, disk_with_log, log_bytes, open_options, survey_log};

const DONOR: &str = "/data/donor.log";
const NEW: &str = "/data/new.log";

fn plan(disk: &SimDisk, options: &RepairOptions) -> Plan {
    plan_from_donor(disk, options, Some(DONOR)).unwrap()
}

/// Opens the log, which the donor may have to recognise.
fn open_as_copy(disk: &SimDisk) -> Result<LogView, StorageError> {
    open_options(disk).copy_of(DONOR).open_read_only(LOG).map(|log| log.view().clone())
}

fn salvage_from_donor(disk: &SimDisk) -> Vec<u8> {
    let options = CopyOptions::new(NEW).donor(DONOR).replace();
    salvage(&open_as_copy(disk).unwrap(), &options, &mut |_| ControlFlow::Continue(())).unwrap();
    disk.get(NEW).unwrap()
}

#[test]
fn the_header_of_a_donor_with_the_same_events_is_taken_with_the_frames_after_it() {
    let (whole, offsets) = log_bytes(20);
    let starts: [(usize, u8); 4] = [(16, 0xaa), (16, 0), (60, 0), (offsets[4] as usize + 30, b'#')];
    for (len, byte) in starts {
        let case = format!("{len} bytes of {byte:02x}");
        let mut bytes = whole.clone();
        bytes[..len].fill(byte);
        let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &whole)]);
        let plan = plan(&disk, &RepairOptions::new());
        assert_eq!((action_names(&plan), plan.unrepaired.len()), (vec!["take_from_donor"], 0), "{case}: {plan:?}");
        assert_eq!((plan.steps[0].certainty, plan.steps[0].start), (Some(Certainty::Proven), 0), "{case}");
        let damaged_events = offsets.iter().filter(|at| **at < len as u64).count();
        assert_eq!(plan.restored_events(), damaged_events as u64, "{case}: the header is no event");
        assert_eq!(salvage_from_donor(&disk), whole, "{case}");
        let mut calls = 0;
        for call in 0.. {
            let failing = disk.next_process();
            failing.fail_if_reached(call, DiskFault::Kill);
            let _ = apply(&log_paths(&failing), &plan, ApplyOptions::new());
            if failing.faulted_call().is_none() {
                break;
            }
            let next = failing.next_process();
            recover(&log_paths(&next)).unwrap();
            let now = next.get(LOG).unwrap();
            assert!(now == bytes || now == whole, "{case}: a kill at call {call} leaves other bytes");
            calls = call;
        }
        assert!(calls > 10, "{case}");
        let disk = disk.next_process();
        apply(&log_paths(&disk), &plan, ApplyOptions::new().full_check()).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), whole, "{case}");
        undo(&disk).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), bytes, "{case}");
    }
}

#[test]
fn the_header_of_a_donor_with_other_events_is_not_taken() {
    let (whole, _) = log_bytes(20);
    let other = disk_with_log(20).0.get(LOG).unwrap();
    let mut bytes = whole.clone();
    bytes[..16].fill(0xaa);
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &other)]);
    let left = plan(&disk, &RepairOptions::new());
    assert!(left.steps.is_empty() && left.unrepaired.len() == 1, "{left:?}");
    assert!(left.notes.iter().any(|note| note.contains("has another header")), "{:?}", left.notes);
    let likely = plan(&disk, &RepairOptions::new().accept_likely());
    assert_eq!(action_names(&likely), ["rebuild_header"]);
    // A creation time that no event contradicts is the log's own, and proven without a donor.
    let mut bytes = whole.clone();
    bytes[..4].fill(0xaa);
    disk.put(LOG, &bytes);
    for donor in [&whole, &other] {
        disk.put(DONOR, donor);
        let own = plan(&disk, &RepairOptions::new());
        assert_eq!((action_names(&own), own.steps[0].certainty), (vec!["rebuild_header"], Some(Certainty::Proven)));
    }
    // The damaged header of a donor is not taken.
    let mut damaged_donor = whole.clone();
    damaged_donor[..16].fill(0xbb);
    let mut bytes = whole;
    bytes[..16].fill(0xaa);
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &damaged_donor)]);
    assert!(plan(&disk, &RepairOptions::new()).steps.is_empty());
}

#[test]
fn a_log_that_was_cut_within_a_damaged_header_is_restored_by_a_donor() {
    let (indexed, offsets) = disk_with_indexed_log(6);
    let (whole, index) = (indexed.get(LOG).unwrap(), indexed.get(INDEX).unwrap());
    let older = whole[..offsets[4] as usize].to_vec();
    let mut damaged_donor = whole.clone();
    damaged_donor[offsets[1] as usize + 60] ^= 0x55;
    for cut in [1, 8, 15] {
        for (donor, is_whole) in [(&whole, true), (&older, false), (&damaged_donor, false)] {
            let disk = SimDisk::with_files(&[(LOG, &vec![b'#'; cut]), (INDEX, &index), (DONOR, donor)]);
            let plan = plan(&disk, &RepairOptions::new().gap_undecided());
            assert_eq!((plan.steps.len(), plan.steps[0].start), (1, 0), "cut at {cut}: {plan:?}");
            apply(&log_paths(&disk), &plan, ApplyOptions::new().full_check()).unwrap();
            let repaired = disk.get(LOG).unwrap();
            assert_eq!(repaired[..16], whole[..16], "cut at {cut}");
            assert_eq!(repaired == whole, is_whole, "cut at {cut}");
            assert_eq!(survey_log(&disk).damage_total, 0, "cut at {cut}");
            undo(&disk).unwrap();
            assert_eq!(disk.get(LOG).unwrap(), vec![b'#'; cut]);
        }
    }
}

#[test]
fn a_file_that_ends_within_the_header_is_restored_by_choice_when_its_bytes_are_those_of_the_donor_or_zeros() {
    let (whole, offsets) = log_bytes(6);
    let mut damaged_donor = whole.clone();
    damaged_donor[offsets[3] as usize + 60] ^= 0x55;
    for cut in 0..16 {
        for (bytes, donor) in [(&whole[..cut], &whole), (&[0; 16][..cut], &whole), (&whole[..cut], &damaged_donor)] {
            let disk = SimDisk::with_files(&[(LOG, bytes), (DONOR, donor)]);
            let view = open_as_copy(&disk).unwrap();
            let plan = |options: &RepairOptions| {
                plan_repair(&view, &options.clone().donor(DONOR), &mut |_| ControlFlow::Continue(())).unwrap()
            };
            let left = plan(&RepairOptions::new());
            assert_eq!((left.steps.len(), left.unrepaired.len()), (0, 1), "{cut}: {left:?}");
            let piece = &left.unrepaired[0].piece;
            assert_eq!((piece.kind.as_str(), piece.start, piece.end), ("header", 0, cut as u64), "{left:?}");
            assert!(left.unrepaired[0].reason.ends_with("use --choose 0=1"), "{cut}: {left:?}");
            // A salvage takes only what is proven, and reports the loss.
            let options = CopyOptions::new(NEW).donor(DONOR).replace();
            let copied = salvage(&view, &options, &mut |_| ControlFlow::Continue(())).unwrap();
            assert_eq!((copied.events_restored, copied.damage_total), (0, 1), "{cut}: {copied:?}");
            let chosen = plan(&RepairOptions::new().choose(CandidateChoice::new(0, 1)));
            assert_eq!(
                (action_names(&chosen), chosen.unrepaired.len()),
                (vec!["take_from_donor"], 0),
                "{cut}: {chosen:?}"
            );
            let before = disk.get(LOG).unwrap();
            apply(&log_paths(&disk), &chosen, ApplyOptions::new().full_check()).unwrap();
            let repaired = disk.get(LOG).unwrap();
            assert_eq!(repaired[..offsets[3] as usize], whole[..offsets[3] as usize], "{cut}");
            assert_eq!(repaired == whole, *donor == whole, "{cut}");
            assert_eq!(survey_log(&disk).damage_total, 0, "{cut}");
            undo(&disk).unwrap();
            assert_eq!(disk.get(LOG).unwrap(), before, "{cut}");
        }
        let other = SimDisk::with_files(&[(LOG, &vec![b'#'; cut + 1]), (DONOR, &whole)]);
        let opened = open_as_copy(&other).map(|_| ());
        assert!(opened.is_err(), "{cut}: other bytes");
    }
}

/// Damages the magic of a log, and every one of its frames.
fn without_valid_frames(whole: &[u8], frames: &[u64]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    bytes[..4].fill(b'#');
    for at in frames {
        bytes[*at as usize + 40..*at as usize + 90].fill(b'#');
    }
    bytes
}

#[test]
fn a_file_with_the_creation_time_of_a_donor_is_recognised_and_restored_by_choice() {
    let (whole, offsets) = log_bytes(3);
    let bytes = without_valid_frames(&whole, &offsets);
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &whole)]);
    assert!(matches!(LogView::open(Arc::new(disk.clone()), Path::new(LOG), None), Err(StorageError::NotALog { .. })));
    let view = open_as_copy(&disk).unwrap();
    let with = |options: RepairOptions| plan_repair(&view, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    let undecided = with(RepairOptions::new().donor(DONOR));
    assert!(undecided.steps.is_empty(), "no frame of the log shows that the donor is a copy: {undecided:?}");
    let starts: Vec<u64> = undecided.unrepaired.iter().map(|left| left.piece.start).collect();
    let choose = |options: RepairOptions, at: &u64| options.choose(CandidateChoice::new(*at, 1));
    let chosen = with(starts.iter().fold(RepairOptions::new().donor(DONOR), choose));
    assert_eq!((chosen.restored_events(), chosen.unrepaired.len()), (3, 0), "{chosen:?}");
    assert!(chosen.steps.iter().all(|step| step.certainty == Some(Certainty::Choice)), "{chosen:?}");
    apply(&log_paths(&disk), &chosen, ApplyOptions::new().full_check()).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), whole);
    undo(&disk).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), bytes);
    // Another creation time, or a creation time of zero, recognises nothing.
    let mut other = bytes.clone();
    other[15] ^= 1;
    disk.put(LOG, &other);
    assert!(matches!(open_as_copy(&disk), Err(StorageError::NotALog { .. })));
    let [mut zero_log, mut zero_donor] = [bytes, whole];
    zero_log[8..16].fill(0);
    zero_donor[8..16].fill(0);
    let disk = SimDisk::with_files(&[(LOG, &zero_log), (DONOR, &zero_donor)]);
    assert!(matches!(open_as_copy(&disk), Err(StorageError::NotALog { .. })));
}

#[test]
fn a_gap_never_replaces_a_header() {
    let (whole, offsets) = log_bytes(3);
    let disk = SimDisk::with_files(&[(LOG, &without_valid_frames(&whole, &offsets)), (DONOR, &whole)]);
    let view = open_as_copy(&disk).unwrap();
    for options in [RepairOptions::new().gap_undecided(), RepairOptions::new().gap_undecided().donor(DONOR)] {
        let plan = plan_repair(&view, &options, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(plan.unrepaired.first().map(|left| left.piece.kind.as_str()), Some("header"), "{plan:?}");
        let reason = if options.donors.is_empty() { "nothing shows what the header was" } else { "--choose 0=1" };
        assert!(plan.unrepaired[0].reason.contains(reason), "{plan:?}");
        assert!(!plan.steps.is_empty() && plan.steps.iter().all(|step| step.start >= 16), "{plan:?}");
    }
}

#[test]
fn a_file_whose_first_frame_is_far_from_its_start_is_recognised_by_a_donor() {
    // Frames are searched for in the first 64 MiB, and after them only when there is a donor.
    let (small, offsets) = log_bytes(4);
    let filler = vec![b'#'; 64 << 20];
    let [header, frames] = [&small[..16], &small[16..]];
    let donor = [header, &filler, frames].concat();
    let log = [&[b'#'; 16], filler.as_slice(), frames].concat();
    let disk = SimDisk::with_files(&[(LOG, &log), (DONOR, &donor)]);
    assert!(matches!(LogView::open(Arc::new(disk.clone()), Path::new(LOG), None), Err(StorageError::NotALog { .. })));
    let view = open_as_copy(&disk).unwrap();
    let copy = LogView::open(Arc::new(disk.clone()), Path::new(DONOR), None).unwrap();
    let compared = diff(&view, &copy, DiffListing::First, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((compared.counts[0], compared.total()), (1, 1), "only the header differs: {compared:?}");
    // A copy that has none of the frames at its offset recognises nothing.
    let shifted = [header, &filler, &[b'#'; 7], frames].concat();
    disk.put(DONOR, &shifted);
    assert!(matches!(open_as_copy(&disk), Err(StorageError::NotALog { .. })), "{offsets:?}");
}
