//! The filter language: words separated by blanks. Each word is one term, and an event is shown when all terms match.
//!
//! Words with the same key are alternatives: `type:Created type:Updated` shows events of either type. For payload words,
//! path and operator together are the key, so `payload.n>=1 payload.n<9` is a range. A word with a leading minus must not
//! match. Damage and gaps are shown under every filter without an `is:` word, because the lost events might have matched.

use std::ops::Range;

use super::filter_term::FilterTerm;
use super::filter_word::{FilterWord, ParsedWord, Polarity};
use super::syntax_error::QuerySyntaxError;
use crate::format::{EventView, Finding};
use crate::index::{Block, NameCounts};

/// A parsed filter. The default filter shows every row.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The words as typed, separated by one blank.
    text: String,
    words: Vec<FilterWord>,
    /// The groups of terms, all of which must match; the cheapest comes first.
    groups: Vec<TermGroup>,
    aggregate_ids: Option<Vec<u64>>,
    /// The time that relative times count back from, in milliseconds since the Unix epoch.
    now_ms: Option<u64>,
}

/// Terms that are alternatives of each other.
#[derive(Debug, Clone)]
struct TermGroup {
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
        Self::from_words(FilterWord::split(text)?, Some(now_ms))
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
        self.text == other.text && self.now_ms == other.now_ms
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
        Self::from_words(words, self.now_ms)
    }

    /// Returns this filter without its last word.
    #[must_use]
    pub fn without_last(&self) -> Self {
        let words = self.words.split_last().map_or(&[][..], |(_, others)| others);
        Self::from_words(words.to_vec(), self.now_ms).unwrap_or_default()
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

    /// False when the index shows that no event of the block at `block_range` matches the filter.
    pub(super) fn may_match_block(&self, block_range: &Range<u64>, block: &Block, names: &NameCounts) -> bool {
        let may_match = |term: &FilterTerm| term.may_match_block(block_range, block, names);
        self.groups.iter().all(|group| group.excludes() || group.terms.iter().any(may_match))
    }

    /// True when the index can shorten a search under this filter.
    ///
    /// A filter with an `is:` word reads everything: the user asked for damage that the index may not know.
    pub(crate) fn can_use_index(&self) -> bool {
        let narrows =
            |group: &TermGroup| !group.excludes() && group.terms.first().is_some_and(FilterTerm::can_prune_blocks);
        (self.aggregate_ids.is_some() || self.groups.iter().any(narrows)) && !self.requires_non_event()
    }

    /// True when the filter shows a finding. Only `is:` words exclude findings, and offset words together with `is:` words.
    pub fn matches_finding(&self, finding: &Finding) -> bool {
        let requires_non_event = self.requires_non_event();
        self.groups.iter().all(|group| match group.terms.first() {
            Some(FilterTerm::NonEvent(_)) => group.matches(|term| term.matches_finding(finding)),
            Some(FilterTerm::Offset(_)) if requires_non_event => group.matches(|term| term.matches_finding(finding)),
            _ => true,
        })
    }

    /// True when the filter shows an unfinished last frame. It may become an event that matches.
    pub(crate) fn matches_in_flight(&self) -> bool {
        !self.requires_non_event()
    }

    /// True when the filter shows the log's header: all of its words are `is:` words with a leading minus.
    pub(crate) fn matches_header(&self) -> bool {
        self.groups.iter().all(|group| group.excludes() && group.is_about_non_events())
    }

    fn requires_non_event(&self) -> bool {
        self.groups.iter().any(|group| !group.excludes() && group.is_about_non_events())
    }

    fn from_words(words: Vec<FilterWord>, now_ms: Option<u64>) -> Result<Self, QuerySyntaxError> {
        let mut groups: Vec<TermGroup> = Vec::new();
        for word in &words {
            let ParsedWord { term, polarity } = word.parse(now_ms)?;
            let accepts = |group: &&mut TermGroup| {
                group.polarity == polarity && group.terms.iter().any(|other| other.is_alternative_to(&term))
            };
            match groups.iter_mut().find(accepts) {
                Some(group) => group.terms.push(term),
                None => groups.push(TermGroup { terms: vec![term], polarity }),
            }
        }
        groups.sort_by_key(|group| group.terms.first().map_or(0, FilterTerm::cost));
        let aggregate_ids = groups.iter().filter(|group| !group.excludes()).find_map(TermGroup::aggregate_ids);
        let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        Ok(Self { text, words, groups, aggregate_ids, now_ms })
    }
}

impl TermGroup {
    /// True when the words of the group have a leading minus.
    fn excludes(&self) -> bool {
        self.polarity == Polarity::Exclude
    }

    fn is_about_non_events(&self) -> bool {
        matches!(self.terms.first(), Some(FilterTerm::NonEvent(_)))
    }

    /// True when one of the terms matches, or, for an excluding group, when no term does.
    fn matches(&self, term_matches: impl Fn(&FilterTerm) -> bool) -> bool {
        self.terms.iter().any(term_matches) != self.excludes()
    }

    /// Returns the ids, ascending, when every term of the group names an aggregate.
    fn aggregate_ids(&self) -> Option<Vec<u64>> {
        let id = |term: &FilterTerm| match term {
            FilterTerm::Aggregate(id) => *id,
            _ => None,
        };
        let mut ids = self.terms.iter().map(id).collect::<Option<Vec<_>>>()?;
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    }
}
