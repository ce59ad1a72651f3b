//! The copier of `salvage` and `migrate`: every event of a log that can be had, in order, into a new log.
//!
//! A pass over the log judges it; a second reader follows it closely and copies what lies before each finding. The log
//! is only ever read.

mod aside;
mod copier;
mod donor;
mod map;
mod output;

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use self::aside::Aside;
use self::copier::fill;
use self::donor::Donor;
use self::map::MapFormat;
use self::output::Output;
use super::{Certainty, Proposed, Proposer};
use crate::StorageError;
use crate::file::Disk;
use crate::format::Finding;
use crate::inspect::{LogView, Step, Wish, index_path, survey};

/// Where a log is copied to, and what beside its readable events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyWish {
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
pub enum CopyStep<'a> {
    /// It has done this much, of about this much.
    Progress(u64, u64),
    /// It has left something out.
    LeftOut(&'a LeftOut),
}

/// A range of the log that no event of the new one stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// What was found there.
    pub finding: Finding,
    /// How certain the best fix for it is that was not taken.
    pub offered: Option<Certainty>,
    /// Why it was not taken from the donor, where there is one.
    pub donor: Option<&'static str>,
}

impl LeftOut {
    /// True for damage; false for a gap, which lost its events earlier.
    pub fn is_loss(&self) -> bool {
        self.finding.kind.is_damage()
    }
}

/// A copy that is done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Salvaged {
    /// Events copied as they stand.
    pub events_kept: u64,
    /// Events that fixes or the donor gave back.
    pub events_restored: u64,
    /// What was left out, ascending: the first [`MAX_FINDINGS`](crate::inspect::MAX_FINDINGS).
    pub left_out: Vec<LeftOut>,
    /// How many there are.
    pub left_out_total: u64,
    /// How many of them are damage.
    pub lost_total: u64,
    /// An unfinished last frame that is being written: the copy ends before it.
    pub in_flight: Option<Range<u64>>,
    /// Size of the new log, in bytes.
    pub bytes: u64,
}

/// What says of the next finding, or at the end of all of them, which are decided by now.
pub(super) type Offers<'a> = dyn FnMut(Option<&Finding>) -> Result<Vec<Proposed>, StorageError> + 'a;

/// Copies with the fixes that the log itself offers.
pub(super) fn copy(
    view: &LogView,
    wish: &CopyWish,
    on: &mut dyn FnMut(CopyStep) -> ControlFlow<()>,
) -> Result<Salvaged, StorageError> {
    let mut proposer = Proposer::new(view)?;
    copy_with(view, wish, on, &mut |finding| match finding {
        Some(finding) => proposer.push(finding),
        None => Ok(proposer.finish()),
    })
}

/// Copies with the fixes of `offers`. When it returns, the new log stands in its place, on stable storage, and was read
/// again; when it fails, what stood there stands there again, unless only the last sync of its folder failed.
///
/// A kill leaves each file as it was or as it will be, but for an old index: that goes just before the new log gets its
/// name, since no two names change at once, and an index that outlived its log could be taken for a witness of the next.
pub(super) fn copy_with(
    view: &LogView,
    wish: &CopyWish,
    on: &mut dyn FnMut(CopyStep) -> ControlFlow<()>,
    offers: &mut Offers,
) -> Result<Salvaged, StorageError> {
    let disk = view.disk().clone();
    refuse_what_is_in_the_way(disk.as_ref(), view, wish)?;
    let donor = wish.donor.as_ref().map(|path| Donor::open(disk.clone(), path, view)).transpose()?;
    let mut output = Output::begin(&disk, &wish.output, view.path())?;
    let map = wish.map.as_ref().map(|path| Output::begin(&disk, path, view.path())).transpose();
    let mut map = match map {
        Ok(map) => map.zip(wish.map.as_deref().map(MapFormat::of)),
        Err(error) => {
            output.discard();
            return Err(error);
        }
    };
    let mut aside = Aside::new(disk.clone());
    let done = fill(view, wish, donor, &mut output, &mut map, on, offers)
        .and_then(|done| verify(view, &mut output, done, on))
        .and_then(|done| place(wish, &mut output, &mut map, &mut aside).map(|()| done));
    // A log that has its name by now is whole, whatever became of the last sync: it stays, and its map with it.
    if done.is_ok() || output.is_placed() {
        aside.discard(None);
        return done;
    }
    output.discard();
    if let (Some((map, _)), Some(path)) = (map, &wish.map) {
        if !map.is_placed() {
            // The old one was never touched.
            aside.discard(Some(path));
            map.discard();
        } else if !aside.keeps(path) {
            map.discard();
        }
    }
    aside.restore();
    done
}

