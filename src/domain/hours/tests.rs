use super::*;
use proptest::prelude::*;

fn at(rfc3339: &str) -> Timestamp {
    let at = DateTime::parse_from_rfc3339(rfc3339).expect("a time");
    at.to_utc().into()
}

fn period(from: u16, to: u16) -> Period {
    Period {
        months: ALL_MONTHS,
        weekdays: ALL_WEEKDAYS,
        from,
        to,
    }
}

fn hours(zone: &str, periods: &[Period]) -> OffHours {
    OffHours {
        zone: zone.parse().expect("a zone"),
        periods: periods.to_vec(),
    }
}

fn off(hours: &OffHours, rfc3339: &str) -> bool {
    hours.local(at(rfc3339)).hours == Hours::Off
}

#[test]
fn the_first_minute_belongs_and_the_last_does_not() {
    let day = hours("UTC", &[period(9 * 60, 17 * 60)]);
    for (time, expected) in [
        ("08:59:59", false),
        ("09:00:00", true),
        ("16:59:59", true),
        ("17:00:00", false),
    ] {
        assert_eq!(
            off(&day, &format!("2026-03-04T{time}Z")),
            expected,
            "{time}"
        );
    }
}

#[test]
fn a_period_over_midnight_belongs_to_the_day_it_begins() {
    // Fridays of March, 18:00 to 08:00. 2026-03-06 and 2026-03-27 are Fridays.
    let night = Period {
        months: 1 << 2,
        weekdays: 1 << 4,
        ..period(18 * 60, 8 * 60)
    };
    let nights = hours("UTC", &[night]);
    for (time, expected) in [
        ("2026-03-06T07:00:00Z", false),
        ("2026-03-06T18:00:00Z", true),
        ("2026-03-07T07:59:59Z", true),
        ("2026-03-07T08:00:00Z", false),
        ("2026-03-07T18:00:00Z", false),
        ("2026-02-27T20:00:00Z", false),
    ] {
        assert_eq!(off(&nights, time), expected, "{time}");
    }
    // The last night of a month reaches into the next: 2026-10-30 is a Friday, 2026-10-31 not.
    let october = Period {
        months: 1 << 9,
        weekdays: 1 << 5,
        ..night
    };
    let nights = hours("UTC", &[october]);
    assert!(off(&nights, "2026-11-01T07:00:00Z"));
    assert!(!off(&nights, "2026-11-07T19:00:00Z"));
}

#[test]
fn equal_ends_are_the_whole_day_and_midnight_may_be_written_as_24() {
    let sundays = Period {
        weekdays: 1 << 6,
        ..period(8 * 60, 8 * 60)
    };
    let all_day = hours("Europe/Berlin", &[sundays]);
    assert!(!off(&all_day, "2026-03-07T23:59:59+01:00"));
    assert!(off(&all_day, "2026-03-08T00:00:00+01:00"));
    assert!(off(&all_day, "2026-03-08T23:59:59+01:00"));
    assert!(!off(&all_day, "2026-03-09T00:00:00+01:00"));
    let evening = hours("UTC", &[period(18 * 60, DAY_MINUTES)]);
    assert!(off(&evening, "2026-03-08T23:59:59Z"));
    assert!(!off(&evening, "2026-03-09T00:00:00Z"));
}

#[test]
fn an_hour_that_occurs_twice_is_off_twice_and_one_that_is_skipped_never() {
    let two_to_three = hours("Europe/Berlin", &[period(120, 180)]);
    let minutes_off = |from: &str| {
        let from = at(from);
        (0..6 * 60)
            .filter(|m| two_to_three.local(from.plus_secs(m * 60)).hours == Hours::Off)
            .count()
    };
    assert_eq!(minutes_off("2026-10-24T22:00:00Z"), 120, "clocks go back");
    assert_eq!(minutes_off("2026-03-28T23:00:00Z"), 0, "clocks go forward");
    assert_eq!(minutes_off("2026-06-01T22:00:00Z"), 60);
}

#[test]
fn the_end_of_off_hours_is_told_over_periods_that_join() {
    let clock = |text: &str| text.parse::<NaiveDateTime>().expect("a clock");
    let weekend = Period {
        weekdays: 0b110_0000,
        ..period(0, 0)
    };
    let nights = Period {
        weekdays: 0b001_1111,
        ..period(18 * 60, 8 * 60)
    };
    let both = hours("UTC", &[nights, weekend]);
    let until = |from: &str| both.off_until(clock(from));
    // Friday night, the weekend, then Monday: the weekend ends at midnight.
    assert_eq!(
        until("2026-03-06T19:00:00"),
        Some(clock("2026-03-09T00:00:00"))
    );
    assert_eq!(
        until("2026-03-10T19:00:00"),
        Some(clock("2026-03-11T08:00:00"))
    );
    assert_eq!(until("2026-03-10T12:00:00"), None);
    let always = hours("UTC", &[period(0, 0)]);
    assert_eq!(always.off_until(clock("2026-03-10T12:00:00")), None);
}

