//! One named damage, planted in a copy of a log, with the truth about it as data.
//!
//! Here live the table of drills and the copy; how each damage is made has a file of its own. The log itself is only read.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::damage_edits::plan_damage;
use super::edit::ByteEdit;
use crate::StorageError;
use crate::file::{Disk, LogFile, OpenMode, OsDisk};
use crate::format::DamageKind;
use crate::inspect::{LogView, SurveyOptions, index_path, survey};

/// A damage that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drill {
    /// Zeros at the end.
    Zeros,
    /// Frames in the middle zeroed whole.
    ZeroFrames,
    /// One bit of a payload or checksum flipped.
    Checksum,
    /// One byte of a payload changed.
    ChecksumByte,
    /// Some adjacent bytes of a payload changed.
    ChecksumNoise,
    /// A length field changed.
    Length,
    /// The last frame cut off.
    TornTail,
    /// The last frame's end zeroed: its size was written, its data was not.
    TornData,
    /// A sector overwritten across frames.
    Garbage,
    /// Bytes inserted between two frames.
    Inserted,
    /// A sector zeroed across frames.
    ZeroSector,
    /// Whole frames cut off the end, with an index that has seen them.
    Truncated,
    /// The same in the middle of a frame.
    TruncatedFrame,
    /// The magic damaged.
    Header,
    /// The header's time changed, with an index that knows it.
    CreatedAt,
    /// A frame whose payload is no event.
    InvalidEvent,
    /// A frame fenced off.
    Gap,
    /// An event's time set before that of the event before it.
    Clock,
    /// Two frames swapped: both hold, only their times tell.
    Swapped,
}

/// What was planted: the truth that a look at the copy must come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlantedDamage {
    /// Which damage.
    pub drill: Drill,
    /// The seed that chose its place.
    pub seed: u64,
    /// What it must be found as.
    pub kind: DamageKind,
    /// File offset of the finding's first byte.
    pub start: u64,
    /// File offset behind its last byte.
    pub end: u64,
    /// The change to the log's bytes.
    pub edit: ByteEdit,
}

/// Why nothing was planted.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// A file could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log has no place for this damage.
    #[error("{log}: no place for the drill {drill}: expected {expected}")]
    NoLocation {
        /// The log.
        log: String,
        /// The drill's name.
        drill: &'static str,
        /// What the log would need.
        expected: &'static str,
    },
}

impl Drill {
    /// Every drill with its name, what it is found as, and what it does. Every kind of damage that bytes can show has
    /// the drill of its name.
    pub const ALL: [(Drill, &'static str, DamageKind, &'static str); 19] = [
        (Drill::Zeros, "zeros", DamageKind::Zeros, "zeros at the end"),
        (Drill::ZeroFrames, "zero_frames", DamageKind::Zeros, "frames in the middle zeroed"),
        (Drill::Checksum, "checksum", DamageKind::Checksum, "one bit flipped"),
        (Drill::ChecksumByte, "checksum_byte", DamageKind::Checksum, "one byte changed"),
        (Drill::ChecksumNoise, "checksum_noise", DamageKind::Checksum, "some adjacent bytes changed"),
        (Drill::Length, "length", DamageKind::Length, "a length field changed"),
        (Drill::TornTail, "torn_tail", DamageKind::TornTail, "the last frame cut off"),
        (Drill::TornData, "torn_data", DamageKind::TornTail, "the last frame's end zeroed"),
        (Drill::Garbage, "garbage", DamageKind::Garbage, "a sector overwritten across frames"),
        (Drill::Inserted, "inserted", DamageKind::Garbage, "bytes inserted between two frames"),
        (Drill::ZeroSector, "zero_sector", DamageKind::Garbage, "a sector zeroed across frames"),
        (Drill::Truncated, "truncated", DamageKind::Truncated, "whole frames cut off, known to the index"),
        (
            Drill::TruncatedFrame,
            "truncated_frame",
            DamageKind::Truncated,
            "the end cut off inside a frame, known to the index",
        ),
        (Drill::Header, "header", DamageKind::Header, "the magic damaged"),
        (Drill::CreatedAt, "created_at", DamageKind::Header, "the header's time changed, known to the index"),
        (Drill::InvalidEvent, "invalid_event", DamageKind::InvalidEvent, "a frame whose payload is no event"),
        (Drill::Gap, "gap", DamageKind::Gap, "a frame fenced off"),
        (Drill::Clock, "clock", DamageKind::Clock, "an event's time set back"),
        (Drill::Swapped, "swapped", DamageKind::Clock, "two frames swapped"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        self.table_row().1
    }

    /// What it is found as.
    pub fn kind(self) -> DamageKind {
        self.table_row().2
    }

    /// The drill of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// True when only an index can tell: the copy gets one that was built before the damage.
    pub const fn needs_index(self) -> bool {
        matches!(self, Self::Truncated | Self::TruncatedFrame | Self::CreatedAt)
    }

    fn table_row(self) -> &'static (Drill, &'static str, DamageKind, &'static str) {
        Self::ALL.iter().find(|row| row.0 == self).unwrap_or(&Self::ALL[0])
    }
}

