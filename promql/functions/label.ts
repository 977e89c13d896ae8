import { CodedError, errorText } from '../../util/errors.ts';
import { METRIC_NAME, type Labels } from '../../model/labels.ts';
import { compileAnchored, type AnchoredPattern } from '../../util/regexp.ts';

/** A function from label set to label set. */
export interface LabelFunction {
  /** The label it sets. */
  readonly target: string;
  apply(labels: Labels): Labels;
}

/** label_replace: where the pattern matches the source label, the target becomes the expanded replacement. */
export function labelReplace(args: readonly string[]): LabelFunction {
  const [target = '', replacement = '', source = '', pattern = ''] = args;
  let compiled: AnchoredPattern;
  try {
    compiled = compileAnchored(pattern);
  } catch (error) {
    throw new CodedError('execution', `invalid regular expression in label_replace(): ${pattern}`, {
      cause: errorText(error),
    });
  }
  checkLabelName(target, 'invalid destination label name in label_replace()');
  return {
    target,
    apply: (labels) => {
      const value = compiled.expand(labels.get(source), replacement);
      return value === undefined ? labels : labels.with(target, value);
    },
  };
}

/** label_join: the target becomes the source labels' values with a separator between them. */
export function labelJoin(args: readonly string[]): LabelFunction {
  const [target = '', separator = '', ...sources] = args;
  checkLabelName(target, 'invalid destination label name in label_join()');
  for (const source of sources) checkLabelName(source, 'invalid source label name in label_join()');
  return {
    target,
    apply: (labels) => labels.with(target, sources.map((source) => labels.get(source)).join(separator)),
  };
}

/** True when the function gives the series a metric name, which ends a pending removal of it. */
export function setsMetricName(fn: LabelFunction): boolean {
  return fn.target === METRIC_NAME;
}

function checkLabelName(name: string, what: string): void {
  // Any text but the empty one is a valid UTF-8 label name; a lone surrogate is what is left of invalid UTF-8.
  if (name === '' || !name.isWellFormed()) throw new CodedError('execution', `${what}: ${name}`);
}
