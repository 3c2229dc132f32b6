//! Telephones, exchanges and what else sends INVITEs: how it names itself, how it writes Call-IDs.
//!
//! Names as devices of these makes send them, from general knowledge of the field; `{}` stands
//! for the firmware, which grows with the years. Everybody has one of the last few releases.

use super::call_id::Form;
use super::dice::Dice;
use std::sync::Arc;

/// A model of device or software.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Model {
    /// `User-Agent`, `{}` for the firmware; empty: it sends none.
    pub(super) agent: &'static str,
    pub(super) form: Form,
}

const fn model(agent: &'static str, form: Form) -> Model {
    Model { agent, form }
}

/// Days between two releases of a firmware.
const RELEASE: u64 = 45;
/// The longest that anybody goes without updating, days.
pub(super) const OLDEST: u64 = 400;

impl Model {
    /// What it calls itself when last updated on that day since the epoch.
    pub(super) fn agent(&self, updated: u64) -> Arc<str> {
        let release = updated / RELEASE % 60;
        self.agent.replace("{}", &release.to_string()).into()
    }
}

/// Routers, adapters and cordless bases of households.
pub(super) static HOUSEHOLD: [Model; 15] = [
    model("AVM FRITZ!Box 7590 154.07.{}", Form::UpperHexAtHost),
    model("AVM FRITZ!Box 7530 164.07.{}", Form::UpperHexAtHost),
    model("AVM FRITZ!Box 6660 Cable 267.07.{}", Form::UpperHexAtHost),
    model("Grandstream HT801 1.0.{}.5", Form::CountedAtLetters),
    model("Grandstream HT802 1.0.{}.3", Form::CountedAtLetters),
    model("Cisco/SPA112-1.4.{}", Form::FourWordsAtHost),
    model("Linksys/SPA2102-5.2.{}", Form::FourWordsAtHost),
    model("OBIHAI/OBi200-3.2.2.{}", Form::Hex),
    model("Gigaset N510 IP PRO/42.{}.00.000.000", Form::DecimalAtHost),
    model("Gigaset C530 IP/42.{}.00.000.000", Form::DecimalAtHost),
    model("Yealink W60B 77.85.0.{}", Form::DecimalAtHost),
    model("Speedport Smart 3 010137.5.0.{}", Form::UpperHexAtHost),
    model("snomD735/10.1.{}.13", Form::Dashed),
    model("Fanvil X3S 2.12.{}", Form::Decimal),
    model("VOIP", Form::Decimal),
];

/// Exchanges of offices, and desk telephones where the exchange is the provider's.
pub(super) static OFFICE: [Model; 22] = [
    model("Asterisk PBX 18.{}.0", Form::HexAtHost),
    model("Asterisk PBX 16.{}.0~dfsg-1", Form::HexAtHost),
    model("Asterisk PBX 11.{}.11", Form::HexAtHost),
    model("FPBX-16.0.{}(18.20.0)", Form::HexAtHost),
    model("FPBX-15.0.{}(16.25.0)", Form::HexAtHost),
    model("3CXPhoneSystem 18.0.{}.0", Form::Base64),
    model("FreeSWITCH-mod_sofia/1.10.{}-release", Form::Uuid),
    model("FusionPBX 5.{}", Form::Uuid),
    model("Cisco-SIPGateway/IOS-16.12.{}", Form::FourWordsAtHost),
    model("Cisco-SIPGateway/IOS-15.7.{}", Form::FourWordsAtHost),
    model("Cisco-CUCM12.{}", Form::FourWordsAtHost),
    model("Mitel-5000-ICP-6.3.{}", Form::Hex),
    model("AVAYA-SM-8.1.{}", Form::Hex),
    model("Starface 7.1.{}", Form::HexAtHost),
    model("Yealink SIP-T46S 66.86.0.{}", Form::DecimalAtHost),
    model("Yealink SIP-T54W 96.86.0.{}", Form::DecimalAtHost),
    model("PolycomVVX-VVX_411-UA/5.9.{}", Form::Hex),
    model("snomD785/10.1.{}.13", Form::Dashed),
    model("Grandstream GXP2170 1.0.{}.20", Form::CountedAtLetters),
    model("Linksys/SPA942-6.1.{}", Form::FourWordsAtHost),
    model("PBX", Form::Decimal),
    model("", Form::Uuid),
];

