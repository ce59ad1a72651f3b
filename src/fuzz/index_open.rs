//! Opening an index file and looking up aggregates: an index never shows an event that the log does not have, and with
//! intact checksums or a rebuild it shows every event.

use super::fuzz_input::FuzzInput;
use super::memory_disk::MemoryDisk;
use super::readers::{check_index, read_events};
use super::sample_logs::{AGGREGATES, INDEX, LOG, SampleVersion, open_read_only, options, sample_log};
use crate::format::StoredEvent;
use crate::format::index::{PAGE_DATA_SIZE, PAGE_SIZE, page_checksum};
use crate::log::EventLog;

/// How an input uses its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexChange {
    /// The bytes are the index file.
    Replaced,
    /// The bytes change the index file, whose checksums are then wrong.
    Edited,
    /// The bytes change the index file, and its checksums are computed again.
    Forged,
    /// The bytes change the log, and the index file is the one of the log without damage.
    LogEdited,
}

pub(super) fn check(data: &[u8]) {
    let mut input = FuzzInput::new(data);
    let settings = input.byte();
    let sample = sample_log(SampleVersion::of_bit(settings & 0x10));
    let (mut log, mut index) = (sample.log.clone(), sample.index.clone());
    if settings & 0x80 != 0 {
        log.truncate(log.len() - input.below(log.len()));
    }
    let change = match settings % 4 {
        0 => {
            index = input.rest().to_vec();
            IndexChange::Replaced
        }
        1 => {
            input.edit(&mut index);
            IndexChange::Edited
        }
        2 => {
            input.edit(&mut index);
            compute_checksums(&mut index);
            IndexChange::Forged
        }
        _ => {
            input.edit(&mut log);
            IndexChange::LogEdited
        }
    };
    let disk = MemoryDisk::with_files(&[(LOG, &log), (INDEX, &index)]);
    // Only an index can show that a file with a damaged header is a log.
    let Ok(indexed) = open_read_only(&disk) else { return };
    let (events, _) = read_events(&indexed);
    check_lookups(&indexed, &events);
    let is_cut = log.len() < sample.log.len();
    if matches!(change, IndexChange::Replaced | IndexChange::Edited) && !is_cut {
        check_index(&open_read_only(&disk).unwrap(), &events);
    }
    let mut rebuilt = open_read_only(&disk).unwrap();
    rebuilt.reindex_from(0).unwrap();
    check_index(&rebuilt, &events);
    assert!(disk.get(INDEX).unwrap() == index, "reading changes no index file");
    if rebuilt.save_index().is_ok() {
        let saved = open_read_only(&disk).unwrap();
        let state = saved.view().index_state().name();
        assert!(matches!(state, "fresh" | "ahead" | "behind"), "{state} after saving");
        check_index(&saved, &events);
    }
    assert!(disk.get(LOG).unwrap() == log, "no index operation changes the log");
    // Without the index, the same events are read, unless only the index identifies the log: frames of version 2 that have
    // lost their header and their places look like those of version 0.
    if let Ok(plain) = options(&disk).index_path("/data/none").open_read_only(LOG)
        && plain.view().log().format() == indexed.view().log().format()
    {
        assert_eq!(read_events(&plain).0, events);
    }
}

/// Computes the checksum of every page.
fn compute_checksums(index: &mut [u8]) {
    for (number, page) in (0..).zip(index.chunks_exact_mut(PAGE_SIZE)) {
        let (data, checksum) = page.split_at_mut(PAGE_DATA_SIZE);
        checksum.copy_from_slice(&page_checksum(number, data).to_be_bytes());
    }
}

/// Checks that every event that the index gives is one of the log, for each aggregate and for one that does not exist.
fn check_lookups(log: &EventLog, events: &[StoredEvent]) {
    for id in 0..=AGGREGATES + 1 {
        let Ok(found) = log.aggregate_events(id) else { continue };
        for event in found.flatten() {
            assert!(event.aggregate_id() == Some(id) && events.contains(&event), "aggregate {id}: {event:?}");
        }
    }
}
