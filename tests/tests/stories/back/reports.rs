//! The list of comparisons, as the operator reads it.

use ledger::Day;
use service::comparison::{Comparison, run_id};
use service::table::{Commit, Committed};
use tests::story;

#[tokio::test(flavor = "multi_thread")]
async fn the_last_comparison_of_a_day_comes_first_however_many_there_are() {
    story(async |world| {
        let day = Day::of(world.clock.now());
        for number in 1..=12 {
            let run = Comparison::begun(day, number, world.clock.now());
            let committed = world.table.commit(Commit::default().comparison(&run)).await;
            assert!(matches!(committed.unwrap(), Committed::Yes));
        }
        let id = |number| run_id(day, number);
        let expected: Vec<String> = (1..=12).rev().map(id).collect();
        for limit in [1, 5, 12] {
            let (mut listed, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("/v1/admin/reconciliations?limit={limit}{cursor}");
                let page = world.admin_get(&path).await.expect(200).json();
                let runs = page["data"].as_array().unwrap().iter();
                listed.extend(runs.map(|run| run["run_id"].as_str().unwrap().to_owned()));
                assert!(listed.len() <= expected.len(), "{listed:?}");
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(listed, expected, "{limit}");
        }
    })
    .await;
}
