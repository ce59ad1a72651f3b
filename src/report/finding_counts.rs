//! Findings counted by kind, and what the count amounts to in one line.

use crate::format::{DamageKind, Finding};

use super::units::{format_count, format_number};

/// How many findings there are of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingCounts {
    counts: [u64; DamageKind::ALL.len()],
}

impl FindingCounts {
    /// Counts a finding.
    pub fn add(&mut self, finding: &Finding) {
        for (count, kind) in self.counts.iter_mut().zip(DamageKind::ALL) {
            *count += u64::from(kind == finding.kind);
        }
    }

    /// How many of them are damage.
    pub fn damage_count(&self) -> u64 {
        self.counts_by_kind().filter(|row| row.0.is_damage()).map(|row| row.1).sum()
    }

    /// In one line: `3 damaged: 2 checksum, 1 torn_tail; 1 gap`, or `no damage`.
    pub fn counts_line(&self) -> String {
        let named = |damage: bool| {
            let rows = self.counts_by_kind().filter(|(kind, number)| *number > 0 && kind.is_damage() == damage);
            rows.map(|(kind, number)| format!("{} {}", format_number(number), kind.name()))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut line = match self.damage_count() {
            0 => "no damage".to_owned(),
            damaged => format!("{} damaged: {}", format_number(damaged), named(true)),
        };
        let information = named(false);
        if !information.is_empty() {
            line = format!("{line}; {information}");
        }
        line
    }

    /// The whole answer about a log: `4 201 events; no damage`.
    pub fn summary_line(&self, events: u64) -> String {
        format!("{}; {}", format_count(events, "event"), self.counts_line())
    }

    fn counts_by_kind(&self) -> impl Iterator<Item = (DamageKind, u64)> {
        DamageKind::ALL.into_iter().zip(self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_tells_damage_from_what_is_only_worth_knowing() {
        let mut tally = FindingCounts::default();
        assert_eq!(tally.summary_line(1), "1 event; no damage");
        for kind in
            [DamageKind::Checksum, DamageKind::Gap, DamageKind::Checksum, DamageKind::TornTail, DamageKind::Clock]
        {
            tally.add(&Finding::new(kind, 0..1));
        }
        assert_eq!(tally.summary_line(4201), "4 201 events; 3 damaged: 2 checksum, 1 torn_tail; 1 gap, 1 clock");
        assert_eq!(tally.damage_count(), 3);
    }
}
