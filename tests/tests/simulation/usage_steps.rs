//! What the use cases of money that is used do in their scenes.

use std::time::Duration;

use serde_json::{Value, json};
use tests::Answer;
use tests::simulation::bank::derived;
use tests::simulation::micros;
use tests::simulation::thresholds::WantedThresholds;
use tests::simulation::usage_images::{WantedCharge, WantedHold};

use super::every_step::{Scene, UseCase};

/// For how long money is set aside, in seconds.
const TIME: u64 = 900;

impl UseCase {
    /// What was there before money is used: 40.00 in SMS, and a hold of 30.00 if it is about one.
    pub(super) async fn prepare_usage(self, scene: &mut Scene) {
        scene.order().await;
        scene.payment();
        assert_eq!(scene.tell().await.text("outcome"), "credited");
        assert_eq!(scene.transfer("transfer", "40.00").await.status, 201);
        match self {
            Self::Charge
            | Self::ChargeRefused
            | Self::ChargeBatch
            | Self::PlaceHold
            | Self::SetThresholds => {}
            Self::ChargeWithTopUp => {
                assert_eq!(scene.set_thresholds("wallet", Some("1.00"), None).await.status, 200);
                assert_eq!(
                    scene.set_thresholds("product:sms", None, Some("10.00")).await.status,
                    200
                );
            }
            Self::CaptureHold | Self::CaptureHoldLast | Self::ReleaseHold => {
                assert_eq!(scene.hold().await.status, 201);
            }
            _ => {
                assert_eq!(scene.hold().await.status, 201);
                scene.deployment.clock.advance(Duration::from_secs(TIME));
            }
        }
    }

    /// The request itself.
    pub(super) async fn use_money(self, scene: &Scene) -> Answer {
        match self {
            Self::Charge => scene.charge("7.500001").await,
            Self::ChargeRefused => scene.charge("40.000001").await,
            Self::ChargeBatch => scene.charge_batch().await,
            Self::PlaceHold => scene.hold().await,
            Self::CaptureHold => scene.capture(false).await,
            Self::CaptureHoldLast => scene.capture(true).await,
            Self::ReleaseHold => scene.release().await,
            Self::SetThresholds => {
                scene.set_thresholds("product:sms", Some("40.01"), Some("1.00")).await
            }
            Self::ChargeWithTopUp => scene.charge("50.00").await,
            _ => scene.charge("40.00").await,
        }
    }
}

impl Scene {
    async fn charge(&self, amount: &str) -> Answer {
        self.want_charge("charge", "use", amount, None);
        let body = json!({"product": "sms", "amount": amount}).to_string();
        self.post("/v1/charges", "use", &body).await
    }

    /// Three charges, of which the second one is too much.
    async fn charge_batch(&self) -> Answer {
        let charges = [("first", "20.000001"), ("second", "20.00"), ("third", "19.999999")];
        let charges = charges.map(|(key, amount)| {
            self.want_charge("charge", key, amount, None);
            json!({"key": key, "product": "sms", "amount": amount})
        });
        let body = json!({"charges": charges}).to_string();
        self.post("/v1/charges/batch", "none", &body).await
    }

    /// 30.00 of SMS are set aside.
    async fn hold(&self) -> Answer {
        let account = self.deployment.customers[0].account.clone();
        let (target, amount) = ("product:sms".to_owned(), micros::parse("30.00").unwrap());
        let wanted = WantedHold { account, target, amount, time: TIME * 1_000 };
        let id = self.hold_id();
        self.deployment.network.cloud().model.usage.wanted_holds.insert(id, vec![wanted]);
        let body = json!({"product": "sms", "amount": "30.00", "expires_in": TIME}).to_string();
        self.post("/v1/holds", "hold", &body).await
    }

    /// An alert below so much, and top-ups of so much when less than 5.00 is left.
    async fn set_thresholds(
        &self,
        target: &str,
        alert: Option<&str>,
        size: Option<&str>,
    ) -> Answer {
        let amount = |text: &str| micros::parse(text).unwrap();
        let wanted = WantedThresholds {
            alert_below: alert.map(amount),
            top_up_below: size.map(|_| amount("5.00")),
            top_up_amount: size.map(amount),
            ..WantedThresholds::default()
        };
        let customer = &self.deployment.customers[0];
        let said = (customer.account.clone(), target.to_owned(), wanted.clone());
        self.deployment.network.cloud().model.usage.wanted_thresholds.insert(said);
        let path = match target.strip_prefix("product:") {
            Some(product) => format!("/v1/products/{product}/thresholds"),
            None => "/v1/wallet/thresholds".to_owned(),
        };
        self.deployment.put(customer, &path, &wanted.body()).await
    }

    async fn capture(&self, last: bool) -> Answer {
        self.want_charge("capture", "use", "10.00", Some((self.hold_id(), last)));
        let path = format!("/v1/holds/{}/capture", self.hold_id());
        let body = json!({"amount": "10.00", "final": last}).to_string();
        self.post(&path, "use", &body).await
    }

    async fn release(&self) -> Answer {
        let id = self.hold_id();
        self.deployment.network.cloud().model.usage.given_up.insert(id.clone());
        self.post(&format!("/v1/holds/{id}/release"), "none", "{}").await
    }

    fn hold_id(&self) -> String {
        derived("hold_", &[&self.deployment.customers[0].account, "hold", "hold"])
    }

    /// Tells the model what is about to be charged.
    fn want_charge(&self, how: &str, key: &str, amount: &str, from: Option<(String, bool)>) {
        let account = self.deployment.customers[0].account.clone();
        let id = derived("chg_", &[&account, how, key]);
        let (target, amount) = ("product:sms".to_owned(), micros::parse(amount).unwrap());
        let wanted = WantedCharge { account, target, amount, from };
        self.deployment.network.cloud().model.usage.wanted_charges.insert(id, vec![wanted]);
    }
}

/// What each charge of a batch was answered: `201`, or `402 insufficient_balance`.
fn outcomes(answer: &Answer) -> Vec<String> {
    let outcome = |one: &Value| match one["problem"]["code"].as_str() {
        Some(code) => format!("{} {code}", one["status"]),
        None => one["status"].to_string(),
    };
    answer.json()["data"].as_array().into_iter().flatten().map(outcome).collect()
}

/// Whether the batch was charged as it must be, the first time or again.
pub(super) fn is_charged(answer: &Answer) -> bool {
    let refused = "402 insufficient_balance";
    [["201", refused, "201"], ["200", refused, "200"]].iter().any(|well| outcomes(answer) == *well)
}

/// Whether the batch was told that nothing is known of any of its charges.
pub(super) fn is_unknown(answer: &Answer) -> bool {
    outcomes(answer) == ["503 unavailable"; 3]
}
