//! Starts, pauses and stops the following of the end of the log.

use super::rows;
use crate::tui::actions::ActionId;
use crate::tui::model::{Follow, FollowPause, Model, Pane, Tab};

/// Stops the cursor from following the end, until the user goes back to it.
pub(super) fn pause_following(model: &mut Model) {
    if model.follow == Follow::Yes {
        let log_bytes = model.log_info.bytes;
        let is_counted = model.scan.is_done() || model.scan.position >= log_bytes;
        let events = model.scan.event_count.filter(|_| is_counted);
        model.follow = Follow::Paused(FollowPause { log_bytes, events });
        let (end, leave) = (model.keys.hint(ActionId::Last), model.keys.hint(ActionId::Back));
        model.notify(format!("Follow paused; {end} goes back to the end, {leave} leaves follow mode"));
    }
}

/// Leaves follow mode, and reports it.
pub(super) fn stop_following(model: &mut Model) {
    if model.follow != Follow::No {
        model.follow = Follow::No;
        let key = model.keys.hint(ActionId::Follow);
        model.notify(format!("Follow off; {key} turns it on"));
    }
}

/// Follows the end of the log from now on.
pub(super) fn follow_end(model: &mut Model) {
    model.follow = Follow::Yes;
    rows::request_end(model);
}

/// Enters or leaves follow mode.
pub(super) fn toggle_follow(model: &mut Model) {
    if model.follow == Follow::Yes {
        stop_following(model);
    } else {
        model.record_place();
        model.tab = Tab::Events;
        model.focus = Pane::Main;
        follow_end(model);
    }
}
