//! Tests files in the folder of a log that have the name of a segment and are none, and readers that are open while a repair
//! writes or gives up segments.

use std::path::Path;

use chronicle::repair::{ApplyOptions, RepairAction, RepairOptions, apply, plan_undo};
use chronicle::storage::Disk;
use chronicle::{EventLog, NewLogFormat, StorageError};

use super::lost_segments::{
    ID, LOG, actions, bases, contents, donor, findings, new_log, options, paths, plan, read_only, remove, repair,
    segment, undo,
};
use super::sim_disk::SimDisk;
use super::support::{event, open_options};

/// Returns the offsets of the events of a replay from the start, and the names of its errors.
fn replayed(log: &EventLog) -> (Vec<u64>, Vec<&'static str>) {
    let (mut events, mut errors) = (Vec::new(), Vec::new());
    for item in log.replay(0).unwrap() {
        match item {
            Ok(event) => events.push(event.offset()),
            Err(StorageError::Lost { .. }) => errors.push("lost"),
            Err(StorageError::Damaged { .. }) => errors.push("damaged"),
            Err(error) => panic!("{error}"),
        }
    }
    (events, errors)
}

fn without(offsets: &[u64], ranges: &[(u64, u64)]) -> Vec<u64> {
    let is_left = |offset: &u64| !ranges.iter().any(|(start, end)| (*start..*end).contains(offset));
    offsets.iter().copied().filter(is_left).collect()
}

/// Creates a log of version 1 in one file, and returns its bytes.
fn log_of_version_1(events: usize) -> Vec<u8> {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).format(NewLogFormat::V1).create("/data/old.log").unwrap();
    for n in 0..events {
        log.append(&event(1, n)).unwrap();
    }
    log.close().unwrap();
    disk.get("/data/old.log").unwrap()
}

/// Gives the contents of `from` the name of the segment at `to`.
fn rename(disk: &SimDisk, from: u64, to: u64) {
    disk.rename(Path::new(&segment(from)), Path::new(&segment(to))).unwrap();
    disk.sync_folder(Path::new(LOG)).unwrap();
}

/// Checks that the misnamed files are named by a finding and by a plan, that no repair reads, changes or removes them, that other
/// damage is repaired and restored by an undo, and that all events outside of `missing` are read at their offsets.
fn check_misnamed(disk: &SimDisk, offsets: &[u64], missing: &[(u64, u64)], named: &[u64]) {
    let left = without(offsets, missing);
    assert_eq!(replayed(&read_only(disk)).0, left);
    assert!(findings(disk).iter().all(|(kind, start, end)| {
        *kind == "truncated" && missing.iter().any(|(from, to)| from <= start && end <= to)
    }));
    let reasons: Vec<String> =
        read_only(disk).verify().unwrap().findings.iter().filter_map(|found| found.evidence.reason.clone()).collect();
    for base in named {
        let name = format!("{base:020}.log is no segment of this log");
        assert!(reasons.iter().any(|reason| reason.contains(&name)), "{name}: {reasons:?}");
    }
    // Other damage, in the last segment, is repaired.
    let damaged = segment(*bases(disk).iter().rfind(|base| offsets.contains(&(**base + 64))).unwrap());
    let mut bytes = disk.get(&damaged).unwrap();
    bytes[100] ^= 1;
    disk.put(&damaged, &bytes);
    let before = contents(disk);
    for options in [RepairOptions::new(), donor()] {
        let plan = plan(disk, &options);
        assert_eq!(actions(&plan), [RepairAction::CorrectBits], "{missing:?}");
        for base in named {
            let name = format!("{base:020}.log");
            assert!(plan.unrepaired.iter().any(|left| left.reason.contains(&name)), "{name}: {:?}", plan.unrepaired);
        }
        apply(&paths(disk), &plan, ApplyOptions::default()).unwrap();
        assert_eq!(replayed(&read_only(disk)).0, left);
        let changed: Vec<String> = contents(disk)
            .into_iter()
            .filter(|(name, bytes)| before.get(name) != Some(bytes))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            changed.iter().map(|name| format!("{LOG}/{name}")).collect::<Vec<_>>(),
            std::slice::from_ref(&damaged)
        );
        undo(disk);
        assert_eq!(contents(disk), before);
    }
    let mut log = options(disk).open(LOG).unwrap();
    let next = log.append_sync(&event(1, 1)).unwrap();
    assert!(!offsets.contains(&next) && next > left[left.len() - 1], "no offset is given twice");
}

