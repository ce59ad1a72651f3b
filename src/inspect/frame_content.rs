//! The content of one valid frame: an event, a gap, or a payload that is neither.

use crate::format::frame::LENGTH_LEN;
use crate::format::{DamageKind, EventView, Evidence, Finding, Frame, PayloadError, SeenNames, Version, gap};

/// The content of a valid frame.
#[derive(Debug)]
pub(crate) enum FrameContent<'a> {
    /// An event that can be read.
    Event(EventView<'a>),
    /// A gap: a repair has replaced a damaged range with this frame.
    Gap,
    /// Neither an event nor a gap, although the checksum matches.
    InvalidEvent(PayloadError),
}

/// Classifies the payload of a valid frame of a log of `version`, without allocation.
#[inline]
pub(crate) fn classify_frame<'a>(frame: &Frame<'a>, version: Version) -> FrameContent<'a> {
    classify_payload(frame.payload(), |payload| EventView::parse(payload, version))
}

/// Classifies the payload of a valid frame like [`classify_frame`], with the same result. A pass over many frames is faster with
/// the names of the events before.
#[inline]
pub(super) fn classify_with_names<'a>(frame: &Frame<'a>, version: Version, names: &mut SeenNames) -> FrameContent<'a> {
    classify_payload(frame.payload(), |payload| EventView::parse_with_names(payload, version, names))
}

#[inline]
fn classify_payload<'a>(
    payload: &'a [u8],
    parse: impl FnOnce(&'a [u8]) -> Result<EventView<'a>, PayloadError>,
) -> FrameContent<'a> {
    // The check for a gap comes first, because it already fails at the third byte of an event.
    if gap::is_gap(payload) {
        return FrameContent::Gap;
    }
    match parse(payload) {
        Ok(event) => FrameContent::Event(event),
        Err(error) => FrameContent::InvalidEvent(error),
    }
}

/// Returns the finding about the gap frame at the offset `at`, with the content of the gap as evidence.
#[cold]
pub(crate) fn gap_finding(at: u64, frame: &Frame) -> Finding {
    let content = gap::gap_content(frame.payload()).map(str::to_owned);
    let evidence = Evidence { content, ..Evidence::default() };
    Finding::new(DamageKind::Gap, at..at + frame.len()).with_evidence(evidence)
}

/// Returns the finding about the frame at the offset `at` whose payload cannot be parsed because of `error`.
#[cold]
pub(crate) fn invalid_event_finding(at: u64, frame: &Frame, error: &PayloadError) -> Finding {
    let evidence = Evidence {
        reason: Some(error.reason.into()),
        bad_byte_offset: Some(at + (LENGTH_LEN + error.offset) as u64),
        ..Evidence::default()
    };
    Finding::new(DamageKind::InvalidEvent, at..at + frame.len()).with_evidence(evidence)
}
