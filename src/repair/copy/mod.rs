//! The copier of `salvage` and `migrate`: every event of a log that can be had, in order, into a new log.
//!
//! A pass over the log judges it; a second reader follows it closely and copies what lies before each finding. The log
//! is only ever read.

mod backup;
mod copier;
mod donor;
mod offset_map;
mod output;

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use self::backup::Backup;
use self::copier::copy_events;
use self::donor::CopyDonor;
use self::offset_map::OffsetMapFormat;
use self::output::AtomicFile;
use super::{Certainty, FixFinder, ProposedFix};
use crate::StorageError;
use crate::file::Disk;
use crate::format::Finding;
use crate::inspect::{LogView, SurveyOptions, SurveyUpdate, index_path, survey};

/// Where a log is copied to, and what beside its readable events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// The new log.
    pub output: PathBuf,
    /// Where the map from old offsets to new ones goes: NDJSON for `.ndjson` and `.jsonl`, else CSV.
    pub map: Option<PathBuf>,
    /// Take events that likely fixes restore, too.
    pub accept_likely: bool,
    /// Another copy of the log, to take what is damaged here.
    pub donor: Option<PathBuf>,
    /// Replace what is there.
    pub replace: bool,
}

/// What a copy tells while it runs.
#[derive(Debug)]
pub enum CopyUpdate<'a> {
    /// It has done this much, of about this much.
    Progress(u64, u64),
    /// It has left something out.
    Omitted(&'a OmittedRange),
}

/// A range of the log that no event of the new one stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct OmittedRange {
    /// What was found there.
    pub finding: Finding,
    /// How certain the best fix for it is that was not taken.
    pub best_certainty: Option<Certainty>,
    /// Why it was not taken from the donor, where there is one.
    pub donor_refusal: Option<&'static str>,
}

impl OmittedRange {
    /// True for damage; false for a gap, which lost its events earlier.
    pub fn is_loss(&self) -> bool {
        self.finding.kind.is_damage()
    }
}

/// A copy that is done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CopySummary {
    /// Events copied as they stand.
    pub events_kept: u64,
    /// Events that fixes or the donor gave back.
    pub events_restored: u64,
    /// What was left out, ascending: the first [`MAX_FINDINGS`](crate::inspect::MAX_FINDINGS).
    pub omitted: Vec<OmittedRange>,
    /// How many there are.
    pub omitted_total: u64,
    /// How many of them are damage.
    pub damage_total: u64,
    /// An unfinished last frame that is being written: the copy ends before it.
    pub in_flight: Option<Range<u64>>,
    /// Size of the new log, in bytes.
    pub bytes: u64,
}

/// What says of the next finding, or at the end of all of them, which are decided by now.
pub(super) type FixProvider<'a> = dyn FnMut(Option<&Finding>) -> Result<Vec<ProposedFix>, StorageError> + 'a;

/// Copies with the fixes that the log itself offers.
pub(super) fn copy_log(
    view: &LogView,
    options: &CopyOptions,
    on: &mut dyn FnMut(CopyUpdate) -> ControlFlow<()>,
) -> Result<CopySummary, StorageError> {
    let mut proposer = FixFinder::new(view)?;
    copy_log_with_fixes(view, options, on, &mut |finding| match finding {
        Some(finding) => proposer.push(finding),
        None => Ok(proposer.finish()),
    })
}

