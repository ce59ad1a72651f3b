//! The events pane: the header, events and damage in their places. Only the rows on the screen.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use super::pane::{border, span, tabs};
use super::text::{fit, pad, put, scrolled, tint};
use crate::format::{Finding, Kind};
use crate::query::{EventSummary, Row, What};
use crate::report::units::{Zone, minute, percent, size, time_of_day};
use crate::report::{fix_short, verdict};
use crate::tui::layout::{Areas, Border};
use crate::tui::model::{Gather, Lost, Model, Pane, Waiting};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, areas: &Areas, model: &Model) {
    border(frame, model, areas, (Pane::Main, areas.main), (tabs(model), below(model)));
    let lines = areas.lines(areas.main);
    let columns = Columns::of(model, usize::from(lines.width));
    if areas.border == Border::Around {
        let heading = scrolled(vec![span(model, Role::Quiet, columns.heading())], usize::from(model.list.sideways));
        put(frame, areas.inner(areas.main), 0, heading);
    }
    if model.list.rows.is_empty() {
        let text = match (model.list.waiting(), model.list.filter.is_empty()) {
            _ if model.lost.as_ref().is_some_and(Lost::is_empty) => "no log any more: there is nothing to show",
            (Waiting::Nothing | Waiting::Stopped, true) => "no header, no events, no damage: the log is empty",
            (Waiting::Nothing | Waiting::Stopped, false) => "nothing matches the filter; Backspace drops its last word",
            _ => "reading...",
        };
        put(frame, lines, 0, vec![span(model, Role::Quiet, text)]);
        return;
    }
    for (number, row) in model.list.shown().iter().enumerate() {
        let line = number as u16;
        let chosen = model.list.top + number == model.list.cursor;
        let marker = if chosen { ">" } else { " " };
        let mut spans = vec![Span::raw(marker)];
        spans.extend(scrolled(
            self::row(model, row, &columns, usize::from(lines.width)),
            usize::from(model.list.sideways),
        ));
        put(frame, lines, line, spans);
        if model.list.is_of_another_filter() {
            tint(frame, lines, line, model.theme.style(Role::Quiet));
        }
        if chosen {
            let role = if model.focus == Pane::Main { Role::Cursor } else { Role::CursorAway };
            tint(frame, lines, line, model.theme.style(role));
        }
    }
}

/// Widths, the same for every row.
struct Columns {
    offset: usize,
    kind: usize,
    namespace: usize,
    schema: usize,
}

impl Columns {
    fn of(model: &Model, width: usize) -> Self {
        let offset = model.facts.bytes.to_string().len().max(6);
        // Marker, glyph, offset, time, an aggregate's id, and the blanks between.
        let rest = width.saturating_sub(offset + 32);
        let namespace = if rest > 44 { (rest / 4).min(16) } else { 0 };
        let kind = (rest.saturating_sub(namespace) * 11 / 20).clamp(6, 24);
        let schema = rest.saturating_sub(kind + namespace + if namespace > 0 { 2 } else { 0 }).clamp(6, 24);
        Self { offset, kind, namespace, schema }
    }

    fn heading(&self) -> String {
        let namespace = if self.namespace > 0 { pad("namespace", self.namespace) + "  " } else { String::new() };
        format!(
            "   {:>offset$}  {:<12}  {}  {namespace}{}  {}",
            "offset",
            "time (UTC)",
            pad("type", self.kind),
            pad("schema", self.schema),
            "aggregate",
            offset = self.offset
        )
    }
}

fn row(model: &Model, row: &Row, columns: &Columns, room: usize) -> Vec<Span<'static>> {
    let offset = format!("{:>width$}  ", row.start, width = columns.offset);
    // A verdict is as long as the line and what is scrolled: more is never seen.
    let room = room + usize::from(model.list.sideways);
    match &row.what {
        What::Header => {
            let created = model.facts.created_at_ms.map(|ms| format!(", created {}", minute(ms, Zone::Utc)));
            let text = format!("header  version {}{}", model.facts.version, created.unwrap_or_default());
            vec![span(model, Role::Title, "H "), Span::raw(offset), span(model, Role::Title, text)]
        }
        What::Event(event) => {
            let backwards = model.scan.findings.binary_search_by_key(&(row.start, Kind::Clock), |f| (f.start, f.kind));
            let glyph = if backwards.is_ok() { span(model, Role::Warning, "< ") } else { Span::raw("  ") };
            let mut spans = vec![glyph, Span::raw(offset)];
            spans.extend(self::event(model, event, columns));
            spans
        }
        What::Finding(finding) => {
            let (glyph, role) = glyph(finding);
            let done = model.scan.fix(finding).map(|fix| format!("[{}] ", fix_short(fix))).unwrap_or_default();
            let text = format!("{} to {}  {done}{}", finding.kind.name(), finding.end, verdict(finding));
            vec![span(model, role, format!("{glyph} {offset}")), span(model, role, fit(&text, room))]
        }
        What::InFlight => {
            let text = format!("being written, {} so far", size(row.end - row.start));
            vec![span(model, Role::Warning, "~ "), Span::raw(offset), span(model, Role::Warning, text)]
        }
    }
}

/// The glyph and the role of a finding.
pub(super) fn glyph(finding: &Finding) -> (char, Role) {
    match finding.kind {
        Kind::Gap => ('▒', Role::Gap),
        Kind::Clock => ('<', Role::Warning),
        Kind::InvalidEvent => ('!', Role::Damage),
        _ => ('×', Role::Damage),
    }
}

fn event(model: &Model, event: &EventSummary, columns: &Columns) -> Vec<Span<'static>> {
    let schema = format!("{} v{}", event.schema_id, event.schema_version);
    let mut spans = vec![
        span(model, Role::Quiet, format!("{}  ", pad(&time_of_day(event.time_ms, Zone::Utc), 12))),
        Span::raw(pad(&event.event_type, columns.kind) + "  "),
    ];
    if columns.namespace > 0 {
        spans.push(Span::raw(pad(&event.namespace, columns.namespace) + "  "));
    }
    spans.push(Span::raw(pad(&schema, columns.schema) + "  "));
    spans.push(Span::raw(event.aggregate_id.map_or_else(|| "-".into(), |id| id.to_string())));
    spans
}

/// What is searched and filtered, and where one is.
fn below(model: &Model) -> Line<'static> {
    let mut spans = Vec::new();
    let (place, bytes) = (model.list.offset(), model.facts.bytes);
    let tally =
        |gather: Option<&Gather>| gather.map(|gather| format!(" ({})", gather.tally(place, bytes))).unwrap_or_default();
    if !model.list.filter.is_empty() {
        // Until its rows have come, those of the one before are on the screen.
        let looking = if model.list.waiting() == Waiting::Window { ", looking" } else { "" };
        let text = format!(" filter{}: {}{looking} ", tally(model.filter_hits()), fit(model.list.filter.text(), 60));
        spans.push(span(model, Role::Warning, text));
    }
    if let Some((text, _)) = &model.search {
        let text = format!(" search{}: {} ", tally(model.search_hits()), fit(text, 40));
        spans.push(span(model, Role::Warning, text));
    }
    if spans.is_empty() && model.facts.bytes > 0 {
        let start = model.list.current().map_or(0, |row| row.start);
        let share = if model.list.is_at_end() { "end".into() } else { percent(start, model.facts.bytes) };
        spans.push(span(model, Role::Quiet, format!(" {share} ")));
    }
    Line::from(spans)
}
