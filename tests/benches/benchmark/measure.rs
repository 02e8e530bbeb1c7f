//! Taking samples: clients that do one thing after another, and how long each took.

use std::ops::Range;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

/// How much of a load there is.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Clients at the same time.
    pub(crate) clients: usize,
    /// What each of them does that is measured.
    pub(crate) each: usize,
    /// What each of them does before that.
    pub(crate) warm_up: usize,
}

/// What was measured.
pub(crate) struct Figures {
    /// Nanoseconds of each sample.
    nanoseconds: Histogram<u64>,
    elapsed: Duration,
    /// Samples that were not answered as they should have been.
    pub(crate) failed: u64,
}

impl Load {
    /// So many samples, shared by so many clients.
    pub(crate) const fn shared(samples: usize, clients: usize) -> Self {
        let each = samples / clients;
        Self { clients, each, warm_up: each / 10 + 1 }
    }

    /// How many different things each client does.
    pub(crate) const fn things(self) -> usize {
        self.warm_up + self.each
    }
}

impl Figures {
    /// No samples yet.
    pub(crate) fn none() -> Self {
        let nanoseconds = Histogram::new(3).expect("three digits");
        Self { nanoseconds, elapsed: Duration::ZERO, failed: 0 }
    }

    /// Takes one sample.
    pub(crate) fn take(&mut self, took: Duration, succeeded: bool) {
        let nanoseconds = u64::try_from(took.as_nanos()).expect("less than centuries");
        self.nanoseconds.record(nanoseconds).expect("the histogram grows");
        self.elapsed += took;
        self.failed += u64::from(!succeeded);
    }

    /// Samples.
    pub(crate) fn count(&self) -> u64 {
        self.nanoseconds.len()
    }

    /// Samples that succeeded, a second.
    pub(crate) fn a_second(&self) -> u64 {
        let micros = u64::try_from(self.elapsed.as_micros()).expect("less than centuries");
        (self.count() - self.failed) * 1_000_000 / micros.max(1)
    }

    /// Nanoseconds that half of the samples took at most.
    pub(crate) fn p50(&self) -> u64 {
        self.nanoseconds.value_at_percentile(50.0)
    }

    /// Nanoseconds that 95 of 100 samples took at most.
    pub(crate) fn p95(&self) -> u64 {
        self.nanoseconds.value_at_percentile(95.0)
    }

    /// Nanoseconds that 99 of 100 samples took at most.
    pub(crate) fn p99(&self) -> u64 {
        self.nanoseconds.value_at_percentile(99.0)
    }

    fn add(&mut self, other: &Self) {
        self.nanoseconds.add(&other.nanoseconds).expect("the histogram grows");
        self.failed += other.failed;
    }
}

/// Lets every client do one thing after another. `work` makes the thing ready, given the client and
/// a number that is its own among this client's things; what is measured is the future that it
/// returns, which says whether it succeeded.
pub(crate) async fn measure<Work, Sample>(load: Load, work: Work) -> Figures
where
    Work: Fn(usize, usize) -> Sample + Clone + Send + 'static,
    Sample: Future<Output = bool> + Send,
{
    drop(round(load.clients, 0..load.warm_up, &work).await);
    let begun = Instant::now();
    let mut figures = round(load.clients, load.warm_up..load.things(), &work).await;
    figures.elapsed = begun.elapsed();
    figures
}

/// One sample of what a future takes.
pub(crate) async fn sample(figures: &mut Figures, work: impl Future<Output = bool>) {
    let begun = Instant::now();
    let succeeded = work.await;
    figures.take(begun.elapsed(), succeeded);
}

async fn round<Work, Sample>(clients: usize, things: Range<usize>, work: &Work) -> Figures
where
    Work: Fn(usize, usize) -> Sample + Clone + Send + 'static,
    Sample: Future<Output = bool> + Send,
{
    let mut running = JoinSet::new();
    for client in 0..clients {
        let (things, work) = (things.clone(), work.clone());
        running.spawn(async move {
            let mut figures = Figures::none();
            for thing in things {
                sample(&mut figures, work(client, thing)).await;
            }
            figures
        });
    }
    let mut all = Figures::none();
    while let Some(figures) = running.join_next().await {
        all.add(&figures.expect("a client does not stop"));
    }
    all
}
