import { isLegacyLabelName, isLegacyMetricName, METRIC_NAME, Labels, quoteGo } from '../model/labels.ts';
import { relabel, type RelabelRule } from '../model/relabel.ts';
import { CodedError } from '../util/errors.ts';
import { compareUtf8 } from '../util/utf8.ts';

/** How the labels a target exposes become those of a stored series. Limits: 0 is none; lengths in bytes. */
export interface SampleLabelRules {
  readonly targetLabels: Labels;
  readonly honorLabels: boolean;
  readonly metricRelabel: readonly RelabelRule[];
  readonly nameValidation: 'utf8' | 'legacy';
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
}

/**
 * The labels to store for a series exposed as `pairs` ([name, value, ...], any order, empty values mean absent);
 * undefined when relabelling drops it. Throws what fails the scrape, with Prometheus' text.
 */
export function sampleLabels(pairs: readonly string[], rules: SampleLabelRules): Labels | undefined {
  const exposed = sortedLabels(pairs);
  const merged = rules.honorLabels
    ? withGapsFilled(exposed, rules.targetLabels)
    : withTarget(exposed, rules.targetLabels);
  const labels = rules.metricRelabel.length > 0 ? relabel(merged, rules.metricRelabel) : merged;
  if (labels === undefined || labels.size === 0) return undefined;
  if (!labels.has(METRIC_NAME)) throw new CodedError('bad_data', 'missing metric name (__name__ label)');
  if (rules.nameValidation === 'legacy') checkLegacyNames(labels);
  checkLimits(labels, rules);
  return labels;
}

function sortedLabels(pairs: readonly string[]): Labels {
  const order: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i + 1] !== '') order.push(i);
  order.sort((a, b) => compareUtf8(pairs[a]!, pairs[b]!));
  const flat: string[] = [];
  for (const i of order) {
    if (flat.length > 0 && flat[flat.length - 2] === pairs[i]) {
      throw new CodedError('bad_data', `label name ${quoteGo(pairs[i]!)} is not unique: invalid sample`);
    }
    flat.push(pairs[i]!, pairs[i + 1]!);
  }
  return new Labels(flat);
}

/** Target labels win; what they displace is kept as `exported_...`, with the prefix repeated until it is free. */
function withTarget(exposed: Labels, target: Labels): Labels {
  const displaced: [string, string][] = [];
  for (const [name] of target.entries()) {
    const value = exposed.get(name);
    if (value !== '') displaced.push([name, value]);
  }
  if (displaced.length === 0) return merge(exposed.flat, target.flat);
  const all = new Map([...exposed.entries(), ...target.entries()]);
  displaced.sort((a, b) => a[0].length - b[0].length);
  for (const [name, value] of displaced) {
    let renamed = `exported_${name}`;
    while (all.has(renamed)) renamed = `exported_${renamed}`;
    all.set(renamed, value);
  }
  return Labels.fromPairs(all);
}

function withGapsFilled(exposed: Labels, target: Labels): Labels {
  const missing: string[] = [];
  for (const [name, value] of target.entries()) if (!exposed.has(name)) missing.push(name, value);
  return merge(exposed.flat, missing);
}

/** Two sorted lists without a name in common. */
function merge(a: readonly string[], b: readonly string[]): Labels {
  const flat: string[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    while (j < b.length && compareUtf8(b[j]!, a[i]!) < 0) flat.push(b[j++]!, b[j++]!);
    flat.push(a[i]!, a[i + 1]!);
  }
  while (j < b.length) flat.push(b[j++]!);
  return new Labels(flat);
}

function checkLegacyNames(labels: Labels): void {
  for (const [name, value] of labels.entries()) {
    if (isLegacyLabelName(name) && (name !== METRIC_NAME || isLegacyMetricName(value))) continue;
    throw new CodedError('bad_data', `invalid metric name or label names: ${labels.toString()}`);
  }
}

function checkLimits(labels: Labels, rules: SampleLabelRules): void {
  const { labelLimit, labelNameLengthLimit, labelValueLengthLimit } = rules;
  const metric = `metric: ${first50(labels.metricName)}`;
  if (labelLimit > 0 && labels.size > labelLimit) {
    const facts = `${metric}, number of labels: ${labels.size}, limit: ${labelLimit}`;
    throw new CodedError('limit', `label_limit exceeded (${facts})`);
  }
  if (labelNameLengthLimit === 0 && labelValueLengthLimit === 0) return;
  for (const [name, value] of labels.entries()) {
    const label = `${metric}, label name: ${first50(name)}`;
    const nameLength = Buffer.byteLength(name);
    if (labelNameLengthLimit > 0 && nameLength > labelNameLengthLimit) {
      const facts = `${label}, length: ${nameLength}, limit: ${labelNameLengthLimit}`;
      throw new CodedError('limit', `label_name_length_limit exceeded (${facts})`);
    }
    const valueLength = Buffer.byteLength(value);
    if (labelValueLengthLimit > 0 && valueLength > labelValueLengthLimit) {
      const shown = `value: ${quoteGo(first50(value))}`;
      const facts = `${label}, ${shown}, length: ${valueLength}, limit: ${labelValueLengthLimit}`;
      throw new CodedError('limit', `label_value_length_limit exceeded (${facts})`);
    }
  }
}

function first50(text: string): string {
  return Array.from(text).slice(0, 50).join('');
}