#[test]
fn two_segments_with_exchanged_names_are_named_and_whole_again_under_their_own() {
    let (disk, offsets) = new_log(40);
    let all = bases(&disk);
    let (good, spare) = (contents(&disk), all[1] + 7_000_000);
    for (from, to) in [(all[1], spare), (all[2], all[1]), (spare, all[2])] {
        rename(&disk, from, to);
    }
    check_misnamed(&disk.next_process(), &offsets, &[(all[1], all[3])], &[all[1], all[2]]);
    for (from, to) in [(all[1], spare), (all[2], all[1]), (spare, all[2])] {
        rename(&disk, from, to);
    }
    assert_eq!((contents(&disk), findings(&disk)), (good, vec![]));
}

#[test]
fn a_renamed_segment_is_named_and_whole_again_under_its_own_name() {
    let (good, offsets) = new_log(40);
    let all = bases(&good);
    for to in [all[2] + 1, all[2] + 300, all[2] - 10, all[3] + 200] {
        let disk = good.next_process();
        rename(&disk, all[2], to);
        // Only a name within the missing range can be a segment of it.
        let named: Vec<u64> = Some(to).filter(|to| (all[2]..all[3]).contains(to)).into_iter().collect();
        if named.is_empty() {
            assert_eq!(replayed(&read_only(&disk)).0, without(&offsets, &[(all[2], all[3])]), "{to}");
            repair(&disk, &donor());
            let mut found = contents(&disk);
            assert_eq!(found.remove(&format!("{to:020}.log")), contents(&good).remove(&format!("{:020}.log", all[2])));
            assert_eq!(found, contents(&good), "{to}");
            undo(&disk);
        } else {
            check_misnamed(&disk.next_process(), &offsets, &[(all[2], all[3])], &named);
        }
        rename(&disk, to, all[2]);
        assert_eq!((contents(&disk), findings(&disk)), (contents(&good), vec![]), "{to}");
    }
}

#[test]
fn a_file_whose_name_is_an_offset_within_a_segment_does_not_cut_it() {
    let (good, offsets) = new_log(40);
    let all = bases(&good);
    let of_log = good.get(&segment(all[2])).unwrap();
    for content in [of_log, log_of_version_1(3), Vec::from(*b"CHRN\0\x01"), log_of_version_1(0)] {
        for name in [all[1] + 1, all[1] + 64, offsets[8], all[3] - 1] {
            let disk = good.next_process();
            disk.put(&segment(name), &content);
            let before = contents(&disk);
            assert_eq!(findings(&disk), [], "{name}");
            assert_eq!(replayed(&read_only(&disk)), (offsets.clone(), vec![]), "{name}");
            assert_eq!(read_only(&disk).load_aggregate(1).unwrap().len(), offsets.len().div_ceil(3));
            for options in [RepairOptions::new(), donor()] {
                assert_eq!(plan(&disk, &options).steps, [], "{name}");
            }
            assert_eq!(contents(&disk), before);
        }
    }
}

#[test]
fn a_log_of_version_1_with_the_name_of_a_segment_is_named_and_never_read_or_removed() {
    let (good, offsets) = new_log(40);
    let all = bases(&good);
    let end = read_only(&good).len().unwrap();
    let mut damaged = log_of_version_1(3);
    damaged[40] ^= 1;
    for old in [log_of_version_1(3), log_of_version_1(0), damaged] {
        for base in [all[0], all[2]] {
            let disk = good.next_process();
            disk.put(&segment(base), &old);
            let next = all[all.iter().position(|other| *other == base).unwrap() + 1];
            check_misnamed(&disk, &offsets, &[(base, next)], &[base]);
            assert_eq!(disk.get(&segment(base)), Some(old.clone()));
        }
        // After the end it is no part of the log, which goes on.
        let disk = good.next_process();
        disk.put(&segment(end + 5000), &old);
        assert_eq!((findings(&disk), replayed(&read_only(&disk)).0), (vec![], offsets.clone()));
        options(&disk).open(LOG).unwrap().append_sync(&event(1, 1)).unwrap();
        assert_eq!(disk.get(&segment(end + 5000)), Some(old.clone()));
    }
    // A segment whose version is damaged stays a segment.
    let disk = good.next_process();
    let mut bytes = disk.get(&segment(all[2])).unwrap();
    bytes[4..6].copy_from_slice(&[0x10, 1]);
    disk.put(&segment(all[2]), &bytes);
    assert_eq!(replayed(&read_only(&disk)).0, offsets);
    repair(&disk, &RepairOptions::new());
    assert_eq!(contents(&disk), contents(&good));
    // The log id and the base show it when its first frame is damaged as well, and a few of their bytes.
    let first = offsets.iter().copied().find(|offset| *offset > all[2]).unwrap();
    for id_byte in [bytes[20], !bytes[20]] {
        bytes[20] = id_byte;
        bytes[64 + 5] ^= 0xff;
        disk.put(&segment(all[2]), &bytes);
        let others = offsets.iter().copied().filter(|offset| *offset != first).collect::<Vec<_>>();
        assert_eq!(replayed(&read_only(&disk)).0, others);
        bytes[64 + 5] ^= 0xff;
    }
}

