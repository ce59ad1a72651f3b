//! Keys in a line: palette, search, filter.

use super::{hit_counter, navigation, run_action};
use crate::query::{Direction, Filter, JumpTarget, SearchPattern};
use crate::tui::actions::{ActionId, ActionScope, action_for_key};
use crate::tui::keys::Key;
use crate::tui::model::{Model, Overlay, Prompt, PromptPurpose};

/// Takes a key while a line is being typed.
pub(super) fn handle_key(model: &mut Model, key: Key) {
    let Some(Overlay::Prompt(prompt)) = model.overlays.last_mut() else { return };
    match (action_for_key(ActionScope::TextInput, key), key) {
        (Some(ActionId::ClosePrompt), _) => {
            model.overlays.pop();
        }
        (Some(ActionId::SubmitPrompt), _) => submit(model),
        (Some(ActionId::Complete), _) | (_, Key::Down | Key::BackTab | Key::Up) => complete(prompt, key),
        (_, Key::Backspace) if prompt.input.text().is_empty() => {
            model.overlays.pop();
        }
        _ => {
            if prompt.input.handle_key(key) {
                prompt.error = None;
                prompt.selected = 0;
            }
        }
    }
}

/// Chooses among the proposals, or takes the one that is chosen.
fn complete(prompt: &mut Prompt, key: Key) {
    let proposals = prompt.suggestions();
    let count = proposals.len();
    if count == 0 {
        return;
    }
    match key {
        Key::Tab => {
            let taken = proposals.get(prompt.selected).filter(|row| row.title != prompt.input.text());
            match taken {
                Some(row) => prompt.input = crate::tui::model::TextInput::new(row.title),
                None => prompt.selected = (prompt.selected + 1) % count,
            }
        }
        Key::Down => prompt.selected = (prompt.selected + 1) % count,
        _ => prompt.selected = (prompt.selected + count - 1) % count,
    }
}

fn submit(model: &mut Model) {
    let Some(Overlay::Prompt(prompt)) = model.overlays.last().cloned() else { return };
    let text = prompt.input.text().trim().to_owned();
    let done = match prompt.purpose {
        PromptPurpose::Search => submit_search(model, &text),
        PromptPurpose::Filter => submit_filter(model, &text),
        PromptPurpose::Palette => return submit_palette(model, &prompt, &text),
    };
    close_or_show_error(model, done);
}

fn close_or_show_error(model: &mut Model, done: Result<(), String>) {
    match (done, model.overlays.last_mut()) {
        (Err(wrong), Some(Overlay::Prompt(prompt))) => prompt.error = Some(wrong),
        _ => {
            model.overlays.pop();
        }
    }
}

fn submit_search(model: &mut Model, text: &str) -> Result<(), String> {
    if text.is_empty() {
        model.search = None;
        return Ok(());
    }
    let pattern = SearchPattern::parse(text).map_err(|error| error.reason)?;
    model.search = Some((text.to_owned(), pattern));
    hit_counter::resume_stopped(model);
    navigation::go_to_match(model, Direction::Forward);
    Ok(())
}

fn submit_filter(model: &mut Model, text: &str) -> Result<(), String> {
    let filter = Filter::parse(text, model.now_ms).map_err(|error| error.to_string())?;
    hit_counter::resume_stopped(model);
    navigation::set_filter(model, filter);
    Ok(())
}

/// A place to go to, or an action by its name.
fn submit_palette(model: &mut Model, prompt: &Prompt, text: &str) {
    if text.is_empty() {
        model.overlays.pop();
        return;
    }
    if let Some(action) = prompt.suggestions().get(prompt.selected) {
        model.overlays.pop();
        run_action(model, action.id);
        return;
    }
    match JumpTarget::parse(text, model.now_ms) {
        Ok(jump) => {
            model.overlays.pop();
            navigation::start_jump(model, jump);
        }
        Err(error) => close_or_show_error(model, Err(error.reason)),
    }
}
