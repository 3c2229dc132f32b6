//! Dispatch only; the commands live in `tfps::cli`.

fn main() {}