#[test]
fn a_day_ends_at_midnight_of_the_zone_also_where_there_is_none() {
    let next = |zone: &str, now: &str| hours(zone, &[]).next_day(at(now)).to_rfc3339();
    assert_eq!(
        next("Europe/Berlin", "2026-03-28T12:00:00Z"),
        "2026-03-28T23:00:00.000Z"
    );
    // 23 and 25 hours.
    assert_eq!(
        next("Europe/Berlin", "2026-03-29T00:00:00Z"),
        "2026-03-29T22:00:00.000Z"
    );
    assert_eq!(
        next("Europe/Berlin", "2026-10-25T00:00:00Z"),
        "2026-10-25T23:00:00.000Z"
    );
    // São Paulo put its clocks forward at midnight: that day began at one o'clock.
    assert_eq!(
        next("America/Sao_Paulo", "2018-11-03T12:00:00Z"),
        "2018-11-04T03:00:00.000Z"
    );
    // Samoa skipped a whole day.
    assert_eq!(
        next("Pacific/Apia", "2011-12-30T09:00:00Z"),
        "2011-12-30T10:00:00.000Z"
    );
}

/// Off hours as one would say them: walk every minute of the local day a period begins on.
fn naively_off(periods: &[Period], clock: NaiveDateTime) -> bool {
    let minute_of = |clock: NaiveDateTime| clock.and_utc().timestamp().div_euclid(60);
    let now = minute_of(clock);
    periods.iter().any(|p| {
        (0..=1).any(|ago| {
            let day = clock.date() - chrono::Duration::days(ago);
            let month = 1u16 << (day.month() - 1);
            let weekday = 1u8 << day.weekday().num_days_from_monday();
            if p.months & month == 0 || p.weekdays & weekday == 0 {
                return false;
            }
            let midnight = minute_of(day.and_time(NaiveTime::MIN));
            let (from, to) = (i64::from(p.from), i64::from(p.to));
            let (from, length) = match from.cmp(&to) {
                std::cmp::Ordering::Equal => (0, 1_440),
                std::cmp::Ordering::Less => (from, to - from),
                std::cmp::Ordering::Greater => (from, to + 1_440 - from),
            };
            (midnight + from..midnight + from + length).contains(&now)
        })
    })
}

/// The offset a zone has at an instant, found without the code under test.
fn clock_in(zone: Tz, at: Timestamp) -> NaiveDateTime {
    use chrono::Offset;
    let utc = at.to_datetime().naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix().local_minus_utc();
    utc + chrono::Duration::seconds(offset.into())
}

fn any_period() -> impl Strategy<Value = Period> {
    let ends = (0..DAY_MINUTES, 0..=DAY_MINUTES, 0..10u8);
    (1..=ALL_MONTHS, 1..=ALL_WEEKDAYS, ends).prop_map(|(months, weekdays, (from, to, equal))| {
        let to = if equal == 0 { from } else { to };
        Period {
            months,
            weekdays,
            from,
            to,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Every minute of a year, in zones that change their clocks in spring and in autumn, by an
    /// hour and by half of one, and in one that does not.
    #[test]
    fn every_minute_of_a_year_is_as_a_naive_model_says(
        periods in prop::collection::vec(any_period(), 0..4),
        zone in prop::sample::select(vec![
            Tz::Europe__Berlin,
            Tz::America__New_York,
            Tz::Australia__Lord_Howe,
            Tz::America__Santiago,
            Tz::Asia__Kolkata,
        ]),
    ) {
        let hours = OffHours { zone, periods };
        let start = at("2026-01-01T00:00:00Z");
        for minute in 0..366 * 24 * 60 {
            let now = start.plus_secs(minute * 60 + 30);
            let clock = clock_in(zone, now);
            let local = hours.local(now);
            prop_assert_eq!(local.clock, clock);
            prop_assert_eq!(
                local.hours == Hours::Off,
                naively_off(&hours.periods, clock),
                "{:?} at {}", hours, clock
            );
        }
    }
}
