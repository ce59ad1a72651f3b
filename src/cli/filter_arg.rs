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
use crate::{AggregateIndex, EventLog, StorageError};

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

/// Reports on stderr why a filter has shown no event, as far as it is known: names that no event has, and the times of the
/// log. Prints nothing for an empty filter.
pub(super) fn print_filter_advice(
    filter: &Filter,
    log: &EventLog,
    index: Option<&AggregateIndex>,
    out: &mut CommandOutput,
) -> Result<(), StorageError> {
    let log_bytes = log.view().log().len()?;
    let names = index.map(KnownNames::from_index).unwrap_or_default();
    let mut lines = unknown_name_lines(filter, &names, log_bytes);
    lines.extend(if filter.has_times() {
        log_times_line(filter, EventTimes::read(log.view())?, DisplayZone::Utc)
    } else {
        None
    });
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
    let last_event = EventTimes::read(log.view())?.map(|times| times.last_ms);
    let times = TimeContext::at(now_ms()).with_last_event(last_event);
    Filter::parse_with(text, times).map_err(|error| CommandFailure::Usage {
        message: format!("--filter, byte {}: {error}", error.position),
        hint: "`chronicle cat --help` lists the terms and operators of filters".into(),
    })
}
