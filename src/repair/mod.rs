//! What changes a log elsewhere than by appending: always with every byte that goes in a journal first.
//!
//! Here lives setting an unfinished end aside. Nothing here is done that its caller does not tell.

mod correct;
mod fix;
mod hex;
mod journal;
mod pending;
mod plan;
mod set_aside;

pub use correct::{Correction, Times};
pub use fix::{Action, Candidate, Certainty, Change, Fix};
pub use journal::journal_folder;
pub use pending::{PendingRepair, pending_repair};
pub use plan::{Left, LogIdentity, Loss, Neighbour, PLAN_VERSION, Piece, Plan, Selector, Step, Wishes, Write};
pub use set_aside::{SetAside, set_aside_tail};
