//! Removes the quotes from a word of a filter.

/// Returns the text without its quotes. Inside quotes, `\"` becomes a quote and `\\` becomes a backslash.
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
