//! One suite for every store: each promise of [`cloakroom_core::store::Store`] as a function of a fresh, empty store.
//!
//! A store runs it by `conformance!(fresh)`, where `fresh` is an async function that answers a value with a `store()`.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod device;
pub(crate) mod ends;
pub(crate) mod figures;
pub(crate) mod keys;
pub(crate) mod lists;
pub(crate) mod load;
pub(crate) mod locks;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod make;
pub(crate) mod mobile;
pub(crate) mod refresh;
pub(crate) mod revocations;
pub(crate) mod room;
pub(crate) mod search;
pub(crate) mod succession;
pub(crate) mod sweep;
pub(crate) mod users;
pub(crate) mod walk;

/// Runs every promise on stores made by `$fresh`, each as a test of its own.
macro_rules! conformance {
    ($fresh:path) => {
        $crate::conformance::promises! { $fresh;
            keys: the_first_key_wins_and_all_agree;
            keys: a_persons_key_is_made_once;
            keys: c06_of_many_rotations_at_once_one_counts;
            keys: c06_wrapped_keys_are_found_and_replaced_as_they_were_read;
            keys: u13_a_key_in_use_is_not_retired;
            keys: u13_burning_ends_the_sessions_of_its_time;

            login: a_login_is_kept_whole;
            login: s08_a_replayed_login_keeps_nothing;
            login: s08_a_used_transaction_is_remembered_until_it_expires;
            login: a_login_ends_the_session_it_replaces;
            login: a_login_does_not_need_the_session_it_replaces;
            login: a_failed_login_keeps_nothing;
            login: a03_text_comes_back_as_it_was;

            ends: an_end_is_kept_once_with_its_event;
            ends: ends_are_answered_in_order;
            ends: t05_an_end_wins_against_a_racing_refresh;
            ends: tokens_are_forgotten_after_the_end_only;
            ends: last_seen_moves_forward_only;
            ends: last_seen_never_outlives_the_session;

            room: c09_the_oldest_make_room_and_nobody_else;
            room: c09_a_login_beyond_the_limit_is_refused_and_keeps_nothing;
            room: c09_whoever_thought_of_others_keeps_nothing;
            room: c09_no_race_exceeds_the_limit;
            room: c09_sessions_of_an_unfinished_revocation_take_no_place;

            succession: c14_a_stepped_up_session_is_kept_in_mind_with_its_successor;
            succession: c14_the_first_late_use_is_noted_once_in_a_race;

            logout: b02_a_logout_ends_whom_it_names_and_nobody_else;
            logout: b02_named_sessions_are_those_that_run;
            logout: s08_a_logout_token_is_used_once;
            logout: s08_of_many_uses_at_once_one_counts;
            logout: b04_a_session_that_started_meanwhile_is_noticed;
            logout: b04_a_login_that_a_logout_outran_starts_nothing;
            logout: b04_the_later_of_two_logouts_counts;
            logout: a_failed_logout_keeps_nothing;

            revocations: u15_what_is_covered_is_counted_before_it_ends;
            revocations: u14_covered_sessions_are_over_before_their_rows_are;
            revocations: t05_nothing_is_refreshed_that_is_covered;
            revocations: t05_no_login_that_began_before_is_kept;
            revocations: f01_a_revocation_goes_on_where_it_was_left;
            revocations: s13_the_same_revocation_twice_is_one;
            revocations: providers_are_told_until_they_answer;
            revocations: revocations_are_listed_within_their_fence;

            refresh: t01_one_of_many_gets_the_lease;
            refresh: an_adopted_answer_is_kept_whole;
            refresh: t07_a_crash_leaves_the_generation_in_doubt;
            refresh: t07_an_answer_that_never_came_leaves_doubt_at_once;
            refresh: an_abandoned_attempt_leaves_no_doubt;
            refresh: t07_giving_up_a_second_try_keeps_the_first_in_doubt;
            refresh: t07_a_late_answer_is_adopted_while_its_generation_stands;
            refresh: t05_nothing_is_adopted_once_the_session_is_over;
            refresh: what_is_over_gets_no_lease;

            device: devices_wait_in_bounded_number_and_for_a_while;
            device: m03_a_device_is_decided_once_in_a_race;
            device: a_device_that_asks_too_often_must_wait_longer;
            mobile: m03_a_code_is_redeemed_once_in_a_race;
            mobile: an_old_code_or_an_ended_sessions_is_not_redeemed;
            mobile: m05_a_refresh_token_rotates_once_in_a_race;
            mobile: m13_a_kept_answer_goes_when_its_time_is_over;
            mobile: s08_what_is_used_once_stays_used_until_it_expires;
            mobile: a_device_has_the_name_that_it_was_given;

            lists: each_filter_keeps_what_it_should;
            lists: text_is_looked_for_literally;
            lists: s13_odd_text_finds_nothing_and_breaks_nothing;
            lists: life_ends_exactly_at_its_end;
            lists: an_empty_store_has_an_empty_page;
            lists: one_persons_sessions_newest_first;
            lists: totals_count_what_lives;
            lists: a01_figures_of_one_tenant_tell_nothing_of_another;

            walk: every_row_is_walked_over_once_while_others_come;
            walk: rows_of_one_moment_have_an_order;
            walk: a_page_knows_its_neighbours;

            audit: a07_events_are_linked_in_the_order_they_came;
            audit: a07_one_of_two_sequencers_moves_the_head;
            audit: a07_a_link_to_nothing_is_refused;
            audit: events_are_read_back_by_session_and_by_age;

            search: u17_each_filter_keeps_what_it_should;
            search: u17_every_event_is_walked_over_once_both_ways;
            search: events_are_followed_in_the_order_they_came;

            locks: s14_a_lock_keeps_out_whom_it_names_as_long_as_it_holds;
            locks: s14_no_login_of_a_locked_person_is_kept;
            locks: owners_of_the_host_are_known;

            sweep: u18_what_expired_loses_its_token_set_and_nothing_else_does;
            sweep: u18_ended_sessions_go_whole_once_their_provider_was_told;
            sweep: u18_a_batch_is_no_larger_than_asked;
            sweep: u18_reports_of_revocations_go_when_they_are_old_and_done;
            sweep: u18_what_is_remembered_goes_by_hundreds;

            users: people_stand_by_their_newest_session;
            users: a01_people_of_one_tenant_tell_nothing_of_another;
            users: a10_an_erased_person_is_nowhere;
            users: a10_what_their_provider_is_to_be_told_goes_once_it_was;

            accounts: v01_an_account_comes_back_as_it_was;
            accounts: a01_accounts_are_listed_within_their_fence;

            figures: figures_of_all_nodes_add_up;
            figures: a01_figures_are_of_one_tenant_one_client_one_provider;

            load: many_at_once_are_all_answered;
            load: a_unit_that_fails_takes_no_other_with_it;
        }
    };
}
pub(crate) use conformance;

/// One test for each promise named.
macro_rules! promises {
    ($fresh:path; $($room:ident: $promise:ident;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let fresh = $fresh().await;
                fresh.store().ready().await.expect("ready");
                $crate::conformance::$room::$promise(fresh.store()).await;
                fresh.store().close().await;
            }
        )*
    };
}
pub(crate) use promises;
