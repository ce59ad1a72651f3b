//! Switches the zone in which times are shown and read.

use super::rows;
use crate::report::units::DisplayZone;
use crate::tui::model::Model;

/// Switches between UTC and the local zone, and reports which one is shown.
pub(super) fn toggle(model: &mut Model) {
    model.zone = if model.zone == DisplayZone::Utc { model.local_zone } else { DisplayZone::Utc };
    if !model.list.filter.is_empty() {
        // The text of the filter means what the screen shows.
        let filter = model.list.filter.in_zone(model.zone.rules());
        rows::set_filter(model, filter);
    }
    model.notify(format!("Times are shown and read in {}", model.zone.name(model.now_ms)));
}
