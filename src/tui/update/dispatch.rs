//! Actions of the screen itself, one arm each.

use super::{copy, enabled, navigation, refresh, repair, stop_worker, writing};
use crate::query::{Direction, RowContent};
use crate::tui::actions::{self, ActionId};
use crate::tui::effect::Effect;
use crate::tui::model::{
    AggregateLoadState, DetailView, EscBehavior, Follow, HelpOverlay, Model, MouseCapture, Overlay, Pane, Prompt,
    PromptPurpose, ScanState, Tab, Zoom,
};

/// Runs an action, or says why it cannot be run.
pub(crate) fn run_action(model: &mut Model, id: ActionId) {
    if let Some(why) = enabled::disabled_reason(model, id) {
        let title = actions::action_by_id(id).map_or("this", |action| action.title);
        model.warn(format!("{title}: {why}"));
        return;
    }
    match id {
        ActionId::Down
        | ActionId::Up
        | ActionId::HalfDown
        | ActionId::HalfUp
        | ActionId::PageDown
        | ActionId::PageUp
        | ActionId::First
        | ActionId::Last => {
            navigation::move_cursor(model, id);
        }
        ActionId::Left => navigation::scroll_sideways(model, -1),
        ActionId::Right => navigation::scroll_sideways(model, 1),
        ActionId::NextPane => navigation::cycle_focus(model, 1),
        ActionId::PreviousPane => navigation::cycle_focus(model, -1),
        ActionId::TabEvents => navigation::switch_tab(model, Tab::Events),
        ActionId::TabAggregates => navigation::switch_tab(model, Tab::Aggregates),
        ActionId::TabFindings => navigation::switch_tab(model, Tab::Findings),
        ActionId::TabIndex => navigation::switch_tab(model, Tab::Index),
        ActionId::TabRepairs => navigation::switch_tab(model, Tab::Repairs),
        ActionId::NextView => navigation::cycle_view(model, 1),
        ActionId::PreviousView => navigation::cycle_view(model, -1),
        ActionId::Zoom => model.zoom = if model.zoom == Zoom::In { Zoom::Out } else { Zoom::In },
        ActionId::Activate => activate(model),
        ActionId::Sort => cycle_sort(model),
        ActionId::Palette => open_prompt(model, PromptPurpose::Palette, ""),
        ActionId::Search => open_prompt(model, PromptPurpose::Search, ""),
        ActionId::SearchNext => navigation::go_to_match(model, Direction::Forward),
        ActionId::SearchPrevious => navigation::go_to_match(model, Direction::Backward),
        ActionId::Filter => {
            let text = model.list.filter.text().to_owned();
            open_prompt(model, PromptPurpose::Filter, &text);
        }
        ActionId::FilterAggregate => filter_by_aggregate(model),
        ActionId::FilterRemoveLast => {
            let shorter = model.list.filter.without_last();
            navigation::set_filter(model, shorter);
        }
        ActionId::NextDamage => navigation::go_to_damage(model, Direction::Forward),
        ActionId::PreviousDamage => navigation::go_to_damage(model, Direction::Backward),
        ActionId::Follow => navigation::toggle_follow(model),
        ActionId::Append => {
            // What the last sending said is not what the next one will.
            model.form.outcome.clear();
            model.overlays.push(Overlay::Form);
        }
        ActionId::UpdateIndex => writing::update_index(model),
        ActionId::RebuildIndex => writing::confirm_rebuild(model),
        ActionId::Repair => repair::plan_at_cursor(model),
        ActionId::RepairAll => repair::plan_all(model),
        ActionId::Undo => repair::plan_undo(model),
        ActionId::ScanStop => model.effects.push_back(Effect::StopScan),
        ActionId::ScanResume => {
            model.scan.state = ScanState::Running;
            model.effects.push_back(Effect::StartScan);
        }
        ActionId::ToggleMouse => toggle_mouse(model),
        ActionId::Copy => model.overlays.push(Overlay::CopyChord),
        ActionId::CopyOffset
        | ActionId::CopyJson
        | ActionId::CopyPayload
        | ActionId::CopyHex
        | ActionId::CopyCommand => copy::copy_selection(model, id),
        ActionId::Help => model.overlays.push(Overlay::Help(HelpOverlay::default())),
        ActionId::Back => go_back(model),
        ActionId::Close | ActionId::Interrupt => {
            if model.overlays.pop().is_none() {
                model.effects.push_back(Effect::Quit);
            }
        }
        ActionId::Suspend => model.effects.push_back(Effect::Suspend),
        // They mean something in their own places alone.
        ActionId::SubmitPrompt
        | ActionId::Cancel
        | ActionId::ConfirmChoice
        | ActionId::SubmitForm
        | ActionId::CloseForm
        | ActionId::ClosePrompt
        | ActionId::NextField
        | ActionId::LineBreak
        | ActionId::Complete
        | ActionId::ChangeValue
        | ActionId::NextButton
        | ActionId::ScrollDown
        | ActionId::ScrollUp
        | ActionId::ToggleCandidate
        | ActionId::AcceptLikely
        | ActionId::GapUndecided => {}
    }
}

