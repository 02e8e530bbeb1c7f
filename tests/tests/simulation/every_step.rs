//! Every step of every use case fails in every way, once and for good, and is then tried again.
//!
//! Each use case runs once untouched, which tells its requests and its result. Then, for each of
//! its requests and each way in which that request can fail, it runs in a fresh world with this one
//! fault. After that everything heals, the same request comes twice more, the queue drains, and the
//! result must be the one of the untouched run. The auditor looks at every transaction meanwhile.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tests::simulation::deployment::Deployment;
use tests::simulation::images::{OrderImage, ReversalsImage};
use tests::simulation::network::{Strike, Then};
use tests::simulation::provider::Money;
use tests::simulation::queue::VISIBILITY;
use tests::simulation::{Engine, micros};
use tests::{Answer, Fault};

use super::usage_steps::{is_charged, is_unknown};
use super::{STACK, say};

/// What is covered today; new use cases add to it, and nothing takes away from it.
const MEASURED_CELLS: usize = 3_404;

/// One request of a customer, of the provider or of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UseCase {
    CreateOrder,
    /// The order is there; its page never could be made.
    CreateOrderAfterSilence,
    WebhookPaid,
    /// The table is gone, so that the payment goes to the queue.
    WebhookIntoQueue,
    WebhookDeclined,
    WebhookDelayed,
    WebhookExpired,
    /// It becomes a finding.
    WebhookOfWrongAmount,
    /// It is credited late.
    WebhookOfCancelledOrder,
    /// What the webhook left in the queue.
    Confirm,
    /// It empties the wallet.
    Transfer,
    TransferRefused,
    Cancel,
    /// The order was paid, and nobody has told so yet.
    CancelOfPaidOrder,
    /// What nobody told is found out.
    SweepPaid,
    SweepExpired,
    /// Whether a page was made was never told.
    SweepUnmade,
    /// The page is still open, though the order is to be cancelled.
    SweepCancelled,
    OrderOffline,
    Report,
    Upload,
    /// What was reported is found.
    Accept,
    /// What nobody reported is found after the order expired.
    AcceptLate,
    Reject,
    Book,
    CancelOffline,
    /// What runs by the clock closes an order that nobody reported.
    Sweep,
    Import,
    AcceptStatement,
    PutRate,
    Freeze,
    /// The first key of a new account.
    MintKey,
    RotateKey,
    RevokeKey,
    OpenSession,
    /// A code that is exchanged without an answer is used up.
    ExchangeCode,
    RefundCard,
    /// The provider has made it; nobody was told.
    RefundCardLostAnswer,
    RefundOffline,
    /// More than came in.
    RefundRefused,
    /// It was made in the dashboard.
    WebhookRefund,
    /// It becomes a finding.
    WebhookRefundOfUnknownPayment,
    /// The bank takes what was spent already.
    WebhookDispute,
    AdjustIn,
    AdjustOut,
    ResolveFinding,
    /// A refund was on its way, and nobody told how that ended.
    SweepRefund,
    /// Nobody told of a payment, nor of what of it went back.
    Compare,
    CreditFinding,
    RefundFinding,
    /// The provider has made it; nobody was told.
    RefundFindingLostAnswer,
    Charge,
    ChargeRefused,
    /// Three charges, of which one is refused.
    ChargeBatch,
    PlaceHold,
    CaptureHold,
    /// What is left is free again.
    CaptureHoldLast,
    ReleaseHold,
    /// The time of a hold is over, and its money is needed.
    ChargeAfterExpiredHold,
    /// What runs by the clock closes a hold that nobody captured.
    SweepExpiredHold,
    /// The balance is below its threshold already.
    SetThresholds,
    /// It needs all of the wallet, which runs low by that.
    ChargeWithTopUp,
}

