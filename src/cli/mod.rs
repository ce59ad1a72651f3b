//! One face: the commands, for people and for scripts.
//!
//! Data goes to stdout, words and progress to stderr. Knows no byte layout and holds no judgement; everything that is
//! printed goes through one file, and every text through `report::safe`.

mod append;
mod args;
mod cat;
mod copy;
mod diff;
mod docs;
mod failure;
mod index;
mod index_args;
mod info;
mod make;
mod open;
mod output;
mod overwrite;
mod progress;
mod repair;
mod repair_args;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use self::args::{Cli, Command};
use self::failure::{CommandFailure, CommandResult};
use self::output::CommandOutput;
use crate::report::ExitStatus;

/// Runs the command line of this process; what it ends with.
pub fn main() -> ExitCode {
    run_args(std::env::args_os().collect()).code().into()
}

fn run_args(args: Vec<OsString>) -> ExitStatus {
    let json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    let mut out = CommandOutput::new(json);
    let ended = match Cli::try_parse_from(insert_open_command(args)) {
        Ok(cli) => {
            let ended = dispatch(cli, &mut out);
            ended.and_then(|status| out.flush().map(|()| status))
        }
        Err(error) if error.use_stderr() => Err(CommandFailure::Parse(error)),
        Err(help) => out.print_help(&help.render().to_string()).and_then(|()| out.flush()).map(|()| ExitStatus::Done),
    };
    match ended {
        Ok(status) => status,
        Err(failure) => {
            // What was printed before the failure is still wanted; if it cannot be had, the failure says enough.
            let _ = out.flush();
            out.print_failure(&failure);
            failure.exit_status()
        }
    }
}

fn dispatch(cli: Cli, out: &mut CommandOutput) -> CommandResult {
    let side = cli.global;
    match cli.command {
        Command::Open(args) => open::open(&args, &side, out),
        Command::Verify(args) => verify::verify(&args, &side, out),
        Command::Info(args) => info::info(&args, &side, out),
        Command::Cat(args) => cat::cat(&args, &side, out),
        Command::Append(args) => append::append(&args, &side, out),
        Command::Index(args) => index::index(&args, &side, out),
        Command::Repair(args) => repair::repair(&args, &side, out),
        Command::Undo(args) => repair::undo(&args, &side, out),
        Command::Salvage(args) => copy::salvage(&args, &side, out),
        Command::Migrate(args) => copy::migrate(&args, &side, out),
        Command::Diff(args) => diff::diff(&args, &side, out),
        Command::Create(args) => make::create(&args, &side, out),
        Command::Generate(args) => make::generate(&args, out),
        Command::Drill(args) => make::drill(&args, out),
        Command::Demo(args) => make::demo(&args, &side, out),
        Command::Completions(args) => docs::completions(&args, out),
        Command::Man => docs::man(out),
    }
}

/// `chronicle LOG` is `chronicle open LOG`: the first word that is no option is a log unless it is a command, or neither
/// looks like a file nor is one.
fn insert_open_command(mut args: Vec<OsString>) -> Vec<OsString> {
    let command = Cli::command();
    let is_log = first_positional(&command, &args).is_some_and(|word| {
        let known = command.get_subcommands().any(|command| *word == *command.get_name()) || *word == *"help";
        let like_a_file = word.as_encoded_bytes().iter().any(|byte| matches!(byte, b'.' | b'/' | b'\\'));
        !known && (like_a_file || std::fs::symlink_metadata(word).is_ok())
    });
    if is_log {
        args.insert(1, "open".into());
    }
    args
}

/// The first argument that is neither an option nor the value of one.
fn first_positional<'a>(command: &clap::Command, args: &'a [OsString]) -> Option<&'a OsString> {
    let open = command.find_subcommand("open");
    let options = || command.get_arguments().chain(open.into_iter().flat_map(clap::Command::get_arguments));
    let takes_value = |arg: &OsString| {
        let name = arg.to_str().and_then(|arg| arg.strip_prefix("--"));
        name.is_some_and(|name| {
            options().any(|option| option.get_long() == Some(name) && option.get_action().takes_values())
        })
    };
    let mut args = args.iter().skip(1);
    while let Some(arg) = args.next() {
        if takes_value(arg) {
            args.next();
        } else if !arg.as_encoded_bytes().starts_with(b"-") {
            return Some(arg);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_log_alone_is_opened_and_a_command_is_not_a_log() {
        let inserted = |args: &str| {
            let args: Vec<OsString> = args.split(' ').map(Into::into).collect();
            insert_open_command(args.clone()).len() > args.len()
        };
        for opened in
            ["chronicle a.log", "chronicle --json a.log", "chronicle --index x.idx a.log", "chronicle -- a.log"]
        {
            assert!(inserted(opened), "{opened}");
        }
        for left in [
            "chronicle verify a.log",
            "chronicle --json verify a.log",
            "chronicle --index x.idx verify a.log",
            "chronicle verfy a.log",
            "chronicle help",
        ] {
            assert!(!inserted(left), "{left}");
        }
    }
}
