//! Parses the value of a filter term: a list of values, ranges and patterns.

use super::filter_operators::FilterOperator;
use super::filter_term::{FilterTerm, NonEventKind, NumberField};
use super::filter_terms::FilterTermKind;
use super::name_pattern::NamePattern;
use super::nearest_keyword::nearest_keyword;
use super::number_set::NumberSet;
use super::offset_input::{parse_offset, parse_size_input, parse_whole_number};
use super::quotes::unquote;
use super::slashed_pattern::SlashedPattern;
use super::term_value::TermValue;
use super::time_input::TimeInputError;
use super::word_fault::WordFault;

/// Parses the values of a term that is not a payload term. An event has to match one of the returned terms.
///
/// # Errors
/// The first value that the term does not take.
pub(super) fn parse_values(value: &TermValue) -> Result<Vec<FilterTerm>, WordFault> {
    if let (Some(kind), FilterOperator::Matches | FilterOperator::MatchesNot) =
        (value.spec.kind.name_kind(), value.operator.operator)
    {
        let pattern = NamePattern::from_regex(value.typed).map_err(|reason| WordFault::new(0, reason))?;
        return Ok(vec![FilterTerm::Name(kind, pattern)]);
    }
    let parse = |(at, typed)| parse_one(value, typed).map_err(|fault| fault.after(at));
    value.list()?.into_iter().map(parse).collect()
}

fn parse_one(value: &TermValue, typed: &str) -> Result<FilterTerm, WordFault> {
    let fault = |reason: String| WordFault::new(0, reason);
    let field = match value.spec.kind {
        FilterTermKind::EventType | FilterTermKind::Namespace | FilterTermKind::Schema => {
            return parse_name(value, typed);
        }
        FilterTermKind::NonEvent => return parse_non_event(value, typed),
        FilterTermKind::Aggregate if typed == "null" && is_equality(value.operator.operator) => {
            return Ok(FilterTerm::NoAggregate);
        }
        FilterTermKind::Aggregate => NumberField::Aggregate,
        FilterTermKind::SchemaVersion => NumberField::SchemaVersion,
        FilterTermKind::Time | FilterTermKind::After | FilterTermKind::Before => NumberField::Time,
        FilterTermKind::Offset => NumberField::Offset,
        FilterTermKind::Size => NumberField::Size,
        FilterTermKind::Payload | FilterTermKind::Text | FilterTermKind::Regex => {
            return Err(fault(value.unexpected(typed)));
        }
    };
    parse_number_set(value, field, typed).map(|set| FilterTerm::Number(field, set))
}

const fn is_equality(operator: FilterOperator) -> bool {
    matches!(operator, FilterOperator::Is | FilterOperator::IsNot)
}

fn parse_name(value: &TermValue, typed: &str) -> Result<FilterTerm, WordFault> {
    if let Some(Ok(SlashedPattern { .. })) = SlashedPattern::read(typed) {
        let key = value.spec.key;
        let reason =
            format!("a regular expression follows `~`: {key}~{typed}; a name that starts with a slash is quoted");
        return Err(WordFault::new(0, reason));
    }
    let pattern = NamePattern::from_value(typed).map_err(|reason| WordFault::new(0, reason))?;
    let kind = value.spec.kind.name_kind().ok_or_else(|| WordFault::new(0, value.unexpected(typed)))?;
    Ok(FilterTerm::Name(kind, pattern))
}

fn parse_non_event(value: &TermValue, typed: &str) -> Result<FilterTerm, WordFault> {
    let name = unquote(typed);
    NonEventKind::from_name(&name).map(FilterTerm::NonEvent).ok_or_else(|| {
        let nearest = nearest_keyword(&name, NonEventKind::names());
        let nearest = nearest.map(|nearest| format!("; the nearest is `{nearest}`"));
        WordFault::new(0, value.unexpected(&name) + &nearest.unwrap_or_default())
    })
}

/// Parses one number or time, or a range of them, into the set that the operator accepts.
fn parse_number_set(value: &TermValue, field: NumberField, typed: &str) -> Result<NumberSet, WordFault> {
    let number = |at: usize, text: &str| parse_number(value, field, text).map_err(|reason| WordFault::new(at, reason));
    let typed = unquote(typed);
    let Some((start, end)) = typed.split_once("..") else {
        let (first, last) = number(0, &typed)?;
        let operator = match value.spec.kind {
            FilterTermKind::After => FilterOperator::GreaterOrEqual,
            FilterTermKind::Before => FilterOperator::Less,
            _ => value.operator.operator,
        };
        return Ok(NumberSet::compared(operator, first, last));
    };
    let takes_range = is_equality(value.operator.operator)
        && !matches!(value.spec.kind, FilterTermKind::After | FilterTermKind::Before);
    if !takes_range {
        let example = FilterTermKind::Time.spec().example;
        let reason = format!("expected one value, found a range; a range follows : = or !=, as in {example}");
        return Err(WordFault::new(0, reason));
    }
    if start.is_empty() && end.is_empty() {
        return Err(WordFault::new(0, value.unexpected(&typed)));
    }
    let end_at = start.len() + "..".len();
    let first = if start.is_empty() { 0 } else { number(0, start)?.0 };
    let last = if end.is_empty() { None } else { Some(number(end_at, end)?.1) };
    if last.is_some_and(|last| last < first) {
        return Err(WordFault::new(0, format!("the end is less than the start in the range `{typed}`")));
    }
    Ok(match last {
        None => NumberSet::new(first, u64::MAX),
        // The end of a range of offsets is exclusive.
        Some(last) if field == NumberField::Offset => {
            NumberSet::compared(FilterOperator::Less, last, last).starting_at(first)
        }
        Some(last) => NumberSet::new(first, last),
    })
}

/// Parses a number or a time, and returns the first and the last number that it includes.
fn parse_number(value: &TermValue, field: NumberField, text: &str) -> Result<(u64, u64), String> {
    let number = match field {
        NumberField::Time => {
            return value.times.parse(text).map(|span| (span.first, span.last)).map_err(|error| match error {
                TimeInputError::NotATime => value.unexpected(text),
                error => format!("`{text}`: {}", error.reason()),
            });
        }
        NumberField::Aggregate | NumberField::SchemaVersion => parse_whole_number(text),
        NumberField::Offset => parse_offset(text),
        NumberField::Size => parse_size_input(text),
    };
    number.map(|number| (number, number)).ok_or_else(|| value.unexpected(text))
}
