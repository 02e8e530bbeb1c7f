//! How customers use money in a history: charges, batches of them, and holds, also around the moment
//! at which a hold is over.

use std::time::Duration;

use super::actors::{Act, Use};
use super::history::{AT_ONCE, Run};
use super::micros::{self, Micros};
use super::thresholds::WantedThresholds;

/// The shortest time of a hold, in seconds.
const SHORTEST: u64 = 60;
/// Most milliseconds that pass until a hold is raced for.
const SOON: u64 = 3_600_000;

impl Run {
    /// Money of a product is used or set aside; sometimes two ask for the same at once.
    pub(super) async fn somebody_uses_money(&mut self, choice: usize) {
        let act = match self.random.u32(0..100) {
            0..27 => self.charge(),
            27..38 => self.batch(),
            38..58 => self.hold(),
            58..78 => self.capture(choice),
            78..86 => Use::Release(choice),
            86..90 => self.thresholds(),
            90..95 => Use::Again(choice),
            _ => return self.race_for_hold().await,
        };
        if self.random.u32(0..10) == 0 {
            self.act(Act::Use(act.clone())).await;
        }
        self.act(Act::Use(act)).await;
    }

    /// Captures, releases, charges and sweeps while the time of a hold runs out.
    async fn race_for_hold(&mut self) {
        self.settle().await;
        let Some((choice, ends_in)) = self.actors.hold_that_ends_within(SOON) else {
            let Use::Hold { customer, target, amount, key, .. } = self.hold() else { return };
            let time = SHORTEST;
            return self.act(Act::Use(Use::Hold { customer, target, amount, time, key })).await;
        };
        let clock = self.actors.deployment.clock.clone();
        let early = self.random.u64(0..80).min(ends_in);
        clock.advance(Duration::from_millis(ends_in - early));
        self.actors.deployment.network.cloud().provider.expire_overdue();
        for _ in 0..self.random.usize(4..AT_ONCE) {
            let act = match self.random.u32(0..10) {
                0..5 => Act::Use(self.capture(choice)),
                // Often another hold of the same account, which closes this one on its way.
                5 => {
                    let other = self.random.usize(..);
                    Act::Use(self.capture(other))
                }
                6 => Act::Use(Use::Release(choice)),
                7 => Act::Use(self.charge()),
                8 => Act::Balances(choice),
                _ => Act::Sweep,
            };
            self.act(act).await;
            clock.advance(Duration::from_millis(self.random.u64(0..20)));
        }
    }

    fn charge(&mut self) -> Use {
        let customer = self.customer();
        let (target, key) = (self.spent_product(customer), self.use_key());
        let amount = self.spent_amount(customer, &target);
        Use::Charge { customer, target, amount, key }
    }

    /// Thresholds around what balances mostly are; sometimes none.
    fn thresholds(&mut self) -> Use {
        let customer = self.customer();
        let target = if self.random.u32(0..5) == 0 { "wallet".to_owned() } else { self.product() };
        let mut cents = |most: u64| micros::from_cents(self.random.u64(1..most));
        let (alert, below, size, cap) = (cents(6_000), cents(3_000), cents(9_000), cents(40_000));
        let mut wanted = WantedThresholds::default();
        let what = self.random.u32(0..16);
        if what.is_multiple_of(2) || target == "wallet" {
            wanted.alert_below = Some(alert);
        }
        if (4..16).contains(&what) && target != "wallet" {
            wanted.top_up_below = Some(below);
            match what % 3 {
                0 => wanted.top_up_to = Some(below + size),
                // The catalogue lets no less be moved.
                _ => wanted.top_up_amount = Some(size.max(micros::from_cents(100))),
            }
            if what > 9 {
                wanted.monthly_cap = Some(cap.max(wanted.top_up_amount.unwrap_or_default()));
            }
        }
        Use::Thresholds { customer, target, wanted }
    }

    fn batch(&mut self) -> Use {
        let customer = self.customer();
        let mut charges = Vec::new();
        for position in 0..self.random.usize(1..7) {
            let target = self.spent_product(customer);
            let key = match self.random.u32(0..4) {
                0 => self.use_key(),
                _ => format!("use-{}-{position}", self.done),
            };
            let amount = self.spent_amount(customer, &target);
            charges.push((key, target, amount));
        }
        Use::Batch { customer, charges }
    }

    fn hold(&mut self) -> Use {
        let customer = self.customer();
        let (target, key) = (self.spent_product(customer), self.use_key());
        let amount = self.spent_amount(customer, &target);
        let time = match self.random.u32(0..3) {
            0 => SHORTEST,
            1 => self.random.u64(SHORTEST..900),
            _ => self.random.u64(SHORTEST..3 * 86_400),
        };
        Use::Hold { customer, target, amount, time, key }
    }

    fn capture(&mut self, choice: usize) -> Use {
        let percent = match self.random.u32(0..8) {
            0 => 100,
            1 => 101,
            _ => self.random.u8(0..50),
        };
        let (last, key) = (self.random.u32(0..6) == 0, self.use_key());
        Use::Capture { choice, percent, last, key }
    }

    /// Mostly a product in which there is money.
    fn spent_product(&mut self, customer: usize) -> String {
        let mut product = self.product();
        for _ in 0..3 {
            if self.actors.balance(customer, &product) == 0 {
                product = self.product();
            }
        }
        product
    }

    /// Sometimes all there is, or a millionth more.
    fn spent_amount(&mut self, customer: usize, product: &str) -> Micros {
        let there = self.actors.balance(customer, product);
        match self.random.u32(0..12) {
            0 if there > 0 => there,
            1 => there + 1,
            2 => micros::from_cents(self.random.u64(1..3_000)),
            _ => Micros::from(self.random.u32(1..4_000_000)),
        }
    }

    /// Mostly a new key; sometimes one that may have been used before, for the same or for something
    /// else.
    fn use_key(&mut self) -> String {
        match self.random.u32(0..8) {
            0 => format!("use-{}", self.random.u64(0..8)),
            _ => format!("use-{}", self.done + 8),
        }
    }
}
