//! Switches between tabs, and moves the focus between the panes of a tab.

use super::reload;
use crate::tui::layout;
use crate::tui::model::{AggregateLoadState, Model, Pane, Tab};

/// Shows a tab and moves the focus to its main pane.
pub(super) fn switch_tab(model: &mut Model, tab: Tab) {
    // The key of the shown tab leads back to its rows.
    model.focus = Pane::Main;
    if model.tab == tab {
        return;
    }
    model.tab = tab;
    if tab == Tab::Aggregates && model.aggregates.load_state == AggregateLoadState::NoIndex {
        model.aggregates.load_state = AggregateLoadState::NotRequested;
    }
    if tab == Tab::Segments {
        model.segments.open();
    }
    // Another process may have repaired the log since the history was read.
    if tab == Tab::Repairs {
        reload::request_repair_history(model);
    }
}

/// Moves the focus by a number of panes. The order is cyclic.
pub(super) fn cycle_focus(model: &mut Model, steps: isize) {
    let panes = layout::focusable_panes(model);
    let current = panes.iter().position(|pane| *pane == model.focus).unwrap_or_default() as isize;
    let next = (current + steps).rem_euclid(panes.len().max(1) as isize) as usize;
    model.focus = panes.get(next).copied().unwrap_or_default();
}
