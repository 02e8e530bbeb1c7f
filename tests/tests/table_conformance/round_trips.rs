//! Every kind of record reads as it was written.

use std::collections::BTreeMap;

use ledger::{
    Account, AccountStatus, Actor, Balance, CancelStep, EntryKind, External, FailedAttempt,
    Finding, FindingKind, Movement, Order, OrderStatus, Place, Settlement, Target, Timestamp,
    Transfer, attempt_failed, cancel, payment_failed, payment_processing, session_expired,
    transfer,
};
use service::catalogue::{Catalogue, CatalogueVersion};
use service::keys::{ApiKey, KeyOwner, NewKey, Scope};
use service::record::{Checkout, CheckoutSession, ClaimOrFinding, OrderRecord, RequestWords};
use service::table::Commit;

use crate::back::given_back;
use crate::engine::{Checked, item, key, number, on_each, text};
use crate::records::{
    self, NOW, account_id, card_order, cents, credited, later, order_id, payment, payment_id,
    product, store, unopened, usd,
};

/// The last millisecond that has a text.
pub(crate) const LATEST: Timestamp = Timestamp::from_unix_millis(253_402_300_799_999);

/// Card orders that got stuck, failed, ended or were paid, each in its own way.
fn moved_on() -> Vec<Order> {
    let new = |key: &str| card_order(key, "25.50", NOW).order;
    let by = Actor::parse("a person, ÄÖÜ 👩").unwrap();
    let failed = FailedAttempt {
        payment_id: payment_id("failed"),
        decline_code: Some("insufficient_funds".to_owned()),
        at: later(1),
        reference: "evt_failed".to_owned(),
    };
    let declined = attempt_failed(&new("declined"), &failed).unwrap();
    let no_reason = FailedAttempt { decline_code: None, reference: String::new(), ..failed };
    let declined = attempt_failed(&declined, &no_reason).unwrap();
    let processing = payment_processing(&new("processing"), later(2)).unwrap().unwrap();
    let failed = payment_processing(&new("failed"), later(2)).unwrap().unwrap();
    let failed = payment_failed(&failed, LATEST).unwrap().unwrap();
    let Ok(CancelStep::Request(requested)) = cancel(&new("cancelled"), &by, NOW) else {
        panic!("the wish is stored first");
    };
    let Ok(CancelStep::Close(cancelled)) = cancel(&requested, &by, later(3)) else {
        panic!("then the page is closed");
    };
    let expired = session_expired(&new("expired"), later(4)).unwrap().unwrap();
    let disputed = card_order("disputed", "25.50", NOW);
    let paid = payment("disputed", &disputed);
    let kind = FindingKind::AmountDiffers;
    let disputed = ledger::not_credited(&disputed.order, &paid, kind, later(5)).unwrap();
    let Settlement::Found { order: Some(disputed), .. } = disputed else {
        panic!("an order that was not credited becomes an exception");
    };
    let late = session_expired(&new("late"), later(4)).unwrap().unwrap();
    let late = OrderRecord { order: late, ..card_order("late", "25.50", NOW) };
    let owing = Account { debt: Balance::parse("0.000001").unwrap(), ..unopened() };
    let (late, ..) = credited(&late, &owing, &payment("late", &late));
    assert!(late.order.late && late.order.debt_paid != Some(Balance::ZERO));
    let partly = card_order("refunded", "25.50", NOW);
    let (partly, ..) = credited(&partly, &unopened(), &payment("refunded", &partly));
    let partly = given_back(&partly.order);
    assert_eq!(partly.status(), OrderStatus::PartiallyRefunded);
    vec![declined, processing, failed, *cancelled, expired, *disputed, late.order, partly]
}

