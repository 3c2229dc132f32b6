//! The loop: send what may be sent, read what has come, send again what is late.

use super::latency::Histogram;
use super::request::{Invite, Run};
use super::response::Response;
use super::{CallResult, SendError, SendOptions, SendReport};
use crate::domain::CallRecord;
use std::collections::{HashMap, VecDeque};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::Instant;

/// Acknowledgements kept for responses that come again because an ACK was lost.
const RECENT_ACKS: usize = 4_096;
/// Calls sent in a row before responses are read.
const BURST: usize = 32;
/// Largest datagram that is read.
const MAX_DATAGRAM: usize = 65_535;
/// How far behind its schedule a rate may catch up.
const CATCH_UP: Duration = Duration::from_millis(100);

pub(super) struct Engine<'a, I, F> {
    calls: std::iter::Fuse<I>,
    options: &'a SendOptions,
    on_result: F,
    run: Run,
    socket: UdpSocket,
    outstanding: HashMap<u64, Outstanding>,
    /// The system's buffer was full: this call waits for it.
    held: Option<Outstanding>,
    exhausted: bool,
    /// By how often a call was sent again, the calls in the order of their deadlines: within
    /// one queue all wait equally long, so a queue is a timer that costs nothing.
    timers: Vec<VecDeque<(Instant, u64)>>,
    /// From the first transmission, when each queue's calls are due; the last one gives up.
    due_after: Vec<Duration>,
    recent_acks: Vec<(u64, Vec<u8>)>,
    /// When the rate allows the next call.
    next_call: Instant,
    latency: Histogram,
    report: SendReport,
}

struct Outstanding {
    number: u64,
    invite: Invite,
    sent_at: Instant,
    /// A provisional response stops retransmissions.
    is_proceeding: bool,
    call_id: String,
    call: CallRecord,
}

