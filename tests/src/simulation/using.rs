//! Customers who use money, set it aside, and capture or give up what they set aside.

use serde_json::{Value, json};

use super::actors::{Actors, recent, within};
use super::bank::derived;
use super::micros::{self, Micros};
use super::thresholds::WantedThresholds;
use super::usage_answers::{self as answers, Told};
use super::usage_images::{WantedCharge, WantedHold};
use crate::Answer;

/// Holds are captured and given up of so many of the newest.
const LATELY: usize = 12;

/// One thing that a customer does with money of a product.
#[derive(Debug, Clone)]
pub enum Use {
    /// One charge.
    Charge {
        /// Which customer.
        customer: usize,
        /// `product:<code>`.
        target: String,
        /// How much.
        amount: Micros,
        /// The idempotency key.
        key: String,
    },
    /// Many charges in one request.
    Batch {
        /// Which customer.
        customer: usize,
        /// Key, `product:<code>` and amount of each.
        charges: Vec<(String, String, Micros)>,
    },
    /// Money is set aside.
    Hold {
        /// Which customer.
        customer: usize,
        /// `product:<code>`.
        target: String,
        /// How much.
        amount: Micros,
        /// For so many seconds.
        time: u64,
        /// The idempotency key.
        key: String,
    },
    /// A part of a hold is charged.
    Capture {
        /// Which hold.
        choice: usize,
        /// So many parts of a hundred of what it keeps.
        percent: u8,
        /// Whether it is the last one of it.
        last: bool,
        /// The idempotency key.
        key: String,
    },
    /// A hold is given up.
    Release(usize),
    /// What is to happen when a balance runs low is set.
    Thresholds {
        /// Which customer.
        customer: usize,
        /// `wallet` or `product:<code>`.
        target: String,
        /// What is to happen.
        wanted: WantedThresholds,
    },
    /// An earlier request is sent again.
    Again(usize),
}

/// What a customer asked for, kept to be asked for again.
#[derive(Debug, Clone)]
pub(super) struct Used {
    customer: usize,
    key: String,
    asked: Asked,
    /// Whether it was answered for good.
    pub(super) answered: bool,
}

#[derive(Debug, Clone)]
enum Asked {
    Charge(String, WantedCharge),
    /// Key, id and what is wanted, of each.
    Batch(Vec<(String, String, WantedCharge)>),
    Hold(String, WantedHold),
    Capture(String, String, WantedCharge),
    Release(String),
    /// Account, balance and what is to happen.
    Thresholds(String, String, WantedThresholds),
}

impl Use {
    /// What it is.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Charge { .. } => "charge",
            Self::Batch { .. } => "batch",
            Self::Hold { .. } => "hold",
            Self::Capture { .. } => "capture",
            Self::Release(_) => "release",
            Self::Thresholds { .. } => "thresholds",
            Self::Again(_) => "use again",
        }
    }
}

impl Actors {
    pub(super) async fn use_money(&self, act: &Use, calm: bool) -> Option<Answer> {
        let index = match act {
            Use::Again(choice) => recent(*choice, self.books().used.len(), calm)?,
            act => {
                let used = self.to_be_used(act)?;
                self.say_used(&used.asked);
                self.books().used.push(used);
                self.books().used.len() - 1
            }
        };
        self.ask_to_use(index, calm).await
    }

