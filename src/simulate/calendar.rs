//! What the clock on the wall says: local time with daylight saving, weekends, public holidays.
//!
//! Whole UTC days are the unit: a change of the clocks takes effect for the whole day.

use super::atlas::Place;
use chrono::{Datelike, Days, NaiveDate, Weekday};

/// The date of a day since the epoch.
fn date(day: i64) -> NaiveDate {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap_or_default();
    let forward = epoch.checked_add_days(Days::new(day.max(0).unsigned_abs()));
    forward.unwrap_or(epoch)
}

/// The nth (1 to 4) of that weekday in a month, or the last (5).
fn nth(year: i32, month: u32, weekday: Weekday, n: u8) -> Option<NaiveDate> {
    if n < 5 {
        return NaiveDate::from_weekday_of_month_opt(year, month, weekday, n);
    }
    let fifth = NaiveDate::from_weekday_of_month_opt(year, month, weekday, 5);
    fifth.or_else(|| NaiveDate::from_weekday_of_month_opt(year, month, weekday, 4))
}

/// From when to when clocks are an hour ahead: month and nth Sunday of both changes.
const fn summer(country: &str) -> Option<[(u32, u8); 2]> {
    match country.as_bytes() {
        b"GB" | b"DE" | b"FR" | b"ES" | b"IT" | b"PT" | b"NL" | b"BE" | b"CH" | b"AT" | b"PL"
        | b"CZ" | b"SE" | b"NO" | b"DK" | b"IE" | b"RO" | b"GR" | b"LV" | b"LT" | b"BA" | b"UA" => {
            Some([(3, 5), (10, 5)])
        }
        b"US" | b"CA" => Some([(3, 2), (11, 1)]),
        b"AU" => Some([(10, 1), (4, 1)]),
        b"NZ" => Some([(9, 5), (4, 1)]),
        _ => None,
    }
}

/// Minutes to be added to UTC on that day since the epoch.
pub(super) fn utc_offset_minutes(place: &Place, day: u64) -> i64 {
    let standard = place.utc_offset_minutes;
    let Some([(from_month, from_nth), (until_month, until_nth)]) = summer(place.country) else {
        return standard;
    };
    let today = date(day as i64);
    let change = |month, n| nth(today.year(), month, Weekday::Sun, n).unwrap_or(today);
    let (from, until) = (change(from_month, from_nth), change(until_month, until_nth));
    let is_summer = if from < until {
        today >= from && today < until
    } else {
        today >= from || today < until
    };
    standard + if is_summer { 60 } else { 0 }
}

/// Local time as minutes since the epoch, of a moment in UTC minutes.
pub(super) fn local_minutes(place: &Place, utc_minutes: u64) -> i64 {
    utc_minutes as i64 + utc_offset_minutes(place, utc_minutes / 1_440)
}

/// Whether offices are closed at that local time, minutes since the epoch.
pub(super) fn is_day_off(place: &Place, local_minutes: i64) -> bool {
    let date = date(local_minutes.div_euclid(1_440));
    is_weekend(place, date.weekday()) || is_holiday(place, date)
}

fn is_weekend(place: &Place, weekday: Weekday) -> bool {
    match place.country {
        "IL" | "EG" | "MV" => matches!(weekday, Weekday::Fri | Weekday::Sat),
        _ => matches!(weekday, Weekday::Sat | Weekday::Sun),
    }
}

/// A rule for a public holiday.
#[derive(Clone, Copy)]
enum Holiday {
    /// Month and day.
    On(u32, u32),
    /// Days from Easter Sunday.
    Easter(i64),
    /// Month, weekday, and which of them (5: the last).
    Nth(u32, Weekday, u8),
}

use Holiday::{Easter, Nth, On};

