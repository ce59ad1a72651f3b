//! Tests repairs of headers of segments that follow from the other segments: with the frame before them damaged, next to another
//! damaged header, after a segment that is missing, and cut at the end of the log.

use chronicle::repair::{ApplyOptions, Plan, RepairAction, RepairOptions, apply, recover};

use super::lost_segments::{
    COPY, LOG, actions, bases, contents, donor, findings, names, new_log, paths, plan, read_only, remove, repair,
    segment, undo,
};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::random_choices;

/// Changes the bytes of the file of the segment at `base`.
fn change(disk: &SimDisk, base: u64, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = disk.get(&segment(base)).unwrap();
    edit(&mut bytes);
    disk.put(&segment(base), &bytes);
}

/// Removes the indexes of the log, which have copies of the headers.
fn remove_indexes(disk: &SimDisk) {
    for name in names(disk, LOG).into_iter().filter(|name| name.contains(".idx")) {
        remove(disk, &format!("{LOG}/{name}"));
    }
}

fn likely() -> RepairOptions {
    let mut options = RepairOptions::new();
    options.accept_likely = true;
    options
}

/// Returns the headers of the segments, without their creation times and checksums.
fn headers(disk: &SimDisk) -> Vec<Vec<u8>> {
    bases(disk)
        .into_iter()
        .map(|base| [0..8, 16..60].map(|range| disk.get(&segment(base)).unwrap()[range].to_vec()).concat())
        .collect()
}

/// Repairs the log with a check of the whole of it, and undoes the repair. The log has then the damage, and is repaired again.
fn repair_undo_repair(disk: &SimDisk, options: &RepairOptions) -> Plan {
    let before = contents(disk);
    repair(disk, options);
    assert!(findings(disk).iter().all(|(kind, ..)| *kind == "gap"));
    undo(disk);
    assert_eq!(contents(disk), before);
    repair(disk, options)
}

#[test]
fn a_header_has_the_checksum_of_a_frame_that_the_same_repair_restores() {
    let (good, _) = new_log(40);
    let all = bases(&good);
    let last_byte = good.get(&segment(all[1])).unwrap().len() - 1;
    // The last frame before the header is corrected, or taken from a copy.
    for (options, damaged_bytes) in [(likely(), 1), (likely().donor(COPY), 40)] {
        let disk = good.next_process();
        remove_indexes(&disk);
        change(&disk, all[1], |bytes| bytes[last_byte - damaged_bytes..last_byte].fill(b'?'));
        change(&disk, all[2], |bytes| bytes[..40].fill(7));
        let plan = repair_undo_repair(&disk, &options);
        assert_eq!(plan.steps.len(), 2, "{:?}", plan.steps);
        assert_eq!(headers(&disk), headers(&good));
    }
    // A gap in its place has no checksum to follow.
    let disk = good.next_process();
    remove_indexes(&disk);
    change(&disk, all[1], |bytes| bytes[last_byte - 40..last_byte].fill(b'?'));
    change(&disk, all[2], |bytes| bytes[..40].fill(7));
    repair_undo_repair(&disk, &likely());
    assert_eq!(disk.get(&segment(all[2])).unwrap()[44..48], [0; 4]);
}

#[test]
fn adjacent_headers_are_composed_with_ascending_numbers_and_the_frames_between_them() {
    let (good, _) = new_log(40);
    let all = bases(&good);
    let disk = good.next_process();
    remove_indexes(&disk);
    for base in &all[1..3] {
        change(&disk, *base, |bytes| bytes[..40].fill(7));
    }
    let plan = repair_undo_repair(&disk, &likely());
    assert_eq!(actions(&plan), [RepairAction::RebuildHeader; 2]);
    assert_eq!(headers(&disk), headers(&good));
}

#[test]
fn a_header_after_a_missing_segment_has_the_next_number() {
    let (good, _) = new_log(40);
    let all = bases(&good);
    for options in [likely().donor(COPY), likely()] {
        let disk = good.next_process();
        remove_indexes(&disk);
        remove(&disk, &segment(all[2]));
        change(&disk, all[3], |bytes| bytes[..40].fill(7));
        let plan = repair_undo_repair_with_losses(&disk, &options);
        assert_eq!(plan.steps.len(), 2);
        let found = headers(&disk);
        // Without the segment before it, its last checksum is not known.
        let expected = headers(&good)[3].clone();
        assert_eq!(found.iter().filter(|header| header[24..36] == expected[24..36]).count(), 1, "{found:?}");
    }
}

