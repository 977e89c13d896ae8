import type { LabelSet } from '../../model/http-api.ts';
import { queryInstant } from '../api.ts';

export interface InstantValue {
  readonly labels: LabelSet;
  readonly value: number;
}

/** Runs instant queries side by side; each gives its series and values. `time` in seconds, undefined for now. */
export async function loadInstant<K extends string>(
  queries: Readonly<Record<K, string>>,
  time: number | undefined,
  signal: AbortSignal,
): Promise<Record<K, readonly InstantValue[]>> {
  const names = Object.keys(queries) as K[];
  const results = await Promise.all(
    names.map(async (name): Promise<readonly [K, readonly InstantValue[]]> => {
      const { data } = await queryInstant(queries[name], time, signal);
      if (data.resultType !== 'vector') return [name, []];
      return [
        name,
        data.result.flatMap(({ metric, value }) =>
          value === undefined ? [] : [{ labels: metric, value: Number(value[1].replace('Inf', 'Infinity')) }],
        ),
      ];
    }),
  );
  return Object.fromEntries(results) as Record<K, readonly InstantValue[]>;
}

/** The value of a result of one series. */
export function single(values: readonly InstantValue[] | undefined): number | undefined {
  return values?.[0]?.value;
}
