//! Plants one kind of damage in a copy of a log. The log itself is only read.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::damage_edits::plan_damage;
use super::drill::{Drill, DrillError, PlantedChange, PlantedDamage};
use super::plant_segments::plant_in_folder;
use crate::StorageError;
use crate::file::{Disk, ExistingFile, LogFile, NewFile, OpenMode, OsDisk};
use crate::inspect::{LogView, SurveyOptions, index_path, survey};

/// Copies the log `source` to `copy` and plants the damage of `drill` in the copy, which is a folder when the log is one. Neither
/// `copy` nor its index may exist.
///
/// # Errors
/// `NoLocation` when the log is too short or of version 0, or has too few segments. `Storage` with `AlreadyExists` when a file exists, with `Io`
/// when a file cannot be read or written, or with an error of opening a log.
pub(crate) fn plant_damage(source: &Path, copy: &Path, drill: Drill, seed: u64) -> Result<PlantedDamage, DrillError> {
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let log = Arc::new(LogFile::open(&disk, source, OpenMode::Read)?);
    match log.storage().segments() {
        Some(segments) if segments.is_single_segment() => {
            return Err(StorageError::Refused {
                path: source.to_owned(),
                reason: "it is one segment of a log".to_owned(),
                alternative: "Name the folder of the log",
            }
            .into());
        }
        Some(segments) => return plant_in_folder(disk.as_ref(), (&log, segments), copy, (drill, seed)),
        None => {}
    }
    let index = index_path(copy);
    for path in [copy, &index] {
        if fs::symlink_metadata(path).is_ok() {
            return Err(StorageError::AlreadyExists { path: path.to_owned() }.into());
        }
    }
    let planted = plan_damage(&log, drill, seed)?;
    let mut file = NewFile::create_log(disk.as_ref(), copy, ExistingFile::Keep)?;
    if let PlantedChange::Bytes(edit) = &planted.change {
        edit.write_edited_copy(&log, &file)?;
    }
    if !drill.needs_index() {
        file.commit()?;
        return Ok(planted);
    }
    // The index is built from the intact log. The file `index` does not exist yet, so the view opens without an index.
    let view = LogView::open(disk.clone(), source, Some(&index))?;
    let mut built = view.empty_index();
    survey(&view, &SurveyOptions::new(), Some(&mut built), &mut |_| ControlFlow::Continue(()))?;
    file.commit()?;
    if let Err(error) = crate::index::save(disk.as_ref(), &index, view.log(), &built) {
        // Without its index, the copy would not have the planted damage.
        file.discard();
        return Err(error.into());
    }
    Ok(planted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{DamageKind, Version};
    use crate::sample::drill::DrillSpec;
    use crate::sample::edit::ByteEdit;
    use crate::sample::{GeneratorOptions, LogLength, generate};

    const VERSIONS: [Version; 2] = [Version::V1, Version::V2];

    fn generate_log(folder: &Path, events: u64, version: Version) -> std::path::PathBuf {
        let path = folder.join(format!("{events}-{}.log", version.number()));
        let options = GeneratorOptions { length: LogLength::Events(events), version, ..GeneratorOptions::default() };
        generate(&OsDisk, &path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
        path
    }

    fn survey_findings(path: &Path) -> Vec<(DamageKind, u64, u64)> {
        let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
        let survey = survey(&view, &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        survey.findings.iter().map(|finding| (finding.kind, finding.start, finding.end)).collect()
    }

    /// Returns the seeds to test. The inspector reads a damaged end twice, 250 ms apart, so fewer seeds are tested for
    /// it.
    fn seeds(drill: Drill) -> std::ops::Range<u64> {
        match drill {
            Drill::Zeros | Drill::TornTail | Drill::TornData | Drill::TruncatedFrame => 0..4,
            _ => 0..60,
        }
    }

    #[test]
    fn only_the_planted_damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        for (version, DrillSpec { drill, name, kind, .. }) in
            VERSIONS.into_iter().flat_map(|version| Drill::ALL.map(|spec| (version, spec)))
        {
            let source = folder.path().join(format!("400-{}.log", version.number()));
            if !source.exists() {
                generate_log(folder.path(), 400, version);
            }
            let intact = fs::read(&source).unwrap();
            if !drill.fits(version) {
                assert!(
                    matches!(
                        plant_damage(&source, &folder.path().join("copy.log"), drill, 1),
                        Err(DrillError::NoLocation { .. })
                    ),
                    "{name}"
                );
                continue;
            }
            for seed in seeds(drill) {
                let copy = folder.path().join("copy.log");
                let planted = plant_damage(&source, &copy, drill, seed).unwrap();
                assert_eq!(
                    survey_findings(&copy),
                    [(kind, planted.start, planted.end)],
                    "{name} with seed {seed}: {planted:?}"
                );
                let PlantedChange::Bytes(ByteEdit { at, before, after }) = &planted.change else { panic!("{name}") };
                let (at, end) = (*at as usize, *at as usize + before.len());
                assert_eq!(&intact[at..end], before, "{name} with seed {seed}");
                assert!(fs::read(&copy).unwrap() == [&intact[..at], after, &intact[end..]].concat());
                fs::remove_file(&copy).unwrap();
                let _ = fs::remove_file(index_path(&copy));
            }
            assert_eq!(fs::read(&source).unwrap(), intact);
        }
    }

    #[test]
    fn only_the_planted_damage_is_found_in_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (source, copy) = (folder.path().join("source"), folder.path().join("copy"));
        let options =
            GeneratorOptions { length: LogLength::Events(400), version: Version::V2, ..GeneratorOptions::default() };
        super::super::generate_segments(&OsDisk, &source, &options, 16 << 10, &mut |_| ControlFlow::Continue(()))
            .unwrap();
        let bytes_of = |folder: &Path| -> Vec<(std::ffi::OsString, Vec<u8>)> {
            let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            let name = |path: &Path| path.file_name().unwrap().to_owned();
            files.iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
        };
        let intact = bytes_of(&source);
        for DrillSpec { drill, name, kind, .. } in Drill::ALL {
            if !drill.changes_segments() && !drill.fits(Version::V2) {
                assert!(matches!(plant_damage(&source, &copy, drill, 1), Err(DrillError::NoLocation { .. })), "{name}");
                continue;
            }
            for seed in seeds(drill).take(12) {
                let planted = plant_damage(&source, &copy, drill, seed).unwrap();
                let found = survey_findings(&copy);
                let expected = match &planted.change {
                    // Each of the two ranges has no segment.
                    PlantedChange::Exchanged([first, second]) => {
                        vec![(kind, first.base, second.base), (kind, second.base, planted.end)]
                    }
                    _ => vec![(kind, planted.start, planted.end)],
                };
                assert_eq!(found, expected, "{name} with seed {seed}: {planted:?}");
                fs::remove_dir_all(&copy).unwrap();
            }
        }
        assert!(bytes_of(&source) == intact, "a drill does not touch the log");
    }

    #[test]
    fn every_kind_of_damage_in_bytes_has_a_drill_of_the_same_name() {
        for kind in DamageKind::ALL {
            let name = kind.name();
            let drill = Drill::from_name(name);
            // A device or a repair makes the others.
            let is_in_bytes = !matches!(kind, DamageKind::Unreadable | DamageKind::Lost);
            assert_eq!(drill.map(Drill::kind), is_in_bytes.then_some(kind), "{name}");
        }
    }

    #[test]
    fn the_seed_determines_the_damage() {
        let folder = tempfile::tempdir().unwrap();
        let source = generate_log(folder.path(), 300, Version::V1);
        let plant = |name: &str, seed| plant_damage(&source, &folder.path().join(name), Drill::Checksum, seed).unwrap();
        let (a, b, c) = (plant("a", 1), plant("b", 1), plant("c", 2));
        assert_eq!(a, b);
        assert_ne!(a.change, c.change);
    }

    #[test]
    fn a_log_without_a_location_is_refused_and_existing_files_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (short, source) =
            (generate_log(folder.path(), 2, Version::V1), generate_log(folder.path(), 50, Version::V1));
        let copy = folder.path().join("copy.log");
        for DrillSpec { drill, name, .. } in Drill::ALL {
            let result = plant_damage(&short, &copy, drill, 1);
            let possible = matches!(drill, Drill::Zeros | Drill::Header | Drill::CreatedAt);
            assert_eq!(result.is_ok(), possible, "{name}: {result:?}");
            let _ = (fs::remove_file(&copy), fs::remove_file(index_path(&copy)));
        }
        fs::write(index_path(&copy), "an index of something else").unwrap();
        let refused = plant_damage(&source, &copy, Drill::Checksum, 1);
        assert!(matches!(refused, Err(DrillError::Storage(StorageError::AlreadyExists { .. }))), "{refused:?}");
        assert!(!copy.exists());
    }
}
