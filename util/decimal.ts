// Shortest decimal text of a float64, laid out as Go's strconv does. V8 finds the same shortest digits as Go; only the
// layout differs (when an exponent is used, its width, the sign of zero).

/** Go's FormatFloat(x, 'f', -1): never an exponent. */
export function formatFloatF(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  const text = String(value);
  const e = text.indexOf('e');
  return e < 0 ? text : expand(text.slice(0, e), Number(text.slice(e + 1)));
}

/** The text of a sample value in Prometheus' JSON: an exponent below 1e-6 and from 1e21, at least two digits wide. */
export function formatFloatJson(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  const text = String(value);
  const e = text.indexOf('e');
  if (e < 0) return text;
  return e === text.length - 3 ? `${text.slice(0, e + 2)}0${text[e + 2]}` : text;
}

/** Go's FormatFloat(x, 'g', -1), also fmt's %g and %v: an exponent below 1e-4 and from 1e6 (1e+06). */
export function formatFloatG(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  const size = Math.abs(value);
  if ((size >= 1e-4 && size < 1e6) || size === 0) return String(value);
  const [mantissa, exponentText] = value.toExponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  const sign = exponent < 0 ? '-' : '+';
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function formatSpecial(value: number): string | undefined {
  if (value !== value) return 'NaN';
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return Object.is(value, -0) ? '-0' : undefined;
}

function expand(mantissa: string, exponent: number): string {
  const negative = mantissa.startsWith('-');
  const digits = mantissa.replace(/[-.]/g, '');
  const point = 1 + exponent;
  let text: string;
  if (point <= 0) text = `0.${'0'.repeat(-point)}${digits}`;
  else if (point >= digits.length) text = digits + '0'.repeat(point - digits.length);
  else text = `${digits.slice(0, point)}.${digits.slice(point)}`;
  return negative ? `-${text}` : text;
}
