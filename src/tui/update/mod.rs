//! What follows from a message: the model changes, and wishes are left for the loop. No terminal, file or clock here.

mod answers;
mod copy;
mod enabled;
mod form;
mod gather;
mod help;
mod main;
mod mouse;
mod moves;
mod news;
mod prompt;
mod question;
mod repair;
mod settle;
mod writing;

use super::actions::{Id, Place, by_key};
use super::effect::{Ask, Effect, Lane};
use super::keys::Key;
use super::layout;
use super::message::{Message, Moment};
use super::model::{Esc, Job, Layer, Model};

pub(crate) use enabled::why_not;
pub(crate) use main::act;
pub(crate) use writing::bars;

/// The questions a screen opens with.
pub(crate) fn open(model: &mut Model) {
    moves::window(model, 0);
    repair::look(model);
    settle::settle(model);
}

/// Takes a message in.
pub(crate) fn update(model: &mut Model, message: Message) {
    if let Message::Answer(lane, generation, _) = &message
        && !model.generations.is_newest(*lane, *generation)
    {
        // Late: it was asked again since, or stopped. What is not drawn yet is still to be drawn.
        return;
    }
    model.stale = true;
    match message {
        Message::Key(key, typed) => self::key(model, key, typed),
        Message::Paste(text) => paste(model, &text),
        Message::Click(column, line) => mouse::click(model, column, line),
        Message::Wheel(column, line, turn) => mouse::wheel(model, column, line, turn),
        Message::Resize(width, height) => model.size = (width, height),
        Message::Answer(lane, _, told) => answers::answer(model, lane, told),
        Message::News(news) => news::news(model, news),
        Message::Drawn(moment) => {
            question::drawn(model, moment);
            model.stale = false;
            return;
        }
        Message::Suspend => model.effects.push_back(Effect::Suspend),
        Message::Quit => model.effects.push_back(Effect::Quit),
    }
    settle::settle(model);
}

fn key(model: &mut Model, key: Key, typed: Moment) {
    // From everywhere, whatever has the keys.
    if key == Key::Ctrl('z') {
        act(model, Id::Suspend);
        return;
    }
    if key == Key::Ctrl('c') {
        if model.layers.pop().is_none() {
            model.effects.push_back(Effect::Quit);
        }
        return;
    }
    match model.layers.last() {
        None => {
            model.notice = None;
            if let Some(id) = by_key(Place::Main, key) {
                act(model, id);
            }
        }
        Some(Layer::Prompt(_)) => prompt::key(model, key),
        Some(Layer::Help(_)) => help::key(model, key),
        Some(Layer::Copy) => copy::key(model, key),
        Some(Layer::Question(_)) => question::key(model, key, typed),
        Some(Layer::Form) => form::key(model, key),
    }
}

fn paste(model: &mut Model, text: &str) {
    match model.layers.last_mut() {
        Some(Layer::Prompt(prompt)) => prompt.line.paste(text),
        Some(Layer::Help(help)) => help.line.paste(text),
        Some(Layer::Form) => form::paste(model, text),
        // Pasted text is no key: it never runs an action.
        _ => {}
    }
}

/// Asks a lane something; what it was asked before is not wanted any more.
fn ask(model: &mut Model, lane: Lane, what: Ask) {
    // Answers to what was asked before are late.
    model.generations.next(lane);
    model.gathers.held.retain(|(held, _)| *held != lane);
    issue(model, lane, what);
    if model.gathers.held.iter().any(|(held, _)| *held == lane) {
        model.effects.push_back(Effect::Cancel(lane));
    }
}

/// Passes a question on, or holds it while the hits that will answer it are being gathered.
fn issue(model: &mut Model, lane: Lane, mut what: Ask) {
    if gather::is_ready(model, &mut what) {
        let generation = model.generations.next(lane);
        model.effects.push_back(Effect::Ask(lane, generation, Box::new(what)));
    } else {
        model.gathers.held.push((lane, what));
    }
}

/// Asks something that takes its time, and that the user can stop.
fn start(model: &mut Model, lane: Lane, name: impl Into<String>, what: Ask) {
    model.jobs.retain(|job| job.lane != lane);
    model.jobs.push(Job { lane, name: name.into(), done: (0, 0), started: model.now, esc: Esc::Stops });
    ask(model, lane, what);
}

/// Stops what a lane does; late answers are dropped.
fn stop(model: &mut Model, lane: Lane) {
    model.jobs.retain(|job| job.lane != lane);
    model.generations.next(lane);
    model.effects.push_back(Effect::Cancel(lane));
    match lane {
        Lane::List => model.list.stop(),
        Lane::Hits => gather::stopped(model),
        _ => {}
    }
    gather::stop_awaited(model, lane);
}
