//! Functions that draw the model into a frame, with one file for each pane. They read only the model.

mod aggregate_history;
mod aggregates;
mod column_chooser;
mod compare;
mod confirm_dialog;
mod cursor;
mod detail;
mod event_columns;
mod events;
mod finding_label;
mod findings;
mod footer;
mod form;
mod help;
mod hex;
mod index;
mod json;
mod key_popup;
mod labelled_lines;
mod legend;
mod pane;
mod plain_glyphs;
mod plan_dialog;
mod prompt;
mod repairs;
mod segments;
mod statistics;
mod status;
mod strip;
mod text;
mod timeline;

use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::{Frame, Terminal};

pub(super) use labelled_lines::tone_role;
pub(super) use plain_glyphs::replace as replace_glyphs;
pub(super) use text::{display_width, draw_spans, keep_end, pad, style_line};

use super::layout;
use super::model::{Glyphs, Model, Overlay, Tab};
use super::request::FirstHints;

/// Draws the whole screen into a buffer of its size, without a terminal.
pub(crate) fn draw_into(buffer: &mut Buffer, model: &Model) {
    let size = buffer.area.as_size();
    // Drawing into memory cannot fail.
    if let Ok(mut terminal) = Terminal::new(TestBackend::new(size.width, size.height))
        && terminal.draw(|frame| draw(frame, model)).is_ok()
    {
        buffer.clone_from(terminal.backend().buffer());
    }
}

/// Draws the whole screen: the panes, and the overlays on top of them.
pub(crate) fn draw(frame: &mut Frame, model: &Model) {
    draw_parts(frame, model);
    if model.glyphs == Glyphs::Ascii {
        plain_glyphs::replace(frame.buffer_mut());
    }
}

fn draw_parts(frame: &mut Frame, model: &Model) {
    let areas = layout::compute_areas(model);
    let screen = frame.area();
    frame.buffer_mut().set_style(screen, model.theme.base());
    status::draw(frame, areas.status, model);
    strip::draw(frame, areas.strip, model);
    timeline::draw(frame, &areas, model);
    if areas.main.height > 0 {
        match model.tab {
            Tab::Events => events::draw(frame, &areas, model),
            Tab::Aggregates => aggregates::draw(frame, &areas, model),
            Tab::Findings => findings::draw(frame, &areas, model),
            Tab::Index => index::draw(frame, &areas, model),
            Tab::Statistics => statistics::draw(frame, &areas, model),
            Tab::Repairs => repairs::draw(frame, &areas, model),
            Tab::Compare => compare::draw(frame, &areas, model),
            Tab::Segments => segments::draw(frame, &areas, model),
        }
    }
    if areas.findings.height > 0 {
        findings::draw_below_events(frame, &areas, model);
    }
    if areas.detail.height > 0 {
        match model.tab {
            Tab::Repairs => repairs::draw_detail(frame, &areas, model),
            Tab::Compare => compare::draw_detail(frame, &areas, model),
            _ => detail::draw(frame, &areas, model),
        }
    }
    pane::draw_divider(frame, model, &areas);
    footer::draw(frame, areas.footer, model);
    if model.session.hints == FirstHints::Shown && model.overlays.is_empty() {
        key_popup::draw_first_hints(frame, model);
    }
    for overlay in &model.overlays {
        match overlay {
            Overlay::Prompt(prompt) => prompt::draw(frame, model, prompt),
            Overlay::Help(help) => help::draw(frame, model, help),
            Overlay::CopyChord => key_popup::draw_copy_keys(frame, model),
            Overlay::MarkName(mark_use) => key_popup::draw_mark_keys(frame, model, *mark_use),
            Overlay::Confirm(dialog) => confirm_dialog::draw(frame, model, dialog),
            Overlay::Plan(dialog) => plan_dialog::draw(frame, model, dialog),
            Overlay::Form => form::draw(frame, model),
            Overlay::Columns(chooser) => column_chooser::draw(frame, model, chooser),
        }
    }
}
