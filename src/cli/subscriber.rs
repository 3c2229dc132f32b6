//! `tfps subscriber`

use super::context::Context;
use super::output::Format;
use super::{Done, output};
use crate::accounts::Subscriber;
use crate::app::clock;
use anyhow::Context as _;

#[derive(clap::Subcommand, Debug)]
pub(super) enum SubscriberCommand {
    /// Show subscribers and caller numbers with a policy of their own.
    List {
        #[command(flatten)]
        format: Format,
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
    /// Take it away again; the domain's default policy holds then.
    Remove {
        /// As it was set.
        subscriber: String,
        /// As it was set.
        #[arg(long)]
        ani: bool,
    },
}

pub(super) fn run(context: &Context, command: SubscriberCommand) -> anyhow::Result<Done> {
    let mut accounts = context.accounts()?;
    let now = clock::now();
    match command {
        SubscriberCommand::List { format } => {
            let rows = accounts.subscribers()?;
            return output::list(format, &["subscriber", "domain", "policy"], &rows, |s| {
                vec![s.subscriber.clone(), s.domain.clone(), s.policy.clone()]
            });
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

fn part(text: &str, ani: bool) -> anyhow::Result<(Subscriber<'_>, &str)> {
    let (user, domain) = text
        .rsplit_once('@')
        .with_context(|| format!("subscriber `{text}`: expected user@domain"))?;
    let who = if ani {
        Subscriber::Ani(user)
    } else {
        Subscriber::User(user)
    };
    Ok((who, domain))
}
