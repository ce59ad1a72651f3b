//! The logs with which histories begin.

use super::check::read_events;
use super::model::{EventState, FIRST_NUMBER, Model, ModelEvent};
use crate::engine::sim_disk::SimDisk;
use crate::engine::support::{INDEX, LOG, disk_with_indexed_log, disk_with_log};

/// A state of the disk, with the model of its log.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) disk: SimDisk,
    pub(super) model: Model,
}

/// A log with which histories begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Empty,
    Healthy,
    Indexed,
    /// One event has a flipped bit and another has noise; the index was saved before.
    Damaged,
    /// The last frame is cut.
    Torn,
    /// The last two events are missing, and the index has seen them.
    Cut,
    Version0,
}

impl Start {
    pub(super) const ALL: [Self; 7] =
        [Self::Empty, Self::Healthy, Self::Indexed, Self::Damaged, Self::Torn, Self::Cut, Self::Version0];

    pub(super) fn node(self) -> Node {
        match self {
            Self::Empty => whole_log(&disk_with_log(0).0),
            Self::Healthy => whole_log(&disk_with_log(3).0),
            Self::Indexed => whole_log(&disk_with_indexed_log(3).0),
            Self::Version0 => {
                let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v0-clean.log");
                let mut node = whole_log(&SimDisk::with_files(&[(LOG, &std::fs::read(path).unwrap())]));
                node.model.version = 0;
                node
            }
            Self::Damaged => {
                let (disk, offsets) = disk_with_indexed_log(5);
                damaged_log(&disk, |bytes| {
                    bytes[offsets[1] as usize + 60] ^= 4;
                    let noise = offsets[3] as usize + 60..offsets[3] as usize + 90;
                    bytes[noise].iter_mut().for_each(|byte| *byte = byte.wrapping_mul(7).wrapping_add(131));
                })
            }
            Self::Torn => damaged_log(&disk_with_log(3).0, |bytes| bytes.truncate(bytes.len() - 20)),
            Self::Cut => {
                let (disk, offsets) = disk_with_indexed_log(4);
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
        version: 1,
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