fn every_order() -> Vec<OrderRecord> {
    let plain = card_order("plain", "0.01", NOW);
    let nothing = RequestWords::default();
    let bare = card_order("bare", "1000000000000", Timestamp::from_unix_millis(0));
    let bare = OrderRecord { request: nothing, checkout: None, ..bare };
    let words = RequestWords {
        email: Some(String::new()),
        return_url: Some("https://example.com/é?a=b#c".to_owned()),
        metadata: (0..50).map(|key| (format!("{key} 键"), "値".repeat(key))).collect(),
    };
    let session =
        CheckoutSession { id: "cs_1".to_owned(), url: "https://example.com/1".to_owned() };
    let shown = card_order("shown", "99999.99", LATEST);
    let page = Checkout { attempt: u32::MAX, session: Some(session), ..shown.checkout.unwrap() };
    let shown = OrderRecord { request: words, checkout: Some(page), ..shown };
    let funds = Balance::parse("1").unwrap();
    let rich = Account { balances: BTreeMap::from([(Place::WALLET, funds)]), ..unopened() };
    let command = Transfer {
        order_id: order_id("transfer"),
        product: product("sms"),
        amount: cents(100),
        by: Actor::parse("a key").unwrap(),
    };
    let (moved, _) = transfer(&rich, &command, NOW).unwrap();
    let orders = moved_on().into_iter().chain([moved]);
    let orders = orders.map(|order| OrderRecord { order, ..plain.clone() });
    [plain.clone(), bare, shown].into_iter().chain(orders).collect()
}