/// Repairs like [`repair_undo_repair`]; ranges can be given up.
fn repair_undo_repair_with_losses(disk: &SimDisk, options: &RepairOptions) -> Plan {
    let before = contents(disk);
    repair(disk, options);
    undo(disk);
    assert_eq!(contents(disk), before);
    repair(disk, options)
}

#[test]
fn the_last_segment_gets_back_a_header_that_was_cut() {
    let (good, _) = new_log(40);
    let last = *bases(&good).last().unwrap();
    let end = read_only(&good).len().unwrap();
    let header = good.get(&segment(last)).unwrap()[..64].to_vec();
    for len in [0, 1, 30, 60, 63] {
        for options in [RepairOptions::new(), donor()] {
            let disk = good.next_process();
            change(&disk, last, |bytes| bytes.truncate(len));
            assert_eq!(findings(&disk).len(), 1);
            repair_undo_repair(&disk, &options);
            assert_eq!(read_only(&disk).len().unwrap(), end);
            let repaired = disk.get(&segment(last)).unwrap();
            assert_eq!(repaired[..64], header, "{len}");
            if !options.donors.is_empty() {
                assert_eq!(contents(&disk), contents(&good), "{len}");
            }
        }
    }
}

#[test]
fn the_end_of_a_segment_is_restored_before_the_last_one_that_is_lost() {
    let (good, _) = new_log(40);
    let all = bases(&good);
    let (before_last, last) = (all[all.len() - 2], all[all.len() - 1]);
    for len in [1, 40, 64, 400] {
        let disk = good.next_process();
        change(&disk, before_last, |bytes| bytes.truncate(len));
        remove(&disk, &segment(last));
        let first = plan(&disk, &donor());
        assert_eq!(actions(&first), [RepairAction::TakeFromDonor], "{len}");
        let left: Vec<&str> = first.unrepaired.iter().map(|left| left.reason.as_str()).collect();
        assert_eq!(left, ["the segment before it has lost its end, which is restored first: repair again after that"]);
        apply(&paths(&disk), &first, ApplyOptions::new().full_check()).unwrap();
        let second = repair(&disk, &donor());
        assert_eq!(actions(&second), [RepairAction::RestoreSegment]);
        assert_eq!(contents(&disk), contents(&good));
    }
}

#[test]
fn a_cut_end_before_a_missing_segment_is_given_up_with_it() {
    let (good, _) = new_log(40);
    let all = bases(&good);
    for (indexes, len) in [(true, 64), (true, 300), (true, 301), (false, 300)] {
        let disk = good.next_process();
        if !indexes {
            remove_indexes(&disk);
        }
        change(&disk, all[1], |bytes| bytes.truncate(len));
        remove(&disk, &segment(all[2]));
        let plan = repair_undo_repair_with_losses(&disk, &RepairOptions::new());
        assert_eq!(actions(&plan), [RepairAction::GiveUp], "{len}");
        assert!(findings(&disk).iter().all(|(kind, _, end)| (*kind, *end) == ("lost", all[3])));
        repair(&disk, &donor());
        assert_eq!((contents(&disk), findings(&disk)), (contents(&good), vec![]));
    }
}

#[test]
fn a_kill_while_a_header_is_written_leaves_a_segment_that_can_be_repaired() {
    let (good, _) = new_log(24);
    let all = bases(&good);
    let damaged = good.next_process();
    remove_indexes(&damaged);
    // With the right magic alone, it is the header of another version.
    change(&damaged, all[0], |bytes| {
        bytes[0] = 0;
        bytes[4..68].fill(9);
    });
    let cut = good.next_process();
    change(&cut, *all.last().unwrap(), |bytes| bytes.truncate(30));
    for (start, options) in [(damaged, likely()), (cut.next_process(), likely()), (cut, likely().donor(COPY))] {
        let complete = start.next_process();
        let planned = plan(&complete, &options);
        let calls = complete.calls();
        apply(&paths(&complete), &planned, ApplyOptions::new()).unwrap();
        for n in 0..complete.calls() - calls {
            for fault in [DiskFault::Kill, DiskFault::Error(5)] {
                let disk = start.next_process();
                disk.fail(n, fault);
                let _ = apply(&paths(&disk), &planned, ApplyOptions::new());
                for disk in [disk.next_process(), disk.power_cut(random_choices(n as u64))] {
                    recover(&paths(&disk)).unwrap();
                    let found = contents(&disk);
                    assert!(found == contents(&start) || found == contents(&complete), "{n} {fault:?}");
                }
            }
        }
    }
}
