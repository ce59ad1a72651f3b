//! Reads choices and bytes from the input of a fuzz target.

/// Largest number of changes that one input makes to a file.
const MAX_EDITS: usize = 16;
/// Largest number of bytes that one change inserts or overwrites.
const MAX_EDIT_LEN: usize = 64;

/// The part of an input that was not used so far. After its end it yields zeros.
#[derive(Debug, Clone, Copy)]
pub(super) struct FuzzInput<'a>(&'a [u8]);

impl<'a> FuzzInput<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(super) const fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Returns a number below `limit`, from two bytes; 0 when `limit` is 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        let number = usize::from(self.byte()) << 8 | usize::from(self.byte());
        if limit == 0 { 0 } else { number % limit }
    }

    /// Returns the next `len` bytes, or as many as are left.
    pub(super) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Reads a length from the next byte, and returns that many bytes.
    pub(super) fn chunk(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte());
        self.bytes(len)
    }

    /// Changes a file in the ways that the rest of the input describes.
    pub(super) fn edit(&mut self, file: &mut Vec<u8>) {
        for _ in 0..MAX_EDITS {
            if self.is_empty() {
                return;
            }
            self.edit_once(file);
        }
    }

    fn edit_once(&mut self, file: &mut Vec<u8>) {
        let kind = self.byte() % 8;
        let at = self.below(file.len() + 1);
        let len = usize::from(self.byte());
        let end = (at + len).min(file.len());
        match kind {
            0 => file[at..end].fill(0),
            1 => drop(file.drain(at..end)),
            2 => file.truncate(at),
            3 => {
                let inserted = self.bytes(len.min(MAX_EDIT_LEN)).to_vec();
                drop(file.splice(at..at, inserted));
            }
            4 => {
                let copied = file[at..end].to_vec();
                let to = self.below(file.len() + 1);
                drop(file.splice(to..to, copied));
            }
            5 => {
                let written = self.bytes(len.min(MAX_EDIT_LEN).min(file.len() - at)).to_vec();
                file[at..at + written.len()].copy_from_slice(&written);
            }
            6 => file.iter_mut().skip(at).take(1).for_each(|byte| *byte = len as u8),
            _ => file.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (len % 8)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_yields_its_bytes_and_then_zeros() {
        let mut input = FuzzInput::new(&[7, 1, 2, 9]);
        assert_eq!((input.byte(), input.below(1000), input.below(0)), (7, 258, 0));
        assert!(input.is_empty() && input.byte() == 0 && input.bytes(3).is_empty());
    }

    #[test]
    fn every_kind_of_edit_changes_the_file() {
        for kind in 0..8 {
            let mut file = b"0123456789".to_vec();
            FuzzInput::new(&[kind, 0, 4, 3, b'a', b'b', b'c']).edit(&mut file);
            assert_ne!(file, b"0123456789", "edit {kind}");
        }
    }
}
