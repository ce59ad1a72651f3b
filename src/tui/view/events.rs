//! The Events tab: the header, the events and the damaged ranges of the log, in the order of their offsets.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::cursor::highlight_selected_line;
use super::finding_label::finding_glyph;
use super::pane::{PaneTitle, draw_note, draw_title, span, tab_title};
use super::text::{display_width, draw_spans, fit_safe, skip_span_columns, style_line};
use crate::format::DamageKind;
use crate::query::{LogRow, RowContent};
use crate::report::finding_sentence;
use crate::report::units::{
    DisplayZone, format_date, format_minute, format_percent, format_size, format_time_of_day, format_zone,
};
use crate::tui::actions::ActionId;
use crate::tui::layout::{EventColumns, LayoutAreas, PaneTitles, text_area};
use crate::tui::model::{ActiveSearch, HitCounter, LogUnavailable, Model, Pane, RowRequestState, wrap_text};
use crate::tui::theme::Role;

/// Draws the Events tab with its title.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let title = PaneTitle { pane: Pane::Main, area: areas.main, title: tab_title(model), right: position(model) };
    draw_title(frame, model, areas, title);
    draw_note(frame, areas, note(model, areas.note.width));
    let lines = areas.event_rows(model);
    if let Some(folded) = model.folded_findings_line().filter(|_| lines.height < areas.table_body(areas.main).height) {
        let note = Rect { y: lines.bottom(), height: 1, ..lines };
        let text = format!(" × {}", fit_safe(&folded, usize::from(note.width).saturating_sub(3)));
        draw_spans(frame, note, 0, vec![span(model, Role::Warning, text)]);
    }
    let columns = EventColumns::for_width(model, usize::from(lines.width));
    let scroll_columns = usize::from(model.list.scroll_columns);
    // Where there is a heading, it has the date of the first event, and a later row only has a date that differs.
    let mut shown_day = None;
    if areas.titles == PaneTitles::Shown {
        let first_time = model.list.visible_rows().iter().find_map(event_time);
        shown_day = first_time.map(|ms| format_date(ms, model.zone));
        let heading = vec![span(model, Role::Muted, columns.heading(&time_title(model, first_time)))];
        draw_spans(frame, areas.inner(areas.main), 0, skip_span_columns(heading, scroll_columns));
    }
    if model.list.rows.is_empty() {
        let is_loaded = model.list.request_state() == RowRequestState::Idle;
        let advice = if is_loaded { model.filter_advice() } else { Vec::new() };
        let texts = std::iter::once(empty_message(model)).chain(advice);
        let area = text_area(lines);
        let wrapped = texts.flat_map(|text| wrap_text(&text, usize::from(area.width)));
        for (line, text) in (0..area.height).zip(wrapped) {
            draw_spans(frame, area, line, vec![span(model, Role::Muted, fit_safe(&text, usize::from(area.width)))]);
        }
        return;
    }
    for (line, row) in (0..).zip(model.list.visible_rows()) {
        let is_selected = model.list.top + usize::from(line) == model.list.cursor;
        let mut spans = vec![Span::raw(if is_selected { ">" } else { " " })];
        let time = event_time(row).map(|ms| {
            let day = format_date(ms, model.zone);
            let is_new_day = shown_day.as_ref() != Some(&day);
            shown_day = Some(day);
            if is_new_day { date_and_minute(ms, model.zone) } else { format_time_of_day(ms, model.zone) }
        });
        let row_spans = row_spans(model, row, time.as_deref().unwrap_or_default(), &columns);
        spans.extend(skip_span_columns(row_spans, scroll_columns));
        draw_spans(frame, lines, line, spans);
        if model.list.has_stale_rows() {
            style_line(frame, lines, line, model.theme.style(Role::Muted));
        }
        if is_selected {
            highlight_selected_line(frame, lines, line, model, Pane::Main);
        }
    }
}

/// Returns a message that explains why there are no rows.
fn empty_message(model: &Model) -> String {
    let is_loading = !matches!(model.list.request_state(), RowRequestState::Idle | RowRequestState::Stopped);
    if model.unavailable.as_ref().is_some_and(LogUnavailable::has_no_data) {
        "The file is no longer a log. There is nothing to show.".into()
    } else if is_loading {
        "Loading…".into()
    } else if model.list.filter.is_empty() {
        "The log is empty: no header, no events, no damage.".into()
    } else {
        format!("No row matches the filter. {} drops its last term.", model.keys.hint(ActionId::FilterRemoveLast))
    }
}

/// Returns the time of a row in milliseconds since the Unix epoch; `None` for a row that is not an event.
const fn event_time(row: &LogRow) -> Option<u64> {
    match &row.content {
        RowContent::Event(event) => Some(event.time_ms),
        RowContent::Header | RowContent::Finding(_) | RowContent::InFlight => None,
    }
}