/// The public holidays on which offices of a whole country are closed. A country that is not
/// here keeps New Year's Day and Labour Day.
const fn holidays(country: &str) -> &'static [Holiday] {
    match country.as_bytes() {
        b"GB" => &[
            On(1, 1),
            Easter(-2),
            Easter(1),
            Nth(5, Weekday::Mon, 1),
            Nth(5, Weekday::Mon, 5),
            Nth(8, Weekday::Mon, 5),
            On(12, 25),
            On(12, 26),
        ],
        b"DE" => &[
            On(1, 1),
            Easter(-2),
            Easter(1),
            On(5, 1),
            Easter(39),
            Easter(50),
            On(10, 3),
            On(12, 25),
            On(12, 26),
        ],
        b"US" => &[
            On(1, 1),
            Nth(1, Weekday::Mon, 3),
            Nth(5, Weekday::Mon, 5),
            On(7, 4),
            Nth(9, Weekday::Mon, 1),
            Nth(11, Weekday::Thu, 4),
            On(12, 25),
        ],
        b"FR" => &[
            On(1, 1),
            Easter(1),
            On(5, 1),
            On(5, 8),
            Easter(39),
            On(7, 14),
            On(8, 15),
            On(11, 1),
            On(11, 11),
            On(12, 25),
        ],
        b"ES" | b"IT" | b"PT" => &[
            On(1, 1),
            On(1, 6),
            Easter(-2),
            Easter(1),
            On(5, 1),
            On(8, 15),
            On(11, 1),
            On(12, 8),
            On(12, 25),
        ],
        b"NL" | b"PL" => &[
            On(1, 1),
            Easter(1),
            On(5, 3),
            Easter(39),
            Easter(60),
            On(12, 25),
            On(12, 26),
        ],
        b"BR" => &[
            On(1, 1),
            Easter(-48),
            Easter(-47),
            Easter(-2),
            On(4, 21),
            On(5, 1),
            On(9, 7),
            On(10, 12),
            On(11, 2),
            On(12, 25),
        ],
        b"AU" => &[
            On(1, 1),
            On(1, 26),
            Easter(-2),
            Easter(1),
            On(4, 25),
            On(12, 25),
            On(12, 26),
        ],
        b"ZA" => &[
            On(1, 1),
            On(3, 21),
            Easter(-2),
            Easter(1),
            On(4, 27),
            On(5, 1),
            On(9, 24),
            On(12, 25),
            On(12, 26),
        ],
        _ => &[On(1, 1), On(5, 1)],
    }
}

fn is_holiday(place: &Place, date: NaiveDate) -> bool {
    holidays(place.country)
        .iter()
        .any(|&holiday| match holiday {
            On(month, day) => (date.month(), date.day()) == (month, day),
            Easter(offset) => {
                let since = date.signed_duration_since(easter(date.year()));
                since.num_days() == offset
            }
            Nth(month, weekday, n) => nth(date.year(), month, weekday, n) == Some(date),
        })
}

/// Whether that local day is New Year's Eve or New Year's Day.
pub(super) fn is_new_year(local_day: i64) -> bool {
    let date = date(local_day);
    matches!((date.month(), date.day()), (12, 31) | (1, 1))
}

/// Easter Sunday by the Gregorian computus in the form of Meeus, Jones and Butcher.
fn easter(year: i32) -> NaiveDate {
    let a = year % 19;
    let (b, c) = (year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    NaiveDate::from_ymd_opt(year, month.unsigned_abs(), day.unsigned_abs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::atlas::place;
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> i64 {
        let date = NaiveDate::from_ymd_opt(year, month, day).expect("a date");
        i64::from(date.num_days_from_ce()) - 719_163
    }

    #[test]
    fn easter_is_where_almanacs_have_it() {
        let known = [
            (2000, 4, 23),
            (2008, 3, 23),
            (2019, 4, 21),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2038, 4, 25),
        ];
        for (year, month, day) in known {
            assert_eq!(
                NaiveDate::from_ymd_opt(year, month, day),
                Some(easter(year))
            );
        }
    }

    #[test]
    fn clocks_change_where_and_when_they_do() {
        let offset = |country, (y, m, d)| utc_offset_minutes(place(country), day(y, m, d) as u64);
        assert_eq!(offset("DE", (2026, 3, 28)), 60);
        assert_eq!(offset("DE", (2026, 3, 29)), 120);
        assert_eq!(offset("DE", (2026, 10, 25)), 60);
        assert_eq!(offset("US", (2026, 3, 8)), -240);
        assert_eq!(offset("US", (2026, 11, 1)), -300);
        assert_eq!(offset("AU", (2026, 1, 15)), 660);
        assert_eq!(offset("AU", (2026, 6, 15)), 600);
        assert_eq!(offset("ZA", (2026, 6, 15)), 120);
    }

    #[test]
    fn offices_are_closed_at_weekends_and_on_holidays() {
        let is_off = |country, (y, m, d)| is_day_off(place(country), day(y, m, d) * 1_440 + 600);
        // Thursday, Friday, Saturday, Sunday.
        let week = [(2026, 3, 5), (2026, 3, 6), (2026, 3, 7), (2026, 3, 8)];
        assert_eq!(week.map(|d| is_off("FR", d)), [false, false, true, true]);
        assert_eq!(week.map(|d| is_off("IL", d)), [false, true, true, false]);
        assert!(is_off("GB", (2026, 4, 3)), "Good Friday");
        assert!(is_off("GB", (2026, 5, 25)), "the last Monday in May");
        assert!(is_off("US", (2026, 11, 26)), "Thanksgiving");
        assert!(!is_off("US", (2026, 4, 6)), "no Easter Monday there");
        assert!(is_new_year(day(2025, 12, 31)) && !is_new_year(day(2026, 1, 2)));
    }
}
