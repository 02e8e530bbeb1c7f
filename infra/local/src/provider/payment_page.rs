//! The payment page: a form that works without scripts, on a phone as well.

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::cards::{self, CardForm, Mistake};
use super::objects::{Decline, Session, SessionStatus};
use super::payments::{self, Attempt, Difference};
use super::store::StoreError;
use super::{Provider, money};

pub(super) fn router() -> Router<Provider> {
    Router::new().route("/pay/{id}", get(show).post(submit))
}

/// What stands above the form.
#[derive(Clone, Copy)]
enum Notice {
    None,
    Mistake(Mistake),
    Declined(Decline),
}

async fn show(State(provider): State<Provider>, Path(id): Path<String>) -> Response {
    let session = provider.transact(|announcer| announcer.books.get::<Session>(&id));
    match session {
        Ok(Some(session)) if session.status == SessionStatus::Open => {
            let email = session.customer_email.clone().unwrap_or_default();
            form(&session, &email, Notice::None)
        }
        Ok(Some(session)) => closed(&session),
        Ok(None) => not_found(),
        Err(error) => broken(&error),
    }
}

async fn submit(
    State(provider): State<Provider>,
    Path(id): Path<String>,
    Form(submitted): Form<CardForm>,
) -> Response {
    let attempt = match submitted.confirmation {
        Some(confirmation) => {
            provider.transact(|announcer| payments::confirm(announcer, &id, confirmation))
        }
        None => match cards::read(&submitted, provider.now()) {
            Ok(submission) => provider.transact(|announcer| {
                payments::pay(announcer, &id, submission, Difference::default())
            }),
            Err(mistake) => return mistaken(&provider, &id, &submitted.email, mistake),
        },
    };
    provider.0.wake.notify_one();
    match attempt {
        Ok(None) => not_found(),
        Ok(Some(Attempt::Paid { session, event })) => {
            provider.first_answer(&event).await;
            redirect(&session)
        }
        Ok(Some(Attempt::Declined { session, decline })) => {
            let email = match submitted.email {
                typed if typed.is_empty() => session.customer_email.clone().unwrap_or_default(),
                typed => typed,
            };
            form(&session, &email, Notice::Declined(decline))
        }
        Ok(Some(Attempt::NeedsConfirmation(session))) => confirmation(&session),
        Ok(Some(Attempt::Refused(session))) if session.status == SessionStatus::Open => {
            let email = session.customer_email.clone().unwrap_or_default();
            form(&session, &email, Notice::None)
        }
        Ok(Some(Attempt::Refused(session))) => closed(&session),
        Err(error) => broken(&error),
    }
}

/// A mistake in the form of an open session; any other session says what it is.
fn mistaken(provider: &Provider, id: &str, email: &str, mistake: Mistake) -> Response {
    match provider.transact(|announcer| announcer.books.get::<Session>(id)) {
        Ok(Some(session)) if session.status == SessionStatus::Open => {
            form(&session, email, Notice::Mistake(mistake))
        }
        Ok(Some(session)) => closed(&session),
        Ok(None) => not_found(),
        Err(error) => broken(&error),
    }
}

fn redirect(session: &Session) -> Response {
    let target = return_url(session);
    match HeaderValue::from_str(&target) {
        Ok(target) => (StatusCode::SEE_OTHER, [(header::LOCATION, target)]).into_response(),
        Err(_) => closed(session),
    }
}

fn return_url(session: &Session) -> String {
    session.success_url.replace("{CHECKOUT_SESSION_ID}", &session.id)
}

