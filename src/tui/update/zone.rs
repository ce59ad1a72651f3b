//! Switches the zone in which times are shown and read.

use crate::report::units::DisplayZone;
use crate::tui::model::Model;

/// Switches between UTC and the local zone, and reports which one is shown.
pub(super) fn toggle(model: &mut Model) {
    model.zone = if model.zone == DisplayZone::Utc { model.local_zone } else { DisplayZone::Utc };
    model.notify(format!("Times are shown and read in {}", model.zone.name(model.now_ms)));
}
