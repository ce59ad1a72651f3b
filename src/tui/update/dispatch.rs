//! Runs the actions of the screen, or passes them to the file that does.

use super::navigation::{LineEnd, Movement};
use super::requests::{send_request, stop_worker};
use super::{
    aggregates, append, awaited, columns, compare, copy, detail, export, filter_help, following, index, messages,
    navigation, places, reload, repair, report, rows, segment_change, segments, session, statistics, tabs, timeline,
    zone,
};
use crate::query::{Direction, Filter};
use crate::tui::actions::{self, ActionId};
use crate::tui::effect::{Effect, MouseCapture};
use crate::tui::model::{
    COMPACT_WORD, ColumnStep, EscBehavior, Follow, HelpOverlay, MarkUse, Model, Overlay, Pane, Prompt, PromptPurpose,
    SCREENSHOT_WORD, ScanState, THEME_WORD, Tab, Zoom,
};
use crate::tui::request::{Request, WorkerKind};

/// Runs an action, or reports why it is not available.
#[expect(clippy::too_many_lines, reason = "one line for each action")]
pub(crate) fn run_action(model: &mut Model, id: ActionId) {
    if awaited::defer(model, id) {
        return;
    }
    if let Some(reason) = model.disabled_reason(id) {
        let title = actions::action_by_id(id).map_or("action", |action| action.title);
        model.warn(format!("{title}: {reason}"));
        return;
    }
    match id {
        ActionId::Down => navigation::move_cursor(model, Movement::Lines(1)),
        ActionId::Up => navigation::move_cursor(model, Movement::Lines(-1)),
        ActionId::HalfDown => navigation::move_cursor(model, Movement::HalfPages(1)),
        ActionId::HalfUp => navigation::move_cursor(model, Movement::HalfPages(-1)),
        ActionId::PageDown => navigation::move_cursor(model, Movement::Pages(1)),
        ActionId::PageUp => navigation::move_cursor(model, Movement::Pages(-1)),
        ActionId::First => navigation::move_cursor(model, Movement::ToFirst),
        ActionId::Last => navigation::move_cursor(model, Movement::ToLast),
        ActionId::Left => navigation::scroll_sideways(model, -1),
        ActionId::Right => navigation::scroll_sideways(model, 1),
        ActionId::NextPane => tabs::cycle_focus(model, 1),
        ActionId::PreviousPane => tabs::cycle_focus(model, -1),
        ActionId::TabEvents => tabs::switch_tab(model, Tab::Events),
        ActionId::TabAggregates => tabs::switch_tab(model, Tab::Aggregates),
        ActionId::TabFindings => tabs::switch_tab(model, Tab::Findings),
        ActionId::TabIndex => tabs::switch_tab(model, Tab::Index),
        ActionId::TabRepairs => tabs::switch_tab(model, Tab::Repairs),
        ActionId::TabStatistics => tabs::switch_tab(model, Tab::Statistics),
        ActionId::TabSegments => tabs::switch_tab(model, Tab::Segments),
        ActionId::TabCompare => tabs::switch_tab(model, Tab::Compare),
        ActionId::Compare => compare::open_prompt(model),
        ActionId::Period => statistics::select_period(model),
        ActionId::Timeline => timeline::toggle(model),
        ActionId::TimelineEarlier => timeline::step(model, ColumnStep::Earlier),
        ActionId::TimelineLater => timeline::step(model, ColumnStep::Later),
        ActionId::TimelineSelect => timeline::toggle_selection(model),
        ActionId::TimelineFilter => timeline::filter_by_selection(model),
        ActionId::NextView => navigation::cycle_view(model, 1),
        ActionId::PreviousView => navigation::cycle_view(model, -1),
        ActionId::ToggleState => detail::toggle_state(model),
        ActionId::ToggleBytes => detail::toggle_bytes(model),
        ActionId::ToggleFolds => detail::toggle_all_folds(model),
        ActionId::ToggleWrap => detail::toggle_wrap(model),
        ActionId::LineStart => navigation::scroll_to_line_end(model, LineEnd::First),
        ActionId::LineEnd => navigation::scroll_to_line_end(model, LineEnd::Last),
        ActionId::ToggleOffsetBase => detail::toggle_offset_base(model),
        ActionId::FilterWithValue | ActionId::FilterWithoutValue | ActionId::FilterOnlyValue => {
            detail::filter_by_value(model, id);
        }
        ActionId::JumpBack => places::go_back(model),
        ActionId::JumpForward => places::go_forward(model),
        ActionId::SetMark => model.overlays.push(Overlay::MarkName(MarkUse::Set)),
        ActionId::GoToMark => model.overlays.push(Overlay::MarkName(MarkUse::GoTo)),
        ActionId::Zoom => model.zoom = if model.zoom == Zoom::In { Zoom::Out } else { Zoom::In },
        ActionId::Activate => activate(model),
        ActionId::Sort if model.tab == Tab::Statistics => model.statistics.group_by_next(),
        ActionId::Sort => aggregates::cycle_sort(model),
        ActionId::Palette => open_prompt(model, PromptPurpose::Palette, ""),
        ActionId::Search | ActionId::Filter if model.tab == Tab::Aggregates => {
            let digits = model.aggregates.id_prefix.digits().to_owned();
            model.overlays.push(Overlay::Prompt(Prompt::new(PromptPurpose::AggregateId, &digits)));
        }
        ActionId::FilterRemoveLast if model.tab == Tab::Aggregates && !model.aggregates.id_prefix.is_empty() => {
            aggregates::clear_id_filter(model);
        }
        ActionId::Search => open_prompt(model, PromptPurpose::Search, ""),
        ActionId::SearchNext => navigation::go_to_match(model, Direction::Forward),
        ActionId::SearchPrevious => navigation::go_to_match(model, Direction::Backward),
        ActionId::Filter => {
            let text = model.list.filter.text().to_owned();
            open_prompt(model, PromptPurpose::Filter, &text);
        }
        ActionId::FilterHelp => filter_help::show_filter_help(model),
        ActionId::FilterAggregate => aggregates::filter_by_aggregate(model),
        ActionId::FilterRemoveLast => {
            let shorter = model.list.filter.without_last();
            rows::set_filter(model, shorter);
        }
        ActionId::ToggleFindings => rows::toggle_finding_rows(model),
        ActionId::NextDamage => navigation::go_to_damage(model, Direction::Forward),
        ActionId::PreviousDamage => navigation::go_to_damage(model, Direction::Backward),
        ActionId::Follow => following::toggle_follow(model),
        ActionId::Append => append::open_form(model),
        ActionId::AppendLike => append::open_form_like_selected(model),
        ActionId::UpdateIndex => index::update_index(model),
        ActionId::RebuildIndex => index::confirm_rebuild(model),
        ActionId::Repair if model.tab == Tab::Compare => compare::plan_selected(model),
        ActionId::Repair => repair::plan_selected(model),
        ActionId::RepairAll => repair::plan_all(model),
        ActionId::Undo => repair::plan_undo(model),
        ActionId::Erase => repair::plan_erase(model, None),
        ActionId::Purge => repair::plan_purge(model),
        ActionId::Retain => segment_change::plan_selected(model),
        ActionId::Compact => open_prompt(model, PromptPurpose::Palette, &format!("{COMPACT_WORD} ")),
        ActionId::Columns => columns::open(model),
        ActionId::ToggleZone => zone::toggle(model),
        ActionId::ScanStop => model.effects.push_back(Effect::StopScan),
        // A scan that has read everything has nothing to resume, so it reads everything again.
        ActionId::ScanResume if model.scan.has_read_all() => reload::verify_all(model),
        ActionId::ScanResume => {
            model.scan.state = ScanState::Running;
            model.effects.push_back(Effect::ResumeScan);
        }
        ActionId::ReadAgain if model.tab == Tab::Statistics => statistics::count_again(model),
        ActionId::ReadAgain if model.tab == Tab::Compare => compare::compare_again(model),
        ActionId::ReadAgain if model.tab == Tab::Segments => segments::read_again(model),
        ActionId::ReadAgain => reload::read_rows_again(model),
        ActionId::Verify => reload::verify_all(model),
        ActionId::Messages => messages::show_messages(model),
        ActionId::SaveCopy => copy::save_copy(model),
        ActionId::Export => export::open_prompt(model),
        ActionId::ToggleMouse => toggle_mouse(model),
        ActionId::ChooseTheme => open_prompt(model, PromptPurpose::Palette, &format!("{THEME_WORD} ")),
        ActionId::Screenshot => open_prompt(model, PromptPurpose::Palette, &format!("{SCREENSHOT_WORD} ")),
        ActionId::Report => report::open_palette(model),
        ActionId::Copy => model.overlays.push(Overlay::CopyChord),
        ActionId::CopyOffset
        | ActionId::CopyJson
        | ActionId::CopyPayload
        | ActionId::CopyValue
        | ActionId::CopyPath
        | ActionId::CopyHex
        | ActionId::CopyCommand => copy::copy_selection(model, id),
        ActionId::Help => model.overlays.push(Overlay::Help(HelpOverlay::default())),
        ActionId::Back => go_back(model),
        ActionId::Close | ActionId::Interrupt => {
            if model.overlays.pop().is_none() {
                session::quit(model);
            }
        }
        ActionId::Suspend => model.effects.push_back(Effect::Suspend),
        ActionId::Redraw => model.effects.push_back(Effect::Redraw),
        // The overlays handle these actions themselves.
        ActionId::SubmitPrompt
        | ActionId::Cancel
        | ActionId::ConfirmChoice
        | ActionId::SubmitForm
        | ActionId::CloseForm
        | ActionId::ClosePrompt
        | ActionId::NextField
        | ActionId::LineBreak
        | ActionId::Complete
        | ActionId::PreviousInput
        | ActionId::NextInput
        | ActionId::PromptHelp
        | ActionId::ChangeValue
        | ActionId::NextButton
        | ActionId::ScrollDown
        | ActionId::ScrollUp
        | ActionId::ToggleRange
        | ActionId::ShowBytes
        | ActionId::ExplainPlan
        | ActionId::CopyPlanCommand
        | ActionId::ToggleCandidate
        | ActionId::AcceptLikely
        | ActionId::GapUndecided
        | ActionId::AcceptLargeGap
        | ActionId::NextColumn
        | ActionId::PreviousColumn
        | ActionId::ToggleColumn
        | ActionId::ColumnLeft
        | ActionId::ColumnRight
        | ActionId::WidenColumn
        | ActionId::NarrowColumn
        | ActionId::AddColumn
        | ActionId::DefaultColumns
        | ActionId::CloseColumns => {}
    }
}

