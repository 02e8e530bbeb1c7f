//! Operators who find a place for a payment that has none: in a balance, or where it came from.

use std::time::Duration;

use serde_json::json;

use super::actors::{Act, Actors, recent, within};
use super::finding_answers as answers;
use super::images::FindingImage;
use super::model::Wish;
use crate::Answer;

/// Why, as every operator says.
const REASON: &str = "it had no place";

/// What an operator says about a finding, kept to be said again.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    finding: String,
    place: Place,
    /// Whether it was answered for good.
    pub(super) answered: bool,
}

/// Where the payment of a finding belongs.
#[derive(Debug, Clone)]
enum Place {
    /// Into a balance of this account, which is named unless it is the finding's own.
    Balance { account: String, named: bool, balance: String },
    /// Back to whoever paid.
    Payer,
}

impl Actors {
    pub(super) async fn perform_on_findings(&self, act: &Act, calm: bool) -> Option<Answer> {
        let decided = match act {
            Act::CreditFinding { choice, customer, balance } => {
                let finding = self.recent_finding(*choice)?;
                let named = choice.is_multiple_of(3) || finding.account.is_empty();
                let account = match named {
                    true => self.deployment.customers[*customer].account.clone(),
                    false => finding.account.clone(),
                };
                self.say_place(&finding, &account, balance);
                let place = Place::Balance { account, named, balance: balance.clone() };
                Decided { finding: finding.id, place, answered: false }
            }
            Act::GiveBack(choice) => {
                let finding = self.recent_finding(*choice)?.id;
                let model = &mut self.deployment.network.cloud().model;
                model.refunds_asked.insert(finding.clone());
                Decided { finding, place: Place::Payer, answered: false }
            }
            Act::DecideAgain(choice) => {
                let index = recent(*choice, self.books().decided.len(), calm)?;
                return self.decide(index, calm).await;
            }
            _ => return None,
        };
        self.books().decided.push(decided);
        let index = self.books().decided.len() - 1;
        self.decide(index, calm).await
    }

    /// A finding about a payment that has no place; now and then any other one.
    fn recent_finding(&self, choice: usize) -> Option<FindingImage> {
        let cloud = self.deployment.network.cloud();
        let fits = |finding: &&FindingImage| {
            choice.is_multiple_of(7)
                || finding.is_lost() && finding.closed.is_none()
                || finding.how() == "credited" && choice.is_multiple_of(5)
        };
        let findings: Vec<_> = cloud.model.findings.values().filter(fits).collect();
        findings.get(choice / 7 % findings.len().max(1)).copied().cloned()
    }

    /// Writes down what an operator is about to say.
    fn say_place(&self, finding: &FindingImage, account: &str, balance: &str) {
        let mut cloud = self.deployment.network.cloud();
        let (account, target) = (account.to_owned(), balance.to_owned());
        let asked = (finding.id.clone(), account.clone(), target.clone());
        cloud.model.credits_asked.insert(asked);
        let order = finding.booked_as(&account);
        if let Some((amount, _)) = finding.actual {
            cloud.model.wish(&order, Wish::Found { account, target, amount });
        }
    }

    async fn decide(&self, index: usize, calm: bool) -> Option<Answer> {
        let Decided { finding, place, .. } = self.books().decided[index].clone();
        let (what, body) = match &place {
            Place::Balance { account, named: true, balance } => {
                ("credit", json!({"account_id": account, "balance": balance}))
            }
            Place::Balance { balance, .. } => ("credit", json!({"balance": balance})),
            Place::Payer => ("refund", json!({"reason": REASON})),
        };
        let (path, body) = (format!("/v1/admin/findings/{finding}/{what}"), body.to_string());
        let answer = self.deployment.admin("POST", &path, "none", &body).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = match &place {
            Place::Balance { account, balance, .. } => {
                answers::credited(&cloud, &finding, (account, balance), &answer)
            }
            Place::Payer => answers::given_back(&cloud, &finding, &answer),
        };
        cloud.must(within(calm, &answer, checked, &format!("{path} {body}")));
        drop(cloud);
        if answer.status < 500 {
            self.books().decided[index].answered = true;
        }
        Some(answer)
    }

    /// A day is compared for so long, and for at least an hour of it; or what is due, as by the clock.
    pub(super) async fn compare(&self, day: Option<u64>, time: Duration) {
        let compared = self.deployment.compare(day, time).await;
        let mut cloud = self.deployment.network.cloud();
        cloud.saw(match compared {
            Some(true) => "a comparison that ended",
            Some(false) => "a comparison that goes on later",
            None => "a comparison that was stopped",
        });
    }
}
