//! A history: what customers, payers, the provider, the queue and the weather do, drawn from a seed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use service::verification::Verified;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::actors::{Act, Actors, Arrival, Patience, Share};
use super::bank::Received;
use super::deployment::Deployment;
use super::engine::Engine;
use super::going_back::Standing;
use super::micros::Micros;
use super::network::{EVERYTHING, Weather};
use super::provider::{Money, SessionStatus};
use super::queue::VISIBILITY;

/// What is to be simulated.
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// How many requests, webhooks and queue batches.
    pub operations: u64,
    /// What is behind the table's wire.
    pub engine: Engine,
    /// Whether to keep every line of the history.
    pub keep_history: bool,
}

/// What happened in a history in which nothing was wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What everything that happened adds up to.
    pub fingerprint: String,
    /// Requests, webhooks and queue batches.
    pub operations: u64,
    /// Transactions that took effect, each audited.
    pub commits: u64,
    /// Payments that were credited.
    pub credited: usize,
    /// Discrepancies that were stored.
    pub findings: usize,
    /// Everything that happened, and how often.
    pub seen: BTreeMap<String, u64>,
    /// Every line of the history, if it was to be kept.
    pub lines: Vec<String>,
}

impl Outcome {
    /// The sums of two outcomes; the fingerprint is gone.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut seen = self.seen.clone();
        for (what, count) in &other.seen {
            *seen.entry(what.clone()).or_default() += count;
        }
        Self {
            operations: self.operations + other.operations,
            commits: self.commits + other.commits,
            credited: self.credited + other.credited,
            findings: self.findings + other.findings,
            seen,
            ..Self::default()
        }
    }

    /// Requests on the wires that went wrong.
    #[must_use]
    pub fn faults(&self) -> u64 {
        let faults = self.seen.iter().filter(|(what, _)| what.starts_with("fault:"));
        faults.fold(0, |sum, (_, count)| sum + count)
    }
}

/// Something that must not be, and when.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// At which operation.
    pub operation: u64,
    /// What.
    pub violation: String,
    /// Every line of the history, if it was to be kept.
    pub lines: Vec<String>,
}

/// Operations under way at a time, at most.
pub(super) const AT_ONCE: usize = 12;
/// Rounds of trying again after everything was healed, at most.
const ROUNDS: usize = 100;
/// Milder weather lasts for so many operations.
const MILD_OPERATIONS: u64 = 60;
/// Longer than anything that is still under way.
const SETTLE: Duration = Duration::from_secs(60);

/// One simulation as it runs.
pub(super) struct Run {
    pub(super) actors: Arc<Actors>,
    pub(super) random: fastrand::Rng,
    weather: Weather,
    under_way: JoinSet<()>,
    pub(super) done: u64,
    /// Until which operation the weather is milder.
    mild_until: u64,
}

/// Simulates a history on this thread: first anything may fail and nothing may be wrong, then
/// nothing fails and everything must come to its end. `progress` hears the operations done.
///
/// # Errors
/// The first thing that must not be.
///
/// # Panics
/// If this machine cannot run it.
pub fn simulate(plan: &Plan, progress: &mut dyn FnMut(u64)) -> Result<Outcome, Box<Failure>> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    // The SDK draws its jitter from here.
    fastrand::seed(plan.seed);
    runtime.block_on(async {
        let mut random = fastrand::Rng::with_seed(plan.seed);
        let accounts = random.usize(1..=5);
        let deployment = Deployment::start(&mut random, plan.engine.clone(), accounts).await;
        if plan.keep_history {
            deployment.network.cloud().keep_history();
        }
        let weather = Weather::of(&mut random);
        deployment.network.set_weather(weather);
        deployment.network.cloud().queue.max_receives = random.u32(1..=10);
        let actors = Arc::new(Actors::new(deployment));
        let (under_way, done, mild_until) = (JoinSet::new(), 0, 0);
        let mut run = Run { actors, random, weather, under_way, done, mild_until };
        let ran = run.run(plan.operations, progress).await;
        let mut cloud = run.actors.deployment.network.cloud();
        let lines = cloud.take_history();
        ran.map_err(|violation| {
            Box::new(Failure {
                seed: plan.seed,
                operation: run.done,
                violation,
                lines: lines.clone(),
            })
        })?;
        Ok(Outcome {
            fingerprint: cloud.fingerprint(),
            operations: run.done,
            commits: cloud.commits,
            credited: cloud.model.credited.len(),
            findings: cloud.model.findings.len(),
            seen: cloud.seen.clone(),
            lines,
        })
    })
}

