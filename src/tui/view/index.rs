//! The index tab: what it covers, why it is in its state, and what can be done about it.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use super::pane::{border, span, tabs};
use super::status::not_seen;
use super::text::{fit, put};
use crate::index::{Coverage, IndexState, Verified};
use crate::report::units::{Zone, count, exact, moment, size};
use crate::report::{index_line, index_meaning, index_reason, path_text};
use crate::tui::actions::Id;
use crate::tui::layout::Areas;
use crate::tui::model::{Model, Pane, pieces};
use crate::tui::theme::Role;
use crate::tui::update::why_not;

/// Columns of a label.
const LABEL: usize = 18;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, areas: &Areas, model: &Model) {
    border(frame, model, areas, (Pane::Main, areas.main), (tabs(model), Line::default()));
    let area = areas.inner(areas.main);
    let room = usize::from(area.width).saturating_sub(LABEL + 2).max(16);
    let lines: Vec<(&str, Role, String)> = said(model)
        .into_iter()
        .flat_map(|(label, role, text)| {
            pieces(&text, room)
                .into_iter()
                .enumerate()
                .map(move |(n, piece)| (if n == 0 { label } else { "" }, role, piece))
        })
        .collect();
    let top = model.index.top.min(lines.len().saturating_sub(usize::from(area.height)));
    for (line, (label, role, text)) in lines.into_iter().skip(top).enumerate() {
        let spans: Vec<Span<'static>> =
            vec![span(model, Role::Quiet, format!(" {label:<LABEL$} ")), span(model, role, fit(&text, room))];
        put(frame, area, line as u16, spans);
    }
}

fn said(model: &Model) -> Vec<(&'static str, Role, String)> {
    let index = &model.facts.index;
    let role = match index.state {
        IndexState::Fresh => Role::Good,
        IndexState::Missing | IndexState::Behind { .. } => Role::Warning,
        _ => Role::Damage,
    };
    let mut lines = vec![
        ("state", role, index_line(&index.state, not_seen(model))),
        ("", Role::Text, index_meaning(&index.state).to_owned()),
    ];
    if let Some(reason) = index_reason(&index.state) {
        lines.push(("because", Role::Text, reason.to_owned()));
    }
    lines.push(("file", Role::Text, path_text(&index.path)));
    lines.push(("", Role::Text, String::new()));
    match &index.file {
        Some(file) => coverage(&mut lines, file, ("the file covers", model.facts.bytes)),
        None => lines.push(("the file covers", Role::Text, "nothing that may be believed".into())),
    }
    if let Some(Verified { to, at_ms }) = index.verified {
        let text = format!("to {} of {}, on {}", exact(to), exact(model.facts.bytes), moment(at_ms, Zone::Utc));
        lines.push(("verified earlier", Role::Text, text));
    }
    lines.push(("", Role::Text, String::new()));
    match &index.memory {
        Some(memory) => coverage(&mut lines, memory, ("in memory", model.facts.bytes)),
        None => lines.push(("in memory", Role::Text, "nothing yet: the scan has not come through".into())),
    }
    lines.push(("", Role::Text, String::new()));
    for (id, key) in [(Id::UpdateIndex, "r"), (Id::RebuildIndex, "R")] {
        let title = crate::tui::actions::of(id).map_or("", |action| action.help);
        let text = match why_not(model, id) {
            Some(why) => format!("not now: {why}"),
            None => title.to_owned(),
        };
        lines.push((key, Role::Text, text));
    }
    lines
}

fn coverage(lines: &mut Vec<(&'static str, Role, String)>, known: &Coverage, (label, bytes): (&'static str, u64)) {
    let frames = count(known.frames, "frame");
    let gaps = if known.gaps > 0 { format!(", {}", count(known.gaps, "gap")) } else { String::new() };
    lines.push((label, Role::Text, format!("{}, {frames}{gaps}", count(known.events, "event"))));
    lines.push(("covered to", Role::Text, format!("{} of {}", exact(known.covered_to), exact(bytes))));
    lines.push(("looked at to", Role::Text, exact(known.scanned_to)));
    if known.log_end_offset != known.covered_to {
        let missing = known.log_end_offset.saturating_sub(known.covered_to);
        let text = format!("{}: {} are missing", exact(known.log_end_offset), size(missing));
        lines.push(("once saw up to", Role::Damage, text));
    }
}
