//! A log that another process repairs, between any two reads, while a repair of it is planned: no event is given up that the
//! other repair has restored.

use std::ops::ControlFlow;

use chronicle::repair::{ApplyOptions, RepairOptions, apply, plan_repair};
use chronicle::{LogId, NewLogFormat};

use super::repairs::log_paths;
use super::sim_disk::SimDisk;
use super::support::{INDEX, LOG, event, open_options, open_view, readable_offsets};

/// Damages a log, given the offsets of its events.
type Damage = fn(&mut Vec<u8>, &[u64]);

const DAMAGES: [Damage; 5] = [
    |log, offsets| log[offsets[2] as usize + 40] ^= 4,
    |log, offsets| log[offsets[2] as usize + 40..offsets[2] as usize + 90].fill(0xA5),
    |log, offsets| log[offsets[1] as usize..offsets[4] as usize].fill(0),
    |log, offsets| log[offsets[2] as usize + 2] ^= 1,
    |log, offsets| log[offsets[5] as usize + 30..].fill(0),
];

#[test]
fn a_plan_gives_up_no_event_that_another_repair_restores_while_it_is_made() {
    let (mut planned, mut refused) = (0, 0);
    for format in [NewLogFormat::V1, NewLogFormat::V2(LogId::from_bytes(*b"0123456789abcdef"))] {
        let disk = SimDisk::default();
        let mut log = open_options(&disk).format(format).create(LOG).unwrap();
        let offsets: Vec<u64> = (0..6).map(|n| log.append(&event(1, n)).unwrap()).collect();
        log.save_index().unwrap();
        log.close().unwrap();
        let (whole, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
        for (damage, has_index) in DAMAGES.into_iter().flat_map(|damage| [(damage, false), (damage, true)]) {
            let mut damaged = whole.clone();
            damage(&mut damaged, &offsets);
            for read in 0.. {
                let disk = SimDisk::with_files(&[(LOG, &damaged)]);
                if has_index {
                    disk.put(INDEX, &index);
                }
                disk.change_before_read(read, LOG, &whole);
                let view = open_view(&disk).unwrap();
                let options = RepairOptions::new().gap_undecided();
                let plan = plan_repair(&view, &options, &mut |_| ControlFlow::Continue(()));
                if disk.has_scheduled_change() {
                    break;
                }
                // The other repair has also synced its changes.
                disk.overwrite(LOG, &whole);
                match plan.and_then(|plan| apply(&log_paths(&disk), &plan, ApplyOptions::new())) {
                    Ok(_) => planned += 1,
                    Err(_) => refused += 1,
                }
                assert_eq!(readable_offsets(&disk), offsets, "{format:?}: restored before read {read}");
            }
        }
    }
    assert!(planned > 0 && refused > 0, "{planned} applied, {refused} refused");
}