fn form(session: &Session, email: &str, notice: Notice) -> Response {
    let (status, code, message) = match notice {
        Notice::None => (StatusCode::OK, "", ""),
        Notice::Mistake(mistake) => {
            (StatusCode::UNPROCESSABLE_ENTITY, mistake.code(), mistake.message())
        }
        Notice::Declined(decline) => {
            let code = decline.decline_code().unwrap_or(decline.code());
            (StatusCode::PAYMENT_REQUIRED, code, decline.message())
        }
    };
    let alert = match message {
        "" => String::new(),
        _ => format!(r#"<p class="alert" role="alert" data-code="{code}">{message}</p>"#),
    };
    let amount = money::display(session.amount_total, &session.currency);
    let (email, amount) = (escape(email), escape(&amount));
    let content = format!(
        r#"{summary}{alert}
<form method="post" autocomplete="on">
<label for="email">Email</label>
<input id="email" name="email" type="email" value="{email}" autocomplete="email" required>
<label for="card_number">Card number</label>
<input id="card_number" name="card_number" inputmode="numeric" autocomplete="cc-number"
 placeholder="1234 1234 1234 1234" maxlength="23" required>
<div class="pair"><div>
<label for="expiry">Expiry</label>
<input id="expiry" name="expiry" inputmode="numeric" autocomplete="cc-exp" placeholder="MM / YY"
 maxlength="9" required>
</div><div>
<label for="cvc">CVC</label>
<input id="cvc" name="cvc" inputmode="numeric" autocomplete="cc-csc" placeholder="CVC"
 maxlength="4" required>
</div></div>
<button type="submit">Pay {amount}</button>
</form>
<details><summary>Test cards</summary><dl>
<dt>4242 4242 4242 4242</dt><dd>pays</dd>
<dt>4000 0025 0000 3155</dt><dd>asks for a confirmation</dd>
<dt>4000 0000 0000 0002</dt><dd>is declined</dd>
<dt>4000 0000 0000 9995</dt><dd>has insufficient funds</dd>
</dl><p>Any later date, any three digits. Never type a real card number here.</p></details>
{back}"#,
        summary = summary(session),
        back = back(session),
    );
    page(status, "Pay", &content)
}

fn confirmation(session: &Session) -> Response {
    let content = format!(
        r#"{summary}<h2>Confirm this payment</h2>
<p>Your bank wants to know that it is you who pays.</p>
<form method="post" class="pair">
<button name="confirmation" value="complete">Complete</button>
<button name="confirmation" value="fail" class="quiet">Fail</button>
</form>"#,
        summary = summary(session),
    );
    page(StatusCode::OK, "Confirm", &content)
}

/// A session that is no longer open.
fn closed(session: &Session) -> Response {
    let summary = summary(session);
    if session.status == SessionStatus::Complete {
        let target = escape(&return_url(session));
        let content = format!(
            r#"{summary}<h2>Already paid</h2><p>This payment has been made.</p>
<p><a href="{target}">Back to the merchant</a></p>"#
        );
        return page(StatusCode::OK, "Already paid", &content);
    }
    let content = format!(
        "{summary}<h2>Expired</h2><p>This payment page is closed. Nothing was paid.</p>{back}",
        back = back(session),
    );
    page(StatusCode::GONE, "Expired", &content)
}

fn not_found() -> Response {
    let content = "<h2>Not found</h2><p>There is no such payment page.</p>";
    page(StatusCode::NOT_FOUND, "Not found", content)
}

fn broken(error: &StoreError) -> Response {
    tracing::error!(%error, "the stand-in's store failed");
    let content = "<h2>Something went wrong</h2><p>Please try again.</p>";
    page(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", content)
}

fn summary(session: &Session) -> String {
    let names: Vec<_> = session.items.iter().map(|item| escape(&item.name)).collect();
    let amount = escape(&money::display(session.amount_total, &session.currency));
    format!(r#"<p class="product">{}</p><p class="amount">{amount}</p>"#, names.join(", "))
}

fn back(session: &Session) -> String {
    let Some(url) = &session.cancel_url else {
        return String::new();
    };
    format!(r#"<p><a href="{}">Back without paying</a></p>"#, escape(url))
}

fn page(status: StatusCode, title: &str, content: &str) -> Response {
    let html = format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – Topup</title><style>{STYLE}</style></head>
<body><main><header><h1>Topup</h1><span class="badge">Test mode</span></header>
{content}</main></body></html>"#
    );
    let fields = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (status, fields, Html(html)).into_response()
}

/// Makes text safe inside an element and inside a quoted attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "
*{box-sizing:border-box}
body{margin:0;background:#f4f5f8;color:#1a1f36;font:16px/1.5 system-ui,sans-serif}
main{max-width:26rem;margin:0 auto;padding:1.5rem;background:#fff;min-height:100vh}
@media(min-width:30rem){main{margin:3rem auto;min-height:0;border-radius:.75rem;
box-shadow:0 1px 12px #1a1f3620}}
header{display:flex;justify-content:space-between;align-items:center}
h1{font-size:1.1rem;margin:0}h2{font-size:1.2rem}
.badge{background:#fdf0d0;color:#6b4700;border-radius:.3rem;padding:0 .5rem;font-size:.8rem}
.product{margin:1rem 0 0;color:#4f566b;overflow-wrap:anywhere}
.amount{margin:0 0 1rem;font-size:2rem;font-weight:600}
label{display:block;margin:.75rem 0 .25rem;font-size:.9rem}
input{width:100%;padding:.7rem;font:inherit;border:1px solid #8a91a5;border-radius:.4rem}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:.75rem}
button{width:100%;margin-top:1.25rem;padding:.8rem;font:inherit;font-weight:600;border:0;
border-radius:.4rem;background:#1f5fbf;color:#fff;cursor:pointer}
button.quiet{background:#4f566b}
:focus-visible{outline:3px solid #7db0ff;outline-offset:1px}
.alert{background:#fde8e8;color:#8f1414;padding:.7rem;border-radius:.4rem}
details{margin-top:1.5rem;color:#4f566b;font-size:.9rem}dd{margin:0 0 .5rem}
a{color:#1f5fbf}";

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_is_shown_and_not_obeyed() {
        assert_eq!(
            escape(r#"<b onclick="a('b')">&"#),
            "&lt;b onclick=&quot;a(&#39;b&#39;)&quot;&gt;&amp;"
        );
    }
}
