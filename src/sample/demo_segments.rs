//! Creates the demo log in a folder: several segments, a start that retention has removed, damage in a sealed segment, a segment
//! that is missing, and an index that is behind.

use std::fs;
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use super::damage_edits::plan_damage;
use super::demo::DemoLog;
use super::drill::{Drill, DrillError, PlantedChange, PlantedDamage};
use super::generate::{GeneratorOptions, LogLength};
use super::generate_segments::generate_segments;
use super::plant_segments::apply_change;
use crate::file::{Disk, LogFile, OpenMode, OsDisk};
use crate::format::{DamageKind, Version};
use crate::{Event, EventLog, OpenOptions, StorageError};

/// Number of generated events.
const GENERATED_EVENTS: u64 = 1600;
/// Size of a segment in bytes.
const SEGMENT_BYTES: u64 = 64 << 10;
/// Number of events that are appended before the indexes are saved, and again after that.
const APPENDED_EVENTS: u64 = 120;
/// Time of the appended events in milliseconds since the Unix epoch: a day after the start of the generated ones.
const APPENDED_AT_MS: u64 = 1_767_312_000_000;
/// The segments that get damage, counted from the first one that is left, with the drill.
const DAMAGED_SEGMENTS: [(usize, Drill); 2] = [(0, Drill::Checksum), (1, Drill::ZeroSector)];
/// The segment that is missing, counted from the first one that is left.
const MISSING_SEGMENT: usize = 3;
/// Largest number of seeds that are tried for damage in one segment.
const MAX_SEEDS: u64 = 10_000;

/// Writes the demo log into the folder `path`, which must not exist.
///
/// # Errors
/// `Storage` with `AlreadyExists` when the folder exists, with `Io` when it cannot be written; nothing is then left of it.
pub(crate) fn create_segmented_demo(path: &Path) -> Result<DemoLog, DrillError> {
    let options = GeneratorOptions {
        seed: 3,
        length: LogLength::Events(GENERATED_EVENTS),
        aggregates: 200,
        version: Version::V2,
        ..GeneratorOptions::default()
    };
    generate_segments(&OsDisk, path, &options, SEGMENT_BYTES, &mut |_| ControlFlow::Continue(()))?;
    damage_log(path).inspect_err(|_| {
        let _ = fs::remove_dir_all(path);
    })
}

/// Removes the start of the log, plants the damage, and appends events that the index does not cover.
///
/// The indexes are saved after the damage is planted, so that they list it.
fn damage_log(path: &Path) -> Result<DemoLog, DrillError> {
    let mut log = open_for_append(path)?;
    let bases = log.view().segment_bases();
    log.remove_before(bases.get(1).copied().unwrap_or_default())?;
    append_events(&mut log)?;
    log.sync()?;
    drop(log);
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let log = Arc::new(LogFile::open(&disk, path, OpenMode::Read)?);
    let no_segments = || StorageError::io(path, "open", std::io::ErrorKind::NotFound.into());
    let segments = log.storage().segments().ok_or_else(no_segments)?;
    let bases = segments.bases();
    let segment = |number: usize| {
        let end = bases.get(number + 1).copied().ok_or_else(no_segments)?;
        Ok::<_, StorageError>(segments.segment_at(bases.get(number).copied().unwrap_or_default()).base..end)
    };
    let mut findings = Vec::new();
    for (number, drill) in DAMAGED_SEGMENTS {
        let PlantedDamage { kind, start, end, change, .. } = plan_damage_within(&log, drill, segment(number)?)?;
        apply_change(&change, segments, path)?;
        findings.push((kind, start..end));
    }
    let mut writer = open_for_append(path)?;
    writer.save_index()?;
    append_events(&mut writer)?;
    writer.sync()?;
    drop(writer);
    let missing = segment(MISSING_SEGMENT)?;
    let file = segments.segment_path(missing.start);
    fs::remove_file(&file).map_err(|error| StorageError::io(&file, "remove", error))?;
    findings.push((DamageKind::Truncated, missing));
    findings.sort_unstable_by_key(|(_, range)| range.start);
    Ok(DemoLog { log: path.to_owned(), findings })
}

/// Opens the log for append, with the time of the appended events.
fn open_for_append(path: &Path) -> Result<EventLog, StorageError> {
    OpenOptions::new().clock(|| APPENDED_AT_MS).open(path)
}

/// Returns damage of this kind in the given range of the log.
fn plan_damage_within(log: &Arc<LogFile>, drill: Drill, range: Range<u64>) -> Result<PlantedDamage, DrillError> {
    let is_within = |planted: &PlantedDamage| {
        range.start < planted.start
            && planted.end < range.end
            && matches!(planted.change, PlantedChange::Bytes(ref edit) if range.contains(&edit.at))
    };
    for seed in 0..MAX_SEEDS {
        let planted = plan_damage(log, drill, seed)?;
        if is_within(&planted) {
            return Ok(planted);
        }
    }
    let log = log.path().display().to_string();
    Err(DrillError::NoLocation { log, drill: drill.name(), expected: "events in each segment" })
}

/// Appends events to the last segment.
fn append_events(log: &mut EventLog) -> Result<(), StorageError> {
    for number in 0..APPENDED_EVENTS {
        let event = Event::builder()
            .event_type("Measured")
            .namespace("sensors")
            .schema_id("Reading")
            .schema_version(1)
            .aggregate_id(1 + number % 7)
            .payload_json(format!("{{\"value\":{}.5,\"ok\":true}}", 20 + number % 9))
            .build()?;
        log.append(&event)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IndexState;
    use crate::inspect::{LogView, SurveyOptions, survey};

    #[test]
    fn the_demo_has_its_planted_damage_a_removed_start_and_an_index_that_is_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("segments");
        let demo = create_segmented_demo(&path).unwrap();
        let view = LogView::open(Arc::new(OsDisk), &demo.log, None).unwrap();
        assert!(matches!(view.index_state(), IndexState::Behind { .. }), "{:?}", view.index_state());
        let survey = survey(&view, &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        let found: Vec<_> = survey.findings.iter().map(|finding| (finding.kind, finding.range())).collect();
        assert_eq!(found, demo.findings);
        assert_eq!(found.len(), DAMAGED_SEGMENTS.len() + 1);
        // The indexes list the damage of their segments, which the screen then shows without reading them.
        for (number, _) in DAMAGED_SEGMENTS {
            let base = view.segment_bases()[number];
            let index = EventLog::open_read_only(view.segments().unwrap().segment_path(base)).unwrap().index().unwrap();
            assert_eq!(index.known_damage().count(), 1, "segment {number}");
        }
        let start = view.removed_start().unwrap();
        assert!(start.offset > 0 && start.events.is_some_and(|events| events > 0), "{start:?}");
        assert!(view.segment_bases().len() > 4);
        assert!(matches!(create_segmented_demo(&path), Err(DrillError::Storage(StorageError::AlreadyExists { .. }))));
    }
}