    /// What a customer is about to ask for.
    fn to_be_used(&self, act: &Use) -> Option<Used> {
        let account = |customer: usize| self.deployment.customers[customer].account.clone();
        let charge = |customer: usize, key: &str, target: &str, amount: Micros| {
            let account = account(customer);
            let id = derived("chg_", &[&account, "charge", key]);
            (id, WantedCharge { account, target: target.to_owned(), amount, from: None })
        };
        let (customer, key, asked) = match act {
            Use::Charge { customer, target, amount, key } => {
                let (id, wanted) = charge(*customer, key, target, *amount);
                (*customer, key.clone(), Asked::Charge(id, wanted))
            }
            Use::Batch { customer, charges } => {
                let each = charges.iter().map(|(key, target, amount)| {
                    let (id, wanted) = charge(*customer, key, target, *amount);
                    (key.clone(), id, wanted)
                });
                (*customer, "none".to_owned(), Asked::Batch(each.collect()))
            }
            Use::Hold { customer, target, amount, time, key } => {
                let account = account(*customer);
                let id = derived("hold_", &[&account, "hold", key]);
                let (target, time) = (target.clone(), time * 1_000);
                let wanted = WantedHold { account, target, amount: *amount, time };
                (*customer, key.clone(), Asked::Hold(id, wanted))
            }
            Use::Capture { choice, percent, last, key } => {
                let (customer, hold, wanted) = self.recent_hold(*choice)?;
                let left = {
                    let cloud = self.deployment.network.cloud();
                    let known = cloud.model.usage.hold(&hold);
                    known.map_or(wanted.amount, |known| known.placed.amount - known.captured)
                };
                let WantedHold { account, target, .. } = wanted;
                let id = derived("chg_", &[&account, "capture", key]);
                let amount = (left * Micros::from(*percent) / 100).max(1);
                let from = Some((hold.clone(), *last));
                let wanted = WantedCharge { account, target, amount, from };
                (customer, key.clone(), Asked::Capture(hold, id, wanted))
            }
            Use::Release(choice) => {
                let (customer, hold, _) = self.recent_hold(*choice)?;
                (customer, "none".to_owned(), Asked::Release(hold))
            }
            Use::Thresholds { customer, target, wanted } => {
                let asked = (account(*customer), target.clone(), wanted.clone());
                (*customer, "none".to_owned(), Asked::Thresholds(asked.0, asked.1, asked.2))
            }
            Use::Again(_) => return None,
        };
        Some(Used { customer, key, asked, answered: false })
    }

    /// A hold that was asked for lately and is open; now and then any other one.
    fn recent_hold(&self, choice: usize) -> Option<(usize, String, WantedHold)> {
        let books = self.books();
        let cloud = self.deployment.network.cloud();
        let holds = books.used.iter().rev().filter_map(|used| match &used.asked {
            Asked::Hold(id, wanted) => Some((used.customer, id.clone(), wanted.clone())),
            _ => None,
        });
        let open = |id: &str| cloud.model.usage.hold(id).is_some_and(|hold| hold.status == "open");
        let fits = holds.filter(|(_, id, _)| choice.is_multiple_of(5) || open(id));
        let lately: Vec<_> = fits.take(LATELY).collect();
        lately.get(choice / 5 % lately.len().max(1)).cloned()
    }

    /// An open hold that ends within so many milliseconds, and in how many.
    pub(super) fn hold_that_ends_within(&self, most: u64) -> Option<(usize, u64)> {
        (1..=LATELY).map(|position| position * 5 + 1).find_map(|choice| {
            let (_, id, _) = self.recent_hold(choice)?;
            let cloud = self.deployment.network.cloud();
            let ends_at = cloud.model.usage.hold(&id)?.expires_at();
            let ends_in = ends_at.checked_sub(cloud.provider.now_millis())?;
            (ends_in <= most).then_some((choice, ends_in))
        })
    }

    /// Writes down what a customer is about to say.
    fn say_used(&self, asked: &Asked) {
        let usage = &mut self.deployment.network.cloud().model.usage;
        let mut charge = |id: &String, wanted: &WantedCharge| {
            usage.wanted_charges.entry(id.clone()).or_default().push(wanted.clone());
        };
        match asked {
            Asked::Charge(id, wanted) | Asked::Capture(_, id, wanted) => charge(id, wanted),
            Asked::Batch(charges) => {
                charges.iter().for_each(|(_, id, wanted)| charge(id, wanted));
            }
            Asked::Hold(id, wanted) => {
                usage.wanted_holds.entry(id.clone()).or_default().push(wanted.clone());
            }
            Asked::Release(id) => drop(usage.given_up.insert(id.clone())),
            Asked::Thresholds(account, target, wanted) => {
                let said = (account.clone(), target.clone(), wanted.clone());
                usage.wanted_thresholds.insert(said);
            }
        }
    }

