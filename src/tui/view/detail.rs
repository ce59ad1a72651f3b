//! The detail pane: one row as JSON, as bytes, as a frame, or among its aggregate's events.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pane::{border, span};
use super::text::{fit, put, tint};
use super::{hex, json, story};
use crate::query::What;
use crate::report::units::hex_offset;
use crate::tui::layout::{Areas, Border, fix_area};
use crate::tui::model::{Contents, Cursor, LABEL, Model, Pane, SheetLine, Tone, View, sheet};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, areas: &Areas, model: &Model) {
    let contents = model.detail.contents.as_ref();
    let title = contents.map(|contents| format!(" {}  {} ", hex_offset(contents.row.start), what(contents)));
    let title = Line::from(span(model, Role::Title, title.unwrap_or_default()));
    border(frame, model, areas, (Pane::Detail, areas.detail), (title, Line::default()));
    if areas.border == Border::Around {
        let mut heading = views(model);
        if let (View::Hex, Some(contents)) = (model.detail.view, contents) {
            heading.push(Span::raw("   "));
            heading.extend(hex::legend(model, contents));
        }
        put(frame, areas.inner(areas.detail), 0, heading);
    }
    let lines = areas.lines(areas.detail);
    let Some(contents) = contents else { return };
    match model.detail.view {
        View::Json if contents.json.is_some() => json::draw(frame, lines, model, contents),
        View::Hex => {
            let above = fix_area(model).min(lines.height);
            hex::draw_fix(frame, Rect { height: above, ..lines }, model, contents);
            let below = Rect { y: lines.y + above, height: lines.height - above, ..lines };
            hex::draw(frame, below, model, contents);
        }
        View::Aggregate if contents.story.is_some() => story::draw(frame, lines, model, contents),
        view => draw_sheet(frame, lines, model, (contents, view)),
    }
}

/// What stands there, in a word.
fn what(contents: &Contents) -> &'static str {
    match &contents.row.what {
        What::Header => "header",
        What::Event(_) => "event",
        What::Finding(finding) => finding.kind.name(),
        What::InFlight => "in flight",
    }
}

/// The views by name, the chosen one in brackets.
fn views(model: &Model) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for (view, name) in View::ALL {
        let chosen = view == model.detail.view;
        let role = if chosen { Role::Title } else { Role::Quiet };
        spans.push(span(model, role, if chosen { format!("[{name}]") } else { format!(" {name} ") }));
    }
    spans
}

fn draw_sheet(frame: &mut Frame, area: Rect, model: &Model, (contents, view): (&Contents, View)) {
    let cursor = Cursor { at: model.detail.cursor, top: model.detail.top, height: model.detail.height };
    draw_lines(frame, area, model, (sheet(contents, view, usize::from(area.width)), &cursor));
}

/// Draws labelled lines from the one on that a cursor has scrolled to.
pub(super) fn draw_lines(frame: &mut Frame, area: Rect, model: &Model, (lines, cursor): (Vec<SheetLine>, &Cursor)) {
    let shown = lines.into_iter().enumerate().skip(cursor.top).take(usize::from(area.height));
    for (line, (number, said)) in shown.enumerate() {
        let role = match said.tone {
            Tone::Plain => Role::Text,
            Tone::Good => Role::Good,
            Tone::Bad => Role::Damage,
        };
        let text = fit(&said.text, usize::from(area.width).saturating_sub(LABEL));
        let spans = vec![span(model, Role::Quiet, format!("{:<LABEL$} ", said.label)), span(model, role, text)];
        put(frame, area, line as u16, spans);
        if model.focus == Pane::Detail && number == cursor.at {
            tint(frame, area, line as u16, model.theme.style(Role::Cursor));
        }
    }
}

/// Marks the line under the cursor, when the pane has the keys.
pub(super) fn under_cursor(frame: &mut Frame, area: Rect, model: &Model, (line, number): (u16, usize)) {
    if model.focus == Pane::Detail && number == model.detail.cursor {
        tint(frame, area, line, model.theme.style(Role::Cursor));
    }
}
