//! One answer to how far a log was seen: for every state of the index and every cut of the log, the survey, the plan, the
//! opening for append and the repair agree about the end.

use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::LogView;
use chronicle::internal::format::index::page_checksum;
use chronicle::repair::{ApplyOptions, Plan, RepairOptions, apply, plan_repair};
use chronicle::{IndexState, SeenEnd, StorageError};

use super::sim_disk::SimDisk;
use super::support::{
    INDEX, LOG, disk_with_indexed_log, event, finding_ranges, open_options, open_read_only, readable_offsets,
    survey_log,
};

const PAGE: usize = 4096;

fn view(disk: &SimDisk) -> LogView {
    LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap()
}

fn plan(disk: &SimDisk) -> Result<Plan, StorageError> {
    plan_repair(&view(disk), &RepairOptions::default(), &mut |_| std::ops::ControlFlow::Continue(()))
}

/// Appends an event and returns its offset.
fn append(disk: &SimDisk) -> Result<u64, StorageError> {
    open_options(disk).open(LOG)?.append(&event(9, 9))
}

fn has_kind(disk: &SimDisk, kind: &str) -> bool {
    finding_ranges(&survey_log(disk)).iter().any(|(found, ..)| *found == kind)
}

fn with_flipped_bit(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1 << (at % 8);
    bytes
}

/// Returns the lengths at which the tests cut a log with frames at `offsets`: around the last two frame boundaries, some
/// lengths between them, and the whole log.
fn cuts(offsets: &[u64], len: usize) -> impl Iterator<Item = usize> {
    let start = offsets[offsets.len() - 2] as usize;
    let boundaries = [start, offsets[offsets.len() - 1] as usize, len];
    (start..=len).filter(move |cut| cut % 41 == 0 || boundaries.iter().any(|at| cut.abs_diff(*at) < 5))
}