    async fn ask_to_use(&self, index: usize, calm: bool) -> Option<Answer> {
        let Used { customer, key, asked, .. } = self.books().used[index].clone();
        let customer = &self.deployment.customers[customer];
        let (path, body) = asked.request();
        let before = |id: &str| self.before(&customer.account, id);
        let befores: Vec<_> = asked.ids().into_iter().map(before).collect();
        let answer = match &asked {
            Asked::Thresholds(..) => self.deployment.put(customer, &path, &body).await,
            _ => self.deployment.post(customer, &path, &key, &body.to_string()).await,
        };
        let mut cloud = self.deployment.network.cloud();
        let mut answered = answer.status < 500;
        let keyless = matches!(asked, Asked::Batch(_) | Asked::Release(_) | Asked::Thresholds(..));
        let keyed = !keyless;
        let told = Told::of(&answer, keyed);
        let checked = told.and_then(|told| match &asked {
            Asked::Charge(id, wanted) => {
                answers::charged(&mut cloud, &befores[0], (id, wanted), &[], &told)
            }
            Asked::Hold(id, wanted) => {
                answers::placed(&mut cloud, &befores[0], (id, wanted), &told)
            }
            Asked::Capture(_, id, wanted) => {
                let before = (&befores[0], &befores[1]);
                answers::captured(&mut cloud, before, (id, wanted), &told)
            }
            Asked::Release(id) => answers::released(&cloud, &befores[0], id, &told),
            Asked::Thresholds(_, target, wanted) => {
                answers::set(&cloud, &befores[0], (target, wanted), &told)
            }
            Asked::Batch(charges) => {
                let each = told.shown["data"].as_array().cloned().unwrap_or_default();
                if answered && each.len() != charges.len() {
                    return Err(format!("{} outcomes: {}", each.len(), told.shown));
                }
                let mut sooner = Vec::new();
                for (((_, id, wanted), before), one) in charges.iter().zip(&befores).zip(&each) {
                    let status = one["status"].as_u64().unwrap_or_default();
                    let made = [200, 201].contains(&status);
                    let shown = if made { &one["charge"] } else { &one["problem"] };
                    let told = Told { status, shown: shown.clone() };
                    cloud.saw(format!("one of a batch: {status} {}", told.code()).trim_end());
                    match (status, told.code()) {
                        (503, "unavailable") if !calm => answered = false,
                        _ => answers::charged(&mut cloud, before, (id, wanted), &sooner, &told)?,
                    }
                    sooner.push((id, wanted));
                }
                Ok(())
            }
        });
        cloud.must(within(calm, &answer, checked, &format!("{path} {body} with {key}")));
        drop(cloud);
        if answered {
            self.books().used[index].answered = true;
        }
        Some(answer)
    }
}

impl Asked {
    /// What may be there before, or is made.
    fn ids(&self) -> Vec<&str> {
        match self {
            Self::Charge(id, _) | Self::Hold(id, _) | Self::Release(id) => vec![id],
            Self::Capture(hold, id, _) => vec![id, hold],
            Self::Batch(charges) => charges.iter().map(|(_, id, _)| id.as_str()).collect(),
            Self::Thresholds(..) => vec![""],
        }
    }

    /// Path and body.
    fn request(&self) -> (String, Value) {
        let product = |target: &str| target.trim_start_matches("product:").to_owned();
        match self {
            Self::Charge(_, WantedCharge { target, amount, .. }) => {
                let body = json!({"product": product(target), "amount": micros::normal(*amount)});
                ("/v1/charges".to_owned(), body)
            }
            Self::Batch(charges) => {
                let each = charges.iter().map(|(key, _, WantedCharge { target, amount, .. })| {
                    let (product, amount) = (product(target), micros::normal(*amount));
                    json!({"key": key, "product": product, "amount": amount})
                });
                let each: Vec<_> = each.collect();
                ("/v1/charges/batch".to_owned(), json!({"charges": each}))
            }
            Self::Hold(_, WantedHold { target, amount, time, .. }) => {
                let (product, amount) = (product(target), micros::normal(*amount));
                let time = time / 1_000;
                let body = json!({"product": product, "amount": amount, "expires_in": time});
                ("/v1/holds".to_owned(), body)
            }
            Self::Capture(hold, _, WantedCharge { amount, from, .. }) => {
                let last = from.as_ref().is_some_and(|(_, last)| *last);
                let body = json!({"amount": micros::normal(*amount), "final": last});
                (format!("/v1/holds/{hold}/capture"), body)
            }
            Self::Release(hold) => (format!("/v1/holds/{hold}/release"), json!({})),
            Self::Thresholds(_, target, wanted) => {
                let path = match target.strip_prefix("product:") {
                    Some(product) => format!("/v1/products/{product}/thresholds"),
                    None => "/v1/wallet/thresholds".to_owned(),
                };
                (path, wanted.body())
            }
        }
    }
}
