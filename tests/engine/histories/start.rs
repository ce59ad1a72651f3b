//! The logs with which histories begin.

use std::path::Path;

use chronicle::{LogId, NewLogFormat};

use super::check::read_events;
use super::model::{EventState, FIRST_NUMBER, Model, ModelEvent};
use super::operation::open_read_only;
use crate::engine::sim_disk::SimDisk;
use crate::engine::support::{INDEX, LOG, event, open_options};

/// Version 2, with an identity that is the same in every run.
pub(super) const V2: NewLogFormat = NewLogFormat::V2(LogId::from_bytes(*b"0123456789abcdef"));
const V1: NewLogFormat = NewLogFormat::V1;

/// A state of the disk, with the model of its log.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) disk: SimDisk,
    pub(super) model: Model,
}

/// A log with which histories begin: its state and its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Empty(NewLogFormat),
    Healthy(NewLogFormat),
    Indexed(NewLogFormat),
    /// One event has a flipped bit and another has noise; the index was saved before.
    Damaged(NewLogFormat),
    /// The last frame is cut.
    Torn(NewLogFormat),
    /// The last two events are missing, and the index has seen them.
    Cut(NewLogFormat),
    Version0,
}

impl Start {
    pub(super) const ALL: [Self; 13] = [
        Self::Empty(V1),
        Self::Healthy(V1),
        Self::Indexed(V1),
        Self::Damaged(V1),
        Self::Torn(V1),
        Self::Cut(V1),
        Self::Version0,
        Self::Empty(V2),
        Self::Healthy(V2),
        Self::Indexed(V2),
        Self::Damaged(V2),
        Self::Torn(V2),
        Self::Cut(V2),
    ];

    pub(super) fn node(self) -> Node {
        match self {
            Self::Empty(format) => whole_log(&disk_with_log(format, 0).0),
            Self::Healthy(format) => whole_log(&disk_with_log(format, 3).0),
            Self::Indexed(format) => whole_log(&disk_with_indexed_log(format, 3).0),
            Self::Version0 => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v0-clean.log");
                whole_log(&SimDisk::with_files(&[(LOG, &std::fs::read(path).unwrap())]))
            }
            Self::Damaged(format) => {
                let (disk, offsets) = disk_with_indexed_log(format, 5);
                damaged_log(&disk, |bytes| {
                    bytes[offsets[1] as usize + 60] ^= 4;
                    let noise = offsets[3] as usize + 60..offsets[3] as usize + 90;
                    bytes[noise].iter_mut().for_each(|byte| *byte = byte.wrapping_mul(7).wrapping_add(131));
                })
            }
            Self::Torn(format) => damaged_log(&disk_with_log(format, 3).0, |bytes| bytes.truncate(bytes.len() - 20)),
            Self::Cut(format) => {
                let (disk, offsets) = disk_with_indexed_log(format, 4);
                let end = disk.get(LOG).unwrap().len() as u64;
                let mut node = damaged_log(&disk, |bytes| bytes.truncate(offsets[2] as usize));
                node.model.lost_end = Some(end);
                node.model.events.truncate(2);
                node.model.damage.clear();
                node
            }
        }
    }
}

/// Creates a log of `events` events on a new disk, without an index. Returns the disk and the offsets of the events.
fn disk_with_log(format: NewLogFormat, events: usize) -> (SimDisk, Vec<u64>) {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).format(format).create(LOG).unwrap();
    let offsets = (0..events).map(|n| log.append_sync(&event(1 + n as u64 % 3, n)).unwrap()).collect();
    (disk, offsets)
}

fn disk_with_indexed_log(format: NewLogFormat, events: usize) -> (SimDisk, Vec<u64>) {
    let (disk, offsets) = disk_with_log(format, events);
    open_options(&disk).open_read_only(LOG).unwrap().save_index().unwrap();
    (disk, offsets)
}

/// Returns a durable copy of the files of an undamaged log, with its model.
fn whole_log(disk: &SimDisk) -> Node {
    let disk = disk.power_cut(|| true);
    let events = read_events(&disk).unwrap();
    let events = events
        .into_iter()
        .map(|event| ModelEvent { offset: event.offset, json: event.json, state: EventState::Synced })
        .collect();
    let durable_end = disk.get(LOG).unwrap().len() as u64;
    let model = Model {
        events,
        next_number: FIRST_NUMBER,
        first_tried_number: FIRST_NUMBER,
        damage: Vec::new(),
        durable_end,
        lost_end: None,
        version: open_read_only(&disk).unwrap().view().log().version(),
        repairs: Vec::new(),
    };
    Node { disk, model }
}

/// Returns the disk with the log changed by `damage`, with its model.
fn damaged_log(disk: &SimDisk, damage: impl FnOnce(&mut Vec<u8>)) -> Node {
    let mut node = whole_log(disk);
    let mut bytes = node.disk.get(LOG).unwrap();
    damage(&mut bytes);
    node.disk.overwrite(LOG, &bytes);
    let readable = read_events(&node.disk).unwrap();
    for event in &mut node.model.events {
        if readable.iter().all(|found| found.offset != event.offset) {
            event.state = EventState::Damaged;
            node.model.damage.push(event.offset..event.end());
        }
    }
    node.model.durable_end = bytes.len() as u64;
    assert!(node.disk.get(INDEX).is_some() || node.disk.names().len() == 1);
    node
}
