//! The table of actions: the rows of the main screen, followed by those after `y`, and of prompts, forms and dialogs.

use std::sync::LazyLock;

use super::ActionSpec;
use super::copy_table::COPY_ACTIONS;
use super::dialog_table::DIALOG_ACTIONS;
use super::main_table::MAIN_ACTIONS;

/// All actions, in the order in which the help and the footer show them.
pub(super) static TABLE: LazyLock<Vec<ActionSpec>> =
    LazyLock::new(|| [MAIN_ACTIONS, COPY_ACTIONS, DIALOG_ACTIONS].concat());
