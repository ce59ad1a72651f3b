//! Findings counted by kind, and what the count amounts to in one line.

use crate::format::{Finding, Kind};

use super::units::{count, exact};

/// How many findings there are of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    counts: [u64; Kind::ALL.len()],
}

impl Tally {
    /// Counts a finding.
    pub fn add(&mut self, finding: &Finding) {
        for (count, row) in self.counts.iter_mut().zip(Kind::ALL) {
            *count += u64::from(row.0 == finding.kind);
        }
    }

    /// How many of a kind there are.
    pub fn of(&self, kind: Kind) -> u64 {
        self.rows().find(|row| row.0 == kind).map_or(0, |row| row.1)
    }

    /// How many of them are damage.
    pub fn damage(&self) -> u64 {
        self.rows().filter(|row| row.0.is_damage()).map(|row| row.1).sum()
    }

    /// How many there are in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// In one line: `3 damaged: 2 checksum, 1 torn_tail; 1 gap`, or `no damage`.
    pub fn line(&self) -> String {
        let named = |damage: bool| {
            let rows = self.rows().filter(|(kind, number)| *number > 0 && kind.is_damage() == damage);
            rows.map(|(kind, number)| format!("{} {}", exact(number), kind.name())).collect::<Vec<_>>().join(", ")
        };
        let mut line = match self.damage() {
            0 => "no damage".to_owned(),
            damaged => format!("{} damaged: {}", exact(damaged), named(true)),
        };
        let information = named(false);
        if !information.is_empty() {
            line = format!("{line}; {information}");
        }
        line
    }

    /// The whole answer about a log: `4 201 events; no damage`.
    pub fn summary(&self, events: u64) -> String {
        format!("{}; {}", count(events, "event"), self.line())
    }

    fn rows(&self) -> impl Iterator<Item = (Kind, u64)> {
        Kind::ALL.iter().map(|row| row.0).zip(self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_tells_damage_from_what_is_only_worth_knowing() {
        let mut tally = Tally::default();
        assert_eq!(tally.summary(1), "1 event; no damage");
        for kind in [Kind::Checksum, Kind::Gap, Kind::Checksum, Kind::TornTail, Kind::Clock] {
            tally.add(&Finding::new(kind, 0..1));
        }
        assert_eq!(tally.summary(4201), "4 201 events; 3 damaged: 2 checksum, 1 torn_tail; 1 gap, 1 clock");
        assert_eq!((tally.of(Kind::Checksum), tally.damage(), tally.total()), (2, 3, 5));
    }
}
