//! `completions`: prints a shell completion script, generated from the command line's definition.

use clap::{Args, CommandFactory};

use super::Cli;
use super::failure::CommandResult;
use super::options::GlobalArgs;
use super::output::CommandOutput;
use crate::report::ExitStatus;

/// Print a shell completion script.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chronicle completions bash > ~/.local/share/bash-completion/completions/chronicle")]
pub(super) struct CompletionsArgs {
    /// Shell to generate the script for
    shell: clap_complete::Shell,
}

impl CompletionsArgs {
    /// Runs the command.
    pub(super) fn run(&self, _global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "chronicle", &mut script);
        out.print_bytes(&script)?;
        Ok(ExitStatus::Done)
    }
}
