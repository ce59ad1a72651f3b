//! Handles keys in a prompt, and submits its text as a search, a filter, a jump or an action.

use std::path::Path;

use super::dispatch::run_action;
use super::{
    aggregates, compact, compare, export, filter_help, hit_counter, navigation, repair, report, rows, segment_change,
};
use crate::query::{Direction, Filter, JumpTarget, SearchPattern, nearest_keyword};
use crate::report::safe_path_text;
use crate::tui::actions::{self, ActionId, ActionScope};
use crate::tui::effect::Effect;
use crate::tui::home_folder::expand_home;
use crate::tui::keys::Key;
use crate::tui::model::{
    ActiveSearch, CompletionSources, Model, Overlay, PaletteCommand, Prompt, PromptError, PromptPurpose, PromptStep,
    Tab,
};

/// Handles a key while a prompt is open.
pub(super) fn handle_key(model: &mut Model, key: Key) {
    let Some(Overlay::Prompt(prompt)) = model.overlays.last_mut() else { return };
    let is_empty = prompt.input.text().is_empty();
    let sources = CompletionSources { names: &model.names, folder: model.folder_listing.as_ref() };
    match (model.keys.action_for_key(ActionScope::TextInput, key), key) {
        (Some(ActionId::ClosePrompt), _) => {
            model.overlays.pop();
        }
        (Some(ActionId::SubmitPrompt), _) => submit(model),
        (Some(ActionId::Complete), Key::BackTab) => prompt.complete(PromptStep::Previous, sources),
        (Some(ActionId::Complete), _) => prompt.complete(PromptStep::Next, sources),
        (Some(ActionId::PreviousInput), _) => prompt.recall(PromptStep::Previous, &model.prompt_history),
        (Some(ActionId::NextInput), _) => prompt.recall(PromptStep::Next, &model.prompt_history),
        (Some(ActionId::PromptHelp), _) => show_help(model),
        // A search or a path can start with a question mark.
        (_, Key::Char('?')) if is_empty && matches!(prompt.purpose, PromptPurpose::Palette | PromptPurpose::Filter) => {
            show_help(model);
        }
        (_, Key::Backspace) if is_empty => {
            model.overlays.pop();
        }
        _ => {
            if prompt.input.handle_key(key) {
                prompt.text_changed();
            }
        }
    }
}

/// Shows the page about filters and searches, or in the palette and for a path the list of all actions.
fn show_help(model: &mut Model) {
    match model.overlays.last() {
        Some(Overlay::Prompt(Prompt {
            purpose: PromptPurpose::Palette | PromptPurpose::ExportPath | PromptPurpose::AggregateId,
            ..
        })) => {
            run_action(model, ActionId::Help);
        }
        _ => filter_help::show_filter_help(model),
    }
}

fn submit(model: &mut Model) {
    if open_marked_folder(model) {
        return;
    }
    let Some(Overlay::Prompt(prompt)) = model.overlays.last().cloned() else { return };
    let text = prompt.input.text().trim().to_owned();
    let result = match prompt.purpose {
        PromptPurpose::Search => submit_search(model, &text),
        PromptPurpose::Filter => submit_filter(model, prompt.input.text()),
        PromptPurpose::Palette => submit_palette(model, &prompt, &text),
        PromptPurpose::ExportPath => export::submit_path(model, &text),
        PromptPurpose::AggregateId => aggregates::submit_id(model, &text),
    };
    match (result, model.overlays.last_mut()) {
        (Err(error), Some(Overlay::Prompt(prompt))) => prompt.error = Some(error),
        (Err(_), _) => {}
        (Ok(()), _) => model.prompt_history.push(prompt.purpose, &text),
    }
}

/// Puts the folder that is marked below the prompt into it, so that its files can be chosen. Returns false when no folder
/// is marked, or the path is that of a new file.
fn open_marked_folder(model: &mut Model) -> bool {
    let sources = CompletionSources { names: &model.names, folder: model.folder_listing.as_ref() };
    let Some(Overlay::Prompt(prompt)) = model.overlays.last_mut() else { return false };
    if !prompt.typed_path().is_some_and(|typed| typed.takes_marked()) {
        return false;
    }
    let suggestions = prompt.suggestions(sources);
    let marked = suggestions.get(prompt.selected_suggestion).filter(|marked| marked.text.ends_with('/'));
    if let Some(marked) = marked {
        *prompt = Prompt::new(prompt.purpose, &marked.text);
    }
    marked.is_some()
}

/// Closes the prompt, because its text was accepted.
fn close(model: &mut Model) {
    model.overlays.pop();
}

fn error_without_place(text: impl Into<String>) -> PromptError {
    PromptError { text: text.into(), at: None }
}

