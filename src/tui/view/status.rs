//! The status line: the log, the state of its index, its damage, its writer, and the modes of the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::labelled_lines::tone_role;
use super::pane::span;
use super::text::{display_width, draw_spans, fit_safe, keep_end};
use crate::file::WriterPresence;
use crate::index::IndexState;
use crate::report::index_line;
use crate::report::units::{format_count, format_date, format_minute, format_number, format_size};
use crate::tui::model::{Access, Follow, GrowthPerSecond, Model, ScanState, index_state_tone};
use crate::tui::theme::Role;

/// Number of columns between two items.
const ITEM_GAP: usize = 3;
/// Smallest width to which the name of the log is shortened, in columns.
const MIN_NAME_COLUMNS: usize = 8;
/// Largest width of a text that comes from the log or its path, in columns.
const MAX_ITEM_COLUMNS: usize = 40;

/// One item of the status line.
struct StatusItem {
    /// Rank of the item. On a narrow screen the items with the highest rank are left out first.
    drop_rank: u8,
    role: Role,
    text: String,
    /// Whether the item is the name of the log.
    is_name: bool,
}

impl StatusItem {
    fn new(drop_rank: u8, role: Role, text: impl Into<String>) -> Self {
        Self { drop_rank, role, text: text.into(), is_name: false }
    }
}

/// Draws the status line. Where it does not fit, the name of the log is shortened from its beginning first, then items
/// are left out, the damage last.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    let mut items = status_items(model);
    let columns = |items: &[StatusItem]| {
        let all = items.iter().map(|item| display_width(&item.text) + ITEM_GAP).sum::<usize>();
        // The first column is empty, and there is no gap after the last item.
        (all + 1).saturating_sub(ITEM_GAP)
    };
    let full_name = items.first().map_or_else(String::new, |item| item.text.clone());
    let name_columns = display_width(&full_name);
    if let Some(name) = items.first_mut() {
        name.text = keep_end(&full_name, name_columns.min(MIN_NAME_COLUMNS));
    }
    while columns(&items) > usize::from(area.width) && items.len() > 1 {
        let dropped =
            items.iter().enumerate().max_by_key(|(_, item)| item.drop_rank).map_or(0, |(position, _)| position);
        items.remove(dropped);
    }
    // The name takes the room that is left.
    let spare = usize::from(area.width).saturating_sub(columns(&items));
    if let Some(name) = items.first_mut().filter(|item| item.is_name) {
        name.text = keep_end(&full_name, display_width(&name.text) + spare);
    }
    let mut spans = vec![Span::raw(" ")];
    for item in items {
        spans.push(span(model, item.role, item.text));
        spans.push(Span::raw(" ".repeat(ITEM_GAP)));
    }
    draw_spans(frame, area, 0, spans);
}

fn status_items(model: &Model) -> Vec<StatusItem> {
    let info = &model.log_info;
    let mut items = vec![StatusItem {
        is_name: true,
        ..StatusItem::new(3, Role::Title, keep_end(&info.file_name(), MAX_ITEM_COLUMNS))
    }];
    if let Some(unavailable) = &model.unavailable {
        items.push(StatusItem::new(0, Role::Damage, fit_safe(&unavailable.status_label(), MAX_ITEM_COLUMNS)));
        if unavailable.has_no_data() {
            items.extend(mode_items(model));
            return items;
        }
    }
    items.push(StatusItem::new(7, Role::Text, format!("v{}", info.version)));
    if !info.segment_starts.is_empty() {
        let count = format_count(info.segment_starts.len() as u64, "segment");
        items.push(StatusItem::new(7, Role::Text, count));
    }
    items.extend(info.created_at_ms.map(|ms| StatusItem::new(9, Role::Muted, format_minute(ms, model.zone))));
    items.push(StatusItem::new(5, Role::Text, format_size(info.bytes)));
    items.push(StatusItem::new(6, Role::Text, event_count_text(model)));
    let index = index_line(&info.index.state, model.index_event_difference());
    let index = format!("index {}", fit_safe(&index, MAX_ITEM_COLUMNS));
    items.push(StatusItem::new(2, tone_role(index_state_tone(&info.index.state)), index));
    items.push(damage_item(model));
    match info.writer {
        WriterPresence::HoldsLock(pid) | WriterPresence::HasFileOpen(pid) => {
            items.push(StatusItem::new(8, Role::Warning, format!("writer {pid}")));
        }
        WriterPresence::NoneFound | WriterPresence::Unknown => {}
    }
    items.extend(mode_items(model));
    items
}

/// Returns the modes of the screen that differ from the default.
fn mode_items(model: &Model) -> impl Iterator<Item = StatusItem> {
    let read_only = (model.access == Access::ReadOnly).then(|| "READ-ONLY".to_owned());
    follow_text(model).into_iter().chain(read_only).map(|text| StatusItem::new(4, Role::Focus, text))
}

/// Returns the rate at which the log grows in follow mode; while it is paused, the number of new events or bytes below the
/// cursor.
fn follow_text(model: &Model) -> Option<String> {
    let GrowthPerSecond { events, bytes } = model.growth.per_second(model.now);
    let events = events.map(|events| format!("{}/s, ", format_count(events, "event"))).unwrap_or_default();
    let rate = format!("{events}{}/s", format_size(bytes));
    match model.follow {
        Follow::No => None,
        Follow::Yes => Some(format!("FOLLOW {rate}")),
        Follow::Paused(pause) => {
            let new_events = pause.events.zip(model.scan.event_count).map(|(before, now)| now.saturating_sub(before));
            let new = match new_events {
                Some(events) => format_number(events),
                None => format_size(model.log_info.bytes.saturating_sub(pause.log_bytes)),
            };
            let has_grown = model.log_info.bytes > pause.log_bytes;
            Some(if has_grown { format!("PAUSED {new} new below") } else { "PAUSED".into() })
        }
    }
}

fn event_count_text(model: &Model) -> String {
    let Some(events) = model.event_count() else { return "events not counted".into() };
    let is_final = model.scan.is_done() || model.log_info.index.state == IndexState::Fresh;
    format!("{}{}", format_count(events, "event"), if is_final { "" } else { " so far" })
}

/// Returns the number of damaged ranges. Without damage, the text limits that statement to the part that was scanned.
fn damage_item(model: &Model) -> StatusItem {
    let damaged = model.scan.damage_count() as u64;
    let has_skipped = model.skipped_note().is_some();
    if damaged > 0 {
        let at_least = if model.scan.dropped_findings > 0 { "more than " } else { "" };
        let so_far = model.so_far();
        return StatusItem::new(1, Role::Damage, format!("× {at_least}{} damaged{so_far}", format_number(damaged)));
    }
    match model.scan.state {
        ScanState::Done if has_skipped => {
            let mark = model.earlier_verification();
            let date = mark.map(|mark| format!(" on {}", format_date(mark.verified_at_ms, model.zone)));
            let text = format!("no damage found; verified earlier{}", date.unwrap_or_default());
            StatusItem::new(1, Role::Muted, text)
        }
        ScanState::Done if model.log_info.version == 0 => StatusItem::new(1, Role::Muted, "readable; no checksums"),
        ScanState::Done => StatusItem::new(1, Role::Good, "no damage"),
        ScanState::Off => StatusItem::new(1, Role::Muted, "not scanned"),
        ScanState::Running | ScanState::Stopped | ScanState::Failed => {
            StatusItem::new(1, Role::Muted, "no damage so far")
        }
    }
}