#[test]
fn a_log_with_the_name_of_an_index_is_kept_by_a_repair_and_an_undo() {
    let (good, offsets) = new_log(40);
    let all = bases(&good);
    for base in [all[1], *all.last().unwrap()] {
        let disk = good.next_process();
        let index = format!("{}.idx", segment(base));
        let old = log_of_version_1(3);
        disk.put(&index, &old);
        let mut bytes = disk.get(&segment(base)).unwrap();
        bytes[64 + 40] ^= 0xff;
        disk.put(&segment(base), &bytes);
        repair(&disk, &RepairOptions::new().gap_undecided());
        assert_eq!(read_only(&disk).replay(0).unwrap().flatten().count() + 1, offsets.len());
        assert_eq!(disk.get(&index), Some(old.clone()), "{base}");
        undo(&disk);
        assert_eq!((disk.get(&index), disk.get(&segment(base))), (Some(old), Some(bytes)), "{base}");
    }
}

#[test]
fn an_open_reader_reads_segments_that_a_repair_has_written_again() {
    let (good, offsets) = new_log(40);
    let all = bases(&good);
    for removed in [vec![all[0]], vec![all[2]], vec![all[2], all[3]], vec![*all.last().unwrap()]] {
        let disk = good.next_process();
        for base in &removed {
            remove(&disk, &segment(*base));
        }
        let readers = [read_only(&disk), read_only(&disk)];
        // One reader has looked at the range before.
        assert!(replayed(&readers[0]).0.len() < offsets.len());
        repair(&disk, &donor());
        for reader in readers {
            assert_eq!(replayed(&reader), (offsets.clone(), vec![]), "{removed:?}");
            assert_eq!(reader.len().unwrap(), read_only(&good).len().unwrap());
            assert_eq!(reader.verify().unwrap().findings, [], "{removed:?}");
            assert_eq!(reader.load_aggregate(1).unwrap().len(), offsets.len().div_ceil(3), "{removed:?}");
        }
    }
    // A segment that was cut is read as a whole after its repair.
    let disk = good.next_process();
    let bytes = disk.get(&segment(all[2])).unwrap();
    disk.put(&segment(all[2]), &bytes[..500]);
    let reader = read_only(&disk);
    assert_eq!(replayed(&reader).1, ["damaged"]);
    repair(&disk, &donor());
    assert_eq!(replayed(&reader), (offsets, vec![]));
}

#[test]
fn an_open_reader_goes_on_after_a_lost_end_that_was_given_up() {
    let (disk, offsets) = new_log(40);
    let (last, end) = (*bases(&disk).last().unwrap(), read_only(&disk).len().unwrap());
    remove(&disk, &segment(last));
    let reader = read_only(&disk);
    let left = without(&offsets, &[(last, end)]);
    assert_eq!(replayed(&reader).0, left);
    repair(&disk, &RepairOptions::new());
    assert_eq!(reader.len().unwrap(), end + 64);
    assert_eq!(replayed(&reader), (left.clone(), vec!["lost"]));
    let next = options(&disk).open(LOG).unwrap().append_sync(&event(1, 1)).unwrap();
    assert_eq!(next, end + 64);
    assert_eq!(replayed(&reader), ([left, vec![next]].concat(), vec!["lost"]));
    // The undo of a repair that has given nothing up leaves a reader where it is.
    assert!(plan_undo(&paths(&disk), None).is_err());
    assert_eq!(reader.view().segments().unwrap().log_id(), ID);
}
