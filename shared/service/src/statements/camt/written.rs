//! What is written in a statement beside what `sepa` reads of it.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::unescape;
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
    /// The `AcctSvcrRef` of each of its transactions.
    pub references: Vec<Option<String>>,
}

impl Default for Written {
    /// Of one that was not read nothing can be said.
    fn default() -> Self {
        Self { several: true, reverses: false, references: Vec::new() }
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
                entries.last_mut().into_iter().for_each(|entry| entry.references.push(None));
                (ended, in_transaction) = (None, true);
            }
            (Event::End(_), b"TxDtls") => (ended, in_transaction) = (None, false),
            (Event::Start(tag), b"AcctSvcrRef") if in_transaction => {
                let said = text_of(&mut reader, tag);
                let reference = entries.last_mut().and_then(|entry| entry.references.last_mut());
                reference.into_iter().for_each(|reference| reference.clone_from(&said));
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

/// What an element holds; nothing if that cannot be read.
fn text_of(reader: &mut Reader<&[u8]>, tag: &BytesStart<'_>) -> Option<String> {
    let text = reader.read_text(tag.name()).ok()?.decode().ok()?.into_owned();
    unescape(&text).ok().map(|text| text.trim().to_owned())
}
