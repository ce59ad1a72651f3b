//! How each damage is made: which bytes change, and what that must be found as.
//!
//! The answer follows from docs/format.md and from how the damage was made, never from asking the inspector: that makes a
//! drill a test of the inspector. Nothing is written here.

use std::ops::Range;
use std::sync::Arc;

use super::drill::{Drill, DrillError, PlantedDamage};
use super::edit::ByteEdit;
use super::rng::Rng;
use super::targets::{TargetFrame, find_target, last_frame, last_frames};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::header::HEADER_FIELDS;
use crate::format::{EventView, Version, frame, gap};

/// Bytes of the sectors that are overwritten.
const SECTOR_BYTES: u64 = 512;
/// Frames looked at together where a sector is to be overwritten.
const SECTOR_RUN_FRAMES: usize = 12;

/// A finding's range, and the change that leads to it.
type PlannedEdit = (Range<u64>, ByteEdit);

/// What to change in `log`, and what it must be found as.
pub(super) fn plan_damage(log: &Arc<LogFile>, drill: Drill, seed: u64) -> Result<PlantedDamage, DrillError> {
    let no_place =
        |expected| DrillError::NoLocation { log: log.path().display().to_string(), drill: drill.name(), expected };
    if log.version() == Version::V0 {
        return Err(no_place("a log of version 1"));
    }
    // Apart from the numbers of a log generated with the same seed.
    let mut rng = Rng::new(seed ^ 0xD811_D811_D811_D811);
    let planned = match drill {
        Drill::Zeros => append_zeros(log, &mut rng)?,
        Drill::TornTail | Drill::TornData | Drill::Truncated | Drill::TruncatedFrame => {
            edit_tail(log, drill, &mut rng)?
        }
        Drill::Header | Drill::CreatedAt => edit_header(log, drill, &mut rng)?,
        Drill::Garbage | Drill::ZeroSector => {
            find_target(log, &mut rng, SECTOR_RUN_FRAMES, |rng, run| edit_sector(drill, rng, run))?
        }
        _ => find_target(log, &mut rng, 5, |rng, run| edit_inner_frame(drill, rng, run))?,
    };
    let (range, edit) = planned.ok_or_else(|| no_place("healthy events on both sides of it, and a healthy end"))?;
    Ok(PlantedDamage { drill, seed, kind: drill.kind(), start: range.start, end: range.end, edit })
}

/// A change of one frame, or of adjacent ones, with healthy events on both sides.
fn edit_inner_frame(drill: Drill, rng: &mut Rng, run: &[TargetFrame]) -> Option<PlannedEdit> {
    let victim = run.get(1)?;
    let (last, mut bytes) = (victim.bytes.len() - 1, victim.bytes.clone());
    let payload = frame::LENGTH_LEN..bytes.len() - frame::CHECKSUM_LEN;
    let somewhere = |rng: &mut Rng, end: usize| payload.start + rng.next_below((end - payload.start) as u64) as usize;
    match drill {
        Drill::Checksum => {
            let at = somewhere(rng, last + 1);
            *bytes.get_mut(at)? ^= 1 << rng.next_below(8);
        }
        Drill::ChecksumByte => {
            let at = somewhere(rng, payload.end);
            let byte = bytes.get_mut(at)?;
            *byte = byte.wrapping_add(1 + rng.next_below(254) as u8).max(1);
            if bytes == victim.bytes {
                return None;
            }
        }
        Drill::ChecksumNoise => {
            let len = (2 + rng.next_below(15) as usize).min(payload.len() - 1);
            let at = somewhere(rng, payload.end - len);
            let noise = rng.noise(len);
            bytes.get_mut(at..at + len)?.copy_from_slice(&noise);
            if bytes == victim.bytes {
                return None;
            }
        }
        Drill::Length => {
            let length = payload.len() as u32;
            let changed = if rng.next_below(2) == 0 { length ^ (1 << rng.next_below(32)) } else { rng.next() as u32 };
            // A smaller length in range could end at something that looks like a frame's end.
            if frame::is_valid_length(changed) && changed <= length {
                return None;
            }
            bytes.get_mut(..frame::LENGTH_LEN)?.copy_from_slice(&changed.to_be_bytes());
        }
        Drill::ZeroFrames => {
            let count = 1 + rng.next_below(3) as usize;
            let before: Vec<u8> = run.get(1..=count)?.iter().flat_map(|found| found.bytes.clone()).collect();
            let end = victim.start + before.len() as u64;
            let after = vec![0; before.len()];
            return Some((victim.start..end, ByteEdit { at: victim.start, before, after }));
        }
        Drill::Inserted => {
            let after = match 1 + rng.next_below(64) {
                few @ 1..=8 => rng.noise(few as usize),
                more => rng.noise(8 * more as usize),
            };
            let range = victim.start..victim.start + after.len() as u64;
            return Some((range, ByteEdit { at: victim.start, before: Vec::new(), after }));
        }
        Drill::InvalidEvent => {
            let mut payload = victim.payload().to_vec();
            let brace = payload.iter().rposition(|byte| *byte == b'}')?;
            *payload.get_mut(brace)? = b' ';
            bytes = TargetFrame::encode_frame(&payload);
        }
        Drill::Gap => {
            let payload = gap::build_gap_payload(payload.len(), "{\"by\":\"drill\"}");
            bytes = TargetFrame::encode_frame(&payload);
        }
        Drill::Clock => bytes = with_earlier_time(victim, run.first()?.time_ms, rng)?,
        Drill::Swapped => {
            let next = run.get(2)?;
            if victim.time_ms == next.time_ms {
                return None;
            }
            let before = [victim.bytes.as_slice(), &next.bytes].concat();
            let after = [next.bytes.as_slice(), &victim.bytes].concat();
            let range = victim.start + next.bytes.len() as u64..next.end();
            return Some((range, ByteEdit { at: victim.start, before, after }));
        }
        _ => return None,
    }
    let edit = ByteEdit { at: victim.start, before: victim.bytes.clone(), after: bytes };
    Some((victim.start..victim.end(), edit))
}

