//! What follows from every change: heights by the size of the screen, and the questions that what is shown needs.

use super::{ask, gather, layout, repair};
use crate::query::{Row, What};
use crate::tui::effect::{Ask, Lane};
use crate::tui::model::{Asked, BATCH, Layer, Model, Pane, Source, Tab, View};

/// Brings heights in line with the screen, and asks for what it shows and does not have.
pub(super) fn settle(model: &mut Model) {
    repair::about_detail(model);
    measure(model);
    gather::settle(model);
    rows(model);
    detail(model);
    aggregates(model);
}

fn measure(model: &mut Model) {
    let areas = layout::areas(model);
    let lines = areas.lines(areas.main);
    if model.tab == Tab::Events && lines.height > 0 {
        model.list.resize(usize::from(lines.height));
    }
    let detail = areas.inner(areas.detail);
    model.detail.height = usize::from(areas.lines(areas.detail).height);
    model.detail.width = usize::from(detail.width);
    let fix = layout::fix_area(model);
    model.detail.height = model.detail.height.saturating_sub(usize::from(fix));
    // Offset, blanks, three columns and one character for each byte.
    model.detail.hex_width = if detail.width >= 74 { 16 } else { 8 };
    model.aggregates.cursor.height = usize::from(lines.height);
    model.index.height = usize::from(areas.inner(areas.main).height);
    let findings = if model.tab == Tab::Findings { lines } else { areas.inner(areas.findings) };
    model.findings.height = usize::from(findings.height);
    let total = model.scan.findings.len();
    model.findings.move_by(0, total);
    model.repairs.cursor.height = usize::from(lines.height);
    model.repairs.about.height = usize::from(areas.inner(areas.detail).height);
    let size = model.size;
    if let Some(Layer::Question(question)) = model.layers.last_mut() {
        let (columns, shown) = layout::question(size, question);
        question.top = question.top.min(question.wrapped(columns).len().saturating_sub(shown));
    }
    if let Some(Layer::Help(help)) = model.layers.last_mut() {
        help.cursor.height = usize::from(layout::help_lines(model.size.1));
        let total = help.actions().len();
        help.cursor.move_by(0, total);
    }
    if !layout::panes(model).contains(&model.focus) {
        model.focus = Pane::Main;
    }
}

fn rows(model: &mut Model) {
    let (bytes, may_read) = (model.facts.bytes, model.reads_behind());
    // A copy costs little, and the list is about to change.
    let gather = model.filter_hits().filter(|_| may_read).cloned();
    let ready = |from, direction| gather.as_ref().is_none_or(|gather| gather.is_ready(from, direction, bytes));
    if let Some((from, direction)) = model.list.needs(bytes, ready) {
        let filter = model.list.filter.clone();
        let more = Ask::More { from, direction, rows: BATCH, filter, hits: None };
        if model.list.filter.is_empty() {
            ask(model, Lane::List, more);
        } else {
            super::start(model, Lane::List, "filtering", more);
        }
    }
}

/// The row that the detail pane is about.
pub(super) fn chosen(model: &Model) -> Option<Row> {
    if model.tab == Tab::Findings || model.focus == Pane::Findings {
        let finding = model.scan.findings.get(model.findings.at)?;
        return Some(Row { start: finding.start, end: finding.end, what: What::Finding(finding.clone()) });
    }
    model.list.current().cloned()
}

fn detail(model: &mut Model) {
    let visible = layout::areas(model).detail.height > 0;
    if !visible && model.layers.is_empty() && !matches!(model.tab, Tab::Events | Tab::Findings) {
        return;
    }
    let Some(row) = chosen(model) else {
        if model.list.rows.is_empty() {
            model.detail.contents = None;
            model.detail.asked = None;
        }
        return;
    };
    // Hex reads the bytes, the others what they say: both come with every answer but the aggregate's events.
    let view = if model.detail.view == View::Aggregate { View::Aggregate } else { View::Json };
    let range = (row.start, row.end);
    let known = model.detail.asked.filter(|asked| asked.range == range);
    if known.is_none() {
        model.detail.rewind();
    }
    let window = known.and_then(|_| model.detail.window());
    let base = window.or(known.map(|asked| asked.base)).unwrap_or(row.start);
    let wanted = Asked { range, view, base, index: model.detail.index };
    if model.detail.asked != Some(wanted) {
        model.detail.asked = Some(wanted);
        ask(model, Lane::Detail, Ask::Detail { row, base, view });
    }
}

fn aggregates(model: &mut Model) {
    if model.tab != Tab::Aggregates || model.aggregates.source == Source::Asked {
        return;
    }
    let unasked = model.aggregates.source == Source::Unasked;
    let missing = model.aggregates.needs().filter(|_| model.aggregates.source == Source::There);
    if let Some(from) = missing.or(unasked.then_some(0)) {
        model.aggregates.source = Source::Asked;
        ask(model, Lane::Aggregates, Ask::Aggregates { sort: model.aggregates.sort, from, rows: BATCH });
    }
}
