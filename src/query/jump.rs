//! Jumps: places as people name them, and the row that stands there.

use std::ops::{ControlFlow, Range};

use super::filter::{Filter, FilterError};
use super::filter_word::number;
use super::page::{Ask, Direction, page};
use super::walk::Meter;
use super::when;
use crate::StorageError;
use crate::file::{Item, Scanner};
use crate::format::EventView;
use crate::index::{AggregateIndex, Anchor};
use crate::inspect::LogView;

/// Bytes that are walked over rather than halved again.
const SMALL: u64 = 1 << 20;

/// A place to go to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Jump {
    /// The row that covers this offset.
    Offset(u64),
    /// The row at this share of the file's bytes, 0 to 100.
    Percent(f64),
    /// The event of this number, counted from 1.
    Ordinal(u64),
    /// The first event at this time or later, milliseconds since the Unix epoch.
    Time(u64),
    /// The first row.
    First,
    /// The last row.
    Last,
}

impl Jump {
    /// Reads `1223488`, `0x12ab40`, `50%`, `#3000`, `2026-11-20T09:14`; also `-15m`, counted back from `now_ms`.
    ///
    /// # Errors
    /// A text that names no place, and what is expected.
    pub fn parse(text: &str, now_ms: u64) -> Result<Self, FilterError> {
        let place = text.trim();
        let error = |reason: &str| FilterError { word: place.to_owned(), at: 0, reason: reason.to_owned() };
        if let Some(ordinal) = place.strip_prefix('#') {
            let ordinal = number(ordinal).filter(|ordinal| *ordinal > 0);
            let reason = "expected the number of an event behind #, counted from 1";
            return ordinal.map(Self::Ordinal).ok_or_else(|| error(reason));
        }
        if let Some(share) = place.strip_suffix('%') {
            let share = share.trim_end().parse().ok().filter(|share| (0.0..=100.0).contains(share));
            return share.map(Self::Percent).ok_or_else(|| error("expected a share of 0 to 100 before %"));
        }
        if let Some(offset) = number(place) {
            return Ok(Self::Offset(offset));
        }
        let expected = format!("expected an offset (1223488, 0x12ab40), 50%, #3000, or {}", when::EXAMPLES);
        when::parse(place, now_ms).map(Self::Time).ok_or_else(|| error(&expected))
    }
}

