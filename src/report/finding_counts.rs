//! Counts findings by kind, and formats the counts as one line.

use crate::format::{DamageKind, Finding};

use super::units::{format_count, format_number};

/// What a log of version 0 leaves unknown, for every place that reports that its frames were read.
pub(crate) const VERSION_0_LIMIT: &str = "version 0 has no checksums, so changes inside a payload cannot be seen";

/// The number of findings of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FindingCounts {
    counts: [u64; DamageKind::ALL.len()],
}

impl FindingCounts {
    /// Counts a finding.
    pub(crate) fn add(&mut self, finding: &Finding) {
        for (count, kind) in self.counts.iter_mut().zip(DamageKind::ALL) {
            *count += u64::from(kind == finding.kind);
        }
    }

    /// Returns the number of findings that are damage.
    pub(crate) fn damage_count(&self) -> u64 {
        self.counts_by_kind().filter(|row| row.0.is_damage()).map(|row| row.1).sum()
    }

    /// Returns the number of findings of a kind.
    pub(crate) fn count_of(&self, kind: DamageKind) -> u64 {
        self.counts_by_kind().find(|row| row.0 == kind).map_or(0, |row| row.1)
    }

    /// Formats the counts: `3 damaged: 2 checksum, 1 torn_tail; 1 gap`, or `no damage`.
    pub(crate) fn counts_line(&self) -> String {
        let kinds = self.counts_of(DamageKind::is_damage);
        let short = self.short_line();
        match short.split_once(" damaged") {
            Some((damaged, information)) => format!("{damaged} damaged: {kinds}{information}"),
            None => short,
        }
    }

    /// Formats the counts without the kinds of damage: `3 damaged; 1 gap`, or `no damage`.
    pub(crate) fn short_line(&self) -> String {
        let damage = match self.damage_count() {
            0 => "no damage".to_owned(),
            damaged => format!("{} damaged", format_number(damaged)),
        };
        let information = self.counts_of(|kind| !kind.is_damage());
        if information.is_empty() { damage } else { format!("{damage}; {information}") }
    }

    /// Formats the counts of the kinds that `includes` accepts: `2 checksum, 1 torn_tail`.
    fn counts_of(&self, includes: impl Fn(DamageKind) -> bool) -> String {
        let rows = self.counts_by_kind().filter(|(kind, number)| *number > 0 && includes(*kind));
        rows.map(|(kind, number)| format!("{} {}", format_number(number), kind.name())).collect::<Vec<_>>().join(", ")
    }

    /// Formats the number of events and the counts: `4 201 events; no damage`.
    pub(crate) fn summary_line(&self, events: u64) -> String {
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
    fn damage_and_information_are_counted_separately() {
        let mut counts = FindingCounts::default();
        assert_eq!(counts.summary_line(1), "1 event; no damage");
        for kind in
            [DamageKind::Checksum, DamageKind::Gap, DamageKind::Checksum, DamageKind::TornTail, DamageKind::Clock]
        {
            counts.add(&Finding::new(kind, 0..1));
        }
        assert_eq!(counts.summary_line(4201), "4 201 events; 3 damaged: 2 checksum, 1 torn_tail; 1 gap, 1 clock");
        assert_eq!(counts.short_line(), "3 damaged; 1 gap, 1 clock");
        assert_eq!((counts.damage_count(), counts.count_of(DamageKind::Checksum)), (3, 2));
    }
}
