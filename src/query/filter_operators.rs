//! The operators between the key and the value of a filter term, and the table that describes them.
//!
//! The parser, its error messages, help and completion use this table, and a test compares it with the documentation.

/// One operator of the filter language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterOperatorSpec {
    /// The operator.
    pub(super) operator: FilterOperator,
    /// The operator as typed, such as `>=`.
    pub sign: &'static str,
    /// The events that a term with this operator matches, in one sentence without a full stop.
    pub help: &'static str,
    /// A complete term, as an example.
    pub example: &'static str,
}

/// The relation between the value of an event and the value of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterOperator {
    Is,
    IsNot,
    Matches,
    MatchesNot,
    GreaterOrEqual,
    LessOrEqual,
    Greater,
    Less,
}

impl FilterOperator {
    /// True for an operator that matches what another one does not match.
    pub(super) const fn is_negation(self) -> bool {
        matches!(self, Self::IsNot | Self::MatchesNot)
    }
}

/// Every operator. `:` and `=` have the same meaning.
pub static FILTER_OPERATORS: [FilterOperatorSpec; 9] = [
    FilterOperatorSpec {
        operator: FilterOperator::Is,
        sign: ":",
        help: "The value is this one, one of a list, or in a range; `*` matches any characters",
        example: "type:Created,Upd*",
    },
    FilterOperatorSpec { operator: FilterOperator::Is, sign: "=", help: "The same as `:`", example: "ns=accounts" },
    FilterOperatorSpec {
        operator: FilterOperator::IsNot,
        sign: "!=",
        help: "The value is another one: neither this one, nor one of a list or range",
        example: "type!=Heartbeat,Ping",
    },
    FilterOperatorSpec {
        operator: FilterOperator::Matches,
        sign: "~",
        help: "The text matches a regular expression; `/x/i` matches any case",
        example: "type~^(Created|Updated)$",
    },
    FilterOperatorSpec {
        operator: FilterOperator::MatchesNot,
        sign: "!~",
        help: "The text does not match a regular expression",
        example: "ns!~^test",
    },
    FilterOperatorSpec {
        operator: FilterOperator::GreaterOrEqual,
        sign: ">=",
        help: "The number is this one or greater, the time this one or later",
        example: "v>=2",
    },
    FilterOperatorSpec {
        operator: FilterOperator::LessOrEqual,
        sign: "<=",
        help: "The number is this one or less, the time this one or earlier",
        example: "time<=2026-11-20",
    },
    FilterOperatorSpec {
        operator: FilterOperator::Greater,
        sign: ">",
        help: "The number is greater, the time later",
        example: "size>1KiB",
    },
    FilterOperatorSpec {
        operator: FilterOperator::Less,
        sign: "<",
        help: "The number is less, the time earlier",
        example: "offset<0x1000",
    },
];

/// The operators of a term that compares with whole values.
pub(super) const EQUALITY_SIGNS: &[&str] = &[":", "=", "!="];
/// The operators of a time whose direction is in the key.
pub(super) const COLON_SIGNS: &[&str] = &[":", "="];
/// The operators of a term that compares a text.
pub(super) const TEXT_SIGNS: &[&str] = &[":", "=", "!=", "~", "!~"];
/// The operators of a term that compares a number or a time.
pub(super) const NUMBER_SIGNS: &[&str] = &[":", "=", "!=", "<", "<=", ">", ">="];
/// The operators of a term that compares a value of any kind.
pub(super) const ALL_SIGNS: &[&str] = &[":", "=", "!=", "~", "!~", "<", "<=", ">", ">="];

/// Signs of other query languages, with the sign that has their meaning here.
const SIGNS_OF_OTHER_LANGUAGES: &[(&str, &str)] = &[
    ("==", "="),
    ("===", "="),
    (":=", "="),
    ("::", ":"),
    ("=~", "~"),
    ("~=", "~"),
    ("~~", "~"),
    (":~", "~"),
    ("=>", ">="),
    (":>", ">"),
    (":>=", ">="),
    ("=<", "<="),
    (":<", "<"),
    (":<=", "<="),
    ("<>", "!="),
    ("!:", "!="),
    (":!", "!="),
    ("=!", "!="),
    ("!==", "!="),
    ("~!", "!~"),
];

/// True for a character that an operator can consist of.
const fn is_operator_char(c: char) -> bool {
    matches!(c, ':' | '=' | '<' | '>' | '~' | '!')
}

/// Returns the position of the first operator outside quotes, in bytes. A `!` alone is not an operator.
pub(super) fn find_operator(body: &str) -> Option<usize> {
    let mut quoted = false;
    body.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        let rest = body.get(at + c.len_utf8()..).unwrap_or_default();
        let is_operator = !quoted && is_operator_char(c) && (c != '!' || rest.starts_with(is_operator_char));
        is_operator.then_some(at)
    })
}

/// Returns the operator at the start of `text`, with its sign.
///
/// # Errors
/// The reason, when the characters there are no operator: the nearest operator, and that a value can be quoted.
pub(super) fn read_operator(text: &str) -> Result<&'static FilterOperatorSpec, String> {
    let len = text.find(|c| !is_operator_char(c)).unwrap_or(text.len());
    let sign = text.get(..len).unwrap_or_default();
    FILTER_OPERATORS.iter().find(|spec| spec.sign == sign).ok_or_else(|| {
        let known = SIGNS_OF_OTHER_LANGUAGES.iter().find(|(other, _)| *other == sign).map(|(_, nearest)| *nearest);
        let starts = |spec: &&FilterOperatorSpec| sign.starts_with(spec.sign);
        let longest = || FILTER_OPERATORS.iter().filter(starts).max_by_key(|spec| spec.sign.len());
        let nearest = known.or_else(|| longest().map(|spec| spec.sign)).unwrap_or(":");
        format!(
            "`{sign}` is not an operator, the nearest is `{nearest}`; a value that starts with such a character is quoted"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_of_another_language_leads_to_an_operator() {
        for (sign, nearest) in SIGNS_OF_OTHER_LANGUAGES {
            assert!(FILTER_OPERATORS.iter().any(|spec| spec.sign == *nearest), "{nearest}");
            let error = read_operator(&format!("{sign}x")).unwrap_err();
            assert!(error.contains(&format!("the nearest is `{nearest}`")), "{sign}: {error}");
        }
        for spec in &FILTER_OPERATORS {
            assert_eq!(read_operator(&format!("{}x", spec.sign)), Ok(spec));
        }
    }

    #[test]
    fn an_operator_in_quotes_and_an_exclamation_mark_in_a_text_are_not_operators() {
        assert_eq!(find_operator("payload.\"a:b\"=1"), Some(13));
        assert_eq!(find_operator("\"a: b\""), None);
        assert_eq!(find_operator("wow!"), None);
        assert_eq!(find_operator("type!=A"), Some(4));
    }
}
