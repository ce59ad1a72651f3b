//! Lines of bytes before and after a change.

use crate::repair::BytesPreview;

/// A line of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ByteLine {
    /// Whether a repair keeps, removes or writes the bytes.
    pub(crate) change: LineChange,
    /// File offset of the first byte.
    pub(crate) offset: u64,
    /// The bytes.
    pub(crate) bytes: Vec<PreviewByte>,
}

/// Whether a repair keeps, removes or writes the bytes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineChange {
    /// The bytes are the same before and after the repair.
    Kept,
    /// The bytes before the repair.
    Before,
    /// The bytes after the repair.
    After,
}

/// A byte of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PreviewByte {
    /// The value of the byte.
    pub(crate) value: u8,
    /// Whether the repair changes the byte.
    pub(crate) is_changed: bool,
}

/// Divides a part of a log into lines of `bytes_per_line` bytes. A line that a repair changes is there twice: before and
/// after the repair. Lines of the same kind follow each other.
pub(crate) fn byte_lines(part: &BytesPreview, bytes_per_line: usize) -> Vec<ByteLine> {
    let size = bytes_per_line.max(1);
    let total = part.before.len().max(part.after.len());
    let (mut lines, mut after_lines) = (Vec::new(), Vec::new());
    for start in (0..total).step_by(size) {
        let offset = part.offset + start as u64;
        let (before, after) = (line_at(&part.before, start, size), line_at(&part.after, start, size));
        if before == after {
            lines.append(&mut after_lines);
            lines.push(ByteLine { change: LineChange::Kept, offset, bytes: compare(before, after) });
            continue;
        }
        if !before.is_empty() {
            lines.push(ByteLine { change: LineChange::Before, offset, bytes: compare(before, after) });
        }
        if !after.is_empty() {
            after_lines.push(ByteLine { change: LineChange::After, offset, bytes: compare(after, before) });
        }
    }
    lines.append(&mut after_lines);
    lines
}

fn line_at(bytes: &[u8], start: usize, size: usize) -> &[u8] {
    let end = bytes.len().min(start + size);
    bytes.get(start..end).unwrap_or_default()
}

/// Marks the bytes of a line that differ from those at the same places of another line.
fn compare(line: &[u8], other: &[u8]) -> Vec<PreviewByte> {
    let is_changed = |(position, value): (usize, &u8)| other.get(position) != Some(value);
    line.iter()
        .enumerate()
        .map(|(position, value)| PreviewByte { value: *value, is_changed: is_changed((position, value)) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changed_lines_are_there_twice_and_only_changed_bytes_are_marked() {
        let part = BytesPreview { offset: 100, before: b"abcdefghij".to_vec(), after: b"abcdeFgh".to_vec() };
        let lines = byte_lines(&part, 4);
        let shown: Vec<(LineChange, u64, String)> = lines
            .iter()
            .map(|line| {
                let letter = |byte: &PreviewByte| {
                    format!("{}{}", char::from(byte.value), if byte.is_changed { "*" } else { "" })
                };
                (line.change, line.offset, line.bytes.iter().map(letter).collect())
            })
            .collect();
        assert_eq!(
            shown,
            [
                (LineChange::Kept, 100, "abcd".into()),
                (LineChange::Before, 104, "ef*gh".into()),
                (LineChange::Before, 108, "i*j*".into()),
                (LineChange::After, 104, "eF*gh".into()),
            ]
        );
    }
}
