//! The proleptic Gregorian calendar: days are numbered from 1, which is 1 January of the year 1.

pub const MIN_YEAR: i32 = 1;
pub const MAX_YEAR: i32 = 9999;
/// The number of 31 December 9999.
pub const MAX_ORDINAL: i64 = 3_652_059;
/// The number of 1 January 1970.
pub const EPOCH_ORDINAL: i64 = 719_163;

/// A day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// `month` is of 1 to 12.
pub fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the year before a month of 1 to 12.
pub fn days_before_month(year: i64, month: u8) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    BEFORE[usize::from(month) - 1] + i64::from(month > 2 && is_leap(year))
}

/// The number of a day of any year.
pub fn ordinal(year: i64, month: u8, day: i64) -> i64 {
    let y = year - 1;
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + days_before_month(year, month) + day
}

/// The number of the Monday that begins the first week of a year.
fn first_monday(year: i64) -> i64 {
    let first = ordinal(year, 1, 1);
    let weekday = (first + 6).rem_euclid(7);
    first - weekday + if weekday > 3 { 7 } else { 0 }
}

impl Day {
    /// The day of a number of 1 to [`MAX_ORDINAL`].
    pub fn of_ordinal(n: i64) -> Day {
        // The year is estimated by its mean length, which is at most one off, and the month by the longest.
        let zero = n - 1;
        let mut year = (zero * 400 / 146_097) as i32 + 1;
        let mut rest = zero - (ordinal(year.into(), 1, 1) - 1);
        if rest < 0 {
            year -= 1;
            rest += 365 + i64::from(is_leap(year.into()));
        } else {
            let length = 365 + i64::from(is_leap(year.into()));
            if rest >= length {
                year += 1;
                rest -= length;
            }
        }
        let mut month = (rest / 32 + 1) as u8;
        if month < 12 && rest >= days_before_month(year.into(), month + 1) {
            month += 1;
        }
        let day = rest - days_before_month(year.into(), month) + 1;
        Day { year: year as u16, month, day: day as u8 }
    }

    pub fn ordinal(self) -> i64 {
        ordinal(self.year.into(), self.month, self.day.into())
    }

    /// Monday is 0.
    pub fn weekday(self) -> i64 {
        (self.ordinal() + 6).rem_euclid(7)
    }

    /// The day's number in its year, from 1.
    pub fn of_year(self) -> i64 {
        days_before_month(self.year.into(), self.month) + i64::from(self.day)
    }

    /// ISO year, week and day of the week.
    pub fn iso(self) -> (i64, i64, i64) {
        let today = self.ordinal();
        let mut year = i64::from(self.year);
        let mut monday = first_monday(year);
        if today < monday {
            year -= 1;
            monday = first_monday(year);
        } else if today >= first_monday(year + 1) {
            year += 1;
            monday = first_monday(year);
        }
        (year, (today - monday) / 7 + 1, (today - monday) % 7 + 1)
    }
}

/// What is wrong with an ISO date.
pub enum IsoError {
    Year,
    Week,
    Weekday,
}

/// The number of a day given by ISO year, week and day of the week; it may be of the year 0 or 10000.
pub fn iso_ordinal(year: i64, week: i64, day: i64) -> Result<i64, IsoError> {
    if !(i64::from(MIN_YEAR)..=i64::from(MAX_YEAR)).contains(&year) {
        return Err(IsoError::Year);
    }
    let weeks = (first_monday(year + 1) - first_monday(year)) / 7;
    if !(1..=weeks).contains(&week) {
        return Err(IsoError::Week);
    }
    if !(1..=7).contains(&day) {
        return Err(IsoError::Weekday);
    }
    Ok(first_monday(year) + (week - 1) * 7 + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_numbers_agree() {
        let mut day = Day { year: 1, month: 1, day: 1 };
        for n in 1..=MAX_ORDINAL {
            assert_eq!(day.ordinal(), n);
            assert!(Day::of_ordinal(n) == day);
            day.day += 1;
            if day.day > days_in_month(day.year.into(), day.month) {
                (day.day, day.month) = (1, day.month + 1);
                if day.month > 12 {
                    (day.month, day.year) = (1, day.year + 1);
                }
            }
        }
        assert_eq!(day.year, 10_000);
    }

    #[test]
    fn iso_weeks_agree() {
        for n in (1..MAX_ORDINAL - 7).step_by(13) {
            let (year, week, day) = Day::of_ordinal(n).iso();
            if year > 0 {
                assert_eq!(iso_ordinal(year, week, day).ok(), Some(n));
            }
        }
    }
}
