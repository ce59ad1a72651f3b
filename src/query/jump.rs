//! Jumps: resolves a place in the log that a user has typed to the start of a row.

use std::ops::{ControlFlow, Range};

use super::filter::Filter;
use super::offset_input::parse_offset;
use super::page::{PageRequest, read_page};
use super::progress_meter::ProgressMeter;
use super::row::{Direction, ReadStart};
use super::syntax_error::QuerySyntaxError;
use super::time_input::{TIME_EXAMPLES, TimeContext, TimeInputError};
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::EventView;
use crate::index::{AggregateIndex, Anchor};
use crate::inspect::{LogView, OnProgress};

/// Largest range that the binary search for a time scans instead of halving it again, in bytes.
const LINEAR_SCAN_BYTES: u64 = 1 << 20;

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum JumpTarget {
    /// The row that contains this file offset.
    Offset(u64),
    /// The row at this percentage of the file's bytes, 0 to 100.
    Percent(f64),
    /// The event with this number, counted from 1.
    Ordinal(u64),
    /// The first event written at this time or later, in milliseconds since the Unix epoch.
    Time(u64),
    /// The first row of the log.
    First,
    /// The last row of the log.
    Last,
}

impl JumpTarget {
    /// Parses `1223488`, `0x12ab40`, `50%`, `#3000`, `2026-11-20T09:14` or `-15m`, which counts back from `now_ms`.
    ///
    /// # Errors
    /// The text has none of these forms; the reason lists the expected forms.
    pub fn parse(text: &str, now_ms: u64) -> Result<Self, QuerySyntaxError> {
        Self::parse_with(text, TimeContext::at(now_ms))
    }

    /// Parses a place like [`JumpTarget::parse`]; relative times such as `-15m` and `end-1h` refer to `times`.
    ///
    /// A number alone is an offset. A time in milliseconds needs its unit, as in `1795165200000ms`.
    ///
    /// # Errors
    /// The text has none of the forms; the reason lists the expected forms.
    pub fn parse_with(text: &str, times: TimeContext) -> Result<Self, QuerySyntaxError> {
        let place = text.trim();
        let error = |reason: &str| QuerySyntaxError { word: place.to_owned(), position: 0, reason: reason.to_owned() };
        if let Some(ordinal) = place.strip_prefix('#') {
            let ordinal = parse_offset(ordinal).filter(|ordinal| *ordinal > 0);
            let reason = "expected the number of an event after #, counted from 1";
            return ordinal.map(Self::Ordinal).ok_or_else(|| error(reason));
        }
        if let Some(percent) = place.strip_suffix('%') {
            let percent = percent.trim_end().parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
            return percent.map(Self::Percent).ok_or_else(|| error("expected a number from 0 to 100 before %"));
        }
        if let Some(offset) = parse_offset(place) {
            return Ok(Self::Offset(offset));
        }
        let error_text = |time_error| match time_error {
            TimeInputError::NotATime | TimeInputError::NumberWithoutUnit => {
                format!("expected an offset (1223488, 0x12ab40), 50%, #3000, or {TIME_EXAMPLES}")
            }
            time_error => time_error.reason().to_owned(),
        };
        let time = times.parse(place).map(|span| Self::Time(span.first));
        time.map_err(|time_error| error(&error_text(time_error)))
    }
}

/// Resolves a place to the start of a row. A place after the last row, or a time after the last event, resolves to the
/// last row.
///
/// See [`resolve_jump`] for the cost.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub fn resolve_jump_or_last_row(
    view: &LogView,
    index: Option<&AggregateIndex>,
    jump: &JumpTarget,
    on_progress: &mut OnProgress,
) -> Result<u64, StorageError> {
    match resolve_jump(view, index, jump, on_progress)? {
        Some(start) => Ok(start),
        None => Ok(nearest_row_start(view, u64::MAX, Direction::Backward)?.unwrap_or_default()),
    }
}

/// Resolves a place to the start of a row; `None` for a place after the last row, a time after the last event, and
/// [`JumpTarget::Last`].
///
/// An ordinal requires a scan from the last anchor of the index before it, or from the start of the log. A time requires
/// such a scan, and a binary search over the part that the index does not cover. Where times decrease in that part, the
/// result may be a later event than the first one. `on_progress` is called about once per mebibyte.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub fn resolve_jump(
    view: &LogView,
    index: Option<&AggregateIndex>,
    jump: &JumpTarget,
    on_progress: &mut OnProgress,
) -> Result<Option<u64>, StorageError> {
    let index = index.filter(|index| index.covers_log_start());
    let seek = EventSeek { view, index, end: view.log().len()? };
    match *jump {
        JumpTarget::First => nearest_row_start(view, 0, Direction::Forward),
        JumpTarget::Last => Ok(None),
        JumpTarget::Offset(offset) => nearest_row_start(view, offset, Direction::Forward),
        JumpTarget::Percent(percent) => {
            nearest_row_start(view, percent_to_offset(seek.end, percent), Direction::Forward)
        }
        JumpTarget::Ordinal(ordinal) => {
            seek.seek_ordinal(ordinal.saturating_sub(1), &mut ProgressMeter::new(on_progress, seek.end))
        }
        JumpTarget::Time(time_ms) => seek.seek_time(time_ms, &mut ProgressMeter::new(on_progress, seek.end)),
    }
}

