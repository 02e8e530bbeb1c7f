//! First steps of a deployment, by the operator's own AWS credentials.
//!
//! `cargo run -p admin -- create-key` makes the first operator key, or a customer's;
//! `cargo run -p admin -- set-catalogue FILE` says what can be topped up.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use ledger::{AccountId, Actor, Currency};
use service::catalogue::Catalogue;
use service::configuration::{CatalogueChange, change_catalogue};
use service::keys::{self, ID_BYTES, KeyOwner, NewKey, SECRET_BYTES, Scope};
use service::lambda::{Runtime, now};
use service::table::Table;

type Failure = Box<dyn std::error::Error>;

/// First steps of a Topup deployment. The table is named by TABLE_NAME; AWS credentials and region
/// come from where the AWS CLI finds them.
#[derive(Debug, Parser)]
#[command(name = "admin")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an API key and print it, once: for the operator, or for a customer's account
    CreateKey {
        /// Who will use it, as orders will name them
        #[arg(long, default_value = "operator")]
        name: String,
        /// Make a customer's key for this account; the account comes into being with its first key
        #[arg(long)]
        account: Option<String>,
        /// The currency of a new account
        #[arg(long, default_value = "USD")]
        currency: String,
    },
    /// Replace the catalogue by this JSON file (infra/catalogue.json shows the form)
    SetCatalogue {
        /// The file
        file: PathBuf,
    },
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let table = Runtime::start().await.table()?;
    match arguments.command {
        Command::CreateKey { name, account, currency } => {
            create_key(&table, &name, account.as_deref(), &currency).await
        }
        Command::SetCatalogue { file } => {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            set_catalogue(&table, &text).await
        }
    }
}

async fn create_key(
    table: &Table,
    name: &str,
    account: Option<&str>,
    currency: &str,
) -> Result<(), Failure> {
    let name = Actor::parse(name).map_err(|error| format!("--name {error}"))?;
    let currency = Currency::parse(currency).map_err(|error| format!("--currency {error}"))?;
    let (owner, scopes) = match account {
        None => (KeyOwner::Operator, Scope::OPERATOR),
        Some(id) => {
            let id = AccountId::parse(id).map_err(|error| format!("--account {error}"))?;
            (KeyOwner::Account(id), Scope::CUSTOMER)
        }
    };
    let mut random = [0; ID_BYTES + SECRET_BYTES];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    let new = NewKey::new(&random, owner, name, scopes.to_vec(), now());
    keys::store(table, &new.key, currency).await?;
    println!("{}", new.text);
    eprintln!("Keep it: only its hash is stored, and it is not shown again.");
    Ok(())
}

async fn set_catalogue(table: &Table, text: &str) -> Result<(), Failure> {
    let catalogue = Catalogue::parse(text)?;
    let count = catalogue.products.len();
    let everything = CatalogueChange::Everything(catalogue);
    change_catalogue(table, &everything, &Actor::operator(), now()).await?;
    println!("{count} products; functions see it within a minute");
    Ok(())
}
