//! Replay: the events of a log in order, as an iterator that holds no more than a read buffer.

use std::collections::VecDeque;
use std::ops::Range;

use crate::StorageError;
use crate::file::{OffsetLocation, ScanItem, Scanner, locate_offset};
use crate::format::event_fields::EventFields;
use crate::format::{DamageKind, EventView, Evidence, Finding, StoredEvent, gap};
use crate::inspect::{DamagePieces, LogView, classify_tail, observe_tail};
use crate::repair::{LogPaths, RepairRecord, find_gap_journal, read_repair_records};

/// Events in order. Damage, gaps and frames that are no events are error items, each with its range; the replay goes on
/// behind them. An end that is being written is not there yet.
///
/// The end is fixed when the replay is made: what is appended later is for the next one.
#[derive(Debug)]
pub struct Replay {
    view: LogView,
    log_paths: LogPaths,
    /// The log's repairs, read when the first gap is met.
    repair_records: Option<Vec<RepairRecord>>,
    scanner: Scanner,
    end: u64,
    until: u64,
    /// Where the range ends that is read now.
    range_end: u64,
    strict: bool,
    is_done: bool,
    /// The damaged range that is being told, piece by piece.
    damage_pieces: Option<DamagePieces>,
    /// Pieces of the one that the log ends with.
    pending_findings: VecDeque<Finding>,
}

/// What is read at once of a range that is shorter, in bytes.
const MIN_READ_AHEAD: u64 = 4096;

/// What comes next, without its bytes.
enum NextItem {
    Event(EventFields),
    Error(StorageError),
    Damage(Range<u64>),
    End,
}

impl Replay {
    pub(super) fn new(view: LogView, site: LogPaths, from: u64, until: u64) -> Result<Self, StorageError> {
        let end = view.log().len()?;
        let first = view.log().first_frame_offset();
        let from = if from <= first {
            first
        } else {
            match locate_offset(view.log(), from, end)? {
                OffsetLocation::FrameStart(range) | OffsetLocation::Damaged(range) => range.start,
                OffsetLocation::InsideFrame(Range { start, end }) => {
                    return Err(StorageError::InsideFrame { path: view.path().to_owned(), offset: from, start, end });
                }
                OffsetLocation::PastEnd => end.max(from),
            }
        };
        let scanner = Scanner::new(view.log().clone(), from..end);
        Ok(Self {
            view,
            log_paths: site,
            repair_records: None,
            scanner,
            end,
            until,
            range_end: u64::MAX,
            strict: false,
            is_done: false,
            damage_pieces: None,
            pending_findings: VecDeque::new(),
        })
    }

    /// Ends at the first damage instead of going on behind it. Gaps do not end it.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// The file offset that the replay has come to.
    pub const fn position(&self) -> u64 {
        self.scanner.position()
    }

    /// The end of the log as this replay sees it.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// The next event, borrowed from the read buffer: nothing is copied.
    pub fn next_event(&mut self) -> Option<Result<(u64, EventView<'_>), StorageError>> {
        // The event is borrowed only after the loop: a borrow that may be handed out cannot be given up again in it.
        let fields = loop {
            match self.next_finding() {
                Some(Ok(finding)) => {
                    self.is_done |= self.strict && finding.kind.is_damage();
                    return Some(Err(self.damage_error(finding)));
                }
                Some(Err(error)) => {
                    self.is_done = true;
                    return Some(Err(error));
                }
                None => {}
            }
            if self.is_done || self.scanner.position() >= self.until.min(self.range_end) {
                return None;
            }
            match self.scan_next() {
                NextItem::Event(fields) => break fields,
                NextItem::Error(error) => {
                    self.is_done |= self.strict && error.is_corruption();
                    return Some(Err(error));
                }
                NextItem::Damage(range) => {
                    if let Err(error) = self.classify_damage(range) {
                        self.is_done = true;
                        return Some(Err(error));
                    }
                }
                NextItem::End => self.is_done = true,
            }
        };
        let (at, frame) = self.scanner.current()?;
        EventView::from_validated(frame.payload(), fields).map(|event| Ok((at, event)))
    }

