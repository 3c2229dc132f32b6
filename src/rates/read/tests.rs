//! Layouts, told by files.

use super::*;

fn prices(text: &str) -> Vec<(String, f32, String)> {
    let deck = Deck::read(text.as_bytes()).expect(text);
    let rates = deck.rates().into_iter();
    rates
        .map(|rate| (rate.prefix.to_string(), rate.price, rate.name.to_string()))
        .collect()
}

#[test]
fn the_layouts_that_are_about() {
    let expected = [("1", 0.01, ""), ("4420", 0.0123, "")].map(|(p, c, n)| (p.into(), c, n.into()));
    for text in [
        "prefix,price\n1,0.01\n4420,0.0123\n",
        "Prefix;Rate\r\n+1;0,01\r\n004420;0,0123\r\n",
        "\u{feff}# made by hand\n# currency: EUR\n\nRATE\tPREFIX\n0.01\t1\n\n\"0,0123\"\t44 20",
        "code|other|Price per minute\n1|x|.01\n4420||0.0123\n",
        "\"prefix\",\"price\"\n\"1\",\"0,01\"\n\"4420\",\"0,0123\"\n4420,0.0123\n",
    ] {
        assert_eq!(prices(text), expected, "{text}");
    }
    let named = "destination;prefix;rate\n\"London; UK\";4420;1\n";
    assert_eq!(prices(named), [("4420".into(), 1.0, "London; UK".into())]);
}

#[test]
fn a_wrong_row_is_named_by_line_and_reason_and_nothing_is_taken() {
    let text = "# currency: USD\nprefix,price\n1,0.01\n0,0.1\nx,0.1\n33,abc\n34,-1\n35,1.2.3\n36\n37,5000\n1,0.02\n";
    let error = Deck::read(text.as_bytes()).expect_err("wrong rows");
    let DeckError::Rows { rows, more: 0 } = &error else {
        panic!("{error}");
    };
    let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [4, 5, 6, 7, 8, 9, 10, 11]);
    let text = error.to_string();
    assert!(text.contains("line 6: price `abc`: expected"), "{text}");
    assert!(
        text.contains("line 11: prefix `1` has another price on line 3"),
        "{text}"
    );
}

#[test]
fn a_thousand_wrong_rows_are_told_as_twenty() {
    let text = format!("prefix,price\n{}", "x,1\n".repeat(1_000));
    let error = Deck::read(text.as_bytes())
        .expect_err("wrong rows")
        .to_string();
    assert_eq!(error.lines().count(), 21);
    assert!(error.ends_with("and 980 more rows"), "{error}");
}

#[test]
fn what_is_no_deck_says_why() {
    for (text, expected) in [
        ("", "empty"),
        ("\n\n", "empty"),
        ("prefix,price\n", "no rate"),
        (
            "a,b\n1,2\n",
            "line 1: no column for the prefix in the header `a, b`",
        ),
        ("# x\nprefix,b\n1,2\n", "line 2: no column for the price"),
    ] {
        let error = Deck::read(text.as_bytes()).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    Deck::read(b"prefix,price\n\xff,1\n").expect_err("not text");
}
