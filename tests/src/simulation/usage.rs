//! Money that is used, as the auditor knows it: charges, and holds that are captured, given up or
//! over. Written from the contract and without the product's code.

use std::collections::{BTreeMap, BTreeSet};

use super::images::{EntryImage, Step};
use super::journal::Account;
use super::micros::Micros;
use super::model::Model;
use super::thresholds::WantedThresholds;
use super::usage_images::{ChargeImage, HoldImage, OpenHoldImage, WantedCharge, WantedHold};

/// Most holds of an account that are open at a time.
pub const MAX_HOLDS: usize = 100;
/// Most charges of a commit.
const MAX_CHARGES: usize = 92;

/// What was asked for and made of money that is used.
#[derive(Debug, Default)]
pub struct Usage {
    /// By the id that they must get; several if a key is used for several requests.
    pub wanted_charges: BTreeMap<String, Vec<WantedCharge>>,
    /// By the id that they must get; several if a key is used for several requests.
    pub wanted_holds: BTreeMap<String, Vec<WantedHold>>,
    /// Thresholds that clients set: account, balance and what they are to be.
    pub wanted_thresholds: BTreeSet<(String, String, WantedThresholds)>,
    /// Holds that clients gave up.
    pub given_up: BTreeSet<String>,
    /// By id.
    pub charges: BTreeMap<String, ChargeImage>,
    /// Every state of a hold, by id, from version 1 on.
    pub holds: BTreeMap<String, Vec<HoldImage>>,
}

/// What an entry must be.
struct Moved<'step> {
    /// What it names, in any order.
    documents: BTreeSet<&'step str>,
    /// What moves, by place.
    lines: Vec<(String, Micros)>,
    /// The hold that changes, and what it keeps after that.
    keeps: Option<(String, Option<OpenHoldImage>)>,
}

impl Usage {
    /// The newest state of a hold.
    #[must_use]
    pub fn hold(&self, id: &str) -> Option<&HoldImage> {
        self.holds.get(id)?.last()
    }

    /// How often a charge or a hold of this id was written.
    #[must_use]
    pub fn version(&self, id: &str) -> u64 {
        let states = self.holds.get(id).map_or(0, Vec::len);
        states as u64 + u64::from(self.charges.contains_key(id))
    }

    /// A hold that is new: somebody asked for it.
    fn begins(&self, hold: &HoldImage) -> Result<(), String> {
        let wanted = self.wanted_holds.get(&hold.id);
        let wanted = wanted.is_some_and(|wanted| wanted.contains(&hold.placed));
        let new = hold.version == 1 && hold.captured == 0 && hold.status == "open";
        let first = !self.holds.contains_key(&hold.id);
        match wanted && new && first && hold.is_due && hold.closed_at.is_none() {
            true => Ok(()),
            false => Err(format!("nobody asked for {hold:?}")),
        }
    }

    /// A hold goes on from where it was open.
    fn goes_on(&self, hold: &HoldImage) -> Result<&HoldImage, String> {
        let known = self.hold(&hold.id).ok_or_else(|| format!("{} is not known", hold.id))?;
        let follows = hold.version == known.version + 1
            && (&hold.placed, hold.created_at) == (&known.placed, known.created_at)
            && known.status == "open"
            && hold.is_due == (hold.status == "open");
        follows.then_some(known).ok_or_else(|| format!("{known:?} became {hold:?}"))
    }

    /// The time of a hold is over, and nothing else has become of it.
    fn expires(&self, hold: &HoldImage) -> Result<(), String> {
        let known = self.goes_on(hold)?;
        let same = hold.captured == known.captured && hold.closed_at.is_none();
        match same && hold.status == "expired" {
            true => Ok(()),
            false => Err(format!("{known:?} ended as {hold:?}")),
        }
    }

    /// A charge that is new: somebody asked for it, and this entry takes its money.
    fn is_made(&self, charge: &ChargeImage, entry: &EntryImage) -> Result<(), String> {
        let mut wanted = self.wanted_charges.get(&charge.id).into_iter().flatten();
        if !wanted.any(|wanted| wanted.is_of(&charge.made)) {
            return Err(format!("nobody asked for {charge:?}"));
        }
        let here = charge.entry == entry.number && charge.made.account == entry.account;
        match here && !self.charges.contains_key(&charge.id) {
            true => Ok(()),
            false => Err(format!("{charge:?} is made by entry {}", entry.number)),
        }
    }

