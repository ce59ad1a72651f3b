//! The integrity strip: the whole log in one line, with a glyph for the state of each part and a mark at the visible
//! part.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Stylize;
use ratatui::text::Span;

use super::pane::span;
use super::text::{display_width, draw_spans};
use crate::report::units::{format_date, format_percent, format_speed, format_time_of_day};
use crate::tui::model::{LogUnavailable, Model, ScanRun, ScanState};
use crate::tui::strip::{StripCell, WIDE_TEXT_COLUMNS, cell_for_range, column_bytes, has_text, is_wide, strip_columns};
use crate::tui::theme::Role;

/// The glyph of the part of the log that the list shows.
pub(super) const VISIBLE_GLYPH: char = '◆';
/// Minimum width of a strip that is drawn.
const MIN_WIDTH: u16 = 4;
/// Time that a scan runs before its speed is shown. A shorter run gives no useful estimate.
const MIN_SPEED_ELAPSED: Duration = Duration::from_millis(500);

/// Draws the integrity strip, followed by the progress of the scan.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    if area.height == 0 || area.width < MIN_WIDTH {
        return;
    }
    let mut spans = vec![span(model, Role::Muted, "|")];
    spans.extend(cell_spans(model, area));
    spans.push(span(model, Role::Muted, "| "));
    if !has_text(area) {
        return draw_spans(frame, area, 0, spans);
    }
    let progress = progress_text(model).filter(|_| is_wide(area));
    // A scan that is done needs no attention.
    let state_role = if model.scan.state == ScanState::Done { Role::Muted } else { Role::Text };
    let verified = model.earlier_verification().filter(|_| is_wide(area) && progress.is_none());
    // After the whole log was read in this session, that time counts, and there is no room for both.
    let verified = verified.filter(|_| !(model.scan.state == ScanState::Done && model.scan.has_read_all()));
    spans.push(span(model, state_role, progress.unwrap_or_else(|| scan_state_text(model))));
    spans.extend(verified.map(|mark| {
        let glyph = StripCell::VerifiedEarlier.glyph();
        span(model, Role::Muted, format!(" {glyph} {}", format_date(mark.verified_at_ms, model.zone)))
    }));
    draw_spans(frame, area, 0, spans);
}

/// Returns one glyph for each column of the strip. A column in which a segment starts is underlined.
fn cell_spans(model: &Model, area: Rect) -> impl Iterator<Item = Span<'static>> {
    let columns = strip_columns(area);
    let count = columns.end - columns.start;
    let visible = model.list.visible_range();
    (0..count).map(move |nth| {
        let range = column_bytes(nth, count, model.log_info.bytes);
        let cell = cell_for_range(model, &range);
        let is_visible = visible.as_ref().is_some_and(|rows| rows.start < range.end && range.start < rows.end);
        let glyph = match cell {
            // The mark of the visible part never hides damage or a gap.
            StripCell::Damaged | StripCell::Gap => cell.glyph(),
            _ if is_visible => VISIBLE_GLYPH,
            _ => cell.glyph(),
        };
        let role = if glyph == VISIBLE_GLYPH { Role::Focus } else { cell_role(cell) };
        let cell = span(model, role, glyph);
        let starts_segment = model.log_info.segment_starts.iter().any(|start| range.contains(start));
        if starts_segment { cell.underlined() } else { cell }
    })
}

/// Returns the role of a state of the strip.
pub(super) const fn cell_role(cell: StripCell) -> Role {
    match cell {
        StripCell::Damaged => Role::Damage,
        StripCell::Gap => Role::Gap,
        // The status line reports the index; here only damage and gaps stand out.
        StripCell::Verified | StripCell::NotIndexed | StripCell::VerifiedEarlier => Role::Good,
        StripCell::Unscanned => Role::Muted,
    }
}

/// Returns the share, the speed and the remaining time of the scan; `None` when no scan has run for long enough.
fn progress_text(model: &Model) -> Option<String> {
    let ScanRun { started, bytes_read } = model.scan.current_run?;
    let elapsed = model.now.0.checked_sub(started.0).filter(|elapsed| *elapsed >= MIN_SPEED_ELAPSED)?;
    let log_bytes = model.log_info.bytes;
    let verified = model.verified_bytes();
    // When the whole log is verified and the scan still runs, it reads ranges verified earlier. Then only the bytes
    // verified in this session count.
    let verified = if verified < log_bytes { verified } else { model.scan.health_map.verified_bytes(0).min(log_bytes) };
    let share = format_percent(verified, log_bytes);
    let text = format!("{share}, {}", format_speed(bytes_read, bytes_read + log_bytes - verified, elapsed));
    // The last word is left out before it would be cut.
    let fits = display_width(&text) <= usize::from(WIDE_TEXT_COLUMNS);
    let short = text.strip_suffix(" left").filter(|_| !fits).map(str::to_owned);
    Some(short.unwrap_or(text))
}

fn scan_state_text(model: &Model) -> String {
    if model.unavailable.as_ref().is_some_and(LogUnavailable::has_no_data) {
        return "no data".into();
    }
    let share = format_percent(model.verified_bytes(), model.log_info.bytes);
    // Without checksums, reading a frame verifies nothing.
    let verified = if model.log_info.version == 0 { "read" } else { "verified" };
    match model.scan.state {
        ScanState::Off => "scan off".into(),
        ScanState::Stopped => format!("stopped {share}"),
        ScanState::Failed => format!("failed {share}"),
        ScanState::Running => format!("{verified} {share}"),
        ScanState::Done => {
            let finished_at = model.scan.finished_at_ms.filter(|_| model.scan.has_read_all());
            let time = finished_at.map(|ms| format_time_of_day(ms, model.zone));
            // The milliseconds are left out.
            let time = time.as_deref().and_then(|time| time.split('.').next());
            format!("{verified} {share}{}", time.map(|time| format!(" {time}")).unwrap_or_default())
        }
    }
}
