//! Compares the log with a backup, and takes events from it.

use std::path::PathBuf;

use super::requests::{send_request, start_job};
use super::{navigation, repair, tabs};
use crate::tui::model::{
    BackupComparison, BothSides, COMPARE_WORD, CompareState, DetailView, ListCursor, Model, Overlay, Pane, Prompt,
    PromptPurpose, Tab,
};
use crate::tui::request::{Request, WorkerKind};

/// Opens the prompt for the path of a backup.
pub(super) fn open_prompt(model: &mut Model) {
    model.folder_listing = None;
    model.overlays.push(Overlay::Prompt(Prompt::new(PromptPurpose::Palette, &format!("{COMPARE_WORD} "))));
}

/// Compares the log with the backup at `path`, and shows the Compare tab.
pub(super) fn compare_with(model: &mut Model, path: PathBuf) {
    model.compare.choose(path);
    tabs::switch_tab(model, Tab::Compare);
}

/// Starts the comparison when the Compare tab is shown and needs one, and reads the contents of both copies at the
/// difference that the detail pane shows.
pub(super) fn request_comparison(model: &mut Model) {
    if model.tab == Tab::Compare
        && model.compare.state == CompareState::Needed
        && let Some(path) = model.compare.path.clone()
    {
        model.compare.state = CompareState::Running;
        let name = format!("comparing with {}", model.compare.backup_name());
        start_job(model, WorkerKind::Compare, name, Request::Compare(path));
    }
    request_sides(model);
}

fn request_sides(model: &mut Model) {
    let shown = match model.tab {
        Tab::Compare => Some(model.compare.cursor.line),
        _ => model
            .detail
            .contents
            .as_ref()
            .filter(|_| model.shows_backup_view())
            .and_then(|contents| contents.difference),
    };
    let Some(number) = shown.filter(|number| model.compare.requested_sides != Some(*number)) else { return };
    let (Some(path), Some(difference)) = (model.compare.path.clone(), model.compare.differences().get(number)) else {
        return;
    };
    let difference = Box::new(difference.clone());
    model.compare.requested_sides = Some(number);
    send_request(model, WorkerKind::Sides, Request::BothSides { path, difference });
}

/// Compares again.
pub(super) fn compare_again(model: &mut Model) {
    if model.compare.path.is_none() {
        return open_prompt(model);
    }
    model.compare.invalidate();
}

/// Shows the differences that were found.
pub(super) fn show(model: &mut Model, result: BackupComparison) {
    let pane = &mut model.compare;
    pane.state = CompareState::Done;
    pane.result = Some(BackupComparison { read_at_ms: model.now_ms, ..result });
    pane.detail_cursor = ListCursor { line: 0, top: 0, ..pane.detail_cursor };
    pane.discard_sides();
    pane.move_by(0);
}

/// Shows the contents of both copies at a difference, when the difference is still listed.
pub(super) fn show_sides(model: &mut Model, sides: BothSides) {
    let requested = model.compare.requested_sides.and_then(|number| model.compare.differences().get(number));
    if requested == Some(&sides.difference) {
        model.compare.sides = Some(sides);
    }
}

/// Goes to the place of the selected difference in the log, with both copies in the detail pane.
pub(super) fn go_to_selected(model: &mut Model) {
    let Some(difference) = model.compare.selected() else { return };
    // Events of the backup after the end of the log are shown at the last row of the log.
    let offset = difference.start.min(model.log_info.bytes.saturating_sub(1));
    model.record_place();
    navigation::go_to_offset(model, offset);
    model.detail.view = DetailView::Backup;
    model.detail.finding_view = Some(DetailView::Backup);
    model.focus = Pane::Main;
}

/// Plans the repair of the damage at the selected difference with the events of the backup.
pub(super) fn plan_selected(model: &mut Model) {
    let Some(start) = model.compare.selected().map(|difference| difference.start) else { return };
    repair::plan_at(model, start);
}
