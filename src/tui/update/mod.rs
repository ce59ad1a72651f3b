//! Applies messages to the model and requests the side effects that follow. This module accesses no
//! terminal, no file and no clock.

mod aggregates;
mod append;
mod awaited;
mod background;
mod columns;
mod compact;
mod compare;
mod confirm;
mod copy;
mod detail;
mod dispatch;
mod export;
mod filter_help;
mod finding_cursor;
mod first_steps;
mod following;
mod form;
mod help;
mod hit_counter;
mod index;
mod key_input;
mod messages;
mod mouse;
mod navigation;
mod places;
mod plan_dialog;
mod prompt;
mod refresh;
mod reload;
mod repair;
mod report;
mod requests;
mod responses;
mod rows;
mod segment_change;
mod segments;
mod session;
mod statistics;
mod tabs;
mod timeline;
mod zone;

use super::effect::Effect;
use super::message::Message;
use super::model::Model;

#[cfg(test)]
pub(crate) use dispatch::run_action;

/// Requests the first rows and the repair history, when the screen opens.
pub(crate) fn init(model: &mut Model) {
    session::load(model);
    rows::request_window(model, 0);
    reload::request_repair_history(model);
    refresh::refresh(model);
}

/// Applies a message to the model. The requested side effects are added to [`Model::effects`].
pub(crate) fn update(model: &mut Model, message: Message) {
    if let Message::Response { worker, generation, .. } = &message
        && !model.generations.is_newest(*worker, *generation)
    {
        // The request was replaced or cancelled. `needs_redraw` stays as it is: an earlier message may have set it.
        return;
    }
    model.needs_redraw = true;
    match message {
        Message::Key(key, typed_at) => key_input::handle_key(model, key, typed_at),
        Message::Paste(text) => key_input::handle_paste(model, &text),
        Message::Click(position) => {
            session::note_input(model);
            mouse::handle_click(model, position);
        }
        Message::Wheel(position, direction) => mouse::handle_wheel(model, position, direction),
        Message::Resize(size) => model.size = size,
        Message::Response { worker, response, .. } => responses::handle_response(model, worker, response),
        Message::Background(update) => background::handle_update(model, update),
        Message::Drawn(drawn_at) => {
            confirm::mark_drawn(model, drawn_at);
            model.needs_redraw = false;
            return;
        }
        Message::CopySaved(result) => copy::report_saved_copy(model, result),
        Message::ScreenshotSaved { path, result } => prompt::report_screenshot(model, &path, result),
        Message::Tick => model.growth.expire(model.now),
        Message::Suspend => model.effects.push_back(Effect::Suspend),
        Message::Quit => session::quit(model),
    }
    refresh::refresh(model);
}