#[expect(clippy::cast_sign_loss, reason = "the factor is clamped to 0.0..=1.0, so the product is not negative")]
fn percent_to_offset(bytes: u64, percent: f64) -> u64 {
    (bytes as f64 * (percent / 100.0).clamp(0.0, 1.0)) as u64
}

/// Returns the start of the first row at or after an offset, or of the last row before it.
fn nearest_row_start(view: &LogView, from: u64, direction: Direction) -> Result<Option<u64>, StorageError> {
    let filter = Filter::default();
    let request = PageRequest::new(&filter, ReadStart::new(from, direction), 1);
    let page = read_page(view, None, &request, &mut |_| ControlFlow::Continue(()))?;
    let row = match direction {
        Direction::Forward => page.rows.first(),
        Direction::Backward => page.rows.last(),
    };
    Ok(row.map(|row| row.start))
}

/// The search for one event by number or time.
struct EventSeek<'a> {
    view: &'a LogView,
    index: Option<&'a AggregateIndex>,
    /// The end of the log.
    end: u64,
}

impl EventSeek<'_> {
    /// Returns the offset of the event with `ordinal` events before it.
    fn seek_ordinal(&self, ordinal: u64, meter: &mut ProgressMeter) -> Result<Option<u64>, StorageError> {
        let anchor = self.verify_anchor(self.index.and_then(|index| index.anchor_by_ordinal(ordinal)));
        let (start, mut events_before) =
            anchor.map_or((self.first_frame(), 0), |anchor| (anchor.offset, anchor.ordinal));
        self.find_first_event(self.scanner_for(start..self.end), meter, |_| {
            events_before += 1;
            events_before > ordinal
        })
        .map(|event| event.map(|(at, _)| at))
    }

    /// Returns the offset of the first event written at `time_ms` or later.
    fn seek_time(&self, time_ms: u64, meter: &mut ProgressMeter) -> Result<Option<u64>, StorageError> {
        let anchor = |pick: &dyn Fn(&AggregateIndex) -> Option<Anchor>| self.verify_anchor(self.index.and_then(pick));
        let start = if let Some(found) = anchor(&|index| index.anchor_by_time(time_ms)) {
            // The anchor's block contains such an event, and no earlier block does.
            found.offset
        } else {
            let last = anchor(&|index| index.anchor_before(u64::MAX));
            self.bisect_time(last.map_or_else(|| self.first_frame(), |anchor| anchor.offset), time_ms, meter)?
        };
        let event = self
            .find_first_event(self.scanner_for(start..self.end), meter, |event| event.write_timestamp_ms() >= time_ms);
        event.map(|event| event.map(|(at, _)| at))
    }

    /// Returns an offset shortly before the first event at `time_ms` or later: `start`, or an event earlier than `time_ms`.
    ///
    /// This is a binary search over the bytes. Where times decrease, several such offsets exist, and any one is returned.
    fn bisect_time(&self, start: u64, time_ms: u64, meter: &mut ProgressMeter) -> Result<u64, StorageError> {
        let (mut low, mut high) = (start, self.end);
        while high.saturating_sub(low) > LINEAR_SCAN_BYTES {
            let middle = low + (high - low) / 2;
            let scanner = Scanner::from_unaligned(self.view.log().clone(), middle..high);
            match self.find_first_event(scanner, meter, |_| true)? {
                Some((at, found)) if found < time_ms => low = at,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Returns the anchor, when the log still contains its event.
    fn verify_anchor(&self, anchor: Option<Anchor>) -> Option<Anchor> {
        anchor.filter(|anchor| anchor.is_in_log(self.view.log()))
    }

    fn first_frame(&self) -> u64 {
        self.view.log().first_frame_offset().min(self.end)
    }

    fn scanner_for(&self, range: Range<u64>) -> Scanner {
        Scanner::new(self.view.log().clone(), range)
    }

    /// Returns the offset and the time of the first event for which `predicate` is true.
    fn find_first_event(
        &self,
        mut scanner: Scanner,
        meter: &mut ProgressMeter,
        mut predicate: impl FnMut(&EventView) -> bool,
    ) -> Result<Option<(u64, u64)>, StorageError> {
        while let Some(item) = scanner.next_item()? {
            let range = item.span().range().clone();
            if let ScanItem::Frame(at, frame) = item
                && let Ok(event) = EventView::parse(frame.payload(), self.view.log().version())
                && predicate(&event)
            {
                return Ok(Some((at, event.write_timestamp_ms())));
            }
            meter.advance(range.end, range.end - range.start)?;
        }
        Ok(None)
    }
}
