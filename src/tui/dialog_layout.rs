//! Computes the areas of the dialogs that ask for confirmation, from the size of the screen. `view` draws into these
//! areas, and `update` uses them for heights and for clicks.

use ratatui::layout::{Constraint, Layout, Rect, Size};

use super::model::{ConfirmDialog, DialogButton, Model, PlanDialog, PlanPage, wrap_text};

/// Maximum width of a dialog, border included.
const DIALOG_MAX_WIDTH: u16 = 76;
/// Maximum width of a dialog with a table, border included.
const TABLE_DIALOG_MAX_WIDTH: u16 = 112;
/// Size of the smallest dialog that has a border.
pub(crate) const DIALOG_MIN_BORDERED_SIZE: Size = Size { width: 20, height: 5 };
/// Number of lines of a confirmation dialog besides its text: the border, empty lines and the buttons.
const DIALOG_OTHER_LINES: u16 = 5;
/// Minimum width of a dialog whose buttons are drawn with brackets.
const MIN_BRACKETED_WIDTH: u16 = 30;
/// Columns between two buttons in brackets.
const BUTTON_GAP: u16 = 3;
/// Width of the dialog of a plan on a screen that has room for it, border included, when its table needs no more.
const PLAN_DIALOG_WIDTH: u16 = 112;
/// Columns of a dialog's border, with the empty columns inside it.
const BORDER_COLUMNS: u16 = 4;
/// Largest height of the dialog of a plan that has only lines and buttons.
const PLAN_SMALL_HEIGHT: u16 = 6;
/// Minimum height of the dialog of a plan that has headings, decisions and the command.
const PLAN_FULL_MIN_HEIGHT: u16 = 12;
/// Minimum width of the dialog's inside in which a line has 16 bytes.
const PLAN_WIDE_BYTES_COLUMNS: u16 = 78;
/// Spaces between two decisions in a line of the dialog of a plan.
pub(crate) const PLAN_DECISION_GAP: &str = "   ";
/// Minimum height of a screen whose last line, with the keys, is not covered by the dialog of a plan.
const MIN_HEIGHT_WITH_FOOTER: u16 = 10;

/// Returns the width of a dialog's text, and the number of its lines that are visible on a screen of this size.
pub(crate) fn dialog_text_size(Size { width, height }: Size, dialog: &ConfirmDialog) -> Size {
    let columns = width.min(max_width(dialog)).saturating_sub(4).max(1);
    let lines = dialog.wrapped_lines(usize::from(columns)).len();
    // The border, an empty line and the buttons are reserved first, so that the buttons are always visible.
    let reserved = if height < 5 || width < 20 { 2 } else { 4 };
    let available = height.saturating_sub(reserved);
    Size::new(columns, u16::try_from(lines).map_or(available, |lines| lines.min(available)))
}

/// Returns the maximum width of a dialog.
const fn max_width(dialog: &ConfirmDialog) -> u16 {
    if dialog.has_table() { TABLE_DIALOG_MAX_WIDTH } else { DIALOG_MAX_WIDTH }
}

/// The areas of the dialog of a plan. A part for which there is no room has an empty area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlanDialogAreas {
    /// The whole dialog, with its border.
    pub(crate) outer: Rect,
    /// The headings of the table.
    pub(crate) headings: Rect,
    /// The rows and the sentences below them, or another page.
    pub(crate) body: Rect,
    /// The total line of the table.
    pub(crate) total: Rect,
    /// The decisions about all ranges.
    pub(crate) decisions: Rect,
    /// The command that does what the dialog shows.
    pub(crate) command: Rect,
    /// The message about the last key.
    pub(crate) message: Rect,
    /// The buttons.
    pub(crate) buttons: Rect,
}

impl PlanDialogAreas {
    /// Returns the number of bytes in a line of bytes.
    pub(crate) const fn bytes_per_line(&self) -> usize {
        if self.body.width >= PLAN_WIDE_BYTES_COLUMNS { 16 } else { 8 }
    }
}

