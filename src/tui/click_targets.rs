//! The names of tabs and detail views and the keys of the footer: their texts, which the panes draw, and their places, which
//! take clicks.

use ratatui::layout::Position;
use unicode_width::UnicodeWidthStr;

use super::actions::{ActionId, ActionScope, FooterEntry};
use super::keys::Key;
use super::layout::{self, LayoutAreas, PaneTitles};
use super::model::{AggregateMode, DetailView, Model, RowContents, Tab};

/// Minimum width of a main pane whose tab names have spaces between them.
const MIN_SPACED_TABS_WIDTH: u16 = 90;

/// A part of the screen that a click runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClickTarget {
    /// The name of a tab.
    Tab(Tab),
    /// The name of a view of the detail pane.
    View(DetailView),
    /// A key in the footer.
    Key(Key),
}

/// Returns the names of the tabs in the title of the main pane. Where they do not fit, the names are shorter, then the last
/// tabs have only their number. The current one always has its whole name.
pub(crate) fn tab_labels(model: &Model) -> Vec<(Tab, String)> {
    let width = layout::compute_areas(model).main.width;
    let gap = tab_separator(width).width();
    let all = Tab::ALL.len();
    // The rule and a blank at each side take four columns.
    let fits = |labels: &Vec<(Tab, String)>| {
        let texts: usize = labels.iter().map(|(_, label)| label.width() + gap).sum();
        texts <= usize::from(width.saturating_sub(4)) + gap
    };
    let all_named =
        |name_of: fn(Tab) -> &'static str| std::iter::once_with(move || labels_with_names(model, all, name_of));
    // Only a log that is a folder has so many tabs that the shortest names are needed for all of them to have one.
    let shortest = all_named(Tab::shortest_name).filter(|_| model.has_segments());
    let short_names = (1..=all).rev().map(|named| labels_with_names(model, named, Tab::short_name));
    let in_order = all_named(Tab::name).chain(all_named(Tab::short_name)).chain(shortest).chain(short_names);
    { in_order }.find(fits).unwrap_or_else(|| labels_with_names(model, 0, Tab::short_name))
}

/// Returns the labels of the tabs, with the names of the first `named` tabs and of the current one. Brackets mark the
/// current tab, because colour alone is not enough on every terminal.
fn labels_with_names(model: &Model, named: usize, name_of: fn(Tab) -> &'static str) -> Vec<(Tab, String)> {
    let damaged = model.scan.damage_count();
    let label = |(number, tab): (usize, Tab)| {
        let is_current = model.tab == tab;
        let mut label = match is_current {
            true => format!("{number} {}", tab.name()),
            false if number <= named => format!("{number} {}", name_of(tab)),
            false => number.to_string(),
        };
        if tab == Tab::Findings && damaged > 0 {
            label.extend([" ×", &damaged.to_string()]);
        }
        (tab, if is_current { format!("[{label}]") } else { label })
    };
    model.offered_tabs().map(label).collect()
}

/// Returns the text between two names of tabs in a main pane of this width.
pub(crate) const fn tab_separator(main_width: u16) -> &'static str {
    if main_width < MIN_SPACED_TABS_WIDTH { "│" } else { " │ " }
}

/// Returns the names of the views that the row has, with the shown one in brackets.
pub(crate) fn view_labels(model: &Model, contents: &RowContents) -> impl Iterator<Item = (DetailView, String)> {
    let shown = model.detail.shown_view();
    contents.views().map(move |view| {
        let name = view.name(&contents.details.row.content);
        let name = match (view, model.detail.aggregate_mode) {
            (DetailView::Aggregate, AggregateMode::State) => format!("{name}: state"),
            _ => name.to_owned(),
        };
        (view, if view == shown { format!("[{name}]") } else { format!(" {name} ") })
    })
}

/// Returns the text of a key in the footer, and that of its label.
pub(crate) fn footer_texts(entry: &FooterEntry) -> (String, String) {
    (format!(" {}", entry.key), format!(" {} ", entry.label))
}

