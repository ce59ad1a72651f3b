//! The names that the events of a log have, with their numbers of events, for completion and for messages about filters
//! that name no event.

use super::nearest_keyword::nearest_keyword;
use crate::index::{AggregateIndex, NameKind};

/// The names of the events that an index covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnownNames {
    /// The names of each kind, the most frequent first.
    names: Vec<KnownName>,
    /// The kinds of which the index counts some names together, so that not every name is known.
    incomplete_kinds: Vec<NameKind>,
    /// The names are those of the events before this offset.
    covered_to: u64,
}

/// A name, with the number of events that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownName {
    pub(crate) kind: NameKind,
    pub(crate) text: Box<str>,
    pub(crate) events: u64,
}

impl KnownNames {
    /// Returns the names that an index knows.
    pub(crate) fn from_index(index: &AggregateIndex) -> Self {
        let mut known = Self { covered_to: index.coverage().scanned_to, ..Self::default() };
        for (name, events) in index.counts().iter().filter(|(_, events)| *events > 0) {
            match &name.text {
                Some(text) => known.names.push(KnownName { kind: name.kind, text: text.clone(), events }),
                None => known.incomplete_kinds.push(name.kind),
            }
        }
        known.names.sort_by(|a, b| (b.events, &a.text).cmp(&(a.events, &b.text)));
        known
    }

    /// Creates the names of a log that has no others.
    #[cfg(test)]
    pub(crate) fn of<const N: usize>(names: [(NameKind, &str, u64); N]) -> Self {
        let known = |(kind, text, events): (NameKind, &str, u64)| KnownName { kind, text: text.into(), events };
        Self { names: names.into_iter().map(known).collect(), incomplete_kinds: Vec::new(), covered_to: u64::MAX }
    }

    /// True when the names are those of all events of a log of `log_bytes` bytes.
    pub(crate) const fn covers(&self, log_bytes: u64) -> bool {
        self.covered_to >= log_bytes
    }

    /// Iterates over the names of a kind, the most frequent first.
    pub(crate) fn of_kind(&self, kind: NameKind) -> impl Iterator<Item = &KnownName> {
        self.names.iter().filter(move |name| name.kind == kind)
    }

    /// True when every name of the kind is known, and there is one.
    pub(super) fn knows_all(&self, kind: NameKind) -> bool {
        !self.incomplete_kinds.contains(&kind) && self.of_kind(kind).next().is_some()
    }

    /// Returns the name of a kind that is most similar to `text`, in any case.
    pub(super) fn nearest(&self, kind: NameKind, text: &str) -> Option<&KnownName> {
        let lower = text.to_lowercase();
        let names: Vec<(String, &KnownName)> =
            self.of_kind(kind).map(|name| (name.text.to_lowercase(), name)).collect();
        let nearest = nearest_keyword(&lower, names.iter().map(|(lower, _)| lower.as_str()))?;
        names.iter().find(|(lower, _)| lower == nearest).map(|(_, name)| *name)
    }
}

/// A name in a filter that no known event has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownName {
    pub(crate) kind: NameKind,
    /// The name, the pattern or the regular expression as typed.
    pub(crate) typed: String,
    /// The most similar name; `None` when no name is similar.
    pub(crate) nearest: Option<KnownName>,
}
