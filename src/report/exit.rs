//! Exit statuses, as one table, and which of several applies.

use crate::StorageError;

/// How a command ends. What comes first here wins over what comes later: the lowest of 1, 2 and 6, then 3, 4, 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The tool failed, or the file is no log.
    Failed,
    /// The command line cannot be understood.
    Usage,
    /// Not done, because it must not be.
    Refused,
    /// Damage that costs events, or is undecided.
    Damage,
    /// Damage of which every piece can be restored.
    Restorable,
    /// No damage, but the index is not usable.
    Index,
    /// Done, and nothing found.
    Done,
}

impl Status {
    /// Every status with its number and what it means, by number.
    pub const ALL: [(Status, u8, &'static str); 7] = [
        (Status::Done, 0, "done; verify: no damage"),
        (Status::Failed, 1, "the tool failed, or the file is no log"),
        (Status::Usage, 2, "the command line cannot be understood"),
        (Status::Damage, 3, "verify: damage; cat: damage was skipped, each told on stderr"),
        (Status::Restorable, 4, "verify: damage of which every piece can be restored"),
        (
            Status::Index,
            5,
            "verify: no damage, but the index is foreign, corrupt or unsupported; index status: not fresh",
        ),
        (Status::Refused, 6, "refused: locked, truncated, version 0, not allowed, or a file is in the way"),
    ];

    /// The rows that a command can end with today, number and meaning: nothing restores anything yet.
    pub fn in_use() -> impl Iterator<Item = (u8, &'static str)> {
        Self::ALL.into_iter().filter(|row| row.0 != Self::Restorable).map(|row| (row.1, row.2))
    }

    /// The number a shell sees.
    pub fn number(self) -> u8 {
        Self::ALL.iter().find(|row| row.0 == self).map_or(1, |row| row.1)
    }

    /// Of two that apply, the one that is told.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.min(other)
    }

    /// What an error ends a command with.
    pub fn of(error: &StorageError) -> Self {
        match error {
            StorageError::Locked { .. }
            | StorageError::Changed { .. }
            | StorageError::Refused { .. }
            | StorageError::Version0 { .. }
            | StorageError::ReadOnly { .. }
            | StorageError::Truncated { .. }
            | StorageError::UnknownFlags { forbids: "write", .. }
            | StorageError::Exists { .. } => Self::Refused,
            StorageError::InsideFrame { .. } => Self::Usage,
            StorageError::Damaged { .. } | StorageError::LostEvent { .. } => Self::Damage,
            StorageError::Gap { .. } => Self::Done,
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_lowest_of_1_2_6_wins_and_then_3_4_5() {
        let by_rank: Vec<u8> = {
            let mut all: Vec<Status> = Status::ALL.iter().map(|row| row.0).collect();
            all.sort();
            all.into_iter().map(Status::number).collect()
        };
        assert_eq!(by_rank, [1, 2, 6, 3, 4, 5, 0]);
        assert_eq!(Status::Done.or(Status::Index).or(Status::Damage), Status::Damage);
        assert_eq!(Status::ALL.map(|row| row.1), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn what_must_not_be_done_is_not_what_cannot() {
        let path = PathBuf::from("a.log");
        let refused = StorageError::UnknownFlags { path: path.clone(), found: 0x100, forbids: "write" };
        let unreadable = StorageError::UnknownFlags { path: path.clone(), found: 1, forbids: "read" };
        assert_eq!((Status::of(&refused).number(), Status::of(&unreadable).number()), (6, 1));
        assert_eq!(Status::of(&StorageError::TooShort { path, bytes: 3 }).number(), 1);
    }
}
