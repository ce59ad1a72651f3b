//! The events pane: the header, events and damage in their places. Only the rows on the screen.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use super::pane::{draw_border, span, tab_title};
use super::text::{draw_spans, fit_safe, pad, skip_span_columns, style_line};
use crate::format::{DamageKind, Finding};
use crate::query::{EventSummary, LogRow, RowContent};
use crate::report::units::{DisplayZone, format_minute, format_percent, format_size, format_time_of_day};
use crate::report::{finding_sentence, fix_label};
use crate::tui::layout::{Border, LayoutAreas};
use crate::tui::model::{ActiveSearch, HitCounter, LogUnavailable, Model, Pane, RowRequestState};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    draw_border(frame, model, areas, (Pane::Main, areas.main), (tab_title(model), bottom_title(model)));
    let lines = areas.table_body(areas.main);
    let columns = EventColumns::for_width(model, usize::from(lines.width));
    if areas.border == Border::Around {
        let heading = skip_span_columns(
            vec![span(model, Role::Muted, columns.heading())],
            usize::from(model.list.scroll_columns),
        );
        draw_spans(frame, areas.inner(areas.main), 0, heading);
    }
    if model.list.rows.is_empty() {
        let text = match (model.list.request_state(), model.list.filter.is_empty()) {
            _ if model.unavailable.as_ref().is_some_and(LogUnavailable::has_no_data) => {
                "no log any more: there is nothing to show"
            }
            (RowRequestState::Idle | RowRequestState::Stopped, true) => {
                "no header, no events, no damage: the log is empty"
            }
            (RowRequestState::Idle | RowRequestState::Stopped, false) => {
                "nothing matches the filter; Backspace drops its last word"
            }
            _ => "reading...",
        };
        draw_spans(frame, lines, 0, vec![span(model, Role::Muted, text)]);
        return;
    }
    for (number, row) in model.list.visible_rows().iter().enumerate() {
        let line = number as u16;
        let chosen = model.list.top + number == model.list.cursor;
        let marker = if chosen { ">" } else { " " };
        let mut spans = vec![Span::raw(marker)];
        spans.extend(skip_span_columns(
            self::row_spans(model, row, &columns, usize::from(lines.width)),
            usize::from(model.list.scroll_columns),
        ));
        draw_spans(frame, lines, line, spans);
        if model.list.has_stale_rows() {
            style_line(frame, lines, line, model.theme.style(Role::Muted));
        }
        if chosen {
            let role = if model.focus == Pane::Main { Role::Cursor } else { Role::CursorUnfocused };
            style_line(frame, lines, line, model.theme.style(role));
        }
    }
}

/// Widths, the same for every row.
struct EventColumns {
    offset: usize,
    event_type: usize,
    namespace: usize,
    schema: usize,
}

impl EventColumns {
    fn for_width(model: &Model, width: usize) -> Self {
        let offset = model.log_info.bytes.to_string().len().max(6);
        // Marker, glyph, offset, time, an aggregate's id, and the blanks between.
        let rest = width.saturating_sub(offset + 32);
        let namespace = if rest > 44 { (rest / 4).min(16) } else { 0 };
        let kind = (rest.saturating_sub(namespace) * 11 / 20).clamp(6, 24);
        let schema = rest.saturating_sub(kind + namespace + if namespace > 0 { 2 } else { 0 }).clamp(6, 24);
        Self { offset, event_type: kind, namespace, schema }
    }

    fn heading(&self) -> String {
        let namespace = if self.namespace > 0 { pad("namespace", self.namespace) + "  " } else { String::new() };
        format!(
            "   {:>offset$}  {:<12}  {}  {namespace}{}  {}",
            "offset",
            "time (UTC)",
            pad("type", self.event_type),
            pad("schema", self.schema),
            "aggregate",
            offset = self.offset
        )
    }
}

