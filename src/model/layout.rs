//! How a model file is set: one member a line, arrays of numbers on one line. Pretty-printed
//! otherwise, a tree would take a thousand lines.

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// Objects as serde's pretty printer sets them, arrays run on.
#[derive(Default)]
struct Layout(PrettyFormatter<'static>);

impl Formatter for Layout {
    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

/// The object's text.
pub(super) fn to_string(content: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::new();
    content.serialize(&mut Serializer::with_formatter(
        &mut bytes,
        Layout::default(),
    ))?;
    String::from_utf8(bytes).map_err(|error| serde::ser::Error::custom(error.utf8_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_run_on_and_the_same_content_comes_back() {
        let content = serde_json::json!({"a": [1.5, 2], "b": {"c": []}, "d": [{"e": [3]}]});
        let text = to_string(&content).unwrap();
        let wanted = "{\n  \"a\": [1.5,2],\n  \"b\": {\n    \"c\": []\n  },\n  \"d\": [{\n    \
                      \"e\": [3]\n  }]\n}";
        assert_eq!(text, wanted);
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back, content);
    }
}
