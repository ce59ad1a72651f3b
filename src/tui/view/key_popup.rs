//! The popups that list a few keys: those that can follow a first key, and the hints of the first start.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::pane::{draw_dialog_in, span};
use super::text::{display_width, draw_spans, fit_safe, pad};
use crate::report::sanitize;
use crate::tui::actions::{ActionId, ActionScope, action_table};
use crate::tui::dialog_layout::DIALOG_MIN_BORDERED_SIZE;
use crate::tui::model::{JumpPlace, MarkUse, Model, Tab};
use crate::tui::theme::Role;

/// Columns between a key and its text.
const KEY_GAP: usize = 2;
/// Columns that a border takes, with the empty columns inside it.
const BORDER_COLUMNS: u16 = 4;
/// Lines that a border takes.
const BORDER_LINES: u16 = 2;

/// A key of the popup.
struct PopupKey {
    key: String,
    text: String,
    role: Role,
}

impl PopupKey {
    fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self { key: key.into(), text: text.into(), role: Role::Text }
    }
}

/// Draws the keys that can follow the one of `copy`. The reason why an action is not available takes the place of its help.
pub(super) fn draw_copy_keys(frame: &mut Frame, model: &Model) {
    let actions = action_table().iter().filter(|action| action.scope == ActionScope::CopyChord);
    let keys = actions.filter_map(|action| {
        let keys: Vec<String> = model.keys.keys(action).iter().map(ToString::to_string).collect();
        let key = (!keys.is_empty()).then(|| keys.join(" "))?;
        Some(match model.disabled_reason(action.id) {
            None => PopupKey::new(key, action.help),
            Some(reason) => PopupKey { role: Role::Muted, ..PopupKey::new(key, format!("{}: {reason}", action.title)) },
        })
    });
    draw_keys(frame, model, &second_title(model, "Copy"), &keys.collect::<Vec<_>>());
}

/// Draws the marks that exist, and what else can follow the key that sets a mark or goes to one.
pub(super) fn draw_mark_keys(frame: &mut Frame, model: &Model, mark_use: MarkUse) {
    let marks = model.jump_list.marks.iter();
    let marks = marks.map(|(name, place)| PopupKey::new(name.to_string(), place_text(model, place)));
    let (title, first, last) = match mark_use {
        MarkUse::Set => {
            let any = PopupKey::new("a-z 0-9", "any letter or digit names this place; a name that exists moves here");
            ("Mark this place", Some(any), None)
        }
        MarkUse::GoTo => {
            let again = PopupKey::new(model.keys.hint(ActionId::GoToMark), "the place before the last jump");
            ("Go to a mark", None, Some(again))
        }
    };
    let keys: Vec<_> = first.into_iter().chain(marks).chain(last).collect();
    draw_keys(frame, model, &second_title(model, title), &keys);
}

fn second_title(model: &Model, title: &str) -> String {
    format!("{title}: press a key, {} leaves", model.keys.hint(ActionId::Back))
}

/// Draws the hints of the first start.
pub(super) fn draw_first_hints(frame: &mut Frame, model: &Model) {
    let hint = |id, text: &str| PopupKey::new(model.keys.hint(id), text);
    let leave = format!("leaves a dialog or a filter, never quits; {} quits", model.keys.hint(ActionId::Close));
    let keys = [
        hint(ActionId::Help, "lists all keys, those of the focused pane first"),
        hint(ActionId::Palette, "goes to a place or a time, and runs any action"),
        hint(ActionId::Back, &leave),
    ];
    draw_keys(frame, model, "Shown once, until the next key", &keys);
}

/// Returns the offset of a place, with its tab and its filter where they are not the usual ones.
fn place_text(model: &Model, place: &JumpPlace) -> String {
    let mut parts = vec![format!("at {}", model.format_offset(place.offset))];
    if place.tab != Tab::Events {
        parts.push(place.tab.name().to_owned());
    }
    if !place.filter.is_empty() {
        parts.push(format!("filter {}", sanitize(place.filter.text())));
    }
    parts.join(", ")
}

/// Draws the popup at the lower right corner, above the footer. The keys that do not fit are counted in its last line.
fn draw_keys(frame: &mut Frame, model: &Model, title: &str, keys: &[PopupKey]) {
    let screen = frame.area();
    let key_columns = keys.iter().map(|key| display_width(&key.key)).max().unwrap_or_default();
    let text_columns = keys.iter().map(|key| display_width(&key.text)).max().unwrap_or_default();
    let columns = (key_columns + KEY_GAP + text_columns).max(display_width(title) + 2);
    let width = (columns as u16).saturating_add(BORDER_COLUMNS).min(screen.width);
    // The footer stays visible.
    let available = screen.height.saturating_sub(1);
    let height = (keys.len() as u16).saturating_add(BORDER_LINES).max(DIALOG_MIN_BORDERED_SIZE.height).min(available);
    let outer = Rect::new(screen.width - width, available - height, width, height);
    let area = draw_dialog_in(frame, model, title, outer);
    let lines = usize::from(area.height);
    let fitting = if keys.len() > lines { lines.saturating_sub(1) } else { keys.len() };
    let available_columns = usize::from(area.width).saturating_sub(key_columns + KEY_GAP);
    for (line, key) in (0..area.height).zip(keys.iter().take(fitting)) {
        let spans = vec![
            span(model, Role::Key, pad(&key.key, key_columns) + &" ".repeat(KEY_GAP)),
            span(model, key.role, fit_safe(&key.text, available_columns)),
        ];
        draw_spans(frame, area, line, spans);
    }
    if fitting < keys.len() && lines > 0 {
        let more = format!("… and {} more", keys.len() - fitting);
        draw_spans(
            frame,
            area,
            fitting as u16,
            vec![span(model, Role::Muted, fit_safe(&more, usize::from(area.width)))],
        );
    }
}
