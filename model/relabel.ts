import { compileAnchored, type AnchoredPattern } from '../util/regexp.ts';
import { md5Modulo } from '../util/md5.ts';
import { unreachable } from '../util/assert.ts';
import { CodedError } from '../util/errors.ts';
import { isLegacyLabelName, Labels, quoteGo } from './labels.ts';

export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;
export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

/** A relabelling rule as configured, defaults filled in. */
export interface RelabelConfig {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  /** RE2; anchored at both ends when used. */
  readonly regex: string;
  readonly targetLabel: string;
  readonly replacement: string;
  /** 0: not set. */
  readonly modulus: number;
}

export const DEFAULT_RELABEL: RelabelConfig = {
  action: 'replace',
  sourceLabels: [],
  separator: ';',
  regex: '(.*)',
  targetLabel: '',
  replacement: '$1',
  modulus: 0,
};

export type NameValidation = 'utf8' | 'legacy';

/** A rule that was checked and compiled. */
export interface RelabelRule {
  readonly config: RelabelConfig;
  readonly pattern: AnchoredPattern;
  readonly nameValidation: NameValidation;
}

/** Throws bad_data, with Prometheus' text, for a rule that makes no sense or whose regex is not RE2. */
export function compileRelabel(config: RelabelConfig, nameValidation: NameValidation = 'utf8'): RelabelRule {
  const pattern = compileAnchored(config.regex);
  const problem = checkRule(config, nameValidation);
  if (problem !== undefined) throw new CodedError('bad_data', problem);
  return { config, pattern, nameValidation };
}

/** What is wrong with a rule, in Prometheus' words; undefined when nothing is. */
function checkRule(config: RelabelConfig, validation: NameValidation): string | undefined {
  const { action, targetLabel, replacement } = config;
  const needsTarget = ['replace', 'keepequal', 'dropequal', 'hashmod', 'lowercase', 'uppercase'].includes(action);
  if (action === 'hashmod' && config.modulus === 0)
    return 'relabel configuration for hashmod requires non-zero modulus';
  if (needsTarget && targetLabel === '')
    return `relabel configuration for ${action} action requires 'target_label' value`;
  const targetIsFine =
    action === 'replace' && hasVariable(targetLabel)
      ? isLabelNameTemplate(targetLabel, validation)
      : isLabelName(targetLabel, validation);
  if (needsTarget && !targetIsFine) return `${quoteGo(targetLabel)} is invalid 'target_label' for ${action} action`;
  const isPlain = ['lowercase', 'uppercase', 'keepequal', 'dropequal'].includes(action);
  if (isPlain && replacement !== DEFAULT_RELABEL.replacement)
    return `'replacement' can not be set for ${action} action`;
  if (action === 'labelmap' && !isLabelNameTemplate(replacement, validation)) {
    return `${quoteGo(replacement)} is invalid 'replacement' for ${action} action`;
  }
  return checkNoOtherFields(config);
}

function checkNoOtherFields(config: RelabelConfig): string | undefined {
  const { action } = config;
  const others = { ...config };
  if (action === 'dropequal' || action === 'keepequal') {
    Object.assign(others, { sourceLabels: [], targetLabel: '' });
    if (!isDefault(others)) {
      return `${action} action requires only 'source_labels' and \`target_label\`, and no other fields`;
    }
  }
  if (action === 'labeldrop' || action === 'labelkeep') {
    Object.assign(others, { regex: DEFAULT_RELABEL.regex });
    if (!isDefault(others)) return `${action} action requires only 'regex', and no other fields`;
  }
  return undefined;
}

function isDefault(config: RelabelConfig): boolean {
  const { sourceLabels, separator, regex, targetLabel, replacement, modulus } = config;
  const isUnset = sourceLabels.length === 0 && targetLabel === '' && modulus === 0;
  const d = DEFAULT_RELABEL;
  return isUnset && separator === d.separator && regex === d.regex && replacement === d.replacement;
}

/** Applies the rules in order; undefined when one of them drops the labels. */
export function relabel(labels: Labels, rules: readonly RelabelRule[]): Labels | undefined {
  const working = new Map(labels.entries());
  for (const rule of rules) if (!applyRule(rule, working)) return undefined;
  const result = Labels.fromPairs(working);
  return result.equals(labels) ? labels : result;
}

/** False when the rule drops the labels. */
function applyRule(rule: RelabelRule, labels: Map<string, string>): boolean {
  const { action, targetLabel } = rule.config;
  const value = rule.config.sourceLabels.map((name) => labels.get(name) ?? '').join(rule.config.separator);
  switch (action) {
    case 'labelmap':
      for (const [name, value] of Array.from(labels)) {
        const mapped = rule.pattern.expand(name, rule.config.replacement);
        if (mapped !== undefined) set(labels, mapped, value);
      }
      return true;
    case 'labeldrop':
    case 'labelkeep':
      for (const name of labels.keys()) {
        if (rule.pattern.matches(name) === (action === 'labeldrop')) labels.delete(name);
      }
      return true;
    case 'keep':
      return rule.pattern.matches(value);
    case 'drop':
      return !rule.pattern.matches(value);
    case 'keepequal':
      return (labels.get(targetLabel) ?? '') === value;
    case 'dropequal':
      return (labels.get(targetLabel) ?? '') !== value;
    case 'lowercase':
      set(labels, targetLabel, value.toLowerCase());
      return true;
    case 'uppercase':
      set(labels, targetLabel, value.toUpperCase());
      return true;
    case 'hashmod':
      set(labels, targetLabel, String(md5Modulo(value, BigInt(rule.config.modulus))));
      return true;
    case 'replace':
      replace(rule, labels, value);
      return true;
    default:
      return unreachable(action);
  }
}

function replace(rule: RelabelRule, labels: Map<string, string>, value: string): void {
  const { targetLabel, replacement } = rule.config;
  if (!hasVariable(targetLabel) && !hasVariable(replacement)) {
    if (rule.pattern.matches(value)) set(labels, targetLabel, replacement);
    return;
  }
  const target = rule.pattern.expand(value, targetLabel);
  if (target === undefined || !isLabelName(target, rule.nameValidation)) return;
  set(labels, target, rule.pattern.expand(value, replacement) ?? '');
}

function set(labels: Map<string, string>, name: string, value: string): void {
  if (value === '') labels.delete(name);
  else labels.set(name, value);
}

function hasVariable(template: string): boolean {
  return template.includes('$');
}

export function isLabelName(name: string, validation: NameValidation): boolean {
  if (name === '') return false;
  return validation === 'legacy' ? isLegacyLabelName(name) : name.isWellFormed();
}

const LEGACY_TEMPLATE = /^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$/;

function isLabelNameTemplate(template: string, validation: NameValidation): boolean {
  if (validation === 'utf8') return template !== '' && template.isWellFormed();
  return LEGACY_TEMPLATE.test(template);
}
