//! Quotes in the words of a filter.

/// The text without its quotes. Inside quotes, a backslash before a quote or a backslash is dropped.
pub(super) fn unquote(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_their_escapes_are_removed() {
        assert_eq!(unquote("\"x \\\" \\\\ \\d\"y\\z"), "x \" \\ \\dy\\z");
    }
}