/// Runs the queued actions whose row has arrived.
pub(super) fn run_awaited(model: &mut Model) {
    while let Some(id) = awaited::take_ready(model) {
        // The others stay queued in order while this action runs.
        let mut waiting = std::mem::take(&mut model.awaited);
        run_action(model, id);
        model.awaited.append(&mut waiting);
    }
}

fn open_prompt(model: &mut Model, purpose: PromptPurpose, text: &str) {
    model.overlays.push(Overlay::Prompt(Prompt::new(purpose, text)));
    // The log may have grown since the last prompt, and `end-1h` refers to its last event.
    if purpose != PromptPurpose::Search {
        send_request(model, WorkerKind::Prompt, Request::EventTimes);
    }
}

/// Opens or folds the selected line, or goes to the offset that it names.
fn activate(model: &mut Model) {
    match (model.focus, model.tab) {
        // In this tab the detail pane shows the selected entry, so both panes lead to the same offset.
        (_, Tab::Repairs) => {
            if let Some(start) = model.repairs.selected_offset() {
                navigation::go_to_offset(model, start);
            }
        }
        (_, Tab::Compare) => compare::go_to_selected(model),
        (_, Tab::Segments) => segments::go_to_selected(model),
        (Pane::Detail, _) => detail::activate(model),
        (Pane::Timeline, _) => timeline::filter_by_selection(model),
        (Pane::Findings, _) | (_, Tab::Findings) => {
            if let Some(finding) = model.scan.findings.get(model.findings.line) {
                let start = finding.start;
                navigation::go_to_offset(model, start);
            }
        }
        (_, Tab::Events) => model.focus = Pane::Detail,
        (_, Tab::Aggregates) => aggregates::show_selected(model),
        (_, Tab::Index) => run_action(model, ActionId::UpdateIndex),
        (_, Tab::Statistics) => statistics::filter_by_group(model),
    }
}