    fn charged<'step>(
        &self,
        step: &'step Step,
        entry: &EntryImage,
    ) -> Result<Moved<'step>, String> {
        let mut lines = Vec::new();
        for charge in &step.charges {
            self.is_made(charge, entry)?;
            if charge.made.from.is_some() || charge.at != step.charges[0].at {
                return Err(format!("{charge:?} is charged with others"));
            }
            lines.push((charge.made.target.clone(), -charge.made.amount));
            lines.push(("external:usage".to_owned(), charge.made.amount));
        }
        if step.hold.is_some() || step.charges.len() > MAX_CHARGES {
            return Err(format!("{} charges share an entry", step.charges.len()));
        }
        let documents = step.charges.iter().map(|charge| charge.id.as_str()).collect();
        Ok(Moved { documents, lines, keeps: None })
    }

    fn placed<'step>(&self, step: &'step Step, account: &Account) -> Result<Moved<'step>, String> {
        let hold = step.hold.as_ref().ok_or("an entry without its hold")?;
        self.begins(hold)?;
        if !step.charges.is_empty() || account.holds.len() >= MAX_HOLDS {
            return Err(format!("{} was placed beside {:?}", hold.id, account.holds));
        }
        let (target, left) = (hold.placed.target.clone(), hold.placed.amount);
        let lines = vec![(target.clone(), -left), (format!("{target}:held"), left)];
        let open = OpenHoldImage { target, left, expires_at: hold.expires_at() };
        let keeps = Some((hold.id.clone(), Some(open)));
        Ok(Moved { documents: BTreeSet::from([hold.id.as_str()]), lines, keeps })
    }

    fn captured<'step>(
        &self,
        step: &'step Step,
        entry: &EntryImage,
        account: &Account,
    ) -> Result<Moved<'step>, String> {
        let (Some(hold), [charge]) = (&step.hold, step.charges.as_slice()) else {
            return Err(format!("entry {} captures nothing", entry.number));
        };
        self.is_made(charge, entry)?;
        let known = self.goes_on(hold)?;
        let open = still_open(account, hold, charge.at)?;
        let Some((_, last)) = charge.made.from.as_ref().filter(|(from, _)| *from == hold.id) else {
            return Err(format!("{charge:?} is captured from {}", hold.id));
        };
        let amount = charge.made.amount;
        let rest = open.left - amount;
        let over = *last || rest == 0;
        let (status, closed_at) = if over { ("captured", Some(charge.at)) } else { ("open", None) };
        let fits = rest >= 0
            && charge.made.target == open.target
            && hold.captured == known.captured + amount
            && hold.placed.amount == known.captured + open.left
            && (hold.status.as_str(), hold.closed_at) == (status, closed_at);
        if !fits {
            return Err(format!("{charge:?} was captured: {known:?} became {hold:?}"));
        }
        let freed = if over { rest } else { 0 };
        let lines = vec![
            (format!("{}:held", open.target), -amount - freed),
            ("external:usage".to_owned(), amount),
            (open.target.clone(), freed),
        ];
        let keeps = (!over).then(|| OpenHoldImage { left: rest, ..open.clone() });
        let documents = BTreeSet::from([charge.id.as_str()]);
        Ok(Moved { documents, lines, keeps: Some((hold.id.clone(), keeps)) })
    }

    fn released<'step>(
        &self,
        step: &'step Step,
        account: &Account,
    ) -> Result<Moved<'step>, String> {
        let hold = step.hold.as_ref().ok_or("an entry without its hold")?;
        let known = self.goes_on(hold)?;
        let at = hold.closed_at.ok_or_else(|| format!("{hold:?} never ended"))?;
        let open = still_open(account, hold, at)?;
        let fits = hold.status == "released" && hold.captured == known.captured;
        if !fits || !self.given_up.contains(&hold.id) || !step.charges.is_empty() {
            return Err(format!("nobody gave up {hold:?}"));
        }
        let lines =
            vec![(format!("{}:held", open.target), -open.left), (open.target.clone(), open.left)];
        let keeps = Some((hold.id.clone(), None));
        Ok(Moved { documents: BTreeSet::from([hold.id.as_str()]), lines, keeps })
    }
}

