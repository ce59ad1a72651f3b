//! The command line: parses arguments, runs one command, returns its exit status.
//!
//! Data goes to stdout; notices, progress and errors go to stderr. Commands contain no byte layout and
//! no rule about damage. All output goes through [`output`], and every text through `report::sanitize`. The file of a
//! command defines its arguments; [`Command`] lists the commands.

mod append;
mod append_input;
mod approval;
mod archived_segments;
mod backup;
mod backup_store;
mod byte_stream;
mod cat;
mod command_paths;
mod compact;
mod completions;
mod config_file;
mod copy;
mod create;
mod demo;
mod diff;
mod drill;
mod erase;
mod export;
mod failure;
mod file_change;
mod filter_arg;
mod findings;
mod follow;
mod generate;
mod import;
mod import_writer;
mod index;
mod index_segments;
mod info;
mod log_access;
mod log_input;
mod log_list;
mod man;
mod migrate;
#[cfg(feature = "remote")]
mod nats_address;
mod open;
mod options;
mod output;
mod overwrite;
mod plan_file;
mod progress;
mod purge;
mod remote_arguments;
mod remote_logs;
mod repair;
mod replicate;
#[cfg(feature = "remote")]
mod replication;
#[cfg(feature = "remote")]
mod replication_lines;
mod report;
mod restore;
mod restore_backup;
mod retain;
mod salvage;
mod segment_options;
mod selected_events;
mod show;
mod stats;
mod stop_signal;
#[cfg(feature = "remote")]
mod stream_restore;
mod undo;
mod verify;
mod watch;
mod watch_program;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::failure::{CommandFailure, CommandResult};
use self::options::GlobalArgs;
use self::output::{CommandOutput, OutputFormat};
use self::remote_arguments::check_remote_arguments;
use crate::report::ExitStatus;

/// Inspector and repair tool for append-only event logs.
///
/// `chronicle LOG` opens the full-screen inspector; the commands do the same work from scripts.
#[derive(Debug, Parser)]
#[command(
    name = "chronicle",
    version,
    override_usage = "chronicle LOG...\n       chronicle <COMMAND> ...",
    after_help = exit_status_help(),
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: GlobalArgs,
}

/// The commands, in the order in which help and the manual page list them.
#[derive(Debug, Subcommand)]
enum Command {
    Open(open::OpenArgs),
    Verify(verify::VerifyArgs),
    Info(info::InfoArgs),
    Cat(cat::CatArgs),
    Show(show::ShowArgs),
    Watch(watch::WatchArgs),
    Stats(stats::StatsArgs),
    Export(export::ExportArgs),
    Report(report::ReportArgs),
    Append(append::AppendArgs),
    Import(import::ImportArgs),
    Index(index::IndexArgs),
    Repair(repair::RepairArgs),
    Undo(undo::UndoArgs),
    Erase(erase::EraseArgs),
    Retain(retain::RetainArgs),
    Purge(purge::PurgeArgs),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    Salvage(salvage::SalvageArgs),
    Migrate(migrate::MigrateArgs),
    Compact(compact::CompactArgs),
    Diff(diff::DiffArgs),
    Replicate(replicate::ReplicateArgs),
    Create(create::CreateArgs),
    Generate(generate::GenerateArgs),
    Drill(drill::DrillArgs),
    Demo(demo::DemoArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

impl Command {
    fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        match self {
            Self::Open(args) => args.run(global, out),
            Self::Verify(args) => args.run(global, out),
            Self::Info(args) => args.run(global, out),
            Self::Cat(args) => args.run(global, out),
            Self::Show(args) => args.run(global, out),
            Self::Watch(args) => args.run(global, out),
            Self::Stats(args) => args.run(global, out),
            Self::Export(args) => args.run(global, out),
            Self::Report(args) => args.run(global, out),
            Self::Append(args) => args.run(global, out),
            Self::Import(args) => args.run(global, out),
            Self::Index(args) => args.run(global, out),
            Self::Repair(args) => args.run(global, out),
            Self::Undo(args) => args.run(global, out),
            Self::Erase(args) => args.run(global, out),
            Self::Retain(args) => args.run(global, out),
            Self::Purge(args) => args.run(global, out),
            Self::Backup(args) => args.run(global, out),
            Self::Restore(args) => args.run(global, out),
            Self::Salvage(args) => args.run(global, out),
            Self::Migrate(args) => args.run(global, out),
            Self::Compact(args) => args.run(global, out),
            Self::Diff(args) => args.run(global, out),
            Self::Replicate(args) => args.run(global, out),
            Self::Create(args) => args.run(global, out),
            Self::Generate(args) => args.run(global, out),
            Self::Drill(args) => args.run(global, out),
            Self::Demo(args) => args.run(global, out),
            Self::Completions(args) => args.run(global, out),
            Self::Man(args) => args.run(global, out),
        }
    }
}

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    receive_size_limit_as_error();
    run_args(std::env::args_os().collect()).code().into()
}