impl Run {
    async fn run(&mut self, operations: u64, progress: &mut dyn FnMut(u64)) -> Result<(), String> {
        while self.done < operations {
            self.something_happens().await;
            self.nothing_is_wrong()?;
            if self.done >= self.mild_until {
                self.actors.deployment.network.set_weather(self.weather);
            }
            if self.done.is_multiple_of(256) {
                progress(self.done);
            }
        }
        self.settle().await;
        self.nothing_is_wrong()?;
        self.actors.deployment.network.cloud().audit_everything()?;
        self.actors.deployment.network.heal();
        if self.random.bool() {
            // Clients come back so late that no page of theirs can be open any more.
            self.a_day_passes();
        }
        self.converge().await?;
        // What was told needs no sweep.
        self.actors
            .deployment
            .network
            .cloud()
            .model
            .payments_are_settled(|model, payment| model.untold.contains(payment))?;
        if self.random.u32(0..3) == 0 {
            self.comparing_needs_no_sweep().await?;
        }
        self.everything_ends().await;
        self.converge().await?;
        self.refunds_end().await;
        self.converge().await?;
        self.everything_is_compared().await?;
        {
            let mut cloud = self.actors.deployment.network.cloud();
            cloud.audit_everything()?;
            cloud.model.everything_is_settled()?;
            cloud.model.every_hold_has_ended()?;
            cloud.model.everything_went_back(&cloud.provider.back)?;
            cloud.only_poison_is_dead()?;
        }
        self.everything_is_verified().await
    }

    /// The product itself comes to the same result as the auditor.
    async fn everything_is_verified(&self) -> Result<(), String> {
        let verified = self.actors.deployment.verify().await;
        match verified {
            Some(Verified { broken: 0, left: 0, complete: true, .. }) => Ok(()),
            other => Err(format!("not everything could be verified: {other:?}")),
        }
    }

    pub(super) fn nothing_is_wrong(&self) -> Result<(), String> {
        match &self.actors.deployment.network.cloud().broken {
            Some(violation) => Err(violation.clone()),
            None => Ok(()),
        }
    }

    /// One step of the safety phase.
    async fn something_happens(&mut self) {
        let choice = self.random.usize(..);
        match self.random.u32(0..1_000) {
            0..108 => self.order().await,
            108..154 => self.order_offline().await,
            154..266 => self.transfer().await,
            266..306 => self.act(Act::Repeat(choice)).await,
            306..321 => self.at_the_desk_for_findings(choice).await,
            321..408 => self.at_the_desk(choice).await,
            408..466 => self.at_the_desk_for_refunds(choice).await,
            466..494 => self.act(Act::Cancel(choice)).await,
            494..534 => self.act(Act::Balances(choice)).await,
            534..559 => self.act(Act::LookUp(choice)).await,
            559..574 => self.act(Act::List(choice)).await,
            574..589 => self.act(Act::Journal(choice)).await,
            589..664 => self.somebody_uses_money(choice).await,
            664..757 => self.somebody_pays(),
            757..821 => self.money_goes_back(),
            821..921 => self.act(Act::Deliver(choice)).await,
            921..965 => self.act(Act::Feed).await,
            965..972 => self.act(Act::Forge(choice)).await,
            972..974 => self.something_is_compared().await,
            974..980 => {
                self.actors.deployment.network.cloud().something_strange(self.random.u32(..))
            }
            980..986 => self.outage(),
            986..997 => self.race().await,
            _ => self.time_jumps().await,
        }
        sleep(Duration::from_millis(self.random.u64(0..6))).await;
        self.actors.deployment.clock.advance(Duration::from_millis(self.random.u64(0..40)));
    }

