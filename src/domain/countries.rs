//! Sets of countries, and the rules that are made of them.

use super::Country;

/// Two letters of 26 each, as bits.
const WORDS: usize = (26usize * 26).div_ceil(64);

/// Any number of countries, in 88 bytes; asking for one is one bit test.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct CountrySet([u64; WORDS]);

impl CountrySet {
    /// Every code there can be.
    pub const ALL: Self = Self([u64::MAX; WORDS]);

    /// Takes a country in.
    pub fn insert(&mut self, country: Country) {
        if let Some((word, bit)) = place(country) {
            self.0[word] |= bit;
        }
    }

    /// Whether a country is in it.
    #[must_use]
    pub fn contains(&self, country: Country) -> bool {
        place(country).is_some_and(|(word, bit)| self.0[word] & bit != 0)
    }

    /// What is in this and not in the other.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        for (word, others) in self.0.iter_mut().zip(other.0) {
            *word &= !others;
        }
        self
    }

    fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

impl FromIterator<Country> for CountrySet {
    fn from_iter<I: IntoIterator<Item = Country>>(countries: I) -> Self {
        let mut set = Self::default();
        for country in countries {
            set.insert(country);
        }
        set
    }
}

impl std::fmt::Debug for CountrySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} countries", self.len())
    }
}

/// Word and bit of a country.
fn place(country: Country) -> Option<(usize, u64)> {
    let letter = |byte: u8| {
        let letter = byte.checked_sub(b'A')?;
        (letter < 26).then_some(usize::from(letter))
    };
    let [first, second] = country.letters();
    let at = letter(first)? * 26 + letter(second)?;
    Some((at / 64, 1 << (at % 64)))
}

/// Which countries a policy allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CountryRule {
    /// All of them, known or not.
    #[default]
    Any,
    /// These, and none that is not known.
    Of(CountrySet),
}

impl CountryRule {
    /// Only these countries.
    #[must_use]
    pub fn only(countries: &[Country]) -> Self {
        Self::Of(countries.iter().copied().collect())
    }

    /// All countries but these.
    #[must_use]
    pub fn except(countries: &[Country]) -> Self {
        let forbidden = countries.iter().copied().collect();
        Self::Of(CountrySet::ALL.without(&forbidden))
    }

    /// Whether the rule looks at countries at all.
    #[must_use]
    pub const fn restricts(&self) -> bool {
        !matches!(self, Self::Any)
    }

    /// Whether a known country passes.
    #[must_use]
    pub fn allows(&self, country: Country) -> bool {
        match self {
            Self::Any => true,
            Self::Of(countries) => countries.contains(country),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> Country {
        Country::parse(code).expect("a country")
    }

    #[test]
    fn every_pair_of_letters_has_a_bit_of_its_own() {
        for first in b'A'..=b'Z' {
            for second in b'A'..=b'Z' {
                let code = String::from_utf8(vec![first, second]).expect("letters");
                let alone = CountrySet::from_iter([country(&code)]);
                assert_eq!(alone.len(), 1, "{code}");
                assert!(alone.contains(country(&code)));
                assert!(!CountrySet::ALL.without(&alone).contains(country(&code)));
            }
        }
    }

    #[test]
    fn only_and_except() {
        let [br, pt, xg] = ["BR", "PT", "XG"].map(country);
        let only = CountryRule::only(&[br, xg]);
        assert!(only.allows(br) && only.allows(xg) && !only.allows(pt));
        let except = CountryRule::except(&[br]);
        assert!(!except.allows(br) && except.allows(xg) && except.allows(pt));
        assert!(only.restricts() && except.restricts());
        assert!(CountryRule::Any.allows(br) && !CountryRule::Any.restricts());
    }
}
