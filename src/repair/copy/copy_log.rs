//! Copies a log: checks the target paths, copies and verifies under temporary names, and commits by renaming.

use std::cell::{Cell, RefCell};

use super::copier::{CopySource, FixProvider, copy_events};
use super::event_selector::{EventSelector, SelectEvents};
use super::offset_map::OffsetMapFormat;
use super::output::{MapFile, OutputFiles};
use super::summary::{CopyOptions, CopyProgress, CopySummary, CopyUpdate, OnCopyUpdate};
use super::targets::check_targets;
use super::verify::{ExpectedContent, verify_new_log};
use crate::StorageError;
use crate::file::{
    Backup, ExistingFile, NewFile, NewLog, NewLogForm, NewLogTarget, VerifiedFile, now_ms, permissions_source,
};
use crate::inspect::{LogView, OnProgress, cancelled_if_break, index_path};
use crate::repair::planning::{Donor, FixFinder};
use crate::repair::types::{ProposedFix, WorkMeter};

/// Copies a log, and restores events with the fixes that are found in the log itself.
pub(super) fn copy_log(
    view: &LogView,
    options: &CopyOptions,
    on_update: &mut OnCopyUpdate,
) -> Result<CopySummary, StorageError> {
    let mut finder = FixFinder::new(view)?;
    let task = CopyTask { view, options, selector: None };
    copy_log_with_fixes(task, on_update, &mut |finding| match finding {
        Some(finding) => finder.push(finding),
        None => Ok(finder.finish()),
    })
}

/// Copies the events of a log that `selector` keeps, and restores nothing.
pub(super) fn copy_selected(
    view: &LogView,
    options: &CopyOptions,
    selector: EventSelector,
    on_update: &mut OnCopyUpdate,
) -> Result<CopySummary, StorageError> {
    let selector = RefCell::new(selector);
    let task = CopyTask { view, options, selector: Some(&selector) };
    copy_log_with_fixes(task, on_update, &mut |finding| {
        Ok(finding.map(|finding| ProposedFix { finding: finding.clone(), fix: None }).into_iter().collect())
    })
}

/// A log that is copied, the options of the copy, and the events that it selects.
#[derive(Clone, Copy)]
struct CopyTask<'a> {
    view: &'a LogView,
    options: &'a CopyOptions,
    /// The rule of a compaction; `None` when every event is copied.
    selector: Option<&'a dyn SelectEvents>,
}

