//! The quotes in a word of a filter.

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

/// Puts a text in quotes, so that a filter reads it as one value. `unquote` returns the text.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_their_escapes_are_removed() {
        assert_eq!(unquote(&quote("a\"b\\c d")), "a\"b\\c d");
        assert_eq!(unquote("\"x \\\" \\\\ \\d\"y\\z"), "x \" \\ \\dy\\z");
    }
}
