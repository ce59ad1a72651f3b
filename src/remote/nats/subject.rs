//! The subjects of messages: `PREFIX.<namespace>.<event type>`, with the characters that a subject cannot have escaped.

use std::fmt::Write;

use crate::format::EventView;

/// The longest token, in bytes. A longer name is cut and gets its checksum, because a server refuses long subjects.
const MAX_TOKEN_LEN: usize = 120;
/// The tokens after the prefix in the subject of a gap. A name never has them, because `$` is escaped in names.
const GAP_TOKENS: &str = "$log.gap";

/// Returns the subject of an event.
pub(super) fn event_subject(prefix: &str, event: &EventView) -> String {
    let (namespace, event_type) = (event.namespace(), event.event_type());
    let mut subject = String::with_capacity(prefix.len() + namespace.len() + event_type.len() + 2);
    subject.push_str(prefix);
    for name in [namespace, event_type] {
        subject.push('.');
        push_token(&mut subject, &name);
    }
    subject
}

/// Returns the subject of a gap.
pub(super) fn gap_subject(prefix: &str) -> String {
    format!("{prefix}.{GAP_TOKENS}")
}

/// Appends a name as one token of a subject. ASCII letters, digits, `_` and `-` stay; each other byte becomes `%` and two
/// hexadecimal digits; the empty name becomes `%`.
fn push_token(subject: &mut String, name: &str) {
    let start = subject.len();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            subject.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(subject, "%{byte:02X}");
        }
    }
    if name.is_empty() {
        subject.push('%');
    }
    if subject.len() - start > MAX_TOKEN_LEN {
        subject.truncate(start + MAX_TOKEN_LEN - 9);
        let _ = write!(subject, "~{:08x}", crc32fast::hash(name.as_bytes()));
    }
}

/// True for a text that can be the start of subjects: tokens of printable ASCII characters without wildcards, joined by dots.
pub(crate) fn is_valid_prefix(prefix: &str) -> bool {
    let is_token = |token: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'>');
        !token.is_empty() && token.bytes().all(is_allowed)
    };
    prefix.len() <= MAX_TOKEN_LEN && !prefix.starts_with('$') && prefix.split('.').all(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str) -> String {
        let mut subject = "p.".to_owned();
        push_token(&mut subject, name);
        subject.split_off(2)
    }

    #[test]
    fn names_become_single_tokens_and_different_names_stay_different() {
        for (name, expected) in [
            ("accounts", "accounts"),
            ("user_created-2", "user_created-2"),
            ("a.b", "a%2Eb"),
            ("a b*>\t", "a%20b%2A%3E%09"),
            ("$log", "%24log"),
            ("é", "%C3%A9"),
            ("%", "%25"),
            ("", "%"),
        ] {
            assert_eq!(token(name), expected);
        }
        let (long, other) = ("x".repeat(1000), "x".repeat(1001));
        assert_eq!(token(&long).len(), MAX_TOKEN_LEN);
        assert_ne!(token(&long), token(&other));
    }

    #[test]
    fn a_prefix_has_no_wildcard_and_no_empty_token() {
        for prefix in ["ACCOUNTS", "logs.accounts", "a-b_c"] {
            assert!(is_valid_prefix(prefix), "{prefix}");
        }
        for prefix in ["", ".", "a.", "a..b", "a.*", "a.>", "a b", "$JS.API", "é"] {
            assert!(!is_valid_prefix(prefix), "{prefix}");
        }
    }
}
