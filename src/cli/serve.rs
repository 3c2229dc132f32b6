//! `tfps serve`

use super::context::Context;
use super::{Done, output};
use crate::app::{Addresses, Purpose, Service};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(super) async fn run(context: Context, purpose: Purpose) -> anyhow::Result<Done> {
    let data_dir = context.data_dir()?;
    // A service that ran saved its habits; a command that made the folder did not.
    let first_start = !data_dir.windows().exists();
    let shutdown = CancellationToken::new();
    // Before anything is bound, so that a signal during the start is not lost.
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let token = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    let service = Service::start(&context.settings, purpose, data_dir).await?;
    // The service does not depend on somebody reading this.
    if let Err(error) = greet(service.addresses(), &context, first_start) {
        tracing::warn!(%error, "greeting not printed");
    }
    service.run(shutdown).await?;
    output::line(
        "stopped: every answered call is in ClickHouse, or waits in the spool for the next start",
    )?;
    Ok(Done::All)
}

/// Says where it listens, how to send it a call, and where to go next.
fn greet(addresses: &Addresses, context: &Context, first_start: bool) -> std::io::Result<()> {
    let data = context.data_dir.display();
    if first_start {
        output::line(&format!(
            "\nFirst start in {data}: the root domain begins with trust in this machine (127.0.0.0/8, ::1),\n\
             which is then asked for no password: to try one, send from another address, or take the\n\
             trust away with `tfps domain untrust root 127.0.0.0/8`.\n\
             Its policy begins with R01 R02 R03 R07 R12 R14 enforced; R15, the risk score, is in audit.\n\
             Token of the REST API, for you only: {data}/api-token"
        ))?;
    }
    let a = addresses;
    let honeypot = a.honeypot.map_or_else(String::new, |honeypot| {
        format!(
            "\x20 honeypot    sip:{honeypot} (UDP, TCP)   a PBX to whoever tries; no call leaves\n"
        )
    });
    let (Some(prevention), Some(detection)) = (a.prevention, a.detection) else {
        return output::line(&format!(
            "\nTFPS {version} is a honeypot\n{honeypot}\
             \x20 web         http://{http}/   /healthz /readyz /metrics /v1\n\
             \x20 ClickHouse  {store}\n\n\
             What it learns: `tfps list learned`. Stop with Ctrl-C.\n",
            version = env!("CARGO_PKG_VERSION"),
            http = a.http,
            store = a.store,
        ));
    };
    let port = prevention.port();
    let tls = a.prevention_tls.map_or_else(String::new, |tls| {
        format!("\x20             sips:{tls} (TLS)\n")
    });
    output::line(&format!(
        "\nTFPS {version} is answering calls\n\
         \x20 prevention  sip:{prevention} (UDP, TCP)   302 with A00<number> or Rnn<number>\n{tls}\
         \x20 detection   sip:{detection} (UDP, TCP)   503 to every forked copy; nothing is blocked\n\
         \x20             http://{detection}/ (one GET: A00 or Rnn)\n{honeypot}\
         \x20 web         http://{http}/   /healthz /readyz /metrics /v1 /openapi.json\n\
         \x20 ClickHouse  {store}\n\n\
         Send it a call:\n\
         \x20 sipsak -d -vv -f tests/data/sip/invite.sip -s sip:5548987654321@127.0.0.1:{port}\n\
         \x20 (the answer is the 302 it prints; sipsak itself counts any 302 as a failure)\n\n\
         Next: `{tfps} policy show root default` shows the rules, `domain add` serves a customer,\n\
         integrations/ connects a softswitch, `make demo` tells the whole story.\n\
         Stop with Ctrl-C: calls are drained, nothing is lost.\n",
        version = env!("CARGO_PKG_VERSION"),
        tfps = std::env::args().next().unwrap_or_default(),
        http = a.http,
        store = a.store,
    ))
}
