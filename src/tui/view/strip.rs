//! The integrity strip: the whole file in one line, a glyph for what is known of each part, and where the window is.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::pane::span;
use super::text::put;
use crate::report::units::{Zone, day, percent};
use crate::tui::model::{Lost, Model, ScanState};
use crate::tui::strip::{Part, bytes_of, columns, is_dated, part};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    if area.height == 0 || area.width < 4 {
        return;
    }
    let columns = columns(area, model.facts.index.verified);
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
    spans.push(span(model, Role::Text, words(model)));
    if let Some(verified) = model.facts.index.verified.filter(|verified| is_dated(area, Some(*verified))) {
        let date = format!(" {} {}", Part::Earlier.glyph(), day(verified.at_ms, Zone::Utc));
        spans.push(span(model, Role::Quiet, date));
    }
    put(frame, area, 0, spans);
}

fn words(model: &Model) -> String {
    let earlier = model.facts.index.verified.map_or(0, |known| known.to);
    let share = percent(model.scan.map.verified_bytes(earlier).min(model.facts.bytes), model.facts.bytes);
    match model.scan.state {
        _ if model.lost.as_ref().is_some_and(Lost::is_empty) => "nothing to see".into(),
        ScanState::Off => "scan off".into(),
        ScanState::Stopped => format!("stopped {share}"),
        ScanState::Failed => format!("failed {share}"),
        ScanState::Running | ScanState::Done => format!("verified {share}"),
    }
}