/// The start of the row to go to. A place behind the last row, or a time after the last event, is the last row.
///
/// An ordinal costs a scan from the index's anchor before it, or from the log's start; a time likewise, or the halving of
/// what no index covers. There, times that jump back may make that find a later event than the first. `on` is told the place
/// about every mebibyte.
///
/// # Errors
/// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read.
pub fn resolve(
    view: &LogView,
    index: Option<&AggregateIndex>,
    jump: &Jump,
    on: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<u64, StorageError> {
    match land(view, index, jump, on)? {
        Some(start) => Ok(start),
        None => Ok(nearest(view, u64::MAX, Direction::Backward)?.unwrap_or_default()),
    }
}

/// The same; `None` for a place behind the last row, a time after the last event, and the last row.
///
/// # Errors
/// As [`resolve`].
pub fn land(
    view: &LogView,
    index: Option<&AggregateIndex>,
    jump: &Jump,
    on: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Option<u64>, StorageError> {
    let seek = Seek { view, index, end: view.log().len()? };
    match *jump {
        Jump::First => nearest(view, 0, Direction::Forward),
        Jump::Last => Ok(None),
        Jump::Offset(offset) => nearest(view, offset, Direction::Forward),
        Jump::Percent(share) => nearest(view, share_of(seek.end, share), Direction::Forward),
        Jump::Ordinal(ordinal) => seek.ordinal(ordinal.saturating_sub(1), &mut Meter::new(on)),
        Jump::Time(time_ms) => seek.time(time_ms, &mut Meter::new(on)),
    }
}

#[expect(clippy::cast_sign_loss, reason = "clamped to what is not negative")]
fn share_of(bytes: u64, percent: f64) -> u64 {
    (bytes as f64 * (percent / 100.0).clamp(0.0, 1.0)) as u64
}

/// The start of the next row from a place on, or of the last one before it.
fn nearest(view: &LogView, from: u64, direction: Direction) -> Result<Option<u64>, StorageError> {
    let ask = Ask { from, direction, limit: 1, filter: &Filter::default() };
    let page = page(view, None, &ask, &mut |_| ControlFlow::Continue(()))?;
    let row = match direction {
        Direction::Forward => page.rows.first(),
        Direction::Backward => page.rows.last(),
    };
    Ok(row.map(|row| row.start))
}

/// A search for one event by what no offset says.
struct Seek<'a> {
    view: &'a LogView,
    index: Option<&'a AggregateIndex>,
    end: u64,
}

impl Seek<'_> {
    /// The event before which `ordinal` others lie.
    fn ordinal(&self, ordinal: u64, meter: &mut Meter) -> Result<Option<u64>, StorageError> {
        let anchor = self.verified(self.index.and_then(|index| index.anchor_by_ordinal(ordinal)));
        let (start, mut before) = anchor.map_or((self.first(), 0), |anchor| (anchor.offset, anchor.ordinal));
        self.first_event(self.scan(start..self.end), meter, |_| {
            before += 1;
            before > ordinal
        })
        .map(|event| event.map(|(at, _)| at))
    }

    /// The first event at `time_ms` or later.
    fn time(&self, time_ms: u64, meter: &mut Meter) -> Result<Option<u64>, StorageError> {
        let anchor = |pick: &dyn Fn(&AggregateIndex) -> Option<Anchor>| self.verified(self.index.and_then(pick));
        let start = if let Some(late) = anchor(&|index| index.anchor_by_time(time_ms)) {
            // Its block holds such an event, and none before it does.
            late.offset
        } else {
            let last = anchor(&|index| index.anchor_before(u64::MAX));
            self.halve(last.map_or_else(|| self.first(), |anchor| anchor.offset), time_ms, meter)?
        };
        let event = self.first_event(self.scan(start..self.end), meter, |event| event.write_timestamp_ms() >= time_ms);
        event.map(|event| event.map(|(at, _)| at))
    }

    /// Where to start walking: an event earlier than `time_ms`, or `start`, with a later one not far behind, if there is
    /// any. Halves the bytes, so times that jump back lead to one such place of several.
    fn halve(&self, start: u64, time_ms: u64, meter: &mut Meter) -> Result<u64, StorageError> {
        let (mut low, mut high) = (start, self.end);
        while high.saturating_sub(low) > SMALL {
            let middle = low + (high - low) / 2;
            let scanner = Scanner::adrift(self.view.log().clone(), middle..high);
            match self.first_event(scanner, meter, |_| true)? {
                Some((at, found)) if found < time_ms => low = at,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The anchor, when its event still stands there.
    fn verified(&self, anchor: Option<Anchor>) -> Option<Anchor> {
        let mut buf = Vec::new();
        anchor.filter(|anchor| {
            let frame = self.view.log().frame_at(anchor.offset, &mut buf);
            matches!(frame, Ok(Some(frame)) if frame.checksum() == anchor.checksum)
        })
    }

    fn first(&self) -> u64 {
        self.view.log().first_frame().min(self.end)
    }

    fn scan(&self, range: Range<u64>) -> Scanner {
        Scanner::new(self.view.log().clone(), range)
    }

    /// Offset and time of the first event that is wanted.
    fn first_event(
        &self,
        mut scanner: Scanner,
        meter: &mut Meter,
        mut wanted: impl FnMut(&EventView) -> bool,
    ) -> Result<Option<(u64, u64)>, StorageError> {
        while let Some(item) = scanner.next_item()? {
            let range = item.span().range().clone();
            if let Item::Frame(at, frame) = item
                && let Ok(event) = EventView::parse(frame.payload(), self.view.log().version())
                && wanted(&event)
            {
                return Ok(Some((at, event.write_timestamp_ms())));
            }
            meter.passed(range.end, range.end - range.start)?;
        }
        Ok(None)
    }
}
