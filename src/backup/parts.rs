//! The parts of a file in a backup: their size, their hashes, their keys, and work on several of them at once.

use sha2::{Digest, Sha256};

use super::store::ObjectStore;
use crate::StorageError;
use crate::format::hex;

/// The size of every part of a file except the last one, in bytes.
pub(super) const PART_LEN: u64 = 16 << 20;
/// How many parts are read, written or checked at the same time. Each takes [`PART_LEN`] bytes of memory.
const PARTS_IN_FLIGHT: usize = 4;
/// The folder of the parts in a store.
pub(super) const PARTS_FOLDER: &str = "parts";

/// The SHA-256 of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PartHash([u8; 32]);

impl PartHash {
    /// Computes the hash of `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Parses 64 hexadecimal digits in lower case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hash = Self(hex::decode(text)?.try_into().ok()?);
        (hash.to_string() == text).then_some(hash)
    }

    /// Returns the key of the part with this hash. The first digits are a folder, so that no folder has very many files.
    pub(super) fn key(self) -> String {
        let text = self.to_string();
        format!("{PARTS_FOLDER}/{}/{text}", text.get(..2).unwrap_or_default())
    }
}

impl std::fmt::Display for PartHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// Reads a part from a store, and compares its size and its hash.
///
/// # Errors
/// `Io`, of the kind `InvalidData` when the part is not the expected one, and `NotFound` when it is not there.
pub(super) fn read_part(store: &dyn ObjectStore, hash: PartHash, bytes: u64) -> Result<Vec<u8>, StorageError> {
    let key = hash.key();
    let found = store.read(&key, PART_LEN)?;
    let (found_len, found_hash) = (found.len() as u64, PartHash::of(&found));
    if found_len == bytes && found_hash == hash {
        return Ok(found);
    }
    let reason = format!("expected {bytes} bytes with the SHA-256 {hash}, found {found_len} with {found_hash}");
    Err(StorageError::io(&store.path_of(&key), "use", std::io::Error::new(std::io::ErrorKind::InvalidData, reason)))
}

/// Runs `work` on several jobs at once, and `use_result` on the results in the order of the jobs. Stops after the first error, when
/// the jobs that run are done.
///
/// # Errors
/// The first error of `work` or `use_result`, in the order of the jobs.
pub(super) fn for_each_in_order<J: Sync, R: Send>(
    jobs: &[J],
    work: impl Fn(&J) -> Result<R, StorageError> + Sync,
    mut use_result: impl FnMut(&J, R) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let work = &work;
    for batch in jobs.chunks(PARTS_IN_FLIGHT) {
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = batch.iter().map(|job| scope.spawn(move || work(job))).collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        for (job, result) in batch.iter().zip(results) {
            use_result(job, result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_parsed_only_in_its_own_form() {
        let hash = PartHash::of(b"");
        assert_eq!(PartHash::parse(&hash.to_string()), Some(hash));
        assert_eq!(hash.key(), "parts/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for text in ["", "e3", &hash.to_string().to_uppercase(), "../../etc/passwd"] {
            assert_eq!(PartHash::parse(text), None, "{text}");
        }
    }

    #[test]
    fn results_are_used_in_order_and_the_first_error_ends_the_work() {
        let jobs: Vec<u64> = (0..11).collect();
        let mut used = Vec::new();
        let work = |job: &u64| if *job == 9 { Err(StorageError::Cancelled) } else { Ok(job * 2) };
        let result = for_each_in_order(&jobs, work, |job, double| {
            used.push((*job, double));
            Ok(())
        });
        assert!(matches!(result, Err(StorageError::Cancelled)));
        assert_eq!(used, (0..9).map(|job| (job, job * 2)).collect::<Vec<_>>());
    }
}