    /// Starts an operation; one in fifty is killed on its way.
    pub(super) async fn act(&mut self, act: Act) {
        while self.under_way.len() >= AT_ONCE {
            drop(self.under_way.join_next().await);
        }
        while self.under_way.try_join_next().is_some() {}
        self.done += 1;
        let lives = if matches!(act, Act::Compare { .. }) { 2_000 } else { 40 };
        let patience = match self.random.u32(0..50) {
            0 => Patience::Killed(Duration::from_millis(self.random.u64(0..lives))),
            _ => Patience::Endless,
        };
        let (actors, number) = (Arc::clone(&self.actors), self.done);
        self.under_way.spawn(async move { actors.act(number, act, patience).await });
    }

    async fn order(&mut self) {
        let customer = self.customer();
        let target = self.target();
        let cents = match self.random.u32(0..20) {
            // Outside of the limits of the catalogue.
            0 => self.random.u64(1..1_000),
            1 => 1_000_001,
            _ => self.random.u64(10..400) * 100,
        };
        let amount = super::micros::from_cents(cents);
        let key = self.key(customer);
        self.act(Act::Order { customer, target, amount, key }).await;
    }

    async fn order_offline(&mut self) {
        let customer = self.customer();
        let target = self.target();
        let currency = if self.random.bool() { "USD" } else { "CNY" }.to_owned();
        let cents = match self.random.u32(0..20) {
            // Below the limits of the catalogue.
            0 => self.random.u64(100..10_000),
            1 => self.random.u64(10_000..60_000),
            _ => self.random.u64(50_000..900_000),
        };
        let (payable, key) = (super::micros::from_cents(cents), self.key(customer));
        self.act(Act::OrderOffline { customer, target, payable, currency, key }).await;
    }

    /// Something that is reported, or done by an operator.
    async fn at_the_desk(&mut self, choice: usize) {
        let number = self.done;
        // Mostly new; sometimes one that was used before, for this order or for another.
        let mut name = |what: &str| match self.random.u32(0..4) {
            0 => format!("{what} {}", self.random.u64(0..20)),
            _ => format!("{what} {number}"),
        };
        let (reference, key) = (name("bank"), name("desk").replace(' ', "-"));
        let act = match self.random.u32(0..100) {
            0..18 => Act::Report(choice),
            18..28 => Act::Upload(choice),
            28..60 => {
                let arrival = match self.random.u32(0..10) {
                    0 => Arrival::Half,
                    1 => Arrival::HalfConfirmed,
                    2 => Arrival::OtherCurrency,
                    3 => Arrival::Short,
                    _ => Arrival::Exactly,
                };
                Act::Accept { choice, arrival, reference, key }
            }
            60..68 => Act::AcceptAgain(choice),
            68..80 => {
                let reason = if self.random.bool() { "not found" } else { "wrong account" };
                Act::Reject { choice, reason: reason.to_owned() }
            }
            80..88 => {
                let (customer, target) = (self.customer(), self.target());
                let currency = if self.random.bool() { "USD" } else { "CNY" }.to_owned();
                let amount = super::micros::from_cents(self.random.u64(1_000..90_000));
                let found = Received { amount, currency, reference, confirmed: false };
                Act::Book { customer, target, found, key }
            }
            88..92 => Act::Sweep,
            92..96 => Act::Import { choice, number },
            _ => Act::AcceptStatement(choice),
        };
        if self.random.u32(0..12) == 0 {
            // Two operators at once.
            self.act(act.clone()).await;
        }
        self.act(act).await;
    }

