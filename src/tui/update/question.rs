//! Keys in a question. None counts that was typed before the question was seen.

use super::writing;
use crate::tui::actions::{Id, Place, by_key};
use crate::tui::keys::Key;
use crate::tui::message::Moment;
use crate::tui::model::{Choice, Layer, Model};

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
            question.choice = if question.choice == Choice::Go { Choice::Cancel } else { Choice::Go };
        }
        Some(Id::Answer) => {
            let (choice, then) = (question.choice, question.then);
            model.layers.pop();
            if choice == Choice::Go {
                writing::agreed(model, then);
            }
        }
        _ => {}
    }
}
