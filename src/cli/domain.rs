//! `tfps domain`

use super::context::{Access, Context};
use super::output::Format;
use super::{Done, output};
use crate::app::clock;

#[derive(clap::Subcommand, Debug)]
pub(super) enum DomainCommand {
    /// Show all domains.
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Serve a domain; it gets a default policy of its own.
    Add {
        /// As in From, e.g. itsp.example.
        domain: String,
        /// Networks whose softswitches may ask for it; may be repeated.
        #[arg(long, value_name = "NETWORK")]
        trust: Vec<String>,
    },
    /// Stop serving a domain; its policies, subscribers and lists go with it.
    Remove {
        /// The domain.
        domain: String,
    },
    /// Let a network ask for a domain.
    Trust {
        /// The domain.
        domain: String,
        /// An address, or a network such as 192.0.2.0/24.
        network: String,
    },
    /// No longer let a network ask for a domain.
    Untrust {
        /// The domain.
        domain: String,
        /// As it was trusted.
        network: String,
    },
    /// Change a domain's dial prefixes, default policy or default user.
    Set {
        /// The domain.
        domain: String,
        /// Digits its users dial before a number, e.g. 9; may be repeated; "" for none.
        #[arg(long, value_name = "DIGITS")]
        dial_prefix: Option<Vec<String>>,
        /// Policy of subscribers without one of their own.
        #[arg(long, value_name = "POLICY")]
        default_policy: Option<String>,
        /// To whom the calls of everybody are counted who is no subscriber.
        #[arg(long, value_name = "USER")]
        default_user: Option<String>,
    },
}

pub(super) fn run(context: &Context, command: DomainCommand) -> anyhow::Result<Done> {
    let access = Access::reading_if(matches!(command, DomainCommand::List { .. }));
    let mut accounts = context.accounts(access)?;
    let now = clock::now();
    match command {
        DomainCommand::List { format } => {
            return output::list(
                format,
                &[
                    "domain",
                    "default policy",
                    "default user",
                    "trusted peers",
                    "dial prefixes",
                ],
                &accounts.domains()?,
                |d| {
                    vec![
                        d.name.clone(),
                        d.default_policy.clone(),
                        d.default_user.clone(),
                        d.trusted_peers.join(" "),
                        d.dial_prefixes.join(" "),
                    ]
                },
            );
        }
        DomainCommand::Add { domain, trust } => {
            accounts.add_domain(&domain, &trust, now)?;
            for network in &trust {
                warn_of_all(network);
            }
        }
        DomainCommand::Remove { domain } => accounts.remove_domain(&domain, now)?,
        DomainCommand::Trust { domain, network } => {
            accounts.set_trust(&domain, &network, true, now)?;
            warn_of_all(&network);
        }
        DomainCommand::Untrust { domain, network } => {
            accounts.set_trust(&domain, &network, false, now)?;
        }
        DomainCommand::Set {
            domain,
            dial_prefix,
            default_policy,
            default_user,
        } => {
            if dial_prefix.is_none() && default_policy.is_none() && default_user.is_none() {
                anyhow::bail!(
                    "nothing to change: give --dial-prefix, --default-policy or --default-user"
                );
            }
            let prefixes = dial_prefix.map(|all| {
                all.into_iter()
                    .filter(|p| !p.is_empty())
                    .collect::<Vec<_>>()
            });
            accounts.set_domain(
                &domain,
                prefixes.as_deref(),
                default_policy.as_deref(),
                default_user.as_deref(),
                now,
            )?;
        }
    }
    output::changed()
}

fn warn_of_all(network: &str) {
    if is_everybody(network) {
        eprintln!(
            "warning: {network} is every address there is: whoever reaches the service is trusted, \
             without a password"
        );
    }
}

fn is_everybody(network: &str) -> bool {
    let parsed: Result<ipnet::IpNet, _> = network.parse();
    parsed.is_ok_and(|network| network.prefix_len() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_network_of_all_addresses_is_everybody() {
        for network in ["0.0.0.0/0", "::/0", "192.0.2.1/0"] {
            assert!(is_everybody(network), "{network}");
        }
        for network in ["0.0.0.0", "10.0.0.0/8", "::1", "::/1"] {
            assert!(!is_everybody(network), "{network}");
        }
    }
}
