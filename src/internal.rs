//! Internals that this package's own tests and benchmarks use. Not part of the public interface: every item may change
//! or disappear in any release.

#[cfg(feature = "app")]
pub use crate::cli::main as run_command_line;

pub mod file {
    //! Scanning and reading one log file.
    pub use crate::file::{LogFile, OpenMode, OsDisk, ScanItem, ScanSpan, Scanner, spans_before};
}

pub mod format {
    //! The byte layouts of the log, the index file and the journal.
    pub use crate::format::{FieldSpec, PayloadError, Version, crc, damage, frame, gap, header, index, journal, json};
}

pub mod index {
    //! Building and saving the index.
    pub use crate::index::{NameKind, SpillOptions, save};
}

#[cfg(feature = "app")]
pub mod sample {
    //! Generated logs.
    pub use crate::sample::{GeneratorOptions, LogLength, generate};
}

#[cfg(feature = "app")]
pub mod tui {
    //! The table of keys and actions.
    pub use crate::tui::{ActionScope, action_table};
}
