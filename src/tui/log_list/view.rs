//! Draws the list.
//!
//! ```text
//! 4 logs   1 damaged   3 of 4 read
//!   Log                  Size      Events  Health            Index
//! > logs/a.log        932 KiB       3 000  no damage         fresh
//!   logs/b.log        1.2 GiB   3 104 221  reading 41 %      BEHIND 12 MiB
//! the selected log, or why a log cannot be opened
//! Enter open   r read again   q quit
//! ```

use ratatui::Frame;
use ratatui::text::Span;

use super::keys::LOG_LIST_KEYS;
use super::model::{FIRST_ROW, ListedLog, LogHealth, LogListModel};
use crate::format::Version;
use crate::report::units::{format_count, format_number, format_percent, format_size};
use crate::report::{index_line, safe_path_text};
use crate::tui::model::index_state_tone;
use crate::tui::theme::Role;
use crate::tui::view::{display_width, draw_spans, keep_end, pad, style_line, tone_role};

/// A column after the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListColumn {
    Size,
    Events,
    Health,
    Index,
}

impl ListColumn {
    /// The columns in the order in which they are drawn.
    const ALL: [Self; 4] = [Self::Size, Self::Events, Self::Health, Self::Index];
    /// The columns in the order in which a narrow screen leaves them out.
    const DROPPED: [Self; 3] = [Self::Index, Self::Events, Self::Size];

    const fn title(self) -> &'static str {
        match self {
            Self::Size => "Size",
            Self::Events => "Events",
            Self::Health => "Health",
            Self::Index => "Index",
        }
    }

    const fn width(self) -> usize {
        match self {
            Self::Size => 8,
            Self::Events => 11,
            Self::Health => 27,
            Self::Index => 20,
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Size | Self::Events)
    }
}

/// Number of columns between two columns of the list.
const COLUMN_GAP: usize = 2;
/// Smallest width of the names, in columns of the screen. Another column is left out before the names get narrower.
const MIN_NAME_COLUMNS: usize = 24;

/// Draws the whole screen.
pub(super) fn draw(frame: &mut Frame, model: &LogListModel) {
    let area = frame.area();
    frame.buffer_mut().set_style(area, model.theme.base());
    let style = |role| model.theme.style(role);
    draw_spans(frame, area, 0, title_spans(model));
    let columns = visible_columns(usize::from(area.width));
    let name_width = name_columns(usize::from(area.width), &columns);
    if area.height > 3 {
        let mut headings = vec![Span::styled(format!("  {}", pad("Log", name_width)), style(Role::Muted))];
        for column in &columns {
            headings.push(Span::styled(cell(*column, column.title()), style(Role::Muted)));
        }
        draw_spans(frame, area, 1, headings);
    }
    let rows = model.logs.iter().enumerate().skip(model.top).take(model.row_count());
    for ((at, log), line) in rows.zip(FIRST_ROW..area.height) {
        let is_selected = at == model.cursor;
        draw_spans(frame, area, line, row_spans(model, log, is_selected, name_width, &columns));
        if is_selected {
            style_line(frame, area, line, style(Role::Cursor));
        }
    }
    if area.height > 4 {
        draw_spans(frame, area, area.height - 2, selected_spans(model, usize::from(area.width)));
    }
    if area.height > 3 {
        draw_spans(frame, area, area.height - 1, key_spans(model));
    }
}

fn title_spans(model: &LogListModel) -> Vec<Span<'static>> {
    let style = |role| model.theme.style(role);
    let total = model.logs.len();
    let is_read = |log: &&ListedLog| matches!(log.health, LogHealth::Read { .. } | LogHealth::Failed(_));
    let read = model.logs.iter().filter(is_read).count();
    let damaged = model.logs.iter().filter(|log| is_damaged(log)).count();
    let failed = model.logs.iter().filter(|log| matches!(log.health, LogHealth::Failed(_))).count();
    let mut spans = vec![Span::styled(format!(" {}", format_count(total as u64, "log")), style(Role::Title))];
    if damaged > 0 {
        spans.push(Span::styled(format!("   {} damaged", format_number(damaged as u64)), style(Role::Damage)));
    }
    if failed > 0 {
        spans.push(Span::styled(format!("   {} unreadable", format_number(failed as u64)), style(Role::Damage)));
    }
    let progress = if read == total { "   all read".into() } else { format!("   {read} of {total} read") };
    spans.push(Span::styled(progress, style(Role::Muted)));
    spans
}

fn is_damaged(log: &ListedLog) -> bool {
    match &log.health {
        LogHealth::Read { counts, .. } => counts.damage_count() > 0,
        _ => log.facts.as_ref().is_some_and(|facts| facts.known_damage > 0),
    }
}

