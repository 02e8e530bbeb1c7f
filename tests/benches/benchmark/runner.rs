//! The memory of the runner: `local::cloud::Cloud` in a process of its own, with its data in files,
//! as `cargo run` starts it. The process is this benchmark again, with another argument.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use local::clock::Clock;
use local::cloud::{Cloud, Settings};
use local::demo::DEMO_ACCOUNT;
use serde_json::{Value, json};
use tests::http::HttpClient;

use crate::calls::{Call, Customer, Webhooks};
use crate::report::{Table, digits, times};
use crate::{Scale, progress};

const ARGUMENT: &str = "--runner";
/// A card order for so many dollars pays for as many orders, itself included.
const ORDERS_OF_ONE_PAYMENT: usize = 100;
/// How many parts of all orders are made before the memory is read again.
const PARTS: [usize; 4] = [100, 10, 2, 1];

/// A runner in another process.
struct Runner {
    process: Child,
    base_url: String,
    customer: Customer,
    webhooks: Webhooks,
    http: HttpClient,
}

/// A folder that is removed in the end.
struct Folder(PathBuf);

/// The folder that a runner shall keep its data in, if these are the arguments of a runner.
pub(crate) fn folder(arguments: &[String]) -> Option<PathBuf> {
    let position = arguments.iter().position(|argument| argument == ARGUMENT)?;
    arguments.get(position + 1).map(PathBuf::from)
}

/// Is a runner, until nobody holds its standard input any more.
pub(crate) async fn serve(folder: &Path) {
    let settings =
        Settings { data_dir: Some(folder.to_owned()), ..Settings::in_memory(Clock::system()) };
    let cloud = Cloud::start(settings).await.expect("a local cloud");
    let ready = json!({
        "base_url": cloud.base_url,
        "key": cloud.keys.customer,
        "webhook_secret": cloud.webhook_secret,
    });
    println!("{ready}");
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    drop(ended.await);
}

/// Measures and prints.
pub(crate) async fn report(scale: &Scale) {
    let id = std::process::id();
    let folder = Folder(std::env::temp_dir().join(format!("topup-benchmark-{id}")));
    let columns = ["orders", "orders a second", "memory", "highest memory", "data on disk"];
    let mut table = Table::new(&columns);
    let runner = Runner::start(&folder.0);
    let empty = runner.memory("VmRSS:");
    let mut row = |what: String, speed: String, runner: &Runner| {
        let (now, highest) = (runner.memory("VmRSS:"), runner.memory("VmHWM:"));
        let now = format!("{} ({})", megabytes(now), times(now, empty));
        table.row(vec![what, speed, now, megabytes(highest), megabytes(folder.size())]);
    };
    row("0".to_owned(), String::new(), &runner);
    let mut made = 0;
    for part in PARTS {
        let until = scale.runner_orders / part;
        progress(&format!("the runner takes its orders up to {until}"));
        let begun = Instant::now();
        runner.order(made..until).await;
        let millis = usize::try_from(begun.elapsed().as_millis()).expect("less than centuries");
        let speed = (until - made) * 1_000 / millis.max(1);
        row(until.to_string(), speed.to_string(), &runner);
        made = until;
    }
    drop(runner);
    let runner = Runner::start(&folder.0);
    row(format!("{made}, started again"), String::new(), &runner);
    drop(runner);
    table.print("Memory of the runner, with its data in files; the baseline is an empty one");
}

impl Runner {
    fn start(folder: &Path) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .arg(ARGUMENT)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        let answer = process.stdout.take().expect("its standard output");
        BufReader::new(answer).read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("a runner that is ready");
        let text = |name: &str| ready[name].as_str().expect("a text").to_owned();
        let (account, key) = (DEMO_ACCOUNT.to_owned(), text("key"));
        Self {
            process,
            base_url: text("base_url"),
            customer: Customer { account, key, context: Value::Null },
            webhooks: Webhooks { clock: Clock::system(), secret: text("webhook_secret") },
            http: HttpClient::default(),
        }
    }

    /// Makes orders, one for each number: a card order, whose payment is credited, and then
    /// transfers until the money is spent. One client, because it is one account.
    async fn order(&self, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let key = number.to_string();
            if number % ORDERS_OF_ONE_PAYMENT > 0 {
                self.send(&Call::transfer(&self.customer, &key)).await;
                continue;
            }
            let dollars = u32::try_from(ORDERS_OF_ONE_PAYMENT).expect("dollars");
            self.send(&Call::order(&self.customer, "wallet", &key, &format!("{dollars}.00"))).await;
            let paid = Call::webhook(&self.webhooks, &self.customer, &key, dollars * 100);
            self.send(&paid).await;
        }
    }

    async fn send(&self, call: &Call) {
        let answer = self.http.send(call.request(&self.base_url)).await.expect("an answer");
        drop(answer.expect(call.operation.status()));
    }

    /// Kilobytes of memory, as Linux names them.
    fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("Linux tells of its processes");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.expect("a line").trim().trim_end_matches(" kB");
        serde_json::from_str(number).expect("a number")
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

impl Folder {
    /// Kilobytes in its files.
    fn size(&self) -> u64 {
        let files = fs::read_dir(&self.0).expect("a folder").flatten();
        let sizes = files.filter_map(|file| file.metadata().ok());
        sizes.fold(0, |sum, file| sum + file.len()) / 1_024
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn megabytes(kilobytes: u64) -> String {
    format!("{} MB", digits(kilobytes * 100 / 1_024))
}
