//! Tests of the checks of the free space before a repair and an undo: on the disk of the log and on that of the journal.

use std::path::Path;

use chronicle::StorageError;
use chronicle::repair::{ApplyOptions, Plan, RepairOptions, apply, plan_undo};

use super::repairs::{plan, truncated_log};
use super::sim_disk::{FreeSpace, SimDisk};
use super::support::{LOG, log_bytes, open_options};

const LOG_FOLDER: &str = "/data";
const JOURNALS: &str = "/journals/a";

/// Applies a plan with its journal in [`JOURNALS`], and returns the reason and the alternative with which it is refused.
fn refusal(disk: &SimDisk, plan: &Plan) -> (String, &'static str) {
    let paths = open_options(disk).journal_folder(JOURNALS).log_paths(Path::new(LOG)).unwrap();
    match apply(&paths, plan, ApplyOptions::new()) {
        Err(StorageError::Refused { reason, alternative, .. }) => (reason, alternative),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn the_growth_of_the_log_is_counted_on_the_disk_of_the_log() {
    let (disk, whole, _) = truncated_log(usize::MAX);
    let growth = (whole.len() - disk.get(LOG).unwrap().len()) as u64;
    let plan = plan(&disk, &RepairOptions::new()).unwrap();
    let needed = |device| {
        let disk = disk.next_process();
        disk.set_free_space(LOG_FOLDER, FreeSpace { device: 0, bytes: growth });
        disk.set_free_space(JOURNALS, FreeSpace { device, bytes: 0 });
        let (reason, alternative) = refusal(&disk, &plan);
        assert!(alternative.contains("--journal"), "{alternative}");
        let bytes = reason.strip_prefix("the journal needs ").and_then(|rest| rest.split_once(" bytes; 0 are free"));
        bytes.unwrap_or_else(|| panic!("{reason}")).0.parse::<u64>().unwrap()
    };
    assert_eq!(needed(0), needed(1) + growth);
    disk.set_free_space(LOG_FOLDER, FreeSpace { device: 0, bytes: growth - 1 });
    let (reason, alternative) = refusal(&disk, &plan);
    assert!(reason.contains(&format!("would grow by {growth} bytes")) && alternative.contains("--forget"), "{reason}");
}

#[test]
fn an_undo_without_space_is_refused_with_a_step_that_makes_it_possible() {
    let (whole, _) = log_bytes(4);
    let disk = SimDisk::with_files(&[(LOG, &whole[..whole.len() - 20])]);
    let paths = open_options(&disk).journal_folder(JOURNALS).log_paths(Path::new(LOG)).unwrap();
    apply(&paths, &plan(&disk, &RepairOptions::new()).unwrap(), ApplyOptions::new()).unwrap();
    let undo = plan_undo(&paths, None).unwrap();
    assert!(undo.steps[0].new_end > undo.steps[0].end, "the undo makes the log larger");
    for (log_bytes, journal_bytes, expected) in [
        (10, 1 << 30, "Free some space on the disk of the log"),
        (1 << 30, 10, "Free some space on the disk of the journal"),
    ] {
        let disk = disk.next_process();
        disk.set_free_space(LOG_FOLDER, FreeSpace { device: 0, bytes: log_bytes });
        disk.set_free_space(JOURNALS, FreeSpace { device: 1, bytes: journal_bytes });
        assert_eq!(refusal(&disk, &undo).1, expected);
    }
}