const USE_CASES: [UseCase; 62] = [
    UseCase::CreateOrder,
    UseCase::CreateOrderAfterSilence,
    UseCase::WebhookPaid,
    UseCase::WebhookIntoQueue,
    UseCase::WebhookDeclined,
    UseCase::WebhookDelayed,
    UseCase::WebhookExpired,
    UseCase::WebhookOfWrongAmount,
    UseCase::WebhookOfCancelledOrder,
    UseCase::Confirm,
    UseCase::Transfer,
    UseCase::TransferRefused,
    UseCase::Cancel,
    UseCase::CancelOfPaidOrder,
    UseCase::SweepPaid,
    UseCase::SweepExpired,
    UseCase::SweepUnmade,
    UseCase::SweepCancelled,
    UseCase::OrderOffline,
    UseCase::Report,
    UseCase::Upload,
    UseCase::Accept,
    UseCase::AcceptLate,
    UseCase::Reject,
    UseCase::Book,
    UseCase::CancelOffline,
    UseCase::Sweep,
    UseCase::Import,
    UseCase::AcceptStatement,
    UseCase::PutRate,
    UseCase::Freeze,
    UseCase::MintKey,
    UseCase::RotateKey,
    UseCase::RevokeKey,
    UseCase::OpenSession,
    UseCase::ExchangeCode,
    UseCase::RefundCard,
    UseCase::RefundCardLostAnswer,
    UseCase::RefundOffline,
    UseCase::RefundRefused,
    UseCase::WebhookRefund,
    UseCase::WebhookRefundOfUnknownPayment,
    UseCase::WebhookDispute,
    UseCase::AdjustIn,
    UseCase::AdjustOut,
    UseCase::ResolveFinding,
    UseCase::SweepRefund,
    UseCase::Compare,
    UseCase::CreditFinding,
    UseCase::RefundFinding,
    UseCase::RefundFindingLostAnswer,
    UseCase::Charge,
    UseCase::ChargeRefused,
    UseCase::ChargeBatch,
    UseCase::PlaceHold,
    UseCase::CaptureHold,
    UseCase::CaptureHoldLast,
    UseCase::ReleaseHold,
    UseCase::ChargeAfterExpiredHold,
    UseCase::SweepExpiredHold,
    UseCase::SetThresholds,
    UseCase::ChargeWithTopUp,
];

/// A cell: a request of a use case, and what becomes of it.
#[derive(Debug, Clone, Copy)]
struct Cell {
    use_case: UseCase,
    strike: Strike,
}

/// What a use case is about.
pub(super) struct Scene {
    pub(super) deployment: Deployment,
    pub(super) order: String,
    /// The provider's event that a webhook tells; or the id of a key or statement, or a code.
    pub(super) event: String,
}

impl UseCase {
    /// What was there before.
    async fn prepare(self) -> Scene {
        let mut random = fastrand::Rng::with_seed(1);
        let deployment = Deployment::start(&mut random, Engine::embedded(), 1).await;
        let mut scene = Scene { deployment, order: String::new(), event: String::new() };
        match self {
            _ if self.uses_money() => Box::pin(self.prepare_usage(&mut scene)).await,
            _ if self.goes_back() => self.prepare_back(&mut scene).await,
            Self::CreateOrder => {}
            Self::CreateOrderAfterSilence | Self::SweepUnmade => {
                scene.deployment.network.cut("provider", Duration::from_secs(3_600));
                assert_eq!(scene.create().await.status, 503);
                scene.deployment.network.heal();
            }
            Self::Transfer | Self::TransferRefused => {
                scene.order().await;
                scene.payment();
                scene.tell().await;
                if self == Self::TransferRefused {
                    assert_eq!(scene.transfer("other", "1.00").await.status, 201);
                }
            }
            _ if self.is_of_cards() => {
                scene.order().await;
                self.prepare_event(&mut scene).await;
            }
            _ => self.prepare_desk(&mut scene).await,
        }
        scene
    }

    fn is_of_cards(self) -> bool {
        let first = USE_CASES.iter().position(|one| *one == Self::OrderOffline);
        USE_CASES.iter().position(|one| *one == self) < first
    }

    fn goes_back(self) -> bool {
        let first = USE_CASES.iter().position(|one| *one == Self::RefundCard);
        USE_CASES.iter().position(|one| *one == self) >= first
    }

    fn uses_money(self) -> bool {
        let first = USE_CASES.iter().position(|one| *one == Self::Charge);
        USE_CASES.iter().position(|one| *one == self) >= first
    }