    /// Something that an operator gives back, corrects or looks into.
    async fn at_the_desk_for_refunds(&mut self, choice: usize) {
        let number = self.done;
        let key = match self.random.u32(0..10) {
            0 => format!("back-{}", self.random.u64(0..=number)),
            _ => format!("back-{number}"),
        };
        let act = match self.random.u32(0..100) {
            0..45 => {
                let share = match self.random.u32(0..10) {
                    0..3 => Share::Rest,
                    3 => Share::TooMuch,
                    _ => Share::Part(self.random.u8(0..100)),
                };
                let reference = format!("out {}", self.random.u64(0..=number));
                Act::Refund { choice, share, reference, key }
            }
            45..60 => Act::RefundAgain(choice),
            60..78 => {
                let (customer, balance) = (self.customer(), self.target());
                let amount = super::micros::from_cents(self.random.u64(1..9_000));
                let there = self.whole_cents(customer, &balance);
                let amount = match self.random.u32(0..8) {
                    0..3 => amount,
                    3 if there > 0 => -there,
                    4 => -there - amount,
                    _ => -amount,
                };
                Act::Adjust { customer, balance, amount, key }
            }
            78..86 => Act::AdjustAgain(choice),
            _ => Act::Resolve(choice),
        };
        if self.random.u32(0..8) == 0 {
            // Two operators at once.
            self.act(act.clone()).await;
        }
        self.act(act).await;
    }

    /// Somebody finds a place for a payment that has none; sometimes two do, and not the same.
    async fn at_the_desk_for_findings(&mut self, choice: usize) {
        let (customer, balance) = (self.customer(), self.target());
        let credit = Act::CreditFinding { choice, customer, balance };
        let acts = match self.random.u32(0..10) {
            0..4 => vec![credit],
            4..6 => vec![Act::GiveBack(choice)],
            6 => vec![credit.clone(), credit],
            7 => vec![credit, Act::GiveBack(choice)],
            8 => vec![Act::GiveBack(choice), Act::GiveBack(choice), credit],
            _ => vec![Act::DecideAgain(choice)],
        };
        for act in acts {
            self.act(act).await;
        }
    }

    /// Some hours of today or of an earlier day are compared while everything goes on.
    async fn something_is_compared(&mut self) {
        // A day costs so many requests that in the worst weather hardly an hour of it is ever compared.
        if self.random.u32(0..4) > 0 {
            self.actors.deployment.network.set_weather(self.weather.milder());
            self.mild_until = self.done + MILD_OPERATIONS;
        }
        let today = self.today();
        let day = if self.random.u32(0..3) == 0 { today - 1 } else { today };
        let time = Duration::from_millis(self.random.u64(0..3_000));
        let act = Act::Compare { day: Some(day), time };
        if self.random.u32(0..4) == 0 {
            self.act(act.clone()).await;
        }
        self.act(act).await;
    }

    async fn transfer(&mut self) {
        let customer = self.customer();
        let (target, amount, key) =
            (self.product(), self.transfer_amount(customer), self.key(customer));
        self.act(Act::Transfer { customer, target, amount, key }).await;
    }

    /// Many transfers of one account at one moment: the first one takes all there is, twice.
    async fn race(&mut self) {
        let customer = self.customer();
        let all = self.whole_cents(customer, "wallet");
        for position in 0..self.random.usize(4..AT_ONCE) {
            let (target, key) = (self.product(), self.key(customer));
            let amount = match position == 0 && all > 0 {
                true => all,
                false => self.transfer_amount(customer),
            };
            let act = Act::Transfer { customer, target, amount, key };
            if position == 0 || self.random.bool() {
                self.act(act.clone()).await;
            }
            self.act(act).await;
        }
    }

    pub(super) fn customer(&mut self) -> usize {
        let count = self.actors.deployment.customers.len();
        // The first one is busier than the others.
        if self.random.bool() { 0 } else { self.random.usize(0..count) }
    }

    pub(super) fn product(&mut self) -> String {
        let products = ["product:whatsapp", "product:sms", "product:voice"];
        products[self.random.usize(0..products.len())].to_owned()
    }

    fn target(&mut self) -> String {
        if self.random.u32(0..3) > 0 { "wallet".to_owned() } else { self.product() }
    }

