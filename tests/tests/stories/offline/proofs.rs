//! Files that show a transfer: checked by their content, kept as they are, and never proof of money.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use service::keys::Scope;
use tests::{Answer, World, story};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and a picture";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0 and a photograph";
const PDF: &[u8] = b"%PDF-1.7 and a receipt \xfe\xff";

async fn order(world: &World) -> Answer {
    world.order_offline("wallet", "USD 100.00", "order").await.expect(201)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_kept_under_its_hash_and_served_as_an_attachment() {
    story(async |world| {
        let order = order(world).await;
        for (content, media_type, extension) in [
            (PNG, "image/png", "png"),
            (JPEG, "image/jpeg", "jpg"),
            (PDF, "application/pdf", "pdf"),
        ] {
            let proof = world.upload(&order, content).await.expect(200).text("proof_id");
            assert_eq!(proof.len(), 64);
            let again = world.upload(&order, content).await.expect(200);
            assert_eq!(again.text("proof_id"), proof);
            let path = format!("/v1/admin/orders/{}/proofs/{proof}", order.text("order_id"));
            let served = world.admin_get(&path).await.expect(200);
            assert_eq!(&served.body[..], content);
            assert_eq!(served.header("content-type"), media_type);
            assert_eq!(served.header("x-content-type-options"), "nosniff");
            let name = format!("attachment; filename=\"{proof}.{extension}\"");
            assert_eq!(served.header("content-disposition"), name);
            // A customer's key does not get it, and nobody by another order.
            drop(world.get(&path).await.expect_problem(403, "missing_scope"));
        }
        let other = world.order_offline("wallet", "USD 100.00", "other").await.expect(201);
        let proof = world.upload(&order, PNG).await.expect(200).text("proof_id");
        let path = format!("/v1/admin/orders/{}/proofs/{proof}", other.text("order_id"));
        drop(world.admin_get(&path).await.expect_problem(404, "not_found"));
        world.assert_balances("wallet 0.00").await;
        assert_eq!(world.look_up(&order).await.text("status"), "pending_payment");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_jpeg_png_or_pdf_is_refused_whatever_it_is_called() {
    story(async |world| {
        let order = order(world).await;
        for content in [
            b"".as_slice(),
            b"GIF89a",
            b"<html><script>alert(1)</script>",
            b"<!-- %PDF-1.7 -->",
            b"\x89PNG",
            b"MZ\x90",
            b"RIFF....WEBP",
        ] {
            let refused = world.upload(&order, content).await;
            drop(refused.expect_problem(415, "unsupported_media_type"));
        }
        // The gateway passes on as text what is called so, and bytes of it may be lost.
        for media_type in ["text/plain", "application/json; charset=utf-8", "Application/XML"] {
            let path = format!("/v1/orders/{}/proofs", order.text("order_id"));
            let request = Request::post(path)
                .header("authorization", format!("Bearer {}", world.customer.key))
                .header("content-type", media_type);
            let refused = world.send(request.body(Body::from(PDF)).unwrap()).await;
            let refused = refused.expect_problem(415, "unsupported_media_type");
            assert!(refused.text("detail").contains("application/octet-stream"));
        }
        let largest = [PDF, &vec![b' '; 4 * 1024 * 1024 - PDF.len()]].concat();
        drop(world.upload(&order, &largest).await.expect(200));
        let too_large = [&largest[..], b" "].concat();
        drop(world.upload(&order, &too_large).await.expect_problem(413, "body_too_large"));
        let wallet = world.order("wallet", "50", "card").await.expect(201);
        drop(world.upload(&wallet, PNG).await.expect_problem(409, "order_not_reportable"));
        let stranger = world.new_customer("stranger").await;
        let path = format!("/v1/orders/{}/transfer-report", order.text("order_id"));
        let refused = world.post_as(&stranger.key, &path, "x", &json!({})).await;
        drop(refused.expect_problem(422, "missing_field"));
        let key = world.new_key(Some("stranger"), &Scope::CUSTOMER, |key| key).await;
        let body = json!({
            "payer_name": "A", "bank_reference": "B", "paid_on": world.today(), "amount": "1",
        });
        let refused = world.post_as(&key, &path, "x", &body).await;
        drop(refused.expect_problem(404, "order_not_found"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_files_belong_to_a_report_and_none_is_replaced_after_the_review() {
    story(async |world| {
        let order = order(world).await;
        let file = |number: u8| [PNG, &[number]].concat();
        let mut proofs = Vec::new();
        for number in 0..3 {
            proofs.push(world.upload(&order, &file(number)).await.expect(200).text("proof_id"));
        }
        drop(world.upload(&order, &file(3)).await.expect_problem(409, "too_many_proofs"));
        let report = json!({
            "payer_name": "Li Lei", "bank_reference": "R-1", "paid_on": world.today(),
            "amount": "100.00", "note": "from our bank\nin two lines", "proofs": [proofs[1]],
        });
        let reported = world.report_with(&order, &report).await.expect(200).json();
        let attached = reported["transfer_report"]["proofs"].as_array().unwrap();
        assert_eq!(attached.len(), 1);
        assert_eq!(attached[0]["proof_id"], *proofs[1]);
        assert_eq!(attached[0]["media_type"], "image/png");
        // There is room again, and an unknown file is refused.
        let fourth = world.upload(&order, &file(3)).await.expect(200).text("proof_id");
        let mut wrong = report.clone();
        wrong["proofs"] = json!([proofs[0]]);
        let refused = world.report_with(&order, &wrong).await;
        assert_eq!(refused.expect_problem(422, "unknown_proof").text("field"), "proofs");

        drop(world.reject(&order, "unreadable").await.expect(200));
        let seen = world.look_up(&order).await.json();
        let kept = seen["transfer_reviews"][0]["report"]["proofs"].as_array().unwrap();
        assert_eq!(kept.len(), 2, "those that were looked at");
        drop(world.report(&order, "R-2").await.expect(200));
        drop(world.accept(&order, "USD 100.00", "R-2", "a").await.expect(201));
        drop(world.upload(&order, &file(9)).await.expect_problem(409, "order_not_reportable"));
        drop(world.report(&order, "R-3").await.expect_problem(409, "order_not_reportable"));
        for proof in [&proofs[1], &fourth] {
            let path = format!("/v1/admin/orders/{}/proofs/{proof}", order.text("order_id"));
            drop(world.admin_get(&path).await.expect(200));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_repeated_is_the_same_and_a_corrected_one_takes_its_place() {
    story(async |world| {
        let order = order(world).await;
        let first = world.report(&order, "R-1").await.expect(200);
        let again = world.report(&order, "R-1").await.expect(200);
        assert_eq!(first.json(), again.json());
        let corrected = world.report(&order, "R-2").await.expect(200).json();
        assert_eq!(corrected["transfer_report"]["bank_reference"], "R-2");
        assert_eq!(corrected["timeline"].as_array().unwrap().len(), 2);
        let reported_at = corrected["timeline"][1]["at"].clone();
        assert_eq!(reported_at, first.json()["timeline"][1]["at"]);
    })
    .await;
}
