//! The console, as a browser loads it, and the addresses by which a person comes to it here.

use std::collections::BTreeSet;
use std::io::Read;

use axum::body::Body;
use axum::http::Request;
use flate2::read::GzDecoder;
use serde_json::json;
use tests::{Answer, World, story};
use url::Url;

/// Everything that the browser is allowed, and nothing that is not needed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";

/// What a browser is told about everything that comes from the console.
fn must_be_guarded(answer: &Answer) {
    for (name, expected) in [
        ("content-security-policy", POLICY),
        ("cross-origin-opener-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=31536000"),
        ("vary", "accept-encoding"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), expected, "{name}");
    }
    assert!(answer.header("permissions-policy").contains("camera=()"));
    assert!(!answer.header("x-request-id").is_empty());
}

async fn page(world: &World) -> Answer {
    world.browse("/", &[]).await.expect(200)
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).expect("text")
}

/// The files that a page, a style sheet or a module names, by their paths.
fn named(path: &str, content: &str) -> Vec<String> {
    let own = Url::parse("http://console").unwrap().join(path).unwrap();
    let quoted = content.split(['"', '\'', '`', '(', ')']);
    let addresses = quoted.filter(|text| {
        let relative = text.starts_with("./") || text.starts_with("../");
        text.starts_with("/assets/") || relative && text.ends_with(".js")
    });
    addresses.map(|address| own.join(address).unwrap().path().to_owned()).collect()
}