/// Formats a time on the first row of a day: `11-21 09:14…`. The column has no room for date and seconds together.
fn date_and_minute(time_ms: u64, zone: DisplayZone) -> String {
    let date = format_date(time_ms, zone);
    let time = format_time_of_day(time_ms, zone);
    format!("{} {}…", date.get(5..).unwrap_or(&date), time.get(..5).unwrap_or(&time))
}

/// Returns the title of the column with the times: the date of the first visible event, and the zone.
fn time_title(model: &Model, first_time: Option<u64>) -> String {
    let Some(ms) = first_time else { return format!("time {}", format_zone(model.now_ms, model.zone)) };
    let (date, zone) = (format_date(ms, model.zone), format_zone(ms, model.zone));
    // The column has no room for the year and an offset together.
    match zone.as_str() {
        "Z" => format!("{date} Z"),
        zone => format!("{} {zone}", date.get(5..).unwrap_or(&date)),
    }
}

fn row_spans(model: &Model, row: &LogRow, time: &str, columns: &EventColumns) -> Vec<Span<'static>> {
    let offset = columns.offset_text(model, row.start);
    match &row.content {
        RowContent::Header => {
            let created = model.log_info.created_at_ms.map(|ms| format!(", created {}", format_minute(ms, model.zone)));
            let text = format!("header  version {}{}", model.log_info.version, created.unwrap_or_default());
            vec![span(model, Role::Title, "H "), Span::raw(offset), span(model, Role::Title, text)]
        }
        RowContent::Event(event) => {
            let mut spans = vec![clock_glyph(model, row)];
            spans.extend(columns.event_spans(model, row, event, time));
            spans
        }
        RowContent::Finding(finding) => {
            let (glyph, role) = finding_glyph(finding);
            let fix = model.fix_text(finding);
            let fix = if fix.is_empty() { fix } else { format!("  {fix}") };
            // Text beyond the width of the line plus the columns scrolled out of view is never visible.
            let sentence = fit_safe(&finding_sentence(finding), columns.line_width());
            vec![
                span(
                    model,
                    role,
                    format!("{glyph} {offset}{} to {}", finding.kind.name(), model.format_offset(finding.end)),
                ),
                span(model, Role::Text, fix),
                span(model, Role::Muted, format!("  {sentence}")),
            ]
        }
        RowContent::InFlight => {
            let text = format!("being written, {} so far", format_size(row.end - row.start));
            vec![span(model, Role::Warning, "~ "), Span::raw(offset), span(model, Role::Warning, text)]
        }
    }
}

/// Returns a mark for an event whose time is earlier than the time of the event before it.
fn clock_glyph(model: &Model, row: &LogRow) -> Span<'static> {
    let finding = model.scan.findings.binary_search_by_key(&(row.start, DamageKind::Clock), |f| (f.start, f.kind));
    if finding.is_ok() { span(model, Role::Warning, "< ") } else { Span::raw("  ") }
}

/// Returns the position of the cursor in the log.
fn position(model: &Model) -> Line<'static> {
    let log_bytes = model.log_info.bytes;
    let Some(row) = model.list.selected_row().filter(|_| log_bytes > 0) else { return Line::default() };
    let position = if model.list.is_at_end() { "end".into() } else { format_percent(row.start, log_bytes) };
    Line::from(span(model, Role::Muted, format!(" {position} ")))
}

/// Returns the filter and the search with their hits.
fn note(model: &Model, width: u16) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let (selected, log_bytes) = (model.list.selected_offset(), model.log_info.bytes);
    let hits = |counter: Option<&HitCounter>| {
        counter.map(|counter| format!(" ({})", counter.summary(selected, log_bytes))).unwrap_or_default()
    };
    let width = usize::from(width);
    let search = model.search.as_ref().map(|ActiveSearch { text, .. }| {
        let text = fit_safe(text, (width / 4).clamp(8, 40));
        format!("search{}: {text}", hits(model.search_counter()))
    });
    if !model.list.filter.is_empty() {
        // Until the first rows of a new filter arrive, the rows of the previous one are on the screen.
        let searching = if model.list.request_state() == RowRequestState::Window { ", searching" } else { "" };
        // The counts come first, so that a long filter is cut at its end.
        let name = format!("filter{}: ", hits(model.filter_counter()));
        let others = display_width(&name) + searching.len() + search.as_deref().map_or(0, display_width) + 3;
        let filter = fit_safe(model.list.filter.text(), width.saturating_sub(others).clamp(8, 60));
        spans.push(span(model, Role::Warning, format!("{name}{filter}{searching}  ")));
    }
    spans.extend(search.map(|text| span(model, Role::Warning, text)));
    spans
}