/// Copies with the fixes of `offers`. When it returns, the new log stands in its place, on stable storage, and was read
/// again; when it fails, what stood there stands there again, unless only the last sync of its folder failed.
///
/// A kill leaves each file as it was or as it will be, but for an old index: that goes just before the new log gets its
/// name, since no two names change at once, and an index that outlived its log could be taken for a witness of the next.
pub(super) fn copy_log_with_fixes(
    view: &LogView,
    options: &CopyOptions,
    on: &mut dyn FnMut(CopyUpdate) -> ControlFlow<()>,
    find_fixes: &mut FixProvider,
) -> Result<CopySummary, StorageError> {
    let disk = view.disk().clone();
    check_targets(disk.as_ref(), view, options)?;
    let donor = options.donor.as_ref().map(|path| CopyDonor::open(disk.clone(), path, view)).transpose()?;
    let mut output = AtomicFile::create(&disk, &options.output, view.path())?;
    let map = options.map.as_ref().map(|path| AtomicFile::create(&disk, path, view.path())).transpose();
    let mut map = match map {
        Ok(map) => map.zip(options.map.as_deref().map(OffsetMapFormat::from_path)),
        Err(error) => {
            output.discard();
            return Err(error);
        }
    };
    let mut backup = Backup::new(disk.clone());
    let done = copy_events(view, options, donor, &mut output, &mut map, on, find_fixes)
        .and_then(|done| verify_copy(view, &mut output, done, on))
        .and_then(|done| commit_files(options, &mut output, &mut map, &mut backup).map(|()| done));
    // A log that has its name by now is whole, whatever became of the last sync: it stays, and its map with it.
    if done.is_ok() || output.is_committed() {
        backup.discard(None);
        return done;
    }
    output.discard();
    if let (Some((map, _)), Some(path)) = (map, &options.map) {
        if !map.is_committed() {
            // The old one was never touched.
            backup.discard(Some(path));
            map.discard();
        } else if !backup.has_backup(path) {
            map.discard();
        }
    }
    backup.restore();
    done
}

/// What would be overwritten without a wish for it, or must never be.
fn check_targets(disk: &dyn Disk, view: &LogView, options: &CopyOptions) -> Result<(), StorageError> {
    let refused = |path: &Path, why: &str| StorageError::Refused {
        path: path.to_owned(),
        reason: why.into(),
        alternative: "Name another file",
    };
    if options.map.as_ref() == Some(&options.output) {
        return Err(refused(&options.output, "the map and the new log are the same file"));
    }
    let sources = [Some(view.path()), options.donor.as_deref()];
    let sources: Vec<_> = sources.into_iter().flatten().filter_map(|path| disk.identity(path).ok()).collect();
    for path in [Some(&options.output), options.map.as_ref()].into_iter().flatten() {
        let Ok(found) = disk.identity(path) else { continue };
        if sources.iter().any(|source| source.is_same_file(found)) {
            return Err(refused(path, "it is the log itself, or the donor"));
        }
        if !options.replace {
            return Err(StorageError::AlreadyExists { path: path.clone() });
        }
    }
    Ok(())
}

/// The new log read again, whole: the bytes that were written, no damage, and every event.
fn verify_copy(
    view: &LogView,
    output: &mut AtomicFile,
    mut done: CopySummary,
    on: &mut dyn FnMut(CopyUpdate) -> ControlFlow<()>,
) -> Result<CopySummary, StorageError> {
    let (old, new) = (view.log().len()?, output.position());
    let mut tell = |at: u64| match on(CopyUpdate::Progress(old + at, old + 2 * new)) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(StorageError::Cancelled),
    };
    output.sync_and_verify(&mut tell)?;
    let copy = LogView::open(view.disk().clone(), output.temporary_path(), None)?.with_threads(view.threads());
    let seen = survey(&copy, &SurveyOptions::default(), None, &mut |step| match step {
        SurveyUpdate::Progress(read) if tell(new + read.position).is_err() => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })?;
    let expected = done.events_kept + done.events_restored;
    if seen.damage_total > 0 || seen.gaps > 0 || seen.events != expected {
        let found = format!("{} with {} damaged ranges", seen.events, seen.damage_total);
        let (path, expected) = (output.temporary_path().to_owned(), format!("{expected} events"));
        return Err(StorageError::Changed { path, expected, found });
    }
    done.bytes = new;
    Ok(done)
}

