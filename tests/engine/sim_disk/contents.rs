//! The contents of a simulated file: what programs read, what is on stable storage, and the writes between the two.

const SECTOR: usize = 512;

/// A change of a file that is not on stable storage yet.
#[derive(Debug, Clone, Hash)]
enum PendingChange {
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    SetLen(usize),
    /// A write whose bytes a failed sync has dropped. Only the size of the file can still become durable, because file
    /// systems store it separately.
    Dropped {
        end: usize,
    },
}

/// A file, which has any number of names.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct Inode {
    /// The bytes that programs read, from the cache.
    data: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<PendingChange>,
    pub(super) locked: bool,
}

impl Inode {
    /// Creates a file whose contents are on stable storage.
    pub(super) fn durable(bytes: &[u8]) -> Self {
        Self { data: bytes.to_vec(), durable: bytes.to_vec(), ..Self::default() }
    }

    /// Replaces the file by one whose contents are on stable storage.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        *self = Self { locked: self.locked, ..Self::durable(bytes) };
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }

    /// True when the bytes are in the cache or on stable storage.
    pub(super) fn has_bytes(&self, bytes: &[u8]) -> bool {
        [&self.data, &self.durable].iter().any(|data| memchr::memmem::find(data, bytes).is_some())
    }

    /// Replaces what programs read, and leaves what is on stable storage.
    pub(super) fn set_data(&mut self, bytes: Vec<u8>) {
        self.data = bytes;
    }

    pub(super) fn write_at(&mut self, offset: usize, bytes: &[u8]) {
        overwrite(&mut self.data, offset, bytes);
        self.pending.push(PendingChange::Write { offset, bytes: bytes.to_vec() });
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.data.resize(len, 0);
        self.pending.push(PendingChange::SetLen(len));
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.durable, || true);
        }
    }

    /// Drops the pending writes, as Linux does when they cannot be written: the cache still returns them, and no later
    /// sync writes them.
    pub(super) fn fail_sync(&mut self) {
        for change in &mut self.pending {
            if let PendingChange::Write { offset, bytes } = change {
                *change = PendingChange::Dropped { end: *offset + bytes.len() };
            }
        }
    }

    /// Removes the file from the cache, apart from pending changes. Writes that a failed sync has dropped are then gone.
    pub(super) fn drop_cache(&mut self) {
        self.data.clone_from(&self.durable);
        for change in &self.pending {
            change.apply(&mut self.data, || true);
        }
    }

    /// Returns the file after a power cut. For each unsynced sector and size, `choose` decides whether it is kept.
    pub(super) fn after_power_cut(&self, choose: &mut impl FnMut() -> bool) -> Self {
        let mut data = self.durable.clone();
        for change in &self.pending {
            change.apply(&mut data, &mut *choose);
        }
        Self::durable(&data)
    }
}

impl PendingChange {
    /// Applies the parts of this change for which `choose` returns true: each sector of a write, or the size.
    fn apply(&self, data: &mut Vec<u8>, mut choose: impl FnMut() -> bool) {
        match self {
            Self::SetLen(len) => {
                if choose() {
                    data.resize(*len, 0);
                }
            }
            Self::Dropped { end } => {
                if data.len() < *end && choose() {
                    data.resize(*end, 0);
                }
            }
            Self::Write { offset, bytes } => {
                let mut from = 0;
                while from < bytes.len() {
                    let to = (from + SECTOR - (offset + from) % SECTOR).min(bytes.len());
                    if choose() {
                        overwrite(data, offset + from, &bytes[from..to]);
                    }
                    from = to;
                }
            }
        }
    }
}

fn overwrite(data: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if data.len() < at + bytes.len() {
        data.resize(at + bytes.len(), 0);
    }
    data[at..at + bytes.len()].copy_from_slice(bytes);
}