/// Copies the log `source` to `copy`, which must not be there yet, nor an index beside it, and plants one damage in it.
///
/// # Errors
/// `NoPlace` when the log is too short, or of version 0; `Exists`, `Io`, and what opening a log fails with.
pub fn plant_damage(source: &Path, copy: &Path, drill: Drill, seed: u64) -> Result<PlantedDamage, DrillError> {
    let index = index_path(copy);
    for path in [copy, &index] {
        if fs::symlink_metadata(path).is_ok() {
            return Err(StorageError::AlreadyExists { path: path.to_owned() }.into());
        }
    }
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let log = Arc::new(LogFile::open(disk.as_ref(), source, OpenMode::Read)?);
    let planted = plan_damage(&log, drill, seed)?;
    planted.edit.write_edited_copy(source, copy)?;
    if drill.needs_index() {
        // The index that the copy does not have yet: the view names it missing and builds it from the intact log.
        let view = LogView::open(disk.clone(), source, Some(&index))?;
        let mut built = view.empty_index();
        survey(&view, &SurveyOptions::default(), Some(&mut built), &mut |_| ControlFlow::Continue(()))?;
        crate::index::save(disk.as_ref(), &index, view.log(), &built)?;
    }
    Ok(planted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{GeneratorOptions, LogLength, generate};

    fn generate_log(folder: &Path, events: u64) -> std::path::PathBuf {
        let path = folder.join(format!("{events}.log"));
        let recipe = GeneratorOptions { length: LogLength::Events(events), ..GeneratorOptions::default() };
        generate(&OsDisk, &path, &recipe, &mut |_| ControlFlow::Continue(())).unwrap();
        path
    }

    fn survey_findings(path: &Path) -> Vec<(DamageKind, u64, u64)> {
        let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
        let seen = survey(&view, &SurveyOptions::default(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        seen.findings.iter().map(|finding| (finding.kind, finding.start, finding.end)).collect()
    }

    /// A damaged end is looked at twice, 250 ms apart, so those are tried less often.
    fn seeds(drill: Drill) -> std::ops::Range<u64> {
        match drill {
            Drill::Zeros | Drill::TornTail | Drill::TornData | Drill::TruncatedFrame => 0..4,
            _ => 0..60,
        }
    }

    #[test]
    fn what_is_planted_is_what_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let source = generate_log(folder.path(), 400);
        let intact = fs::read(&source).unwrap();
        for (drill, name, kind, _) in Drill::ALL {
            for seed in seeds(drill) {
                let copy = folder.path().join("copy.log");
                let planted = super::plant_damage(&source, &copy, drill, seed).unwrap();
                assert_eq!(
                    survey_findings(&copy),
                    [(kind, planted.start, planted.end)],
                    "{name} with seed {seed}: {planted:?}"
                );
                let ByteEdit { at, before, after } = &planted.edit;
                let (at, taken) = (*at as usize, *at as usize + before.len());
                assert_eq!(&intact[at..taken], before, "{name} with seed {seed}");
                assert!(fs::read(&copy).unwrap() == [&intact[..at], after, &intact[taken..]].concat());
                fs::remove_file(&copy).unwrap();
                let _ = fs::remove_file(index_path(&copy));
            }
        }
        assert_eq!(fs::read(&source).unwrap(), intact);
    }

    #[test]
    fn every_kind_that_bytes_can_show_has_a_drill_of_its_name() {
        for kind in DamageKind::ALL {
            let name = kind.name();
            let drill = Drill::from_name(name);
            assert_eq!(drill.map(Drill::kind), (kind != DamageKind::Unreadable).then_some(kind), "{name}");
        }
    }

    #[test]
    fn the_same_seed_plants_the_same_and_another_another() {
        let folder = tempfile::tempdir().unwrap();
        let source = generate_log(folder.path(), 300);
        let plant =
            |name: &str, seed| super::plant_damage(&source, &folder.path().join(name), Drill::Checksum, seed).unwrap();
        let (a, b, c) = (plant("a", 1), plant("b", 1), plant("c", 2));
        assert_eq!(a, b);
        assert_ne!(a.edit, c.edit);
    }

    #[test]
    fn a_log_without_a_place_is_refused_and_nothing_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let (short, source) = (generate_log(folder.path(), 2), generate_log(folder.path(), 50));
        let copy = folder.path().join("copy.log");
        for (drill, name, ..) in Drill::ALL {
            let answer = super::plant_damage(&short, &copy, drill, 1);
            let possible = matches!(drill, Drill::Zeros | Drill::Header | Drill::CreatedAt);
            assert_eq!(answer.is_ok(), possible, "{name}: {answer:?}");
            let _ = (fs::remove_file(&copy), fs::remove_file(index_path(&copy)));
        }
        fs::write(index_path(&copy), "an index of something else").unwrap();
        let refused = super::plant_damage(&source, &copy, Drill::Checksum, 1);
        assert!(matches!(refused, Err(DrillError::Storage(StorageError::AlreadyExists { .. }))), "{refused:?}");
        assert!(!copy.exists());
    }
}
