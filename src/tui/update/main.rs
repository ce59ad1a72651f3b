//! Actions of the screen itself, one arm each.

use super::{copy, enabled, moves, repair, settle, stop, writing};
use crate::query::{Direction, What};
use crate::tui::actions::{self, Id};
use crate::tui::effect::Effect;
use crate::tui::model::{
    Esc, Follow, Help, Layer, Model, Mouse, Pane, Prompt, Purpose, ScanState, Source, Tab, View, Zoom,
};

/// Runs an action, or says why it cannot be run.
pub(crate) fn act(model: &mut Model, id: Id) {
    if let Some(why) = enabled::why_not(model, id) {
        let title = actions::of(id).map_or("this", |action| action.title);
        model.warn(format!("{title}: {why}"));
        return;
    }
    match id {
        Id::Down | Id::Up | Id::HalfDown | Id::HalfUp | Id::PageDown | Id::PageUp | Id::First | Id::Last => {
            moves::move_cursor(model, id);
        }
        Id::Left => moves::sideways(model, -1),
        Id::Right => moves::sideways(model, 1),
        Id::NextPane => moves::pane(model, 1),
        Id::PreviousPane => moves::pane(model, -1),
        Id::TabEvents => moves::tab(model, Tab::Events),
        Id::TabAggregates => moves::tab(model, Tab::Aggregates),
        Id::TabFindings => moves::tab(model, Tab::Findings),
        Id::TabIndex => moves::tab(model, Tab::Index),
        Id::TabRepairs => moves::tab(model, Tab::Repairs),
        Id::NextView => moves::view(model, 1),
        Id::PreviousView => moves::view(model, -1),
        Id::Zoom => model.zoom = if model.zoom == Zoom::In { Zoom::Out } else { Zoom::In },
        Id::Enter => enter(model),
        Id::Sort => sort(model),
        Id::Palette => prompt(model, Purpose::Palette, ""),
        Id::Search => prompt(model, Purpose::Search, ""),
        Id::SearchNext => moves::search(model, Direction::Forward),
        Id::SearchPrevious => moves::search(model, Direction::Backward),
        Id::Filter => {
            let text = model.list.filter.text().to_owned();
            prompt(model, Purpose::Filter, &text);
        }
        Id::FilterAggregate => filter_aggregate(model),
        Id::FilterDrop => {
            let shorter = model.list.filter.without_last();
            moves::filter(model, shorter);
        }
        Id::NextDamage => moves::damage(model, Direction::Forward),
        Id::PreviousDamage => moves::damage(model, Direction::Backward),
        Id::Follow => moves::follow(model),
        Id::Append => {
            // What the last sending said is not what the next one will.
            model.form.outcome.clear();
            model.layers.push(Layer::Form);
        }
        Id::UpdateIndex => writing::update_index(model),
        Id::RebuildIndex => writing::ask_rebuild(model),
        Id::Repair => repair::here(model),
        Id::RepairAll => repair::everything(model),
        Id::Undo => repair::undo(model),
        Id::ScanStop => model.effects.push_back(Effect::StopScan),
        Id::ScanGo => {
            model.scan.state = ScanState::Running;
            model.effects.push_back(Effect::StartScan);
        }
        Id::Mouse => mouse(model),
        Id::Copy => model.layers.push(Layer::Copy),
        Id::CopyOffset | Id::CopyJson | Id::CopyPayload | Id::CopyHex | Id::CopyCommand => copy::copy(model, id),
        Id::Help => model.layers.push(Layer::Help(Help::default())),
        Id::Back => back(model),
        Id::Close | Id::Leave => {
            if model.layers.pop().is_none() {
                model.effects.push_back(Effect::Quit);
            }
        }
        Id::Suspend => model.effects.push_back(Effect::Suspend),
        // They mean something in their own places alone.
        Id::Submit
        | Id::Cancel
        | Id::Answer
        | Id::Send
        | Id::LeaveForm
        | Id::LeaveLine
        | Id::NextField
        | Id::LineBreak
        | Id::Complete
        | Id::Change
        | Id::Choose
        | Id::Read
        | Id::ReadBack
        | Id::Candidate
        | Id::AcceptLikely
        | Id::FenceUndecided => {}
    }
}

