import { METRIC_NAME } from '../../model/labels.ts';
import { unreachable } from '../../util/assert.ts';
import { ARITHMETIC } from '../functions/binary.ts';
import { RANGE_FUNCTIONS } from '../functions/range-functions.ts';
import type { PlanNode } from './plan.ts';

/**
 * The metric name all series of a node have, '' for none; undefined when it is not known or they differ. Series with one
 * name stay distinct when the name is dropped, so nobody needs to look for duplicates.
 */
export function commonName(node: PlanNode): string | undefined {
  switch (node.type) {
    case 'number':
    case 'string':
    case 'negate':
      return '';
    case 'selector': {
      const matcher = node.matchers.find(({ name, type }) => name === METRIC_NAME && type === '=');
      return matcher?.value;
    }
    case 'range':
      return commonName(node.selector);
    case 'subquery':
      return commonName(node.inner);
    case 'invariant':
      return commonName(node.input);
    case 'aggregate':
      if (node.op === 'topk' || node.op === 'bottomk' || node.op === 'limitk' || node.op === 'limit_ratio') {
        return commonName(node.input);
      }
      return !node.without && node.grouping.includes(METRIC_NAME) ? commonName(node.input) : '';
    case 'call':
      return commonNameOfCall(node);
    case 'binary':
      return commonNameOfBinary(node);
    default:
      return unreachable(node);
  }
}

function commonNameOfCall(node: Extract<PlanNode, { type: 'call' }>): string | undefined {
  const { name, args } = node;
  const first = args.find((arg) => arg.valueType === 'matrix' || arg.valueType === 'vector');
  if (first === undefined) return '';
  if (name === 'label_replace' || name === 'label_join') {
    const target = args[1];
    return target?.type === 'string' && target.value !== METRIC_NAME ? commonName(first) : undefined;
  }
  if (name.startsWith('sort') || name === 'info') return commonName(first);
  return RANGE_FUNCTIONS.get(name)?.keepsName === true ? commonName(first) : '';
}

function commonNameOfBinary(node: Extract<PlanNode, { type: 'binary' }>): string | undefined {
  const { op, lhs, rhs, bool } = node;
  if (ARITHMETIC.has(op) || bool) return '';
  if (node.valueType === 'scalar') return '';
  if (lhs.valueType === 'scalar') return commonName(rhs);
  if (rhs.valueType === 'scalar') return commonName(lhs);
  if (op === 'and' || op === 'unless') return commonName(lhs);
  if (op !== 'or') return undefined;
  const name = commonName(lhs);
  return name === commonName(rhs) ? name : undefined;
}