/// Copies a log, and restores events with the fixes that `find_fixes` returns.
///
/// On success, the new log was verified and is under its final name on stable storage. On failure, the replaced files are
/// restored, unless only the last sync of the folder failed; `NotRestored` names a file that cannot be restored.
///
/// After a kill, each file is either the old one or the new one, except for an old index. It is removed just before the
/// new log is renamed: two files cannot be renamed at once, and an old index next to a new log could be trusted.
fn copy_log_with_fixes(
    task: CopyTask,
    on_update: &mut OnCopyUpdate,
    find_fixes: &mut FixProvider,
) -> Result<CopySummary, StorageError> {
    let CopyTask { view, options, selector } = task;
    let disk = view.disk().as_ref();
    check_targets(disk, view, options)?;
    let progress = CopyProgress { log_bytes: view.log().len()? };
    // Reading a donor has no share of the progress: its position is reported again, so that it can be cancelled there.
    let reported = Cell::new(progress.after_copying(0));
    let on_update = RefCell::new(on_update);
    let report = |update: CopyUpdate| {
        if let CopyUpdate::Progress(read) = &update {
            reported.set(*read);
        }
        (on_update.borrow_mut())(update)
    };
    let on_donor_read: &mut OnProgress = &mut |_| report(CopyUpdate::Progress(reported.get()));
    let meter = WorkMeter::new(0, on_donor_read);
    let donors: Vec<Donor> =
        options.donors.iter().map(|path| Donor::open(view, path, &meter)).collect::<Result<_, StorageError>>()?;
    let existing = if options.replace { ExistingFile::Replace } else { ExistingFile::Keep };
    let permissions_from = permissions_source(disk, view.path());
    let target = NewLogTarget {
        path: &options.output,
        existing,
        form: options.form(),
        permissions_from: Some(&permissions_from),
    };
    let log = NewLog::create(disk, target, now_ms())?;
    let map = match &options.map {
        Some(path) => {
            let file = VerifiedFile::new(NewFile::create_sidecar(disk, path, existing, view.path())?);
            Some(MapFile { file, format: OffsetMapFormat::from_path(path) })
        }
        None => None,
    };
    let mut files = OutputFiles { log, map };
    let mut backup = Backup::new(disk);
    let on_copied = &mut |update: CopyUpdate| match update {
        CopyUpdate::Progress(read) => report(CopyUpdate::Progress(progress.after_copying(read.position))),
        CopyUpdate::Omitted(range) => report(CopyUpdate::Omitted(range)),
    };
    let copied =
        copy_events(CopySource { view, options, donors: &donors, selector }, &mut files, on_copied, find_fixes)
            .and_then(|summary| {
                let on_read = &mut |bytes, new_bytes| {
                    cancelled_if_break(report(CopyUpdate::Progress(progress.after_verifying(bytes, new_bytes))))
                };
                let content = ExpectedContent { events: summary.events_kept + summary.events_restored, gaps: 0 };
                verify_new_log(view.disk(), view.threads(), &mut files.log, content, on_read)?;
                Ok(CopySummary { bytes: files.log.position(), segments: files.log.segments(), ..summary })
            })
            .and_then(|summary| commit_files(options, &mut files, &mut backup).map(|()| summary));
    // A new log under its final name is complete. It stays, with its map, even when the last sync failed.
    if copied.is_ok() || files.log.is_committed() {
        backup.discard_all();
        return copied;
    }
    files.log.discard();
    if let (Some(map), Some(path)) = (files.map, &options.map) {
        if !map.file.file().is_committed() {
            // The old map is still in place.
            backup.discard(path);
            map.file.discard();
        } else if !backup.has_backup(path) {
            map.file.discard();
        }
    }
    let cause = copied.as_ref().err().map(ToString::to_string).unwrap_or_default();
    backup.restore(&cause)?;
    copied
}

