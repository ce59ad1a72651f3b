//! The lines of the Index tab: the state of the index file, its coverage, the coverage of the index in memory, and the
//! available actions.

use super::Model;
use super::labelled_lines::wrap_lines;
use crate::index::{Coverage, IndexState, VerificationMark};
use crate::report::units::{DisplayZone, format_count, format_number, format_size, format_timestamp};
use crate::report::{DetailLine, Tone, index_line, index_meaning, index_reason, safe_path_text, seen_end_sentence};
use crate::tui::actions::{ActionId, action_by_id};

/// Returns the lines of the Index tab, wrapped to `width` columns including the label.
pub(crate) fn wrapped_index_lines(model: &Model, width: usize) -> Vec<DetailLine> {
    let index = &model.log_info.index;
    let log_bytes = model.log_info.bytes;
    let state = index_line(&index.state, model.index_event_difference());
    let mut lines = vec![
        DetailLine { label: "state", text: state, tone: index_state_tone(&index.state) },
        DetailLine::plain("", index_meaning(&index.state)),
    ];
    lines.extend(index_reason(&index.state).map(|reason| DetailLine::plain("reason", reason)));
    let end = seen_end_sentence(&index.seen_end, &index.state, log_bytes);
    lines.extend(end.map(|text| DetailLine { label: "end of the log", text, tone: Tone::Bad }));
    lines.push(DetailLine::plain("file", safe_path_text(&index.path)));
    lines.push(DetailLine::plain("", ""));
    match &index.saved_coverage {
        Some(saved) => lines.extend(coverage_lines("saved index", saved, log_bytes)),
        None => lines.push(DetailLine::plain("saved index", "none that can be used")),
    }
    lines.extend(index.verification.map(|mark| verification_line(mark, log_bytes, model.zone)));
    lines.push(DetailLine::plain("", ""));
    match &index.memory_coverage {
        Some(memory) => lines.extend(coverage_lines("this session", memory, log_bytes)),
        None => lines.push(DetailLine::plain("this session", "nothing yet: the scan is not done")),
    }
    lines.push(DetailLine::plain("", ""));
    lines.push(action_line(model, "r", ActionId::UpdateIndex));
    lines.push(action_line(model, "R", ActionId::RebuildIndex));
    wrap_lines(lines, width)
}

/// Returns the tone of the line that states the state of the index.
pub(crate) const fn index_state_tone(state: &IndexState) -> Tone {
    match state {
        IndexState::Fresh => Tone::Good,
        IndexState::Missing | IndexState::Behind { .. } => Tone::Warning,
        _ => Tone::Bad,
    }
}

impl Model {
    /// Returns the number of events that the index file lacks when it is behind, or that the log lacks when the index
    /// is ahead; `None` until it is known.
    pub(crate) fn index_event_difference(&self) -> Option<u64> {
        let saved = self.log_info.index.saved_coverage?;
        match self.log_info.index.state {
            IndexState::Behind { .. } if self.scan.is_done() => self.scan.event_count?.checked_sub(saved.events),
            IndexState::Ahead { .. } => self.events_missing(),
            _ => None,
        }
    }
}

/// Returns the description of a key's action, or the reason why the action is not available.
fn action_line(model: &Model, key: &'static str, id: ActionId) -> DetailLine {
    match model.disabled_reason(id) {
        Some(reason) => DetailLine::plain(key, format!("unavailable: {reason}")),
        None => DetailLine::plain(key, action_by_id(id).map_or("", |action| action.help)),
    }
}

fn verification_line(mark: VerificationMark, log_bytes: u64, zone: DisplayZone) -> DetailLine {
    let VerificationMark { verified_to, verified_at_ms } = mark;
    let (position, total) = (format_number(verified_to), format_number(log_bytes));
    let time = format_timestamp(verified_at_ms, zone);
    DetailLine::plain("verified earlier", format!("to {position} of {total}, on {time}"))
}

fn coverage_lines(label: &'static str, coverage: &Coverage, log_bytes: u64) -> Vec<DetailLine> {
    let events = format_count(coverage.events, "event");
    let frames = format_count(coverage.frames, "frame");
    let gaps = if coverage.gaps > 0 { format!(", {}", format_count(coverage.gaps, "gap")) } else { String::new() };
    let covered = format!("{} of {}", format_number(coverage.covered_to), format_number(log_bytes));
    let mut lines = vec![
        DetailLine::plain(label, format!("{events}, {frames}{gaps}")),
        DetailLine::plain("covered to", covered),
        DetailLine::plain("read up to", format_number(coverage.scanned_to)),
    ];
    if coverage.log_end_offset != coverage.covered_to {
        let missing = format_size(coverage.log_end_offset.saturating_sub(coverage.covered_to));
        let text = format!("{}: {missing} missing now", format_number(coverage.log_end_offset));
        lines.push(DetailLine { label: "log ended at", text, tone: Tone::Bad });
    }
    lines
}
