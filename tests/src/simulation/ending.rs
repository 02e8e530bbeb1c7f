//! The second phase of a history: nothing fails any more, and everything must come to its end.

use std::time::Duration;

use super::actors::{Act, Patience};
use super::comparing::DAY;
use super::going_back::Standing;
use super::history::Run;
use super::provider::SessionStatus;

/// Calls in which a day is compared in calm weather, at most.
const CALLS: usize = 4;
/// Longer than the comparison of a day takes.
const LONG: Duration = Duration::from_secs(600);

impl Run {
    /// Today, counted from 1970.
    pub(super) fn today(&self) -> u64 {
        u64::try_from(self.actors.deployment.clock.unix_millis()).unwrap_or_default() / DAY
    }

    /// The comparison alone completes whatever the provider took and gave back, and nobody told. It
    /// compares payments: that one which was credited is said to have paid another order too is told
    /// by that order's page, which the sweep asks for.
    pub(super) async fn comparing_needs_no_sweep(&mut self) -> Result<(), String> {
        self.everything_is_compared().await?;
        let cloud = self.actors.deployment.network.cloud();
        cloud.model.payments_are_settled(|model, payment| {
            model.credited.get(&payment.id).is_some_and(|order| *order != payment.order)
        })?;
        cloud.model.everything_moved_went_back(&cloud.provider.back, |_| true)
    }

    /// Every day of which there is something is compared to its end, and its report is explained.
    pub(super) async fn everything_is_compared(&self) -> Result<(), String> {
        let today = self.today();
        let mut days = {
            let cloud = self.actors.deployment.network.cloud();
            cloud.model.days(&cloud.provider)
        };
        // What is continued or credited by comparing an earlier day is of today.
        days.remove(&today);
        for day in days.into_iter().chain([today]) {
            self.day_is_compared(day).await?;
        }
        Ok(())
    }

    async fn day_is_compared(&self, day: u64) -> Result<(), String> {
        for _ in 0..CALLS {
            // What a comparison itself sets going is for the next one to tell; and one that was
            // stopped goes on first, with what it read before.
            let fresh = !self.actors.deployment.network.cloud().model.is_under_way(day);
            let before = self.set_going();
            let ended = self.actors.deployment.compare(Some(day), LONG).await;
            self.nothing_is_wrong()?;
            if ended == Some(true) && fresh && self.set_going() == before {
                let cloud = self.actors.deployment.network.cloud();
                return cloud.model.day_is_explained(day, &cloud.provider);
            }
        }
        Err(format!("day {day} was not compared to its end"))
    }

    /// Movements of the provider, and findings that were opened again.
    fn set_going(&self) -> (usize, u64) {
        let cloud = self.actors.deployment.network.cloud();
        (cloud.provider.moved(0, u64::MAX).count(), cloud.model.opened_again)
    }

    /// Every page that is open will be closed, and every delayed payment arrives or fails.
    pub(super) async fn everything_ends(&mut self) {
        self.delayed_payments_end();
        self.actors.deployment.network.cloud().provider.back.next = Standing::Succeeded;
        // A week, in which nobody reports what nobody paid.
        self.days_pass(7);
        self.actors.act(self.done, Act::Sweep, Patience::Calm).await;
    }

    /// Every refund that is on its way arrives or comes back, told or not, and is found out.
    pub(super) async fn refunds_end(&mut self) {
        {
            let mut cloud = self.actors.deployment.network.cloud();
            for index in 0..cloud.provider.back.refunds.len() {
                if cloud.provider.back.refunds[index].standing == Standing::Pending {
                    let came_back = self.random.u32(0..3) == 0;
                    let standing = if came_back { Standing::Failed } else { Standing::Succeeded };
                    let lost = self.random.bool();
                    cloud.provider.refund_ends(index, standing, lost);
                }
            }
        }
        self.actors.deployment.clock.advance(Duration::from_secs(5 * 60));
        self.actors.act(self.done, Act::Sweep, Patience::Calm).await;
    }

    fn delayed_payments_end(&mut self) {
        let mut cloud = self.actors.deployment.network.cloud();
        for index in 0..cloud.provider.sessions.len() {
            if cloud.provider.sessions[index].status == SessionStatus::Delayed {
                match self.random.bool() {
                    true => {
                        let payment = cloud.provider.arrive(index);
                        cloud.model.payments.insert(payment);
                    }
                    false => cloud.provider.fail_delayed(index),
                }
            }
        }
    }

    pub(super) fn a_day_passes(&self) {
        self.days_pass(1);
    }

    fn days_pass(&self, days: u64) {
        self.actors.deployment.clock.advance(Duration::from_secs((days * 24 + 1) * 3_600));
        self.actors.deployment.network.cloud().provider.expire_overdue();
    }
}
