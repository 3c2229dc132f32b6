//! Call-IDs as telephones, gateways and tools write them.
//!
//! No form belongs to attackers alone: decimal ones come from scanners and from desk telephones,
//! hexadecimal ones from exchanges and from their thieves.

use super::dice::mix;
use std::fmt::Write;
use std::net::IpAddr;

/// The look of a Call-ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// `a84b4c76e66710d8@192.0.2.4:5060`: open source exchanges.
    HexAtHost,
    /// `6f4f…` of 32 digits and no host: dialers, light softphones.
    Hex,
    /// `8B1C9F7A46E2D310@192.0.2.4`: home routers.
    UpperHexAtHost,
    /// `B9A1C1E4-4A1F11EE-8E5DB2D4-9C1A7B33@192.0.2.4`: access gateways.
    FourWordsAtHost,
    /// `f81d4fae-7dec-11d0-a765-00a0c91e6bf6`: soft switches, mobile apps.
    Uuid,
    /// `3c26700d1f8a-4xk2m9p0qz7b`: desk telephones with a clock in front.
    Dashed,
    /// `0_1839204756@192.0.2.4`: desk telephones that count in tens.
    DecimalAtHost,
    /// `1182736455-5060-17@BJC.A.C.E`: telephone adapters; the host spelt in letters.
    CountedAtLetters,
    /// `Qx7-Lm2vRt`: softphones.
    Short,
    /// `kT3vZ0bqYx1LmN4cRw8sPg..`: softphones.
    Base64,
    /// `583920174650192837465019`: scanners of the classic kind, and some dialers.
    Decimal,
}

/// What one Call-ID is made from: its look and 64 random bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallId {
    pub(super) form: Form,
    pub(super) bits: u64,
}

const WORD: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LOWER: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

impl CallId {
    /// The text, for a device at that address.
    pub(super) fn text(self, host: IpAddr) -> String {
        let a = self.bits;
        let (b, c) = (mix(a), mix(a ^ 0x5bd1_e995));
        match self.form {
            Form::HexAtHost => format!("{a:016x}{:08x}@{host}:5060", b as u32),
            Form::Hex => format!("{a:016x}{b:016x}"),
            Form::UpperHexAtHost => format!("{a:016X}@{host}"),
            Form::FourWordsAtHost => format!(
                "{:08X}-{:08X}-{:08X}-{:08X}@{host}",
                (a >> 32) as u32,
                a as u32,
                (b >> 32) as u32,
                b as u32
            ),
            Form::Uuid => format!(
                "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
                (a >> 32) as u32,
                (a >> 16) as u16,
                a & 0xfff,
                0x8000 | (b >> 48) as u16 & 0x3fff,
                c & 0xffff_ffff_ffff
            ),
            Form::Dashed => format!("3c2{:09x}-{}", a & 0xf_ffff_ffff, letters(b, 12, LOWER)),
            Form::DecimalAtHost => format!("{}_{:010}@{host}", b % 3, a % 10_000_000_000),
            Form::CountedAtLetters => {
                format!("{:010}-5060-{}@{}", a % 10_000_000_000, b % 90, spelt(host))
            }
            Form::Short => format!("{}-{}", letters(a, 5, WORD), letters(b, 6, WORD)),
            Form::Base64 => format!("{}{}..", letters(a, 10, WORD), letters(b, 10, WORD)),
            Form::Decimal => format!("{:012}{:012}", a % 1_000_000_000_000, b % 1_000_000_000_000),
        }
    }
}

fn letters(mut bits: u64, count: usize, alphabet: &[u8]) -> String {
    let size = alphabet.len() as u64;
    (0..count)
        .map(|_| {
            let letter = alphabet[(bits % size) as usize];
            bits /= size;
            char::from(letter)
        })
        .collect()
}

/// The address with letters for digits, as adapters hide it.
fn spelt(host: IpAddr) -> String {
    let mut text = String::new();
    let _ = write!(text, "{host}");
    text.chars()
        .map(|c| c.to_digit(10).map_or(c, |d| char::from(b'A' + d as u8)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_look_as_they_should() {
        let host = IpAddr::from([192, 0, 2, 4]);
        let text = |form| {
            let bits = 0x0123_4567_89ab_cdef;
            CallId { form, bits }.text(host)
        };
        assert_eq!(text(Form::UpperHexAtHost), "0123456789ABCDEF@192.0.2.4");
        assert!(text(Form::HexAtHost).ends_with("@192.0.2.4:5060"));
        assert!(text(Form::CountedAtLetters).ends_with("@BJC.A.C.E"));
        assert!(text(Form::Decimal).bytes().all(|b| b.is_ascii_digit()));
        let uuid = text(Form::Uuid);
        let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(text(Form::Base64).len(), 22);
    }
}
