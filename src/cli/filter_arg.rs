//! The option `--filter`, which several commands share.

use clap::Args;

use super::failure::CommandFailure;
use super::output::CommandOutput;
use crate::log::now_ms;
use crate::query::{
    EventTimes, FILTER_OPERATORS, FILTER_TERMS, Filter, FilterOperatorSpec, FilterTermSpec, KnownNames, TimeContext,
};
use crate::report::json::Json;
use crate::report::units::DisplayZone;
use crate::report::{log_times_line, unknown_name_lines};
use crate::{EventLog, StorageError};

/// The filter that selects the events of a command.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct FilterArg {
    /// Select only events that match this filter
    #[arg(long = "filter", value_name = "EXPR", allow_hyphen_values = true, long_help = filter_help())]
    text: Option<String>,
}

impl FilterArg {
    /// Parses the filter for this log; without the option, the filter shows every event.
    ///
    /// # Errors
    /// `Usage` with the place of the first word that cannot be parsed; `Io` when the log cannot be read.
    pub(super) fn parse(&self, log: &EventLog) -> Result<Filter, CommandFailure> {
        self.text.as_deref().map(|text| parse_filter(text, log)).transpose().map(Option::unwrap_or_default)
    }
}

/// Whether a filter has shown events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterResult {
    /// It has shown no event.
    Nothing,
    /// It has shown events.
    Events,
}

impl FilterResult {
    /// Returns the result of a filter that has shown this number of events.
    pub(super) const fn of(events: u64) -> Self {
        if events == 0 { Self::Nothing } else { Self::Events }
    }
}

/// Reports on stderr the names in a filter that no event has; when it has shown no event, also the times of the log. Without
/// a result and without an index that has the names of all events, the log is read for them. Prints nothing for an empty
/// filter.
pub(super) fn print_filter_advice(
    filter: &Filter,
    log: &EventLog,
    result: FilterResult,
    out: &mut CommandOutput,
) -> Result<(), StorageError> {
    let log_bytes = log.view().log().len()?;
    let mut names = KnownNames::default();
    if filter.has_names() {
        names = KnownNames::from_index(&log.view().load_index());
        if result == FilterResult::Nothing && !names.covers(log_bytes) {
            names = KnownNames::from_index(&*log.index()?);
        }
    }
    let has_times = result == FilterResult::Nothing && filter.has_times();
    let times = if has_times { EventTimes::read(log.view())? } else { None };
    let mut lines = unknown_name_lines(filter, &names, log_bytes);
    lines.extend(log_times_line(filter, times, DisplayZone::Utc));
    for line in lines {
        out.print_notice(&line, &Json::Object(vec![("notice", line.as_str().into())]));
    }
    Ok(())
}

/// Returns the long help of `--filter`: the rules of the filter language, every term of [`FILTER_TERMS`] and every operator
/// of [`FILTER_OPERATORS`].
fn filter_help() -> String {
    let term = |term: &FilterTermSpec| format!("\n  {:<19} {}", term.syntax, term.help.replace('`', ""));
    let operator =
        |spec: &FilterOperatorSpec| format!("\n  {:<4} {:<28} {}", spec.sign, spec.example, spec.help.replace('`', ""));
    let terms: String = FILTER_TERMS.iter().map(term).collect();
    let operators: String = FILTER_OPERATORS.iter().map(operator).collect();
    format!(
        "Select only events that match this filter.\n\n\
        All terms must match; terms with the same key and operator are alternatives; a minus or an exclamation mark \
        before a term excludes:{terms}\n\nOperators:{operators}\n\n\
        Ranges that the index excludes by aggregate, type, namespace, schema, time or offset are not read, and damage \
        in them is not reported; `cat --strict` reads everything."
    )
}

/// Parses the text of an option `--filter` for this log.
///
/// # Errors
/// Those of [`FilterArg::parse`].
pub(super) fn parse_filter(text: &str, log: &EventLog) -> Result<Filter, CommandFailure> {
    // Only times such as `end-1h` count back from the last event.
    let refers_to_end = text.replace(['"', '\\'], "").contains("end");
    let last_event = if refers_to_end { EventTimes::read(log.view())?.map(|times| times.last_ms) } else { None };
    let times = TimeContext::at(now_ms()).with_last_event(last_event);
    Filter::parse_with(text, times).map_err(|error| CommandFailure::Usage {
        message: format!("--filter, byte {}: {error}", error.position),
        hint: "`chronicle cat --help` lists the terms and operators of filters".into(),
    })
}