/// Computes the areas of the dialog of a plan.
pub(crate) fn plan_dialog_areas(model: &Model, dialog: &PlanDialog) -> PlanDialogAreas {
    let size = model.size;
    let table_width = dialog.table_width().saturating_add(BORDER_COLUMNS);
    let width = size.width.min(PLAN_DIALOG_WIDTH.max(table_width));
    // The keys of the dialog stay visible in the last line of the screen, where there is room for it.
    let max_height = if size.height >= MIN_HEIGHT_WITH_FOOTER { size.height - 1 } else { size.height };
    let has_border = width >= DIALOG_MIN_BORDERED_SIZE.width && max_height >= DIALOG_MIN_BORDERED_SIZE.height;
    let inner_width = if has_border { width.saturating_sub(BORDER_COLUMNS) } else { width };
    let columns = usize::from(inner_width).max(1);
    let line_count = |texts: &[String]| texts.iter().map(|text| wrap_text(text, columns).len()).sum::<usize>() as u16;
    let is_table = matches!(dialog.page, PlanPage::Table);
    let is_low = max_height < PLAN_FULL_MIN_HEIGHT;
    let headings = u16::from(is_table && !is_low && !dialog.rows.is_empty());
    let decision_texts = dialog.decision_texts(&model.keys);
    let has_decisions = !is_low && is_table && !decision_texts.is_empty();
    let decisions = if has_decisions { line_count(&[decision_texts.join(PLAN_DECISION_GAP)]) } else { 0 };
    let max_command = if is_low {
        0
    } else if max_height < 20 {
        2
    } else {
        4
    };
    let command = line_count(&[model.plan_command(dialog)]).min(max_command);
    let message = u16::from(max_height > PLAN_SMALL_HEIGHT);
    let border = if has_border { 2 } else { 0 };
    let bytes_per_line = if inner_width >= PLAN_WIDE_BYTES_COLUMNS { 16 } else { 8 };
    let lines = u16::try_from(dialog.page_lines(columns, bytes_per_line).len()).unwrap_or(u16::MAX);
    let border_and_foot = border + headings + decisions + command + message + 1;
    // The totals are a line of the table where all lines fit, and below the table otherwise.
    let has_totals = is_table && !dialog.rows.is_empty() && max_height > PLAN_SMALL_HEIGHT;
    let total = u16::from(has_totals && lines > max_height.saturating_sub(border_and_foot));
    let foot = total + decisions + command + message + 1;
    let body = lines.max(1).min(max_height.saturating_sub(border + headings + foot));
    let height = (border + headings + body + foot).min(max_height);
    let outer = Rect::new((size.width - width) / 2, (max_height - height) / 2, width, height);
    let inner = if has_border {
        Rect::new(outer.x + 2, outer.y + 1, inner_width, outer.height.saturating_sub(2))
    } else {
        outer
    };
    let [headings, body, total, decisions, command, message, buttons] = Layout::vertical([
        Constraint::Length(headings),
        Constraint::Fill(1),
        Constraint::Length(total),
        Constraint::Length(decisions),
        Constraint::Length(command),
        Constraint::Length(message),
        Constraint::Length(1),
    ])
    .areas(inner);
    PlanDialogAreas { outer, headings, body, total, decisions, command, message, buttons }
}

/// A button of a dialog, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlacedButton {
    /// The button.
    pub(crate) button: DialogButton,
    /// Its text: the name in brackets, with a mark when it is selected.
    pub(crate) text: String,
    /// Whether the button is selected.
    pub(crate) is_selected: bool,
    /// The columns of the text. A click on them presses the button.
    pub(crate) area: Rect,
}

/// Places the buttons of a dialog in the first line of `area`. The dialog has one button more, when `confirm_label` is
/// given.
pub(crate) fn place_buttons(
    area: Rect,
    confirm_label: Option<&str>,
    selected: Option<DialogButton>,
) -> Vec<PlacedButton> {
    let cancel = if confirm_label.is_some() { "Cancel" } else { "Close" };
    let names = [(DialogButton::Cancel, Some(cancel)), (DialogButton::Confirm, confirm_label)];
    let is_wide = area.width >= MIN_BRACKETED_WIDTH;
    let mut x = area.x;
    let mut placed = Vec::new();
    for (button, name) in names {
        let Some(name) = name else { continue };
        let is_selected = selected == Some(button);
        let text = match (is_selected, is_wide) {
            (true, true) => format!("[> {name} <]"),
            (false, true) => format!("[  {name}  ]"),
            (true, false) => format!(">{name}<"),
            (false, false) => format!(" {name} "),
        };
        let width = text.chars().count() as u16;
        let button_area = Rect::new(x, area.y, width, area.height.min(1)).intersection(area);
        placed.push(PlacedButton { button, text, is_selected, area: button_area });
        x = x.saturating_add(width + if is_wide { BUTTON_GAP } else { 0 });
    }
    placed
}

/// Returns the areas inside the border of a confirmation dialog: the text, and the line of the buttons.
pub(crate) fn confirm_dialog_areas(size: Size, dialog: &ConfirmDialog) -> ConfirmDialogAreas {
    let text = dialog_text_size(size, dialog);
    let lines = dialog.wrapped_lines(usize::from(text.width)).len().min(usize::from(size.height)) as u16;
    let (width, height) = (size.width.min(max_width(dialog)), size.height.min(lines + DIALOG_OTHER_LINES));
    let outer = Rect::new((size.width - width) / 2, (size.height - height) / 2, width, height);
    let has_border = width >= DIALOG_MIN_BORDERED_SIZE.width && height >= DIALOG_MIN_BORDERED_SIZE.height;
    let inner = if has_border { Rect::new(outer.x + 2, outer.y + 1, width - 4, height - 2) } else { outer };
    let text = Rect { height: inner.height.saturating_sub(2), ..inner };
    let buttons = Rect { y: inner.y + inner.height.saturating_sub(1), height: inner.height.min(1), ..inner };
    ConfirmDialogAreas { outer, text, buttons }
}

/// The areas of a confirmation dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConfirmDialogAreas {
    /// The whole dialog, with its border.
    pub(crate) outer: Rect,
    /// The text.
    pub(crate) text: Rect,
    /// The buttons.
    pub(crate) buttons: Rect,
}
