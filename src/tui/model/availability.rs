//! Decides which actions are available, and explains why the others are not.

use super::{Access, DetailView, EscBehavior, Model, Overlay, Pane, PlanDialog, PlanFocus, ScanState, Tab};
use crate::file::WriterPresence;
use crate::format::{DamageKind, Finding};
use crate::index::{IndexState, SeenEnd};
use crate::query::RowContent;
use crate::repair::RepairRecord;
use crate::report::units::format_number;
use crate::tui::actions::{self, ActionId};
use crate::tui::request::{EraseTarget, PlanRequest, WorkerKind};

/// Size in bytes of the largest payload that the append form takes over.
const MAX_TEMPLATE_BYTES: usize = 64 << 10;

impl Model {
    /// Returns why an action is not available now, or `None` when it is.
    pub(crate) fn disabled_reason(&self, id: ActionId) -> Option<String> {
        let writes = actions::action_by_id(id).is_some_and(|action| action.writes);
        let unavailable = self.unavailable.as_ref();
        if let Some(cause) = unavailable.filter(|cause| writes || cause.has_no_data() && needs_log_data(id)) {
            return Some(cause.write_refusal());
        }
        if writes && let Some(reason) = self.write_refusal() {
            return Some(reason);
        }
        match id {
            ActionId::Append => self.append_refusal(),
            ActionId::AppendLike => self.append_refusal().or_else(|| self.template_refusal().map(str::to_owned)),
            ActionId::Repair | ActionId::RepairAll | ActionId::Undo | ActionId::Erase | ActionId::Purge => {
                self.repair_refusal(id)
            }
            ActionId::Retain => self.retention_refusal().or_else(|| self.retain_target().err()),
            ActionId::UpdateIndex => self.update_index_refusal().or_else(|| self.unknown_end_refusal()),
            _ => self.reading_refusal(id),
        }
    }

    /// Returns why no action may write now, or `None` when actions may write.
    fn write_refusal(&self) -> Option<String> {
        if self.access == Access::ReadOnly {
            return Some("opened with --read-only".into());
        }
        let job = self.job(WorkerKind::Write)?;
        let is_cancelled = job.on_esc == EscBehavior::CancelsJob;
        let hint = if is_cancelled { format!("; {} stops it", self.keys.hint(ActionId::Back)) } else { String::new() };
        Some(format!("busy {}{hint}", job.name))
    }