/// The frame with a time before `previous`, of the same length.
fn with_earlier_time(victim: &TargetFrame, previous: u64, rng: &mut Rng) -> Option<Vec<u8>> {
    let (old, new) = (victim.time_ms.to_string(), previous.checked_sub(1 + rng.next_below(60_000))?.to_string());
    let key = format!("\"write_timestamp_ms\":{old}");
    let payload = std::str::from_utf8(victim.payload()).ok()?;
    let changed = payload.replacen(&key, &format!("\"write_timestamp_ms\":{new}"), 1);
    let event = EventView::parse(changed.as_bytes(), Version::V1).ok()?;
    let done = changed.len() == payload.len() && event.write_timestamp_ms() < previous;
    done.then(|| TargetFrame::encode_frame(changed.as_bytes()))
}

/// A sector that starts inside one frame and ends inside a later one, over the end of the first and the start of the
/// second with all that a frame is known by: neither is then told apart from the rest.
fn edit_sector(drill: Drill, rng: &mut Rng, run: &[TargetFrame]) -> Option<PlannedEdit> {
    let first = run.get(1..)?.iter().find(|found| {
        let at = found.end().next_multiple_of(SECTOR_BYTES) - SECTOR_BYTES;
        found.start + 5 <= at && at + 5 <= found.end() && at + SECTOR_BYTES >= found.end() + 5
    })?;
    let at = first.end().next_multiple_of(SECTOR_BYTES) - SECTOR_BYTES;
    let touched = |found: &&TargetFrame| found.start >= first.start && found.start < at + SECTOR_BYTES;
    let last = run.iter().rfind(touched)?;
    // What is left of the last one must not be taken for nothing, and a healthy frame has to follow.
    if last.end() < at + SECTOR_BYTES + 5 || run.last()?.start == last.start {
        return None;
    }
    let bytes: Vec<u8> = run.iter().filter(touched).flat_map(|found| found.bytes.clone()).collect();
    let from = (at - first.start) as usize;
    let before = bytes.get(from..from + SECTOR_BYTES as usize)?.to_vec();
    let after = if drill == Drill::ZeroSector { vec![0; before.len()] } else { rng.noise(before.len()) };
    Some((first.start..last.end(), ByteEdit { at, before, after }))
}

fn append_zeros(log: &Arc<LogFile>, rng: &mut Rng) -> Result<Option<PlannedEdit>, StorageError> {
    let Some(last) = last_frame(log)? else { return Ok(None) };
    let after = vec![0; 4 + rng.next_below(4093) as usize];
    let range = last.end()..last.end() + after.len() as u64;
    Ok(Some((range, ByteEdit { at: last.end(), before: Vec::new(), after })))
}

/// A change at the end of the log, which ends with a whole frame.
fn edit_tail(log: &Arc<LogFile>, drill: Drill, rng: &mut Rng) -> Result<Option<PlannedEdit>, StorageError> {
    let frames = last_frames(log, 4)?;
    let Some(last) = frames.last().filter(|_| frames.len() == 4) else { return Ok(None) };
    let len = last.bytes.len();
    let cut = |start: u64, keep: u64, from: &[TargetFrame]| {
        let bytes: Vec<u8> = from.iter().flat_map(|found| found.bytes.clone()).collect();
        let before = bytes.get(keep as usize..).unwrap_or_default().to_vec();
        (start + keep, ByteEdit { at: start + keep, before, after: Vec::new() })
    };
    Ok(Some(match drill {
        Drill::TornData => {
            // At least the payload's last byte and the checksum.
            let from =
                frame::LENGTH_LEN + rng.next_below((len - frame::LENGTH_LEN - frame::CHECKSUM_LEN) as u64) as usize;
            let before = last.bytes.get(from..).unwrap_or_default().to_vec();
            let after = vec![0; before.len()];
            (last.start..last.end(), ByteEdit { at: last.start + from as u64, before, after })
        }
        Drill::Truncated => {
            let from = 1 + rng.next_below(3) as usize;
            let rest = frames.get(from..).unwrap_or_default();
            let start = rest.first().map_or(last.start, |found| found.start);
            let (end, edit) = cut(start, 0, rest);
            (end..end, edit)
        }
        _ => {
            let (end, edit) = cut(last.start, 1 + rng.next_below(len as u64 - 1), std::slice::from_ref(last));
            (last.start..end, edit)
        }
    }))
}

fn edit_header(log: &Arc<LogFile>, drill: Drill, rng: &mut Rng) -> Result<Option<PlannedEdit>, StorageError> {
    let mut bytes = [0; 16];
    // Without a frame behind it nobody could say that this was a log.
    if log.read_at(&mut bytes, 0)? < bytes.len() || find_target(log, rng, 1, |_, _| Some(()))?.is_none() {
        return Ok(None);
    }
    let field_name = if drill == Drill::CreatedAt { "created_at" } else { "magic" };
    let Some(field) = HEADER_FIELDS.iter().find(|field| field.name == field_name) else { return Ok(None) };
    let at = field.offset + rng.next_below(field.len as u64) as usize;
    let before = bytes.get(at..=at).unwrap_or_default().to_vec();
    let after = before.iter().map(|byte| byte ^ (1 + rng.next_below(255) as u8)).collect();
    Ok(Some((0..16, ByteEdit { at: at as u64, before, after })))
}
