//! Plants damage in a copy of a log that is a folder of segments: in the bytes of a segment, or by removing, cutting or renaming the
//! files of segments.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use super::damage_edits::plan_damage;
use super::drill::{Drill, DrillError, PlantedChange, PlantedDamage, SegmentPart};
use super::edit::{ByteEdit, copy_file};
use super::rng::Rng;
use crate::file::{
    Disk, ExistingFile, FoundSettings, LogFile, NewLogFolder, OffsetLocation, SegmentCondition, SegmentSet,
    locate_offset,
};
use crate::format::segment_file_name;
use crate::{EventLog, StorageError};

/// Copies the segments of `log`, whose indexes are not copied, into the new folder `copy`, and plants the damage of `drill`.
///
/// # Errors
/// Those of [`plant_damage`](super::plant_damage).
pub(super) fn plant_in_folder(
    disk: &dyn Disk,
    (log, segments): (&Arc<LogFile>, &dyn SegmentSet),
    copy: &Path,
    (drill, seed): (Drill, u64),
) -> Result<PlantedDamage, DrillError> {
    let planted = if drill.changes_segments() {
        plan_segment_change(log, segments, drill, seed)?
    } else {
        plan_damage(log, drill, seed)?
    };
    let mut folder = NewLogFolder::create(disk, copy, ExistingFile::Keep, None)?;
    for part in segment_parts(segments) {
        let (file, path) = folder.create_segment(part.base)?;
        copy_file(disk, &segments.segment_path(part.base), file.as_ref(), &path)?;
    }
    if let FoundSettings::Valid(settings) =
        FoundSettings::read(disk, segments.folder(), log.storage(), segments.log_id())
    {
        folder.write_settings(&settings)?;
    }
    if drill.needs_index() {
        EventLog::open_read_only(folder.temporary_path())?.save_index()?;
    }
    apply_change(&planted.change, segments, folder.temporary_path())?;
    folder.commit()?;
    Ok(planted)
}

/// Chooses the segment to change, and computes the range of the log that is then missing.
fn plan_segment_change(
    log: &Arc<LogFile>,
    segments: &dyn SegmentSet,
    drill: Drill,
    seed: u64,
) -> Result<PlantedDamage, DrillError> {
    let parts = segment_parts(segments);
    let mut rng = Rng::new(seed ^ 0x5E65_5E65_5E65_5E65);
    // The segments from `first` up to but excluding `end` can be chosen.
    let (first, end) = match drill {
        Drill::MissingFirstSegment => (0, 1.min(parts.len().saturating_sub(1))),
        Drill::MissingLastSegment => (1.max(parts.len().saturating_sub(1)), parts.len()),
        Drill::MissingSegment => (1, parts.len().saturating_sub(1)),
        Drill::SwappedSegments => (0, parts.len().saturating_sub(2)),
        _ => (0, parts.len().saturating_sub(1)),
    };
    let no_location =
        |expected| DrillError::NoLocation { log: log.path().display().to_string(), drill: drill.name(), expected };
    let is_complete = parts.len() == segments.bases().len() && segments.log_start() == log.header_range().start;
    if !is_complete || first >= end {
        return Err(no_location("a log in a folder with more segments, all of them in place"));
    }
    let at = first + rng.next_below((end - first) as u64) as usize;
    let part = |at: usize| parts.get(at).cloned().ok_or_else(|| no_location("a log with more segments"));
    let (chosen, log_end) = (part(at)?, log.len()?);
    let next = parts.get(at + 1).map_or(log_end, |next| next.base);
    let (start, end, change) = match drill {
        Drill::SwappedSegments => {
            let second = part(at + 1)?;
            let end = second.base + second.bytes;
            (chosen.base, end, PlantedChange::Exchanged([chosen, second]))
        }
        Drill::CutSegment => {
            let first_frame = segments.segment_at(chosen.base).first_frame();
            let cut = first_frame + 1 + rng.next_below(next.saturating_sub(first_frame + 1));
            let start = match locate_offset(log, cut, log_end)? {
                OffsetLocation::FrameStart(frame) | OffsetLocation::InsideFrame(frame) => frame.start,
                OffsetLocation::Damaged(_) | OffsetLocation::PastEnd => return Err(no_location("intact events")),
            };
            let kept = cut - chosen.base;
            (start, next, PlantedChange::Cut(chosen, kept))
        }
        // The end of the log is known from the index alone; the finding is at the end that the files have.
        Drill::MissingLastSegment => (chosen.base, chosen.base, PlantedChange::Removed(chosen)),
        _ => (chosen.base, next, PlantedChange::Removed(chosen)),
    };
    Ok(PlantedDamage { drill, seed, kind: drill.kind(), start, end, change })
}

/// Returns the segments whose files are there, in order.
fn segment_parts(segments: &dyn SegmentSet) -> Vec<SegmentPart> {
    let bases = segments.bases().into_iter();
    let present = bases.filter(|base| segments.segment_at(*base).condition == SegmentCondition::Present);
    let size = |base| fs::metadata(segments.segment_path(base)).map_or(0, |metadata| metadata.len());
    present.map(|base| SegmentPart { file: segment_file_name(base), base, bytes: size(base) }).collect()
}

/// Makes the change in the copy of the segments in `folder`.
pub(super) fn apply_change(
    change: &PlantedChange,
    segments: &dyn SegmentSet,
    folder: &Path,
) -> Result<(), StorageError> {
    let path = |part: &SegmentPart| folder.join(&part.file);
    let failed = |action| move |error| StorageError::io(folder, action, error);
    match change {
        PlantedChange::Bytes(edit) => {
            let base = segments.segment_at(edit.at).base;
            write_edit(edit, base, &folder.join(segment_file_name(base)))
        }
        PlantedChange::Removed(part) => fs::remove_file(path(part)).map_err(failed("remove a segment in")),
        PlantedChange::Cut(part, kept) => {
            let file = fs::OpenOptions::new().write(true).open(path(part));
            file.and_then(|file| file.set_len(*kept).and_then(|()| file.sync_all())).map_err(failed("cut a segment in"))
        }
        PlantedChange::Exchanged([one, other]) => {
            let spare = folder.join("exchanged");
            fs::rename(path(one), &spare)
                .and_then(|()| fs::rename(path(other), path(one)))
                .and_then(|()| fs::rename(&spare, path(other)))
                .map_err(failed("rename a segment in"))
        }
    }
}

/// Makes a change in the file at `path` of the segment that starts at `base`. A change of the size is at its end.
fn write_edit(edit: &ByteEdit, base: u64, path: &Path) -> Result<(), StorageError> {
    let io = |error| StorageError::io_at(path, "write", edit.at, error);
    let mut file = fs::OpenOptions::new().write(true).open(path).map_err(io)?;
    if edit.before.len() != edit.after.len() {
        file.set_len(edit.at - base).map_err(io)?;
    }
    file.seek(SeekFrom::Start(edit.at - base)).and_then(|_| file.write_all(&edit.after)).map_err(io)?;
    file.sync_all().map_err(io)
}
