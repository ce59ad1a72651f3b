//! The index tab: what it covers, why it is in its state, and what can be done about it.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use super::pane::{draw_border, span, tab_title};
use super::status::index_event_difference;
use super::text::{draw_spans, fit_safe};
use crate::index::{Coverage, IndexState, VerificationMark};
use crate::report::units::{DisplayZone, format_count, format_number, format_size, format_timestamp};
use crate::report::{index_line, index_meaning, index_reason, safe_path_text};
use crate::tui::actions::ActionId;
use crate::tui::layout::LayoutAreas;
use crate::tui::model::{Model, Pane, wrap_text};
use crate::tui::theme::Role;

/// Columns of a label.
const LABEL_COLUMNS: usize = 18;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    draw_border(frame, model, areas, (Pane::Main, areas.main), (tab_title(model), Line::default()));
    let area = areas.inner(areas.main);
    let room = usize::from(area.width).saturating_sub(LABEL_COLUMNS + 2).max(16);
    let lines: Vec<(&str, Role, String)> = content_lines(model)
        .into_iter()
        .flat_map(|(label, role, text)| {
            wrap_text(&text, room)
                .into_iter()
                .enumerate()
                .map(move |(n, piece)| (if n == 0 { label } else { "" }, role, piece))
        })
        .collect();
    let top = model.index.top.min(lines.len().saturating_sub(usize::from(area.height)));
    for (line, (label, role, text)) in lines.into_iter().skip(top).enumerate() {
        let spans: Vec<Span<'static>> = vec![
            span(model, Role::Muted, format!(" {label:<LABEL_COLUMNS$} ")),
            span(model, role, fit_safe(&text, room)),
        ];
        draw_spans(frame, area, line as u16, spans);
    }
}

fn content_lines(model: &Model) -> Vec<(&'static str, Role, String)> {
    let index = &model.log_info.index;
    let role = match index.state {
        IndexState::Fresh => Role::Good,
        IndexState::Missing | IndexState::Behind { .. } => Role::Warning,
        _ => Role::Damage,
    };
    let mut lines = vec![
        ("state", role, index_line(&index.state, index_event_difference(model))),
        ("", Role::Text, index_meaning(&index.state).to_owned()),
    ];
    if let Some(reason) = index_reason(&index.state) {
        lines.push(("because", Role::Text, reason.to_owned()));
    }
    lines.push(("file", Role::Text, safe_path_text(&index.path)));
    lines.push(("", Role::Text, String::new()));
    match &index.saved_coverage {
        Some(file) => push_coverage_lines(&mut lines, file, ("the file covers", model.log_info.bytes)),
        None => lines.push(("the file covers", Role::Text, "nothing that may be believed".into())),
    }
    if let Some(VerificationMark { verified_to: to, verified_at_ms: at_ms }) = index.verified {
        let text = format!(
            "to {} of {}, on {}",
            format_number(to),
            format_number(model.log_info.bytes),
            format_timestamp(at_ms, DisplayZone::Utc)
        );
        lines.push(("verified earlier", Role::Text, text));
    }
    lines.push(("", Role::Text, String::new()));
    match &index.memory_coverage {
        Some(memory) => push_coverage_lines(&mut lines, memory, ("in memory", model.log_info.bytes)),
        None => lines.push(("in memory", Role::Text, "nothing yet: the scan has not come through".into())),
    }
    lines.push(("", Role::Text, String::new()));
    for (id, key) in [(ActionId::UpdateIndex, "r"), (ActionId::RebuildIndex, "R")] {
        let title = crate::tui::actions::action_by_id(id).map_or("", |action| action.help);
        let text = match model.disabled_reason(id) {
            Some(why) => format!("not now: {why}"),
            None => title.to_owned(),
        };
        lines.push((key, Role::Text, text));
    }
    lines
}

fn push_coverage_lines(
    lines: &mut Vec<(&'static str, Role, String)>,
    known: &Coverage,
    (label, bytes): (&'static str, u64),
) {
    let frames = format_count(known.frames, "frame");
    let gaps = if known.gaps > 0 { format!(", {}", format_count(known.gaps, "gap")) } else { String::new() };
    lines.push((label, Role::Text, format!("{}, {frames}{gaps}", format_count(known.events, "event"))));
    lines.push(("covered to", Role::Text, format!("{} of {}", format_number(known.covered_to), format_number(bytes))));
    lines.push(("looked at to", Role::Text, format_number(known.scanned_to)));
    if known.log_end_offset != known.covered_to {
        let missing = known.log_end_offset.saturating_sub(known.covered_to);
        let text = format!("{}: {} are missing", format_number(known.log_end_offset), format_size(missing));
        lines.push(("once saw up to", Role::Damage, text));
    }
}