#[test]
fn an_index_with_a_broken_page_after_its_header_is_still_the_record_of_the_end() {
    let (disk, offsets) = disk_with_indexed_log(40);
    let (log, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    assert!(index.len() >= 5 * PAGE, "the index has several sections");
    for page in 1..index.len() / PAGE {
        for cut in [log.len(), log.len() - 1, offsets[39] as usize, offsets[38] as usize + 7] {
            let case = format!("page {page}, cut at {cut}");
            let disk = SimDisk::default();
            disk.put(LOG, &log[..cut]);
            disk.put(INDEX, &with_flipped_bit(&index, page * PAGE + 11));
            let is_cut = cut < log.len();
            assert_eq!(*view(&disk).seen_end(), SeenEnd::Offset(log.len() as u64), "{case}");
            assert_eq!(has_kind(&disk, "truncated"), is_cut, "{case}");
            assert!(!has_kind(&disk, "torn_tail"), "{case}");
            let planned = plan(&disk).unwrap();
            assert_eq!(planned.steps.len(), usize::from(is_cut), "{case}");
            if is_cut {
                let error = append(&disk).unwrap_err();
                assert!(matches!(error, StorageError::Truncated { .. }), "{case}: {error}");
                // Saving the index keeps the record, although its other pages are lost.
                let saved = SimDisk::with_files(&[(LOG, &disk.get(LOG).unwrap()), (INDEX, &disk.get(INDEX).unwrap())]);
                open_read_only(&saved).save_index().unwrap();
                assert_eq!(*view(&saved).seen_end(), SeenEnd::Offset(log.len() as u64), "{case}");
                assert!(has_kind(&saved, "truncated"), "{case}");
                let paths = open_options(&disk).log_paths(Path::new(LOG)).unwrap();
                apply(&paths, &planned, ApplyOptions::new()).unwrap();
                assert!(!has_kind(&disk, "truncated"), "{case}");
            }
            assert_eq!(append(&disk).unwrap(), log.len() as u64, "{case}: no offset is given twice");
        }
    }
}

#[test]
fn an_index_whose_header_is_broken_leaves_the_end_unknown_until_it_is_rebuilt() {
    let (disk, offsets) = disk_with_indexed_log(12);
    let (log, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let newer = {
        let mut newer = index.clone();
        newer[5] = 2;
        let checksum = page_checksum(0, &newer[..PAGE - 4]);
        newer[PAGE - 4..PAGE].copy_from_slice(&checksum.to_be_bytes());
        newer
    };
    let broken = [
        ("magic", with_flipped_bit(&index, 1)),
        ("recorded end", with_flipped_bit(&index, 31)),
        ("checksum", with_flipped_bit(&index, PAGE - 1)),
        ("a zeroed first page", [&[0; PAGE], &index[PAGE..]].concat()),
        ("cut within the header", index[..PAGE - 1].to_vec()),
        ("newer version", newer),
    ];
    for (name, index) in &broken {
        for cut in cuts(&offsets, log.len()) {
            let case = format!("{name}, cut at {cut}");
            let disk = SimDisk::default();
            disk.put(LOG, &log[..cut]);
            disk.put(INDEX, index);
            assert!(view(&disk).seen_end().is_unknown(), "{case}");
            assert!(!has_kind(&disk, "torn_tail") && !has_kind(&disk, "truncated"), "{case}");
            let is_whole_frames = cut == log.len() || offsets.contains(&(cut as u64));
            assert_eq!(survey_log(&disk).damage_total, u64::from(!is_whole_frames), "{case}");
            let before = disk.get(LOG).unwrap();
            let saved = open_read_only(&disk).save_index();
            for result in [append(&disk).map(|_| ()), plan(&disk).map(|_| ()), saved] {
                assert!(matches!(result, Err(StorageError::Refused { .. })), "{case}: {result:?}");
            }
            assert!(disk.get(LOG).unwrap() == before && disk.get(INDEX).unwrap() == *index, "{case}");
            // The way out: a rebuild gives the record up.
            let mut log = open_read_only(&disk);
            log.reindex_from(0).unwrap();
            log.save_index().unwrap();
            drop(log);
            assert!(matches!(view(&disk).index_state(), IndexState::Fresh), "{case}");
            append(&disk).unwrap();
            assert_eq!(
                readable_offsets(&disk).len(),
                offsets.iter().filter(|at| **at < cut as u64).count() + usize::from(is_whole_frames),
                "{case}"
            );
        }
    }
}

#[test]
fn a_file_that_was_never_an_index_records_nothing() {
    let (disk, offsets) = disk_with_indexed_log(12);
    let log = disk.get(LOG).unwrap();
    let (other, _) = disk_with_indexed_log(5);
    let foreign = other.get(INDEX).unwrap();
    for content in [None, Some(&b""[..]), Some(b"no index at all"), Some(&[0; 2 * PAGE]), Some(&foreign)] {
        for cut in cuts(&offsets, log.len()) {
            let case = format!("{:?} bytes, cut at {cut}", content.map(<[u8]>::len));
            let disk = SimDisk::default();
            disk.put(LOG, &log[..cut]);
            if let Some(content) = content {
                disk.put(INDEX, content);
            }
            assert_eq!(*view(&disk).seen_end(), SeenEnd::Nothing, "{case}");
            let is_whole_frames = cut == log.len() || offsets.contains(&(cut as u64));
            assert_eq!(has_kind(&disk, "torn_tail"), !is_whole_frames, "{case}");
            assert_eq!(plan(&disk).unwrap().steps.len(), usize::from(!is_whole_frames), "{case}");
            let last = offsets.iter().rfind(|at| **at <= cut as u64).copied().unwrap();
            let expected = if is_whole_frames { cut as u64 } else { last };
            assert_eq!(append(&disk).unwrap(), expected, "{case}");
        }
    }
}

#[test]
fn a_page_of_the_index_that_cannot_be_read_does_not_count_as_broken() {
    let (disk, _) = disk_with_indexed_log(12);
    let (log, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    assert!(log.len() < PAGE, "the log is readable");
    let mut unreadable_later = 0;
    for page in 1..index.len() / PAGE {
        let disk = SimDisk::with_files(&[(LOG, &log), (INDEX, &index)]);
        disk.refuse_reads(page * PAGE..(page + 1) * PAGE);
        let view = view(&disk);
        let at_opening = view.index_state().name();
        view.load_index();
        let after_loading = view.index_state().name();
        for state in [at_opening, after_loading] {
            assert!(matches!(state, "fresh" | "unreadable"), "page {page}: {state}");
        }
        unreadable_later += usize::from(at_opening != after_loading);
    }
    assert!(unreadable_later > 0, "some pages are read only for lookups");

    // Nothing but the page that cannot be read could show whether the file was an index.
    let disk = SimDisk::with_files(&[(LOG, &log), (INDEX, &vec![0xee; 2 * PAGE])]);
    disk.refuse_reads(PAGE..2 * PAGE);
    assert_eq!(view(&disk).index_state().name(), "unreadable");
    assert!(view(&disk).seen_end().is_unknown(), "{:?}", view(&disk).seen_end());
    disk.refuse_reads(usize::MAX - 1..usize::MAX);
    assert_eq!(*view(&disk).seen_end(), SeenEnd::Nothing, "every page was read, and none is of an index");
}