    async fn prepare_desk(self, scene: &mut Scene) {
        match self {
            Self::OrderOffline
            | Self::Book
            | Self::PutRate
            | Self::Freeze
            | Self::MintKey
            | Self::OpenSession => {}
            Self::RotateKey | Self::RevokeKey => {
                scene.event = scene.mint().await.text("key_id");
            }
            Self::ExchangeCode => {
                let url = scene.open_session().await.text("url");
                scene.event = url.split_once("#code=").unwrap().1.to_owned();
            }
            _ => {
                scene.order_offline().await;
                match self {
                    Self::Accept | Self::Reject => drop(scene.report().await),
                    Self::AcceptLate => {
                        scene.week();
                        assert!(scene.deployment.sweep().await);
                    }
                    Self::Sweep => scene.week(),
                    Self::AcceptStatement => {
                        scene.event = scene.import().await.text("statement_id");
                    }
                    _ => {}
                }
            }
        }
    }

    async fn prepare_event(self, scene: &mut Scene) {
        match self {
            Self::WebhookDeclined => scene.on_page(|provider| provider.decline(0)),
            Self::WebhookDelayed => scene.on_page(|provider| provider.delay(0)),
            Self::WebhookExpired => {
                scene.deployment.clock.advance(Duration::from_secs(25 * 3_600));
                scene.on_page(|provider| provider.expire_overdue());
            }
            Self::WebhookOfWrongAmount => {
                let mut cloud = scene.deployment.network.cloud();
                let payment = cloud.provider.pay(0, &Money { cents: 4_999, currency: "usd" });
                cloud.model.payments.insert(payment);
                scene.event = cloud.provider.events[0].body.clone();
            }
            Self::WebhookOfCancelledOrder => {
                assert_eq!(scene.cancel().await.status, 200);
                let mut cloud = scene.deployment.network.cloud();
                let payment = cloud.provider.pay_again(0);
                cloud.model.payments.insert(payment);
                scene.event = cloud.provider.events[1].body.clone();
            }
            Self::Cancel => {}
            Self::SweepExpired => {
                scene.deployment.clock.advance(Duration::from_secs(25 * 3_600));
                scene.on_page(|provider| provider.expire_overdue());
            }
            Self::SweepCancelled => {
                scene.deployment.network.cut("provider", Duration::from_secs(3_600));
                assert_eq!(scene.cancel().await.status, 503);
                scene.deployment.network.heal();
            }
            Self::Confirm => {
                scene.payment();
                scene.deployment.network.cut("table", Duration::from_secs(3_600));
                scene.tell().await;
                scene.deployment.network.heal();
                assert_eq!(scene.deployment.network.cloud().queue.len(), 1);
            }
            _ => scene.payment(),
        }
    }

    /// The request itself; none for the queue, which is not answered.
    async fn run(self, scene: &Scene) -> Option<Answer> {
        Some(match self {
            Self::CreateOrder | Self::CreateOrderAfterSilence => scene.create().await,
            Self::Transfer => scene.transfer("transfer", "50.00").await,
            Self::TransferRefused => scene.transfer("transfer", "49.01").await,
            Self::Cancel | Self::CancelOfPaidOrder | Self::CancelOffline => scene.cancel().await,
            Self::OrderOffline => scene.create_offline().await,
            Self::Report => scene.report().await,
            Self::Upload => scene.upload().await,
            Self::Accept | Self::AcceptLate => scene.accept().await,
            Self::Reject => scene.reject().await,
            Self::Book => scene.book().await,
            Self::Import => scene.import().await,
            Self::AcceptStatement => scene.accept_statement().await,
            Self::PutRate => scene.put_rate().await,
            Self::Freeze => scene.freeze().await,
            Self::MintKey => scene.mint().await,
            Self::RotateKey => scene.rotate().await,
            Self::RevokeKey => scene.revoke().await,
            Self::OpenSession => scene.open_session().await,
            Self::ExchangeCode => scene.exchange().await,
            Self::RefundCard | Self::RefundCardLostAnswer => scene.refund("20.00", None).await,
            Self::RefundOffline => scene.refund("20.00", Some("out 1")).await,
            Self::RefundRefused => scene.refund("50.01", None).await,
            Self::AdjustIn => scene.adjust("5.00").await,
            Self::AdjustOut => scene.adjust("-5.00").await,
            Self::ResolveFinding => scene.resolve().await,
            Self::CreditFinding => scene.credit_finding().await,
            Self::RefundFinding | Self::RefundFindingLostAnswer => scene.refund_finding().await,
            Self::Compare => {
                scene.compare().await;
                return None;
            }
            Self::Sweep
            | Self::SweepExpiredHold
            | Self::SweepRefund
            | Self::SweepPaid
            | Self::SweepExpired
            | Self::SweepUnmade
            | Self::SweepCancelled => {
                // A young order is left to its webhook.
                scene.deployment.clock.advance(Duration::from_secs(5 * 60));
                scene.deployment.sweep().await;
                return None;
            }
            Self::Confirm => {
                scene.deployment.feed().await;
                return None;
            }
            _ if self.uses_money() => Box::pin(self.use_money(scene)).await,
            _ => scene.tell().await,
        })
    }

