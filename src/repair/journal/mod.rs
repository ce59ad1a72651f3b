//! The journal of a repair: one file with the plan and every byte that the repair changes, written before the log is.
//!
//! The journals of a log are its repair history. They make it possible to recover from a killed repair and to undo a
//! finished one.

mod check;
mod folder;
mod history;
mod presence;
mod reader;
mod record;
mod state;
mod writer;

pub(crate) use folder::{HiddenJournal, JournalFolder, JournalMark};
pub use history::{RepairHistory, read_repair_history};
pub(crate) use reader::JournalReader;
pub use record::{ChangesInLog, RepairRecord, RepairState, find_gap_journal};
pub(crate) use state::JournalState;
pub(crate) use writer::{JournalWriter, encode_record};
