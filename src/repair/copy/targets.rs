//! [`check_targets`]: the check that a copy writes to no file that it reads, before it reads or writes anything.

use crate::StorageError;
use crate::file::{Disk, FilePlace, NewLogForm, check_replaceable_folder, folder_of, has_segments};
use crate::inspect::{LogView, index_path};
use crate::repair::types::{journal_folder, refused_error};

use super::summary::CopyOptions;

/// Refuses a target that is also a source or another target, one inside the folder of a source or of the new log, and an existing
/// target unless the options allow to replace it.
///
/// # Errors
/// `Refused`, `AlreadyExists`, and those of [`check_replaceable_folder`].
pub(super) fn check_targets(disk: &dyn Disk, view: &LogView, options: &CopyOptions) -> Result<(), StorageError> {
    let donor_indexes: Vec<_> = options.donors.iter().map(|path| index_path(path)).collect();
    let (new_index, journals) = (index_path(&options.output), journal_folder(view.path()));
    let mut taken = vec![
        ("the log itself", FilePlace::of(disk, view.path())),
        ("the index of the log", FilePlace::of(disk, view.index_path())),
        ("the folder of the journals of the log", FilePlace::of(disk, &journals)),
    ];
    taken.extend(options.donors.iter().map(|path| ("the donor", FilePlace::of(disk, path))));
    taken.extend(donor_indexes.iter().map(|path| ("the index of the donor", FilePlace::of(disk, path))));
    let sources: Vec<_> = std::iter::once(view.path()).chain(options.donors.iter().map(AsRef::as_ref)).collect();
    // A source is a folder with segments, or one segment in such a folder.
    let folders = sources.iter().flat_map(|path| [*path, folder_of(path)]).filter(|path| has_segments(disk, path));
    let mut folders: Vec<_> =
        folders.map(|path| ("the folder of a log that is read", FilePlace::of(disk, path))).collect();
    let is_folder = matches!(options.form(), NewLogForm::Folder(_));
    let targets = [
        ("the new log", Some(&options.output)),
        ("the index of the new log", Some(&new_index).filter(|_| !is_folder)),
        ("the map", options.map.as_ref()),
    ];
    for (description, path) in targets.into_iter().filter_map(|(description, path)| Some((description, path?))) {
        let place = FilePlace::of(disk, path);
        if let Some((other, _)) = taken.iter().find(|(_, other)| other.is_same_place(&place)) {
            return Err(refused_error(path, format!("{description} would replace {other}"), "Name another file"));
        }
        if let Some((other, _)) = folders.iter().find(|(_, folder)| place.is_inside(folder)) {
            return Err(refused_error(path, format!("{description} would be inside {other}"), "Name another place"));
        }
        if let Some((other, _)) = taken.iter().find(|(_, other)| is_folder && other.is_inside(&place)) {
            return Err(refused_error(path, format!("{description} would contain {other}"), "Name another place"));
        }
        taken.push((description, place.clone()));
        if is_folder && path == &options.output {
            folders.push((description, place));
        }
    }
    for path in [Some(&options.output), options.map.as_ref()].into_iter().flatten() {
        if !options.replace && disk.identity(path).is_ok() {
            return Err(StorageError::AlreadyExists { path: path.clone() });
        }
    }
    if is_folder && disk.identity(&options.output).is_ok() {
        check_replaceable_folder(disk, &options.output)?;
    }
    Ok(())
}