fn submit_search(model: &mut Model, text: &str) -> Result<(), PromptError> {
    if text.is_empty() {
        model.search = None;
        close(model);
        return Ok(());
    }
    let pattern = SearchPattern::parse(text).map_err(|error| error_without_place(error.reason))?;
    close(model);
    model.search = Some(ActiveSearch { text: text.to_owned(), pattern });
    hit_counter::resume_stopped(model);
    navigation::go_to_match(model, Direction::Forward);
    Ok(())
}

fn submit_filter(model: &mut Model, text: &str) -> Result<(), PromptError> {
    let filter = Filter::parse_with(text, model.time_context())
        .map_err(|error| PromptError { text: error.to_string(), at: Some(error.position) })?;
    close(model);
    hit_counter::resume_stopped(model);
    // The tab of the events is shown, because the filter selects events.
    model.tab = Tab::Events;
    let unknown = model.unknown_names(&filter);
    if !unknown.is_empty() {
        model.warn(unknown.join("; "));
    }
    rows::set_filter(model, filter);
    Ok(())
}

fn run_palette_command(model: &mut Model, command: PaletteCommand) {
    match command {
        PaletteCommand::Theme(theme) => {
            model.theme = theme;
            model.notify(format!("Theme {}: {}", theme.name(), theme.description()));
        }
        PaletteCommand::Compare(path) => {
            compare::compare_with(model, expand_home(&path, std::env::home_dir()));
        }
        PaletteCommand::Screenshot(path) => {
            let path = expand_home(&path, std::env::home_dir());
            model.effects.push_back(Effect::SaveScreenshot(path));
        }
        PaletteCommand::Report { path, existing } => report::start(model, &path, existing),
        PaletteCommand::Erase(reason) => repair::plan_erase(model, Some(reason)),
        PaletteCommand::Compact(path) => compact::start(model, &path),
        // Its limits were parsed before the prompt was closed.
        PaletteCommand::Retain(_) => {}
    }
}

/// Reports the file that holds a picture of the screen.
pub(super) fn report_screenshot(model: &mut Model, path: &Path, result: Result<(), String>) {
    match result {
        Ok(()) => model.notify(format!("Wrote the screen to {}", safe_path_text(path))),
        Err(reason) => model.warn(format!("Screen not written: {reason}")),
    }
}

/// Runs the selected suggestion, or jumps to the offset, ordinal, share or time that the text names.
fn submit_palette(model: &mut Model, prompt: &Prompt, text: &str) -> Result<(), PromptError> {
    if text.is_empty() {
        close(model);
        return Ok(());
    }
    let suggestions = prompt.suggestions(model.completion_sources());
    let selected = suggestions.get(prompt.selected_suggestion);
    let typed_path = prompt.typed_path();
    if typed_path.is_some_and(|typed| typed.is_empty()) {
        return Err(error_without_place(format!("expected the path of a file after `{text}`")));
    }
    // Enter takes the suggestion that is marked, so that `theme hig` need not be typed further. The path of a new file is
    // taken as it was typed.
    let completed = selected
        .filter(|marked| marked.action.is_none() && typed_path.is_none_or(|typed| typed.takes_marked()))
        .map(|marked| marked.text.as_str());
    if let Some(command) =
        PaletteCommand::parse(text).map(|typed| completed.and_then(PaletteCommand::parse).unwrap_or(typed))
    {
        let command = command.map_err(error_without_place)?;
        if let PaletteCommand::Retain(text) = &command {
            let limits = segment_change::parse_limits(model, text).map_err(error_without_place)?;
            close(model);
            segment_change::plan_typed(model, limits);
            return Ok(());
        }
        close(model);
        run_palette_command(model, command);
        return Ok(());
    }
    if let Some(action) = suggestions.get(prompt.selected_suggestion).and_then(|suggestion| suggestion.action) {
        close(model);
        run_action(model, action);
        return Ok(());
    }
    match JumpTarget::parse_with(text, model.time_context()) {
        Ok(jump) => {
            close(model);
            navigation::start_jump(model, jump);
            Ok(())
        }
        Err(error) if text.starts_with(|c: char| c.is_ascii_digit() || c == '#') => {
            Err(error_without_place(error.reason))
        }
        Err(_) => {
            let titles = actions::action_table().iter().filter(|row| row.scope == ActionScope::Main);
            let nearest = nearest_keyword(text, titles.map(|row| row.title));
            let nearest = nearest.map(|title| format!("; the nearest is `{title}`")).unwrap_or_default();
            let expected = "expected an action, an offset, a share (50%), an event (#3000) or a time";
            Err(error_without_place(format!("no action `{text}`{nearest}; {expected}")))
        }
    }
}
