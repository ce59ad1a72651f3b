//! Creates the demo log: 12 000 events, several damaged ranges, an incomplete last frame, and an index that is behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::damage_edits::plan_damage;
use super::drill::{Drill, DrillError, PlantedChange, PlantedDamage};
use super::generate::{EventGenerator, GeneratorOptions, LogLength};
use crate::file::storage::append_all;
use crate::file::{Disk, ExistingFile, LogFile, NewFile, OpenMode, OsDisk};
use crate::format::DamageKind;
use crate::inspect::index_path;
use crate::{EventLog, StorageError};

/// Number of complete events in the demo log.
const COMPLETE_EVENTS: u64 = 12_000;
/// Approximate number of bytes that the index covers.
const INDEXED_BYTES: usize = 3_000_000;
/// The drills, each with its seed, that damage the part covered by the index.
const PLANTED_DAMAGES: [(Drill, u64); 9] = [
    (Drill::Checksum, 3),
    (Drill::ChecksumNoise, 5),
    (Drill::Length, 8),
    (Drill::ZeroSector, 13),
    (Drill::ZeroFrames, 144),
    (Drill::Garbage, 21),
    (Drill::InvalidEvent, 34),
    (Drill::Gap, 55),
    (Drill::Clock, 89),
];

/// The path of a demo log and the findings in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DemoLog {
    /// The path of the log.
    pub(crate) log: PathBuf,
    /// Kind and range of every finding that `verify` must report, in ascending order.
    pub(crate) findings: Vec<(DamageKind, std::ops::Range<u64>)>,
}

/// Writes `demo.log` and its index into `folder`, which is created if missing.
///
/// # Errors
/// `Storage` with `AlreadyExists` when one of the two files exists, with `Io` when they cannot be written.
pub(crate) fn create_demo(folder: &Path) -> Result<DemoLog, DrillError> {
    fs::create_dir_all(folder).map_err(|error| StorageError::io(folder, "create", error))?;
    let path = folder.join("demo.log");
    for file in [&path, &index_path(&path)] {
        if fs::symlink_metadata(file).is_ok() {
            return Err(StorageError::AlreadyExists { path: file.clone() }.into());
        }
    }
    let mut generator = EventGenerator::new(&GeneratorOptions {
        seed: 2,
        length: LogLength::Events(COMPLETE_EVENTS + 1),
        aggregates: 800,
        ..GeneratorOptions::default()
    });
    let mut bytes = generator.header().to_vec();
    generator.fill_buffer(&mut bytes, INDEXED_BYTES);
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let mut file = NewFile::create_log(disk.as_ref(), &path, ExistingFile::Keep)?;
    let append = |file: &NewFile, bytes: &[u8]| {
        append_all(file.storage().as_ref(), bytes).map_err(|error| StorageError::io(&path, "write", error))
    };
    append(&file, &bytes)?;

    let log = Arc::new(LogFile::open(&disk, file.temporary_path(), OpenMode::Read)?);
    let mut findings = Vec::new();
    for (drill, seed) in PLANTED_DAMAGES {
        let PlantedDamage { kind, start, end, change, .. } = plan_damage(&log, drill, seed)?;
        if let PlantedChange::Bytes(edit) = change {
            edit.apply(file.temporary_path())?;
        }
        findings.push((kind, start..end));
    }
    findings.sort_unstable_by_key(|(_, range)| range.start);
    let index = EventLog::open_read_only(file.temporary_path())?.index()?;

    bytes.clear();
    generator.fill_buffer(&mut bytes, usize::MAX);
    let torn = tear_last_frame(&mut bytes);
    append(&file, &bytes)?;
    let end = log.len()?;
    findings.push((DamageKind::TornTail, end - torn..end));
    file.commit()?;
    let log = LogFile::open(&disk, &path, OpenMode::Read)?;
    if let Err(error) = crate::index::save(&OsDisk, &index_path(&path), &log, &index) {
        file.discard();
        return Err(error.into());
    }
    Ok(DemoLog { log: path, findings })
}

/// Cuts the last frame in two, and returns the number of its bytes that remain.
fn tear_last_frame(frames: &mut Vec<u8>) -> u64 {
    let (mut at, mut last) = (0, 0);
    while let Some(length) = crate::format::frame::payload_length_at(frames, at) {
        last = at;
        at += crate::format::frame::MIN_FRAME - 1 + length as usize;
    }
    let remaining = (frames.len() - last) / 2;
    frames.truncate(last + remaining);
    remaining as u64
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::IndexState;
    use crate::inspect::{LogView, SurveyOptions, survey};

    #[test]
    fn the_demo_has_its_planted_damage_and_an_index_that_is_behind() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new");
        let demo = create_demo(&folder).unwrap();
        let view = LogView::open(Arc::new(OsDisk), &demo.log, None).unwrap();
        assert!(
            matches!(view.index_state(), IndexState::Behind { bytes } if *bytes > 500_000),
            "{:?}",
            view.index_state()
        );
        let survey = survey(&view, &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        let found: Vec<_> = survey.findings.iter().map(|finding| (finding.kind, finding.range())).collect();
        assert_eq!(found, demo.findings);
        assert_eq!(found.len(), PLANTED_DAMAGES.len() + 1);
        assert!(matches!(create_demo(&folder), Err(DrillError::Storage(StorageError::AlreadyExists { .. }))));
    }
}
