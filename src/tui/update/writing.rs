//! What writes: appending, and saving the index. Asked first, with the path, and told afterwards.

use super::{repair, start};
use crate::file::Durability;
use crate::format::{Finding, Kind};
use crate::index::IndexState;
use crate::report::units::{count, duration, exact, size};
use crate::report::{index_meaning, path_text};
use crate::tui::actions::Id;
use crate::tui::effect::{Ask, Effect, Extent, Lane, Order};
use crate::tui::message::{Appended, Saved};
use crate::tui::model::{Consent, Layer, Model, Question, Then, Tone, histogram};

/// Sends what the form holds, once somebody has agreed to this run writing to the log.
pub(super) fn send(model: &mut Model) {
    if model.form.sending {
        return;
    }
    if let Some(why) = super::why_not(model, Id::Append) {
        model.form.outcome = vec![why];
        return;
    }
    if let Err(wrong) = model.form.event() {
        model.form.outcome = vec![wrong];
        return;
    }
    if model.consent == Consent::Given {
        append(model);
        return;
    }
    let events = count(u64::from(model.form.count()), "event");
    let mut lines = vec![path_text(&model.facts.path), format!("{events} will be appended."), String::new()];
    if let Some(last) = unfinished_end(model) {
        lines.push(format!(
            "Its end, {} at offset {}..{}, will be set aside first: kept in a journal, then cut.",
            last.kind.name(),
            last.start,
            last.end
        ));
    }
    lines.push("An append cannot be undone. You are asked once in this run.".into());
    question(model, "Write to this log?", lines, "Append", Then::Append);
}

/// The piece at the end that opening for append sets aside, as far as the scan has seen it.
fn unfinished_end(model: &Model) -> Option<&Finding> {
    let last = model.scan.findings.iter().rev().find(|finding| finding.kind.is_damage())?;
    let witnessed = model.facts.index.file.map_or(0, |file| file.log_end_offset);
    let may = matches!(last.kind, Kind::TornTail | Kind::Zeros | Kind::Garbage);
    (may && last.end == model.facts.bytes && last.start >= witnessed).then_some(last)
}

/// Asks before the whole index is built and replaced.
pub(super) fn ask_rebuild(model: &mut Model) {
    let index = &model.facts.index;
    let mut lines = vec![
        path_text(&index.path),
        format!("The whole log, {}, is read, and this index replaced.", size(model.facts.bytes)),
        String::new(),
        format!("Now it is {}: {}.", index.state.word(), index_meaning(&index.state)),
    ];
    if let IndexState::Ahead { bytes } = index.state {
        let missing = model.scan.findings.iter().find(|finding| finding.kind == Kind::Truncated);
        let events = missing.and_then(|finding| finding.evidence.events_missing);
        let events = events.map(|events| format!(", {}", count(events, "event"))).unwrap_or_default();
        lines.push(format!(
            "Lost with it: which aggregates the missing events ({}{events}) belonged to, and where they stood.",
            size(bytes)
        ));
        lines.push("The new index keeps that they are missing, and stays ahead.".into());
    }
    question(model, "Rebuild the index?", lines, "Rebuild", Then::Rebuild);
}

fn question(model: &mut Model, title: &str, lines: Vec<String>, go: &'static str, then: Then) {
    model.layers.push(Layer::Question(Question::new(title, lines, Some(go), then)));
}

/// Somebody has agreed.
pub(super) fn agreed(model: &mut Model, then: Then) {
    match then {
        Then::Append => {
            model.consent = Consent::Given;
            append(model);
        }
        Then::Apply(offer) => repair::carry_out(model, offer.plan),
        Then::Plan => {}
        Then::Rebuild => start(model, Lane::Write, "rebuilding the index", Ask::SaveIndex(Extent::Whole)),
    }
}

/// Does what the index's state needs.
pub(super) fn update_index(model: &mut Model) {
    match model.facts.index.state {
        IndexState::Behind { .. } => catch_up(model),
        _ => start(model, Lane::Write, "building the index", Ask::SaveIndex(Extent::Whole)),
    }
}

/// Reads what the index has not seen, and saves it.
pub(super) fn catch_up(model: &mut Model) {
    start(model, Lane::Write, "catching the index up", Ask::SaveIndex(Extent::Rest));
}

fn append(model: &mut Model) {
    let event = match model.form.event() {
        Ok(event) => Box::new(event),
        Err(wrong) => {
            model.form.outcome = vec![wrong];
            return;
        }
    };
    let order = Order { event, durability: model.form.durability, count: model.form.count() };
    model.form.sending = true;
    model.form.outcome = vec!["appending...".into()];
    start(model, Lane::Write, "appending", Ask::Append(order));
}

/// Tells what appending has done.
pub(super) fn appended(model: &mut Model, done: &Appended, durability: Durability) {
    model.form.sending = false;
    model.form.took(durability, &done.times);
    let mut lines = Vec::new();
    let events = done.times.len() as u64;
    let mode = match durability {
        Durability::Buffered => "buffered",
        Durability::Synced => "synced",
    };
    if events > 0 {
        let mut sorted = done.times.clone();
        sorted.sort_unstable();
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let (least, most) = (sorted.first().copied().unwrap_or_default(), sorted.last().copied().unwrap_or_default());
        let place = if events == 1 {
            format!("at offset {}", done.first)
        } else {
            format!("at offsets {} to {}", done.first, done.last)
        };
        lines.push(format!("{} {mode}, {} bytes, {place}", count(events, "event"), exact(done.bytes)));
        lines.push(if events == 1 {
            format!("it took {}", duration(middle))
        } else {
            format!("each took {} to {}, half of them {} or less", duration(least), duration(most), duration(middle))
        });
    }
    if !done.opened.is_empty() {
        repair::look_anew(model);
    }
    lines.extend(done.opened.iter().cloned());
    lines.extend(done.stopped.clone());
    model.form.outcome = lines;
}

/// The times of a mode as bars, for the form.
pub(crate) fn bars(times: &[std::time::Duration], width: usize) -> Vec<String> {
    let counted = histogram(times);
    let most = counted.iter().map(|(_, n)| *n).max().unwrap_or_default().max(1);
    counted
        .into_iter()
        .map(|(up_to, n)| {
            let room = width.saturating_sub(20).max(1);
            let bar = if n == 0 { 0 } else { (n * room / most).max(1) };
            format!("≤ {:>8} {:>6} {}", duration(up_to), n, "■".repeat(bar))
        })
        .collect()
}

/// Tells what saving the index has done.
pub(super) fn saved(model: &mut Model, done: &Saved) {
    let known = |events: Option<u64>| events.map(|n| format!(" with {}", count(n, "event"))).unwrap_or_default();
    let verb = match done.extent {
        Extent::Rest => "caught up",
        Extent::Whole => "built",
    };
    let told = format!(
        "index {verb} in {}: was {}{}, is {}{}",
        duration(done.took),
        done.before.0,
        known(done.before.1),
        done.after.0,
        known(done.after.1)
    );
    model.tell_too(told, Tone::Plain);
    if done.extent == Extent::Whole {
        // All was verified, just now. What was found is looked at again, where the new index knows of it.
        model.scan.rebuilt(done.verified_to);
        model.effects.push_back(Effect::RestartScan);
    }
}
