//! `cloakroom keys list | rotate | retire`: the key ring, with the gateway up or down.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::app;
use crate::config::Config;
use crate::host::ask::Host;
use crate::host::{Answer, Ask, Key};

/// What is to be done.
#[derive(Debug)]
pub enum Act {
    /// Show the ring.
    List,
    /// Make a new key.
    Rotate,
    /// Take an old key out.
    Retire {
        /// Which.
        key: String,
        /// End every session of its time as well.
        burn: bool,
        /// Without asking.
        yes: bool,
    },
}

/// Does it.
///
/// # Errors
/// When it is refused, or the store or the gateway is not to be had.
pub fn run(config: Config, act: &Act) -> anyhow::Result<ExitCode> {
    let runtime = app::control_runtime()?;
    runtime.block_on(async {
        let host = Host::find(config, runtime.handle()).await?;
        let done = done(&host, act).await;
        host.leave().await;
        done
    })
}

async fn done(host: &Host, act: &Act) -> anyhow::Result<ExitCode> {
    match act {
        Act::List => print!("{}", table(&ring(host).await?)),
        Act::Rotate => {
            if let Answer::Rotated(key) = host.ask(&Ask::RotateKey).await? {
                println!("{key} seals from now on; older keys go on to open");
            }
        }
        Act::Retire { key, burn, yes } => {
            let warning = warning(&ring(host).await?, key, *burn)?;
            if let Some(warning) = warning {
                println!("{warning}");
                if !yes && !confirmed(key)? {
                    println!("nothing was done");
                    return Ok(ExitCode::FAILURE);
                }
            }
            retire(host, key, *burn).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a key's end does to people, if it does anything.
fn warning(ring: &[Key], id: &str, burn: bool) -> anyhow::Result<Option<String>> {
    let key = ring.iter().find(|key| key.id == id);
    let key = key.with_context(|| format!("there is no key {id}; `keys list` shows the ring"))?;
    Ok(match (burn, key.live_of_its_time, key.not_seen_since) {
        (true, n, _) => {
            Some(format!("Burning {id} ends {n} sessions: everybody who signed in before it was replaced."))
        }
        (false, _, 0) => None,
        (false, _, n) => Some(format!(
            "{n} sessions were not seen since {id} was replaced: their cookies are still under it, and these people \
             will have to sign in again. A rotation of a minute ago leaves nobody time to come back."
        )),
    })
}

async fn retire(host: &Host, id: &str, burn: bool) -> anyhow::Result<()> {
    let ask = if burn { Ask::BurnKey { key: id.into() } } else { Ask::RetireKey { key: id.into() } };
    match host.ask(&ask).await? {
        Answer::Burned(sessions) => println!("{id} is burned; {sessions} sessions ended"),
        _ => println!("{id} is retired"),
    }
    Ok(())
}

fn confirmed(id: &str) -> anyhow::Result<bool> {
    print!("Type the key's id to go on: ");
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == id)
}

async fn ring(host: &Host) -> anyhow::Result<Vec<Key>> {
    match host.ask(&Ask::ListKeys).await? {
        Answer::Keys(ring) => Ok(ring),
        _ => anyhow::bail!("the gateway answered something else; is it of another version?"),
    }
}

fn table(ring: &[Key]) -> String {
    let head = ["KEY", "STATE", "SINCE", "SESSIONS", "AUDIT KEYS", "COOKIES STILL UNDER IT (AT MOST)"];
    let row = |[key, state, since, sessions, audit_keys, cookies]: [&str; 6]| {
        format!("{key:<9} {state:<7} {since:<24} {sessions:>10} {audit_keys:>10}  {cookies}\n")
    };
    let mut text = row(head);
    text.extend(ring.iter().map(|key| {
        let (state, cookies) =
            if key.active { ("seals", "-".into()) } else { ("opens", key.not_seen_since.to_string()) };
        row([&key.id, state, &key.since, &key.sessions.to_string(), &key.audit_keys.to_string(), &cookies])
    }));
    let count = |active: bool| -> u64 {
        ring.iter().filter(|key| !active || key.active).map(|key| key.sessions + key.audit_keys).sum()
    };
    if ring.len() > 1 {
        text.extend([format!("\nsealed under the newest key: {} of {}\n", count(true), count(false))]);
    }
    text
}
