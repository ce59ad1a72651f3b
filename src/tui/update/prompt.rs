//! Handles keys in a prompt, and submits its text as a search, a filter, a jump or an action.

use super::dispatch::run_action;
use super::{hit_counter, navigation, rows};
use crate::query::{Direction, Filter, JumpTarget, SearchPattern, nearest_keyword};
use crate::tui::actions::{self, ActionId, ActionScope, action_for_key};
use crate::tui::keys::Key;
use crate::tui::model::{ActiveSearch, Model, Overlay, Prompt, PromptPurpose, TextInput};

/// Handles a key while a prompt is open.
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
                prompt.selected_suggestion = 0;
            }
        }
    }
}

/// Moves among the suggestions. Tab inserts the selected one first.
fn complete(prompt: &mut Prompt, key: Key) {
    let suggestions = prompt.suggestions();
    let count = suggestions.len();
    if count == 0 {
        return;
    }
    match key {
        Key::Tab => {
            let selected =
                suggestions.get(prompt.selected_suggestion).filter(|suggestion| suggestion.text != prompt.input.text());
            match selected {
                Some(suggestion) => {
                    prompt.input = TextInput::new(&suggestion.text);
                    prompt.selected_suggestion = 0;
                }
                None => prompt.selected_suggestion = (prompt.selected_suggestion + 1) % count,
            }
        }
        Key::Down => prompt.selected_suggestion = (prompt.selected_suggestion + 1) % count,
        _ => prompt.selected_suggestion = (prompt.selected_suggestion + count - 1) % count,
    }
}

fn submit(model: &mut Model) {
    let Some(Overlay::Prompt(prompt)) = model.overlays.last().cloned() else { return };
    let text = prompt.input.text().trim().to_owned();
    let result = match prompt.purpose {
        PromptPurpose::Search => submit_search(model, &text),
        PromptPurpose::Filter => submit_filter(model, &text),
        PromptPurpose::Palette => return submit_palette(model, &prompt, &text),
    };
    close_or_show_error(model, result);
}

fn close_or_show_error(model: &mut Model, result: Result<(), String>) {
    match (result, model.overlays.last_mut()) {
        (Err(error), Some(Overlay::Prompt(prompt))) => prompt.error = Some(error),
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
    model.search = Some(ActiveSearch { text: text.to_owned(), pattern });
    hit_counter::resume_stopped(model);
    navigation::go_to_match(model, Direction::Forward);
    Ok(())
}

fn submit_filter(model: &mut Model, text: &str) -> Result<(), String> {
    let filter = Filter::parse_with(text, model.time_context()).map_err(|error| error.to_string())?;
    hit_counter::resume_stopped(model);
    rows::set_filter(model, filter);
    Ok(())
}

/// Runs the selected suggestion, or jumps to the offset, ordinal, share or time that the text names.
fn submit_palette(model: &mut Model, prompt: &Prompt, text: &str) {
    if text.is_empty() {
        model.overlays.pop();
        return;
    }
    if let Some(action) = prompt.suggestions().get(prompt.selected_suggestion).and_then(|suggestion| suggestion.action)
    {
        model.overlays.pop();
        run_action(model, action);
        return;
    }
    match JumpTarget::parse_with(text, model.time_context()) {
        Ok(jump) => {
            model.overlays.pop();
            navigation::start_jump(model, jump);
        }
        Err(error) if text.starts_with(|c: char| c.is_ascii_digit() || c == '#') => {
            close_or_show_error(model, Err(error.reason));
        }
        Err(_) => {
            let titles = actions::action_table().iter().filter(|row| row.scope == ActionScope::Main);
            let nearest = nearest_keyword(text, titles.map(|row| row.title));
            let nearest = nearest.map(|title| format!("; the nearest is `{title}`")).unwrap_or_default();
            let expected = "expected an action, an offset, a share (50%), an event (#3000) or a time";
            close_or_show_error(model, Err(format!("no action `{text}`{nearest}; {expected}")));
        }
    }
}