fn row_spans(model: &Model, row: &LogRow, columns: &EventColumns, room: usize) -> Vec<Span<'static>> {
    let offset = format!("{:>width$}  ", row.start, width = columns.offset);
    // A verdict is as long as the line and what is scrolled: more is never seen.
    let room = room + usize::from(model.list.scroll_columns);
    match &row.content {
        RowContent::Header => {
            let created =
                model.log_info.created_at_ms.map(|ms| format!(", created {}", format_minute(ms, DisplayZone::Utc)));
            let text = format!("header  version {}{}", model.log_info.version, created.unwrap_or_default());
            vec![span(model, Role::Title, "H "), Span::raw(offset), span(model, Role::Title, text)]
        }
        RowContent::Event(event) => {
            let backwards =
                model.scan.findings.binary_search_by_key(&(row.start, DamageKind::Clock), |f| (f.start, f.kind));
            let glyph = if backwards.is_ok() { span(model, Role::Warning, "< ") } else { Span::raw("  ") };
            let mut spans = vec![glyph, Span::raw(offset)];
            spans.extend(self::event_spans(model, event, columns));
            spans
        }
        RowContent::Finding(finding) => {
            let (glyph, role) = finding_glyph(finding);
            let done = model.scan.fix_for(finding).map(|fix| format!("[{}] ", fix_label(fix))).unwrap_or_default();
            let text = format!("{} to {}  {done}{}", finding.kind.name(), finding.end, finding_sentence(finding));
            vec![span(model, role, format!("{glyph} {offset}")), span(model, role, fit_safe(&text, room))]
        }
        RowContent::InFlight => {
            let text = format!("being written, {} so far", format_size(row.end - row.start));
            vec![span(model, Role::Warning, "~ "), Span::raw(offset), span(model, Role::Warning, text)]
        }
    }
}

/// The glyph and the role of a finding.
pub(super) fn finding_glyph(finding: &Finding) -> (char, Role) {
    match finding.kind {
        DamageKind::Gap => ('▒', Role::Gap),
        DamageKind::Clock => ('<', Role::Warning),
        DamageKind::InvalidEvent => ('!', Role::Damage),
        DamageKind::Zeros
        | DamageKind::Checksum
        | DamageKind::Length
        | DamageKind::TornTail
        | DamageKind::Garbage
        | DamageKind::Truncated
        | DamageKind::Header
        | DamageKind::Unreadable => ('×', Role::Damage),
    }
}

fn event_spans(model: &Model, event: &EventSummary, columns: &EventColumns) -> Vec<Span<'static>> {
    let schema = format!("{} v{}", event.schema_id, event.schema_version);
    let mut spans = vec![
        span(model, Role::Muted, format!("{}  ", pad(&format_time_of_day(event.time_ms, DisplayZone::Utc), 12))),
        Span::raw(pad(&event.event_type, columns.event_type) + "  "),
    ];
    if columns.namespace > 0 {
        spans.push(Span::raw(pad(&event.namespace, columns.namespace) + "  "));
    }
    spans.push(Span::raw(pad(&schema, columns.schema) + "  "));
    spans.push(Span::raw(event.aggregate_id.map_or_else(|| "-".into(), |id| id.to_string())));
    spans
}

/// What is searched and filtered, and where one is.
fn bottom_title(model: &Model) -> Line<'static> {
    let mut spans = Vec::new();
    let (place, bytes) = (model.list.selected_offset(), model.log_info.bytes);
    let tally = |gather: Option<&HitCounter>| {
        gather.map(|gather| format!(" ({})", gather.summary(place, bytes))).unwrap_or_default()
    };
    if !model.list.filter.is_empty() {
        // Until its rows have come, those of the one before are on the screen.
        let looking = if model.list.request_state() == RowRequestState::Window { ", looking" } else { "" };
        let text =
            format!(" filter{}: {}{looking} ", tally(model.filter_counter()), fit_safe(model.list.filter.text(), 60));
        spans.push(span(model, Role::Warning, text));
    }
    if let Some(ActiveSearch { text, .. }) = &model.search {
        let text = format!(" search{}: {} ", tally(model.search_counter()), fit_safe(text, 40));
        spans.push(span(model, Role::Warning, text));
    }
    if spans.is_empty() && model.log_info.bytes > 0 {
        let start = model.list.selected_row().map_or(0, |row| row.start);
        let share = if model.list.is_at_end() { "end".into() } else { format_percent(start, model.log_info.bytes) };
        spans.push(span(model, Role::Muted, format!(" {share} ")));
    }
    Line::from(spans)
}
