//! The service as its users see it: from a shell, a softswitch, a browser and ClickHouse.

mod accounts;
mod bad_input;
mod codes;
mod configuration;
mod daylight;
mod detection;
mod every_call_once;
mod first_start;
mod honeypot;
mod learning;
mod life;
mod limits;
mod lists;
mod models;
mod only_one;
mod rates;
mod restart;
mod rules_of_sip;
mod stopping;
mod tls;
mod told;
mod transports;
mod watched;
