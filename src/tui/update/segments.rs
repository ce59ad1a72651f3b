//! The table of segments: requests its rows, keeps the cursor on its segment, and goes to the events of a segment.

use super::navigation;
use super::requests::send_request;
use crate::file::SegmentCondition;
use crate::inspect::GoneCause;
use crate::report::sanitize;
use crate::tui::model::{ListCursor, Model, ROW_BATCH, SegmentAim, SegmentLoadState, Tab};
use crate::tui::request::{EarlierRows, Request, SegmentPage, SegmentRequest, SegmentRow, WorkerKind};

/// Requests the rows that are visible and not loaded, or have changed, while the tab is shown.
pub(super) fn request_rows(model: &mut Model) {
    if model.tab != Tab::Segments || !model.has_segments() || model.segments.load_state == SegmentLoadState::Requested {
        return;
    }
    let selected_event = model.current_place().offset;
    let pane = &mut model.segments;
    let is_first = pane.load_state == SegmentLoadState::NotRead;
    let earlier = pane.stale.take();
    let from = match pane.load_state {
        _ if is_first => Some(0),
        _ if earlier.is_some() => Some(pane.cursor.top.saturating_sub(ROW_BATCH / 2)),
        _ => pane.missing_rows_start(),
    };
    let Some(from) = from else { return };
    let same_segment = pane.selected().map(SegmentRow::start);
    let locate = match pane.aim {
        SegmentAim::SelectedEvent => Some(selected_event),
        SegmentAim::SameSegment => same_segment.filter(|_| earlier.is_some()),
    };
    pane.load_state = SegmentLoadState::Requested;
    let request = SegmentRequest { from, rows: 2 * ROW_BATCH, locate, earlier: earlier.unwrap_or_default() };
    send_request(model, WorkerKind::Segments, Request::Segments(request));
}

/// Reads all segments again.
pub(super) fn read_again(model: &mut Model) {
    model.segments.invalidate(EarlierRows::Discarded);
    model.notify("Reading the segments again");
}

/// Shows rows that have arrived.
pub(super) fn set_page(model: &mut Model, loaded: SegmentPage) {
    let pane = &mut model.segments;
    let (located, total) = (loaded.located, loaded.total);
    pane.page = loaded;
    pane.load_state = SegmentLoadState::Loaded;
    pane.aim = SegmentAim::SameSegment;
    if let Some(line) = located {
        pane.cursor = ListCursor { line, ..pane.cursor };
    }
    pane.cursor.move_by(0, total);
}

/// Records that rows did not arrive. They are requested again when something changes.
pub(super) fn mark_failed(model: &mut Model) {
    model.segments.load_state = SegmentLoadState::Loaded;
}

/// Goes to the first event of the selected segment, or to the row of the selected range.
pub(super) fn go_to_selected(model: &mut Model) {
    let offset = match model.segments.selected() {
        None => return,
        Some(SegmentRow::Gone { range, cause: GoneCause::Removed, .. }) => {
            let (start, undo) = (model.format_offset(range.end), model.keys.hint(crate::tui::actions::ActionId::Undo));
            return model.notify(format!("Removed: the log starts at {start}; {undo} restores what was removed last"));
        }
        Some(SegmentRow::Gone { range, .. }) => range.start,
        Some(SegmentRow::Segment(facts)) => {
            let first_frame = facts.first_frame;
            if let SegmentCondition::Unreadable(reason) = &facts.condition {
                let reason = sanitize(reason).into_owned();
                model.warn(format!("The file of this segment cannot be opened: {reason}"));
            }
            first_frame
        }
    };
    model.record_place();
    navigation::go_to_offset(model, offset);
}
