//! The legend of the help: the glyphs of rows and of the integrity strip, and the colours of the event types in the list.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::finding_label::finding_glyph;
use super::pane::span;
use super::strip::{VISIBLE_GLYPH, cell_role};
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
    for line in 0..area.height {
        draw_line(frame, area, line, (model, usize::from(line)));
    }
}

/// Draws a line of the legend, counted from 0, in a line of an area. There is nothing to draw after the last one.
pub(super) fn draw_line(frame: &mut Frame, area: Rect, line: u16, (model, number): (&Model, usize)) {
    let (label, spans) = match number {
        0 => ("rows", entry_spans(model, row_entries().get(..3).unwrap_or_default())),
        1 => ("", entry_spans(model, row_entries().get(3..).unwrap_or_default())),
        2 => ("strip", entry_spans(model, strip_entries().get(..3).unwrap_or_default())),
        3 => ("", entry_spans(model, strip_entries().get(3..).unwrap_or_default())),
        4 => ("types", type_spans(model)),
        _ => return,
    };
    let label = span(model, Role::Muted, format!("{label:<LABEL_COLUMNS$}"));
    draw_spans(frame, area, line, [label].into_iter().chain(spans).collect());
}

/// An entry of the legend: a glyph, the role in whose style it is drawn, and its meaning.
type LegendEntry = (char, Role, &'static str);

fn row_entries() -> [LegendEntry; 6] {
    let finding = |kind, text: &'static str| {
        let (glyph, role) = finding_glyph(&Finding::new(kind, 0..1));
        (glyph, role, text)
    };
    [
        ('H', Role::Title, "header"),
        finding(DamageKind::Checksum, "damage"),
        finding(DamageKind::InvalidEvent, "no event"),
        finding(DamageKind::Gap, "gap"),
        finding(DamageKind::Clock, "clock back"),
        ('~', Role::Warning, "being written"),
    ]
}

fn strip_entries() -> [LegendEntry; 7] {
    let cell = |cell: StripCell, text: &'static str| (cell.glyph(), cell_role(cell), text);
    [
        cell(StripCell::Verified, "verified"),
        cell(StripCell::VerifiedEarlier, "verified earlier"),
        cell(StripCell::NotIndexed, "not indexed"),
        cell(StripCell::Unscanned, "unread"),
        cell(StripCell::Damaged, "damage"),
        cell(StripCell::Gap, "gap"),
        (VISIBLE_GLYPH, Role::Focus, "in view"),
    ]
}

fn entry_spans(model: &Model, entries: &[LegendEntry]) -> Vec<Span<'static>> {
    let entry = |(glyph, role, text): &LegendEntry| {
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
