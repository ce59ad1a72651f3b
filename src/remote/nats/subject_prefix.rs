//! Chooses the start of the subjects of a stream.

use super::replication_error::ReplicationError;
use super::stream::StreamState;

/// Returns the prefix of the subjects: the given one, or that of the stream.
pub(super) fn choose_prefix(stream: &StreamState, given: Option<&str>) -> Result<String, ReplicationError> {
    let takes = |prefix: &str| stream.subjects.iter().any(|subject| covers(subject, prefix));
    match given.or_else(|| stream.prefix()) {
        Some(prefix) if takes(prefix) => Ok(prefix.to_owned()),
        Some(prefix) => Err(ReplicationError::refused(
            format!("the stream takes the subjects {}, and not {prefix}.>", stream.subjects.join(", ")),
            "Name a prefix that the stream takes with --prefix",
        )),
        None => Err(ReplicationError::refused(
            format!("the stream takes the subjects {}, of which none is PREFIX.>", stream.subjects.join(", ")),
            "Name a prefix that the stream takes with --prefix",
        )),
    }
}

/// True when a subject with wildcards takes every subject with at least two tokens after `prefix`.
fn covers(subject: &str, prefix: &str) -> bool {
    let mut tokens = prefix.split('.');
    for part in subject.split('.') {
        if part == ">" {
            return true;
        }
        match tokens.next() {
            Some(token) if part == "*" || part == token => {}
            Some(_) | None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_takes_a_prefix_only_with_everything_after_it() {
        for (subject, prefix, expected) in [
            ("a.>", "a", true),
            (">", "a", true),
            ("a.>", "a.b", true),
            ("*.>", "a", true),
            ("a.b.>", "a", false),
            ("a.*", "a", false),
            ("a.*.*", "a", false),
            ("b.>", "a", false),
            ("a", "a", false),
        ] {
            assert_eq!(covers(subject, prefix), expected, "{subject} {prefix}");
        }
    }
}
