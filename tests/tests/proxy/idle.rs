//! Thousands of connections that do nothing.

use std::fs;
use std::time::Duration;

use cloakroom_tests::{Gateway, Setup};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Resident memory of the gateway, in bytes.
fn resident(gateway: &Gateway) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// How many connections this process and the gateway may both hold.
fn possible(wanted: usize) -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let mut numbers = line.split_whitespace().skip(3).map(|number| number.parse().unwrap_or(usize::MAX));
    let (soft, hard) = (numbers.next().unwrap(), numbers.next().unwrap());
    // The gateway raises its own limit, and leaves a quarter to upstreams; this process lives with what it has.
    wanted.min(soft.saturating_sub(600)).min(hard.saturating_sub(600) / 4 * 3)
}

#[tokio::test]
async fn p13_ten_thousand_idle_connections_keep_nobody_waiting() {
    let long = std::env::var_os("CLOAKROOM_LONG").is_some();
    let count = possible(if long { 10_000 } else { 2_000 });
    println!("{count} connections, as far as the limit of open files goes");
    let gateway = Setup::default().start().await;
    let ask = gateway.request("GET", "/public/x");
    for _ in 0..50 {
        ask.send(gateway.port()).await.unwrap().expect(200);
    }
    let before = resident(&gateway);
    let mut idle = Vec::new();
    for number in 0..count {
        let stream = TcpStream::connect(("127.0.0.1", gateway.port())).await.unwrap();
        // Half of them have asked once; of those, nobody reads the answer.
        if number % 2 == 0 {
            stream.writable().await.unwrap();
            stream.try_write(&ask.bytes()).unwrap();
        }
        idle.push(stream);
    }
    let began = Instant::now();
    ask.send(gateway.port()).await.unwrap().expect(200);
    assert!(began.elapsed() < Duration::from_secs(3), "served after {:?}", began.elapsed());
    for _ in 0..100 {
        let began = Instant::now();
        ask.send(gateway.port()).await.unwrap().expect(200);
        assert!(began.elapsed() < Duration::from_secs(1), "served after {:?}", began.elapsed());
    }
    let each = resident(&gateway).saturating_sub(before) / count as u64;
    println!("{each} bytes for each of {count} idle connections");
    assert!(each < 64 * 1024, "{each} bytes for each of {count} idle connections");
}
