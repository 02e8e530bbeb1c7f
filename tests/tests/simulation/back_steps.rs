//! What the use cases of money that goes back do in their scenes.

use std::time::Duration;

use serde_json::json;
use tests::Answer;
use tests::simulation::bank::derived;
use tests::simulation::going_back::Standing;
use tests::simulation::images::AdjustmentImage;
use tests::simulation::micros;
use tests::simulation::model::Wish;
use tests::simulation::network::{Strike, Then};
use tests::simulation::provider::Money;
use tests::simulation::reversals::WantedRefund;

use super::every_step::{Scene, UseCase};

/// The payment of every scene.
const PAYMENT: &str = "pi_1";
/// The provider is asked by the fifth request of a refund: after the caller's key, the order, the
/// order with its account, and the commit that sets the money aside.
const ASKS_THE_PROVIDER: usize = 4;
/// Longer than a comparison takes.
const LONG: Duration = Duration::from_secs(600);
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// Why, as every operator says.
const REASON: &str = "asked for it";

impl UseCase {
    /// What was there before money goes back.
    pub(super) async fn prepare_back(self, scene: &mut Scene) {
        match self {
            Self::RefundOffline => {
                scene.order_offline().await;
                scene.report().await;
                assert_eq!(scene.accept().await.status, 201);
                return;
            }
            Self::ResolveFinding
            | Self::CreditFinding
            | Self::RefundFinding
            | Self::RefundFindingLostAnswer => {
                scene.order().await;
                let body = {
                    let mut cloud = scene.deployment.network.cloud();
                    let payment = cloud.provider.pay(0, &Money { cents: 4_999, currency: "usd" });
                    cloud.model.payments.insert(payment);
                    cloud.provider.events[0].body.clone()
                };
                scene.deployment.tell(&body).await;
                scene.event = {
                    let cloud = scene.deployment.network.cloud();
                    cloud.model.findings.keys().next().unwrap().clone()
                };
                if self == Self::RefundFindingLostAnswer {
                    scene.lose_refund_of_finding().await;
                }
                return;
            }
            _ => {
                scene.order().await;
                scene.payment();
            }
        }
        if ![Self::WebhookRefundOfUnknownPayment, Self::Compare].contains(&self) {
            assert_eq!(scene.tell().await.text("outcome"), "credited");
        }
        self.prepare_provider(scene).await;
    }

    async fn prepare_provider(self, scene: &mut Scene) {
        match self {
            Self::WebhookRefund | Self::WebhookRefundOfUnknownPayment => {
                let mut cloud = scene.deployment.network.cloud();
                let back = &mut cloud.provider;
                assert!(back.refund_in_dashboard(PAYMENT, 2_000, Standing::Succeeded, false));
            }
            Self::Compare => {
                let mut cloud = scene.deployment.network.cloud();
                let back = &mut cloud.provider;
                assert!(back.refund_in_dashboard(PAYMENT, 2_000, Standing::Succeeded, true));
            }
            Self::WebhookDispute => {
                assert_eq!(scene.transfer("transfer", "30.00").await.status, 201);
                let mut cloud = scene.deployment.network.cloud();
                assert!(cloud.provider.dispute(PAYMENT, 5_000, false, true));
                assert!(cloud.provider.dispute_goes_on(0, 2, false));
            }
            Self::RefundCardLostAnswer => {
                let (position, fault) = (ASKS_THE_PROVIDER, tests::Fault::LostAfter);
                let strike = Strike { position, fault, then: Then::Fails };
                scene.deployment.network.strike(Some(strike));
                assert_eq!(scene.refund("20.00", None).await.text("status"), "pending");
                scene.deployment.network.heal();
                assert_eq!(scene.deployment.network.cloud().provider.back.refunds.len(), 1);
            }
            Self::SweepRefund => {
                scene.deployment.network.cloud().provider.back.next = Standing::Pending;
                assert_eq!(scene.refund("20.00", None).await.text("status"), "pending");
                let mut cloud = scene.deployment.network.cloud();
                assert!(cloud.provider.refund_ends(0, Standing::Succeeded, true));
            }
            _ => {}
        }
        let cloud = scene.deployment.network.cloud();
        let event = cloud.provider.events.last().map(|event| event.body.clone());
        drop(cloud);
        scene.event = event.unwrap();
    }
}

