//! The filter language: words separated by blanks. Each word is one term, and an event is shown when all terms match.
//!
//! Words with the same key and operator are alternatives, and so are the values of a list: `type:Created type:Updated` and
//! `type:Created,Updated` show events of either type, and `v>=2 v<5` is a range. A word with a leading minus or
//! exclamation mark must not match. Damage and gaps are shown under every filter without an `is:` word, because the lost
//! events might have matched.

use std::ops::Range;

use super::block_conditions::{BlockConditions, can_prune_blocks};
use super::filter_parser::{AlternativesKey, ParsedWord, parse_word};
use super::filter_term::{FilterTerm, NumberField};
use super::filter_word::{FilterWord, Polarity};
use super::known_names::{KnownNames, UnknownName};
use super::syntax_error::QuerySyntaxError;
use super::time_input::TimeContext;
use crate::format::{EventView, Finding};
use crate::index::NameCounts;

/// A parsed filter. The default filter shows every row.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The words as typed, separated by one blank.
    text: String,
    words: Vec<FilterWord>,
    /// The groups of terms, all of which must match; the cheapest comes first.
    groups: Vec<TermGroup>,
    aggregate_ids: Option<Vec<u64>>,
    /// The times that relative times count back from.
    times: TimeContext,
    findings: FindingRows,
}

/// Whether a filter without an `is:` word shows the rows of findings: damage, gaps and the unfinished last frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FindingRows {
    /// The rows are shown, because the lost events might have matched.
    #[default]
    Shown,
    /// The rows are hidden, because the caller reports them in another place.
    Hidden,
}

/// Terms that are alternatives of each other.
#[derive(Debug, Clone)]
struct TermGroup {
    /// What the words of the group have in common; `None` for a group of one word.
    key: Option<AlternativesKey>,
    terms: Vec<FilterTerm>,
    polarity: Polarity,
}

impl Filter {
    /// Parses a filter. Relative times such as `-15m` count back from `now_ms`, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// The first word that cannot be parsed, with its position and the reason.
    ///
    /// # Examples
    /// ```
    /// use chronicle::query::Filter;
    ///
    /// let filter = Filter::parse("agg:42 type:Created type:Updated", 0)?;
    /// assert_eq!(filter.aggregate_ids(), Some(&[42][..]));
    /// assert!(Filter::parse("tpye:Created", 0).unwrap_err().reason.contains("the nearest is `type`"));
    /// # Ok::<(), chronicle::query::QuerySyntaxError>(())
    /// ```
    pub fn parse(text: &str, now_ms: u64) -> Result<Self, QuerySyntaxError> {
        Self::parse_with(text, TimeContext::at(now_ms))
    }

    /// Parses a filter whose relative times refer to `times`: `-15m` to the present time, `end-1h` to the last event.
    ///
    /// # Errors
    /// The first word that cannot be parsed, with the position of the fault and the reason; a relative time when the time
    /// that it refers to is not known.
    pub fn parse_with(text: &str, times: TimeContext) -> Result<Self, QuerySyntaxError> {
        Self::from_words(FilterWord::split(text)?, times)
    }

    /// Returns this filter with findings shown or hidden. The default filter and `is:` words show findings in any case.
    #[must_use]
    pub fn with_finding_rows(self, findings: FindingRows) -> Self {
        Self { findings, ..self }
    }

    /// Returns the filter's words, separated by one blank.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when the filter has no words and shows every row.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// True when both filters have the same words and count relative times back from the same time.
    pub fn is_same(&self, other: &Self) -> bool {
        self.text == other.text && self.times == other.times && self.findings == other.findings
    }

    /// Returns this filter with the words of `text` added, except words that it already has.
    ///
    /// Relative times count back from the time at which this filter was parsed.
    ///
    /// # Errors
    /// The first word that cannot be parsed, with its position in `text`; a relative time when this is the default filter.
    pub fn with_words(&self, text: &str) -> Result<Self, QuerySyntaxError> {
        let mut words = self.words.clone();
        for word in FilterWord::split(text)? {
            if words.iter().all(|known| known.text != word.text) {
                words.push(word);
            }
        }
        Ok(Self::from_words(words, self.times)?.with_finding_rows(self.findings))
    }