    /// What a customer has, without parts of a cent: what pays a debt for a use can leave some.
    fn whole_cents(&self, customer: usize, place: &str) -> Micros {
        let there = self.actors.balance(customer, place);
        there - there % super::micros::from_cents(1)
    }

    /// Often the whole wallet, sometimes a little more.
    fn transfer_amount(&mut self, customer: usize) -> Micros {
        let wallet = self.whole_cents(customer, "wallet");
        match self.random.u32(0..6) {
            0 if wallet > 0 => wallet,
            1 => wallet + super::micros::from_cents(1),
            _ => super::micros::from_cents(self.random.u64(50..4_000)),
        }
    }

    /// Mostly a new key; sometimes one that was used before, for the same or for something else.
    fn key(&mut self, customer: usize) -> String {
        let number = match self.random.u32(0..25) {
            0 => self.random.u64(0..=self.done),
            _ => self.done,
        };
        format!("key-{customer}-{number}")
    }

    /// A payer does something on a page; what that leads to is told later.
    fn somebody_pays(&mut self) {
        let mut cloud = self.actors.deployment.network.cloud();
        let Some(index) = pick(&mut self.random, cloud.provider.sessions.len()) else { return };
        let session = cloud.provider.sessions[index].clone();
        let exactly = Money { cents: session.cents, currency: "usd" };
        let mut line = format!("payer {} {:?}", session.id, session.status);
        let paid = match (session.status, self.random.u32(0..100)) {
            (SessionStatus::Open, 0..12) if cloud.model.awaits(&session.order, &session.id) => {
                cloud.saw("a payment that nobody tells");
                let payment = cloud.provider.pay_untold(index, &exactly);
                cloud.model.untold.insert(payment.clone());
                Some(payment)
            }
            (SessionStatus::Open, 0..70) => Some(cloud.provider.pay(index, &exactly)),
            (SessionStatus::Open, 70..80) => {
                cloud.provider.decline(index);
                None
            }
            (SessionStatus::Open, 80..88) => {
                cloud.provider.delay(index);
                None
            }
            (SessionStatus::Open, 88..91) => {
                let money = Money { cents: session.cents - 1, currency: "usd" };
                Some(cloud.provider.pay(index, &money))
            }
            (SessionStatus::Open, 91..93) => {
                let money = Money { cents: session.cents, currency: "eur" };
                Some(cloud.provider.pay(index, &money))
            }
            (SessionStatus::Delayed, 0..70) => Some(cloud.provider.arrive(index)),
            (SessionStatus::Delayed, 70..90) => {
                cloud.provider.fail_delayed(index);
                None
            }
            (SessionStatus::Paid, 0..3) if !session.untold => Some(cloud.provider.pay_again(index)),
            (SessionStatus::Paid, 3..5) => {
                let other = pick(&mut self.random, cloud.provider.sessions.len()).unwrap_or(index);
                let payment = session.payment.clone().unwrap_or_default();
                cloud.provider.pay_with(other, &payment)
            }
            (SessionStatus::Expired | SessionStatus::DelayedFailed, 0..8) => {
                Some(cloud.provider.pay_again(index))
            }
            _ => return,
        };
        if let Some(payment) = paid {
            let _ = write!(line, " {payment:?}");
            cloud.model.payments.insert(payment);
        }
        cloud.note(&line);
    }

