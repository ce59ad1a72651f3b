//! What follows from a message: the model changes, and wishes are left for the loop. No terminal, file or clock here.

mod background;
mod confirm;
mod copy;
mod dispatch;
mod enabled;
mod form;
mod help;
mod hit_counter;
mod mouse;
mod navigation;
mod prompt;
mod refresh;
mod repair;
mod responses;
mod writing;

use super::actions::{ActionId, ActionScope, action_for_key};
use super::effect::{Effect, Request, WorkerKind};
use super::keys::Key;
use super::layout;
use super::message::{Message, SessionTime};
use super::model::{EscBehavior, Model, Overlay, UserJob};

pub(crate) use dispatch::run_action;
pub(crate) use enabled::disabled_reason;
pub(crate) use writing::histogram_bars;

/// The questions a screen opens with.
pub(crate) fn init(model: &mut Model) {
    navigation::request_window(model, 0);
    repair::request_repair_history(model);
    refresh::refresh(model);
}

/// Takes a message in.
pub(crate) fn update(model: &mut Model, message: Message) {
    if let Message::Response(lane, generation, _) = &message
        && !model.generations.is_newest(*lane, *generation)
    {
        // Late: it was asked again since, or stopped. What is not drawn yet is still to be drawn.
        return;
    }
    model.needs_redraw = true;
    match message {
        Message::Key(key, typed) => self::handle_key(model, key, typed),
        Message::Paste(text) => handle_paste(model, &text),
        Message::Click(column, line) => mouse::handle_click(model, column, line),
        Message::Wheel(column, line, turn) => mouse::handle_wheel(model, column, line, turn),
        Message::Resize(width, height) => model.size = (width, height),
        Message::Response(lane, _, told) => responses::handle_response(model, lane, told),
        Message::Background(news) => background::handle_update(model, news),
        Message::Drawn(moment) => {
            confirm::mark_drawn(model, moment);
            model.needs_redraw = false;
            return;
        }
        Message::Suspend => model.effects.push_back(Effect::Suspend),
        Message::Quit => model.effects.push_back(Effect::Quit),
    }
    refresh::refresh(model);
}

fn handle_key(model: &mut Model, key: Key, typed: SessionTime) {
    // From everywhere, whatever has the keys.
    if key == Key::Ctrl('z') {
        run_action(model, ActionId::Suspend);
        return;
    }
    if key == Key::Ctrl('c') {
        if model.overlays.pop().is_none() {
            model.effects.push_back(Effect::Quit);
        }
        return;
    }
    match model.overlays.last() {
        None => {
            model.notice = None;
            if let Some(id) = action_for_key(ActionScope::Main, key) {
                run_action(model, id);
            }
        }
        Some(Overlay::Prompt(_)) => prompt::handle_key(model, key),
        Some(Overlay::Help(_)) => help::handle_key(model, key),
        Some(Overlay::CopyChord) => copy::handle_key(model, key),
        Some(Overlay::Confirm(_)) => confirm::handle_key(model, key, typed),
        Some(Overlay::Form) => form::handle_key(model, key),
    }
}

fn handle_paste(model: &mut Model, text: &str) {
    match model.overlays.last_mut() {
        Some(Overlay::Prompt(prompt)) => prompt.input.paste(text),
        Some(Overlay::Help(help)) => help.input.paste(text),
        Some(Overlay::Form) => form::handle_paste(model, text),
        // Pasted text is no key: it never runs an action.
        _ => {}
    }
}

/// Asks a lane something; what it was asked before is not wanted any more.
fn send_request(model: &mut Model, lane: WorkerKind, what: Request) {
    // Answers to what was asked before are late.
    model.generations.advance(lane);
    model.hit_counters.deferred.retain(|(held, _)| *held != lane);
    send_or_defer(model, lane, what);
    if model.hit_counters.deferred.iter().any(|(held, _)| *held == lane) {
        model.effects.push_back(Effect::Cancel(lane));
    }
}

/// Passes a question on, or holds it while the hits that will answer it are being gathered.
fn send_or_defer(model: &mut Model, lane: WorkerKind, mut what: Request) {
    if hit_counter::attach_hits(model, &mut what) {
        let generation = model.generations.advance(lane);
        model.effects.push_back(Effect::Request(lane, generation, Box::new(what)));
    } else {
        model.hit_counters.deferred.push((lane, what));
    }
}

/// Asks something that takes its time, and that the user can stop.
fn start_job(model: &mut Model, lane: WorkerKind, name: impl Into<String>, what: Request) {
    model.jobs.retain(|job| job.worker != lane);
    model.jobs.push(UserJob {
        worker: lane,
        name: name.into(),
        progress: (0, 0),
        started: model.now,
        on_esc: EscBehavior::CancelsJob,
    });
    send_request(model, lane, what);
}

/// Stops what a lane does; late answers are dropped.
fn stop_worker(model: &mut Model, lane: WorkerKind) {
    model.jobs.retain(|job| job.worker != lane);
    model.generations.advance(lane);
    model.effects.push_back(Effect::Cancel(lane));
    match lane {
        WorkerKind::List => model.list.cancel_request(),
        WorkerKind::Hits => hit_counter::mark_stopped(model),
        _ => {}
    }
    hit_counter::stop_deferred(model, lane);
}
