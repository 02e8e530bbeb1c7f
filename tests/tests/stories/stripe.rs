//! What is answered for Stripe and is not what was asked for.

use axum::http::header;
use ledger::OrderId;
use serde_json::json;
use service::error::{Error, Unavailable};
use service::secret::Secret;
use service::stripe::{Https, PageState, Stripe, StripeSettings};
use tests::story;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_not_the_one_that_was_asked_for_tells_nothing() {
    story(async |world| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = Some(format!("http://{}/", listener.local_addr().unwrap()));
        let page = json!({"id": "cs_one", "object": "checkout.session", "status": "expired"});
        let answer = ([(header::CONTENT_TYPE, "application/json")], page.to_string());
        let router = axum::Router::new().fallback(async || answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let secret = Secret::given("sk_test_123");
        let settings = StripeSettings { secret, stage: "test".to_owned(), live_mode: false };
        let stripe = Stripe::new(settings, Https { base_url });

        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        let id = OrderId::parse(&order.text("order_id")).unwrap();
        let record = world.table.order(&id).await.unwrap().unwrap();
        let look = async |page: &str| stripe.look(&record, page, world.clock.now()).await;
        assert!(matches!(look("cs_one").await, Ok(PageState::Expired)));
        let other = look("cs_other").await;
        assert!(matches!(other, Err(Error::Unavailable(Unavailable::Provider(_)))), "{other:?}");
    })
    .await;
}
