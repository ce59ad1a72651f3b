//! Repairs: planned first, shown as a question, carried out as shown, told afterwards. Nothing is written by planning.

use super::copy::log_word;
use super::{ask, moves, settle, start};
use crate::query::What;
use crate::repair::{Fix, Plan, Wishes};
use crate::report::{path_text, record_line};
use crate::tui::actions::{Id, candidate_keys};
use crate::tui::effect::{Ask, Effect, Lane};
use crate::tui::keys::Key;
use crate::tui::message::Repaired;
use crate::tui::model::{
    Esc, Layer, Model, Offer, Question, Repairs, Scan, ScanState, Source, Tab, Then, Tone, Undecided, Wanted,
};

/// Plans the repair of the damage under the cursor.
pub(super) fn here(model: &mut Model) {
    let Some(What::Finding(finding)) = settle::chosen(model).map(|row| row.what) else { return };
    let fix = model.scan.fix(&finding).filter(|fix| fix.is_undecided());
    let undecided = fix.map(|fix| Undecided { start: finding.start, fix: fix.clone() });
    plan(model, Wanted::Repair { wishes: Wishes { at: Some(finding.start), ..Wishes::default() }, undecided });
}

/// Plans the repair of everything.
pub(super) fn everything(model: &mut Model) {
    plan(model, Wanted::Repair { wishes: Wishes::default(), undecided: None });
}

/// Plans to take back the last repair, or the one under the cursor among the repairs.
pub(super) fn undo(model: &mut Model) {
    let chosen = model.repairs.chosen().filter(|_| model.tab == Tab::Repairs);
    plan(model, Wanted::Undo(chosen.map(|record| record.number)));
}

fn plan(model: &mut Model, wanted: Wanted) {
    start(model, Lane::Write, format!("planning: {}", wanted.title()), Ask::Plan(wanted));
}

/// A plan has come: it is shown, unless somebody does something else by now.
pub(super) fn planned(model: &mut Model, offer: Offer) {
    planning_ends(model);
    if !model.layers.is_empty() {
        model.tell(format!("{}: planned, and not shown over what is open here; ask again", offer.wanted.title()));
        return;
    }
    let log = log_word(model);
    let go = match &offer.wanted {
        _ if offer.plan.is_empty() => None,
        Wanted::Repair { .. } => Some("Repair"),
        Wanted::Undo(_) => Some("Undo"),
    };
    let title = match offer.plan.undoes {
        Some(number) => format!("undo repair {number}"),
        None => offer.wanted.title(),
    };
    let lines = offer.lines(&model.facts.journals, &log);
    model.layers.push(Layer::Question(Question::new(title + "?", lines, go, Then::Apply(Box::new(offer)))));
}

/// Takes away the question that waits for a plan.
pub(super) fn planning_ends(model: &mut Model) {
    model.layers.retain(|layer| !matches!(layer, Layer::Question(Question { then: Then::Plan, .. })));
}

/// Plans again with another decision; the plan that was shown goes.
pub(super) fn decide(model: &mut Model, id: Id, key: Key) {
    let candidate = candidate_keys().iter().position(|own| *own == key).map(|before| before + 1);
    let Some(Layer::Question(Question { then: Then::Apply(offer), .. })) = model.layers.last() else { return };
    let Wanted::Repair { mut wishes, undecided } = offer.wanted.clone() else { return };
    match (id, candidate, &undecided) {
        (Id::AcceptLikely, ..) => wishes.accept_likely = !wishes.accept_likely,
        (Id::FenceUndecided, ..) => wishes.fence_undecided = !wishes.fence_undecided,
        (_, Some(nth), Some(Undecided { start, fix })) if (1..=fix.candidates.len()).contains(&nth) => {
            let chosen = (*start, nth);
            let again = wishes.choices.contains(&chosen);
            wishes.choices.clear();
            wishes.choices.extend((!again).then_some(chosen));
        }
        _ => return,
    }
    // A question in its place takes the keys meanwhile: none of them is meant for what lies behind.
    model.layers.pop();
    let lines = vec!["planning again with that decision...".to_owned()];
    let wanted = Wanted::Repair { wishes, undecided };
    model.layers.push(Layer::Question(Question::new(wanted.title() + "?", lines, None, Then::Plan)));
    plan(model, wanted);
}

/// Somebody has agreed to the plan that was shown.
pub(super) fn carry_out(model: &mut Model, plan: Plan) {
    let name = if plan.undoes.is_some() { "undoing" } else { "repairing" };
    start(model, Lane::Write, name, Ask::Apply(Box::new(plan)));
    if let Some(job) = model.jobs.last_mut() {
        job.esc = Esc::Waits;
    }
}

/// Tells what was done, and looks at everything anew: what was known of the log no longer holds.
pub(super) fn repaired(model: &mut Model, done: Repaired) {
    model.facts = done.facts;
    look_anew(model);
    let number = done.applied.number;
    let did = match done.undoes {
        Some(undone) => format!("repair {undone} is undone, which is repair {number}"),
        None => format!("repair {number} is done, u takes it back"),
    };
    let journal = path_text(&done.applied.journal);
    model.tell(match done.recovered {
        Some(recovered) => format!("{did}; before it, {recovered}"),
        None => format!("{did}; its journal: {journal}"),
    });
    if done.applied.index_behind {
        super::writing::catch_up(model);
    }
}

/// Looks at everything anew that was known of the log, at the same place.
pub(super) fn look_anew(model: &mut Model) {
    let place = model.list.offset().min(model.facts.bytes);
    let state = if model.scan.state == ScanState::Running || model.scan.is_done() {
        ScanState::Running
    } else {
        model.scan.state
    };
    model.scan = Scan::new(state);
    model.effects.push_back(Effect::RestartScan);
    super::gather::forget(model);
    model.detail.asked = None;
    model.detail.contents = None;
    model.aggregates.source = Source::Unasked;
    moves::window(model, place);
    look(model);
}

/// Asks for the medical record.
pub(super) fn look(model: &mut Model) {
    ask(model, Lane::Repairs, Ask::Records);
}

/// The medical record has come.
pub(super) fn records(model: &mut Model, records: Vec<crate::repair::Record>, notices: Vec<String>) {
    let before = model.repairs.pending().map(|record| record.number);
    model.repairs = Repairs { records, notices, ..std::mem::take(&mut model.repairs) };
    model.repairs.move_by(0);
    if let Some(record) = model.repairs.pending().filter(|record| Some(record.number) != before) {
        let line = record_line(record);
        model.tell_too(format!("repair {}", line.trim_start()), Tone::Bad);
    }
}

/// What can be done about what the detail pane shows, and where the bytes of a gap are kept.
pub(super) fn about_detail(model: &mut Model) {
    let Some(contents) = &mut model.detail.contents else { return };
    let What::Finding(finding) = &contents.row.what else { return };
    let fix: Option<&Fix> = model.scan.fix(finding);
    if contents.fix.as_ref() != fix {
        contents.fix = fix.cloned();
    }
    let keeper = model.repairs.keeper(finding.kind, finding.range());
    if contents.kept_in.as_deref() != keeper {
        contents.kept_in = keeper.map(std::path::Path::to_owned);
    }
}