    /// A payment is given back at the provider, or asked back by the payer's bank.
    fn money_goes_back(&mut self) {
        let random = &mut self.random;
        let mut cloud = self.actors.deployment.network.cloud();
        let standing = match random.u32(0..6) {
            0 | 1 => Standing::Pending,
            2 => Standing::Failed,
            _ => Standing::Succeeded,
        };
        cloud.provider.back.next = standing;
        let lost = random.u32(0..6) == 0;
        let back = &cloud.provider.back;
        let taken = pick(random, back.taken.len()).map(|index| back.taken[index].clone());
        let refund = pick(random, back.refunds.len());
        let dispute = pick(random, back.disputes.len());
        let what = match (random.u32(0..100), taken, refund, dispute) {
            (0..22, Some(taken), ..) => {
                let cents =
                    if random.bool() { taken.cents } else { random.u64(0..=taken.cents / 2) };
                let provider = &mut cloud.provider;
                let made = provider.refund_in_dashboard(&taken.payment, cents, standing, lost);
                made.then_some("a refund in the dashboard")
            }
            (22..45, _, Some(refund), _) => {
                let standing =
                    if random.u32(0..3) == 0 { Standing::Failed } else { Standing::Succeeded };
                let late = cloud.provider.back.refunds[refund].standing == Standing::Succeeded;
                let ended = cloud.provider.refund_ends(refund, standing, lost);
                let what = if late { "a refund that came back" } else { "a refund that ended" };
                ended.then_some(what)
            }
            (45..63, Some(taken), ..) => {
                let cents = if random.bool() { taken.cents } else { taken.cents / 2 + 1 };
                let question = random.u32(0..4) == 0;
                let made = cloud.provider.dispute(&taken.payment, cents, question, lost);
                made.then_some("a dispute")
            }
            (63.., _, _, Some(dispute)) => {
                let goes = cloud.provider.dispute_goes_on(dispute, random.u32(..), lost);
                goes.then_some("a dispute that went on")
            }
            _ => None,
        };
        if let Some(what) = what {
            cloud.saw(what);
            cloud.note(what);
        }
    }

    /// One of the three is gone for a while, or all of them.
    fn outage(&mut self) {
        let wire = ["table", "queue", "provider", "objects", EVERYTHING][self.random.usize(0..5)];
        let time = Duration::from_millis(self.random.u64(100..60_000));
        self.actors.deployment.network.cut(wire, time);
    }

    /// Hours pass, or the clock of the functions is set back by seconds.
    async fn time_jumps(&mut self) {
        self.settle().await;
        let clock = self.actors.deployment.clock.clone();
        match self.random.u32(0..4) {
            0 => clock.set(clock.unix_millis() - self.random.i64(0..5_000)),
            1 if self.random.bool() => {
                clock.advance(Duration::from_secs(self.random.u64(0..9 * 86_400)));
                self.act(Act::Sweep).await;
                self.act(Act::Compare { day: None, time: Duration::ZERO }).await;
            }
            1 => clock.advance(Duration::from_secs(self.random.u64(0..90_000))),
            _ => clock.advance(Duration::from_secs(self.random.u64(0..3_600))),
        }
        self.actors.deployment.network.cloud().provider.expire_overdue();
    }

    /// Waits until nothing is under way any more.
    pub(super) async fn settle(&mut self) {
        while self.under_way.join_next().await.is_some() {}
        sleep(SETTLE).await;
    }

    /// After everything has healed: clients repeat what was not answered, the provider tells again
    /// what was not taken, the queue is emptied.
    async fn converge(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS {
            let left = self.actors.left_to_do();
            self.nothing_is_wrong()?;
            if left.is_empty() && self.actors.deployment.network.cloud().queue.is_empty() {
                match self.actors.redrive() {
                    0 => return Ok(()),
                    _ => continue,
                }
            }
            for act in left {
                self.done += 1;
                let (actors, number) = (Arc::clone(&self.actors), self.done);
                self.under_way.spawn(async move { actors.act(number, act, Patience::Calm).await });
            }
            self.settle().await;
            self.actors.deployment.feed().await;
            sleep(VISIBILITY).await;
        }
        let cloud = self.actors.deployment.network.cloud();
        let (left, waiting) = (self.actors.left_to_do_of(&cloud), cloud.queue.len());
        Err(format!("it does not come to an end: {left:?}, {waiting} messages in the queue"))
    }
}

fn pick(random: &mut fastrand::Rng, count: usize) -> Option<usize> {
    // Rather something recent than something of long ago.
    let newest = count.min(30);
    (count > 0).then(|| count - 1 - random.usize(0..newest))
}
