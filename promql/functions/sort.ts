import { Labels } from '../../model/labels.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import type { RowOrder } from '../operator/sort.ts';

/** By value, NaN last both ways. */
export function byValue(isDescending: boolean): RowOrder {
  const sign = isDescending ? -1 : 1;
  return (a, b, values) => {
    const x = values[a]!;
    const y = values[b]!;
    if (x !== x || y !== y) return x === x ? -1 : y === y ? 1 : 0;
    return x === y ? 0 : x < y ? -sign : sign;
  };
}

/** By the values of the named labels in natural order, then by all labels. */
export function byLabels(names: readonly string[], isDescending: boolean): RowOrder {
  const sign = isDescending ? -1 : 1;
  return (a, b, _values, series) => {
    const x = series.labels(a);
    const y = series.labels(b);
    for (const name of names) {
      const order = compareNatural(x.get(name), y.get(name));
      if (order !== 0) return sign * order;
    }
    return sign * Labels.compare(x, y);
  };
}

const PARTS = /\d+|\D+/g;

/** Orders texts so that runs of digits compare as numbers: `a2` before `a10`. */
function compareNatural(a: string, b: string): number {
  if (a === b) return 0;
  const left = a.match(PARTS) ?? [];
  const right = b.match(PARTS) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const x = left[i]!;
    const y = right[i]!;
    if (x === y) continue;
    const order = isDigits(x) && isDigits(y) ? compareDigits(x, y) : compareUtf8(x, y);
    if (order !== 0) return order;
  }
  return left.length === right.length ? compareUtf8(a, b) : left.length - right.length;
}

function isDigits(text: string): boolean {
  const unit = text.charCodeAt(0);
  return unit >= 48 && unit <= 57;
}

/** Any number of digits: a longer run without leading zeros is the larger number. */
function compareDigits(a: string, b: string): number {
  const x = a.replace(/^0+/, '');
  const y = b.replace(/^0+/, '');
  if (x.length !== y.length) return x.length - y.length;
  return x === y ? 0 : x < y ? -1 : 1;
}