#[tokio::test]
async fn an_order_in_every_state() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        for record in every_order() {
            store(&table, Commit::default().order(&record, NOW)).await?;
            let stored = record.written(NOW);
            assert_eq!(table.order(&stored.order.id).await?, Some(stored));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_account_with_every_kind_of_place() -> Checked {
    let balances = [
        ("wallet", "1000000000000000"),
        ("wallet:held", "0"),
        ("product:sms", "0.000001"),
        ("product:sms:held", "999999999999999.999999"),
    ];
    let place = |(place, balance)| (Place::parse(place).unwrap(), Balance::parse(balance).unwrap());
    let full = Account {
        status: AccountStatus::Frozen,
        version: 1,
        entries: 999_999_999_999,
        head: ledger::EntryHash::parse(&"0f".repeat(32)).unwrap(),
        last_entry_at: Some(LATEST),
        balances: balances.into_iter().map(place).collect(),
        debt: Balance::parse("0.1").unwrap(),
        ..unopened()
    };
    on_each(async |engine| {
        let table = engine.table();
        for version in 1..=2 {
            let account = Account { version, ..full.clone() };
            store(&table, Commit::default().account(&account)).await?;
            assert_eq!(table.account(&account_id()).await?, Some(account));
        }
        let empty = Account { version: 3, ..unopened() };
        store(&table, Commit::default().account(&empty)).await?;
        assert_eq!(table.account(&account_id()).await?, Some(empty));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_entry_of_each_kind() -> Checked {
    let card = Place::External(External::Card);
    let debt = Place::External(External::Debt);
    let to = |from: &Place, to: &Place, amount: &str| Movement {
        from: from.clone(),
        to: to.clone(),
        money: usd(amount),
    };
    let sms = Place::Available(Target::Product(product("sms")));
    let owing = Account { version: 1, debt: Balance::parse("0.5").unwrap(), ..unopened() };
    let movements = [to(&card, &Place::WALLET, "1000000000000"), to(&card, &debt, "0.50")];
    let first = owing.post(EntryKind::CardTopUp, "ord_1", &movements, LATEST).unwrap();
    let movements = [to(&Place::WALLET, &sms, "0.01")];
    let second = first.account.post(EntryKind::Transfer, "", &movements, NOW).unwrap();
    on_each(async |engine| {
        let table = engine.table();
        store(&table, Commit::default().account(&owing)).await?;
        store(&table, Commit::default().decision(&first)).await?;
        store(&table, Commit::default().decision(&second)).await?;
        let entries = table.entries(&account_id(), None, 10).await?.items;
        assert_eq!(entries, [second.entries[0].clone(), first.entries[0].clone()]);
        assert!(entries.iter().all(|entry| entry.hash == entry.computed_hash()));
        assert_eq!(table.account(&account_id()).await?, Some(second.account.clone()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn keys_and_the_catalogue() -> Checked {
    let new = |random: u8, owner, scopes: &[Scope]| {
        let name = Actor::parse(&"ключ".repeat(25)).unwrap();
        NewKey::new(&[random; 42], owner, name, scopes.to_vec(), NOW).key
    };
    let of_account = new(1, KeyOwner::Account(account_id()), &Scope::CUSTOMER);
    let revoked = ApiKey {
        expires_at: Some(LATEST),
        revoked_at: Some(Timestamp::from_unix_millis(-1)),
        ..new(2, KeyOwner::Operator, &[])
    };
    let catalogue =
        records::catalogue(Catalogue::parse(include_str!("../../../infra/catalogue.json"))?);
    on_each(async |engine| {
        let table = engine.table();
        for key in [&of_account, &revoked] {
            store(&table, Commit::default().api_key(key)).await?;
            let stored = ApiKey { version: 1, ..key.clone() };
            assert_eq!(table.api_key(&key.id).await?, Some(stored));
        }
        store(&table, Commit::default().catalogue(&catalogue)).await?;
        let stored = CatalogueVersion { version: 1, ..catalogue.clone() };
        assert_eq!(table.catalogue().await?, Some(stored));
        let changed = table.change("catalogue", 1).await?;
        assert_eq!(changed, Some(catalogue.changed()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_claim_and_a_finding_as_their_items() -> Checked {
    let order = card_order("order", "25.50", NOW);
    let (_, claim, _) = credited(&order, &unopened(), &payment("p", &order));
    let finding = Finding {
        kind: FindingKind::UnknownOrder,
        account: Some(account_id()),
        order: Some(order_id("order")),
        payment: Some(payment_id("p")),
        reversal: None,
        expected: None,
        actual: Some(usd("25.50")),
        found_at: NOW,
    };
    let id = finding.id();
    on_each(async |engine| {
        let table = engine.table();
        store(&table, Commit::default().payment(&claim).new_finding(&finding)).await?;
        let stored = engine.get(key("PAYMENT", "pi_p")).await?.ok_or("a claim")?;
        let expected = item([
            ("pk", text("PAYMENT#pi_p")),
            ("sk", text("PAYMENT")),
            ("account_id", text("acme")),
            ("order_id", text(order_id("order").as_str())),
            ("amount", text("25.50")),
            ("currency", text("USD")),
            ("settled_at", number(NOW.unix_millis())),
            ("due_queue", stored["due_queue"].clone()),
            ("due_at", text("2026-11-23T12:00:00.000Z#pi_p")),
        ]);
        assert_eq!(stored, expected);
        let stored = engine.get(key("FINDING", &id)).await?.ok_or("a finding")?;
        assert_eq!(stored["kind"], text("unknown_order"));
        assert_eq!(stored["found_at"], number(NOW.unix_millis()));
        assert_eq!(stored["listed_under"], text("FINDINGS#open"));
        assert_eq!(stored["listed_at"], text(format!("2026-11-23T12:00:00.000Z#{id}")));
        assert!(!stored.contains_key("expected") && !stored.contains_key("due_queue"));
        // A payment that was credited leads to its claim, else to its finding.
        let known = table.payment_or_finding(&claim.payment).await?;
        assert_eq!(known, Some(ClaimOrFinding::Claim(claim.clone())));
        let stored = engine
            .get(item([("pk", text("PAYMENT#pi_p")), ("sk", text("FOUND"))]))
            .await?
            .ok_or("a pointer")?;
        assert_eq!(stored["finding_id"], text(id.as_str()));
        Ok(())
    })
    .await
}
