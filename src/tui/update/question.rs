//! Keys in a question. None counts that was typed before the question was seen.

use super::{repair, stop, why_not, writing};
use crate::tui::actions::{Id, Place, by_key};
use crate::tui::effect::Lane;
use crate::tui::keys::Key;
use crate::tui::message::Moment;
use crate::tui::model::{Choice, Layer, Model, Then};

/// Lines of a screen on which something of a plan is seen.
const SEEN: u16 = 8;

/// The screen was drawn, and a question with it.
pub(super) fn drawn(model: &mut Model, moment: Moment) {
    if let Some(Layer::Question(question)) = model.layers.last_mut() {
        question.drawn.get_or_insert(moment);
    }
}

/// Takes a key while a question is open.
pub(super) fn key(model: &mut Model, key: Key, typed: Moment) {
    let height = model.size.1;
    let Some(Layer::Question(question)) = model.layers.last_mut() else { return };
    if question.drawn.is_none_or(|drawn| typed <= drawn) {
        return;
    }
    if let (Then::Apply(_), Some(id)) = (&question.then, by_key(Place::Plan, key)) {
        if why_not(model, id).is_none() {
            repair::decide(model, id, key);
        }
        return;
    }
    match by_key(Place::Question, key) {
        Some(Id::Cancel) => {
            let planning = question.then == Then::Plan;
            model.layers.pop();
            if planning {
                stop(model, Lane::Write);
            }
        }
        // It is gone when the plan has come.
        Some(Id::Answer) if question.then == Then::Plan => {}
        // Nobody agrees to a plan that cannot be seen.
        Some(Id::Choose) if matches!(question.then, Then::Apply(_)) && height < SEEN => {
            question.title = "enlarge the screen".into();
        }
        Some(Id::Choose) if question.go.is_some() => {
            question.choice = if question.choice == Choice::Go { Choice::Cancel } else { Choice::Go };
        }
        Some(Id::Answer) => {
            let (choice, then) = (question.choice, question.then.clone());
            model.layers.pop();
            if choice == Choice::Go {
                writing::agreed(model, then);
            }
        }
        Some(Id::Read) => question.top = question.top.saturating_add(step(key)),
        Some(Id::ReadBack) => question.top = question.top.saturating_sub(step(key)),
        _ => {}
    }
}

/// Lines that a key scrolls.
const fn step(key: Key) -> usize {
    match key {
        Key::PageDown | Key::PageUp | Key::Char(' ') => 10,
        // As far as it goes.
        Key::End | Key::Home => usize::MAX,
        _ => 1,
    }
}