fn toggle_mouse(model: &mut Model) {
    let (mouse, message) = match model.mouse {
        MouseCapture::On => (MouseCapture::Off, "Mouse off: the terminal selects text"),
        MouseCapture::Off => (MouseCapture::On, "Mouse on: clicks move the cursor"),
    };
    model.mouse = mouse;
    model.effects.push_back(Effect::SetMouseCapture(mouse));
    model.notify(message);
}

/// Drops the actions that wait and stops the newest job. When there is neither, clears the search, the filter, the zoom,
/// the focus or follow mode, in that order. This never quits the screen.
fn go_back(model: &mut Model) {
    let dropped = std::mem::take(&mut model.awaited);
    if let Some(job) = model.jobs.last().cloned() {
        match job.on_esc {
            EscBehavior::AsksToStop | EscBehavior::Asked => {
                model.effects.push_back(Effect::AskToStop(job.worker));
                model.notify(format!("Stopping: {}, unless it has begun to {}", job.name, job.last_step()));
                model.jobs.iter_mut().filter(|other| other.worker == job.worker).for_each(|job| {
                    job.on_esc = EscBehavior::Asked;
                });
            }
            EscBehavior::CancelsJob => {
                stop_worker(model, job.worker);
                model.notify(format!("Stopped: {}", job.name));
            }
        }
    } else if !dropped.is_empty() {
        model.notify("Waiting actions dropped");
    } else if model.focus == Pane::Timeline {
        timeline::leave(model);
    } else if model.tab == Tab::Aggregates && !model.aggregates.id_prefix.is_empty() {
        aggregates::clear_id_filter(model);
    } else if model.search.take().is_some() {
        model.notify("Search cleared");
    } else if !model.list.filter.is_empty() {
        rows::set_filter(model, Filter::default());
        model.notify("Filter cleared");
    } else if model.zoom == Zoom::In {
        model.zoom = Zoom::Out;
    } else if model.focus != Pane::Main {
        model.focus = Pane::Main;
    } else if model.follow != Follow::No {
        following::stop_following(model);
    }
}
