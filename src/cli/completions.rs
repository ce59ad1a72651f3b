//! `completions`: prints a shell completion script, generated from the command line's definition.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

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
    shell: Shell,
}

impl CompletionsArgs {
    /// Runs the command.
    pub(super) fn run(&self, _global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "chronicle", &mut script);
        out.print_bytes(complete_logs(self.shell, String::from_utf8_lossy(&script).into_owned()).as_bytes())?;
        Ok(ExitStatus::Done)
    }
}

/// Makes the script complete file names also where a command is expected, because `chronicle LOG` opens a log. The script for
/// bash does so already.
fn complete_logs(shell: Shell, script: String) -> String {
    match shell {
        Shell::Zsh => script.replace("\":: :_chronicle_commands\"", "\":: :{ _chronicle_commands; _files }\""),
        Shell::Fish => script + "complete -c chronicle -n \"__fish_chronicle_needs_command\" -F\n",
        _ => script,
    }
}
