//! Chooses the bytes that a drill changes, and computes the finding that the change must produce.
//!
//! The finding follows from docs/format.md and from the change itself, not from the inspector, so a drill is a test of
//! the inspector. This module writes nothing.

use std::ops::Range;
use std::sync::Arc;

use super::drill::{Drill, DrillError, PlantedChange, PlantedDamage};
use super::edit::ByteEdit;
use super::rng::Rng;
use super::targets::{TargetFrame, find_target, last_frame, last_frames};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::header::header_fields;
use crate::format::{EventView, Version, frame, gap};

/// Size of an overwritten sector in bytes.
const SECTOR_BYTES: u64 = 512;
/// Number of adjacent frames in which a location for an overwritten sector is searched.
const SECTOR_RUN_FRAMES: usize = 12;

/// A change, and the range of the finding that it must produce.
struct PlannedEdit {
    finding: Range<u64>,
    edit: ByteEdit,
}

/// Chooses the change for a drill, and computes the finding that it must produce.
///
/// # Errors
/// `NoLocation` when the log is too short, or of a version that the drill does not fit; `Storage` when it cannot be read.
pub(super) fn plan_damage(log: &Arc<LogFile>, drill: Drill, seed: u64) -> Result<PlantedDamage, DrillError> {
    let no_location =
        |expected| DrillError::NoLocation { log: log.path().display().to_string(), drill: drill.name(), expected };
    if !drill.fits(log.version()) {
        return Err(no_location("a log of another version, or in a folder of segments"));
    }
    // The numbers must differ from those that generated a log with the same seed.
    let mut rng = Rng::new(seed ^ 0xD811_D811_D811_D811);
    let planned = match drill {
        Drill::Zeros => append_zeros(log, &mut rng)?,
        Drill::DuplicatedFrame => append_last_frame(log)?,
        Drill::TornTail | Drill::TornData | Drill::Truncated | Drill::TruncatedFrame => {
            edit_tail(log, drill, &mut rng)?
        }
        Drill::Header | Drill::CreatedAt => edit_header(log, drill, &mut rng)?,
        Drill::Garbage | Drill::ZeroSector => {
            find_target(log, &mut rng, SECTOR_RUN_FRAMES, |rng, run| edit_sector(drill, rng, run))?
        }
        _ => find_target(log, &mut rng, 5, |rng, run| edit_inner_frame(drill, rng, run))?,
    };
    let PlannedEdit { finding, edit } =
        planned.ok_or_else(|| no_location("intact events on both sides, and an intact end"))?;
    Ok(PlantedDamage {
        drill,
        seed,
        kind: drill.kind(),
        start: finding.start,
        end: finding.end,
        change: PlantedChange::Bytes(edit),
    })
}