    /// Returns this filter without its last word.
    #[must_use]
    pub fn without_last(&self) -> Self {
        let words = self.words.split_last().map_or(&[][..], |(_, others)| others);
        Self::from_words(words.to_vec(), self.times).unwrap_or_default().with_finding_rows(self.findings)
    }

    /// Returns this filter with its times without a zone read in another zone; `None` for UTC.
    #[cfg(feature = "app")]
    #[must_use]
    pub(crate) fn in_zone(&self, zone: Option<&'static jiff::tz::TimeZone>) -> Self {
        Self::from_words(self.words.clone(), self.times.in_zone(zone)).unwrap_or_else(|_| self.clone())
    }

    /// Returns the ids, ascending, of the aggregates whose events the filter can show; `None` when it can show other events.
    pub fn aggregate_ids(&self) -> Option<&[u64]> {
        self.aggregate_ids.as_deref()
    }

    /// True when the filter shows the event at `offset`.
    pub fn matches_event(&self, offset: u64, event: &EventView) -> bool {
        self.groups.iter().all(|group| group.matches(|term| term.matches(offset, event)))
    }

    /// Iterates over the terms of the words without a leading minus.
    #[cfg(feature = "app")]
    pub(super) fn included_terms(&self) -> impl Iterator<Item = &FilterTerm> {
        self.groups.iter().filter(|group| !group.excludes()).flat_map(|group| &group.terms)
    }

    /// Returns the names in the filter that no event has, according to the known names. An excluded name that is similar to
    /// none of them is left out, because a filter may well exclude what a log does not have.
    pub(crate) fn unknown_names(&self, known: &KnownNames) -> Vec<UnknownName> {
        let mut unknown = Vec::new();
        for group in &self.groups {
            for term in &group.terms {
                let FilterTerm::Name(kind, pattern) = term else { continue };
                let is_known = known.of_kind(*kind).any(|name| pattern.matches(&name.text));
                if is_known || !known.knows_all(*kind) {
                    continue;
                }
                let typed = pattern.typed().to_owned();
                let nearest = known.nearest(*kind, &typed).cloned();
                if nearest.is_some() || !group.excludes() {
                    unknown.push(UnknownName { kind: *kind, typed, nearest });
                }
            }
        }
        unknown
    }

    /// True when the filter has a condition on a name.
    pub(crate) fn has_names(&self) -> bool {
        self.groups.iter().flat_map(|group| &group.terms).any(|term| matches!(term, FilterTerm::Name(..)))
    }

    /// True when the filter has a condition on the time of an event.
    pub(crate) fn has_times(&self) -> bool {
        self.groups.iter().any(|group| group.terms.iter().any(FilterTerm::is_about_time))
    }

    /// True when the filter shows every event that starts in `offsets` and has one of the times from `times.0` to `times.1`.
    pub(super) fn shows_all_events(&self, offsets: &Range<u64>, times: (u64, u64)) -> bool {
        let is_certain = |term: &FilterTerm| match term {
            FilterTerm::Number(NumberField::Time, set) => set.includes(times.0, times.1),
            FilterTerm::Number(NumberField::Offset, set) => set.includes(offsets.start, offsets.end),
            _ => false,
        };
        self.groups.iter().all(|group| !group.excludes() && group.terms.iter().any(is_certain))
    }

