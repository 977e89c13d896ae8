import type { ValueType } from '../parse/ast.ts';

/** What is known of a function before it runs: one table for the type check, the engine, the console and the docs. */
export interface FunctionSignature {
  readonly name: string;
  readonly args: readonly ValueType[];
  /**
   * 0: exactly `args`. n > 0: the last type of `args` may be left out or repeated, so that there are `args.length - 1`
   * to `args.length - 1 + n` arguments. -1: the same without an upper end.
   */
  readonly variadic: number;
  readonly returns: ValueType;
  /** Needs `--enable-feature=promql-experimental-functions`. */
  readonly experimental: boolean;
  /** One line for people. */
  readonly help: string;
  readonly example: string;
}

/** The signature of a function; undefined when there is none of that name. Names are case-sensitive. */
export function functionSignature(name: string): FunctionSignature | undefined {
  return BY_NAME.get(name);
}

interface Options {
  readonly variadic?: number;
  readonly returns?: ValueType;
  readonly experimental?: boolean;
}

const ARG_TYPES = { s: 'scalar', v: 'vector', m: 'matrix', t: 'string' } as const;

/** One row; `args` has a letter for each argument: s scalar, v instant vector, m range vector, t string. */
function row(name: string, args: string, help: string, example: string, options: Options = {}): FunctionSignature {
  const types = args.split('').map((letter) => ARG_TYPES[letter as keyof typeof ARG_TYPES]);
  const { variadic = 0, returns = 'vector', experimental = false } = options;
  return { name, args: types, variadic, returns, experimental, help, example };
}

const OPTIONAL = { variadic: 1 } as const;
const SCALAR = { returns: 'scalar' } as const;
const EXPERIMENTAL = { experimental: true } as const;
const EXPERIMENTAL_SCALAR = { experimental: true, returns: 'scalar' } as const;

