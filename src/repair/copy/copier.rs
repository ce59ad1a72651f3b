//! The reader that follows a pass over a log and copies its events: those that stand, those that fixes give back.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

use super::donor::{CopyDonor, DamageContext};
use super::offset_map::OffsetMapFormat;
use super::output::AtomicFile;
use super::{CopyOptions, CopySummary, CopyUpdate, FixProvider, OmittedRange};
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::frame::{DecodeResult, MAX_FRAME, MAX_PAYLOAD, decode, encode};
use crate::format::{DamageKind, EventView, Evidence, Finding, LogHeader, Version, byte_layout, event, gap};
use crate::inspect::{LogView, MAX_FINDINGS, SurveyOptions, SurveyUpdate, survey};
use crate::repair::identity::read_neighbour;
use crate::repair::neighbours::Neighbours;
use crate::repair::{Certainty, ProposedFix, RepairAction, donor};

/// Writes the new log and its map, up to where the log ends or is being written.
pub(super) fn copy_events(
    view: &LogView,
    options: &CopyOptions,
    donor: Option<CopyDonor>,
    output: &mut AtomicFile,
    map: &mut Option<(AtomicFile, OffsetMapFormat)>,
    on: &mut dyn FnMut(CopyUpdate) -> ControlFlow<()>,
    find_fixes: &mut FixProvider,
) -> Result<CopySummary, StorageError> {
    if let Some((map, format)) = map {
        map.append_with(|out| out.extend_from_slice(format.header_line().as_bytes()))?;
    }
    let mut copier = Copier {
        view,
        accept_likely: options.accept_likely,
        donor,
        output,
        map,
        on,
        summary: CopySummary::default(),
        reader: None,
        last_frame: 0..0,
        damaged: 0..0,
        damage_context: DamageContext::default(),
        handled_to: 0,
        oversized_events: 0,
    };
    let mut failed = None;
    let seen = survey(view, &SurveyOptions::default(), None, &mut |step| {
        let step = match step {
            SurveyUpdate::Progress(read) => copier.report_progress(read.position, read.total.saturating_mul(2)),
            SurveyUpdate::Finding(found) => {
                find_fixes(Some(found)).and_then(|decided| copier.handle_findings(&decided))
            }
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
    copier.handle_findings(&find_fixes(None)?)?;
    copier.copy_until(seen.scanned_to)?;
    copier.write_header_once(None)?;
    let (mut done, too_large) = (copier.summary, copier.oversized_events);
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
    donor: Option<CopyDonor>,
    output: &'a mut AtomicFile,
    map: &'a mut Option<(AtomicFile, OffsetMapFormat)>,
    on: &'a mut dyn FnMut(CopyUpdate) -> ControlFlow<()>,
    summary: CopySummary,
    /// The reader behind the pass. Made after the pass has fixed the log's end, so that it sees at least as much.
    reader: Option<Scanner>,
    last_frame: Range<u64>,
    /// The damaged range that was met last, from valid frame to valid frame.
    damaged: Range<u64>,
    damage_context: DamageContext,
    /// What starts before this was judged as something else than an event.
    handled_to: u64,
    /// Events of version 0 that their longer key makes too large for a frame.
    oversized_events: u64,
}

impl Copier<'_> {
    /// Copies the events that start before `until` and are not copied yet.
    fn copy_until(&mut self, until: u64) -> Result<(), StorageError> {
        let log = self.view.log();
        let mut follower = match self.reader.take() {
            Some(follower) => follower,
            None => Scanner::new(log.clone(), log.first_frame_offset()..log.len()?.max(log.first_frame_offset())),
        };
        while follower.position() < until
            && let Some(item) = follower.next_item()?
        {
            if let ScanItem::Frame(at, frame) = item {
                self.last_frame = at..at + frame.len();
                if at >= self.handled_to
                    && let Ok(event) = EventView::parse(frame.payload(), log.version())
                {
                    self.copy_event(at, &event)?;
                }
            }
        }
        self.reader = Some(follower);
        Ok(())
    }

    fn copy_event(&mut self, at: u64, event: &EventView) -> Result<(), StorageError> {
        if self.write_event(at, event, "kept")? {
            self.summary.events_kept += 1;
            return Ok(());
        }
        self.oversized_events += 1;
        let reason = Some("its time's key is longer in version 1, and it does not fit a frame any more".into());
        let range = at..at + 4 + event.json().len() as u64;
        let finding =
            Finding::new(DamageKind::InvalidEvent, range).with_evidence(Evidence { reason, ..Evidence::default() });
        self.record_omitted(OmittedRange { finding, best_certainty: None, donor_refusal: None })
    }

    fn handle_findings(&mut self, decided: &[ProposedFix]) -> Result<(), StorageError> {
        for proposed in decided {
            let found = &proposed.finding;
            self.copy_until(found.start)?;
            match found.kind {
                // Neither is an event less.
                DamageKind::Header | DamageKind::Clock => continue,
                DamageKind::Gap => self.record_omitted(OmittedRange {
                    finding: found.clone(),
                    best_certainty: None,
                    donor_refusal: None,
                })?,
                DamageKind::Zeros
                | DamageKind::Checksum
                | DamageKind::Length
                | DamageKind::TornTail
                | DamageKind::Garbage
                | DamageKind::Truncated
                | DamageKind::InvalidEvent
                | DamageKind::Unreadable => self.handle_damage(proposed)?,
            }
            self.handled_to = self.handled_to.max(found.end);
        }
        Ok(())
    }

    fn handle_damage(&mut self, proposed: &ProposedFix) -> Result<(), StorageError> {
        let found = &proposed.finding;
        if let Some((bytes, how)) = self.corrected_bytes(proposed)? {
            let version = self.view.log().version();
            if let DecodeResult::Complete(frame) = decode(&bytes, version)
                && frame.len() == bytes.len() as u64
            {
                if let Ok(event) = EventView::parse(frame.payload(), version)
                    && self.write_event(found.start, &event, how)?
                {
                    self.summary.events_restored += 1;
                    return Ok(());
                }
                if gap::is_gap(frame.payload()) {
                    let finding = Finding::new(DamageKind::Gap, found.range());
                    return self.record_omitted(OmittedRange { finding, best_certainty: None, donor_refusal: None });
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
        self.record_omitted(OmittedRange { finding: found.clone(), best_certainty: offered, donor_refusal: refused })
    }

    /// The bytes of a finding with its fix applied, when that is certain enough, and how certain it is.
    fn corrected_bytes(&self, proposed: &ProposedFix) -> Result<Option<(Vec<u8>, &'static str)>, StorageError> {
        let found = &proposed.finding;
        let Some(fix) = &proposed.fix else { return Ok(None) };
        let how = match fix.certainty {
            Some(Certainty::Proven) => "corrected",
            Some(Certainty::Likely) if self.accept_likely => "likely",
            _ => return Ok(None),
        };
        let ([candidate], RepairAction::RestoreLength | RepairAction::CorrectBits) =
            (fix.candidates.as_slice(), fix.action)
        else {
            return Ok(None);
        };
        let len = (found.end - found.start).min(MAX_FRAME as u64 + 1) as usize;
        let mut bytes = vec![0; len];
        let read = self.view.log().read_at(&mut bytes, found.start)?;
        self.view.log().ensure_bytes_available(found.start + read as u64, found.start + len as u64)?;
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
    fn take_from_donor(&mut self, donor: &CopyDonor, found: &Finding) -> Result<Option<&'static str>, StorageError> {
        match found.kind {
            DamageKind::InvalidEvent => return Ok(Some("the frame is as it was written")),
            DamageKind::Truncated => return self.take_end_from_donor(donor, found),
            _ => {}
        }
        if !self.damaged.contains(&found.start) {
            // Where the range ends is known once it was read.
            self.damage_context.before = self.last_frame.clone();
            self.copy_until(found.start + 1)?;
            self.damage_context.next_frame = self.reader.as_ref().map_or(found.end, Scanner::position);
            self.damaged = found.start..self.damage_context.next_frame;
        }
        if let Some(why) = donor.refusal_reason(self.view.log(), &found.range(), &self.damage_context)? {
            return Ok(Some(why));
        }
        self.copy_donor_frames(donor, &found.range())?;
        Ok(None)
    }

    /// Takes the end that the log has lost, up to where an index has seen it.
    fn take_end_from_donor(
        &mut self,
        donor: &CopyDonor,
        found: &Finding,
    ) -> Result<Option<&'static str>, StorageError> {
        let (Some(index), Some(end)) = (self.view.trusted_index(), found.evidence.log_end_offset) else {
            return Ok(Some("no index knows what is missing"));
        };
        let last = index.last_seen_frame();
        let before = read_neighbour(self.view.log(), self.last_frame.start)?;
        let range = found.start..end;
        let offer = donor::Donor::open(self.view, donor.path())?.offer_for_range(
            &range,
            &Neighbours { before, after: None },
            last,
        )?;
        if offer.map_or(true, |offer| offer.certainty < Certainty::Proven) {
            return Ok(Some("it does not end there as the index has seen it"));
        }
        self.copy_donor_frames(donor, &range)?;
        Ok(None)
    }

    fn copy_donor_frames(&mut self, donor: &CopyDonor, range: &Range<u64>) -> Result<(), StorageError> {
        let mut frames = donor.scan_frames(range);
        while let Some(item) = frames.next_item()? {
            if let ScanItem::Frame(at, frame) = item
                && let Ok(event) = EventView::parse(frame.payload(), Version::V1)
                && self.write_event(at, &event, "donor")?
            {
                self.summary.events_restored += 1;
            }
        }
        Ok(())
    }

    /// Writes an event and its line in the map; false when it fits no frame.
    fn write_event(&mut self, old: u64, event: &EventView, how: &str) -> Result<bool, StorageError> {
        let json = event.json();
        let payload = match self.view.log().version() {
            Version::V0 => event::upgrade_v0_timestamp_key(json),
            Version::V1 => Cow::Borrowed(json),
        };
        if payload.len() > MAX_PAYLOAD as usize {
            return Ok(false);
        }
        self.write_header_once(Some(event.write_timestamp_ms()))?;
        let new = self.output.position();
        self.output.append_with(|out| encode(payload.as_bytes(), out))?;
        self.write_map_line(old, Some(new), how)?;
        Ok(true)
    }

    /// Writes the header, once: with the log's own time of creation, unless its first event is older.
    fn write_header_once(&mut self, first_event_ms: Option<u64>) -> Result<(), StorageError> {
        if self.output.position() > 0 {
            return Ok(());
        }
        let created_at_ms = self.view.effective_header()?.and_then(|header| byte_layout::u64_at(&header, 8));
        let plausible = created_at_ms.filter(|created| first_event_ms.is_none_or(|first| *created <= first));
        let header = LogHeader::new(plausible.or(first_event_ms).unwrap_or_default());
        self.output.append_with(|out| out.extend_from_slice(&header.encode()))
    }

    fn record_omitted(&mut self, left: OmittedRange) -> Result<(), StorageError> {
        self.write_map_line(left.finding.start, None, left.finding.kind.name())?;
        self.summary.omitted_total += 1;
        self.summary.damage_total += u64::from(left.is_loss());
        let told = (self.on)(CopyUpdate::Omitted(&left));
        if self.summary.omitted.len() < MAX_FINDINGS {
            self.summary.omitted.push(left);
        }
        if told.is_break() { Err(StorageError::Cancelled) } else { Ok(()) }
    }

    fn write_map_line(&mut self, old: u64, new: Option<u64>, how: &str) -> Result<(), StorageError> {
        match self.map {
            Some((map, format)) => {
                let format = *format;
                map.append_with(|out| format.write_line(old, new, how, out))
            }
            None => Ok(()),
        }
    }

    fn report_progress(&mut self, done: u64, total: u64) -> Result<(), StorageError> {
        match (self.on)(CopyUpdate::Progress(done, total)) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StorageError::Cancelled),
        }
    }
}