/// Makes a write that would exceed the limit of the file size (`ulimit -f`) fail with an error. By default the signal
/// SIGXFSZ ends the process, and a write that cannot be completed is not rolled back.
fn receive_size_limit_as_error() {
    // Without the handler, the next opening for append sets the unfinished write aside.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}

fn run_args(args: Vec<OsString>) -> ExitStatus {
    // The parser's own errors are printed in the requested format, so the flag must be known before parsing.
    let json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    let mut out = CommandOutput::new(if json { OutputFormat::Json } else { OutputFormat::Text });
    let command = Cli::command();
    let args = insert_open_command(&command, args);
    let result = match parse_args(command, &args) {
        Ok(Ok(cli)) => cli.command.run(&cli.global, &mut out).and_then(|status| out.flush().map(|()| status)),
        Ok(Err(failure)) => Err(failure),
        Err(error) if error.use_stderr() => {
            let mut root = Cli::command();
            root.build();
            let names = last_group(&root, &args).get_subcommands().map(clap::Command::get_name);
            Err(CommandFailure::unknown_word(&error, names).unwrap_or(CommandFailure::Parse(error)))
        }
        Err(help) => out.print_help(&help.render().to_string()).and_then(|()| out.flush()).map(|()| ExitStatus::Done),
    };
    match result {
        Ok(status) => status,
        Err(failure) => {
            // Output printed before the failure is still valid. An error of this flush is ignored: the command has
            // failed.
            let _ = out.flush();
            out.print_failure(&failure);
            failure.exit_status()
        }
    }
}

/// Parses the arguments with the definition of the command line, which takes longer to build than to use, and checks the paths
/// among them.
fn parse_args(mut command: clap::Command, args: &[OsString]) -> Result<Result<Cli, CommandFailure>, clap::Error> {
    let matches = command.try_get_matches_from_mut(args)?;
    if let Err(failure) = check_remote_arguments(&command, &matches) {
        return Ok(Err(failure));
    }
    Cli::from_arg_matches(&matches).map(Ok).map_err(|error| error.format(&mut command))
}

/// Returns the last command in the arguments that has commands of its own, such as `index`; the program itself when none has.
fn last_group<'c>(root: &'c clap::Command, args: &[OsString]) -> &'c clap::Command {
    args.iter().skip(1).fold(root, |group, arg| {
        group.find_subcommand(arg).filter(|command| command.has_subcommands()).unwrap_or(group)
    })
}

/// Turns `chronicle LOG` into `chronicle open LOG`.
///
/// The first positional argument is a log, not a command, if it follows `--`, or if it is not the name of a command and
/// either looks like a path (contains `.`, `/` or `\`) or exists. Any other word is left for the parser to reject.
fn insert_open_command(command: &clap::Command, mut args: Vec<OsString>) -> Vec<OsString> {
    let is_log = first_positional(command, &args).is_some_and(|word| {
        let is_command = command.get_subcommands().any(|command| *word == *command.get_name()) || *word == *"help";
        let follows_dashes = args.iter().take_while(|arg| *arg != word).any(|arg| arg == "--");
        let looks_like_path = word.as_encoded_bytes().iter().any(|byte| matches!(byte, b'.' | b'/' | b'\\'));
        follows_dashes || !is_command && (looks_like_path || std::fs::symlink_metadata(word).is_ok())
    });
    if is_log {
        args.insert(1, "open".into());
    }
    args
}

/// Returns the first argument that is neither an option nor the value of an option.
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
        if arg == "--" {
            return args.next();
        } else if takes_value(arg) {
            args.next();
        } else if !arg.as_encoded_bytes().starts_with(b"-") {
            return Some(arg);
        }
    }
    None
}

fn exit_status_help() -> String {
    let rows = ExitStatus::ALL.iter().map(|status| format!("  {}  {}\n", status.code(), status.meaning()));
    format!("Exit statuses:\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_has_help() {
        let mut command = Cli::command();
        command.build();
        let mut pending = vec![&command];
        let mut options = 0;
        while let Some(command) = pending.pop() {
            assert!(command.get_about().is_some(), "command {} has no help", command.get_name());
            for option in command.get_arguments() {
                assert!(option.get_help().is_some(), "{} {}", command.get_name(), option.get_id());
                options += 1;
            }
            pending.extend(command.get_subcommands());
        }
        assert!(options > 100, "{options}");
    }

    #[test]
    fn a_log_path_opens_the_screen_and_a_command_name_does_not() {
        let inserted = |args: &str| {
            let args: Vec<OsString> = args.split(' ').map(Into::into).collect();
            insert_open_command(&Cli::command(), args.clone()).len() > args.len()
        };
        for opened in
            ["chronicle a.log", "chronicle --json a.log", "chronicle --index x.idx a.log", "chronicle -- a.log"]
                .into_iter()
                .chain(["chronicle -- -name.log", "chronicle --no-scan -- verify", "chronicle -- --json"])
        {
            assert!(inserted(opened), "{opened}");
        }
        for unchanged in [
            "chronicle verify a.log",
            "chronicle --json verify a.log",
            "chronicle --index x.idx verify a.log",
            "chronicle verfy a.log",
            "chronicle help",
        ] {
            assert!(!inserted(unchanged), "{unchanged}");
        }
    }
}
