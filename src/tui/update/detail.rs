//! Actions of the detail pane: folds, wrapping, the bytes of a value, the state of an aggregate, filters by a value.

use super::{navigation, places, rows};
use crate::query::Filter;
use crate::tui::actions::ActionId;
use crate::tui::model::{AggregateMode, DetailView, LineWrap, Model, OffsetBase, Pane, Tab};

/// Folds or unfolds the value under the cursor, or goes to the event under it.
pub(super) fn activate(model: &mut Model) {
    let line = model.detail.cursor.line;
    if let Some(doc) = model.detail.doc_mut() {
        doc.toggle_fold(line);
        model.detail.move_by(0);
    } else if model.detail.shown_view() == DetailView::Aggregate {
        let contents = model.detail.contents.as_ref();
        let history = contents.and_then(|contents| contents.history.as_ref());
        let target = history.and_then(|history| Some(history.entry_at(line)?.row.start));
        match target {
            // Enter goes to an event of the history, and from there back.
            Some(offset) if contents.is_some_and(|contents| contents.details.row.start == offset) => {
                if model.detail.entered_event.take() == Some(offset) {
                    places::go_back(model);
                } else {
                    let key = model.keys.hint(ActionId::Activate);
                    model.notify(format!(
                        "This event is the selected one; {key} on another event of the history goes there"
                    ));
                }
            }
            Some(offset) => {
                navigation::go_to_offset(model, offset);
                model.focus = Pane::Detail;
                model.detail.entered_event = Some(offset);
            }
            None => {}
        }
    }
}

/// Unfolds everything, or folds everything when nothing is folded.
pub(super) fn toggle_all_folds(model: &mut Model) {
    let line = model.detail.cursor.line;
    if let Some(doc) = model.detail.doc_mut() {
        model.detail.cursor.line = doc.toggle_all_folds(line);
        model.detail.move_by(0);
    }
}

/// Wraps long values, or cuts them at the edge of the pane again.
pub(super) fn toggle_wrap(model: &mut Model) {
    let (wrap, message) = match model.detail.wrap {
        LineWrap::Off => {
            let key = model.keys.hint(ActionId::ToggleWrap);
            (LineWrap::On, format!("Long values are wrapped; {key} cuts them at the edge"))
        }
        LineWrap::On => {
            let key = model.keys.hint(ActionId::LineEnd);
            (LineWrap::Off, format!("Long values are cut at the edge; {key} goes to the end of a line"))
        }
    };
    model.detail.wrap = wrap;
    model.detail.scroll_columns = 0;
    model.notify(message);
}

/// Shows offsets in the other base.
pub(super) fn toggle_offset_base(model: &mut Model) {
    model.offset_base = model.offset_base.other();
    model.notify(match model.offset_base {
        OffsetBase::Decimal => "Offsets are decimal",
        OffsetBase::Hexadecimal => "Offsets are hexadecimal",
    });
}

/// Shows the bytes of the value under the cursor, or the value of the bytes under it.
pub(super) fn toggle_bytes(model: &mut Model) {
    let detail = &mut model.detail;
    let Some(contents) = &detail.contents else { return };
    let (start, width) = (contents.details.row.start, detail.hex_width.max(1));
    if detail.shown_view() == DetailView::Hex {
        let position = contents.position_of_offset(start + (detail.cursor.line * width) as u64);
        let has_json = contents.has_view(DetailView::Json);
        detail.choose_view(if has_json { DetailView::Json } else { DetailView::Frame });
        detail.scroll_to_start();
        if let Some(position) = position.filter(|_| has_json) {
            detail.go_to_position(position);
        }
        return;
    }
    let is_json = detail.shown_view() == DetailView::Json;
    let position = detail.doc().filter(|_| is_json).and_then(|doc| doc.position_of_row(detail.cursor.line));
    let offset = position.and_then(|position| contents.offset_of_position(position));
    let line = offset.map_or(0, |offset| (offset - start) as usize / width);
    detail.choose_view(DetailView::Hex);
    detail.show_at_third(line);
}

/// Shows the state of the aggregate, or its history when the state is shown.
pub(super) fn toggle_state(model: &mut Model) {
    let detail = &mut model.detail;
    let is_state = detail.shown_view() == DetailView::Aggregate && detail.aggregate_mode == AggregateMode::State;
    detail.aggregate_mode = if is_state { AggregateMode::History } else { AggregateMode::State };
    detail.choose_view(DetailView::Aggregate);
    detail.scroll_to_start();
    detail.show_chosen_event();
}

/// Filters the events by the value under the cursor: with it, without it, or with nothing else.
pub(super) fn filter_by_value(model: &mut Model, id: ActionId) {
    let Some(value) = model.detail.value_under_cursor() else { return };
    let path = value.path();
    let words = match value.filter_words() {
        Ok(words) => words,
        Err(reason) => return model.warn(format!("{} {reason}", if path.is_empty() { "This event" } else { &path })),
    };
    let filter = match id {
        ActionId::FilterWithoutValue => model.list.filter.with_words(&format!("-{words}")),
        ActionId::FilterOnlyValue => Filter::parse(&words, model.now_ms),
        _ => model.list.filter.with_words(&words),
    };
    match filter {
        Ok(filter) => {
            model.tab = Tab::Events;
            rows::set_filter(model, filter);
        }
        Err(error) => model.warn(error.to_string()),
    }
}
