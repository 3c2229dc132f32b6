//! HTTP digest authentication as SIP and the web service use it (RFC 7616, RFC 8760, RFC 3261
//! section 22), with MD5 and SHA-256 and `qop=auth`.
//!
//! ```text
//! Gate::challenge -> 401 -> Authorization -> Gate::claim (parse, our nonce?) -> Gate::check (response, then nonce)
//! ```
//! No I/O, no clock, no passwords: [`Ha1`] comes from the accounts, the time is an argument.
//!
//! How often one may be wrong is [`Guesses`]' to say.
//!
//! # Decided, and why
//! - **Credentials without `qop` are refused** (they are as good as none: a new challenge). They
//!   are those of RFC 2069: no nonce count, so a copied header could be sent again and again, and
//!   no client nonce. RFC 8760 does away with them; clients have had `qop` since 1999.
//! - **No `-sess` and no `auth-int`.** A session key saves work only where the password is asked
//!   of somebody else; a body is no part of a decision. Neither is offered, so neither is taken.
//! - **The response is judged before the nonce's age.** `stale=true` says "your password is
//!   right" (RFC 7616 section 3.3), so it is said to nobody who has not shown it.
//! - **The `uri` parameter** is not held against the whole Request-URI. Clients sign what they
//!   sent, and on the way a proxy may change host, port and parameters; SIPp and some
//!   gateways sign the server alone (`sip:host:port`). What must not change is the number: where
//!   the `uri` has a user part it must be the one that is dialled ([`Claim::signs_number`]), so a
//!   header that was taken from the wire cannot pay for a call to elsewhere. A proxy
//!   that rewrites numbers between the customer and this service belongs to the trusted peers. On
//!   the web, where nothing rewrites, it must be path and query byte for byte
//!   ([`signs_target`]).
//! - **MD5 is offered first**, SHA-256 second, unless `digest.algorithms` says otherwise. A client
//!   should take the first that it knows (RFC 8760 section 2.4), but in the field many judge
//!   the first challenge only and give the call up over SHA-256: Asterisk 18, FreeSWITCH 1.10.6,
//!   PJSIP 2.10 and SIPp 3.6 do. Those that know SHA-256 well enough to be asked for it
//!   alone deserve `algorithms = ["SHA-256"]`. libre 1.1 (baresip 1.0) gives up over SHA-256 in
//!   either place and needs `["MD5"]`. What digest needs of a hash, MD5 still gives.
//! - **Which header counts.** Several Authorization headers may come, for several realms and
//!   algorithms. The first that answers a challenge of ours for this realm is judged, and only
//!   that one.

mod challenge;
mod credentials;
mod gate;
mod guesses;
mod ha1;
mod nonce;
mod settings;
mod used;

pub use challenge::headers;
pub use credentials::{Claim, signs_target};
pub use gate::{Gate, Refused};
pub use guesses::{Guess, Guesses, Source};
pub use ha1::Ha1;
pub use nonce::{Nonce, Nonces};
pub use settings::{Algorithms, DigestSettings};

#[cfg(test)]
mod tests;