fn open_prompt(model: &mut Model, purpose: PromptPurpose, text: &str) {
    model.overlays.push(Overlay::Prompt(Prompt::new(purpose, text)));
}

/// Opens, folds or goes to what is under the cursor.
fn activate(model: &mut Model) {
    match (model.focus, model.tab) {
        // What is read in the other pane is about the same entry.
        (_, Tab::Repairs) => {
            let record = model.repairs.selected_record();
            if let Some(start) = record.and_then(|record| record.plan.steps.first()).map(|step| step.start) {
                navigation::go_to_offset(model, start);
            }
        }
        (Pane::Detail, _) => activate_detail(model),
        (Pane::Findings, _) | (_, Tab::Findings) => {
            if let Some(finding) = model.scan.findings.get(model.findings.line) {
                navigation::go_to_offset(model, finding.start);
            }
        }
        (_, Tab::Events) => model.focus = Pane::Detail,
        (_, Tab::Aggregates) => {
            let row = model.aggregates.row(model.aggregates.cursor.line).copied();
            if let Some(row) = row
                && let Ok(filter) = model.list.filter.with_words(&format!("agg:{}", row.id))
            {
                model.tab = Tab::Events;
                model.focus = Pane::Main;
                model.list.filter = filter;
                navigation::request_window(model, row.first);
            }
        }
        (_, Tab::Index) => run_action(model, ActionId::UpdateIndex),
    }
}

fn activate_detail(model: &mut Model) {
    let line = model.detail.cursor;
    let Some(contents) = &mut model.detail.contents else { return };
    match model.detail.view {
        DetailView::Json => {
            contents.doc.toggle_fold(line);
            model.detail.move_by(0);
        }
        DetailView::Aggregate => {
            let place =
                contents.history.as_ref().and_then(|story| story.entry_at_line(line)).map(|chapter| chapter.row.start);
            if let Some(offset) = place {
                navigation::go_to_offset(model, offset);
            }
        }
        DetailView::Hex | DetailView::Frame => {}
    }
}

fn cycle_sort(model: &mut Model) {
    model.aggregates.sort = model.aggregates.sort.next();
    model.aggregates.cursor.line = 0;
    model.aggregates.cursor.top = 0;
    model.aggregates.load_state = AggregateLoadState::NotRequested;
}

fn filter_by_aggregate(model: &mut Model) {
    let id = match refresh::selected_row(model).map(|row| row.content) {
        Some(RowContent::Event(event)) => event.aggregate_id,
        _ => None,
    };
    if let Some(filter) = id.and_then(|id| model.list.filter.with_words(&format!("agg:{id}")).ok()) {
        model.tab = Tab::Events;
        navigation::set_filter(model, filter);
    }
}

fn toggle_mouse(model: &mut Model) {
    model.mouse = if model.mouse == MouseCapture::On { MouseCapture::Off } else { MouseCapture::On };
    let on = model.mouse == MouseCapture::On;
    model.effects.push_back(Effect::SetMouseCapture(on));
    model.notify(if on { "the mouse moves the cursor" } else { "the mouse selects text" });
}

/// Leaves what was entered last: job, search, filter, zoom, pane, in that order. Never quits.
fn go_back(model: &mut Model) {
    if let Some(job) = model.jobs.last().cloned() {
        if job.on_esc == EscBehavior::Ignored {
            model.notify(format!("{}: what has begun is carried through", job.name));
        } else {
            stop_worker(model, job.worker);
            model.notify(format!("{}: stopped", job.name));
        }
    } else if model.search.take().is_some() {
        model.notify("search dropped");
    } else if !model.list.filter.is_empty() {
        navigation::set_filter(model, crate::query::Filter::default());
        model.notify("filter dropped");
    } else if model.zoom == Zoom::In {
        model.zoom = Zoom::Out;
    } else if model.focus != Pane::Main {
        model.focus = Pane::Main;
    } else if model.follow == Follow::Yes {
        navigation::stop_following(model);
    }
}
