//! Dispatch only; the commands live in `tfps::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tfps::cli::main()
}