fn prompt(model: &mut Model, purpose: Purpose, text: &str) {
    model.layers.push(Layer::Prompt(Prompt::new(purpose, text)));
}

/// Opens, folds or goes to what is under the cursor.
fn enter(model: &mut Model) {
    match (model.focus, model.tab) {
        // What is read in the other pane is about the same entry.
        (_, Tab::Repairs) => {
            let record = model.repairs.chosen();
            if let Some(start) = record.and_then(|record| record.plan.steps.first()).map(|step| step.start) {
                moves::go_to(model, start);
            }
        }
        (Pane::Detail, _) => enter_detail(model),
        (Pane::Findings, _) | (_, Tab::Findings) => {
            if let Some(finding) = model.scan.findings.get(model.findings.at) {
                moves::go_to(model, finding.start);
            }
        }
        (_, Tab::Events) => model.focus = Pane::Detail,
        (_, Tab::Aggregates) => {
            let row = model.aggregates.row(model.aggregates.cursor.at).copied();
            if let Some(row) = row
                && let Ok(filter) = model.list.filter.with(&format!("agg:{}", row.id))
            {
                model.tab = Tab::Events;
                model.focus = Pane::Main;
                model.list.filter = filter;
                moves::window(model, row.first);
            }
        }
        (_, Tab::Index) => act(model, Id::UpdateIndex),
    }
}

fn enter_detail(model: &mut Model) {
    let line = model.detail.cursor;
    let Some(contents) = &mut model.detail.contents else { return };
    match model.detail.view {
        View::Json => {
            contents.doc.toggle(line);
            model.detail.move_by(0);
        }
        View::Aggregate => {
            let place = contents.story.as_ref().and_then(|story| story.at(line)).map(|chapter| chapter.row.start);
            if let Some(offset) = place {
                moves::go_to(model, offset);
            }
        }
        View::Hex | View::Frame => {}
    }
}

fn sort(model: &mut Model) {
    model.aggregates.sort = model.aggregates.sort.next();
    model.aggregates.cursor.at = 0;
    model.aggregates.cursor.top = 0;
    model.aggregates.source = Source::Unasked;
}

fn filter_aggregate(model: &mut Model) {
    let id = match settle::chosen(model).map(|row| row.what) {
        Some(What::Event(event)) => event.aggregate_id,
        _ => None,
    };
    if let Some(filter) = id.and_then(|id| model.list.filter.with(&format!("agg:{id}")).ok()) {
        model.tab = Tab::Events;
        moves::filter(model, filter);
    }
}

fn mouse(model: &mut Model) {
    model.mouse = if model.mouse == Mouse::On { Mouse::Off } else { Mouse::On };
    let on = model.mouse == Mouse::On;
    model.effects.push_back(Effect::ListenToMouse(on));
    model.tell(if on { "the mouse moves the cursor" } else { "the mouse selects text" });
}

/// Leaves what was entered last: job, search, filter, zoom, pane, in that order. Never quits.
fn back(model: &mut Model) {
    if let Some(job) = model.jobs.last().cloned() {
        if job.esc == Esc::Waits {
            model.tell(format!("{}: what has begun is carried through", job.name));
        } else {
            stop(model, job.lane);
            model.tell(format!("{}: stopped", job.name));
        }
    } else if model.search.take().is_some() {
        model.tell("search dropped");
    } else if !model.list.filter.is_empty() {
        moves::filter(model, crate::query::Filter::default());
        model.tell("filter dropped");
    } else if model.zoom == Zoom::In {
        model.zoom = Zoom::Out;
    } else if model.focus != Pane::Main {
        model.focus = Pane::Main;
    } else if model.follow == Follow::Yes {
        moves::leave_end(model);
    }
}
