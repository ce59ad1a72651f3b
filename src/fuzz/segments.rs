//! Logs in segments with damage in any of their files: all readers agree, a repair loses no readable event, and an undo
//! restores every file.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::fuzz_input::FuzzInput;
use super::memory_disk::MemoryDisk;
use super::readers::{check_readers, readable_events, survey_log};
use super::sample_logs::{
    AGGREGATES, EVENTS, LOG, LOG_ID, log_paths, open_read_only, open_view, options, sample_event,
};
use crate::file::Durability;
use crate::format::{Finding, NewLogFormat, base_of_segment_file};
use crate::inspect::SurveyOptions;
use crate::repair::{ApplyOptions, RepairOptions, apply, plan_repair, plan_undo};

/// The folder of the donor.
const DONOR: &str = "/data/donor";
/// Size from which a segment of the sample log is closed, in bytes.
const SEGMENT_BYTES: u64 = 700;
/// Largest number of files that one input changes.
const MAX_CHANGED_FILES: usize = 6;

/// The files of a log by their names in its folder.
type Files = BTreeMap<String, Vec<u8>>;

pub(super) fn check(data: &[u8]) {
    let mut input = FuzzInput::new(data);
    let (settings, threads) = (input.byte(), input.byte());
    let sample = sample_files();
    let mut files = sample.clone();
    files.retain(|name, _| settings & 1 != 0 || !name.contains(".idx"));
    change_files(&mut files, &mut input);
    let disk = MemoryDisk::default();
    put_files(&disk, LOG, &files);
    let mut repair = RepairOptions::new();
    if settings & 2 != 0 {
        let kept = 1 + usize::from(settings >> 6);
        let names = sample.keys().filter(|name| is_segment(name)).take(kept * 3);
        put_files(&disk, DONOR, &names.map(|name| (name.clone(), sample[name].clone())).collect());
        repair = repair.donor(DONOR);
    }
    repair.accept_likely = settings & 4 != 0;
    repair.gap_undecided = settings & 8 != 0;
    repair.accept_large_gap = true;
    let Ok(log) = open_read_only(&disk) else { return };
    let before = readable_events(&log);
    drop(log);
    check_unchanged_events(&files, &before);
    if settings & 1 == 0 {
        check_readers(&disk, 2 + usize::from(threads % 5), 500 + u64::from(threads) * 8);
    }
    check_repair(&disk, &repair, &before, settings & 32 != 0);
}

/// Returns the files of an intact log in segments, which are the same in every run.
fn sample_files() -> &'static Files {
    static SAMPLE: OnceLock<Files> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let disk = MemoryDisk::default();
        let options = options(&disk).format(NewLogFormat::V2(LOG_ID)).segment_size(SEGMENT_BYTES);
        let mut log = options.create(LOG).unwrap();
        for n in 0..EVENTS {
            log.append_batch(&[sample_event(n)], Durability::Synced).unwrap();
        }
        log.save_index().unwrap();
        drop(log);
        let files = files_of(&disk);
        let segments = files.keys().filter(|name| is_segment(name)).count() as u64;
        assert!(segments > AGGREGATES, "{segments} segments");
        files
    })
}

/// Returns the files in the folder of the log, but not in its folders.
fn files_of(disk: &MemoryDisk) -> Files {
    let in_folder = |path: PathBuf| path.strip_prefix(LOG).ok()?.to_str().map(str::to_owned);
    let names = disk.paths().into_iter().filter_map(in_folder).filter(|name| !name.contains('/'));
    names.map(|name| (name.clone(), disk.get(&format!("{LOG}/{name}")).unwrap())).collect()
}

fn put_files(disk: &MemoryDisk, folder: &str, files: &Files) {
    for (name, bytes) in files {
        disk.put(&format!("{folder}/{name}"), bytes);
    }
}

fn is_segment(name: &str) -> bool {
    base_of_segment_file(Path::new(name)).is_some()
}