impl Moved<'_> {
    /// An entry moves this, and is about this.
    fn must_be(
        self,
        entry: &EntryImage,
    ) -> Result<Option<(String, Option<OpenHoldImage>)>, String> {
        let named: Vec<&str> = entry.document.split(' ').collect();
        let once = named.len() == self.documents.len();
        if !once || named.into_iter().collect::<BTreeSet<_>>() != self.documents {
            return Err(format!("{} is for {}", entry.kind, entry.document));
        }
        moves(entry, self.lines)?;
        Ok(self.keeps)
    }
}

impl Step {
    /// Whether it is about money that is used.
    pub(super) fn uses_money(&self) -> bool {
        let entry = self.entry.as_ref().map(|entry| entry.kind.as_str());
        let kind = entry.is_some_and(|kind| kind == "charge" || kind.starts_with("hold_"));
        kind || !self.charges.is_empty() || self.hold.is_some()
    }

    /// When it was decided on, if it tells.
    pub(super) fn used_at(&self) -> Option<u64> {
        let hold = self.hold.as_ref();
        let placed = hold.filter(|hold| hold.version == 1).map(|hold| hold.created_at);
        let charged = self.charges.first().map(|charge| charge.at);
        charged.or(placed).or(hold.and_then(|hold| hold.closed_at))
    }

    /// Whether nothing but an account was put.
    pub(super) fn is_of_account_alone(&self) -> bool {
        !self.has_other_documents() && !self.uses_money() && self.top_ups.is_empty()
    }

    /// Whether anything was put that is not about money that is used.
    fn has_other_documents(&self) -> bool {
        let orders = self.order.is_some() || self.follower.is_some() || self.reference.is_some();
        let payments = self.claim.is_some() || self.pointer.is_some() || !self.taken.is_empty();
        let found = self.finding.is_some() || self.comparison.is_some();
        let others = self.adjustment.is_some() || self.profile.is_some() || self.others > 0;
        orders || payments || found || others
    }
}

impl Model {
    /// Before any other entry of an account, one releases every hold whose time is over.
    pub(super) fn holds_end(&mut self, step: &Step) -> Result<(), String> {
        let moved = step.top_ups.first().map(|(_, entry)| entry);
        let first = step.released.as_ref().or(moved).or(step.entry.as_ref());
        let Some(first) = first else { return Ok(()) };
        let account = self.accounts.get_mut(&first.account).ok_or("an account nobody made")?;
        let last = account.entries.last().map_or(0, |entry| entry.at);
        // An entry is never older than the one before, even if the clock was set back.
        let now = step.used_at().or((first.at > last).then_some(first.at));
        if now.is_some_and(|now| first.at != now.max(last)) {
            return Err(format!("entry {} was made at {now:?}", first.number));
        }
        let over = account.over(now.unwrap_or(first.at));
        let named = step.released.as_ref().map_or("", |released| released.document.as_str());
        let named = named.split(' ').filter(|id| !id.is_empty()).map(str::to_owned);
        let named: Vec<String> = named.collect();
        let fits = if now.is_some() { over == named } else { over.starts_with(&named) };
        if !fits {
            return Err(format!("{over:?} are over, and entry {} names {named:?}", first.number));
        }
        let Some(released) = &step.released else { return Ok(()) };
        let mut lines = Vec::new();
        for id in named {
            let Some(hold) = account.holds.remove(&id) else { continue };
            lines.push((format!("{}:held", hold.target), -hold.left));
            lines.push((hold.target, hold.left));
        }
        moves(released, lines)?;
        // A sweep writes the end of a hold down without any other entry.
        if step.entry.is_some() {
            account.precede(released)?;
            account.is_above_again();
        }
        Ok(())
    }

    /// What holds keep is what entries about holds have set aside, and it is there.
    pub(super) fn holds_keep(&self, id: &str) -> Result<(), String> {
        let account = self.accounts.get(id).ok_or("an account nobody made")?;
        let mut kept: BTreeMap<String, Micros> = BTreeMap::new();
        for hold in account.holds.values() {
            *kept.entry(format!("{}:held", hold.target)).or_default() += hold.left;
        }
        let mut set_aside = account.set_aside.clone();
        set_aside.retain(|_, amount| *amount != 0);
        let there = kept.iter().all(|(place, kept)| account.balance(place) >= *kept);
        match set_aside == kept && there {
            true => Ok(()),
            false => Err(format!("holds of {id} keep {kept:?}, and entries {set_aside:?}")),
        }
    }

