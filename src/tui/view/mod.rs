//! The view: free functions from the model to a frame, a pane each. They read the model and nothing else.

mod aggregate_history;
mod aggregates;
mod detail;
mod events;
mod findings;
mod footer;
mod form;
mod help;
mod hex;
mod index;
mod json;
mod pane;
mod prompt;
mod question;
mod repairs;
mod status;
mod strip;
mod text;

use ratatui::Frame;

use super::layout;
use super::model::{Model, Overlay, Tab};

/// Draws the screen.
pub(crate) fn draw(frame: &mut Frame, model: &Model) {
    let areas = layout::compute_areas(model);
    let whole = frame.area();
    frame.buffer_mut().set_style(whole, model.theme.base());
    status::draw(frame, areas.status, model);
    strip::draw(frame, areas.strip, model);
    if areas.main.height > 0 {
        match model.tab {
            Tab::Events => events::draw(frame, &areas, model),
            Tab::Aggregates => aggregates::draw(frame, &areas, model),
            Tab::Findings => findings::draw(frame, &areas, model),
            Tab::Index => index::draw(frame, &areas, model),
            Tab::Repairs => repairs::draw(frame, &areas, model),
        }
    }
    if areas.findings.height > 0 {
        findings::draw_below_events(frame, &areas, model);
    }
    if areas.detail.height > 0 {
        match model.tab {
            Tab::Repairs => repairs::draw_detail(frame, &areas, model),
            _ => detail::draw(frame, &areas, model),
        }
    }
    footer::draw(frame, areas.footer, model);
    for layer in &model.overlays {
        match layer {
            Overlay::Prompt(prompt) => prompt::draw(frame, model, prompt),
            Overlay::Help(help) => help::draw(frame, model, help),
            // It waits for a letter: the footer says which.
            Overlay::CopyChord => {}
            Overlay::Confirm(question) => question::draw(frame, model, question),
            Overlay::Form => form::draw(frame, model),
        }
    }
}
