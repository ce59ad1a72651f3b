//! The legend of the help: the glyphs of rows and of the integrity strip, and the colours of the event types in the list.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::finding_label::finding_glyph;
use super::pane::span;
use super::strip::cell_role;
use super::text::{draw_spans, fit_safe};
use crate::format::{DamageKind, Finding};
use crate::query::RowContent;
use crate::tui::model::Model;
use crate::tui::strip::StripCell;
use crate::tui::theme::Role;

/// Width of the column with the names of the lines.
const LABEL_COLUMNS: usize = 7;
/// Largest number of event types in the legend.
const MAX_TYPES: usize = 12;
/// Largest width of the name of an event type.
const TYPE_COLUMNS: usize = 24;

/// Draws the lines of the legend, as many as fit.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    let lines = [("rows", row_spans(model)), ("strip", strip_spans(model)), ("types", type_spans(model))];
    for (line, (label, spans)) in (0..area.height).zip(lines) {
        let label = span(model, Role::Muted, format!("{label:<LABEL_COLUMNS$}"));
        draw_spans(frame, area, line, [label].into_iter().chain(spans).collect());
    }
}

fn row_spans(model: &Model) -> Vec<Span<'static>> {
    let finding = |kind, text: &'static str| {
        let (glyph, role) = finding_glyph(&Finding::new(kind, 0..1));
        (glyph, role, text)
    };
    let entries = [
        ('H', Role::Title, "header"),
        finding(DamageKind::Checksum, "damage"),
        finding(DamageKind::InvalidEvent, "no event"),
        finding(DamageKind::Gap, "gap"),
        finding(DamageKind::Clock, "clock back"),
        ('~', Role::Warning, "being written"),
    ];
    entry_spans(model, &entries)
}

fn strip_spans(model: &Model) -> Vec<Span<'static>> {
    let cell = |cell: StripCell, text: &'static str| (cell.glyph(), cell_role(cell), text);
    let entries = [
        cell(StripCell::Verified, "verified"),
        cell(StripCell::VerifiedEarlier, "verified earlier"),
        cell(StripCell::NotIndexed, "not indexed"),
        cell(StripCell::Unscanned, "unread"),
        ('◆', Role::Good, "in view"),
    ];
    entry_spans(model, &entries)
}

fn entry_spans(model: &Model, entries: &[(char, Role, &'static str)]) -> Vec<Span<'static>> {
    let entry = |(glyph, role, text): &(char, Role, &'static str)| {
        [span(model, *role, format!("{glyph} ")), span(model, Role::Text, format!("{text}  "))]
    };
    entries.iter().flat_map(entry).collect()
}

/// Returns the types of the events in the list, in alphabetical order.
fn type_spans(model: &Model) -> Vec<Span<'static>> {
    let types = model.list.rows.iter().filter_map(|row| match &row.content {
        RowContent::Event(event) => Some(event.event_type.as_str()),
        RowContent::Header | RowContent::Finding(_) | RowContent::InFlight => None,
    });
    let types: std::collections::BTreeSet<&str> = types.collect();
    if types.is_empty() {
        return vec![span(model, Role::Muted, "no event is in the list")];
    }
    let name = |name: &&str| span(model, Role::of_event_type(name), fit_safe(name, TYPE_COLUMNS) + "  ");
    let more = (types.len() > MAX_TYPES).then(|| span(model, Role::Muted, "…"));
    types.iter().take(MAX_TYPES).map(name).chain(more).collect()
}
