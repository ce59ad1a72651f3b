//! Making a plan: one survey of the log, a decision about every finding, and the hashes that `apply` checks.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use super::composed_headers::ComposedHeaders;
use super::decide::{Decisions, decide_fixes};
use super::donor::Donor;
use super::fix_finder::FixFinder;
use super::group::{PieceGroup, merge_adjacent_groups};
use super::loss::{ForgottenEnd, count_losses};
use super::settings_change::plan_settings;
use super::step_builder::{BuiltSteps, StepBuilder, describe_gaps};
use super::step_output::{ByteSource, DonorSections, StepOutput};
use crate::StorageError;
use crate::file::{HeaderState, LogFile, OffsetLocation, ScanItem, Scanner, locate_offset};
use crate::format::{DamageKind, Finding, Version};
use crate::inspect::{DamageOrigins, LogView, OnProgress, SurveyOptions, SurveyUpdate, find_unrecorded_frames, survey};
use crate::repair::types::{
    Loss, Plan, ProposedFix, RepairOptions, RepairStep, WorkMeter, changed_error, ensure_no_hard_links, read_identity,
    refused_error, sha256_of_range,
};

/// Plans a repair of the log of `view`. Lost ranges are taken from the donors of `options`, frame by frame.
///
/// Reads the log once, and writes nothing. `on_progress` is called about once per mebibyte, and can cancel.
///
/// # Errors
/// - `Version0ReadOnly` for a log of version 0, and `UnknownFlags` when its flags forbid writing.
/// - `Refused` when no repair in place is possible (the device refuses to read a range, the file has several hard links, or the
///   index cannot be read, so that it is not known whether the log has lost its end),
///   when an option does not fit the findings, and when the plan would give up more events than
///   [`RepairOptions::max_lost_events`].
/// - `Cancelled` when `on_progress` breaks.
/// - `Io`, `Changed`, `OutOfMemory` when the log, the index or a donor cannot be read.
pub fn plan_repair(
    view: &LogView,
    options: &RepairOptions,
    on_progress: &mut OnProgress,
) -> Result<Plan, StorageError> {
    let path = view.path();
    ensure_repairable(view)?;
    let log_identity = read_identity(view.log())?;
    // The pass over the log reports its progress up to the end. The loops after it can only be cancelled.
    let meter = WorkMeter::after_end(log_identity.bytes, on_progress);
    let donors: Vec<Donor> =
        options.donors.iter().map(|path| Donor::open(view, path, &meter)).collect::<Result<_, StorageError>>()?;
    let found = find_damage(view, options, &meter)?;
    if let Some(bad) = found.iter().find(|proposed| proposed.finding.kind == DamageKind::Unreadable) {
        return Err(unreadable_error(path, &bad.finding.range()));
    }
    let Decisions { groups, notes } = decide_fixes(view, options, &donors, &found)?;
    let mut forgotten = forgotten_end(view, &groups, log_identity.bytes)?;
    let mut builder = StepBuilder::new(view, &donors, log_identity.bytes);
    for group in merge_adjacent_groups(groups, log_identity.bytes, view.log().start_of_cut_header(log_identity.bytes)) {
        builder.add_group(group)?;
    }
    let BuiltSteps { mut steps, unrepaired, composed_headers } = builder.finish();
    let donor_files: Vec<_> = donors.iter().map(|donor| donor.log().clone()).collect();
    let composed = ComposedHeaders { view, donor_files: &donor_files, of_missing: &composed_headers, meter: &meter };
    composed.complete(&mut steps)?;
    count_losses(view, &mut steps, forgotten.as_mut(), &meter)?;
    for step in &mut steps {
        step.before_sha256 = sha256_of_range(view.log(), step.range(), &meter)?;
        ensure_still_damaged(view.log(), step, log_identity.bytes)?;
    }
    let settings = plan_settings(view, &steps)?;
    let mut plan = Plan::new(log_identity, steps);
    plan.settings = settings;
    let mut origins = DamageOrigins::default();
    for proposed in &found {
        origins.add(&proposed.finding);
    }
    (plan.unrepaired, plan.notes) = (unrepaired, [notes, origins.advice()].concat());
    note_unrecorded_frames(view, options, &found, &mut plan)?;
    if let Some(end) = forgotten {
        (plan.forgotten_index_end, plan.forgotten_loss) = (Some(end.end), end.loss);
    }
    // The description of a gap contains the plan's id, so the id is assigned before the bytes of gaps are hashed.
    plan.assign_id();
    describe_gaps(&plan.id, &mut plan.steps);
    for step in &mut plan.steps {
        let source = Some(Box::new(DonorSections { step, files: &donor_files }) as Box<dyn ByteSource>);
        let after_sha256 = StepOutput::new(view.log().format(), step, source).sha256(view.log(), &meter)?;
        step.after_sha256 = after_sha256;
    }
    check_max_loss(path, options, &plan)?;
    plan.seal();
    Ok(plan)
}

/// Checks that the log can be changed in place.
///
/// # Errors
/// `Version0ReadOnly` for a log of version 0; `UnknownFlags` when its flags forbid writing; `Refused` when its header or its
/// index cannot be read, or when the file has several hard links.
pub(super) fn ensure_repairable(view: &LogView) -> Result<(), StorageError> {
    let path = view.path();
    if view.log().version() == Version::V0 {
        return Err(StorageError::Version0ReadOnly { path: path.to_owned() });
    }
    if let Some(found) = view.write_blocking_flags() {
        return Err(StorageError::UnknownFlags { path: path.to_owned(), found, forbids: "write" });
    }
    view.seen_end().ensure_known(view.index_path())?;
    ensure_no_hard_links(view.log())?;
    if matches!(view.log().header(), HeaderState::Unreadable) {
        return Err(unreadable_error(path, &view.log().header_range()));
    }
    Ok(())
}