impl<'a, I, F> Engine<'a, I, F>
where
    I: Iterator<Item = CallRecord>,
    F: FnMut(CallResult),
{
    pub(super) async fn new(
        calls: I,
        target: SocketAddr,
        options: &'a SendOptions,
        on_result: F,
    ) -> Result<Self, SendError> {
        let failed = |source| SendError::Socket { target, source };
        let any: IpAddr = match target {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await.map_err(failed)?;
        socket.connect(target).await.map_err(failed)?;
        let run = Run {
            id: options.run_id.clone(),
            local: socket.local_addr().map_err(failed)?,
            target,
        };
        let due_after = due_after(options);
        Ok(Self {
            calls: calls.fuse(),
            options,
            on_result,
            run,
            socket,
            outstanding: HashMap::with_capacity(options.outstanding.min(65_536)),
            held: None,
            exhausted: false,
            timers: due_after.iter().map(|_| VecDeque::new()).collect(),
            due_after,
            recent_acks: vec![(u64::MAX, Vec::new()); RECENT_ACKS],
            next_call: Instant::now(),
            latency: Histogram::new(),
            report: SendReport::default(),
        })
    }

    pub(super) async fn run(mut self) -> Result<SendReport, SendError> {
        let started = Instant::now();
        let mut datagram = vec![0; MAX_DATAGRAM];
        loop {
            self.send_new()?;
            self.receive(&mut datagram)?;
            self.send_late()?;
            if self.exhausted && self.held.is_none() && self.outstanding.is_empty() {
                break;
            }
            self.wait().await?;
        }
        self.report.elapsed_s = started.elapsed().as_secs_f64();
        self.report.latency = self.latency.summary();
        Ok(self.report)
    }

    /// Until something can be done: a datagram, a timer, room to send, or the rate's next call.
    async fn wait(&self) -> Result<(), SendError> {
        let has_room = !self.exhausted && self.outstanding.len() < self.options.outstanding;
        let now = Instant::now();
        if has_room && self.held.is_none() && self.next_call <= now {
            // More to send at once; let other tasks of the runtime have their turn.
            tokio::task::yield_now().await;
            return Ok(());
        }
        let far = now + Duration::from_secs(1);
        let timer = self.timers.iter().filter_map(|queue| queue.front());
        let wake = timer
            .map(|(at, _)| *at)
            .chain(has_room.then_some(self.next_call));
        let wake = wake.min().unwrap_or(far);
        tokio::select! {
            ready = self.socket.readable() => ready.map_err(SendError::Broken),
            ready = self.socket.writable(), if self.held.is_some() => ready.map_err(SendError::Broken),
            () = tokio::time::sleep_until(wake) => Ok(()),
        }
    }

    fn send_new(&mut self) -> Result<(), SendError> {
        if let Some(held) = self.held.take() {
            self.send_first(held)?;
        }
        for _ in 0..BURST {
            let now = Instant::now();
            let is_full = self.outstanding.len() >= self.options.outstanding;
            if is_full || self.held.is_some() || self.exhausted || self.next_call > now {
                return Ok(());
            }
            let Some(call) = self.calls.next() else {
                self.exhausted = true;
                return Ok(());
            };
            if let Some(rate) = self.options.rate {
                let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
                self.next_call = self.next_call.max(earliest) + Duration::from_secs_f64(1.0 / rate);
            }
            let number = self.report.sent;
            self.report.sent += 1;
            let call_id = match &call.call_id {
                Some(id) => id.clone(),
                None => format!("{number}-{}@{}", self.run.id, self.run.local.ip()),
            };
            let invite = self.run.invite(number, &call_id, &call);
            self.send_first(Outstanding {
                number,
                invite,
                sent_at: Instant::now(),
                is_proceeding: false,
                call_id,
                call,
            })?;
        }
        Ok(())
    }

    fn send_first(&mut self, mut call: Outstanding) -> Result<(), SendError> {
        call.sent_at = Instant::now();
        if !self.transmit(&call.invite.bytes)? {
            self.held = Some(call);
            return Ok(());
        }
        self.timers[0].push_back((call.sent_at + self.due_after[0], call.number));
        self.outstanding.insert(call.number, call);
        Ok(())
    }

    /// False when the system's buffer is full. "Connection refused" tells of an earlier
    /// datagram, and this one was not sent: so once more.
    fn transmit(&mut self, bytes: &[u8]) -> Result<bool, SendError> {
        for _ in 0..2 {
            match self.socket.try_send(bytes) {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    self.report.port_unreachable += 1;
                }
                Err(error) => return Err(SendError::Broken(error)),
            }
        }
        // Refused twice in a row: as good as lost on the way; the timer sends it again.
        Ok(true)
    }

    fn receive(&mut self, datagram: &mut [u8]) -> Result<(), SendError> {
        for _ in 0..BURST * 2 {
            match self.socket.try_recv(datagram) {
                Ok(length) => self.take(&datagram[..length])?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    self.report.port_unreachable += 1;
                }
                Err(error) => return Err(SendError::Broken(error)),
            }
        }
        Ok(())
    }

    fn take(&mut self, datagram: &[u8]) -> Result<(), SendError> {
        let Some(response) = Response::parse(datagram) else {
            return Ok(());
        };
        let Some(number) = self.run.number_of(response.branch) else {
            return Ok(());
        };
        if !response.is_final() {
            if let Some(call) = self.outstanding.get_mut(&number) {
                call.is_proceeding = true;
            }
            return Ok(());
        }
        let slot = number as usize % RECENT_ACKS;
        let Some(call) = self.outstanding.remove(&number) else {
            if self.recent_acks[slot].0 == number {
                let ack = std::mem::take(&mut self.recent_acks[slot].1);
                self.transmit(&ack)?;
                self.recent_acks[slot].1 = ack;
            }
            return Ok(());
        };
        // A 2xx would open a dialog; no server of this kind sends one, and it is only counted.
        if response.status >= 300 {
            let ack = call.invite.ack(response.to);
            // A full buffer loses the ACK; the response then comes again and so does the ACK.
            self.transmit(&ack)?;
            self.recent_acks[slot] = (number, ack);
        }
        self.finish(call, Some(&response));
        Ok(())
    }

    fn finish(&mut self, call: Outstanding, response: Option<&Response<'_>>) {
        let verdict = response.and_then(Response::verdict);
        let latency_us = response.map(|_| call.sent_at.elapsed().as_micros() as u64);
        match (response, latency_us) {
            (Some(response), Some(latency_us)) => {
                self.report.answered += 1;
                *self.report.by_status.entry(response.status).or_default() += 1;
                if let Some((code, _)) = verdict {
                    count(&mut self.report.by_code, code);
                }
                self.latency.add(latency_us);
            }
            _ => self.report.unanswered += 1,
        }
        (self.on_result)(CallResult {
            call_id: call.call_id,
            status: response.map(|response| response.status),
            code: verdict.map(|(code, _)| code.to_owned()),
            number: verdict.map_or(call.call.dialed_number, |(_, number)| number.to_owned()),
            score: response.and_then(|response| response.score),
            reasons: response.map_or_else(String::new, |response| response.reasons.to_owned()),
            latency_us,
            user: call.call.user,
            domain: call.call.domain,
            verdict: call.call.verdict,
            campaign: call.call.campaign,
        });
    }

    fn send_late(&mut self) -> Result<(), SendError> {
        let now = Instant::now();
        for level in 0..self.timers.len() {
            while let Some(&(at, number)) = self.timers[level].front()
                && at <= now
            {
                self.timers[level].pop_front();
                self.is_late(level, number)?;
            }
        }
        self.drop_answered();
        Ok(())
    }

    fn is_late(&mut self, level: usize, number: u64) -> Result<(), SendError> {
        let Some(call) = self.outstanding.remove(&number) else {
            return Ok(());
        };
        let Some(due) = self.due_after.get(level + 1) else {
            self.finish(call, None);
            return Ok(());
        };
        self.timers[level + 1].push_back((call.sent_at + *due, number));
        if !call.is_proceeding {
            self.report.retransmissions += 1;
            self.transmit(&call.invite.bytes)?;
        }
        self.outstanding.insert(number, call);
        Ok(())
    }

    /// Deadlines of answered calls at the front of a queue wake nobody.
    fn drop_answered(&mut self) {
        for queue in &mut self.timers {
            while let Some((_, number)) = queue.front()
                && !self.outstanding.contains_key(number)
            {
                queue.pop_front();
            }
        }
    }
}

fn count(by: &mut std::collections::BTreeMap<String, u64>, code: &str) {
    match by.get_mut(code) {
        Some(count) => *count += 1,
        None => {
            by.insert(code.to_owned(), 1);
        }
    }
}

/// T1, 3 T1, 7 T1, ... as long as that is before the end; then the end.
fn due_after(options: &SendOptions) -> Vec<Duration> {
    let mut due = Vec::new();
    let (mut at, mut wait) = (options.t1, options.t1);
    while at < options.give_up {
        due.push(at);
        wait *= 2;
        at += wait;
    }
    due.push(options.give_up);
    due
}