/** All functions, ascending by name. */
export const FUNCTION_SIGNATURES: readonly FunctionSignature[] = [
  row('abs', 'v', 'The absolute value of every sample.', 'abs(delta(temperature_celsius[1h]))'),
  row('absent', 'v', 'One sample of value 1 when the argument is empty, else nothing.', 'absent(up{job="api"})'),
  row('absent_over_time', 'm', 'As absent, for a whole window.', 'absent_over_time(up{job="api"}[1h])'),
  row('acos', 'v', 'The arc cosine, in radians.', 'acos(vector(0.5))'),
  row('acosh', 'v', 'The inverse hyperbolic cosine.', 'acosh(vector(2))'),
  row('asin', 'v', 'The arc sine, in radians.', 'asin(vector(0.5))'),
  row('asinh', 'v', 'The inverse hyperbolic sine.', 'asinh(vector(2))'),
  row('atan', 'v', 'The arc tangent, in radians.', 'atan(vector(1))'),
  row('atanh', 'v', 'The inverse hyperbolic tangent.', 'atanh(vector(0.5))'),
  row('avg_over_time', 'm', 'The mean of the samples in the window.', 'avg_over_time(node_load1[10m])'),
  row('ceil', 'v', 'Rounds up to an integer.', 'ceil(node_load1)'),
  row('changes', 'm', 'How often the value changed in the window.', 'changes(process_start_time_seconds[1h])'),
  row('clamp', 'vss', 'Limits values to a lower and an upper bound.', 'clamp(node_load1, 0, 10)'),
  row('clamp_max', 'vs', 'Limits values to an upper bound.', 'clamp_max(node_load1, 10)'),
  row('clamp_min', 'vs', 'Limits values to a lower bound.', 'clamp_min(node_load1, 1)'),
  row('cos', 'v', 'The cosine of radians.', 'cos(vector(pi()))'),
  row('cosh', 'v', 'The hyperbolic cosine.', 'cosh(vector(1))'),
  row('count_over_time', 'm', 'How many samples the window has.', 'count_over_time(up[5m])'),
  row('day_of_month', 'v', 'The day of the month in UTC, 1 to 31.', 'day_of_month()', OPTIONAL),
  row('day_of_week', 'v', 'The day of the week in UTC, 0 is Sunday.', 'day_of_week() == 0', OPTIONAL),
  row('day_of_year', 'v', 'The day of the year in UTC, 1 to 366.', 'day_of_year()', OPTIONAL),
  row('days_in_month', 'v', 'How many days the month has in UTC.', 'days_in_month()', OPTIONAL),
  row('deg', 'v', 'Radians to degrees.', 'deg(vector(pi()))'),
  row('delta', 'm', 'How much a gauge changed over the window, extrapolated to it.', 'delta(temperature_celsius[2h])'),
  row('deriv', 'm', 'The slope of a gauge per second, by linear regression.', 'deriv(node_filesystem_free_bytes[1h])'),
  row(
    'double_exponential_smoothing',
    'mss',
    'A smoothed value of a gauge; smoothing factor and trend factor between 0 and 1.',
    'double_exponential_smoothing(node_load1[1h], 0.3, 0.3)',
    EXPERIMENTAL,
  ),
  row('end', '', 'The end of the query, in seconds.', 'end()', EXPERIMENTAL_SCALAR),
  row('exp', 'v', 'e to the power of every sample.', 'exp(vector(1))'),
  row('first_over_time', 'm', 'The oldest sample in the window.', 'first_over_time(node_load1[1h])'),
  row('floor', 'v', 'Rounds down to an integer.', 'floor(node_load1)'),
  row('histogram_avg', 'v', 'The mean of the observations in a native histogram.', 'histogram_avg(rate(latency[5m]))'),
  row('histogram_count', 'v', 'How many observations a native histogram has.', 'histogram_count(rate(latency[5m]))'),
  row(
    'histogram_fraction',
    'ssv',
    'The fraction of observations between two values.',
    'histogram_fraction(0, 0.2, rate(latency[5m]))',
  ),
  row(
    'histogram_quantile',
    'sv',
    'A quantile, 0 to 1, out of histogram buckets.',
    'histogram_quantile(0.95, sum by (le) (rate(latency_bucket[5m])))',
  ),
  row(
    'histogram_quantiles',
    'vtss',
    'Several quantiles at once; the label says which.',
    'histogram_quantiles(rate(latency[5m]), "q", 0.5, 0.95)',
    { variadic: 9, experimental: true },
  ),
  row('histogram_stddev', 'v', 'The estimated standard deviation of a native histogram.', 'histogram_stddev(latency)'),
  row('histogram_stdvar', 'v', 'The estimated variance of a native histogram.', 'histogram_stdvar(latency)'),
  row('histogram_sum', 'v', 'The sum of the observations in a native histogram.', 'histogram_sum(rate(latency[5m]))'),
  row('hour', 'v', 'The hour of the day in UTC, 0 to 23.', 'hour() < 6', OPTIONAL),
  row('idelta', 'm', 'The difference of the last two samples.', 'idelta(temperature_celsius[5m])'),
  row('increase', 'm', 'How much a counter grew over the window, extrapolated to it.', 'increase(requests_total[1h])'),
  row('info', 'vv', 'Adds the labels of info metrics.', 'info(rate(requests_total[5m]), {version=~".+"})', {
    variadic: 1,
    experimental: true,
  }),
  row('irate', 'm', 'The per-second rate of a counter between its last two samples.', 'irate(requests_total[5m])'),
  row(
    'label_join',
    'vttt',
    'Joins the values of labels into one label.',
    'label_join(up, "target", "/", "job", "instance")',
    { variadic: -1 },
  ),
  row(
    'label_replace',
    'vtttt',
    'Sets a label out of another by a regular expression.',
    'label_replace(up, "host", "$1", "instance", "(.*):.*")',
  ),
  row('last_over_time', 'm', 'The newest sample in the window.', 'last_over_time(backup_size_bytes[1d])'),
  row('ln', 'v', 'The natural logarithm.', 'ln(node_load1)'),
  row('log10', 'v', 'The decimal logarithm.', 'log10(node_load1)'),
  row('log2', 'v', 'The binary logarithm.', 'log2(node_load1)'),
  row(
    'mad_over_time',
    'm',
    'The median absolute deviation in the window.',
    'mad_over_time(node_load1[1h])',
    EXPERIMENTAL,
  ),
  row('max_of', 'ss', 'The larger of two scalars.', 'max_of(1, 2)', EXPERIMENTAL_SCALAR),
  row('max_over_time', 'm', 'The largest sample in the window.', 'max_over_time(node_load1[1h])'),
  row('min_of', 'ss', 'The smaller of two scalars.', 'min_of(1, 2)', EXPERIMENTAL_SCALAR),
  row('min_over_time', 'm', 'The smallest sample in the window.', 'min_over_time(node_load1[1h])'),
  row('minute', 'v', 'The minute of the hour in UTC, 0 to 59.', 'minute()', OPTIONAL),
  row('month', 'v', 'The month of the year in UTC, 1 to 12.', 'month() == 12', OPTIONAL),
  row('pi', '', 'The number pi.', 'pi()', SCALAR),
  row(
    'predict_linear',
    'ms',
    'The value of a gauge so many seconds from now, by linear regression.',
    'predict_linear(node_filesystem_free_bytes[1h], 4 * 3600) < 0',
  ),
  row(
    'present_over_time',
    'm',
    'The value 1 for every series with a sample in the window.',
    'present_over_time(up[1h])',
  ),
  row(
    'quantile_over_time',
    'sm',
    'A quantile, 0 to 1, of the samples in the window.',
    'quantile_over_time(0.9, up[1h])',
  ),
  row('rad', 'v', 'Degrees to radians.', 'rad(vector(180))'),
  row('range', '', 'The length of the query, in seconds.', 'range()', EXPERIMENTAL_SCALAR),
  row('rate', 'm', 'The per-second rate of a counter over the window.', 'rate(requests_total[5m])'),
  row('resets', 'm', 'How often a counter was reset in the window.', 'resets(requests_total[1h])'),
  row('round', 'vs', 'Rounds to the nearest integer, or to a multiple.', 'round(node_load1, 0.1)', OPTIONAL),
  row('scalar', 'v', 'The value of the only series; NaN when there is not exactly one.', 'scalar(sum(up))', SCALAR),
  row('sgn', 'v', 'The sign: 1, 0 or -1.', 'sgn(deriv(node_load1[1h]))'),
  row('sin', 'v', 'The sine of radians.', 'sin(vector(pi()))'),
  row('sinh', 'v', 'The hyperbolic sine.', 'sinh(vector(1))'),
  row('sort', 'v', 'Orders an instant result by value, ascending.', 'sort(node_load1)'),
  row('sort_by_label', 'vt', 'Orders an instant result by labels, ascending.', 'sort_by_label(up, "instance")', {
    variadic: -1,
    experimental: true,
  }),
  row('sort_by_label_desc', 'vt', 'Orders an instant result by labels, descending.', 'sort_by_label_desc(up, "job")', {
    variadic: -1,
    experimental: true,
  }),
  row('sort_desc', 'v', 'Orders an instant result by value, descending.', 'sort_desc(node_load1)'),
  row('sqrt', 'v', 'The square root.', 'sqrt(node_load1)'),
  row('start', '', 'The start of the query, in seconds.', 'start()', EXPERIMENTAL_SCALAR),
  row('start_timestamp', 'v', 'When the series began, in seconds.', 'start_timestamp(requests_total)', EXPERIMENTAL),
  row('stddev_over_time', 'm', 'The standard deviation in the window.', 'stddev_over_time(node_load1[1h])'),
  row('stdvar_over_time', 'm', 'The variance in the window.', 'stdvar_over_time(node_load1[1h])'),
  row('step', '', 'The step of the query, in seconds.', 'step()', EXPERIMENTAL_SCALAR),
  row('sum_over_time', 'm', 'The sum of the samples in the window.', 'sum_over_time(errors[1h])'),
  row('tan', 'v', 'The tangent of radians.', 'tan(vector(1))'),
  row('tanh', 'v', 'The hyperbolic tangent.', 'tanh(vector(1))'),
  row('time', '', 'The time of the evaluation, in seconds.', 'time() - process_start_time_seconds', SCALAR),
  row('timestamp', 'v', 'When each sample was taken, in seconds.', 'time() - timestamp(up)'),
  row('ts_of_first_over_time', 'm', 'When the oldest sample was taken.', 'ts_of_first_over_time(up[1h])', EXPERIMENTAL),
  row('ts_of_last_over_time', 'm', 'When the newest sample was taken.', 'ts_of_last_over_time(up[1h])', EXPERIMENTAL),
  row('ts_of_max_over_time', 'm', 'When the largest sample was taken.', 'ts_of_max_over_time(up[1h])', EXPERIMENTAL),
  row('ts_of_min_over_time', 'm', 'When the smallest sample was taken.', 'ts_of_min_over_time(up[1h])', EXPERIMENTAL),
  row('vector', 's', 'A scalar as a vector without labels.', 'vector(1)'),
  row('year', 'v', 'The year in UTC.', 'year()', OPTIONAL),
];

const BY_NAME: ReadonlyMap<string, FunctionSignature> = new Map(FUNCTION_SIGNATURES.map((each) => [each.name, each]));
