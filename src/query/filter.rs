//! The filter language: which rows are shown. Words joined by blanks, all of which have to hold.
//!
//! Of words with the same key one is enough: `type:Created type:Updated`. For a word about the payload, path and sign are
//! the key, so that `payload.n>=1 payload.n<9` is a range. A word behind a minus must not hold. Damage and gaps stay
//! under every filter, because what was lost might have matched, unless a word with `is:` speaks of them.

use std::ops::Range;

use super::filter_error::FilterError;
use super::filter_term::{FilterTerm, FilterWord};
use crate::format::{EventView, Finding};
use crate::index::{Block, NameCounts};

/// Which rows are shown. The default shows every row.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words as typed, with one blank between.
    text: String,
    words: Vec<FilterWord>,
    /// The cheapest to ask first.
    groups: Vec<TermGroup>,
    aggregate_ids: Option<Vec<u64>>,
    now_ms: Option<u64>,
}

/// Words of one key, of which one is enough; or, negated, of which none may hold.
#[derive(Debug, Clone)]
struct TermGroup {
    terms: Vec<FilterTerm>,
    negated: bool,
}

impl Filter {
    /// Reads a filter. `now_ms`, milliseconds since the Unix epoch, is what relative times count back from.
    ///
    /// # Errors
    /// The first word that means nothing, and why.
    pub fn parse(text: &str, now_ms: u64) -> Result<Self, FilterError> {
        Self::from_words(FilterWord::split(text)?, Some(now_ms))
    }

    /// Its words, one blank between them.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when it shows every row.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// True when the other has the same words, its relative times counted back from the same time.
    pub fn is_same(&self, other: &Self) -> bool {
        self.text == other.text && self.now_ms == other.now_ms
    }

    /// The same with one more word, or several; one that it has already is not added again.
    ///
    /// Relative times count back from the time this filter was parsed at.
    ///
    /// # Errors
    /// As [`Filter::parse`], with a place in what is added; a relative time where no filter was parsed.
    pub fn with_words(&self, word: &str) -> Result<Self, FilterError> {
        let mut words = self.words.clone();
        for word in FilterWord::split(word)? {
            if words.iter().all(|known| known.text != word.text) {
                words.push(word);
            }
        }
        Self::from_words(words, self.now_ms)
    }

    /// The same without its last word.
    #[must_use]
    pub fn without_last(&self) -> Self {
        let words = self.words.split_last().map_or(&[][..], |(_, before)| before);
        Self::from_words(words.to_vec(), self.now_ms).unwrap_or_default()
    }

    /// The ids, ascending, of the only aggregates whose events can be shown; `None` when others, or events of none, can.
    pub fn aggregate_ids(&self) -> Option<&[u64]> {
        self.aggregate_ids.as_deref()
    }

    /// True when it shows the event at `offset`.
    pub fn matches_event(&self, offset: u64, event: &EventView) -> bool {
        self.groups.iter().all(|group| group.negated != group.terms.iter().any(|term| term.matches(offset, event)))
    }

    /// True when an event of a block of the log, `range`, can be shown, as far as an index knows.
    pub(super) fn may_match_block(&self, range: &Range<u64>, block: &Block, names: &NameCounts) -> bool {
        let may = |group: &TermGroup| group.terms.iter().any(|term| term.may_match_block(range, block, names));
        self.groups.iter().all(|group| group.negated || may(group))
    }

    /// True when an index may say where to look. Who asks for damage wants it looked for, not looked up.
    pub(crate) fn can_use_index(&self) -> bool {
        let narrows =
            |group: &TermGroup| !group.negated && group.terms.first().is_some_and(FilterTerm::can_prune_blocks);
        (self.aggregate_ids.is_some() || self.groups.iter().any(narrows)) && !self.has_non_event_term()
    }

    /// True when it shows a finding: any, unless `is:` asks for other sorts, or `-is:` for all but its own.
    pub fn matches_finding(&self, finding: &Finding) -> bool {
        let has_non_event_term = self.has_non_event_term();
        self.groups.iter().all(|group| match group.terms.first() {
            Some(FilterTerm::NonEvent(_)) => {
                group.negated != group.terms.iter().any(|term| term.matches_finding(finding))
            }
            Some(FilterTerm::Offset(_)) if has_non_event_term => {
                group.negated != group.terms.iter().any(|term| term.matches_finding(finding))
            }
            _ => true,
        })
    }

    /// True when it shows a last frame that is being written: it is no damage and may become a match.
    pub fn matches_in_flight(&self) -> bool {
        !self.has_non_event_term()
    }

    /// True when it shows the log's header: no word asks anything of events.
    pub fn matches_header(&self) -> bool {
        self.groups.iter().all(|group| group.negated && matches!(group.terms.first(), Some(FilterTerm::NonEvent(_))))
    }

    fn has_non_event_term(&self) -> bool {
        self.groups.iter().any(|group| !group.negated && matches!(group.terms.first(), Some(FilterTerm::NonEvent(_))))
    }

    fn from_words(words: Vec<FilterWord>, now_ms: Option<u64>) -> Result<Self, FilterError> {
        let mut groups: Vec<TermGroup> = Vec::new();
        for word in &words {
            let (term, negated) = word.parse_term(now_ms)?;
            let same = |group: &&mut TermGroup| {
                group.negated == negated && group.terms.iter().any(|known| known.has_same_key(&term))
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.terms.push(term),
                None => groups.push(TermGroup { terms: vec![term], negated }),
            }
        }
        groups.sort_by_key(|group| group.terms.first().map_or(0, FilterTerm::cost));
        let aggregates = groups.iter().filter(|group| !group.negated).find_map(TermGroup::aggregate_ids);
        let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        Ok(Self { text, words, groups, aggregate_ids: aggregates, now_ms })
    }
}

impl TermGroup {
    /// The ids, when all of its words name one.
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