/// Changes one frame, or adjacent frames, with intact events on both sides.
///
/// `run` starts with the event before the changed frames. Returns `None` if this run does not fit the drill.
fn edit_inner_frame(drill: Drill, rng: &mut Rng, run: &[TargetFrame]) -> Option<PlannedEdit> {
    let target = run.get(1)?;
    let (last, mut bytes) = (target.bytes.len() - 1, target.bytes.clone());
    let payload = frame::LENGTH_LEN..bytes.len() - frame::CHECKSUM_LEN;
    let random_offset =
        |rng: &mut Rng, end: usize| payload.start + rng.next_below((end - payload.start) as u64) as usize;
    match drill {
        Drill::Checksum => {
            let at = random_offset(rng, last + 1);
            *bytes.get_mut(at)? ^= 1 << rng.next_below(8);
        }
        Drill::ChecksumByte => {
            let at = random_offset(rng, payload.end);
            let byte = bytes.get_mut(at)?;
            *byte = byte.wrapping_add(1 + rng.next_below(254) as u8).max(1);
            if bytes == target.bytes {
                return None;
            }
        }
        Drill::ChecksumNoise => {
            let len = (2 + rng.next_below(15) as usize).min(payload.len() - 1);
            let at = random_offset(rng, payload.end - len);
            let noise = rng.noise(len);
            bytes.get_mut(at..at + len)?.copy_from_slice(&noise);
            if bytes == target.bytes {
                return None;
            }
        }
        Drill::Length => {
            let length = payload.len() as u32;
            let changed = if rng.next_below(2) == 0 { length ^ (1 << rng.next_below(32)) } else { rng.next() as u32 };
            // A smaller valid length could end where another frame seems to start.
            if frame::is_valid_length(changed) && changed <= length {
                return None;
            }
            bytes.get_mut(..frame::LENGTH_LEN)?.copy_from_slice(&changed.to_be_bytes());
        }
        Drill::ZeroFrames => {
            let count = 1 + rng.next_below(3) as usize;
            let before: Vec<u8> = run.get(1..=count)?.iter().flat_map(|found| found.bytes.clone()).collect();
            let end = target.start + before.len() as u64;
            let after = vec![0; before.len()];
            return Some(PlannedEdit {
                finding: target.start..end,
                edit: ByteEdit { at: target.start, before, after },
            });
        }
        Drill::Inserted => {
            let after = match 1 + rng.next_below(64) {
                few @ 1..=8 => rng.noise(few as usize),
                more => rng.noise(8 * more as usize),
            };
            let range = target.start..target.start + after.len() as u64;
            return Some(PlannedEdit {
                finding: range,
                edit: ByteEdit { at: target.start, before: Vec::new(), after },
            });
        }
        Drill::InvalidEvent => {
            let mut payload = target.payload().to_vec();
            let brace = payload.iter().rposition(|byte| *byte == b'}')?;
            *payload.get_mut(brace)? = b' ';
            bytes = target.with_payload(&payload);
        }
        Drill::Gap => {
            let payload = gap::build_gap_payload(payload.len(), "{\"by\":\"drill\"}");
            bytes = target.with_payload(&payload);
        }
        Drill::MovedFrame => {
            let elsewhere = TargetFrame { start: target.start + 1 + rng.next_below(1 << 20), ..target.clone() };
            bytes = elsewhere.with_payload(target.payload());
        }
        Drill::Clock => bytes = with_earlier_time(target, run.first()?.time_ms, rng)?,
        Drill::Swapped => {
            let next = run.get(2)?;
            if target.time_ms == next.time_ms {
                return None;
            }
            let before = [target.bytes.as_slice(), &next.bytes].concat();
            let after = [next.bytes.as_slice(), &target.bytes].concat();
            let range = target.start + next.bytes.len() as u64..next.end();
            return Some(PlannedEdit { finding: range, edit: ByteEdit { at: target.start, before, after } });
        }
        _ => return None,
    }
    let edit = ByteEdit { at: target.start, before: target.bytes.clone(), after: bytes };
    Some(PlannedEdit { finding: target.start..target.end(), edit })
}

/// Encodes the frame with a time before `previous` and the same length; `None` if that is impossible.
fn with_earlier_time(target: &TargetFrame, previous: u64, rng: &mut Rng) -> Option<Vec<u8>> {
    let (old, new) = (target.time_ms.to_string(), previous.checked_sub(1 + rng.next_below(60_000))?.to_string());
    let key = format!("\"write_timestamp_ms\":{old}");
    let payload = std::str::from_utf8(target.payload()).ok()?;
    let changed = payload.replacen(&key, &format!("\"write_timestamp_ms\":{new}"), 1);
    let event = EventView::parse(changed.as_bytes(), Version::V1).ok()?;
    let is_valid = changed.len() == payload.len() && event.write_timestamp_ms() < previous;
    is_valid.then(|| target.with_payload(changed.as_bytes()))
}

/// Overwrites a sector that starts inside one frame and ends inside a later one.
///
/// The sector covers the checksum of the first frame and the length of the last. No frame in it can be recognised, so
/// all of them are one finding.
fn edit_sector(drill: Drill, rng: &mut Rng, run: &[TargetFrame]) -> Option<PlannedEdit> {
    let first = run.get(1..)?.iter().find(|found| {
        let at = found.end().next_multiple_of(SECTOR_BYTES) - SECTOR_BYTES;
        found.start + 5 <= at && at + 5 <= found.end() && at + SECTOR_BYTES >= found.end() + 5
    })?;
    let at = first.end().next_multiple_of(SECTOR_BYTES) - SECTOR_BYTES;
    let is_in_sector = |found: &&TargetFrame| found.start >= first.start && found.start < at + SECTOR_BYTES;
    let last = run.iter().rfind(is_in_sector)?;
    // Part of the last frame must remain, and an intact frame must follow it.
    if last.end() < at + SECTOR_BYTES + 5 || run.last()?.start == last.start {
        return None;
    }
    let bytes: Vec<u8> = run.iter().filter(is_in_sector).flat_map(|found| found.bytes.clone()).collect();
    let from = (at - first.start) as usize;
    let before = bytes.get(from..from + SECTOR_BYTES as usize)?.to_vec();
    let after = if drill == Drill::ZeroSector { vec![0; before.len()] } else { rng.noise(before.len()) };
    Some(PlannedEdit { finding: first.start..last.end(), edit: ByteEdit { at, before, after } })
}

