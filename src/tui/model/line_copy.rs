//! What the copy keys copy in the tabs whose lines are not rows of the log: parts of the selected line, and the command that
//! prints what the tab shows.

use std::ffi::OsStr;

use super::{CopiedText, Model, SideContents, Tab};
use crate::format::{EventView, Version};
use crate::report::{shell_path, shell_word};
use crate::tui::actions::ActionId;
use crate::tui::request::AggregateRow;

impl Model {
    /// Returns whether the selected line of the tab is a row of the log.
    pub(crate) const fn lists_rows(&self) -> bool {
        matches!(self.tab, Tab::Events | Tab::Findings)
    }

    /// Returns the part of the selected line that a copy action names, in a tab whose lines are not rows of the log.
    ///
    /// # Errors
    /// Why there is no such part, in words for the footer.
    pub(crate) fn line_copy(&self, id: ActionId) -> Result<CopiedText, String> {
        let log = self.log_info.shell_path();
        match (self.tab, id) {
            (Tab::Compare, _) => self.difference_copy(id),
            (Tab::Aggregates, ActionId::CopyOffset) => {
                let first = self.selected_aggregate()?.summary.first;
                Ok(CopiedText { name: "offset of the first event", text: first.to_string() })
            }
            (Tab::Aggregates, ActionId::CopyCommand) => {
                let id = self.selected_aggregate()?.summary.id;
                Ok(command(format!("chronicle cat {log} --filter agg:{id}")))
            }
            (Tab::Repairs, ActionId::CopyOffset) => {
                self.repairs.selected_entry().ok_or("no repair is selected")?;
                let start = self.repairs.selected_offset().ok_or("this repair changes no range")?;
                Ok(CopiedText { name: "offset", text: start.to_string() })
            }
            (Tab::Statistics, ActionId::CopyCommand) => Ok(command(self.statistics_command(&log))),
            (Tab::Segments, ActionId::CopyOffset) => {
                let start = self.segments.selected().ok_or("no segment is selected")?.start();
                Ok(CopiedText { name: "offset of the segment", text: start.to_string() })
            }
            (Tab::Segments, ActionId::CopyCommand) => Ok(command(format!("chronicle info {log}"))),
            (Tab::Index, ActionId::CopyCommand) => Ok(command(format!("chronicle index status {log}"))),
            _ => {
                let (tab, events) = (self.tab.name(), self.keys.hint(ActionId::TabEvents));
                Err(format!("the lines of {tab} have none; {events} shows the events"))
            }
        }
    }

    fn selected_aggregate(&self) -> Result<&AggregateRow, String> {
        self.aggregates.row(self.aggregates.cursor.line).ok_or_else(|| "no aggregate is selected".into())
    }

    /// Returns the command that prints the statistics. Its filter has the period as a term.
    fn statistics_command(&self, log: &str) -> String {
        let pane = &self.statistics;
        let period = pane.result.as_ref().map_or("", |result| result.period_word.as_str());
        let filter = format!("{} {period}", self.list.filter.text());
        let filter = match filter.trim() {
            "" => String::new(),
            filter => format!(" --filter={}", shell_word(OsStr::new(filter))),
        };
        format!("chronicle stats {log} --by {}{filter}", pane.by)
    }

    /// Returns a part of the selected difference: of the backup where it has an event there, else of the log.
    fn difference_copy(&self, id: ActionId) -> Result<CopiedText, String> {
        let pane = &self.compare;
        let difference = pane.selected().ok_or("no difference is selected")?;
        let sides = pane.sides.as_ref().filter(|sides| sides.difference == *difference);
        let sides = sides.ok_or("the contents of both copies are still being read")?;
        let is_backup = sides.backup.payload.is_some() || sides.log.payload.is_none() && sides.log.bytes.is_empty();
        let side = if is_backup { &sides.backup } else { &sides.log };
        let backup = pane.path.as_deref().map(shell_path).unwrap_or_default();
        let file = if is_backup { backup } else { self.log_info.shell_path() };
        let show = || format!("chronicle show {file} {}", difference.start);
        let (name, text) = match id {
            ActionId::CopyOffset => ("offset", difference.start.to_string()),
            ActionId::CopyCommand => ("command", show()),
            ActionId::CopyJson => ("JSON", whole_payload(side)?.to_owned()),
            ActionId::CopyPayload => ("payload", event_payload(whole_payload(side)?)?.to_owned()),
            ActionId::CopyHex => return Err(format!("the whole frame is not read here; `{}` prints it", show())),
            _ => return Err("no value is under a cursor here".into()),
        };
        Ok(CopiedText { name, text })
    }
}

const fn command(text: String) -> CopiedText {
    CopiedText { name: "command", text }
}

/// Returns the event that a copy has at a difference.
fn whole_payload(side: &SideContents) -> Result<&str, String> {
    match &side.payload {
        None => Err("neither copy has an event here".into()),
        Some(_) if side.omitted_bytes > 0 => Err("only the start of this event was read".into()),
        Some(payload) => Ok(payload),
    }
}

/// Returns the value of the key `payload` of an event.
fn event_payload(json: &str) -> Result<&str, String> {
    // A frame without this key is none of an event, in every version of the format.
    EventView::parse(json.as_bytes(), Version::V1).map(|event| event.payload()).map_err(|error| error.to_string())
}