    /// How it is answered when nothing is out of order, the first time or again.
    fn is_well_answered(self, answer: &Answer) -> bool {
        match self {
            Self::CreateOrder
            | Self::CreateOrderAfterSilence
            | Self::Transfer
            | Self::OrderOffline
            | Self::Accept
            | Self::AcceptLate
            | Self::Book
            | Self::MintKey
            | Self::RotateKey
            | Self::OpenSession
            | Self::RefundCard
            | Self::RefundCardLostAnswer
            | Self::RefundOffline
            | Self::AdjustIn
            | Self::AdjustOut
            | Self::Charge
            | Self::PlaceHold
            | Self::CaptureHold
            | Self::CaptureHoldLast
            | Self::ChargeAfterExpiredHold
            | Self::ChargeWithTopUp => {
                [200, 201].contains(&answer.status) && answer.is_replay() == (answer.status == 200)
            }
            Self::RefundRefused => answer.text("code") == "refund_too_large",
            Self::ChargeBatch => is_charged(answer),
            Self::ChargeRefused | Self::TransferRefused => {
                answer.text("code") == "insufficient_balance"
            }
            Self::CancelOfPaidOrder => answer.text("code") == "order_not_cancellable",
            Self::Import => [200, 201].contains(&answer.status),
            // Whoever was not told the token signs in again.
            Self::ExchangeCode => answer.status == 201 || answer.text("code") == "invalid_code",
            _ => answer.status == 200,
        }
    }
}

impl Scene {
    async fn create(&self) -> Answer {
        let body = r#"{"target":"wallet","method":"card","amount":"50.00"}"#;
        let id = self.wish("order", "card", "wallet", 5_000);
        let answer = self.post("/v1/orders", "order", body).await;
        assert!(answer.status >= 500 || answer.text("order_id") == id);
        answer
    }

