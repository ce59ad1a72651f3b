//! Tests of the repair history of a log in whose place another file was put.

use chronicle::StorageError;
use chronicle::repair::{ChangesInLog, plan_undo, read_repair_history};

use super::repairs::{damaged_log, log_paths, repair, undo};
use super::sim_disk::SimDisk;
use super::support::{LOG, disk_with_log, event, open_options};

fn changes_in_log(disk: &SimDisk) -> Vec<ChangesInLog> {
    read_repair_history(&log_paths(disk)).unwrap().records.iter().map(|record| record.in_log).collect()
}

#[test]
fn a_repair_is_no_longer_in_the_log_after_another_file_was_put_in_its_place() {
    let (disk, _) = damaged_log();
    let damaged = disk.get(LOG).unwrap();
    repair(&disk).unwrap();
    assert_eq!(changes_in_log(&disk), [ChangesInLog::All]);
    let mut log = open_options(&disk).open(LOG).unwrap();
    log.append(&event(1, 99)).unwrap();
    log.close().unwrap();
    assert_eq!(changes_in_log(&disk), [ChangesInLog::All], "events were appended after the repair");
    let repaired = disk.get(LOG).unwrap();

    let intact = disk_with_log(12).0.get(LOG).unwrap();
    for (file, name) in [(&damaged, "the damaged log"), (&intact, "an intact backup")] {
        disk.put(LOG, file);
        assert_ne!(changes_in_log(&disk), [ChangesInLog::All], "{name}");
    }
    disk.put(LOG, &damaged);
    assert_eq!(changes_in_log(&disk), [ChangesInLog::None]);
    let error = undo(&disk).unwrap_err();
    assert!(error.to_string().contains("nothing to undo"), "{error}");
    let error = plan_undo(&log_paths(&disk), Some(1)).unwrap_err();
    assert!(
        matches!(error, StorageError::Refused { .. }) && error.to_string().contains("no longer in the log"),
        "{error}"
    );

    // The gap of the zeroed frames is in the file, and the other changes are not.
    let step = plan_steps(&disk).into_iter().find(|(action, _)| action == "gap").unwrap().1;
    let mut mixed = damaged;
    mixed[step.clone()].copy_from_slice(&repaired[step]);
    disk.put(LOG, &mixed);
    assert_eq!(changes_in_log(&disk), [ChangesInLog::Some]);
}

fn plan_steps(disk: &SimDisk) -> Vec<(String, std::ops::Range<usize>)> {
    let record = read_repair_history(&log_paths(disk)).unwrap().records.remove(0);
    let steps = record.plan.steps.iter();
    steps.map(|step| (step.action.name().to_owned(), step.start as usize..step.end as usize)).collect()
}

#[test]
fn a_repair_whose_range_a_later_repair_has_changed_is_still_applied() {
    let (disk, _) = damaged_log();
    repair(&disk).unwrap();
    undo(&disk).unwrap();
    assert_eq!(changes_in_log(&disk), [ChangesInLog::All, ChangesInLog::All], "an undone repair is not compared");
    repair(&disk).unwrap();
    assert_eq!(changes_in_log(&disk), [ChangesInLog::All; 3], "the undo is replaced by the repair after it");
}