/// Changes files in the ways that the input describes: bytes in a file, a file that is gone, and two exchanged names.
fn change_files(files: &mut Files, input: &mut FuzzInput) {
    for _ in 0..MAX_CHANGED_FILES {
        if input.is_empty() {
            return;
        }
        let names: Vec<_> = files.keys().cloned().collect();
        let kind = input.byte();
        let Some(name) = names.get(usize::from(input.byte()) % names.len().max(1)) else { return };
        match kind % 8 {
            0 => drop(files.remove(name)),
            1 => {
                let other = &names[usize::from(input.byte()) % names.len()];
                let (one, two) = (files[name].clone(), files[other].clone());
                files.extend([(name.clone(), two), (other.clone(), one)]);
            }
            _ => {
                let mut part = FuzzInput::new(input.chunk());
                part.edit(files.get_mut(name).unwrap());
            }
        }
    }
}

/// Checks that every event of a segment that was not changed is read.
fn check_unchanged_events(files: &Files, read: &[(u64, String)]) {
    let sample = sample_files();
    let disk = MemoryDisk::default();
    put_files(&disk, LOG, sample);
    let all = readable_events(&open_read_only(&disk).unwrap());
    for (name, bytes) in sample.iter().filter(|(name, bytes)| is_segment(name) && files.get(*name) == Some(bytes)) {
        let base = base_of_segment_file(Path::new(name)).unwrap();
        let range = base..base + bytes.len() as u64;
        for event in all.iter().filter(|(offset, _)| range.contains(offset)) {
            assert!(read.contains(event), "the event at {} of an unchanged segment is not read", event.0);
        }
    }
}

/// Applies the plan of a repair, and undoes it.
fn check_repair(disk: &MemoryDisk, repair: &RepairOptions, before: &[(u64, String)], full_check: bool) {
    let files = files_of(disk);
    let view = open_view(disk, LOG).unwrap();
    let plan = plan_repair(&view, repair, &mut |_| ControlFlow::Continue(()));
    assert!(files_of(disk) == files, "planning writes nothing");
    drop(view);
    let Ok(plan) = plan else { return };
    if plan.is_empty() {
        return;
    }
    let mut options = ApplyOptions::new();
    options.full_check = full_check;
    // A file in the way of a step, for example, which leaves everything as it was.
    if let Err(error) = apply(&log_paths(disk), &plan, options) {
        let now = files_of(disk);
        let changed = |name: &&String| now.get(*name) != files.get(*name) && *name != "lock";
        let changed: Vec<_> = now.keys().chain(files.keys()).filter(changed).collect();
        assert!(changed.is_empty(), "a repair that failed ({error}) has changed {changed:?}");
        return;
    }
    let log = open_read_only(disk).unwrap();
    let after = readable_events(&log);
    assert!(before.iter().all(|event| after.contains(event)), "an event is lost: {before:?}, {after:?}");
    assert_eq!(after.len() as u64, before.len() as u64 + plan.restored_events());
    let found = survey_log(log.view(), &SurveyOptions::new()).findings;
    let mut start = 0;
    for Finding { start: at, .. } in &found {
        assert!(start <= *at, "{found:?}");
        start = *at;
    }
    drop(log);
    let undo = plan_undo(&log_paths(disk), None).unwrap();
    apply(&log_paths(disk), &undo, ApplyOptions::new()).unwrap();
    let (undone, damaged) = (kept_by_an_undo(&files_of(disk)), kept_by_an_undo(&files));
    assert_eq!(undone.keys().collect::<Vec<_>>(), damaged.keys().collect::<Vec<_>>());
    for (name, bytes) in &damaged {
        assert!(undone[name] == *bytes, "{name} is not restored");
    }
}

/// Returns the files that an undo restores. Indexes of changed segments are built again.
fn kept_by_an_undo(files: &Files) -> Files {
    let kept = |name: &str| is_segment(name) || name == "log.json";
    files.iter().filter(|(name, _)| kept(name)).map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}
