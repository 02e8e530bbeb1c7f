//! `erase`: what customers wrote, out of the orders of an account. Its journal has none of it.

use clap::Args;
use ledger::{AccountId, Actor, OrderId};
use serde_json::json;
use service::erasure::{Personal, erase, personal};
use service::lambda::now;

use crate::answer::{Answer, Outcome};
use crate::deployment::Which;
use crate::problem::Problem;
use crate::progress;

/// Erase the personal data of an account: shows what there is, and with --yes erases it
///
/// The name of the account becomes its id, and its closed orders lose e-mail address, metadata, return
/// address, and what was reported of bank transfers. Amounts, times, statuses, payment references and
/// the journal stay, and `verify` holds as before. It cannot be undone, except from a backup. The account
/// must be frozen. Orders that are open, or whose refund or dispute is under way, are left: end that first. Ends with code 3
/// if orders are left, or if there is something to erase and --yes was not said. Uploaded files are in folders of the bucket that the answer names. docs/operate.md says what is kept elsewhere.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  topup-admin --stage prod erase --account acme          look
  topup-admin --stage prod erase --account acme --yes    erase")]
pub(crate) struct Erase {
    /// The account
    #[arg(long, value_name = "ID")]
    account: String,
    /// Erase it, and not only look
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(which: &Which, command: Erase) -> Result<Answer, Problem> {
    let account = AccountId::parse(&command.account);
    let account = account.map_err(|error| Problem::asked("--account", error))?;
    let (table, _) = which.table().await?;
    let working = progress::spinner(format!("reading the orders of {account}"));
    let found = match command.yes {
        true => erase(&table, &account, &Actor::operator(), now()).await,
        false => personal(&table, &account).await,
    };
    working.finish_and_clear();
    Ok(answer(&account, &found?, command.yes))
}

fn answer(account: &AccountId, found: &Personal, erases: bool) -> Answer {
    let count = found.orders.len();
    let nothing_there = found.orders.is_empty() && !found.named;
    let nothing_left = found.open.is_empty() && (erases || nothing_there);
    let name = if found.named { ", and it has a name" } else { "" };
    let mut lines = vec![match erases {
        true => format!("{count} orders of {account} were cleared, and its name."),
        false if nothing_there => format!("There is nothing to erase of {account}."),
        false => format!(
            "{count} orders of {account} have words of the customer{name}. With --yes these go, once it is frozen. \
             Nothing was changed."
        ),
    }];
    for order in &found.open {
        lines.push(format!("Open, and left as it is: {order}"));
    }
    for folder in &found.folders {
        lines.push(format!("Files: aws s3 rm --recursive \"s3://$FILES_BUCKET/{folder}/\""));
    }
    let ids = |orders: &[OrderId]| orders.iter().map(ToString::to_string).collect::<Vec<_>>();
    let json = json!({
        "account_id": account.as_str(),
        "erased": erases && nothing_left,
        "named": found.named,
        "orders": ids(&found.orders),
        "open": ids(&found.open),
        "folders": found.folders,
    });
    let outcome = if nothing_left { Outcome::Well } else { Outcome::MustLook };
    Answer::new(lines.join("\n"), json, outcome)
}
