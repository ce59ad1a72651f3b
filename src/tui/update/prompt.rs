//! Keys in a line: palette, search, filter.

use super::{act, gather, moves};
use crate::query::{Direction, Filter, Jump, Pattern};
use crate::tui::actions::{Id, Place, by_key};
use crate::tui::keys::Key;
use crate::tui::model::{Layer, Model, Prompt, Purpose};

/// Takes a key while a line is being typed.
pub(super) fn key(model: &mut Model, key: Key) {
    let Some(Layer::Prompt(prompt)) = model.layers.last_mut() else { return };
    match (by_key(Place::Line, key), key) {
        (Some(Id::LeaveLine), _) => {
            model.layers.pop();
        }
        (Some(Id::Submit), _) => submit(model),
        (Some(Id::Complete), _) | (_, Key::Down | Key::BackTab | Key::Up) => complete(prompt, key),
        (_, Key::Backspace) if prompt.line.text().is_empty() => {
            model.layers.pop();
        }
        _ => {
            if prompt.line.key(key) {
                prompt.wrong = None;
                prompt.chosen = 0;
            }
        }
    }
}

/// Chooses among the proposals, or takes the one that is chosen.
fn complete(prompt: &mut Prompt, key: Key) {
    let proposals = prompt.proposals();
    let count = proposals.len();
    if count == 0 {
        return;
    }
    match key {
        Key::Tab => {
            let taken = proposals.get(prompt.chosen).filter(|row| row.title != prompt.line.text());
            match taken {
                Some(row) => prompt.line = crate::tui::model::Line::new(row.title),
                None => prompt.chosen = (prompt.chosen + 1) % count,
            }
        }
        Key::Down => prompt.chosen = (prompt.chosen + 1) % count,
        _ => prompt.chosen = (prompt.chosen + count - 1) % count,
    }
}

fn submit(model: &mut Model) {
    let Some(Layer::Prompt(prompt)) = model.layers.last().cloned() else { return };
    let text = prompt.line.text().trim().to_owned();
    let done = match prompt.purpose {
        Purpose::Search => search(model, &text),
        Purpose::Filter => filter(model, &text),
        Purpose::Palette => return palette(model, &prompt, &text),
    };
    finish(model, done);
}

fn finish(model: &mut Model, done: Result<(), String>) {
    match (done, model.layers.last_mut()) {
        (Err(wrong), Some(Layer::Prompt(prompt))) => prompt.wrong = Some(wrong),
        _ => {
            model.layers.pop();
        }
    }
}

fn search(model: &mut Model, text: &str) -> Result<(), String> {
    if text.is_empty() {
        model.search = None;
        return Ok(());
    }
    let pattern = Pattern::parse(text).map_err(|error| error.reason)?;
    model.search = Some((text.to_owned(), pattern));
    gather::resume(model);
    moves::search(model, Direction::Forward);
    Ok(())
}

fn filter(model: &mut Model, text: &str) -> Result<(), String> {
    let filter = Filter::parse(text, model.now_ms).map_err(|error| error.to_string())?;
    gather::resume(model);
    moves::filter(model, filter);
    Ok(())
}

/// A place to go to, or an action by its name.
fn palette(model: &mut Model, prompt: &Prompt, text: &str) {
    if text.is_empty() {
        model.layers.pop();
        return;
    }
    if let Some(action) = prompt.proposals().get(prompt.chosen) {
        model.layers.pop();
        act(model, action.id);
        return;
    }
    match Jump::parse(text, model.now_ms) {
        Ok(jump) => {
            model.layers.pop();
            moves::jump(model, jump);
        }
        Err(error) => finish(model, Err(error.reason)),
    }
}
