//! `tfps subscriber`

use super::context::{Access, Context};
use super::output::Format;
use super::{Done, output};
use crate::accounts::{Password, Subscriber, Vault};
use crate::app::clock;
use anyhow::Context as _;
use std::io::{IsTerminal as _, Read as _};

/// Longest password read, bytes, with some room: longer ones are refused, not read on.
const MAX_INPUT: u64 = 1_024;

#[derive(clap::Subcommand, Debug)]
pub(super) enum SubscriberCommand {
    /// Show subscribers and caller numbers with a policy of their own.
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Add a subscriber; with a password he may ask from any address.
    Add {
        /// `user@domain`.
        subscriber: String,
        /// A policy of that domain; absent: its default policy as it is now.
        #[arg(long)]
        policy: Option<String>,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Give a subscriber another password, read from standard input.
    Password {
        /// `user@domain`.
        subscriber: String,
        /// Make one up and print it, once.
        #[arg(long)]
        generate: bool,
        /// Take it away: only trusted peers may ask for him then.
        #[arg(long, conflicts_with = "generate")]
        remove: bool,
    },
    /// Give a subscriber or caller number a policy.
    Set {
        /// `user@domain`; with --ani: `number@domain`, the number in E.164.
        subscriber: String,
        /// A policy of that domain.
        policy: String,
        /// The user is a caller number (ANI), whatever user name it comes with.
        #[arg(long)]
        ani: bool,
    },
    /// Take it away again, with the password; the domain's default policy holds then.
    Remove {
        /// As it was set.
        subscriber: String,
        /// As it was set.
        #[arg(long)]
        ani: bool,
    },
}

/// Where the password of a new subscriber comes from; without either he has none.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(super) struct NewPassword {
    /// Read his password from standard input: 8 to 128 printable ASCII characters.
    #[arg(long)]
    password_stdin: bool,
    /// Make one up and print it, once.
    #[arg(long, conflicts_with = "password_stdin")]
    generate: bool,
}

pub(super) fn run(context: &Context, command: SubscriberCommand) -> anyhow::Result<Done> {
    if let SubscriberCommand::List { format } = command {
        return list(context, format);
    }
    let mut accounts = context.accounts(Access::Editing)?;
    let now = clock::now();
    match command {
        SubscriberCommand::List { .. } => {}
        SubscriberCommand::Add {
            subscriber,
            policy,
            password,
        } => {
            let (user, domain) = user_at_domain(&subscriber)?;
            let chosen = match (password.password_stdin, password.generate) {
                (true, _) => Some(read_password()?),
                (_, true) => Some(Password::generate(rand::random())),
                (false, false) => None,
            };
            let vault = vault(context)?;
            let sealing = chosen.as_ref().map(|password| (password, &vault));
            accounts.add_subscriber(user, domain, policy.as_deref(), sealing, now)?;
            if let (true, Some(made)) = (password.generate, &chosen) {
                return show(made);
            }
        }
        SubscriberCommand::Password {
            subscriber,
            generate,
            remove,
        } => {
            let (user, domain) = user_at_domain(&subscriber)?;
            let chosen = match (generate, remove) {
                (true, _) => Some(Password::generate(rand::random())),
                (_, true) => None,
                (false, false) => Some(read_password()?),
            };
            let vault = vault(context)?;
            let sealing = chosen.as_ref().map(|password| (password, &vault));
            accounts.set_password(user, domain, sealing, now)?;
            if let (true, Some(made)) = (generate, &chosen) {
                return show(made);
            }
        }
        SubscriberCommand::Set {
            subscriber,
            policy,
            ani,
        } => {
            let (who, domain) = part(&subscriber, ani)?;
            accounts.set_subscriber(who, domain, &policy, now)?;
        }
        SubscriberCommand::Remove { subscriber, ani } => {
            let (who, domain) = part(&subscriber, ani)?;
            accounts.remove_subscriber(who, domain, now)?;
        }
    }
    output::changed()
}

fn list(context: &Context, format: Format) -> anyhow::Result<Done> {
    let accounts = context.accounts(Access::Reading)?;
    let unusable = accounts.unusable_passwords(&vault(context)?)?;
    if !unusable.is_empty() {
        eprintln!(
            "warning: the data folder's secret is not that under which these passwords were set: {}; \
             set them anew with `tfps subscriber password`",
            unusable.join(", ")
        );
    }
    let headings = ["subscriber", "domain", "policy", "password"];
    output::list(format, &headings, &accounts.subscribers()?, |s| {
        let password = match (s.password, unusable.contains(&s.subscriber)) {
            (false, _) => "none",
            (true, false) => "set",
            (true, true) => "unusable",
        };
        vec![
            s.subscriber.clone(),
            s.domain.clone(),
            s.policy.clone(),
            password.to_owned(),
        ]
    })
}

fn vault(context: &Context) -> anyhow::Result<Vault> {
    Ok(context.data_dir()?.vault())
}

/// One line of standard input, or all of it if it has no line's end.
fn read_password() -> anyhow::Result<Password> {
    let input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("password, then Enter and Ctrl-D (it is shown as you type):");
    }
    let mut text = String::new();
    input
        .lock()
        .take(MAX_INPUT)
        .read_to_string(&mut text)
        .context("password: expected text on standard input")?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Password::parse(line.strip_suffix('\r').unwrap_or(line))?)
}

/// The password alone, for scripts; what is kept of it cannot be turned back.
fn show(password: &Password) -> anyhow::Result<Done> {
    eprintln!("the password is shown this once; a running service takes it within a second");
    output::line(password.reveal())?;
    Ok(Done::All)
}

fn part(text: &str, ani: bool) -> anyhow::Result<(Subscriber<'_>, &str)> {
    let (user, domain) = user_at_domain(text)?;
    let who = if ani {
        Subscriber::Ani(user)
    } else {
        Subscriber::User(user)
    };
    Ok((who, domain))
}

fn user_at_domain(text: &str) -> anyhow::Result<(&str, &str)> {
    text.rsplit_once('@')
        .with_context(|| format!("subscriber `{text}`: expected user@domain"))
}