    fn reading_refusal(&self, id: ActionId) -> Option<String> {
        let key = |id| self.keys.hint(id);
        if is_copy(id) && !self.lists_rows() {
            return self.line_copy(id).err();
        }
        let reason = match id {
            ActionId::ToggleCandidate if self.plan_dialog().is_none_or(|plan| plan.offered_finding().is_none()) => {
                "the selected range has no candidates"
            }
            ActionId::ToggleRange if self.plan_dialog().is_none_or(|plan| plan.preview.plan.undoes.is_some()) => {
                "an undo reverses a repair as a whole"
            }
            ActionId::ToggleRange
                if !self.plan_dialog().is_some_and(|plan| matches!(plan.request(), PlanRequest::Repair { .. })) =>
            {
                "only the ranges of a repair can be left out"
            }
            ActionId::ConfirmChoice if self.plan_dialog().is_some_and(|plan| plan.focus == PlanFocus::Rows) => {
                "no button is selected"
            }
            ActionId::AcceptLikely | ActionId::GapUndecided
                if !self.plan_dialog().is_some_and(|plan| plan.preview.has_decisions()) =>
            {
                "this plan has nothing left to decide"
            }
            ActionId::AcceptLargeGap if !self.plan_dialog().is_some_and(|plan| plan.preview.has_large_gap()) => {
                "this plan has no large gap to decide about"
            }
            ActionId::SearchNext | ActionId::SearchPrevious if self.search.is_none() => {
                return Some(format!("no search yet; {} starts one", key(ActionId::Search)));
            }
            ActionId::FilterRemoveLast if self.tab == Tab::Aggregates && !self.aggregates.id_prefix.is_empty() => {
                return None;
            }
            ActionId::FilterRemoveLast | ActionId::ToggleFindings if self.list.filter.is_empty() => {
                return Some(format!("no filter is set; {} sets one", key(ActionId::Filter)));
            }
            ActionId::FilterAggregate if self.tab == Tab::Aggregates => {
                return self
                    .aggregates
                    .row(self.aggregates.cursor.line)
                    .is_none()
                    .then(|| "no aggregate is selected".into());
            }
            ActionId::FilterAggregate if !self.lists_rows() => "no event is selected",
            ActionId::FilterAggregate => match self.selected_row().map(|row| row.content) {
                Some(RowContent::Event(event)) if event.aggregate_id.is_some() => return None,
                Some(RowContent::Event(_)) => "this event has no aggregate",
                _ => "no event is selected",
            },
            ActionId::FilterWithValue
            | ActionId::FilterWithoutValue
            | ActionId::FilterOnlyValue
            | ActionId::CopyValue
            | ActionId::CopyPath => return self.value_refusal(),
            ActionId::ToggleFolds if self.detail.doc().is_none() => {
                let (previous, next) = (key(ActionId::PreviousView), key(ActionId::NextView));
                return Some(format!("the detail pane shows no JSON; {previous} and {next} change its view"));
            }
            ActionId::ToggleBytes if self.detail.contents.is_none() => "no row is selected",
            ActionId::ToggleState
                if !self.detail.contents.as_ref().is_some_and(|contents| contents.has_view(DetailView::Aggregate)) =>
            {
                "no event of an aggregate is selected"
            }
            ActionId::Sort if !matches!(self.tab, Tab::Aggregates | Tab::Statistics) => {
                let (aggregates, statistics) = (key(ActionId::TabAggregates), key(ActionId::TabStatistics));
                return Some(format!(
                    "only aggregates and statistics have an order; {aggregates} and {statistics} show them"
                ));
            }
            ActionId::TabSegments if !self.has_segments() => {
                "the log is one file; only a log that is a folder has segments"
            }
            ActionId::ScanStop if self.scan.state != ScanState::Running => "no scan is running",
            ActionId::ScanResume if self.scan.state == ScanState::Running => "the scan is already running",
            ActionId::Export | ActionId::Report | ActionId::Compact if self.job(WorkerKind::Export).is_some() => {
                return Some(format!("another file is being written; {} stops it", key(ActionId::Back)));
            }
            ActionId::SaveCopy if self.copied.is_none() => "nothing was copied yet",
            ActionId::Messages if self.past_notices.is_empty() => "no messages yet",
            ActionId::CopyJson | ActionId::CopyPayload if !self.has_selected_json() => "no event is selected",
            ActionId::Copy | ActionId::CopyOffset | ActionId::CopyHex | ActionId::CopyCommand
                if self.lists_rows() && self.selected_row().is_none() =>
            {
                "no row is selected"
            }
            _ => return None,
        };
        Some(reason.to_owned())
    }

    /// Returns why there is no value that an action could take, or `None` when there is one.
    fn value_refusal(&self) -> Option<String> {
        let key = |id| self.keys.hint(id);
        if self.focus != Pane::Detail {
            Some(format!(
                "the detail pane shows the values; {} or {} goes there, {} and {} select one",
                key(ActionId::Activate),
                key(ActionId::NextPane),
                key(ActionId::Down),
                key(ActionId::Up)
            ))
        } else if self.detail.value_under_cursor().is_some() {
            None
        } else if self.selected_row().is_none_or(|row| !matches!(row.content, RowContent::Event(_))) {
            Some(format!(
                "only events have values; {} goes back to the list, {} from an event of the list to its values",
                key(ActionId::TabEvents),
                key(ActionId::Activate)
            ))
        } else if matches!(self.detail.shown_view(), DetailView::Json | DetailView::Aggregate) {
            let (down, up) = (key(ActionId::Down), key(ActionId::Up));
            Some(format!("no value is in this line; {down} and {up} go to one"))
        } else {
            let (previous, next) = (key(ActionId::PreviousView), key(ActionId::NextView));
            Some(format!("this view shows no values; {previous} and {next} change to the JSON view, which does"))
        }
    }

    /// Returns the command that does what the dialog of a plan shows.
    pub(crate) fn plan_command(&self, dialog: &PlanDialog) -> String {
        dialog.request().cli_command(&self.log_info.shell_path())
    }

    /// Returns the topmost overlay when it is the dialog of a plan.
    pub(crate) fn plan_dialog(&self) -> Option<&PlanDialog> {
        match self.overlays.last()? {
            Overlay::Plan(dialog) => Some(dialog),
            _ => None,
        }
    }

    fn has_selected_json(&self) -> bool {
        let Some(contents) = &self.detail.contents else { return false };
        contents.details.payload_text.is_some()
            && self.selected_row().is_some_and(|row| row.start == contents.details.row.start)
    }

