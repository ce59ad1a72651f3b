//! The words of a filter: splits a text into words at the blanks outside quotes and regular expressions.

use super::syntax_error::QuerySyntaxError;

/// One word of a filter, as typed.
#[derive(Debug, Clone)]
pub(super) struct FilterWord {
    /// The word's characters, including quotes and a leading minus or exclamation mark.
    pub(super) text: String,
    /// Position of the word in the filter's text, in bytes.
    pub(super) position: usize,
}

/// The polarity of a term: it must match, or it must not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polarity {
    Include,
    /// The word starts with `-` or `!`, or its operator is a negation.
    Exclude,
}

impl Polarity {
    /// Returns the other polarity.
    pub(super) const fn negated(self) -> Self {
        match self {
            Self::Include => Self::Exclude,
            Self::Exclude => Self::Include,
        }
    }
}

impl FilterWord {
    /// Splits a text at the blanks outside quotes. A word that starts with `/` extends to the next `/` at least.
    ///
    /// # Errors
    /// A quote is not closed.
    pub(super) fn split(text: &str) -> Result<Vec<Self>, QuerySyntaxError> {
        let mut words: Vec<Self> = Vec::new();
        let (mut inside_word, mut open_quote, mut escaped) = (false, None, false);
        let mut pattern_end = 0;
        for (at, c) in text.char_indices() {
            let is_in_pattern = at < pattern_end;
            if open_quote.is_none() && !is_in_pattern && c.is_whitespace() {
                inside_word = false;
                continue;
            }
            if !inside_word {
                words.push(Self { text: String::new(), position: at });
                inside_word = true;
                pattern_end = end_of_pattern(text, at).unwrap_or(pattern_end);
            }
            if c == '"' && !escaped && at >= pattern_end {
                open_quote = if open_quote.is_some() { None } else { Some(at) };
            }
            escaped = open_quote.is_some() && c == '\\' && !escaped;
            if let Some(word) = words.last_mut() {
                word.text.push(c);
            }
        }
        match (open_quote, words.last()) {
            (Some(at), Some(word)) => {
                let reason = "the quote is not closed: expected another \" after it".into();
                Err(QuerySyntaxError { word: word.text.clone(), position: at, reason })
            }
            _ => Ok(words),
        }
    }

    /// Returns the word without its leading `-` or `!`, and its polarity.
    pub(super) fn body(&self) -> (&str, Polarity) {
        match self.text.strip_prefix(['-', '!']) {
            Some(body) => (body, Polarity::Exclude),
            None => (&self.text, Polarity::Include),
        }
    }
}

/// Returns the position after the regular expression of the word that starts at `word_start`; `None` when the word does
/// not start with a slash, or when no other slash follows.
fn end_of_pattern(text: &str, word_start: usize) -> Option<usize> {
    let word = text.get(word_start..)?;
    let pattern = word.strip_prefix(['-', '!']).unwrap_or(word).strip_prefix('/')?;
    let mut escaped = false;
    let close = pattern.find(|c| {
        let closes = c == '/' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    Some(text.len() - pattern.len() + close + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        FilterWord::split(text).unwrap().into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn quotes_keep_blanks() {
        let text = "  a \"two words\"  -type:\"x \\\" y\" b\\d";
        assert_eq!(words(text), ["a", "\"two words\"", "-type:\"x \\\" y\"", "b\\d"]);
        assert_eq!(FilterWord::split(text).unwrap()[1].position, 4);
    }

    #[test]
    fn a_regular_expression_keeps_blanks_and_quotes() {
        assert_eq!(words("/a \"b/i x"), ["/a \"b/i", "x"]);
        assert_eq!(words("!/a \\/ b/ x"), ["!/a \\/ b/", "x"]);
        assert_eq!(words("/a x"), ["/a", "x"]);
        assert_eq!(words("a/b c/d"), ["a/b", "c/d"]);
    }
}
