//! Repairs on the screen: planned for what is under the cursor or for everything, shown as a question, applied, told.

use super::copy::quoted;
use super::{ask_whole, moves, settle, start};
use crate::format::{Finding, Kind};
use crate::query::What;
use crate::repair::{Certainty, LogIdentity, Plan, Wishes};
use crate::report::units::count;
use crate::report::{path_text, plan_lines};
use crate::tui::actions::Id;
use crate::tui::effect::{Ask, Effect, Extent, Lane};
use crate::tui::keys::Key;
use crate::tui::message::{Planned, Repaired};
use crate::tui::model::{Consent, Layer, Model, Question, Scan, ScanState, Source, Tab, Then};

/// The damage under the cursor, as far as it is known.
fn damage(model: &Model) -> Option<Finding> {
    let row = settle::chosen(model)?;
    match row.what {
        What::Finding(finding) if finding.kind.is_damage() => Some(finding),
        What::Header => model.scan.findings.iter().find(|finding| finding.kind == Kind::Header).cloned(),
        _ => None,
    }
}

/// Where the damage under the cursor starts.
pub(super) fn place(model: &Model) -> Option<u64> {
    let listed = matches!(model.tab, Tab::Events | Tab::Findings);
    damage(model).filter(|_| listed).map(|finding| finding.start)
}

/// Plans for what is under the cursor.
pub(super) fn here(model: &mut Model) {
    if let Some(at) = place(model) {
        plan(model, Wishes { at: Some(at), ..Wishes::default() });
    }
}

/// Plans for all damage.
pub(super) fn everything(model: &mut Model) {
    plan(model, Wishes::default());
}

fn plan(model: &mut Model, wishes: Wishes) {
    start(model, Lane::Write, "planning a repair", Ask::Plan(wishes));
}

/// Plans to take the last repair back, or the one under the cursor.
pub(super) fn undo(model: &mut Model) {
    let chosen = model.repairs.at(model.repairs.cursor.at).filter(|_| model.tab == Tab::Repairs);
    let number = chosen.map(|record| record.number);
    start(model, Lane::Write, "planning an undo", Ask::PlanUndo(number));
}

/// Shows a plan, and asks.
pub(super) fn planned(model: &mut Model, planned: Planned) {
    // The log's path as the screen has it, which is the same unless the plan is about another log.
    let log = LogIdentity { path: model.facts.path.clone(), ..planned.plan.log.clone() };
    let mut lines = plan_lines(&Plan { log, ..planned.plan.clone() }, &model.facts.journals);
    lines.push(String::new());
    if !planned.plan.is_empty() {
        lines.push(format!("As a command: {}", command(model, &planned)));
    }
    if let Some(wishes) = &planned.wishes {
        lines.extend(keys(&planned.plan, wishes));
    }
    let (title, go) = match (planned.plan.undoes, planned.plan.is_empty()) {
        (_, true) => ("Nothing is repaired by itself".to_owned(), ""),
        (Some(number), _) => (format!("Take repair {number} back?"), "Undo"),
        (None, _) => ("Repair this log?".to_owned(), "Repair"),
    };
    model.layers.push(Layer::Question(Question::new(title, lines, go, Then::Apply(Box::new(planned)))));
}

/// What else can be decided, and with which key.
fn keys(plan: &Plan, wishes: &Wishes) -> Vec<String> {
    let open = plan.left.iter().flat_map(|left| &left.also_possible).filter(|fix| fix.is_undecided());
    let (mut candidates, mut likely, mut undecided) = (0, false, false);
    for fix in open.filter(|fix| fix.action.restores()) {
        undecided = true;
        likely |= fix.certainty == Some(Certainty::Likely);
        candidates = candidates.max(fix.candidates.len());
    }
    let mut lines = Vec::new();
    if likely || wishes.accept_likely {
        let now = if wishes.accept_likely { "taken: l leaves them" } else { "left: l takes them" };
        lines.push(format!("Likely fixes are {now}."));
    }
    if wishes.at.is_some() && candidates > 0 {
        let which = if candidates == 1 {
            "1 takes the candidate".into()
        } else {
            format!("1 to {} take that candidate", candidates.min(9))
        };
        lines.push(which + ".");
    }
    if undecided || wishes.fence_undecided {
        let now = if wishes.fence_undecided { "fenced off: g leaves it" } else { "left: g fences it off" };
        lines.push(format!("What nobody has decided about is {now}."));
    }
    lines
}

