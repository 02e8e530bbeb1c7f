//! What arrives and should not.

use serde_json::{Value, json};

use super::cloud::Cloud;
use super::going_back::Taken;
use super::model::{Payment, order_id};
use super::movements::Category;

impl Cloud {
    /// An event for another deployment, one that cannot be read, one about an order that nobody
    /// knows, or a message that nobody sent.
    pub fn something_strange(&mut self, chance: u32) {
        let marks = |stage: &str, order: &str| json!({"topup_stage": stage, "account_id": "customer-1", "order_id": order});
        let session = |metadata: Value, payment: &str| {
            json!({
                "id": "cs_strange", "object": "checkout.session", "metadata": metadata,
                "payment_status": "paid", "amount_total": 5_000, "currency": "usd",
                "payment_intent": payment,
            })
        };
        let completed = "checkout.session.completed";
        match chance % 4 {
            0 => {
                let stranger = session(marks("other", "ord_00000000000000000000"), "pi_other");
                self.provider.tell_strangely(completed, stranger, false);
                self.provider.book(Category::Payout, "po_1", 100, "usd");
            }
            1 => {
                let unreadable = session(marks("local", "no order"), "pi_unreadable");
                self.provider.tell_strangely(completed, unreadable, true);
            }
            2 => {
                let id = format!("pi_unknown_{}", self.provider.events.len());
                let order = order_id("customer-1", "order", &id);
                let event = session(marks("local", &order), &id);
                self.provider.tell_strangely(completed, event, false);
                self.provider.really_take(&Taken {
                    payment: id.clone(),
                    account: "customer-1".to_owned(),
                    order: order.clone(),
                    cents: 5_000,
                    currency: "usd",
                    created: self.provider.now(),
                });
                let currency = "usd".to_owned();
                self.model.payments.insert(Payment { id, order, cents: 5_000, currency });
            }
            _ => self.queue.push("nobody sent this".to_owned()),
        }
        self.note(&format!("strange {}", chance % 4));
    }
}
