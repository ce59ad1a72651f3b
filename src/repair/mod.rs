//! What changes a log elsewhere than by appending: planned and shown first, with every byte that goes in a journal.
//!
//! Here live what can be done about damage and how certain that is, plans and how they are made, applied, completed or
//! taken back after a kill, and undone. Nothing here is done that no plan has shown; an unfinished end that is set aside
//! when a log is opened for append is told afterwards.

mod after;
mod apply;
mod copy;
mod correct;
mod decide;
mod donor;
mod fix;
mod guard;
mod hex;
mod identity;
mod journal;
mod loss;
mod lots;
mod migrate;
mod neighbours;
mod plan;
mod planner;
mod propose;
mod record;
mod recover;
mod salvage;
mod set_aside;
mod site;
mod undo;
mod wanted;
mod witness;

pub use apply::{Applied, Terms, apply};
pub use copy::{CopyStep, CopyWish, LeftOut, Salvaged};
pub use correct::{Correction, Times, correct};
pub use fix::{Action, Candidate, Certainty, Change, Fix};
pub use guard::check_plan;
pub use journal::journal_folder;
pub use migrate::migrate;
pub use plan::{Left, LogIdentity, Loss, Neighbour, PLAN_VERSION, Piece, Plan, Selector, Step, Wishes, Write};
pub use planner::plan_repair;
pub use propose::{Proposed, Proposer};
pub use record::{Record, RecordState, kept_in, records};
pub use recover::{PendingRepair, Recovered, pending_repair, recover};
pub use salvage::salvage;
pub use set_aside::{SetAside, set_aside_tail};
pub use site::Site;
pub use undo::plan_undo;
