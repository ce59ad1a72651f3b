//! One log file on disk: opening it, telling what it is, reading its frames in order, writing and its durability.
//!
//! Here live the storage trait, the scan and its resynchronisation, the writer and its lock. Here never lives a
//! judgement: a scan yields valid frames and damaged ranges, and what those mean is said elsewhere.

mod locate;
mod logfile;
mod os;
mod replace;
mod resync;
mod scan;
pub mod storage;
mod window;
mod writer;
mod writers;

pub(crate) use locate::place;
pub use locate::{Place, spans_before};
pub use logfile::{HeaderState, LogFile, NOT_A_LOG_LIMIT};
pub use os::OsDisk;
pub(crate) use replace::{create_beside, replace};
pub use scan::{Item, Scanner, Span};
pub use storage::{Disk, Identity, Open, Storage};
pub(crate) use writer::open_for_append;
pub use writer::{Durability, Writer};
pub use writers::{Seen, who_writes};
