//! Shows the messages of the session in a dialog.

use crate::report::units::format_time_of_day;
use crate::tui::model::{ConfirmDialog, ConfirmedAction, Model, Overlay, PastNotice};

/// Opens a dialog with the messages that the footer has shown, the newest first.
pub(super) fn show_messages(model: &mut Model) {
    let zone = model.zone;
    let line = |past: &PastNotice| format!("{}  {}", format_time_of_day(past.time_ms, zone), past.text);
    let lines = model.past_notices.iter().rev().map(line).collect();
    let title = format!("Messages (time in {})", zone.name(model.now_ms));
    let dialog = ConfirmDialog::new(title, lines, None, ConfirmedAction::Nothing);
    model.overlays.push(Overlay::Confirm(dialog));
}