/// Gives the map and then the log their names: a log that is there has its map.
fn commit_files(
    options: &CopyOptions,
    output: &mut AtomicFile,
    map: &mut Option<(AtomicFile, OffsetMapFormat)>,
    backup: &mut Backup,
) -> Result<(), StorageError> {
    if let (Some((map, _)), Some(path)) = (map, &options.map) {
        map.sync_and_verify(&mut |_| Ok(()))?;
        if options.replace {
            backup.add_copy(path)?;
        }
        map.commit(options.replace)?;
    }
    if options.replace {
        // It described the log that is replaced, and could be taken for a witness of this one.
        backup.move_away(&index_path(&options.output))?;
    }
    output.commit(options.replace)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::file::OsDisk;
    use crate::format::{LogHeader, frame};
    use crate::repair::{ByteChange, Fix, RepairAction};

    fn event(n: u32) -> Vec<u8> {
        let payload = format!(
            r#"{{"write_timestamp_ms":{},"event_type":"E","namespace":"n","schema_id":"s","schema_version":1,"payload":{n}}}"#,
            1000 + n
        );
        let mut bytes = Vec::new();
        frame::encode(payload.as_bytes(), &mut bytes);
        bytes
    }

    /// Three events, a bit of the second one's payload flipped; copied with a fix of that certainty for what is found.
    fn run(
        certainty: Certainty,
        accept_likely: bool,
        turn: impl Fn(&mut ByteChange),
    ) -> (CopySummary, bool, Vec<u8>, String) {
        let folder = tempfile::tempdir().unwrap();
        let (log, map) = (folder.path().join("a.log"), folder.path().join("map.csv"));
        let whole = [LogHeader::new(7).encode().to_vec(), event(1), event(2), event(3)].concat();
        let mut bytes = whole.clone();
        let at = 16 + event(1).len() + 30;
        bytes[at] ^= 4;
        std::fs::write(&log, &bytes).unwrap();
        let mut change = ByteChange { offset: at as u64, before: vec![bytes[at]], after: vec![whole[at]] };
        turn(&mut change);
        let fix = Fix::with_candidate(RepairAction::CorrectBits, certainty, 0.001, vec![change]);
        let view = LogView::open(Arc::new(OsDisk), &log, None).unwrap();
        let output = folder.path().join("new.log");
        let wish =
            CopyOptions { output: output.clone(), map: Some(map.clone()), accept_likely, ..CopyOptions::default() };
        // Decided late, as a proposer may that waits for what lies next to a finding.
        let mut waiting = Vec::new();
        let done = copy_log_with_fixes(&view, &wish, &mut |_| ControlFlow::Continue(()), &mut |found| match found {
            Some(found) => {
                waiting.push(ProposedFix { finding: found.clone(), fix: Some(fix.clone()) });
                Ok(Vec::new())
            }
            None => Ok(std::mem::take(&mut waiting)),
        });
        assert_eq!(std::fs::read(&log).unwrap(), bytes);
        let new = std::fs::read(output).unwrap();
        (done.unwrap(), new == whole, new, std::fs::read_to_string(map).unwrap())
    }

    #[test]
    fn what_is_certain_enough_is_restored_in_its_place() {
        for (certainty, accept, how) in [
            (Certainty::Proven, false, Some("corrected")),
            (Certainty::Likely, true, Some("likely")),
            (Certainty::Likely, false, None),
            (Certainty::Choice, true, None),
        ] {
            let (done, whole, new, map) = run(certainty, accept, |_| {});
            let old = 16 + event(1).len();
            assert_eq!(whole, how.is_some(), "{certainty:?}");
            assert_eq!((done.events_kept, done.events_restored), (2, u64::from(how.is_some())), "{certainty:?}");
            assert_eq!((done.omitted_total, done.damage_total), (u64::from(how.is_none()), u64::from(how.is_none())));
            let line = how.map_or(format!("{old},,checksum"), |how| format!("{old},{old},{how}"));
            assert!(map.lines().nth(2) == Some(&line), "{map}");
            if how.is_none() {
                assert_eq!(done.omitted[0].best_certainty, Some(certainty));
                assert_eq!(new, [LogHeader::new(7).encode().to_vec(), event(1), event(3)].concat());
            }
        }
    }

    #[test]
    fn a_fix_that_does_not_give_an_event_is_not_taken() {
        let wrong: [&dyn Fn(&mut ByteChange); 4] = [
            &|change| change.after[0] ^= 1,
            &|change| change.before[0] ^= 1,
            &|change| change.offset += 1,
            &|change| change.offset = 0,
        ];
        for turn in wrong {
            let (done, whole, ..) = run(Certainty::Proven, true, turn);
            assert_eq!((done.events_kept, done.events_restored, done.damage_total, whole), (2, 0, 1, false));
        }
    }
}
