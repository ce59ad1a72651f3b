//! One word of a filter: how a text is cut into words, and what each means.
//!
//! Here never lives how words work together.

use std::ops::Range;

use super::filter_error::FilterError;
use super::filter_path::PathTerm;
use super::text_matcher::TextMatcher;
use super::time_input;
use crate::format::{DamageKind, EventView, Finding};
use crate::index::{Block, NameCounts, NameKind};

/// The keys that are followed by a colon.
const KEYS: [&str; 9] = ["agg", "type", "ns", "schema", "v", "after", "before", "offset", "is"];

/// A word as typed.
#[derive(Debug, Clone)]
pub(super) struct FilterWord {
    /// Its characters, quotes and sign included.
    pub(super) text: String,
    /// Where it starts in the filter's text, in bytes.
    pub(super) at: usize,
}

/// What a word asks of an event.
#[derive(Debug, Clone)]
pub(super) enum FilterTerm {
    /// The aggregate's id; `None` for events of no aggregate.
    Aggregate(Option<u64>),
    Type(String),
    Namespace(String),
    Schema(String),
    SchemaVersion(u32),
    /// At this time or later, in milliseconds.
    After(u64),
    /// Before this time.
    Before(u64),
    /// Where it starts.
    Offset(Range<u64>),
    /// No event, but a row of this sort.
    NonEvent(NonEventKind),
    Payload(Box<PathTerm>),
    Text(TextMatcher),
}

/// Rows that are no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NonEventKind {
    Damaged,
    Gap,
    Invalid,
}

impl NonEventKind {
    const ALL: [(&str, Self); 3] = [("damaged", Self::Damaged), ("gap", Self::Gap), ("invalid", Self::Invalid)];

    /// True when a finding is of this sort.
    pub(super) fn includes(self, kind: DamageKind) -> bool {
        match self {
            Self::Damaged => kind.is_damage(),
            Self::Gap => kind == DamageKind::Gap,
            Self::Invalid => kind == DamageKind::InvalidEvent,
        }
    }
}

impl FilterWord {
    /// Cuts a text at the blanks outside quotes.
    pub(super) fn split(text: &str) -> Result<Vec<Self>, FilterError> {
        let mut words: Vec<Self> = Vec::new();
        let (mut open, mut quote, mut escaped) = (false, None, false);
        for (at, c) in text.char_indices() {
            if quote.is_none() && c.is_whitespace() {
                open = false;
                continue;
            }
            if !open {
                words.push(Self { text: String::new(), at });
                open = true;
            }
            if c == '"' && !escaped {
                quote = if quote.is_some() { None } else { Some(at) };
            }
            escaped = quote.is_some() && c == '\\' && !escaped;
            if let Some(word) = words.last_mut() {
                word.text.push(c);
            }
        }
        match (quote, words.last()) {
            (Some(at), Some(word)) => Err(FilterError {
                word: word.text.clone(),
                at,
                reason: "the quote is not closed: expected another \" behind it".into(),
            }),
            _ => Ok(words),
        }
    }

    /// What it means, and whether it is the opposite that is asked for.
    pub(super) fn parse_term(&self, now_ms: Option<u64>) -> Result<(FilterTerm, bool), FilterError> {
        let (body, negated) = match self.text.strip_prefix('-') {
            Some(body) if !body.is_empty() => (body, true),
            _ => (self.text.as_str(), false),
        };
        let term = parse_term_body(body, now_ms);
        term.map(|term| (term, negated)).map_err(|reason| FilterError { word: self.text.clone(), at: self.at, reason })
    }
}

impl FilterTerm {
    /// True when two words have the same key and so are alternatives. Plain text has none.
    pub(super) fn has_same_key(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(_), Self::Text(_)) => false,
            (Self::Payload(a), Self::Payload(b)) => a.has_same_key(b),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// What it costs to ask, in order.
    pub(super) const fn cost(&self) -> u8 {
        match self {
            Self::Type(_) | Self::Namespace(_) | Self::Schema(_) => 1,
            Self::Text(_) => 2,
            Self::Payload(_) => 3,
            _ => 0,
        }
    }