/// Appends 4 to 4096 zeros after the last frame.
fn append_zeros(log: &Arc<LogFile>, rng: &mut Rng) -> Result<Option<PlannedEdit>, StorageError> {
    let Some(last) = last_frame(log)? else { return Ok(None) };
    let after = vec![0; 4 + rng.next_below(4093) as usize];
    let range = last.end()..last.end() + after.len() as u64;
    Ok(Some(PlannedEdit { finding: range, edit: ByteEdit { at: last.end(), before: Vec::new(), after } }))
}

/// Appends a copy of the last frame.
fn append_last_frame(log: &Arc<LogFile>) -> Result<Option<PlannedEdit>, StorageError> {
    let Some(last) = last_frames(log, 4)?.pop() else { return Ok(None) };
    let edit = ByteEdit { at: last.end(), before: Vec::new(), after: last.bytes.clone() };
    Ok(Some(PlannedEdit { finding: last.end()..last.end() + last.bytes.len() as u64, edit }))
}

/// Cuts or zeroes the end of a log that ends with at least four valid frames.
fn edit_tail(log: &Arc<LogFile>, drill: Drill, rng: &mut Rng) -> Result<Option<PlannedEdit>, StorageError> {
    let frames = last_frames(log, 4)?;
    let Some(last) = frames.last().filter(|_| frames.len() == 4) else { return Ok(None) };
    let len = last.bytes.len();
    // Keeps the first `keep` bytes of the last frames, which start at `start`, and removes the rest.
    let cut = |start: u64, keep: u64, frames: &[TargetFrame]| {
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes.clone()).collect();
        let before = bytes.get(keep as usize..).unwrap_or_default().to_vec();
        ByteEdit { at: start + keep, before, after: Vec::new() }
    };
    Ok(Some(match drill {
        Drill::TornData => {
            // Zeroes at least the last byte of the payload and the checksum.
            let from =
                frame::LENGTH_LEN + rng.next_below((len - frame::LENGTH_LEN - frame::CHECKSUM_LEN) as u64) as usize;
            let before = last.bytes.get(from..).unwrap_or_default().to_vec();
            let after = vec![0; before.len()];
            let edit = ByteEdit { at: last.start + from as u64, before, after };
            PlannedEdit { finding: last.start..last.end(), edit }
        }
        Drill::Truncated => {
            let from = 1 + rng.next_below(3) as usize;
            let rest = frames.get(from..).unwrap_or_default();
            let start = rest.first().map_or(last.start, |found| found.start);
            let edit = cut(start, 0, rest);
            PlannedEdit { finding: edit.at..edit.at, edit }
        }
        _ => {
            let edit = cut(last.start, 1 + rng.next_below(len as u64 - 1), std::slice::from_ref(last));
            PlannedEdit { finding: last.start..edit.at, edit }
        }
    }))
}

/// Changes one byte of the magic or of the creation time.
fn edit_header(log: &Arc<LogFile>, drill: Drill, rng: &mut Rng) -> Result<Option<PlannedEdit>, StorageError> {
    let (bytes, header) = (log.read_header()?, log.header_range());
    // A log with a damaged magic is recognised only by the frames after the header.
    if (bytes.len() as u64) < header.end - header.start || find_target(log, rng, 1, |_, _| Some(()))?.is_none() {
        return Ok(None);
    }
    let field_name = if drill == Drill::CreatedAt { "created_at" } else { "magic" };
    let Some(field) = header_fields(log.version()).iter().find(|field| field.name == field_name) else {
        return Ok(None);
    };
    let at = field.offset + rng.next_below(field.len as u64) as usize;
    let before = bytes.get(at..=at).unwrap_or_default().to_vec();
    let after = before.iter().map(|byte| byte ^ (1 + rng.next_below(255) as u8)).collect();
    let at = header.start + at as u64;
    Ok(Some(PlannedEdit { finding: header, edit: ByteEdit { at, before, after } }))
}