    /// A commit of charges or of a hold.
    pub(super) fn use_money(&mut self, step: &Step) -> Result<(), String> {
        if step.has_other_documents() || (step.entry.is_none() && !step.top_ups.is_empty()) {
            return Err(format!("money was used for something else: {step:?}"));
        }
        match (&step.entry, &step.released, &step.account, &step.hold) {
            (Some(entry), _, Some(written), _) => {
                self.top_up(step, entry)?;
                let account = self.accounts.get_mut(&entry.account);
                let account = account.ok_or("an account nobody made")?;
                let usage = &self.usage;
                let moved = match entry.kind.as_str() {
                    "charge" => usage.charged(step, entry)?,
                    "hold_placed" => usage.placed(step, account)?,
                    "hold_captured" => usage.captured(step, entry, account)?,
                    "hold_released" => usage.released(step, account)?,
                    other => return Err(format!("{other} uses money")),
                };
                match moved.must_be(entry)? {
                    Some((id, Some(open))) => drop(account.holds.insert(id, open)),
                    Some((id, None)) => drop(account.holds.remove(&id)),
                    None => {}
                }
                let of_account = step.hold.as_ref().map(|hold| &hold.placed.account);
                if written.id != entry.account || of_account.is_some_and(|of| *of != written.id) {
                    return Err(format!("{} used money of {}", entry.account, written.id));
                }
                account.append(entry, written)?;
            }
            (None, released, written, Some(hold)) if step.charges.is_empty() => {
                self.usage.expires(hold)?;
                let account = self.accounts.get_mut(&hold.placed.account);
                let account = account.ok_or("an account nobody made")?;
                match (released, written) {
                    (Some(released), Some(written)) if written.id == released.account => {
                        account.append(released, written)?;
                    }
                    (None, None) => {}
                    _ => return Err("an account and its entry belong together".to_owned()),
                }
                if account.holds.contains_key(&hold.id) {
                    return Err(format!("{} expired, and its money is still kept", hold.id));
                }
            }
            _ => return Err(format!("this is no use of money: {step:?}")),
        }
        let charges = step.charges.iter().map(|charge| (charge.id.clone(), charge.clone()));
        self.usage.charges.extend(charges);
        if let Some(hold) = &step.hold {
            self.usage.holds.entry(hold.id.clone()).or_default().push(hold.clone());
        }
        Ok(())
    }

    /// In the end every hold has ended, and no account carries one.
    ///
    /// # Errors
    /// What still keeps money.
    pub fn every_hold_has_ended(&self) -> Result<(), String> {
        let newest = self.usage.holds.values().filter_map(|states| states.last());
        if let Some(open) = newest.into_iter().find(|hold| hold.status == "open") {
            return Err(format!("{open:?} is left open"));
        }
        match self.accounts.iter().find(|(_, account)| !account.holds.is_empty()) {
            Some((id, account)) => Err(format!("{id} still carries {:?}", account.holds)),
            None => Ok(()),
        }
    }
}

impl Account {
    /// The holds whose time is over at a moment, the first one first.
    fn over(&self, now: u64) -> Vec<String> {
        let over = self.holds.iter().filter(|(_, hold)| hold.expires_at <= now);
        let over: BTreeSet<_> = over.map(|(id, hold)| (hold.expires_at, id.clone())).collect();
        over.into_iter().map(|(_, id)| id).collect()
    }
}

/// What a hold keeps at a moment, if its account carries it.
fn still_open<'account>(
    account: &'account Account,
    hold: &HoldImage,
    now: u64,
) -> Result<&'account OpenHoldImage, String> {
    let open = account.holds.get(&hold.id).filter(|open| now < open.expires_at);
    open.ok_or_else(|| format!("{} keeps nothing, and became {hold:?}", hold.id))
}

/// An entry moves exactly this, in dollars.
pub(super) fn moves(entry: &EntryImage, lines: Vec<(String, Micros)>) -> Result<(), String> {
    let mut expected: BTreeMap<(String, String), Micros> = BTreeMap::new();
    for (place, amount) in lines {
        *expected.entry((place, "USD".to_owned())).or_default() += amount;
    }
    expected.retain(|_, amount| *amount != 0);
    match entry.lines.len() == expected.len() && entry.lines_by_name() == expected {
        true => Ok(()),
        false => Err(format!("{} moved {:?}, not {expected:?}", entry.kind, entry.lines)),
    }
}
