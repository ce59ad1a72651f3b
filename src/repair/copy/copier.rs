//! The reader that follows a pass over a log and copies its events: those that stand, those that fixes give back.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

use super::donor::{Donor, Surroundings};
use super::map::MapFormat;
use super::output::Output;
use super::{CopyStep, CopyWish, LeftOut, Offers, Salvaged};
use crate::StorageError;
use crate::file::{Item, Scanner};
use crate::format::frame::{Decoded, MAX_FRAME, MAX_PAYLOAD, decode, encode};
use crate::format::{EventView, Evidence, Finding, Kind, LogHeader, Version, event, field, gap};
use crate::inspect::{LogView, MAX_FINDINGS, Step, Wish, survey};
use crate::repair::identity::neighbour;
use crate::repair::neighbours::Beside;
use crate::repair::{Action, Certainty, Proposed, donor};

/// Writes the new log and its map, up to where the log ends or is being written.
pub(super) fn fill(
    view: &LogView,
    wish: &CopyWish,
    donor: Option<Donor>,
    output: &mut Output,
    map: &mut Option<(Output, MapFormat)>,
    on: &mut dyn FnMut(CopyStep) -> ControlFlow<()>,
    offers: &mut Offers,
) -> Result<Salvaged, StorageError> {
    if let Some((map, format)) = map {
        map.put(|out| out.extend_from_slice(format.head().as_bytes()))?;
    }
    let mut copier = Copier {
        view,
        accept_likely: wish.accept_likely,
        donor,
        output,
        map,
        on,
        done: Salvaged::default(),
        follower: None,
        last_frame: 0..0,
        damaged: 0..0,
        around: Surroundings::default(),
        judged_to: 0,
        too_large: 0,
    };
    let mut failed = None;
    let seen = survey(view, &Wish::default(), None, &mut |step| {
        let step = match step {
            Step::Progress(at, end) => copier.tell(at, end.saturating_mul(2)),
            Step::Finding(found) => offers(Some(found)).and_then(|decided| copier.decided(&decided)),
        };
        match step {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let seen = seen?;
    copier.decided(&offers(None)?)?;
    copier.keep_until(seen.scanned_to)?;
    copier.begin(None)?;
    let (mut done, too_large) = (copier.done, copier.too_large);
    done.in_flight = seen.in_flight;
    if done.events_kept + too_large != seen.events {
        let (expected, found) = (format!("{} events", seen.events), format!("{} events", done.events_kept));
        return Err(StorageError::Changed { path: view.path().to_owned(), expected, found });
    }
    Ok(done)
}

struct Copier<'a> {
    view: &'a LogView,
    accept_likely: bool,
    donor: Option<Donor>,
    output: &'a mut Output,
    map: &'a mut Option<(Output, MapFormat)>,
    on: &'a mut dyn FnMut(CopyStep) -> ControlFlow<()>,
    done: Salvaged,
    /// The reader behind the pass. Made after the pass has fixed the log's end, so that it sees at least as much.
    follower: Option<Scanner>,
    last_frame: Range<u64>,
    /// The damaged range that was met last, from valid frame to valid frame.
    damaged: Range<u64>,
    around: Surroundings,
    /// What starts before this was judged as something else than an event.
    judged_to: u64,
    /// Events of version 0 that their longer key makes too large for a frame.
    too_large: u64,
}

impl Copier<'_> {
    /// Copies the events that start before `until` and are not copied yet.
    fn keep_until(&mut self, until: u64) -> Result<(), StorageError> {
        let log = self.view.log();
        let mut follower = match self.follower.take() {
            Some(follower) => follower,
            None => Scanner::new(log.clone(), log.first_frame()..log.len()?.max(log.first_frame())),
        };
        while follower.position() < until
            && let Some(item) = follower.next_item()?
        {
            if let Item::Frame(at, frame) = item {
                self.last_frame = at..at + frame.len();
                if at >= self.judged_to
                    && let Ok(event) = EventView::parse(frame.payload(), log.version())
                {
                    self.keep(at, &event)?;
                }
            }
        }
        self.follower = Some(follower);
        Ok(())
    }

    fn keep(&mut self, at: u64, event: &EventView) -> Result<(), StorageError> {
        if self.put(at, event, "kept")? {
            self.done.events_kept += 1;
            return Ok(());
        }
        self.too_large += 1;
        let reason = Some("its time's key is longer in version 1, and it does not fit a frame any more".into());
        let range = at..at + 4 + event.json().len() as u64;
        let finding = Finding::new(Kind::InvalidEvent, range).with(Evidence { reason, ..Evidence::default() });
        self.left_out(LeftOut { finding, offered: None, donor: None })
    }

    fn decided(&mut self, decided: &[Proposed]) -> Result<(), StorageError> {
        for proposed in decided {
            let found = &proposed.finding;
            self.keep_until(found.start)?;
            match found.kind {
                // Neither is an event less.
                Kind::Header | Kind::Clock => continue,
                Kind::Gap => self.left_out(LeftOut { finding: found.clone(), offered: None, donor: None })?,
                _ => self.damage(proposed)?,
            }
            self.judged_to = self.judged_to.max(found.end);
        }
        Ok(())
    }

    fn damage(&mut self, proposed: &Proposed) -> Result<(), StorageError> {
        let found = &proposed.finding;
        if let Some((bytes, how)) = self.corrected(proposed)? {
            let version = self.view.log().version();
            if let Decoded::Complete(frame) = decode(&bytes, version)
                && frame.len() == bytes.len() as u64
            {
                if let Ok(event) = EventView::parse(frame.payload(), version)
                    && self.put(found.start, &event, how)?
                {
                    self.done.events_restored += 1;
                    return Ok(());
                }
                if gap::is_gap(frame.payload()) {
                    let finding = Finding::new(Kind::Gap, found.range());
                    return self.left_out(LeftOut { finding, offered: None, donor: None });
                }
            }
        }
        let refused = match self.donor.take() {
            None => None,
            Some(donor) => {
                let taken = self.take_from_donor(&donor, found);
                self.donor = Some(donor);
                match taken? {
                    None => return Ok(()),
                    refused => refused,
                }
            }
        };
        let offered = proposed.fix.as_ref().and_then(|fix| fix.certainty);
        self.left_out(LeftOut { finding: found.clone(), offered, donor: refused })
    }

    /// The bytes of a finding with its fix applied, when that is certain enough, and how certain it is.
    fn corrected(&self, proposed: &Proposed) -> Result<Option<(Vec<u8>, &'static str)>, StorageError> {
        let found = &proposed.finding;
        let Some(fix) = &proposed.fix else { return Ok(None) };
        let how = match fix.certainty {
            Some(Certainty::Proven) => "corrected",
            Some(Certainty::Likely) if self.accept_likely => "likely",
            _ => return Ok(None),
        };
        let ([candidate], Action::RestoreLength | Action::CorrectBits) = (fix.candidates.as_slice(), fix.action) else {
            return Ok(None);
        };
        let len = (found.end - found.start).min(MAX_FRAME as u64 + 1) as usize;
        let mut bytes = vec![0; len];
        let read = self.view.log().read(&mut bytes, found.start)?;
        self.view.log().expect_bytes(found.start + read as u64, found.start + len as u64)?;
        for change in &candidate.changes {
            let from = change.offset.checked_sub(found.start).and_then(|from| usize::try_from(from).ok());
            let place = from.and_then(|from| bytes.get_mut(from..from + change.before.len()));
            match place {
                Some(place) if *place == *change.before && place.len() == change.after.len() => {
                    place.copy_from_slice(&change.after);
                }
                _ => return Ok(None),
            }
        }
        Ok(Some((bytes, how)))
    }

    /// Takes a range from the donor, or says why not.
    fn take_from_donor(&mut self, donor: &Donor, found: &Finding) -> Result<Option<&'static str>, StorageError> {
        match found.kind {
            Kind::InvalidEvent => return Ok(Some("the frame is as it was written")),
            Kind::Truncated => return self.take_end_from_donor(donor, found),
            _ => {}
        }
        if !self.damaged.contains(&found.start) {
            // Where the range ends is known once it was read.
            self.around.before = self.last_frame.clone();
            self.keep_until(found.start + 1)?;
            self.around.next = self.follower.as_ref().map_or(found.end, Scanner::position);
            self.damaged = found.start..self.around.next;
        }
        if let Some(why) = donor.refuses(self.view.log(), &found.range(), &self.around)? {
            return Ok(Some(why));
        }
        self.take_frames(donor, &found.range())?;
        Ok(None)
    }

    /// Takes the end that the log has lost, up to where an index has seen it.
    fn take_end_from_donor(&mut self, donor: &Donor, found: &Finding) -> Result<Option<&'static str>, StorageError> {
        let (Some(index), Some(end)) = (self.view.witness(), found.evidence.log_end_offset) else {
            return Ok(Some("no index knows what is missing"));
        };
        let last = index.last_seen();
        let before = neighbour(self.view.log(), self.last_frame.start)?;
        let range = found.start..end;
        let offer =
            donor::Donor::open(self.view, donor.path())?.offer(&range, &Beside { before, after: None }, last)?;
        if offer.map_or(true, |offer| offer.certainty < Certainty::Proven) {
            return Ok(Some("it does not end there as the index has seen it"));
        }
        self.take_frames(donor, &range)?;
        Ok(None)
    }

    fn take_frames(&mut self, donor: &Donor, range: &Range<u64>) -> Result<(), StorageError> {
        let mut frames = donor.frames(range);
        while let Some(item) = frames.next_item()? {
            if let Item::Frame(at, frame) = item
                && let Ok(event) = EventView::parse(frame.payload(), Version::V1)
                && self.put(at, &event, "donor")?
            {
                self.done.events_restored += 1;
            }
        }
        Ok(())
    }

    /// Writes an event and its line in the map; false when it fits no frame.
    fn put(&mut self, old: u64, event: &EventView, how: &str) -> Result<bool, StorageError> {
        let json = event.json();
        let payload = match self.view.log().version() {
            Version::V0 => event::with_newer_key(json),
            Version::V1 => Cow::Borrowed(json),
        };
        if payload.len() > MAX_PAYLOAD as usize {
            return Ok(false);
        }
        self.begin(Some(event.write_timestamp_ms()))?;
        let new = self.output.position();
        self.output.put(|out| encode(payload.as_bytes(), out))?;
        self.map_line(old, Some(new), how)?;
        Ok(true)
    }

    /// Writes the header, once: with the log's own time of creation, unless its first event is older.
    fn begin(&mut self, first_event_ms: Option<u64>) -> Result<(), StorageError> {
        if self.output.position() > 0 {
            return Ok(());
        }
        let created_at_ms = self.view.right_header()?.and_then(|header| field::u64_at(&header, 8));
        let plausible = created_at_ms.filter(|created| first_event_ms.is_none_or(|first| *created <= first));
        let header = LogHeader::new(plausible.or(first_event_ms).unwrap_or_default());
        self.output.put(|out| out.extend_from_slice(&header.encode()))
    }

    fn left_out(&mut self, left: LeftOut) -> Result<(), StorageError> {
        self.map_line(left.finding.start, None, left.finding.kind.name())?;
        self.done.left_out_total += 1;
        self.done.lost_total += u64::from(left.is_loss());
        let told = (self.on)(CopyStep::LeftOut(&left));
        if self.done.left_out.len() < MAX_FINDINGS {
            self.done.left_out.push(left);
        }
        if told.is_break() { Err(StorageError::Stopped) } else { Ok(()) }
    }

    fn map_line(&mut self, old: u64, new: Option<u64>, how: &str) -> Result<(), StorageError> {
        match self.map {
            Some((map, format)) => {
                let format = *format;
                map.put(|out| format.line(old, new, how, out))
            }
            None => Ok(()),
        }
    }

    fn tell(&mut self, done: u64, total: u64) -> Result<(), StorageError> {
        match (self.on)(CopyStep::Progress(done, total)) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StorageError::Stopped),
        }
    }
}
