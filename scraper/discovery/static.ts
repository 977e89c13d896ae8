import { isLabelName } from '../../model/relabel.ts';
import { quoteGo } from '../../model/labels.ts';
import type { NodeReader } from '../../util/decode.ts';

/** Targets that share labels, as every discovery mechanism yields them. `source` is unique within its mechanism. */
export interface TargetGroup {
  readonly source: string;
  readonly targets: readonly ReadonlyMap<string, string>[];
  readonly labels: ReadonlyMap<string, string>;
}

export const ADDRESS_LABEL = '__address__';

/** One entry of `static_configs`. */
export function decodeStaticConfig(reader: NodeReader): TargetGroup {
  if (reader.isNull) reader.fail('empty or null section in static_configs');
  const fields = reader.fields('targetgroup.Group');
  const targets = fields.list('targets', (item) => {
    const address = item.string();
    if (address.includes('/')) item.fail(`${quoteGo(address)} is not a valid hostname`);
    return new Map([[ADDRESS_LABEL, address]]);
  });
  const labels = new Map<string, string>();
  for (const [name, value] of fields.at('labels')?.entries((item) => item.string()) ?? []) {
    if (!isLabelName(name, 'utf8')) fields.fail('labels', `${quoteGo(name)} is not a valid label name`);
    labels.set(name, value);
  }
  fields.end();
  return { source: reader.path, targets, labels };
}
