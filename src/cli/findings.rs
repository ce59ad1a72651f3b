//! Pairs the findings of a survey with their fixes, formats a finding as one line, and derives an exit status from the
//! index state. `verify`, `repair`, `undo` and `cat` share this code.

use std::ops::ControlFlow;
use std::path::Path;

use super::failure::CommandFailure;
use super::progress::TerminalProgress;
use crate::StorageError;
use crate::format::Finding;
use crate::index::IndexState;
use crate::inspect::{LogView, OnSurveyUpdate, Survey, SurveyUpdate};
use crate::repair::{FixFinder, ProposedFix};
use crate::report::{ExitStatus, finding_sentence, safe_path_text, units};

/// One pass over a log, which reports its progress and findings to the callback.
pub(super) type SurveyRunner<'a> = dyn FnMut(&mut OnSurveyUpdate) -> Result<Survey, StorageError> + 'a;

/// Runs `pass` and calls `on_finding` for every finding, with its fix if one exists.
pub(super) fn survey_with_fixes(
    view: &LogView,
    pass: &mut SurveyRunner,
    progress: &TerminalProgress,
    on_finding: &mut dyn FnMut(ProposedFix) -> Result<(), CommandFailure>,
) -> Result<Survey, CommandFailure> {
    let mut fix_finder = FixFinder::new(view)?;
    let mut callback_result = Ok(());
    let survey = pass(&mut |update| {
        match update {
            SurveyUpdate::Progress(position) => progress.update(position),
            SurveyUpdate::Finding(finding) => {
                let fixes = fix_finder.push(finding).map_err(CommandFailure::from);
                callback_result = fixes.and_then(|fixes| fixes.into_iter().try_for_each(&mut *on_finding));
            }
        }
        if callback_result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    callback_result?;
    let survey = survey?;
    fix_finder.finish().into_iter().try_for_each(on_finding)?;
    Ok(survey)
}

/// The index states that a command accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IndexRequirement {
    /// Every state in which the index is usable or can be caught up; a missing index is accepted too.
    NotBroken,
    /// Only the state `fresh` is accepted.
    Fresh,
}

/// Returns the exit status that the index alone causes.
pub(super) fn index_status(view: &LogView, requirement: IndexRequirement) -> ExitStatus {
    let accepted = match view.index_state() {
        IndexState::Fresh => true,
        // Without its record of the end, a log is not known to be complete.
        _ if view.seen_end().is_unknown() => false,
        IndexState::Missing | IndexState::Untrusted { .. } | IndexState::Behind { .. } | IndexState::Ahead { .. } => {
            requirement == IndexRequirement::NotBroken
        }
        IndexState::Foreign { .. }
        | IndexState::Corrupt { .. }
        | IndexState::Unreadable { .. }
        | IndexState::Unsupported { .. } => false,
    };
    if accepted { ExitStatus::Done } else { ExitStatus::IndexUnusable }
}

/// Formats a finding as one line: range, kind, size, sentence and, for a gap, the journal with its original bytes.
pub(super) fn finding_line(finding: &Finding, journal: Option<&Path>) -> String {
    let range = format!("{}..{}", finding.start, finding.end);
    let journal = journal.map(|journal| format!("; original bytes in {}", safe_path_text(journal))).unwrap_or_default();
    let (kind, bytes) = (finding.kind.name(), units::format_size(finding.end - finding.start));
    format!("{range:<22} {kind:<13} {bytes:>8}  {}{journal}", finding_sentence(finding))
}
