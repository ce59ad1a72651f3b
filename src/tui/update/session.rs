//! Restores the state of the screen of the last run, and requests that the state of this run is saved at its end.

use super::requests::send_request;
use super::rows;
use crate::query::{Filter, SearchPattern};
use crate::report::units::DisplayZone;
use crate::report::{Tone, sanitize};
use crate::tui::actions::ActionId;
use crate::tui::effect::Effect;
use crate::tui::message::SessionPreparation;
use crate::tui::model::{
    ActiveSearch, Follow, JumpPlace, LoadedSession, Model, SavedPlace, SavedSession, SavedZone, SessionPhase,
    ZoneOnStart,
};
use crate::tui::request::{FirstHints, Request, WorkerKind};

/// Minimum size of a screen on which the hints of the first start are shown.
const MIN_HINTS_SIZE: (u16, u16) = (40, 10);

/// The start of the message with the reason why the state cannot be written.
pub(super) const NOT_KEPT: &str = "Place, marks and filter of this log are not kept";

/// Requests the state of the last run, when the screen opens.
pub(super) fn load(model: &mut Model) {
    if model.session.phase == SessionPhase::Loading {
        send_request(model, WorkerKind::Session, Request::LoadSession);
    }
}

/// Records that the user has begun to use the screen: the hints are hidden, and the place of the last run is not restored.
pub(super) fn note_input(model: &mut Model) {
    if model.session.phase == SessionPhase::Loading {
        model.session.phase = SessionPhase::LoadingAfterInput;
    }
    model.session.hints = FirstHints::Hidden;
}

/// Restores the state of the last run, and requests that the folder is prepared for saving that of this run.
pub(super) fn restore(model: &mut Model, loaded: LoadedSession) {
    let is_untouched = model.session.phase == SessionPhase::Loading;
    model.session.phase = SessionPhase::Ready;
    if loaded.event_times.is_some() {
        model.event_times = loaded.event_times;
    }
    if let Some(problem) = loaded.problem {
        model.append_notice(problem, Tone::Bad);
    }
    if let Some(saved) = &loaded.session {
        restore_marks(model, saved);
        model.prompt_history.prepend(saved.prompt_history.clone());
        if is_untouched {
            restore_layout(model, saved);
            restore_place(model, &saved.place);
            restore_search(model, &saved.search);
        }
    }
    model.session.restored = Some(model.saved_session());
    let fits_hints = model.size.width >= MIN_HINTS_SIZE.0 && model.size.height >= MIN_HINTS_SIZE.1;
    let hints = if fits_hints && is_untouched { FirstHints::Shown } else { FirstHints::Hidden };
    send_request(model, WorkerKind::Session, Request::PrepareSession(hints));
}

/// Shows the hints of the first start, or records why the state of this run will not be kept.
pub(super) fn finish_preparation(model: &mut Model, preparation: SessionPreparation) {
    if let Some(problem) = preparation.problem {
        model.record_message(format!("{NOT_KEPT}: {problem}"));
        model.session.phase = SessionPhase::Off;
    }
    model.session.hints = preparation.hints;
}

/// Continues without the state of the last run, because reading the log for it has failed.
pub(super) fn give_up(model: &mut Model) {
    model.session.phase = SessionPhase::Off;
}

/// Requests that the state of this run is saved, when it has changed, and closes the screen.
pub(super) fn quit(model: &mut Model) {
    let session = model.saved_session();
    if model.session.phase == SessionPhase::Ready
        && model.session.restored.as_ref() != Some(&session)
        && let Ok(document) = session.encode()
    {
        send_request(model, WorkerKind::Session, Request::SaveSession(document));
    }
    model.effects.push_back(Effect::Quit);
}

fn restore_marks(model: &mut Model, saved: &SavedSession) {
    for (name, place) in &saved.marks {
        // A mark whose filter is not understood any more still leads to its offset.
        let filter = parse_filter(model, place).unwrap_or_default();
        let place = JumpPlace { tab: place.tab, focus: place.focus, filter, offset: place.offset };
        model.jump_list.marks.entry(*name).or_insert(place);
    }
}

fn restore_layout(model: &mut Model, saved: &SavedSession) {
    if let Some(columns) = &saved.columns {
        model.list.columns = columns.clone();
    }
    model.zoom = saved.zoom;
    (model.detail.view, model.detail.aggregate_mode) = (saved.view, saved.aggregate_mode);
    model.offset_base = saved.offset_base;
    model.timeline.visibility = saved.timeline;
    if model.session.zone == ZoneOnStart::Restored {
        model.zone = if saved.zone == SavedZone::Utc { DisplayZone::Utc } else { model.local_zone };
    }
}

fn restore_place(model: &mut Model, place: &SavedPlace) {
    (model.tab, model.focus) = (place.tab, place.focus);
    match parse_filter(model, place) {
        Ok(filter) => {
            if !filter.is_empty() {
                let (text, change) = (sanitize(filter.text()).into_owned(), model.keys.hint(ActionId::Filter));
                model.append_notice(format!("The saved filter is set: {text}; {change} changes it"), Tone::Plain);
            }
            model.list.filter = filter.with_finding_rows(model.list.finding_rows);
        }
        Err(reason) => model.append_notice(format!("the saved filter is ignored: {reason}"), Tone::Bad),
    }
    match model.follow {
        Follow::No => rows::request_window(model, place.offset),
        // The end of the log was requested, and the rows are read again for the filter and the columns.
        Follow::Yes | Follow::Paused(_) => rows::request_end(model),
    }
}

fn restore_search(model: &mut Model, text: &str) {
    if text.is_empty() {
        return;
    }
    match SearchPattern::parse(text) {
        Ok(pattern) => {
            let (shown, next) = (sanitize(text).into_owned(), model.keys.hint(ActionId::SearchNext));
            model.append_notice(format!("The saved search is set: {shown}; {next} goes to a match"), Tone::Plain);
            model.search = Some(ActiveSearch { text: text.to_owned(), pattern });
        }
        Err(error) => model.append_notice(format!("the saved search is ignored: {}", error.reason), Tone::Bad),
    }
}

fn parse_filter(model: &Model, place: &SavedPlace) -> Result<Filter, String> {
    Filter::parse_with(&place.filter, model.time_context()).map_err(|error| error.to_string())
}
