//! The translation of line ends: 0a is stored as 0d 0a when a program transfers a file in text mode.

use std::borrow::Cow;

use memchr::memchr_iter;

/// How bytes are stored after a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnds {
    /// Every byte is unchanged.
    Unchanged,
    /// A byte 0d was added before every byte 0a.
    Translated,
}

impl LineEnds {
    /// Returns the number of bytes as which `bytes` are stored.
    pub(crate) fn stored_len(self, bytes: &[u8]) -> u64 {
        let added = match self {
            Self::Unchanged => 0,
            Self::Translated => memchr_iter(b'\n', bytes).count(),
        };
        (bytes.len() + added) as u64
    }

    /// Returns the bytes as which `bytes` are stored.
    pub(crate) fn convert(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Unchanged => Cow::Borrowed(bytes),
            Self::Translated => {
                let stored = |byte: &u8| if *byte == b'\n' { [Some(b'\r'), Some(b'\n')] } else { [Some(*byte), None] };
                Cow::Owned(bytes.iter().flat_map(stored).flatten().collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_translation_adds_a_byte_before_every_line_end_and_the_length_counts_them() {
        for (bytes, stored) in
            [(&b""[..], &b""[..]), (b"\n", b"\r\n"), (b"a\r\nb\n\n", b"a\r\r\nb\r\n\r\n"), (b"ab", b"ab")]
        {
            assert_eq!(&*LineEnds::Translated.convert(bytes), stored);
            assert_eq!(LineEnds::Translated.stored_len(bytes), stored.len() as u64);
            assert_eq!(&*LineEnds::Unchanged.convert(bytes), bytes);
            assert_eq!(LineEnds::Unchanged.stored_len(bytes), bytes.len() as u64);
        }
    }
}