    /// Returns why the append form cannot take over the selected event.
    fn template_refusal(&self) -> Option<&'static str> {
        if !self.lists_rows() || !self.has_selected_json() {
            return Some("no event is selected");
        }
        let payload = self.detail.contents.as_ref().and_then(|contents| contents.details.event_payload());
        let fits = payload.is_some_and(|payload| payload.len() <= MAX_TEMPLATE_BYTES);
        (!fits).then_some("the payload has more than 64 KiB, too much for the form; `chronicle append` takes any event")
    }

    fn append_refusal(&self) -> Option<String> {
        if let Some(reason) = &self.log_info.read_only_reason {
            return Some(reason.clone());
        }
        let index = &self.log_info.index;
        if let Some(end) = index.seen_end.offset().filter(|end| *end > self.log_info.bytes) {
            let missing = format_number(end - self.log_info.bytes);
            let repair = self.keys.hint(ActionId::RepairAll);
            return Some(format!(
                "the log is truncated: its index has recorded {missing} bytes more; {repair} plans a repair, `chronicle \
                 repair LOG --forget` gives them up"
            ));
        }
        match self.log_info.writer {
            WriterPresence::HoldsLock(pid) => Some(lock_refusal(pid)),
            _ => self.unknown_end_refusal(),
        }
    }

    /// Returns why the index is not updated, or `None` when it can be.
    fn update_index_refusal(&self) -> Option<String> {
        let rebuild = self.keys.hint(ActionId::RebuildIndex);
        match &self.log_info.index.state {
            IndexState::Fresh => Some(format!("the index is fresh; {rebuild} rebuilds it anyway")),
            IndexState::Ahead { bytes } => Some(format!(
                "the index is ahead by {} bytes, the only record of what is missing; {rebuild} rebuilds it after asking",
                format_number(*bytes)
            )),
            IndexState::Untrusted { found } => Some(format!("the index is not trusted: {}", found.reason)),
            IndexState::Unreadable { reason } => {
                Some(format!("the index cannot be read: {reason}; {rebuild} replaces it after asking"))
            }
            IndexState::Unsupported { version } => Some(format!(
                "the index has version {version}, written by a newer program; {rebuild} replaces it after asking"
            )),
            _ => None,
        }
    }

    /// Returns why the end of the log cannot be changed, when the index that could describe it cannot be read.
    fn unknown_end_refusal(&self) -> Option<String> {
        match &self.log_info.index.seen_end {
            SeenEnd::Unknown { reason, .. } => Some(format!(
                "{reason}; only the index can show whether the log has lost its end; {} replaces it after asking",
                self.keys.hint(ActionId::RebuildIndex)
            )),
            _ => None,
        }
    }

    fn repair_refusal(&self, id: ActionId) -> Option<String> {
        if let Some(reason) = &self.log_info.read_only_reason {
            let hint =
                if self.log_info.version == 0 { "; `chronicle migrate LOG -o NEW` writes a repaired copy" } else { "" };
            return Some(format!("{reason}{hint}"));
        }
        match self.log_info.writer {
            WriterPresence::HoldsLock(pid) => return Some(lock_refusal(pid)),
            WriterPresence::HasFileOpen(pid) => {
                return Some(format!("another process has the log open for writing, pid {pid}"));
            }
            WriterPresence::NoneFound | WriterPresence::Unknown => {}
        }
        if id != ActionId::Undo
            && let Some(reason) = self.unknown_end_refusal()
        {
            return Some(reason);
        }
        match id {
            ActionId::Erase => match (self.erase_target(), self.tab) {
                (Some(_), _) => None,
                (None, Tab::Aggregates) => Some("no aggregate is selected".into()),
                (None, _) => Some("no event is selected".into()),
            },
            ActionId::Purge => self.purge_refusal(),
            ActionId::Repair => self.unreadable_refusal().or_else(|| self.selected_damage_refusal()),
            ActionId::RepairAll => self.unreadable_refusal().or_else(|| {
                let is_clean = self.scan.has_read_all() && self.scan.damage_count() == 0;
                is_clean.then(|| "the log has no damage".into())
            }),
            _ => None,
        }
    }

    /// Returns the events that an erasure would select: those of the selected aggregate in the table of aggregates, those of
    /// the shown aggregate while its view has the focus, else the selected event.
    pub(crate) fn erase_target(&self) -> Option<EraseTarget> {
        if self.tab == Tab::Aggregates {
            let row = self.aggregates.row(self.aggregates.cursor.line)?;
            return Some(EraseTarget::Aggregate(row.summary.id));
        }
        let row = self.selected_row().filter(|_| self.tab == Tab::Events)?;
        let RowContent::Event(event) = &row.content else { return None };
        let shows_aggregate = self.focus == Pane::Detail && self.detail.shown_view() == DetailView::Aggregate;
        match event.aggregate_id.filter(|_| shows_aggregate) {
            Some(id) => Some(EraseTarget::Aggregate(id)),
            None => Some(EraseTarget::Event(row.start)),
        }
    }

    /// Returns whether a purge deletes removed segments: in the tab of the segments, for a selected removal, and where no erasure can be made final.
    pub(crate) fn purges_segments(&self) -> bool {
        let has_erasures = self.repairs.records.iter().any(RepairRecord::can_be_purged);
        match self.tab {
            Tab::Segments => true,
            Tab::Repairs => self.repairs.selected_removal().is_some_and(|removal| removal.purged_at_ms.is_none()),
            _ => !has_erasures && self.repairs.has_restorable_segments(),
        }
    }

    /// Returns why no segments can be removed, whichever are to be, or `None` when they can.
    pub(crate) fn retention_refusal(&self) -> Option<String> {
        let id = ActionId::Retain;
        if !self.has_segments() {
            return Some(
                "the log is one file, from which no segments are removed; `:compact FILE` copies a part".into(),
            );
        }
        self.unavailable
            .as_ref()
            .map(super::LogUnavailable::write_refusal)
            .or_else(|| self.write_refusal().or_else(|| self.repair_refusal(id)))
    }

    /// Returns why nothing can be made final, or `None` when an erasure or removed segments can.
    fn purge_refusal(&self) -> Option<String> {
        if self.purges_segments() {
            return None;
        }
        let selected = self.repairs.selected_record().filter(|_| self.tab == Tab::Repairs);
        if self.tab == Tab::Repairs && self.repairs.selected_removal().is_some() {
            return Some("these segments were deleted for good already".into());
        }
        match selected {
            Some(record) if record.can_be_purged() => None,
            Some(record) => Some(format!("repair {} is not an erasure that can be made final", record.number)),
            None if self.repairs.records.iter().any(RepairRecord::can_be_purged) => None,
            None => Some("no erasure is in effect that is not final".into()),
        }
    }

    /// Returns why a log with unreadable ranges is not repaired in place: writing to a failing device could lose more
    /// data.
    fn unreadable_refusal(&self) -> Option<String> {
        let Finding { start, end, .. } =
            self.scan.findings.iter().find(|finding| finding.kind == DamageKind::Unreadable)?;
        Some(format!("the device cannot read {start}..{end}; `chronicle salvage LOG -o NEW` copies what can be read"))
    }

    fn selected_damage_refusal(&self) -> Option<String> {
        if self.tab == Tab::Compare {
            return self.take_refusal();
        }
        let shows_findings = matches!(self.tab, Tab::Events | Tab::Findings);
        match self.selected_row().map(|row| row.content).filter(|_| shows_findings) {
            Some(RowContent::Finding(finding)) if finding.kind.is_damage() => None,
            Some(RowContent::Finding(finding)) => Some(format!("{} is not damage", finding.kind.name())),
            _ => Some(format!("no damage is selected; {} goes to the next", self.keys.hint(ActionId::NextDamage))),
        }
    }
}

/// Returns whether an action copies a part of the selected row or line.
const fn is_copy(id: ActionId) -> bool {
    matches!(
        id,
        ActionId::CopyOffset
            | ActionId::CopyJson
            | ActionId::CopyPayload
            | ActionId::CopyValue
            | ActionId::CopyPath
            | ActionId::CopyHex
            | ActionId::CopyCommand
    )
}

/// Returns whether an action reads parts of the log that are not on the screen.
const fn needs_log_data(id: ActionId) -> bool {
    matches!(
        id,
        ActionId::Search
            | ActionId::SearchNext
            | ActionId::SearchPrevious
            | ActionId::NextDamage
            | ActionId::PreviousDamage
            | ActionId::Follow
            | ActionId::ScanStop
            | ActionId::ScanResume
            | ActionId::ReadAgain
            | ActionId::Verify
            | ActionId::Period
            | ActionId::Timeline
            | ActionId::Export
    )
}

fn lock_refusal(pid: u32) -> String {
    format!("another process holds the writer's lock, pid {pid}")
}
