//! The start of a file has no special role: a log whose first bytes are lost is recognised by its index, by later frames,
//! or by neither.

use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::LogView;
use chronicle::internal::format::Version;
use chronicle::{SeenEnd, StorageError};

use super::sim_disk::SimDisk;
use super::support::{
    INDEX, LOG, disk_with_indexed_log, finding_ranges, log_bytes, open_read_only, readable_offsets, survey_log,
};

fn open(disk: &SimDisk) -> Result<LogView, StorageError> {
    LogView::open(Arc::new(disk.clone()), Path::new(LOG), None)
}

/// Returns a log of version 0, and the offsets of its events.
pub(super) fn version_0_log(events: usize) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
    for n in 0..events {
        let payload = format!(
            r#"{{"write_timestamp_ms":{n},"event_type":"T","namespace":"n","schema_id":"s","schema_version":1,"aggregate_id":{n},"payload":null}}"#
        );
        offsets.push(bytes.len());
        bytes.extend((payload.len() as u32).to_be_bytes());
        bytes.extend(payload.as_bytes());
    }
    (bytes, offsets)
}

#[test]
fn a_version_0_log_is_recognised_by_later_frames() {
    let (bytes, offsets) = version_0_log(6);
    let damaged = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        edit(&mut bytes);
        SimDisk::with_files(&[(LOG, &bytes)])
    };
    for bit in 0..8 * 5 {
        let disk = damaged(&|bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        assert_eq!(open(&disk).unwrap().log().version(), Version::V0, "bit {bit}");
        assert!(readable_offsets(&disk).len() >= 5, "bit {bit}");
    }
    for zeros in [4, 16, offsets[1], offsets[2] + 4, offsets[5]] {
        let disk = damaged(&|bytes| bytes[..zeros].fill(0));
        assert_eq!(open(&disk).unwrap().log().version(), Version::V0, "{zeros} zeros");
        let expected: Vec<u64> = offsets.iter().filter(|at| **at >= zeros).map(|at| *at as u64).collect();
        assert_eq!(readable_offsets(&disk), expected, "{zeros} zeros");
    }
    let text = SimDisk::with_files(&[(LOG, b"a text that is long enough, and has no frame in it at all\n")]);
    assert!(matches!(open(&text), Err(StorageError::NotALog { .. })));
}

#[test]
fn a_log_of_zeros_is_recognised_by_its_index() {
    let (disk, _) = disk_with_indexed_log(5);
    let len = disk.get(LOG).unwrap().len();
    disk.put(LOG, &vec![0; len]);
    let view = open(&disk).unwrap();
    assert_eq!(*view.seen_end(), SeenEnd::Offset(len as u64));
    assert_eq!(finding_ranges(&survey_log(&disk)), [("header", 0, 16), ("zeros", 16, len as u64)]);
    // A rebuild of the index keeps the end that the log had, and with it the log stays recognised.
    let mut log = open_read_only(&disk);
    log.reindex_from(0).unwrap();
    log.save_index().unwrap();
    assert_eq!(*open(&disk).unwrap().seen_end(), SeenEnd::Offset(len as u64));
    // Without the index, and with other bytes next to it, it is not known to be a log.
    disk.put(LOG, &vec![1; len]);
    assert!(matches!(open(&disk), Err(StorageError::NotALog { .. })));
    let alone = SimDisk::with_files(&[(LOG, &vec![0; len])]);
    assert!(matches!(open(&alone), Err(StorageError::NotALog { .. })));
}

#[test]
fn an_unreadable_first_block_is_one_finding_and_the_rest_is_read() {
    let (bytes, offsets) = log_bytes(60);
    assert!(bytes.len() > 8192);
    for index in [None, disk_with_indexed_log(60).0.get(INDEX)] {
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        if let Some(index) = &index {
            disk.put(INDEX, index);
        }
        disk.refuse_reads(0..4096);
        let found = finding_ranges(&survey_log(&disk));
        assert_eq!(found.iter().filter(|(kind, ..)| *kind == "unreadable").count(), 1, "{found:?}");
        assert!(found.contains(&("unreadable", 0, 4096)), "{found:?}");
        let mut errors = open_read_only(&disk).replay(0).unwrap().filter_map(Result::err);
        assert_eq!(errors.find_map(|error| error.offset()), Some(0), "reading reports the same range");
        let readable: Vec<u64> = offsets.iter().copied().filter(|at| *at >= 4096).collect();
        assert_eq!(readable_offsets(&disk), readable);
        // A header that is the only unreadable part has its own finding, before all others.
        for cut in [bytes.len(), bytes.len() - 3] {
            let disk = SimDisk::with_files(&[(LOG, &bytes[..cut])]);
            disk.refuse_reads(0..10);
            let found = finding_ranges(&survey_log(&disk));
            assert_eq!(found[0], ("unreadable", 0, 16), "{found:?}");
            assert_eq!(found.len(), 1 + usize::from(cut < bytes.len()), "{found:?}");
        }
    }
}