    pub(super) async fn transfer(&self, key: &str, amount: &str) -> Answer {
        let cents = micros::parse(amount).unwrap() / 10_000;
        self.wish("transfer", key, "product:sms", u64::try_from(cents).unwrap());
        let body = format!(r#"{{"product":"sms","amount":"{amount}"}}"#);
        self.post("/v1/transfers", key, &body).await
    }

    async fn cancel(&self) -> Answer {
        let path = format!("/v1/orders/{}/cancel", self.order);
        self.post(&path, "none", "{}").await
    }

    pub(super) async fn tell(&self) -> Answer {
        self.deployment.tell(&self.event).await
    }

    pub(super) async fn post(&self, path: &str, key: &str, body: &str) -> Answer {
        self.deployment.post(&self.deployment.customers[0], path, key, body).await
    }

    pub(super) async fn order(&mut self) {
        self.order = self.create().await.text("order_id");
    }

    /// The page of the order is paid.
    pub(super) fn payment(&mut self) {
        let mut cloud = self.deployment.network.cloud();
        let payment = cloud.provider.pay(0, &Money { cents: 5_000, currency: "usd" });
        cloud.model.payments.insert(payment);
        self.event = cloud.provider.events[0].body.clone();
    }

    /// Something else happens on the page.
    fn on_page(&mut self, happens: impl FnOnce(&mut tests::simulation::provider::Provider)) {
        let mut cloud = self.deployment.network.cloud();
        happens(&mut cloud.provider);
        self.event = cloud.provider.events[0].body.clone();
    }

    /// Tells the model what is about to be asked for.
    fn wish(&self, operation: &str, key: &str, target: &str, cents: u64) -> String {
        use tests::simulation::model::{Wish, order_id};
        let account = self.deployment.customers[0].account.clone();
        let (target, amount) = (target.to_owned(), micros::from_cents(cents));
        let (key, wish) = match operation {
            "order" => ("order", Wish::Card { account: account.clone(), target, amount }),
            _ => (key, Wish::Transfer { account: account.clone(), target, amount }),
        };
        let id = order_id(&account, operation, key);
        self.deployment.network.cloud().model.wish(&id, wish);
        id
    }

    /// Empties the queue.
    async fn drain(&self) {
        for _ in 0..20 {
            self.deployment.feed().await;
            tokio::time::sleep(VISIBILITY).await;
            if self.deployment.network.cloud().queue.is_empty() {
                return;
            }
        }
        panic!("the queue does not drain");
    }

    /// Everything that must be the same whatever went wrong on the way.
    fn result(&self) -> String {
        let mut cloud = self.deployment.network.cloud();
        assert_eq!(cloud.broken, None);
        cloud.audit_everything().unwrap();
        let model = &cloud.model;
        let accounts = model.accounts.values();
        let balances: Vec<_> = accounts.map(|account| (account.balances(), account.debt)).collect();
        let orders: BTreeMap<_, _> = model
            .orders
            .iter()
            .map(|(id, order)| {
                let now = order.now();
                let page = now.session.is_some();
                (id, (&now.statuses, now.cancel_requested, &now.settled, page, went_back(now)))
            })
            .collect();
        let (credited, adjustments) = (&model.credited, &model.adjustments);
        let charges = &model.usage.charges;
        let holds: Vec<_> = model
            .usage
            .holds
            .keys()
            .filter_map(|id| model.usage.hold(id))
            .map(|hold| (&hold.id, &hold.placed, hold.captured, &hold.status))
            .collect();
        let findings: Vec<_> = model
            .findings
            .values()
            .map(|finding| (&finding.id, &finding.kind, &finding.closed))
            .collect();
        let made = cloud.provider.back.refunds.len();
        let dead = cloud.queue.dead();
        let files: Vec<_> = cloud.objects.keys().cloned().collect();
        // Each try is a comparison of its own, but the first one ends as if nothing had stopped it.
        let mut kinds = cloud.kinds();
        kinds.remove("COMPARISON");
        let compared = cloud.model.comparisons.values().next().map(|run| &run.report);
        format!(
            "{balances:?} {orders:?} {credited:?} {findings:?} {dead:?} {files:?} {kinds:?} \
             {adjustments:?} {made} refunds {compared:?} {charges:?} {holds:?}"
        )
    }
}

/// What an order says that went back, without how often the provider was asked.
fn went_back(order: &OrderImage) -> (micros::Micros, micros::Micros, Vec<String>) {
    let ReversalsImage { taken, held, refunds, disputes } = &order.reversals;
    let refunds = refunds
        .iter()
        .map(|refund| format!("{} {} {:?}", refund.amount, refund.status, refund.provider));
    let disputes = disputes.iter().map(|dispute| format!("{dispute:?}"));
    (*taken, *held, refunds.chain(disputes).collect())
}

/// The untouched run: its requests and its result.
async fn untouched(use_case: UseCase) -> (Vec<String>, String) {
    let scene = use_case.prepare().await;
    if use_case == UseCase::WebhookIntoQueue {
        scene.deployment.network.cut("table", Duration::from_secs(3_600));
    }
    scene.deployment.network.strike(None);
    let answer = use_case.run(&scene).await;
    let well = answer.is_none_or(|answer| use_case.is_well_answered(&answer));
    assert!(well, "{use_case:?}");
    let requests = scene.deployment.network.seen();
    scene.deployment.network.heal();
    scene.drain().await;
    (requests, scene.result())
}

/// One cell: this request fails in this way; then all is well, and it is tried again, twice.
async fn struck(cell: Cell, expected: &str) {
    let Cell { use_case, strike } = cell;
    let scene = use_case.prepare().await;
    let network = &scene.deployment.network;
    if use_case == UseCase::WebhookIntoQueue {
        network.cut("table", Duration::from_secs(3_600));
    }
    network.strike(Some(strike));
    let answer = tokio::select! {
        biased;
        () = network.client_dies() => None,
        answer = use_case.run(&scene) => answer,
    };
    if let Some(answer) = answer {
        let code = answer.text("code");
        let honest = ["unavailable", "not_taken"].contains(&code.as_str())
            || answer.text("message") == "Internal Server Error";
        let well = use_case.is_well_answered(&answer);
        let honest = honest && answer.status >= 500 || is_unknown(&answer);
        assert!(well || honest, "{cell:?}: {answer:?}");
    }
    // What is still on its way arrives now, late.
    tokio::time::sleep(Duration::from_secs(60)).await;
    network.heal();
    for again in 1..=2 {
        let answer = use_case.run(&scene).await;
        let well = answer.as_ref().is_none_or(|answer| use_case.is_well_answered(answer));
        assert!(well, "{cell:?}, again {again}: {answer:?}");
        scene.drain().await;
        assert_eq!(scene.result(), expected, "{cell:?}, again {again}");
    }
}

/// The ways in which a request can fail.
fn faults(operation: &str) -> Vec<(Fault, Then)> {
    let mut kinds = vec![Fault::LostBefore, Fault::LostAfter, Fault::ServerError, Fault::Throttled];
    match operation {
        "TransactWriteItems" => kinds.push(Fault::Conflict),
        "BatchGetItem" => kinds.push(Fault::Unprocessed),
        _ => {}
    }
    let mut all = vec![(Fault::LostBefore, Then::Dies), (Fault::LostAfter, Then::Dies)];
    for kind in kinds {
        all.push((kind, Then::Passes));
        all.push((kind, Then::Fails));
    }
    all
}

/// Runs something alone, in virtual time.
fn alone<T>(work: impl Future<Output = T>) -> T {
    fastrand::seed(1);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(work)
}

#[test]
fn whichever_step_fails_in_whichever_way_the_next_try_finishes_it() {
    let mut cells = Vec::new();
    let mut covered: BTreeMap<String, usize> = BTreeMap::new();
    for use_case in USE_CASES {
        let (requests, expected) = alone(untouched(use_case));
        for (position, operation) in requests.iter().enumerate() {
            // Of many alike in a row (the shards of an index), the first and the last.
            let around = requests.get(position.saturating_sub(1)..=position + 1);
            if around.is_some_and(|around| {
                around.len() == 3 && around.iter().all(|other| other == operation)
            }) {
                continue;
            }
            for (fault, then) in faults(operation) {
                let strike = Strike { position, fault, then };
                cells.push((Cell { use_case, strike }, expected.clone()));
                *covered.entry(format!("{fault:?}, {then:?}")).or_default() += 1;
            }
        }
        say(&format!("{use_case:?}: {}", requests.join(", ")));
    }
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let thread = std::thread::Builder::new().stack_size(STACK);
            let spawned = thread.spawn_scoped(scope, || {
                while let Some((cell, expected)) = cells.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let ran = std::panic::catch_unwind(|| alone(struck(*cell, expected)));
                    if ran.is_err() {
                        failed.lock().unwrap().push(format!("{cell:?}"));
                    }
                }
            });
            drop(spawned.unwrap());
        }
    });
    for (fault, count) in &covered {
        say(&format!("{fault}: {count} cells"));
    }
    say(&format!("{} cells of use case, request and fault", cells.len()));
    assert_eq!(*failed.lock().unwrap(), Vec::<String>::new());
    assert!(cells.len() >= MEASURED_CELLS);
}
