//! The parts of a text that a filter or a search matched, for highlighting.

use std::ops::Range;

use super::filter::Filter;
use super::filter_term::FilterTerm;
use super::search_pattern::SearchPattern;

/// Finds the parts of texts that a filter and a search match.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Highlighter<'a> {
    filter: &'a Filter,
    pattern: Option<&'a SearchPattern>,
}

impl<'a> Highlighter<'a> {
    /// Creates a highlighter for the words of a filter without a leading minus, and for the pattern of a search.
    pub(crate) const fn new(filter: &'a Filter, pattern: Option<&'a SearchPattern>) -> Self {
        Self { filter, pattern }
    }

    /// Returns the ranges of `text` that a text of the filter or the search matches, ascending and without overlaps.
    pub(crate) fn text_ranges(&self, text: &str) -> Vec<Range<usize>> {
        let mut ranges = self.pattern.map(|pattern| pattern.match_ranges(text)).unwrap_or_default();
        for term in self.filter.included_terms() {
            if let FilterTerm::Text(matcher) = term {
                ranges.extend(matcher.match_ranges(text));
            }
        }
        merge(ranges, text)
    }

    /// Returns the ranges of [`Highlighter::text_ranges`], and those of the values that payload terms of the filter match.
    ///
    /// `payload` is the JSON of an event's payload. In a JSON text that is cut, no value is found.
    pub(crate) fn payload_ranges(&self, payload: &str) -> Vec<Range<usize>> {
        let mut ranges = self.text_ranges(payload);
        for term in self.filter.included_terms() {
            if let FilterTerm::Payload(path) = term {
                ranges.extend(path.match_range(payload));
            }
        }
        merge(ranges, payload)
    }
}

/// Sorts ranges, joins those that overlap, and drops those that are empty or split a character.
fn merge(mut ranges: Vec<Range<usize>>, text: &str) -> Vec<Range<usize>> {
    ranges.retain(|range| text.get(range.clone()).is_some_and(|part| !part.is_empty()));
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOAD: &str = r#"{"name":"Ana Silva","amount":120.5,"note":"silva"}"#;

    fn highlighted(filter: &str, search: Option<&str>) -> Vec<&'static str> {
        let filter = Filter::parse(filter, 0).unwrap();
        let pattern = search.map(|search| SearchPattern::parse(search).unwrap());
        let ranges = Highlighter::new(&filter, pattern.as_ref()).payload_ranges(PAYLOAD);
        ranges.into_iter().map(|range| PAYLOAD.get(range).unwrap()).collect()
    }

    #[test]
    fn texts_patterns_and_payload_values_are_highlighted() {
        assert_eq!(highlighted("silva", None), ["Silva", "silva"]);
        assert_eq!(highlighted("", Some("/an. s/")), ["Ana S"]);
        assert_eq!(highlighted("payload.amount>=100", Some("Ana")), ["Ana", "120.5"]);
        assert_eq!(highlighted("payload.name~Silva", Some("Silva")), ["\"Ana Silva\""], "overlaps are joined");
    }

    #[test]
    fn what_does_not_match_or_must_not_match_is_not_highlighted() {
        for filter in ["-silva", "payload.amount>=200", "type:silva", "-payload.amount>=100"] {
            assert_eq!(highlighted(filter, None), Vec::<&str>::new(), "{filter}");
        }
    }
}
