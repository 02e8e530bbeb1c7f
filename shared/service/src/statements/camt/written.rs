//! What is written in a statement beside what `sepa` reads of it.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesStart, Event};

use super::flaw;
use crate::error::Invalid;

/// A document in which each entry has one `NtryDtls`: `sepa` reads the first one only.
pub(super) struct Together<'text> {
    pub text: Cow<'text, str>,
    /// Each entry, in turn.
    pub entries: Vec<Written>,
}

/// What `sepa` does not read of an entry.
pub(super) struct Written {
    /// Whether it had several `NtryDtls`.
    pub several: bool,
    /// Whether it takes back what was booked before (`RvslInd`).
    pub reverses: bool,
    /// Its transactions.
    pub transactions: Vec<Transaction>,
}

/// What `sepa` does not read of a transaction.
#[derive(Default)]
pub(super) struct Transaction {
    /// The bank's own reference of it (`AcctSvcrRef`).
    pub reference: Option<String>,
    /// Whether it says from whom or to whom it was.
    pub is_somebodys: bool,
    /// Whether it says that it is what was sent before, and comes back (`RtrInf`).
    pub is_returned: bool,
}

impl Transaction {
    /// Takes down that it has an element of this name.
    fn has(&mut self, name: &[u8]) {
        self.is_somebodys |= name == b"RltdPties";
        self.is_returned |= name == b"RtrInf";
    }
}

impl Written {
    /// The references of its transactions, of those that have one.
    pub(super) fn references(&self) -> impl Iterator<Item = &str> {
        self.transactions.iter().filter_map(|one| one.reference.as_deref())
    }
}

impl Default for Written {
    /// Of one that was not read nothing can be said.
    fn default() -> Self {
        Self { several: true, reverses: false, transactions: Vec::new() }
    }
}

/// Puts the `NtryDtls` of each entry together. A text that is no XML is as it was.
pub(super) fn with_details_together(text: &str) -> Result<Together<'_>, Invalid> {
    let unread = || Ok(Together { text: text.into(), entries: Vec::new() });
    let mut reader = Reader::from_str(text);
    let (mut together, mut kept, mut entries) = (String::new(), 0, Vec::<Written>::new());
    // Of this entry, where its last block ended, as long as nothing has come after it, and whether it had one.
    let (mut ended, mut had, mut in_transaction) = (None, false, false);
    loop {
        let from = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let Ok(event) = reader.read_event() else { return unread() };
        let to = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let name = match &event {
            Event::Start(tag) | Event::Empty(tag) => tag.local_name().as_ref().to_vec(),
            Event::End(tag) => tag.local_name().as_ref().to_vec(),
            _ => Vec::new(),
        };
        // What is between two places that are none in the text must not be dropped in silence.
        let mut cut = |from: usize| {
            let before =
                text.get(kept..from).ok_or_else(|| flaw("its entries cannot be told apart"))?;
            together.push_str(before);
            kept = to;
            Ok::<(), Invalid>(())
        };
        match (&event, name.as_slice()) {
            (Event::Start(_), b"Ntry") => {
                entries.push(Written { several: false, ..Written::default() });
                (ended, had, in_transaction) = (None, false, false);
            }
            (Event::Start(tag), b"RvslInd") if !in_transaction => {
                let said = text_of(&mut reader, tag);
                let reverses = said.is_some_and(|said| matches!(said.as_str(), "true" | "1"));
                entries.last_mut().into_iter().for_each(|entry| entry.reverses = reverses);
                ended = None;
            }
            (Event::Start(_), b"TxDtls") => {
                let of_entry = entries.last_mut().map(|entry| &mut entry.transactions);
                of_entry.into_iter().for_each(|of_entry| of_entry.push(Transaction::default()));
                (ended, in_transaction) = (None, true);
            }
            (Event::End(_), b"TxDtls") => (ended, in_transaction) = (None, false),
            (Event::Start(tag), b"AcctSvcrRef") if in_transaction => {
                let said = text_of(&mut reader, tag);
                let transaction = last_of(&mut entries);
                transaction.into_iter().for_each(|one| one.reference.clone_from(&said));
                ended = None;
            }
            (Event::Start(_) | Event::Empty(_), b"RltdPties" | b"RtrInf") if in_transaction => {
                last_of(&mut entries).into_iter().for_each(|one| one.has(&name));
                ended = None;
            }
            (Event::Start(_), b"NtryDtls") if had => {
                let between = "an entry with something between its NtryDtls cannot be read";
                cut(ended.take().ok_or_else(|| flaw(between))?)?;
                entries.last_mut().into_iter().for_each(|entry| entry.several = true);
            }
            (Event::Start(_), b"NtryDtls") => had = true,
            (Event::End(_), b"NtryDtls") => ended = Some(from),
            // One that says nothing, before the others: `sepa` would read it.
            (Event::Empty(_), b"NtryDtls") => {
                if !had {
                    cut(from)?;
                }
            }
            (Event::Text(blank), _) if blank.iter().all(u8::is_ascii_whitespace) => {}
            (Event::Comment(_) | Event::PI(_), _) => {}
            (Event::Eof, _) => break,
            _ => ended = None,
        }
    }
    together.push_str(text.get(kept..).ok_or_else(|| flaw("its entries cannot be told apart"))?);
    Ok(Together { text: together.into(), entries })
}

fn last_of(entries: &mut [Written]) -> Option<&mut Transaction> {
    entries.last_mut().and_then(|entry| entry.transactions.last_mut())
}

/// What an element holds, as `sepa` reads it: without comments, and whether or not it is quoted. Nothing if that cannot
/// be read.
fn text_of(reader: &mut Reader<&[u8]>, tag: &BytesStart<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Text(part) => text.push_str(&unescape(&part.decode().ok()?).ok()?),
            Event::CData(part) => text.push_str(&part.decode().ok()?),
            Event::GeneralRef(part) => match part.resolve_char_ref().ok()? {
                Some(character) => text.push(character),
                None => text.push_str(resolve_predefined_entity(&part.decode().ok()?)?),
            },
            Event::Comment(_) | Event::PI(_) => {}
            Event::End(end) if end.name() == tag.name() => return Some(text.trim().to_owned()),
            _ => return None,
        }
    }
}