    /// True when an event at `offset` is what the word says.
    pub(super) fn matches(&self, offset: u64, event: &EventView) -> bool {
        match self {
            Self::Aggregate(id) => event.aggregate_id() == *id,
            Self::Type(name) => event.event_type() == name.as_str(),
            Self::Namespace(name) => event.namespace() == name.as_str(),
            Self::Schema(name) => event.schema_id() == name.as_str(),
            Self::SchemaVersion(version) => event.schema_version() == *version,
            Self::After(time) => event.write_timestamp_ms() >= *time,
            Self::Before(time) => event.write_timestamp_ms() < *time,
            Self::Offset(range) => range.contains(&offset),
            Self::NonEvent(_) => false,
            Self::Payload(path) => path.matches(event.payload()),
            Self::Text(needle) => needle.is_match(event.json().as_bytes()),
        }
    }

    /// True when it says something of whole blocks.
    pub(super) const fn can_prune_blocks(&self) -> bool {
        matches!(
            self,
            Self::Type(_) | Self::Namespace(_) | Self::Schema(_) | Self::After(_) | Self::Before(_) | Self::Offset(_)
        )
    }

    /// True unless no event of a block of the log, `log`, is what the word says, as far as an index knows.
    pub(super) fn may_match_block(&self, log: &Range<u64>, block: &Block, names: &NameCounts) -> bool {
        let has = |kind, name| names.find_slot(kind, name).is_some_and(|place| block.has_name(place));
        match self {
            Self::Type(name) => has(NameKind::Type, name),
            Self::Namespace(name) => has(NameKind::Namespace, name),
            Self::Schema(name) => has(NameKind::Schema, name),
            Self::After(time) => block.time_range.1 >= *time,
            Self::Before(time) => block.time_range.0 < *time,
            Self::Offset(range) => range.start < log.end && log.start < range.end,
            _ => true,
        }
    }

    /// True when a finding is of the sort, or reaches into the range, that the word says. Other words say nothing of it.
    pub(super) fn matches_finding(&self, finding: &Finding) -> bool {
        match self {
            Self::NonEvent(sort) => sort.includes(finding.kind),
            Self::Offset(range) => finding.start < range.end && range.start < finding.end.max(finding.start + 1),
            _ => true,
        }
    }
}

/// A number as people type offsets: decimal, or hexadecimal behind 0x.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((text, 10), |hex| (hex, 16));
    // A sign is no digit, though the standard library takes it.
    let digits = Some(digits).filter(|digits| digits.chars().all(|c| c.is_digit(radix)))?;
    u64::from_str_radix(digits, radix).ok()
}

fn parse_term_body(body: &str, now_ms: Option<u64>) -> Result<FilterTerm, String> {
    if body.strip_prefix("payload").is_some_and(|rest| rest.starts_with(['.', '~', '=', '!', '<', '>', ':'])) {
        return PathTerm::parse(body, unquote).map(|term| FilterTerm::Payload(Box::new(term)));
    }
    match body.split_once(':') {
        Some((key, value)) if is_key(key) => parse_keyed_term(key, value, now_ms),
        _ => {
            let text = unquote(body);
            if text.is_empty() {
                return Err("there is no text between the quotes".into());
            }
            TextMatcher::from_text(&text).map(FilterTerm::Text)
        }
    }
}

fn parse_keyed_term(key: &str, value: &str, now_ms: Option<u64>) -> Result<FilterTerm, String> {
    if !KEYS.contains(&key) {
        let nearest = suggest_nearest(",", key, &KEYS);
        let all = KEYS.map(|key| format!("{key}:")).join(" ");
        return Err(format!(
            "unknown key `{key}`{nearest}; expected one of {all} payload.PATH, or quotes around plain text"
        ));
    }
    if value.is_empty() {
        return Err(format!("a value is missing behind `{key}:`"));
    }
    let value = unquote(value);
    let expected = |what: &str| format!("expected {what} behind `{key}:`, found `{value}`");
    let time = || match now_ms {
        None if value.starts_with('-') => Err("a time that counts back from now cannot be added here".to_owned()),
        now_ms => time_input::parse_time(&value, now_ms.unwrap_or_default())
            .ok_or_else(|| expected(time_input::TIME_EXAMPLES)),
    };
    Ok(match key {
        "agg" if value == "null" => FilterTerm::Aggregate(None),
        "agg" => {
            let id = value.parse().ok().filter(|_| !value.starts_with('+'));
            FilterTerm::Aggregate(Some(id.ok_or_else(|| expected("an aggregate's id, or null,"))?))
        }
        "type" => FilterTerm::Type(value),
        "ns" => FilterTerm::Namespace(value),
        "schema" => FilterTerm::Schema(value),
        "v" => {
            let version = value.parse().ok().filter(|_| !value.starts_with('+'));
            FilterTerm::SchemaVersion(version.ok_or_else(|| expected("a schema's version, a whole number,"))?)
        }
        "after" => FilterTerm::After(time()?),
        "before" => FilterTerm::Before(time()?),
        "offset" => FilterTerm::Offset(
            parse_range(&value).ok_or_else(|| expected("a range such as 1000..2000, 0x3e8.. or 1000"))?,
        ),
        _ => {
            let sort = NonEventKind::ALL.iter().find(|(name, _)| *name == value);
            let all = NonEventKind::ALL.map(|(name, _)| name);
            let unknown = || expected(&all.join(" or ")) + &suggest_nearest(";", &value, &all);
            FilterTerm::NonEvent(sort.ok_or_else(unknown)?.1)
        }
    })
}

