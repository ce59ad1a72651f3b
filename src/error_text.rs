//! The parts of the messages of [`crate::StorageError`] that depend on what is known.

use std::path::Path;

use crate::format::{DamageKind, Finding, ForeignFile};

/// Formats a file offset that an error may have.
pub(crate) fn offset_suffix(offset: Option<u64>) -> String {
    offset.map(|offset| format!(" at offset {offset}")).unwrap_or_default()
}

/// Names the holder of the writer's lock.
pub(crate) fn lock_holder(pid: Option<u32>) -> String {
    match pid {
        Some(pid) if pid == std::process::id() => format!("another handle of this process (pid {pid})"),
        Some(pid) => format!("another process (pid {pid})"),
        None => "another process".into(),
    }
}

/// Formats the first bytes of a file as text, in parentheses; empty unless all of them are printable ASCII.
pub(crate) fn ascii_suffix(bytes: [u8; 4]) -> String {
    let text = std::str::from_utf8(&bytes).ok().filter(|text| text.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    text.map(|text| format!(" ({text:?})")).unwrap_or_default()
}

/// Says what a file is that is not a log.
pub(crate) fn content_suffix(content: Option<ForeignFile>, searched: u64) -> String {
    match content {
        Some(content) => format!("it is {}", content.description()),
        None => format!("no valid frame in the first {searched} bytes"),
    }
}

/// Names the journal that has the original bytes of a gap, if there is one.
pub(crate) fn journal_suffix(journal: Option<&Path>) -> String {
    journal.map(|journal| format!("; original bytes in {}", journal.display())).unwrap_or_default()
}

/// Formats the checksums of a damaged frame; empty for other damage.
pub(crate) fn checksum_suffix(finding: &Finding) -> String {
    match (finding.kind, finding.evidence.stored_checksum, finding.evidence.computed_checksum) {
        (DamageKind::Checksum, Some(stored), Some(computed)) => {
            format!(": checksum expected {computed:08x} (computed), found {stored:08x} (stored)")
        }
        _ => String::new(),
    }
}