    /// Goes on in this range alone, which starts where a frame or a damaged range does.
    pub fn seek_to_range(&mut self, range: Range<u64>) {
        // A frame that starts in the range may end behind it.
        self.scanner = Scanner::new(self.view.log().clone(), range.start..self.end.max(range.start));
        self.scanner.set_read_ahead_limit(range.end.max(range.start + MIN_READ_AHEAD));
        self.range_end = range.end;
        self.is_done = false;
    }

    fn scan_next(&mut self) -> NextItem {
        let version = self.view.log().version();
        let (at, frame) = match self.scanner.next_item() {
            Ok(Some(ScanItem::Frame(at, frame))) => (at, frame),
            Ok(Some(ScanItem::Damaged(range))) => return NextItem::Damage(range),
            Ok(Some(ScanItem::Unreadable(range))) => {
                return NextItem::Error(self.damage_error(Finding::new(DamageKind::Unreadable, range)));
            }
            Ok(None) => return NextItem::End,
            Err(error) => {
                self.is_done = true;
                return NextItem::Error(error);
            }
        };
        let payload = frame.payload();
        match EventView::parse(payload, version) {
            Ok(event) => NextItem::Event(event.fields()),
            Err(_) if gap::is_gap(payload) => {
                let content = gap::gap_content(payload).map(str::to_owned);
                let range = at..at + frame.len();
                NextItem::Error(self.gap_error(range, content))
            }
            Err(invalid) => {
                let evidence = Evidence {
                    reason: Some(invalid.reason.into()),
                    bad_byte_offset: Some(at + 4 + invalid.offset as u64),
                    ..Evidence::default()
                };
                let finding = Finding::new(DamageKind::InvalidEvent, at..at + frame.len()).with_evidence(evidence);
                NextItem::Error(self.damage_error(finding))
            }
        }
    }

    /// A gap, and where the bytes are that stood there. Journals that cannot be read keep nothing from being told.
    fn gap_error(&mut self, Range { start, end }: Range<u64>, content: Option<String>) -> StorageError {
        let site = &self.log_paths;
        let records = self
            .repair_records
            .get_or_insert_with(|| read_repair_records(site).map(|(records, _)| records).unwrap_or_default());
        let kept_in = find_gap_journal(records, start..end).map(std::path::Path::to_owned);
        StorageError::Gap { path: self.view.path().to_owned(), start, end, content, journal: kept_in }
    }

    /// Names the pieces of a damaged range. The last one of the log's end is left out while it is being written.
    fn classify_damage(&mut self, range: Range<u64>) -> Result<(), StorageError> {
        let log = self.view.log();
        if range.end < self.end {
            self.damage_pieces = Some(DamagePieces::new(log, range, self.end, self.view.trusted_index_end())?);
            return Ok(());
        }
        let ending = observe_tail(log, &range)?;
        let pending = &mut self.pending_findings;
        classify_tail(&self.view, range, ending, &mut |finding| {
            pending.push_back(finding);
            Ok(())
        })?;
        Ok(())
    }

    /// The next piece of the damage that is being told.
    fn next_finding(&mut self) -> Option<Result<Finding, StorageError>> {
        if let Some(pieces) = &mut self.damage_pieces {
            match pieces.next() {
                Some(piece) => return Some(piece.map(|piece| piece.finding)),
                None => self.damage_pieces = None,
            }
        }
        self.pending_findings.pop_front().map(Ok)
    }

    fn damage_error(&self, finding: Finding) -> StorageError {
        StorageError::Damaged { path: self.view.path().to_owned(), finding: Box::new(finding) }
    }
}

impl Iterator for Replay {
    type Item = Result<StoredEvent, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_event()?.map(|(at, event)| event.to_stored(at)))
    }
}
