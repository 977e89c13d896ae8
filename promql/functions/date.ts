// Calendar functions of a time in seconds, UTC. Own arithmetic: JavaScript's Date ends at the year 275760.
import { perSample, type MapKernel } from './map-function.ts';

interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

const SECONDS_PER_DAY = 86_400;
const DAYS_PER_ERA = 146_097;

function daysOf(seconds: number): number {
  return Math.floor(Math.trunc(seconds) / SECONDS_PER_DAY);
}

function secondOfDay(seconds: number): number {
  const whole = Math.trunc(seconds);
  return whole - daysOf(whole) * SECONDS_PER_DAY;
}

/** The proleptic Gregorian date of a day number, by eras of 400 years that begin on 1 March. */
function civilDate(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function dayOfYear(seconds: number): number {
  const { year, month, day } = civilDate(daysOf(seconds));
  return DAYS_BEFORE_MONTH[month - 1]! + day + (month > 2 && isLeapYear(year) ? 1 : 0);
}

function daysInMonth(seconds: number): number {
  const { year, month } = civilDate(daysOf(seconds));
  return DAYS_IN_MONTH[month - 1]! + (month === 2 && isLeapYear(year) ? 1 : 0);
}

function dayOfWeek(seconds: number): number {
  const days = daysOf(seconds) + 4;
  return days - Math.floor(days / 7) * 7;
}

/** NaN and infinities have no date. */
function ofFinite(fn: (seconds: number) => number): MapKernel {
  return perSample((seconds) => (Number.isFinite(seconds) ? fn(seconds) : NaN));
}

export const DATE_FUNCTIONS: readonly (readonly [string, MapKernel])[] = [
  ['minute', ofFinite((seconds) => Math.floor(secondOfDay(seconds) / 60) % 60)],
  ['hour', ofFinite((seconds) => Math.floor(secondOfDay(seconds) / 3600))],
  ['day_of_month', ofFinite((seconds) => civilDate(daysOf(seconds)).day)],
  ['day_of_week', ofFinite(dayOfWeek)],
  ['day_of_year', ofFinite(dayOfYear)],
  ['days_in_month', ofFinite(daysInMonth)],
  ['month', ofFinite((seconds) => civilDate(daysOf(seconds)).month)],
  ['year', ofFinite((seconds) => civilDate(daysOf(seconds)).year)],
];
