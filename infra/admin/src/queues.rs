//! The queues of a deployment and their dead letters, by the names that `infra/queues.yaml` gives them.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use clap::ValueEnum;

use crate::answer::tell;
use crate::deployment::Which;
use crate::problem::Problem;

/// A queue that has dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Queue {
    /// Payments that could not be confirmed
    Confirmation,
    /// Usage that could not be charged
    Usage,
    /// Events that could not be tried to be sent
    Events,
}

/// The queues of one deployment.
#[derive(Debug)]
pub(crate) struct Queues {
    pub(crate) client: Client,
    stage: String,
    region: String,
}

/// A queue that is there.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) arn: String,
    /// Messages that can be received now, as SQS counts them: about.
    pub(crate) messages: u64,
    /// Messages that somebody has received and not given back.
    pub(crate) in_flight: u64,
}

impl Queue {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Confirmation, Self::Usage, Self::Events];

    /// As it is named on the command line and in the names of queues.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::Usage => "usage",
            Self::Events => "events",
        }
    }
}

impl Queues {
    /// The queues of the stage.
    pub(crate) async fn of(which: &Which) -> Result<Self, Problem> {
        let stage = which.stage()?;
        let deployment = which.deployment().await?;
        let (client, region) = (Client::new(&deployment.sdk), deployment.region);
        tell(&format!("Queues of stage {stage} in {region}."));
        Ok(Self { client, stage, region })
    }

    /// The queue that a function takes from.
    pub(crate) async fn source(&self, queue: Queue) -> Result<Found, Problem> {
        self.found(format!("topup-{}-{}", self.stage, queue.name())).await
    }

    /// Its dead letters.
    pub(crate) async fn dead_letters(&self, queue: Queue) -> Result<Found, Problem> {
        self.found(format!("topup-{}-{}-dead", self.stage, queue.name())).await
    }

    async fn found(&self, name: String) -> Result<Found, Problem> {
        let missing = |name| Problem::Missing { what: "queue", name, region: self.region.clone() };
        let url = match self.client.get_queue_url().queue_name(&name).send().await {
            Ok(answer) => answer.queue_url,
            Err(error) => {
                let known = error.as_service_error();
                return Err(match known.is_some_and(|known| known.is_queue_does_not_exist()) {
                    true => missing(name),
                    false => Problem::of(error),
                });
            }
        };
        let Some(url) = url else { return Err(missing(name)) };
        let attributes = self
            .client
            .get_queue_attributes()
            .queue_url(&url)
            .attribute_names(QueueAttributeName::QueueArn)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
            .send()
            .await
            .map_err(Problem::of)?
            .attributes
            .unwrap_or_default();
        let text = |name| attributes.get(&name).cloned().unwrap_or_default();
        let count = |name| u64::from_str_radix(&text(name), 10).unwrap_or_default();
        Ok(Found {
            name,
            url,
            arn: text(QueueAttributeName::QueueArn),
            messages: count(QueueAttributeName::ApproximateNumberOfMessages),
            in_flight: count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
        })
    }
}
