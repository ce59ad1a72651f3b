//! Finds the fix for one finding by reading only the damaged range that contains it.

use std::ops::ControlFlow;

use super::filter::Filter;
use super::log_reader::LogReader;
use super::row_filter::RowFilter;
use crate::StorageError;
use crate::format::{DamageKind, Finding};
use crate::inspect::{LogView, SurveyOptions, SurveyUpdate, survey};
use crate::repair::{Fix, FixFinder};

/// Returns the fix that a repair would propose for `finding`; `None` when no repair in place is possible.
///
/// The whole damaged range that contains the finding is read, because adjacent pieces that are too short for separate
/// gaps share one gap.
///
/// # Errors
/// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub fn find_fix(view: &LogView, finding: &Finding) -> Result<Option<Fix>, StorageError> {
    let filter = Filter::default();
    let reader = LogReader::new(view, RowFilter { filter: &filter, pattern: None, excerpt: None })?;
    let options = if finding.kind == DamageKind::Header {
        // A survey reports the header only when it starts with the log.
        SurveyOptions::new().until(view.log().first_frame_offset())
    } else {
        let from = reader.enclosing_start(finding.start)?;
        // A survey reports a lost end only when it has no `until`.
        let until = (finding.end < reader.log_end).then_some(finding.end);
        SurveyOptions { from: Some(from), until, frames_only: true, ..SurveyOptions::new() }
    };
    let mut finder = FixFinder::new(view)?;
    let mut proposed = Vec::new();
    let mut failure = None;
    let surveyed = survey(view, &options, None, &mut |update| {
        if let SurveyUpdate::Finding(found) = update {
            match finder.push(found) {
                Ok(decided) => proposed.extend(decided),
                Err(error) => failure = Some(error),
            }
        }
        if failure.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    failure.map_or(Ok(()), Err)?;
    surveyed?;
    proposed.extend(finder.finish());
    let same_place = proposed.into_iter().find(|proposed| proposed.finding.range() == finding.range());
    Ok(same_place.and_then(|proposed| proposed.fix))
}
