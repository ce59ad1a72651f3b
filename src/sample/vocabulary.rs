//! The content of generated events: business domains with event types and fields, and text to fill payloads.

/// A business domain that writes events.
#[derive(Debug)]
pub(super) struct BusinessDomain {
    pub(super) namespace: &'static str,
    pub(super) schema: &'static str,
    /// Event types, from the most frequent to the rarest.
    pub(super) types: &'static [&'static str],
    /// Keys of the payload in order; short events omit the last keys.
    pub(super) fields: &'static [(&'static str, ValueKind)],
}

/// The kind of value in a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum ValueKind {
    Name,
    Email,
    City,
    /// A number with two decimals, trailing zeros kept.
    Amount,
    Currency,
    Count,
    Reference,
    Flag,
    Numbers,
}

/// Every business domain that generated events can belong to.
pub(super) const DOMAINS: [BusinessDomain; 5] = [
    BusinessDomain {
        namespace: "accounts",
        schema: "Person",
        types: &["Updated", "LoggedIn", "EmailChanged", "Created", "Deleted"],
        fields: &[
            ("name", ValueKind::Name),
            ("email", ValueKind::Email),
            ("city", ValueKind::City),
            ("newsletter", ValueKind::Flag),
        ],
    },
    BusinessDomain {
        namespace: "orders",
        schema: "Order",
        types: &["Updated", "Placed", "Paid", "Shipped", "Returned"],
        fields: &[
            ("total", ValueKind::Amount),
            ("currency", ValueKind::Currency),
            ("items", ValueKind::Count),
            ("customer", ValueKind::Name),
            ("city", ValueKind::City),
        ],
    },
    BusinessDomain {
        namespace: "payments",
        schema: "Payment",
        types: &["Captured", "Authorised", "Refunded", "Disputed"],
        fields: &[
            ("amount", ValueKind::Amount),
            ("currency", ValueKind::Currency),
            ("reference", ValueKind::Reference),
            ("fee", ValueKind::Amount),
        ],
    },
    BusinessDomain {
        namespace: "stock",
        schema: "Item",
        types: &["Counted", "Received", "Reserved", "Scrapped"],
        fields: &[
            ("count", ValueKind::Count),
            ("place", ValueKind::City),
            ("batch", ValueKind::Reference),
            ("sealed", ValueKind::Flag),
        ],
    },
    BusinessDomain {
        namespace: "sensors",
        schema: "Reading",
        types: &["Measured", "Calibrated", "Failed"],
        fields: &[
            ("value", ValueKind::Amount),
            ("ok", ValueKind::Flag),
            ("samples", ValueKind::Numbers),
            ("device", ValueKind::Reference),
        ],
    },
];

pub(super) const FIRST_NAMES: [&str; 16] = [
    "Juan",
    "Zoë",
    "Amara",
    "Jürgen",
    "Mei",
    "Oluwaseun",
    "Søren",
    "Priya",
    "Tomás",
    "Aiko",
    "Łukasz",
    "Fatima",
    "Ivan",
    "Chloé",
    "Noor",
    "Ada",
];
pub(super) const LAST_NAMES: [&str; 16] = [
    "Alvarez",
    "Okafor",
    "Nguyen",
    "Müller",
    "Tanaka",
    "Rossi",
    "Kowalski",
    "Haddad",
    "Lindqvist",
    "Petrov",
    "Silva",
    "Dubois",
    "Ito",
    "Byrne",
    "Castro",
    "Lovelace",
];
pub(super) const CITIES: [&str; 12] = [
    "Lisbon",
    "Malmö",
    "Kraków",
    "Nairobi",
    "Osaka",
    "Bogotá",
    "Zürich",
    "Hanoi",
    "Montréal",
    "Leeds",
    "Accra",
    "Gdańsk",
];
pub(super) const CURRENCIES: [&str; 5] = ["EUR", "USD", "JPY", "GBP", "SEK"];

/// Text that fills an event up to its length. It is ASCII without characters that JSON escapes, so it can be cut
/// anywhere.
pub(super) const FILLER_TEXT: &str = "checked by the night shift and found in order; the customer asked for a call back before \
    noon, which was done. Second attempt after the carrier returned the parcel with the label torn, new label printed and \
    handed over at the side entrance. Amount agreed on the phone with the branch, confirmation follows by letter. The \
    reading drifted since the last calibration, so the sensor was swapped and the old one kept for the workshop. Imported \
    from the former system, fields that had no counterpart were left out on purpose. Price corrected after the spring \
    sale had ended, difference to be booked with the next invoice. Duplicate of an earlier request, merged by hand. \
    Address verified against the register, flat number added. Held back until the papers arrive from customs, reminder \
    set for Thursday. The door was open when the round came by, nothing missing. Approved with two signatures as the rule \
    for large sums has it. Counted twice because the first two lists did not agree, the third one does. Left with the \
    neighbour on the ground floor, card in the letter box. No action needed, for the record only. ";
