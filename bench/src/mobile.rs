//! `mobile`: a proxied GET with a session token, bare and with a proof of possession, against the same call with a
//! session cookie, in turns on one gateway. And how many refreshes a second it answers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::Instant;

use crate::gateway::{self, Gateway};
use crate::http::send;
use crate::load;
use crate::nginx;
use crate::phone::{self, DeviceKey, Tokens};
use crate::report::{Report, Row, median};

const SESSIONS: usize = 2_000;
const CONNECTIONS: u32 = 64;
const ROUNDS: u32 = 5;
const ROUND_SECS: u32 = 3;
const PROOF_ROUND_SECS: u32 = 2;
const REFRESH_SECS: u64 = 5;
const REFRESHERS: usize = 32;

pub(crate) fn run() -> Result<Report> {
    let dir = tempfile::tempdir()?;
    let upstream = nginx::upstream(dir.path())?;
    let gateway = gateway::start(dir.path(), upstream.port)?;
    eprintln!("signing in {SESSIONS} browsers, {SESSIONS} phones, and {SESSIONS} with a device key …");
    let cookies = gateway.sessions(SESSIONS)?;
    let key = Arc::new(DeviceKey::new()?);
    let (bare, bound) = (gateway.phones(SESSIONS, None)?, gateway.phones(SESSIONS, Some(&key))?);
    let check = key.check_us()?;
    let us = cpu_of_each(dir.path(), &gateway, &cookies, (&bare, &bound, &key), check)?;
    let refreshes = refreshes_per_sec(&gateway, bare)?;
    let row = |name, value, reference, must| {
        let ratio = Some(value / reference);
        Row { name, value, unit: "us/request", reference: Some(reference), ratio, must, aim: None }
    };
    Ok(Report {
        bench: "mobile",
        rows: vec![
            Row { ratio: Some(us.bare_ratio), ..row("cpu_vs_cookie", us.bare, us.cookie, 1.1) },
            Row { ratio: Some(us.bound_ratio), ..row("cpu_vs_cookie_dpop", us.bound, us.cookie + check, 1.6) },
        ],
        remarks: vec![
            format!(
                "{SESSIONS} sessions of each kind rotating, {CONNECTIONS} connections, {ROUNDS} rounds; one ES256 check costs \
                 {check:.1} us here, and stands in the reference of cpu_vs_cookie_dpop"
            ),
            format!(
                "token_refreshes_per_second: {refreshes:.0}, by {REFRESHERS} at once, each on a connection of its own"
            ),
        ],
    })
}

/// Medians of the rounds, in microseconds of CPU per request.
struct Costs {
    cookie: f64,
    bare: f64,
    bound: f64,
    bare_ratio: f64,
    bound_ratio: f64,
}

fn cpu_of_each(
    dir: &Path,
    gateway: &Gateway,
    cookies: &[String],
    (bare, bound, key): (&[Tokens], &[Tokens], &DeviceKey),
    check: f64,
) -> Result<Costs> {
    let by_cookie = load::script(dir, "cookies", &gateway.host, cookies.iter().map(|cookie| load::cookie(cookie)))?;
    let tokens = bare.iter().map(|one| format!("Authorization: Bearer {}\t", one.access));
    let by_token = load::script(dir, "tokens", &gateway.host, tokens)?;
    let (mut all, mut ratios) = ((vec![], vec![], vec![]), (vec![], vec![]));
    for script in [&by_cookie, &by_token] {
        load::run(script, gateway.port, CONNECTIONS, 2)?;
    }
    let cost = |script: &Path, secs| -> Result<(f64, f64)> {
        let before = gateway.process.cpu_secs()?;
        let measured = load::run(script, gateway.port, CONNECTIONS, secs)?;
        Ok(((gateway.process.cpu_secs()? - before) / measured.requests * 1e6, measured.per_sec))
    };
    for i in 1..=ROUNDS {
        let ((cookie, _), (token, per_sec)) = (cost(&by_cookie, ROUND_SECS)?, cost(&by_token, ROUND_SECS)?);
        let url = format!("http://{}{}", gateway.host, load::PATH);
        // Each proof is used once, and lives 30 s: no more of them than a round without their check would use.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests")]
        let enough = (per_sec * f64::from(PROOF_ROUND_SECS)) as usize;
        let proofs = (0..enough).map(|n| {
            let token = bound.get(n % bound.len()).map_or("", |one| &one.access);
            format!("Authorization: DPoP {token}\tDPoP: {}\t", key.proof("GET", &url, Some(token)))
        });
        let by_proof = load::script(dir, "proofs", &gateway.host, proofs)?;
        let (proof, _) = cost(&by_proof, PROOF_ROUND_SECS)?;
        eprintln!("round {i}: cookie {cookie:.1} us, session token {token:.1} us, with a proof {proof:.1} us");
        ratios.0.push(token / cookie);
        ratios.1.push(proof / (cookie + check));
        all.0.push(cookie);
        all.1.push(token);
        all.2.push(proof);
    }
    Ok(Costs {
        cookie: median(all.0),
        bare: median(all.1),
        bound: median(all.2),
        bare_ratio: median(ratios.0),
        bound_ratio: median(ratios.1),
    })
}

/// Phones that refresh without a pause, each with the token that it got last.
fn refreshes_per_sec(gateway: &Gateway, phones: Vec<Tokens>) -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (done, until) = (Arc::new(AtomicU64::new(0)), Instant::now() + Duration::from_secs(REFRESH_SECS));
    let url = format!("{}/oauth/token", gateway.origin);
    let begun = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = phones
            .into_iter()
            .take(REFRESHERS)
            .map(|phone| {
                let (done, url, mut refresh) = (Arc::clone(&done), url.clone(), phone.refresh);
                tokio::spawn(async move {
                    while Instant::now() < until {
                        let form =
                            format!("grant_type=refresh_token&client_id={}&refresh_token={refresh}", phone::CLIENT);
                        let answer = send("POST", &url, &[], Some(&form)).await?;
                        ensure!(answer.status == 200, "refresh: {} {}", answer.status, answer.body);
                        refresh = Tokens::read(&answer.body)?.refresh;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64())
}