/// What would be overwritten without a wish for it, or must never be.
fn refuse_what_is_in_the_way(disk: &dyn Disk, view: &LogView, wish: &CopyWish) -> Result<(), StorageError> {
    let refused = |path: &Path, why: &str| StorageError::Refused {
        path: path.to_owned(),
        why: why.into(),
        instead: "Name another file",
    };
    if wish.map.as_ref() == Some(&wish.output) {
        return Err(refused(&wish.output, "the map and the new log are the same file"));
    }
    let sources = [Some(view.path()), wish.donor.as_deref()];
    let sources: Vec<_> = sources.into_iter().flatten().filter_map(|path| disk.identity(path).ok()).collect();
    for path in [Some(&wish.output), wish.map.as_ref()].into_iter().flatten() {
        let Ok(found) = disk.identity(path) else { continue };
        if sources.iter().any(|source| (source.device, source.inode) == (found.device, found.inode)) {
            return Err(refused(path, "it is the log itself, or the donor"));
        }
        if !wish.replace {
            return Err(StorageError::Exists { path: path.clone() });
        }
    }
    Ok(())
}

/// The new log read again, whole: the bytes that were written, no damage, and every event.
fn verify(
    view: &LogView,
    output: &mut Output,
    mut done: Salvaged,
    on: &mut dyn FnMut(CopyStep) -> ControlFlow<()>,
) -> Result<Salvaged, StorageError> {
    let (old, new) = (view.log().len()?, output.position());
    let mut tell = |at: u64| match on(CopyStep::Progress(old + at, old + 2 * new)) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(StorageError::Stopped),
    };
    output.finish(&mut tell)?;
    let copy = LogView::open(view.disk().clone(), output.temporary(), None)?.reading_with(view.threads());
    let seen = survey(&copy, &Wish::default(), None, &mut |step| match step {
        Step::Progress(at, _) if tell(new + at).is_err() => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })?;
    let expected = done.events_kept + done.events_restored;
    if seen.damage_total > 0 || seen.gaps > 0 || seen.events != expected {
        let found = format!("{} with {} damaged ranges", seen.events, seen.damage_total);
        let (path, expected) = (output.temporary().to_owned(), format!("{expected} events"));
        return Err(StorageError::Changed { path, expected, found });
    }
    done.bytes = new;
    Ok(done)
}

/// Gives the map and then the log their names: a log that is there has its map.
fn place(
    wish: &CopyWish,
    output: &mut Output,
    map: &mut Option<(Output, MapFormat)>,
    aside: &mut Aside,
) -> Result<(), StorageError> {
    if let (Some((map, _)), Some(path)) = (map, &wish.map) {
        map.finish(&mut |_| Ok(()))?;
        if wish.replace {
            aside.copy(path)?;
        }
        map.place(wish.replace)?;
    }
    if wish.replace {
        // It described the log that is replaced, and could be taken for a witness of this one.
        aside.hide(&index_path(&wish.output))?;
    }
    output.place(wish.replace)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::file::OsDisk;
    use crate::format::{LogHeader, frame};
    use crate::repair::{Action, Change, Fix};

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
    fn run(certainty: Certainty, accept_likely: bool, turn: impl Fn(&mut Change)) -> (Salvaged, bool, Vec<u8>, String) {
        let folder = tempfile::tempdir().unwrap();
        let (log, map) = (folder.path().join("a.log"), folder.path().join("map.csv"));
        let whole = [LogHeader::new(7).encode().to_vec(), event(1), event(2), event(3)].concat();
        let mut bytes = whole.clone();
        let at = 16 + event(1).len() + 30;
        bytes[at] ^= 4;
        std::fs::write(&log, &bytes).unwrap();
        let mut change = Change { offset: at as u64, before: vec![bytes[at]], after: vec![whole[at]] };
        turn(&mut change);
        let fix = Fix::single(Action::CorrectBits, certainty, 0.001, vec![change]);
        let view = LogView::open(Arc::new(OsDisk), &log, None).unwrap();
        let output = folder.path().join("new.log");
        let wish = CopyWish { output: output.clone(), map: Some(map.clone()), accept_likely, ..CopyWish::default() };
        // Decided late, as a proposer may that waits for what lies next to a finding.
        let mut waiting = Vec::new();
        let done = copy_with(&view, &wish, &mut |_| ControlFlow::Continue(()), &mut |found| match found {
            Some(found) => {
                waiting.push(Proposed { finding: found.clone(), fix: Some(fix.clone()) });
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
            assert_eq!((done.left_out_total, done.lost_total), (u64::from(how.is_none()), u64::from(how.is_none())));
            let line = how.map_or(format!("{old},,checksum"), |how| format!("{old},{old},{how}"));
            assert!(map.lines().nth(2) == Some(&line), "{map}");
            if how.is_none() {
                assert_eq!(done.left_out[0].offered, Some(certainty));
                assert_eq!(new, [LogHeader::new(7).encode().to_vec(), event(1), event(3)].concat());
            }
        }
    }

    #[test]
    fn a_fix_that_does_not_give_an_event_is_not_taken() {
        let wrong: [&dyn Fn(&mut Change); 4] = [
            &|change| change.after[0] ^= 1,
            &|change| change.before[0] ^= 1,
            &|change| change.offset += 1,
            &|change| change.offset = 0,
        ];
        for turn in wrong {
            let (done, whole, ..) = run(Certainty::Proven, true, turn);
            assert_eq!((done.events_kept, done.events_restored, done.lost_total, whole), (2, 0, 1, false));
        }
    }
}
