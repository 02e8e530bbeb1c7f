//! The references by which a bank tells transfers apart.

use ledger::BankReference;

/// A shorter reference may be a counter, which begins anew in each batch.
const SHORTEST: usize = 8;
/// What banks write for a reference that there is not (`NOTPROVIDED` as in the implementation guidelines of SEPA, `NONREF`
/// as in SWIFT's messages), and what spreadsheets do.
const NONE: [&str; 10] =
    ["NONREF", "NOTPROVIDED", "UNKNOWN", "NONE", "N/A", "N.A.", "NA", "#N/A", "NULL", "NAN"];

/// The reference by which a bank tells a transfer from all others: none if it says that it has none, be it by a dash or
/// by zeros, or if a spreadsheet has made a rounded number of it.
pub(super) fn told_apart_by(text: &str) -> Option<BankReference> {
    let said = text.trim();
    let is_none = NONE.iter().any(|none| none.eq_ignore_ascii_case(said)) || is_rounded(said);
    let parsed = BankReference::parse(said).ok().filter(|_| !is_none);
    let tells = |character: char| character.is_alphanumeric() && character != '0';
    parsed.filter(|reference| reference.as_str().chars().any(tells))
}

/// Whether a number is written with an exponent, as spreadsheets write long ones: others are written the same.
fn is_rounded(text: &str) -> bool {
    let is_number = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',')
    };
    let text = text.to_ascii_uppercase();
    text.split_once("E+").is_some_and(|(digits, power)| is_number(digits) && is_number(power))
}

/// Whether a reference tells a transfer apart in all of an account, and not only within its batch.
pub(super) fn is_whole(reference: &BankReference) -> bool {
    reference.as_str().chars().filter(|character| character.is_alphanumeric()).count() >= SHORTEST
}

/// A part of what has this reference.
pub(super) fn part_of(whole: &BankReference, part: &str) -> Option<BankReference> {
    told_apart_by(&format!("{whole}/{part}"))
}

/// The references of the first two parts of what has this one: of a batch whose bank does not tell them apart, or of what a
/// person has split. If one of them was credited, not all of it is left.
pub(super) fn first_parts_of(whole: &BankReference) -> impl Iterator<Item = BankReference> {
    ["1", "2"].into_iter().filter_map(move |number| part_of(whole, number))
}
