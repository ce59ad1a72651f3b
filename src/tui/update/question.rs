//! Keys in a question. None counts that was typed before the question was seen.

use super::{repairing, writing};
use crate::tui::actions::{Id, Place, by_key};
use crate::tui::keys::Key;
use crate::tui::message::Moment;
use crate::tui::model::{Choice, Layer, Model};

/// Lines that a page scrolls.
const PAGE: usize = 8;

/// The screen was drawn, and a question with it.
pub(super) fn drawn(model: &mut Model, moment: Moment) {
    if let Some(Layer::Question(question)) = model.layers.last_mut() {
        question.drawn.get_or_insert(moment);
    }
}

/// Takes a key while a question is open.
pub(super) fn key(model: &mut Model, key: Key, typed: Moment) {
    let Some(Layer::Question(question)) = model.layers.last_mut() else { return };
    if question.drawn.is_none_or(|drawn| typed <= drawn) {
        return;
    }
    match by_key(Place::Question, key) {
        Some(Id::Cancel) => {
            model.layers.pop();
        }
        Some(Id::Choose) => {
            let other = if question.choice == Choice::Go { Choice::Cancel } else { Choice::Go };
            question.choice = if question.go.is_empty() { Choice::Cancel } else { other };
        }
        Some(Id::Answer) => {
            let (choice, then) = (question.choice, question.then.clone());
            model.layers.pop();
            if choice == Choice::Go {
                writing::agreed(model, then);
            }
        }
        Some(Id::ScrollDown) => question.top += if key == Key::PageDown { PAGE } else { 1 },
        Some(Id::ScrollUp) => {
            question.top = question.top.saturating_sub(if key == Key::PageUp { PAGE } else { 1 });
        }
        Some(id @ (Id::Pick | Id::AcceptLikely | Id::FenceOff)) => repairing::decide(model, id, key),
        _ => {}
    }
}
