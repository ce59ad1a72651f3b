//! The integrity strip: the whole file in one line, a glyph for what is known of each part, and where the window is.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::pane::span;
use super::text::draw_spans;
use crate::report::units::{self, DisplayZone, format_date, format_percent};
use crate::tui::model::{LogUnavailable, Model, ScanRun, ScanState};
use crate::tui::strip::{StripCell, cell_for_range, column_bytes, is_wide, strip_columns};
use crate::tui::theme::Role;

/// A scan that takes less needs no words about its speed.
const MIN_PACE_ELAPSED: Duration = Duration::from_millis(500);

/// Draws it.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    if area.height == 0 || area.width < 4 {
        return;
    }
    let columns = strip_columns(area);
    let count = columns.end - columns.start;
    let extent = model.list.visible_range();
    let mut spans = vec![span(model, Role::Muted, "|")];
    for nth in 0..count {
        let range = column_bytes(nth, count, model.log_info.bytes);
        let part = cell_for_range(model, &range);
        let here = extent.as_ref().is_some_and(|extent| extent.start < range.end && range.start < extent.end);
        // Where the window is has a glyph too, but never one that hides damage.
        let glyph = match part {
            StripCell::Damaged | StripCell::Gap => part.glyph(),
            _ if here => '◆',
            _ => part.glyph(),
        };
        let role = match part {
            StripCell::Damaged => Role::Damage,
            StripCell::Gap => Role::Gap,
            StripCell::NotIndexed => Role::Warning,
            StripCell::Verified | StripCell::VerifiedEarlier => Role::Good,
            StripCell::Unscanned => Role::Muted,
        };
        let style = if here {
            model.theme.style(role).add_modifier(ratatui::style::Modifier::REVERSED)
        } else {
            model.theme.style(role)
        };
        spans.push(Span::styled(glyph.to_string(), style));
    }
    spans.push(span(model, Role::Muted, "| "));
    let pace = progress_text(model).filter(|_| is_wide(area));
    let is_running = pace.is_some();
    spans.push(span(model, Role::Text, pace.unwrap_or_else(|| state_text(model))));
    if let Some(verified) = model.log_info.index.verified.filter(|_| is_wide(area) && !is_running) {
        let date = format!(
            " {} {}",
            StripCell::VerifiedEarlier.glyph(),
            format_date(verified.verified_at_ms, DisplayZone::Utc)
        );
        spans.push(span(model, Role::Muted, date));
    }
    draw_spans(frame, area, 0, spans);
}

/// Bytes that are verified, now or earlier.
fn verified_bytes(model: &Model) -> u64 {
    let earlier = model.log_info.index.verified.map_or(0, |known| known.verified_to);
    model.scan.health_map.verified_bytes(earlier).min(model.log_info.bytes)
}

/// How far a scan is that takes a while, how fast, and how long it will take.
fn progress_text(model: &Model) -> Option<String> {
    let ScanRun { started, bytes_read: read } = model.scan.current_run?;
    let elapsed = model.now.0.checked_sub(started.0).filter(|elapsed| *elapsed >= MIN_PACE_ELAPSED)?;
    let bytes = model.log_info.bytes;
    // With nothing left but what was verified earlier, that is what it reads.
    let verified = Some(verified_bytes(model)).filter(|verified| *verified < bytes);
    let verified = verified.unwrap_or_else(|| model.scan.health_map.verified_bytes(0).min(bytes));
    Some(format!(
        "{}, {}",
        format_percent(verified, bytes),
        units::format_speed(read, read + bytes - verified, elapsed)
    ))
}

fn state_text(model: &Model) -> String {
    let share = format_percent(verified_bytes(model), model.log_info.bytes);
    match model.scan.state {
        _ if model.unavailable.as_ref().is_some_and(LogUnavailable::has_no_data) => "nothing to see".into(),
        ScanState::Off => "scan off".into(),
        ScanState::Stopped => format!("stopped {share}"),
        ScanState::Failed => format!("failed {share}"),
        ScanState::Running | ScanState::Done => format!("verified {share}"),
    }
}