/// Checks that the range of a step has no valid frame. Its bytes were hashed before.
///
/// The survey and the hash read the bytes at different times. Another repair can restore a frame between them, and a plan
/// that was made for the damage, with the hash of the restored frame, would replace it with a gap.
///
/// # Errors
/// `Changed` when there is a valid frame; `Io`, `OutOfMemory` when the log cannot be read.
fn ensure_still_damaged(log: &Arc<LogFile>, step: &RepairStep, log_end: u64) -> Result<(), StorageError> {
    let start = step.start.max(log.first_frame_offset());
    let mut scanner = Scanner::new(log.clone(), start..step.end.min(log_end));
    while let Some(item) = scanner.next_item()? {
        if let ScanItem::Frame(at, _) = item {
            let expected = format!("damage in {}..{}", step.start, step.end);
            return Err(changed_error(log.path(), &expected, &format!("a valid frame at {at}, from another repair")));
        }
    }
    Ok(())
}

fn unreadable_error(path: &Path, range: &Range<u64>) -> StorageError {
    let reason = format!("the device refuses to read {}..{}", range.start, range.end);
    refused_error(path, reason, "Write what can be read into a new log with `chronicle salvage`")
}

/// Adds the events that the index has recorded, and in whose place the log has other valid frames: next to damage, and in a
/// plan for the whole log also elsewhere.
fn note_unrecorded_frames(
    view: &LogView,
    options: &RepairOptions,
    found: &[ProposedFix],
    plan: &mut Plan,
) -> Result<(), StorageError> {
    let whole_log = 0..if options.damage_offset.is_none() { plan.log.bytes } else { 0 };
    let damaged: Vec<Range<u64>> = found.iter().map(|proposed| proposed.finding.range()).collect();
    for frames in find_unrecorded_frames(view, std::slice::from_ref(&whole_log), &damaged)? {
        plan.notes.push(frames.describe());
        let (at_least, at_most) = (frames.missing_events, frames.missing_events);
        plan.replaced_loss.merge(&Loss { at_least, at_most, aggregates: frames.missing_aggregates });
    }
    Ok(())
}

/// Returns the end of the log that the decisions give up together with the index's record of it.
///
/// # Errors
/// `Refused` when the log has lost its header: the index that is to forget the lost end has the only copy of it.
fn forgotten_end(view: &LogView, groups: &[PieceGroup], log_end: u64) -> Result<Option<ForgottenEnd>, StorageError> {
    let Some(start) = groups.iter().find_map(PieceGroup::forgotten_from) else { return Ok(None) };
    if log_end < view.log().first_frame_offset() {
        let reason = "the log has lost its header, and only the index still knows it";
        let alternative = "Leave out --forget: a gap replaces the lost end, after the header that the index knows";
        return Err(refused_error(view.path(), reason.into(), alternative));
    }
    let end = view.seen_end().offset();
    Ok(end.map(|end| ForgottenEnd { start, end, loss: Loss::default() }))
}

fn check_max_loss(path: &Path, options: &RepairOptions, plan: &Plan) -> Result<(), StorageError> {
    let lost = plan.total_loss().at_most;
    match options.max_lost_events {
        Some(allowed) if lost > allowed => {
            let reason = format!("the plan would give up as many as {lost} events; {allowed} are allowed");
            let alternative = "See the plan with --dry-run; allow more, or leave ranges out with --except";
            Err(refused_error(path, reason, alternative))
        }
        _ => Ok(()),
    }
}

/// Finds the damage of the whole log, or only the damage at the offset of the options, each finding with its fix. With a donor,
/// ranges that were given up are found too, because the donor may have them.
fn find_damage(
    view: &LogView,
    repair_options: &RepairOptions,
    meter: &WorkMeter,
) -> Result<Vec<ProposedFix>, StorageError> {
    let at = repair_options.damage_offset;
    let is_wanted = |finding: &Finding| {
        finding.kind.is_damage() || (finding.kind == DamageKind::Lost && !repair_options.donors.is_empty())
    };
    let mut finder = FixFinder::new(view)?;
    let mut options = SurveyOptions::new();
    if let Some(at) = at {
        let log_end = view.log().len()?;
        if at < view.log().first_frame_offset().min(log_end) {
            let header = view.header_finding();
            return header.map_or(Ok(Vec::new()), |finding| finder.push(&finding));
        }
        match locate_offset(view.log(), at, log_end)? {
            OffsetLocation::Damaged(range) | OffsetLocation::FrameStart(range) | OffsetLocation::InsideFrame(range) => {
                options = options.from(range.start).until(range.start + 1);
            }
            OffsetLocation::PastEnd => {
                let truncated = view.truncation_finding(log_end, log_end)?;
                return truncated.map_or(Ok(Vec::new()), |finding| finder.push(&finding));
            }
        }
    }
    let mut found = Vec::new();
    let mut failed = None;
    let surveyed = survey(view, &options, None, &mut |update| match update {
        SurveyUpdate::Progress(progress) => meter.report(progress),
        SurveyUpdate::Finding(finding) if !is_wanted(finding) => ControlFlow::Continue(()),
        SurveyUpdate::Finding(finding) => match finder.push(finding) {
            Ok(mut decided) => {
                found.append(&mut decided);
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        },
    });
    if let Some(error) = failed {
        return Err(error);
    }
    surveyed?;
    found.append(&mut finder.finish());
    if let Some(at) = at {
        let is_at = |finding: &Finding| finding.range().contains(&at) || finding.range().is_empty();
        found.retain(|proposed| is_at(&proposed.finding));
    }
    Ok(found)
}