/// Renames the map and then the log to their final names, so that a new log always has its map.
fn commit_files(options: &CopyOptions, files: &mut OutputFiles, backup: &mut Backup) -> Result<(), StorageError> {
    if let (Some(map), Some(path)) = (&mut files.map, &options.map) {
        map.file.sync_and_verify(&mut |_| Ok(()))?;
        if options.replace {
            backup.add_copy(path)?;
        }
        map.file.commit()?;
    }
    match options.form() {
        // The index of the replaced log could be trusted for the new one.
        NewLogForm::File if options.replace => backup.move_away(&index_path(&options.output))?,
        // A folder does not replace another one that has files.
        NewLogForm::Folder(_) if options.replace => backup.move_away(&options.output)?,
        NewLogForm::File | NewLogForm::Folder(_) => {}
    }
    files.log.commit()
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;

    use super::*;
    use crate::file::OsDisk;
    use crate::format::{LogHeader, frame};
    use crate::repair::types::{ByteChange, Candidate, Certainty, Fix, RepairAction};

    fn event(n: u32) -> Vec<u8> {
        let payload = format!(
            r#"{{"write_timestamp_ms":{},"event_type":"E","namespace":"n","schema_id":"s","schema_version":1,"payload":{n}}}"#,
            1000 + n
        );
        let mut bytes = Vec::new();
        frame::encode(payload.as_bytes(), &mut bytes);
        bytes
    }

    /// The result of a copy.
    struct Copied {
        summary: CopySummary,
        /// True when the new log has the same bytes as the log before it was damaged.
        is_restored: bool,
        bytes: Vec<u8>,
        map: String,
    }

    /// Copies a log of three events with a flipped bit in the second one. The finding gets a fix with this certainty,
    /// whose change `edit` may falsify. Fixes are applied that have at least the certainty `least_accepted`.
    fn copy_with_fix(certainty: Certainty, least_accepted: Certainty, edit: impl Fn(&mut ByteChange)) -> Copied {
        let folder = tempfile::tempdir().unwrap();
        let (log, map) = (folder.path().join("a.log"), folder.path().join("map.csv"));
        let whole = [LogHeader::new(7).encode().to_vec(), event(1), event(2), event(3)].concat();
        let mut bytes = whole.clone();
        let at = 16 + event(1).len() + 30;
        bytes[at] ^= 4;
        std::fs::write(&log, &bytes).unwrap();
        let mut change = ByteChange { offset: at as u64, before: vec![bytes[at]], after: vec![whole[at]] };
        edit(&mut change);
        let candidate = Candidate { expected_false_positives: 0.001, changes: vec![change] };
        let fix = Fix::with_candidate(RepairAction::CorrectBits, certainty, candidate);
        let view = LogView::open(Arc::new(OsDisk), &log, None).unwrap();
        let output = folder.path().join("new.log");
        let options = CopyOptions::new(output.clone()).map(map.clone());
        let options = if least_accepted == Certainty::Likely { options.accept_likely() } else { options };
        // The fixes are returned late, as by a `FixFinder` that holds findings back until the next one is known.
        let mut held_back = Vec::new();
        let task = CopyTask { view: &view, options: &options, selector: None };
        let summary = copy_log_with_fixes(task, &mut |_| ControlFlow::Continue(()), &mut |found| match found {
            Some(found) => {
                held_back.push(ProposedFix { finding: found.clone(), fix: Some(fix.clone()) });
                Ok(Vec::new())
            }
            None => Ok(std::mem::take(&mut held_back)),
        });
        assert_eq!(std::fs::read(&log).unwrap(), bytes);
        let copy = std::fs::read(output).unwrap();
        Copied {
            summary: summary.unwrap(),
            is_restored: copy == whole,
            bytes: copy,
            map: std::fs::read_to_string(map).unwrap(),
        }
    }

    #[test]
    fn a_fix_that_is_certain_enough_restores_the_event_in_its_place() {
        for (certainty, least_accepted, how) in [
            (Certainty::Proven, Certainty::Proven, Some("corrected")),
            (Certainty::Likely, Certainty::Likely, Some("likely")),
            (Certainty::Likely, Certainty::Proven, None),
            (Certainty::Choice, Certainty::Likely, None),
        ] {
            let copied = copy_with_fix(certainty, least_accepted, |_| {});
            let summary = copied.summary;
            let old = 16 + event(1).len();
            assert_eq!(copied.is_restored, how.is_some(), "{certainty:?}");
            assert_eq!((summary.events_kept, summary.events_restored), (2, u64::from(how.is_some())), "{certainty:?}");
            let omitted = u64::from(how.is_none());
            assert_eq!((summary.omitted_total, summary.damage_total), (omitted, omitted));
            let line = how.map_or(format!("{old},,checksum"), |how| format!("{old},{old},{how}"));
            assert!(copied.map.lines().nth(2) == Some(&line), "{}", copied.map);
            if how.is_none() {
                assert_eq!(summary.omitted[0].best_certainty, Some(certainty));
                assert_eq!(copied.bytes, [LogHeader::new(7).encode().to_vec(), event(1), event(3)].concat());
            }
        }
    }

    #[test]
    fn a_fix_that_gives_no_valid_event_is_not_applied() {
        let edits: [&dyn Fn(&mut ByteChange); 4] = [
            &|change| change.after[0] ^= 1,
            &|change| change.before[0] ^= 1,
            &|change| change.offset += 1,
            &|change| change.offset = 0,
        ];
        for edit in edits {
            let copied = copy_with_fix(Certainty::Proven, Certainty::Likely, edit);
            let summary = copied.summary;
            assert_eq!((summary.events_kept, summary.events_restored, summary.damage_total), (2, 0, 1));
            assert!(!copied.is_restored);
        }
    }
}