/// An asset of the page that is there for sure, with the folder of all of them.
async fn script(world: &World) -> (String, String) {
    let found = named("/", &text(&page(world).await));
    let path = found.into_iter().find(|path| path.ends_with("/main.js")).expect("a script");
    (path.clone(), path.trim_end_matches("main.js").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_asked_for_each_time_and_given_only_if_it_changed() {
    story(async |world| {
        let page = page(world).await;
        must_be_guarded(&page);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control"), "no-cache");
        assert!(!text(&page).contains("{version}"));
        let etag = page.header("etag");
        let strong = etag.trim_start_matches("W/");
        for known in [&etag, strong, &format!("\"other\", {etag}")] {
            let same = world.browse("/", &[("if-none-match", known)]).await.expect(304);
            must_be_guarded(&same);
            assert_eq!(
                (same.header("etag"), same.header("cache-control")),
                (etag.clone(), "no-cache".to_owned())
            );
            assert!(same.body.is_empty());
        }
        for other in ["\"other\"", "", "W/"] {
            drop(world.browse("/", &[("if-none-match", other)]).await.expect(200));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_that_is_named_is_there_and_can_be_kept_for_a_year() {
    story(async |world| {
        let (_, folder) = script(world).await;
        let version = folder.trim_start_matches("/assets/").trim_end_matches('/');
        assert!(version.len() == 16 && version.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let mut left = named("/", &text(&page(world).await));
        let mut seen = BTreeSet::new();
        while let Some(path) = left.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            assert!(path.starts_with(&folder), "{path}");
            let file = world.browse(&path, &[]).await;
            assert_eq!(file.status, 200, "{path}");
            must_be_guarded(&file);
            assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
            let media_type = match path.rsplit('.').next().unwrap() {
                "js" => "text/javascript; charset=utf-8",
                "css" => "text/css; charset=utf-8",
                "svg" => "image/svg+xml",
                "webmanifest" => "application/manifest+json",
                "png" => "image/png",
                "woff2" => "font/woff2",
                other => panic!("{path}: what is {other}?"),
            };
            assert_eq!(file.header("content-type"), media_type, "{path}");
            if media_type.starts_with("text/") {
                left.extend(named(&path, &text(&file)));
            }
        }
        for kind in [".js", ".css", ".svg"] {
            assert!(seen.iter().any(|path| path.ends_with(kind)), "{kind} in {seen:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_gzip_is_given_it_and_nobody_else() {
    story(async |world| {
        let (script, _) = script(world).await;
        for path in ["/", &script] {
            let plain = world.browse(path, &[]).await.expect(200);
            for (accepted, compressed) in [
                ("gzip", true),
                ("gzip, deflate, br, zstd", true),
                ("br;q=1.0, GZIP;q=0.8, *;q=0.1", true),
                ("gzip ; q = 0.001", true),
                ("*", true),
                ("", false),
                ("identity", false),
                ("br", false),
                ("gzip;q=0", false),
                ("gzip; q=0.000, *", false),
                ("*;q=0", false),
                ("gzipped", false),
            ] {
                let answer = world.browse(path, &[("accept-encoding", accepted)]).await;
                let answer = answer.expect(200);
                must_be_guarded(&answer);
                assert_eq!(answer.header("content-encoding") == "gzip", compressed, "{accepted}");
                let mut content = Vec::new();
                match compressed {
                    true => {
                        GzDecoder::new(&answer.body[..]).read_to_end(&mut content).unwrap();
                    }
                    false => content.extend_from_slice(&answer.body),
                }
                assert_eq!(content, plain.body, "{accepted}");
                assert_eq!(answer.header("content-type"), plain.header("content-type"));
                assert_eq!(answer.header("etag"), plain.header("etag"));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_in_this_version_is_not_there_and_nobody_keeps_that() {
    story(async |world| {
        let (script, folder) = script(world).await;
        for path in [
            "/assets/0000000000000000/main.js".to_owned(),
            "/assets/{version}/main.js".to_owned(),
            script.to_uppercase().replace("/ASSETS", "/assets"),
            format!("{script}/"),
            format!("{script}.map"),
            format!("{folder}index.html"),
            format!("{folder}nothing.js"),
            format!("{folder}../main.js"),
            format!("{folder}../../Cargo.toml"),
            format!("{folder}./main.js"),
            format!("{folder}/main.js"),
            format!("{folder}%2e%2e/main.js"),
            format!("{folder}a/b/c/d"),
        ] {
            let answer = world.browse(&path, &[]).await;
            assert_eq!(answer.status, 404, "{path}");
            must_be_guarded(&answer);
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            assert!(answer.body.len() < 100);
        }
        // These are no routes at all.
        for path in [
            "/assets",
            "/assets/",
            "/index.html",
            "/main.js",
            folder.trim_end_matches('/'),
            &folder,
        ] {
            world.browse(path, &[]).await.expect_gateway(404, "Not Found");
        }
    })
    .await;
}

async fn exchanged(world: &World, signed_in: &Answer) -> Answer {
    let location = signed_in.header("location");
    let code = location.strip_prefix("/#code=").expect("a code, at the console");
    let request = Request::post("/v1/console-tokens").header("content-type", "application/json");
    let body = json!({"code": code}).to_string();
    world.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_links_of_the_local_runner_sign_a_person_in_as_often_as_they_are_opened() {
    story(async |world| {
        let links = world.cloud.sign_in.clone();
        for _ in 0..2 {
            let signed_in = world.browse(&links.customer, &[]).await.expect(303);
            assert_eq!(signed_in.header("cache-control"), "no-store");
            assert_eq!(signed_in.header("referrer-policy"), "no-referrer");
            let issued = exchanged(world, &signed_in).await.expect(201);
            assert_eq!(issued.text("role"), "customer");
            assert_eq!(issued.text("account_id"), "demo");
            assert_eq!(issued.text("person"), "demo customer");
            drop(world.get_as(&issued.text("token"), "/v1/balances").await.expect(200));
            drop(exchanged(world, &signed_in).await.expect_problem(400, "invalid_code"));
        }
        let signed_in = world.browse(&links.operator, &[]).await.expect(303);
        let issued = exchanged(world, &signed_in).await.expect(201);
        assert_eq!(issued.text("role"), "operator");
        assert_eq!(issued.text("person"), "demo operator");
        assert_eq!(issued.json()["scopes"].as_array().unwrap().len(), 5);
        let token = issued.text("token");
        drop(world.get_as(&token, "/v1/admin/reviews").await.expect(200));
        let made = json!({"name": "acme", "account_id": "acme"});
        drop(world.post_as(&token, "/v1/admin/api-keys", "key", &made).await.expect(201));

        let acme = format!("{}?account_id=acme", links.customer);
        let signed_in = world.browse(&acme, &[]).await.expect(303);
        let issued = exchanged(world, &signed_in).await.expect(201);
        assert_eq!(issued.text("account_id"), "acme");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_was_told_signs_nobody_in() {
    story(async |world| {
        let links = world.cloud.sign_in.clone();
        let own = links.customer.strip_prefix(&world.cloud.base_url).unwrap();
        let secret = own.split('/').nth(2).unwrap();
        let other = World::start().await;
        let foreign = other.cloud.sign_in.customer.replace(&other.cloud.base_url, "");
        for path in [
            foreign,
            "/sign-in/customer".to_owned(),
            format!("/sign-in/{}/customer", "0".repeat(secret.len())),
            format!("/sign-in/{}/customer", &secret[1..]),
            format!("/sign-in/{secret}0/customer"),
            format!("/sign-in/{}/operator", secret.to_uppercase()),
            format!("/sign-in/{secret}"),
            format!("/sign-in/{secret}/root"),
            format!("{own}?account_id=nobody"),
            format!("{own}?account_id=../demo"),
            format!("{own}?account_id="),
        ] {
            let answer = world.browse(&path, &[]).await;
            assert_eq!((answer.status, answer.header("location")), (404, String::new()), "{path}");
        }
        assert!(!format!("{:?}", world.cloud.sign_in).contains(secret));
    })
    .await;
}