    /// Returns the earliest and the latest time, in milliseconds since the Unix epoch, that the filter's words about times
    /// permit; `None` when no event can have such a time.
    pub(super) fn time_bounds(&self) -> Option<(u64, u64)> {
        let mut bounds = (0, u64::MAX);
        for group in self.groups.iter().filter(|group| !group.excludes() && group.is_about_times()) {
            let sets = group.terms.iter().filter_map(|term| match term {
                FilterTerm::Number(NumberField::Time, set) => set.bounds(),
                _ => None,
            });
            let (first, last) = sets.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))?;
            bounds = (bounds.0.max(first), bounds.1.min(last));
        }
        (bounds.0 <= bounds.1).then_some(bounds)
    }

    /// Returns this filter without its words about times.
    #[cfg(feature = "app")]
    #[must_use]
    pub(crate) fn without_times(&self) -> Self {
        let is_kept = |word: &FilterWord| {
            parse_word(word, self.times).is_ok_and(|parsed| !parsed.terms.iter().all(FilterTerm::is_about_time))
        };
        let words = self.words.iter().filter(|word| is_kept(word)).cloned().collect();
        Self::from_words(words, self.times).unwrap_or_default().with_finding_rows(self.findings)
    }

    /// Returns the conditions that a block must satisfy so that an event of it can match the filter.
    pub(super) fn block_conditions(&self, names: &NameCounts) -> BlockConditions {
        let mut conditions = BlockConditions::default();
        for group in self.groups.iter().filter(|group| !group.excludes()) {
            conditions.add_group(group.terms.iter(), names);
        }
        conditions
    }

    /// True when the index can shorten a search under this filter.
    ///
    /// A filter with an `is:` word reads everything: the user asked for damage that the index may not know.
    pub(crate) fn can_use_index(&self) -> bool {
        let narrows = |group: &TermGroup| !group.excludes() && group.terms.iter().all(can_prune_blocks);
        (self.aggregate_ids.is_some() || self.groups.iter().any(narrows)) && !self.requires_non_event()
    }

    /// True when the filter shows a finding. Only `is:` words exclude findings, and offset words together with `is:` words.
    pub fn matches_finding(&self, finding: &Finding) -> bool {
        if self.hides_findings() {
            return false;
        }
        let requires_non_event = self.requires_non_event();
        self.groups.iter().all(|group| match group.terms.first() {
            Some(FilterTerm::NonEvent(_)) => group.matches(|term| term.matches_finding(finding)),
            Some(FilterTerm::Number(NumberField::Offset, _)) if requires_non_event => {
                group.matches(|term| term.matches_finding(finding))
            }
            _ => true,
        })
    }

    /// True when the filter shows an unfinished last frame. It may become an event that matches.
    pub(crate) fn matches_in_flight(&self) -> bool {
        !self.requires_non_event() && !self.hides_findings()
    }

    /// True when the filter shows the log's header: all of its words are `is:` words with a leading minus.
    pub(crate) fn matches_header(&self) -> bool {
        self.groups.iter().all(|group| group.excludes() && group.is_about_non_events())
    }

    /// True when the filter hides the findings that it would show otherwise.
    fn hides_findings(&self) -> bool {
        self.findings == FindingRows::Hidden && !self.is_empty() && !self.requires_non_event()
    }

    fn requires_non_event(&self) -> bool {
        self.groups.iter().any(|group| !group.excludes() && group.is_about_non_events())
    }

    fn from_words(words: Vec<FilterWord>, times: TimeContext) -> Result<Self, QuerySyntaxError> {
        let mut groups: Vec<TermGroup> = Vec::new();
        for word in &words {
            let ParsedWord { key, polarity, terms } = parse_word(word, times)?;
            let accepts = |group: &&mut TermGroup| key.is_some() && group.key == key && group.polarity == polarity;
            match groups.iter_mut().find(accepts) {
                Some(group) => group.terms.extend(terms),
                None => groups.push(TermGroup { key, terms, polarity }),
            }
        }
        groups.sort_by_key(|group| group.terms.first().map_or(0, FilterTerm::cost));
        let aggregate_ids = groups.iter().filter(|group| !group.excludes()).find_map(TermGroup::aggregate_ids);
        let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        Ok(Self { text, words, groups, aggregate_ids, times, findings: FindingRows::default() })
    }
}

impl TermGroup {
    /// True when the terms of the group must not match.
    fn excludes(&self) -> bool {
        self.polarity == Polarity::Exclude
    }

    fn is_about_non_events(&self) -> bool {
        matches!(self.terms.first(), Some(FilterTerm::NonEvent(_)))
    }

    fn is_about_times(&self) -> bool {
        self.terms.iter().all(FilterTerm::is_about_time)
    }

    /// True when one of the terms matches, or, for an excluding group, when no term does.
    fn matches(&self, term_matches: impl Fn(&FilterTerm) -> bool) -> bool {
        self.terms.iter().any(term_matches) != self.excludes()
    }

    /// Returns the ids, ascending, when every term of the group names an aggregate.
    fn aggregate_ids(&self) -> Option<Vec<u64>> {
        let mut ids = self.terms.iter().map(FilterTerm::aggregate_id).collect::<Option<Vec<_>>>()?;
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    }
}