fn row_spans(
    model: &LogListModel,
    log: &ListedLog,
    is_selected: bool,
    name_width: usize,
    columns: &[ListColumn],
) -> Vec<Span<'static>> {
    let name = keep_end(&safe_path_text(log.path()), name_width);
    let missing = " ".repeat(name_width.saturating_sub(display_width(&name)));
    let mark = if is_selected { "> " } else { "  " };
    let mut spans = vec![Span::styled(format!("{mark}{name}{missing}"), model.theme.style(Role::Text))];
    for column in columns {
        let (role, text) = cell_text(*column, log);
        spans.push(Span::styled(cell(*column, &text), model.theme.style(role)));
    }
    spans
}

fn cell_text(column: ListColumn, log: &ListedLog) -> (Role, String) {
    let facts = log.facts.as_ref();
    match column {
        ListColumn::Size => (Role::Text, facts.map_or_else(String::new, |facts| format_size(facts.bytes))),
        ListColumn::Events => (Role::Text, log.events().map_or_else(String::new, format_number)),
        ListColumn::Health => health_text(log),
        ListColumn::Index => facts.map_or((Role::Text, String::new()), |facts| {
            (tone_role(index_state_tone(&facts.index)), index_line(&facts.index, None))
        }),
    }
}

fn health_text(log: &ListedLog) -> (Role, String) {
    let known = log.facts.as_ref().map_or(0, |facts| facts.known_damage);
    match &log.health {
        LogHealth::Unread if known > 0 => (Role::Damage, format!("× {} known", format_number(known))),
        LogHealth::Unread => (Role::Muted, "not read yet".into()),
        LogHealth::Reading { read, total } => (Role::Muted, format!("reading {}", format_percent(*read, *total))),
        LogHealth::Read { counts, .. } if counts.damage_count() > 0 => {
            (Role::Damage, format!("× {}", counts.short_line()))
        }
        LogHealth::Read { counts, .. } => {
            let is_version_0 = log.facts.as_ref().is_some_and(|facts| facts.version == Version::V0);
            let line = counts.short_line();
            // Without checksums, a readable log is not known to be undamaged.
            (Role::Good, if is_version_0 { line.replacen("no damage", "readable", 1) } else { line })
        }
        LogHealth::Failed(_) => (Role::Damage, "× cannot be read".into()),
    }
}

/// Returns the line about the selected log: why a log could not be opened, or the whole path.
fn selected_spans(model: &LogListModel, width: usize) -> Vec<Span<'static>> {
    let failure = model.message.clone().or_else(|| match &model.selected()?.health {
        LogHealth::Failed(reason) => Some(reason.clone()),
        _ => None,
    });
    if let Some(reason) = failure {
        return vec![Span::styled(pad(&format!(" {reason}"), width), model.theme.style(Role::Damage))];
    }
    let path = model.selected().map_or_else(String::new, |log| safe_path_text(log.path()));
    vec![Span::styled(format!(" {}", keep_end(&path, width.saturating_sub(1))), model.theme.style(Role::Muted))]
}

fn key_spans(model: &LogListModel) -> Vec<Span<'static>> {
    let keys = LOG_LIST_KEYS.iter().filter_map(|spec| Some((spec.keys.first()?, spec.label?)));
    let pairs = keys.flat_map(|(key, effect)| {
        [
            Span::styled(format!(" {key} "), model.theme.style(Role::Key)),
            Span::styled(format!("{effect}  "), model.theme.style(Role::Muted)),
        ]
    });
    pairs.collect()
}

/// Returns the columns for which a screen of this width has space. The health stays on every screen: the names are
/// shortened instead.
fn visible_columns(width: usize) -> Vec<ListColumn> {
    let mut columns = ListColumn::ALL.to_vec();
    for dropped in ListColumn::DROPPED {
        if name_columns(width, &columns) < MIN_NAME_COLUMNS {
            columns.retain(|column| *column != dropped);
        }
    }
    columns
}

/// Returns the width of the names: what the other columns leave.
fn name_columns(width: usize, columns: &[ListColumn]) -> usize {
    let others: usize = columns.iter().map(|column| column.width() + COLUMN_GAP).sum();
    width.saturating_sub(2 + others)
}

/// Returns a cell with the gap before it: numbers to the right, other text to the left.
fn cell(column: ListColumn, text: &str) -> String {
    let text = if column.is_number() {
        format!("{}{text}", " ".repeat(column.width().saturating_sub(display_width(text))))
    } else {
        pad(text, column.width())
    };
    format!("{}{text}", " ".repeat(COLUMN_GAP))
}
