//! What may be written in more than one way. Each is read by hand: an untagged enum of serde would
//! say of a slip that it "did not match any variant", and neither which key it is nor what was
//! expected.

use super::file::{ColumnName, Place, Places};
use super::times::Formats;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use std::fmt;

struct OfColumn;

impl Visitor<'_> for OfColumn {
    type Value = ColumnName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column: its name, or its number from 1")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<ColumnName, E> {
        let wrong = || E::invalid_value(Unexpected::Signed(number), &self);
        let positive = usize::try_from(number).ok().filter(|number| *number > 0);
        positive.map(ColumnName::Number).ok_or_else(wrong)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<ColumnName, E> {
        Ok(ColumnName::Name(name.to_owned()))
    }
}

impl<'de> Deserialize<'de> for ColumnName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfColumn)
    }
}

struct OfPlaces;

impl<'de> Visitor<'de> for OfPlaces {
    type Value = Places;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table such as { column = \"src_user\" }, or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Places, A::Error> {
        Place::deserialize(MapAccessDeserializer::new(map)).map(Places::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Places, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Places::Several)
    }
}

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfPlaces)
    }
}

struct OfFormats;

impl<'de> Visitor<'de> for OfFormats {
    type Value = Formats;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a form of times such as \"%Y-%m-%d %H:%M:%S\" or \"epoch\", or a list of them")
    }

    fn visit_str<E: Error>(self, format: &str) -> Result<Formats, E> {
        Ok(Formats::One(format.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Formats, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Formats::Several)
    }
}

impl<'de> Deserialize<'de> for Formats {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfFormats)
    }
}
