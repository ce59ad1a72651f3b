//! The integrity strip: the whole file in one line, a glyph for what is known of each part, and where the window is.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::pane::span;
use super::text::put;
use crate::report::units::{self, Zone, day, percent};
use crate::tui::model::{Lost, Model, ScanState};
use crate::tui::strip::{Part, bytes_of, columns, is_wide, part};
use crate::tui::theme::Role;

/// A scan that takes less needs no words about its speed.
const A_WHILE: Duration = Duration::from_millis(500);

/// Draws it.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    if area.height == 0 || area.width < 4 {
        return;
    }
    let columns = columns(area);
    let count = columns.end - columns.start;
    let extent = model.list.extent();
    let mut spans = vec![span(model, Role::Quiet, "|")];
    for nth in 0..count {
        let range = bytes_of(nth, count, model.facts.bytes);
        let part = part(model, &range);
        let here = extent.as_ref().is_some_and(|extent| extent.start < range.end && range.start < extent.end);
        // Where the window is has a glyph too, but never one that hides damage.
        let glyph = match part {
            Part::Damaged | Part::Gap => part.glyph(),
            _ if here => '◆',
            _ => part.glyph(),
        };
        let role = match part {
            Part::Damaged => Role::Damage,
            Part::Gap => Role::Gap,
            Part::NotIndexed => Role::Warning,
            Part::Verified | Part::Earlier => Role::Good,
            Part::Unscanned => Role::Quiet,
        };
        let style = if here {
            model.theme.style(role).add_modifier(ratatui::style::Modifier::REVERSED)
        } else {
            model.theme.style(role)
        };
        spans.push(Span::styled(glyph.to_string(), style));
    }
    spans.push(span(model, Role::Quiet, "| "));
    let pace = pace(model).filter(|_| is_wide(area));
    let is_running = pace.is_some();
    spans.push(span(model, Role::Text, pace.unwrap_or_else(|| words(model))));
    if let Some(verified) = model.facts.index.verified.filter(|_| is_wide(area) && !is_running) {
        let date = format!(" {} {}", Part::Earlier.glyph(), day(verified.at_ms, Zone::Utc));
        spans.push(span(model, Role::Quiet, date));
    }
    put(frame, area, 0, spans);
}

/// Bytes that are verified, now or earlier.
fn verified(model: &Model) -> u64 {
    let earlier = model.facts.index.verified.map_or(0, |known| known.to);
    model.scan.map.verified_bytes(earlier).min(model.facts.bytes)
}

/// How far a scan is that takes a while, how fast, and how long it will take.
fn pace(model: &Model) -> Option<String> {
    let (since, read) = model.scan.run?;
    let elapsed = model.now.0.checked_sub(since.0).filter(|elapsed| *elapsed >= A_WHILE)?;
    let bytes = model.facts.bytes;
    // With nothing left but what was verified earlier, that is what it reads.
    let verified = Some(verified(model)).filter(|verified| *verified < bytes);
    let verified = verified.unwrap_or_else(|| model.scan.map.verified_bytes(0).min(bytes));
    Some(format!("{}, {}", percent(verified, bytes), units::pace(read, read + bytes - verified, elapsed)))
}

fn words(model: &Model) -> String {
    let share = percent(verified(model), model.facts.bytes);
    match model.scan.state {
        _ if model.lost.as_ref().is_some_and(Lost::is_empty) => "nothing to see".into(),
        ScanState::Off => "scan off".into(),
        ScanState::Stopped => format!("stopped {share}"),
        ScanState::Failed => format!("failed {share}"),
        ScanState::Running | ScanState::Done => format!("verified {share}"),
    }
}