/// Plans again with another decision.
pub(super) fn decide(model: &mut Model, id: Id, key: Key) {
    let Some(Layer::Question(question)) = model.layers.last() else { return };
    let Then::Apply(planned) = &question.then else { return };
    let Some(mut wishes) = planned.wishes.clone() else { return };
    match (id, key, first_start(&planned.plan)) {
        (Id::AcceptLikely, ..) => wishes.accept_likely = !wishes.accept_likely,
        (Id::FenceOff, ..) => wishes.fence_undecided = !wishes.fence_undecided,
        (_, Key::Char(digit), Some(start)) if wishes.at.is_some() => {
            let number = digit.to_digit(10).unwrap_or_default() as usize;
            wishes.choices = vec![(start, number)];
        }
        _ => return,
    }
    model.layers.pop();
    plan(model, wishes);
}

/// Where the first finding starts that a plan is about.
fn first_start(plan: &Plan) -> Option<u64> {
    let planned = plan.steps.iter().flat_map(|step| &step.pieces);
    planned.chain(plan.left.iter().map(|left| &left.piece)).map(|piece| piece.start).min()
}

/// The command that does what a plan does.
fn command(model: &Model, planned: &Planned) -> String {
    let log = quoted(&path_text(&model.facts.path));
    let Some(wishes) = &planned.wishes else {
        let number = planned.plan.undoes.map(|number| format!(" {number}")).unwrap_or_default();
        return format!("chronicle undo {log}{number}");
    };
    let mut words = vec![format!("chronicle repair {log}")];
    if wishes.at.is_some() {
        words.extend(first_start(&planned.plan).map(|start| format!("--only {start}")));
    }
    words.extend(wishes.accept_likely.then(|| "--accept likely".into()));
    words.extend(wishes.choices.iter().map(|(start, number)| format!("--choose {start}={number}")));
    words.extend(wishes.fence_undecided.then(|| "--fence-undecided".into()));
    words.join(" ")
}

/// Somebody has said yes to a plan.
pub(super) fn apply(model: &mut Model, plan: Plan) {
    // The question has named the log.
    model.consent = Consent::Given;
    let name = if plan.undoes.is_some() { "taking a repair back" } else { "repairing" };
    ask_whole(model, Lane::Write, name, Ask::Apply(Box::new(plan)));
}

/// Tells what was done, and looks at everything again.
pub(super) fn repaired(model: &mut Model, done: Repaired) {
    let Repaired { plan, applied } = done;
    let place = model.list.offset();
    model.left_at = plan.steps.last().filter(|step| step.touches_tail()).map(|step| step.new_end);
    let state = if model.scan.state == ScanState::Off { ScanState::Off } else { ScanState::Running };
    model.scan = Scan::new(state);
    model.effects.push_back(Effect::RestartScan);
    model.detail.asked = None;
    model.detail.contents = None;
    model.aggregates.source = Source::Unasked;
    model.repairs.source = Source::Unasked;
    moves::window(model, place);
    let journal = path_text(&applied.journal);
    let text = if let Some(number) = plan.undoes {
        format!("repair {number} was taken back; the record of that is {journal}")
    } else {
        let (ranges, restored) = (count(plan.steps.len() as u64, "range"), count(plan.restored(), "event"));
        format!("{ranges} repaired, {restored} restored; u takes it back; the old bytes are in {journal}")
    };
    if applied.index_cut {
        start(model, Lane::Write, "catching the index up", Ask::SaveIndex(Extent::Rest));
    }
    model.tell(text);
}

/// Goes to the place of the repair under the cursor.
pub(super) fn go_to(model: &mut Model) {
    let start = model.repairs.at(model.repairs.cursor.at).and_then(|record| first_start(&record.plan));
    if let Some(start) = start {
        moves::go_to(model, start);
    }
}