/// `1000..2000`, the end exclusive, with either side left out; one offset alone is itself.
fn parse_range(text: &str) -> Option<Range<u64>> {
    let Some((start, end)) = text.split_once("..") else {
        let start = parse_number(text)?;
        return Some(start..start.saturating_add(1));
    };
    let start = if start.is_empty() { 0 } else { parse_number(start)? };
    let end = if end.is_empty() { u64::MAX } else { parse_number(end)? };
    (start <= end).then_some(start..end)
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
}

/// The text without its quotes. Inside them a backslash before a quote or a backslash is dropped.
fn unquote(text: &str) -> String {
    let mut quoted = false;
    let mut plain = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => plain.push(rest.next_if(|next| matches!(next, '"' | '\\')).unwrap_or(c)),
            c => plain.push(c),
        }
    }
    plain
}

/// The nearest word behind a sign, in words; nothing where none is near.
fn suggest_nearest(sign: &str, word: &str, known: &[&'static str]) -> String {
    nearest_keyword(word, known).map(|nearest| format!("{sign} the nearest is `{nearest}`")).unwrap_or_default()
}

/// The word of `known` that is most like `word`: one is an abbreviation of the other, or they take the fewest changes, and
/// no more than half of the characters.
fn nearest_keyword(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let is_short = |name: &str| is_abbreviation(word, name) || is_abbreviation(name, word);
    let is_near = |name: &str| is_short(name) || edit_distance(word, name) * 2 <= word.len().max(name.len());
    let near = known.iter().copied().filter(|name| is_near(name));
    near.min_by_key(|name| (!is_short(name), edit_distance(word, name)))
}

/// True when both start the same and `short` is what is left of `long` without some of its characters.
fn is_abbreviation(short: &str, long: &str) -> bool {
    let mut rest = long.chars();
    short.chars().next() == long.chars().next() && short.chars().all(|c| rest.any(|of_long| of_long == c))
}

/// How many characters have to be put in, taken out or replaced to make one word the other.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, of_a) in a.chars().enumerate() {
        let mut before = std::mem::replace(row.first_mut().unwrap_or(&mut 0), i + 1);
        let mut left = i + 1;
        for (of_b, slot) in b.chars().zip(row.iter_mut().skip(1)) {
            let best = (before + usize::from(of_a != of_b)).min(*slot + 1).min(left + 1);
            before = std::mem::replace(slot, best);
            left = best;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_an_abbreviation_or_takes_few_changes() {
        assert_eq!(
            ["aggregate", "typ", "namespace", "verison", "offest", "schemas"].map(|w| nearest_keyword(w, &KEYS)),
            ["agg", "type", "ns", "v", "offset", "schema"].map(Some)
        );
        assert_eq!(["foo", "nothing", "z"].map(|w| nearest_keyword(w, &KEYS)), [None; 3]);
        assert_eq!((edit_distance("kitten", "sitting"), edit_distance("", "ab"), edit_distance("ab", "ab")), (3, 2, 0));
    }

    #[test]
    fn quotes_keep_blanks_and_their_escapes_are_taken_off() {
        let words = FilterWord::split("  a \"two words\"  -type:\"x \\\" y\" b\\d").unwrap();
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["a", "\"two words\"", "-type:\"x \\\" y\"", "b\\d"]);
        assert_eq!(words[1].at, 4);
        assert_eq!(unquote("\"x \\\" \\\\ \\d\"y\\z"), "x \" \\ \\dy\\z");
    }
}
