//! `salvage` and `migrate`: the events of a log in a new one, which is there whole or not at all.

use std::ops::ControlFlow;

use super::args::{AcceptArg, CopyArgs, MigrateArgs, SalvageArgs, Side};
use super::fail::{Failure, Run};
use super::force::check_room;
use super::open::options;
use super::out::{Out, finding_line};
use super::progress::Progress;
use crate::StorageError;
use crate::inspect::LogView;
use crate::repair::{self, CopyStep, CopyWish, Salvaged};
use crate::report::copies::{left_out_line, salvaged, salvaged_line};
use crate::report::json::Json;
use crate::report::{Status, path_text};

type Copy = fn(&LogView, &CopyWish, &mut dyn FnMut(CopyStep) -> ControlFlow<()>) -> Result<Salvaged, StorageError>;

pub(super) fn salvage(args: &SalvageArgs, side: &Side, out: &mut Out) -> Run {
    let wish = CopyWish { donor: args.donor.clone(), ..wish(&args.copy) };
    run(&args.copy, &wish, ("salvaging", repair::salvage), side, out)
}

pub(super) fn migrate(args: &MigrateArgs, side: &Side, out: &mut Out) -> Run {
    run(&args.copy, &wish(&args.copy), ("migrating", repair::migrate), side, out)
}

fn wish(args: &CopyArgs) -> CopyWish {
    CopyWish {
        output: args.output.clone(),
        map: args.map.clone(),
        accept_likely: args.accept == Some(AcceptArg::Likely),
        donor: None,
        replace: args.force,
    }
}

fn run(args: &CopyArgs, wish: &CopyWish, (doing, copy): (&'static str, Copy), side: &Side, out: &mut Out) -> Run {
    let log = options(side).threads(args.threads.number()).open_read_only(&args.log)?;
    check_room(&args.output, args.force)?;
    let progress = Progress::new(doing, out);
    let done = copy(log.view(), wish, &mut |step| {
        match step {
            CopyStep::Progress(done, total) => progress.to(done, total),
            // Programs have it in the object at the end.
            CopyStep::LeftOut(left) => progress.aside(|| {
                out.note(&format!("{}; {}", finding_line(&left.finding, None), left_out_line(left)));
            }),
        }
        ControlFlow::Continue(())
    });
    drop(progress);
    let done = done?;
    tell(log.view().path(), wish, &done, out)?;
    Ok(if done.lost_total > 0 { Status::Damage } else { Status::Done })
}

fn tell(log: &std::path::Path, wish: &CopyWish, done: &Salvaged, out: &mut Out) -> Result<(), Failure> {
    if out.is_json() {
        let map = wish.map.as_deref().map(path_text);
        let mut keys =
            vec![("log", path_text(log).into()), ("new", path_text(&wish.output).into()), ("map", map.into())];
        keys.extend(salvaged(done));
        return out.value(&Json::Object(keys));
    }
    if let Some(range) = &done.in_flight {
        out.note(&format!("{}..{} is being written: the copy ends before it", range.start, range.end));
    }
    out.path_line(&wish.output, &format!(": {}", salvaged_line(done)))?;
    wish.map.as_ref().map_or(Ok(()), |map| out.path_line(map, ": old offsets to new ones"))
}
