"""Runs a disturbed command in a copy of its files, and checks what it leaves."""

import shutil

from program import Missed, Violation

# Statuses that the program documents. 101 is a panic.
STATUSES = range(7)


def disturb(program, scenario, template, folder, disturbance):
    """Copies the prepared files, runs the disturbed command, checks its outcome, and lets it recover.

    `disturbance` has `run(program, scenario, folder)`, which returns the outcome, and says what is excused.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    outcome = disturbance.run(program, scenario, folder)
    if outcome.was_disturbed is False:
        raise Missed(f"{scenario.name}: the call did not occur: {disturbance}")
    try:
        check_outcome(program, scenario, folder, outcome, disturbance)
        scenario.recover(program, folder)
        if outcome.was_killed:
            scenario.clear_temporary_files(program, folder)
        # An old file that cannot get its name back is kept, and the message names it. One that cannot be removed stays.
        for path in folder.rglob("*.old"):
            if path.name in outcome.text() or "unlink" in str(disturbance):
                path.unlink()
        scenario.check_names(folder)
    except Violation as violation:
        repeat = disturbance.repeat_line(scenario)
        raise Violation(
            f"{scenario.name}: {violation}\n  disturbed by: {disturbance}\n  repeat with: {repeat}\n"
            f"  status {outcome.status}, printed: {outcome.text()[-600:]}\n  files: {folder}"
        ) from violation
    return outcome


def check_outcome(program, scenario, folder, outcome, disturbance):
    """Checks the status, the messages and the files right after the disturbed run."""
    if outcome.was_killed:
        if not disturbance.may_kill:
            raise Violation(f"a signal ended the program: status {outcome.status}")
    elif outcome.status not in STATUSES:
        raise Violation(f"status {outcome.status} is not documented")
    scenario.check_log(program, folder, outcome, disturbance)
    if outcome.was_killed:
        return
    if outcome.status == scenario.status and not scenario.has_effect(program, folder):
        raise Violation(f"status {outcome.status}, but the effect is not there")
    if disturbance.must_succeed and outcome.status != scenario.status:
        raise Violation(f"status {outcome.status}: a call that can be repeated was not")
    if not disturbance.may_leave_temporary_files:
        left = [path.name for path in folder.rglob("*.tmp")]
        if left:
            raise Violation(f"a failed run left {left[0]}")