/// Returns the keys of a scope that fit into `width` columns of the footer. The key of the help, which lists all others, is
/// kept on a narrow screen.
pub(crate) fn footer_keys(model: &Model, scope: ActionScope, width: usize) -> Vec<FooterEntry> {
    // The dialog of a plan has the keys of every dialog, and the keys of those plan actions that are enabled.
    let other_scope = match scope {
        ActionScope::Plan => Some(ActionScope::Confirm),
        ActionScope::Timeline => Some(ActionScope::Main),
        _ => None,
    };
    let is_shown = |entry: &FooterEntry| match scope {
        ActionScope::Plan => model.disabled_reason(entry.id).is_none(),
        ActionScope::Form => model.form.field.has_action(entry.id),
        _ => true,
    };
    // The keys of the table come first, because the dialog of a plan opens on its rows.
    let scopes = std::iter::once(scope).chain(other_scope);
    let entries = scopes.flat_map(|scope| model.keys.footer_entries(scope)).filter(is_shown);
    let (help, others): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.id == ActionId::Help);
    let mut used = help.iter().map(footer_width).sum::<usize>();
    let others = others.into_iter().take_while(|entry| {
        used += footer_width(entry);
        used <= width
    });
    others.chain(help).collect()
}

fn footer_width(entry: &FooterEntry) -> usize {
    let (key, label) = footer_texts(entry);
    key.width() + label.width()
}

/// Returns what a click at a position runs; `None` where it selects a line or does nothing.
pub(crate) fn target_at(model: &Model, position: Position) -> Option<ClickTarget> {
    let areas = layout::compute_areas(model);
    let (scope, has_overlay) = (model.key_scope(), !model.overlays.is_empty());
    if areas.footer.contains(position) {
        // In these scopes, the last line shows a typed text, a message or the names of marks.
        let has_keys = !matches!(scope, ActionScope::TextInput | ActionScope::MarkName)
            && (has_overlay || model.notice.is_none() && model.awaited.is_empty())
            && model.jobs.iter().all(|job| job.total == 0);
        let keys = footer_keys(model, scope, usize::from(areas.footer.width)).into_iter();
        let key = at_column(keys.map(|entry| (ClickTarget::Key(entry.key), footer_width(&entry))), 0, position.x);
        return key.filter(|_| has_keys);
    }
    if has_overlay || areas.titles == PaneTitles::None {
        return None;
    }
    tab_at(model, &areas, position).or_else(|| view_at(model, &areas, position))
}

fn tab_at(model: &Model, areas: &LayoutAreas, position: Position) -> Option<ClickTarget> {
    if position.y != areas.main.y || !areas.main.contains(position) {
        return None;
    }
    let gap = tab_separator(areas.main.width).width();
    // The separator belongs to the tab before it.
    let tabs = tab_labels(model).into_iter().map(|(tab, label)| (ClickTarget::Tab(tab), label.width() + gap));
    // The rule and a blank precede the names.
    at_column(tabs, areas.main.x + 2, position.x)
}

fn view_at(model: &Model, areas: &LayoutAreas, position: Position) -> Option<ClickTarget> {
    let heading = areas.inner(areas.detail);
    let has_views = !matches!(model.tab, Tab::Repairs | Tab::Compare);
    if position.y != heading.y || !heading.contains(position) || !has_views {
        return None;
    }
    let contents = model.detail.contents.as_ref()?;
    let views = view_labels(model, contents).map(|(view, label)| (ClickTarget::View(view), label.width()));
    at_column(views, heading.x, position.x)
}

/// Returns the item that covers a column, of items with their widths one after another from `start` on.
fn at_column(items: impl Iterator<Item = (ClickTarget, usize)>, start: u16, column: u16) -> Option<ClickTarget> {
    let mut rest = usize::from(column.checked_sub(start)?);
    for (target, width) in items {
        if rest < width {
            return Some(target);
        }
        rest -= width;
    }
    None
}
