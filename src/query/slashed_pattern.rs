//! A regular expression as it is typed between slashes.

/// A regular expression between slashes: `/x/`, or `/x/i` for any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlashedPattern {
    /// The regular expression, without the slashes around it.
    pub(super) pattern: String,
    pub(super) ignores_case: bool,
}

impl SlashedPattern {
    /// Reads a text that starts with a slash; `None` for other texts.
    ///
    /// # Errors
    /// The position of the fault in bytes and the reason, when the text does not end with `/` or `/i`.
    pub(super) fn read(text: &str) -> Option<Result<Self, (usize, String)>> {
        let rest = text.strip_prefix('/')?;
        let mut escaped = false;
        // The last slash closes, so that a slash inside needs no backslash.
        let end = rest.char_indices().filter(|(_, c)| {
            let closes = *c == '/' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let end = end.last().map(|(at, _)| at);
        let Some((pattern, flags)) = end.and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)?))) else {
            let reason = "the regular expression is not closed: expected / or /i at its end; a text that starts with a \
                          slash is quoted";
            return Some(Err((0, reason.into())));
        };
        let ignores_case = match flags {
            "" => false,
            "i" => true,
            _ => {
                let reason = format!(
                    "expected nothing or `i` after the last slash, found `{flags}`; a text that starts with a slash is \
                     quoted"
                );
                return Some(Err((text.len() - flags.len(), reason)));
            }
        };
        if pattern.is_empty() {
            return Some(Err((1, "the regular expression is empty".into())));
        }
        Some(Ok(Self { pattern: pattern.replace("\\/", "/"), ignores_case }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_that_is_not_closed_is_reported_at_its_place() {
        let fault_at = |text: &str| SlashedPattern::read(text).map(|read| read.map_err(|(at, _)| at));
        assert_eq!(fault_at("x/"), None);
        assert_eq!(fault_at("/x"), Some(Err(0)));
        assert_eq!(fault_at("/x/g"), Some(Err(3)));
        assert_eq!(fault_at("//"), Some(Err(1)));
        assert_eq!(fault_at("/a\\/"), Some(Err(0)), "the last slash is escaped");
        assert_eq!(fault_at("/a/b/"), Some(Ok(SlashedPattern { pattern: "a/b".into(), ignores_case: false })));
        assert_eq!(fault_at("/a\\/b/i"), Some(Ok(SlashedPattern { pattern: "a/b".into(), ignores_case: true })));
    }
}
