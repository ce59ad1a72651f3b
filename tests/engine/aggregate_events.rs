//! The events of an aggregate are read with few and short reads, whatever the sizes of the frames between them.

use chronicle::StoredEvent;

use super::sim_disk::SimDisk;
use super::support::{LOG, event, large_event, open_options, open_read_only};

/// Creates a log whose events have these payload sizes, with the aggregates 1 and 2 in turn, and saves its index. Returns the
/// offsets of the events of aggregate 1.
fn disk_with_sizes(sizes: impl IntoIterator<Item = usize>) -> (SimDisk, Vec<u64>) {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    let mut offsets = Vec::new();
    for (n, size) in sizes.into_iter().enumerate() {
        let id = 1 + n as u64 % 2;
        let event = if size == 0 { event(id, n) } else { large_event(id, size) };
        let offset = log.append(&event).unwrap();
        if id == 1 {
            offsets.push(offset);
        }
    }
    log.save_index().unwrap();
    (disk, offsets)
}

#[test]
fn neighbouring_events_are_read_together() {
    let (disk, offsets) = disk_with_sizes(std::iter::repeat_n(300, 2000));
    let log = open_read_only(&disk);
    log.index().unwrap();
    let (before, len) = (disk.bytes_read(), log.len().unwrap());
    let found: Vec<u64> = log.load_aggregate(1).unwrap().iter().map(StoredEvent::offset).collect();
    assert_eq!(found, offsets);
    let read = disk.bytes_read() - before;
    // One read of 4 KiB for each event would be four times the log.
    assert!(read < len + len / 4, "{read} of {len} bytes");
}

#[test]
fn distant_events_are_read_alone() {
    let (disk, offsets) = disk_with_sizes((0..100).map(|n| if n % 2 == 0 { 100 } else { 20_000 }));
    let log = open_read_only(&disk);
    log.index().unwrap();
    let before = disk.bytes_read();
    assert_eq!(log.load_aggregate(1).unwrap().len(), offsets.len());
    let read = disk.bytes_read() - before;
    assert!(read <= (offsets.len() as u64 + 8) * 4096, "{read} bytes");
}

#[test]
fn frames_of_all_sizes_and_damaged_ones_are_read() {
    let sizes = [0, 300, 0, 3900, 3990, 4096, 5000, 0, 0, 70_000, 100, 200_000, 4000, 10, 0, 64 << 10, 1, 2, 3, 4];
    let (disk, offsets) = disk_with_sizes(sizes.into_iter().cycle().take(95));
    let events = open_read_only(&disk).load_aggregate(1).unwrap();
    assert_eq!(events.iter().map(StoredEvent::offset).collect::<Vec<_>>(), offsets);
    let bytes = disk.get(LOG).unwrap();
    for event in &events {
        let at = event.offset() as usize + 4;
        assert_eq!(event.json().as_bytes(), &bytes[at..at + event.json().len()]);
    }
    let mut damaged = bytes;
    for offset in offsets.iter().step_by(3) {
        damaged[*offset as usize + 20] ^= 1;
    }
    disk.put(LOG, &damaged);
    let items: Vec<bool> = open_read_only(&disk).aggregate_events(1).unwrap().map(|item| item.is_ok()).collect();
    assert_eq!(items, (0..offsets.len()).map(|n| n % 3 != 0).collect::<Vec<_>>());
}