/// Diallers of call centres.
pub(super) static CALL_CENTRE: [Model; 7] = [
    model("Asterisk PBX 16.{}.0", Form::HexAtHost),
    model("VICIdial 2.14-{}", Form::HexAtHost),
    model("FreeSWITCH-mod_sofia/1.10.{}-release", Form::Uuid),
    model("Genesys/8.5.{}", Form::Uuid),
    model("PortSIP VoIP SDK 11.{}", Form::Decimal),
    model("VaxSIPUserAgent/3.{}", Form::Decimal),
    model("Ozeki VoIP SIP SDK 10.{}", Form::Decimal),
];

/// Exchanges of hotels.
pub(super) static HOTEL: [Model; 5] = [
    model("Mitel-5000-ICP-6.3.{}", Form::Hex),
    model("OmniPCX Enterprise R12.{}", Form::UpperHexAtHost),
    model("AVAYA-SM-7.1.{}", Form::Hex),
    model("Asterisk PBX 13.{}.0", Form::HexAtHost),
    model("UCM6208 1.0.{}.5", Form::HexAtHost),
];

/// Border controllers and soft switches of carriers.
pub(super) static CARRIER: [Model; 6] = [
    model("Sonus SBC 9.2.{}", Form::DecimalAtHost),
    model("Oracle ECZ8.4.{}", Form::Uuid),
    model("MERA MVTS3G v.4.5.{}", Form::UpperHexAtHost),
    model("sippy softswitch 5.2.{}", Form::Hex),
    model("VOS3000 V2.1.{}", Form::Decimal),
    model("", Form::Uuid),
];

/// Telephones that are a program.
pub(super) static SOFTPHONE: [Model; 16] = [
    model("Zoiper rv2.10.{}", Form::Base64),
    model("Zoiper v2.10.{}-mod", Form::Base64),
    model("Linphone Android/5.0.{}", Form::Short),
    model("LinphoneiOS/5.0.{}", Form::Short),
    model("Linphone Desktop/5.1.{}", Form::Short),
    model("Bria 6.5.{}", Form::Base64),
    model("Bria Mobile 6.{}", Form::Base64),
    model("MicroSIP/3.21.{}", Form::Hex),
    model("X-Lite release 1103k stamp 536{}", Form::Base64),
    model("eyeBeam release 3006o stamp 175{}", Form::Base64),
    model("GS Wave 1.0.{}", Form::CountedAtLetters),
    model("Acrobits Groundwire/6.{}", Form::Uuid),
    model("CSipSimple_hammerhead-22/r24{}", Form::Hex),
    model("MizuPhone v1.{}", Form::Decimal),
    model("PortSIP UC Client 12.{}", Form::Decimal),
    model("Jitsi2.11.{}Windows 10", Form::Hex),
];

/// What carriers, offices and hobbyists watch their lines with: tools, in honest hands.
pub(super) static MONITOR: [Model; 4] = [
    model("sipsak 0.9.{}", Form::Decimal),
    model("sipcli/v1.{}", Form::Decimal),
    model("VoIPmonitor 2.{}", Form::Hex),
    model("SIPp 3.6.{}", Form::HexAtHost),
];

/// Call-IDs of an attacker whose name is of a list, not of a model.
pub(super) fn form_of_tool(dice: &mut Dice) -> Form {
    match dice.below(10) {
        0..4 => Form::Decimal,
        4..6 => Form::Hex,
        6 => Form::HexAtHost,
        7 => Form::Base64,
        8 => Form::DecimalAtHost,
        _ => Form::Uuid,
    }
}
