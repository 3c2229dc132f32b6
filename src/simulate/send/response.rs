//! What is read of a response: just enough to know which call it answers, and what it says.
//!
//! Deliberately not the reader of [`crate::sip`]: the simulator is the other side, and shares
//! no mistake with it.

/// A response, borrowed from its datagram.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Response<'a> {
    pub(super) status: u16,
    /// Branch of the topmost Via.
    pub(super) branch: &'a str,
    /// The whole To, with its tag.
    pub(super) to: &'a str,
    /// User part of the first Contact.
    pub(super) contact_user: Option<&'a str>,
    pub(super) score: Option<f64>,
    pub(super) reasons: &'a str,
}

impl<'a> Response<'a> {
    /// `None` for what is no response to an INVITE.
    pub(super) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(datagram).ok()?;
        let mut lines = text.split("\r\n");
        let status = lines.next()?.strip_prefix("SIP/2.0 ")?.get(..3)?;
        let mut response = Self {
            status: status.parse().ok()?,
            ..Self::default()
        };
        let mut is_invite = false;
        for line in lines.take_while(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            let is = |long: &str, short: &str| {
                name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short)
            };
            if is("Via", "v") && response.branch.is_empty() {
                response.branch = parameter(value, "branch")?;
            } else if is("To", "t") {
                response.to = value;
            } else if is("CSeq", "CSeq") {
                is_invite = value.ends_with("INVITE");
            } else if is("Contact", "m") && response.contact_user.is_none() {
                response.contact_user = contact_user(value);
            } else if is("P-TFPS-Score", "P-TFPS-Score") {
                response.score = value.parse().ok();
            } else if is("P-TFPS-Reason", "P-TFPS-Reason") {
                response.reasons = value;
            }
        }
        (is_invite && !response.branch.is_empty()).then_some(response)
    }

    pub(super) const fn is_final(&self) -> bool {
        self.status >= 200
    }

    /// Code and number of a Contact such as `R03554898765@...`.
    pub(super) fn verdict(&self) -> Option<(&'a str, &'a str)> {
        let (code, number) = self.contact_user?.split_at_checked(3)?;
        let bytes = code.as_bytes();
        let is_code = matches!(bytes[0], b'A' | b'R') && bytes[1..].iter().all(u8::is_ascii_digit);
        is_code.then_some((code, number))
    }
}

fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.split(',').next().unwrap_or(value).trim())
    })
}

fn contact_user(value: &str) -> Option<&str> {
    let start = value.find("sip")?;
    let (_, rest) = value[start..].split_once(':')?;
    rest.split_once('@').map(|(user, _)| user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_redirect_says() {
        let text = "SIP/2.0 302 Moved Temporarily\r\nv: SIP/2.0/UDP a;rport=5;branch=z9hG4bK-r-7\r\n\
                    To: <sip:1@b>;tag=x\r\nCSeq: 1 INVITE\r\nContact: <sip:R0355498@itsp.example>\r\n\
                    P-TFPS-Score: 0.973\r\nP-TFPS-Reason: new-country,burst-1m\r\n\r\n";
        let response = Response::parse(text.as_bytes()).expect("a response");
        assert_eq!((response.status, response.branch), (302, "z9hG4bK-r-7"));
        assert_eq!(response.verdict(), Some(("R03", "55498")));
        assert_eq!(response.score, Some(0.973));
        assert_eq!(response.to, "<sip:1@b>;tag=x");
        assert_eq!(response.reasons, "new-country,burst-1m");
    }

    #[test]
    fn what_answers_no_invite_is_left_alone() {
        let cases = [
            "INVITE sip:a SIP/2.0\r\n\r\n",
            "SIP/2.0 200 OK\r\n\r\n",
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=b\r\nCSeq: 1 OPTIONS\r\n\r\n",
            "",
        ];
        assert!(
            cases
                .iter()
                .all(|text| Response::parse(text.as_bytes()).is_none())
        );
    }
}