impl Scene {
    pub(super) async fn refund(&self, amount: &str, bank_reference: Option<&str>) -> Answer {
        let id = derived("rfd_", &[&self.order, "refund", "refund"]);
        let wanted = WantedRefund {
            order: self.order.clone(),
            amount: micros::parse(amount).unwrap(),
            bank_reference: bank_reference.map(str::to_owned),
        };
        self.deployment.network.cloud().model.wanted_refunds.insert(id, vec![wanted]);
        let mut body = json!({"amount": amount, "reason": REASON});
        if let Some(reference) = bank_reference {
            body["bank_reference"] = json!(reference);
        }
        let path = format!("/v1/admin/orders/{}/refunds", self.order);
        self.deployment.admin("POST", &path, "refund", &body.to_string()).await
    }

    pub(super) async fn adjust(&self, amount: &str) -> Answer {
        let account = self.deployment.customers[0].account.clone();
        let id = derived("adj_", &[&account, "adjustment", "adjust"]);
        let path = format!("/v1/admin/accounts/{account}/adjustments");
        let balance = "wallet".to_owned();
        let body = json!({"balance": balance, "amount": amount, "reason": REASON});
        let amount = micros::parse(amount).unwrap();
        let wanted = AdjustmentImage { id: id.clone(), account, balance, amount };
        self.deployment.network.cloud().model.wanted_adjustments.insert(id, vec![wanted]);
        self.deployment.admin("POST", &path, "adjust", &body.to_string()).await
    }

    pub(super) async fn resolve(&self) -> Answer {
        let said = (self.event.clone(), REASON.to_owned());
        self.deployment.network.cloud().model.resolutions.insert(said);
        let path = format!("/v1/admin/findings/{}/resolve", self.event);
        let body = json!({"reason": REASON}).to_string();
        self.deployment.admin("POST", &path, "none", &body).await
    }

    /// The payment of the finding is credited to the wallet of its account.
    pub(super) async fn credit_finding(&self) -> Answer {
        let (account, balance) =
            (self.deployment.customers[0].account.clone(), "wallet".to_owned());
        {
            let model = &mut self.deployment.network.cloud().model;
            let finding = model.findings[&self.event].clone();
            let asked = (finding.id.clone(), account.clone(), balance.clone());
            model.credits_asked.insert(asked);
            let (amount, _) = finding.actual.clone().unwrap();
            let order = finding.booked_as(&account);
            model.wish(&order, Wish::Found { account, target: balance.clone(), amount });
        }
        let path = format!("/v1/admin/findings/{}/credit", self.event);
        let body = json!({"balance": balance}).to_string();
        self.deployment.admin("POST", &path, "none", &body).await
    }

    pub(super) async fn refund_finding(&self) -> Answer {
        self.deployment.network.cloud().model.refunds_asked.insert(self.event.clone());
        let path = format!("/v1/admin/findings/{}/refund", self.event);
        let body = json!({"reason": REASON}).to_string();
        self.deployment.admin("POST", &path, "none", &body).await
    }

    /// The provider makes the refund of the finding, and nobody is told.
    async fn lose_refund_of_finding(&self) {
        let (position, fault) = (ASKS_THE_PROVIDER, tests::Fault::LostAfter);
        let strike = Strike { position, fault, then: Then::Fails };
        self.deployment.network.strike(Some(strike));
        assert_eq!(self.refund_finding().await.json()["refund"]["status"], "pending");
        self.deployment.network.heal();
        assert_eq!(self.deployment.network.cloud().provider.back.refunds.len(), 1);
    }

    /// Today is compared.
    pub(super) async fn compare(&self) {
        let today = u64::try_from(self.deployment.clock.unix_millis() / DAY).unwrap();
        self.deployment.compare(Some(today), LONG).await;
    }
}
