//! The state of the list, and the changes by keys and by the thread that reads the logs.

use std::path::{Path, PathBuf};

use ratatui::layout::Size;

use super::keys::{ListCommand, command_of, keys_text};
use crate::format::Version;
use crate::index::IndexState;
use crate::report::FindingCounts;
use crate::tui::keys::Key;
use crate::tui::message::WheelDirection;
use crate::tui::theme::Theme;

/// Lines of the screen that are not rows: the title, the headings, the line about the selected log, and the keys.
const FIXED_LINES: u16 = 4;
/// The line of the first row.
pub(super) const FIRST_ROW: u16 = 2;

/// The list and its cursor.
#[derive(Debug)]
pub(super) struct LogListModel {
    pub(super) logs: Vec<ListedLog>,
    pub(super) cursor: usize,
    /// The first log on the screen.
    pub(super) top: usize,
    pub(super) size: Size,
    pub(super) theme: Theme,
    /// Why a log could not be opened; shown until the next key.
    pub(super) message: Option<String>,
    pub(super) needs_redraw: bool,
}

/// A log of the list.
#[derive(Debug)]
pub(super) struct ListedLog {
    pub(super) path: PathBuf,
    /// What is known without reading the log; `None` until it was opened.
    pub(super) facts: Option<LogFacts>,
    pub(super) health: LogHealth,
}

/// The facts about a log that are known after opening it, without reading its events.
#[derive(Debug, Clone)]
pub(super) struct LogFacts {
    /// Size in bytes.
    pub(super) bytes: u64,
    /// The number of events that the index covers; `None` without a trusted index.
    pub(super) events: Option<u64>,
    pub(super) index: IndexState,
    pub(super) version: Version,
    /// The number of damaged ranges that the index lists.
    pub(super) known_damage: u64,
}

/// How far a log was read, and the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LogHealth {
    /// The log was not read.
    Unread,
    /// The log is being read: the bytes read and all bytes.
    Reading { read: u64, total: u64 },
    /// The log was read to its end.
    Read { events: u64, counts: FindingCounts },
    /// The log cannot be opened or read, for this reason.
    Failed(String),
}

/// A report of the thread that reads the logs.
#[derive(Debug)]
pub(super) struct LogListUpdate {
    /// The position of the log in the list.
    pub(super) log: usize,
    pub(super) change: LogListChange,
}

/// The part of a log's row that changes.
#[derive(Debug)]
pub(super) enum LogListChange {
    Facts(LogFacts),
    Health(LogHealth),
}

/// What the loop does after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListAction {
    /// Nothing.
    None,
    /// Open the log at the cursor.
    Open,
    /// Read all logs again.
    Rescan,
    /// Draw the whole screen again.
    Redraw,
    /// Suspend the process.
    Suspend,
    /// End the program.
    Quit,
}

impl LogListModel {
    /// Creates the list of these logs.
    pub(super) fn new(paths: Vec<PathBuf>, theme: Theme) -> Self {
        let listed = |path| ListedLog { path, facts: None, health: LogHealth::Unread };
        let logs = paths.into_iter().map(listed).collect();
        Self { logs, cursor: 0, top: 0, size: Size::default(), theme, message: None, needs_redraw: true }
    }

    /// Returns the log at the cursor; `None` in an empty list.
    pub(super) fn selected(&self) -> Option<&ListedLog> {
        self.logs.get(self.cursor)
    }

    /// Returns the number of rows that the screen has.
    pub(super) fn row_count(&self) -> usize {
        usize::from(self.size.height.saturating_sub(FIXED_LINES)).max(1)
    }

    /// Changes the size of the screen.
    pub(super) fn resize(&mut self, size: Size) {
        self.size = size;
        self.needs_redraw = true;
        self.keep_cursor_visible();
    }

    /// Applies a report of the thread that reads the logs.
    pub(super) fn update(&mut self, update: LogListUpdate) {
        if let Some(log) = self.logs.get_mut(update.log) {
            match update.change {
                LogListChange::Facts(facts) => log.facts = Some(facts),
                LogListChange::Health(health) => log.health = health,
            }
            self.needs_redraw = true;
        }
    }

    /// Marks a log as unread, because it may have changed.
    pub(super) fn mark_unread(&mut self, log: usize) {
        if let Some(log) = self.logs.get_mut(log) {
            log.health = LogHealth::Unread;
        }
    }

    /// Returns the logs that are still to be read, each with its position. A reading that was interrupted starts again.
    pub(super) fn unread(&self) -> Vec<(usize, PathBuf)> {
        let is_unread = |log: &ListedLog| matches!(log.health, LogHealth::Unread | LogHealth::Reading { .. });
        self.logs.iter().enumerate().filter(|row| is_unread(row.1)).map(|(at, log)| (at, log.path.clone())).collect()
    }

    /// Handles a key.
    pub(super) fn press(&mut self, key: Key) -> ListAction {
        self.message = None;
        self.needs_redraw = true;
        let page = self.row_count();
        match command_of(key) {
            Some(ListCommand::Down) => self.move_to(self.cursor.saturating_add(1)),
            Some(ListCommand::Up) => self.move_to(self.cursor.saturating_sub(1)),
            Some(ListCommand::PageDown) => self.move_to(self.cursor.saturating_add(page)),
            Some(ListCommand::PageUp) => self.move_to(self.cursor.saturating_sub(page)),
            Some(ListCommand::First) => self.move_to(0),
            Some(ListCommand::Last) => self.move_to(usize::MAX),
            Some(ListCommand::Rescan) => {
                self.logs.iter_mut().for_each(|log| log.health = LogHealth::Unread);
                return ListAction::Rescan;
            }
            Some(ListCommand::Open) if self.selected().is_some() => return ListAction::Open,
            Some(ListCommand::Redraw) => return ListAction::Redraw,
            Some(ListCommand::Suspend) => return ListAction::Suspend,
            Some(ListCommand::Quit) => return ListAction::Quit,
            Some(ListCommand::Help) => self.message = Some(keys_text()),
            // Esc closes what is open, which is nothing here.
            None if key != Key::Esc => self.message = Some(format!("{key} has no effect here; {}", keys_text())),
            Some(ListCommand::Open) | None => {}
        }
        ListAction::None
    }

    /// Handles a click on a line. A click on the selected row opens its log.
    pub(super) fn click(&mut self, line: u16) -> ListAction {
        let row = self.top + usize::from(line.saturating_sub(FIRST_ROW));
        if line < FIRST_ROW || row >= self.logs.len() || row >= self.top + self.row_count() {
            return ListAction::None;
        }
        if row == self.cursor {
            return ListAction::Open;
        }
        self.move_to(row);
        self.needs_redraw = true;
        ListAction::None
    }

    /// Handles a turn of the mouse wheel.
    pub(super) fn turn_wheel(&mut self, direction: WheelDirection) {
        self.press(if direction == WheelDirection::Down { Key::Down } else { Key::Up });
    }

    fn move_to(&mut self, row: usize) {
        self.cursor = row.min(self.logs.len().saturating_sub(1));
        self.keep_cursor_visible();
    }

    fn keep_cursor_visible(&mut self) {
        let rows = self.row_count();
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(rows));
    }
}

impl ListedLog {
    /// Returns the path as the user gave it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of events: as read, or as the index covers them.
    pub(super) fn events(&self) -> Option<u64> {
        match &self.health {
            LogHealth::Read { events, .. } => Some(*events),
            _ => self.facts.as_ref().and_then(|facts| facts.events),
        }
    }
}
