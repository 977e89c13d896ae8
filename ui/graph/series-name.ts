import type { LabelSet } from '../../model/http-api.ts';

const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** A series as PromQL writes it: `up{instance="a",job="b"}`, labels in the server's order; `{}` for none. */
export function formatSeries(labels: LabelSet): string {
  const name = labels['__name__'] ?? '';
  const isPlain = name === '' || PLAIN_NAME.test(name);
  const pairs = Object.entries(labels)
    .filter(([label]) => label !== '__name__')
    .map(([label, value]) => `${PLAIN_NAME.test(label) ? label : JSON.stringify(label)}=${JSON.stringify(value)}`);
  if (!isPlain) pairs.unshift(JSON.stringify(name));
  const head = isPlain ? name : '';
  return pairs.length === 0 && head !== '' ? head : `${head}{${pairs.join(',')}}`;
}

/** A dashboard legend: `{{name}}` becomes the label's value; without a template the series itself. */
export function legendName(labels: LabelSet, template: string | undefined): string {
  if (template === undefined) return formatSeries(labels);
  return template.replace(/\{\{\s*([\w:]+)\s*\}\}/g, (_, label: string) => labels[label] ?? '');
}
