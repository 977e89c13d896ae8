// YAML text -> the positioned tree that util/decode.ts reads. The only user of the `yaml` package beside print.ts.
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Scalar,
} from 'yaml';
import type { ConfigNode, MapNode, Problem, ScalarNode } from '../../util/decode.ts';

/** Uses of anchors in one file, and how deep a file may nest: against files that blow up when they are expanded. */
const ALIASES_MAX = 100;
const DEPTH_MAX = 100;
const BOOLEANS_1_1: ReadonlyMap<string, boolean> = new Map(
  ['yes', 'Yes', 'YES', 'on', 'On', 'ON'].map((word): [string, boolean] => [word, true]),
);
const FALSE_1_1: ReadonlySet<string> = new Set(['no', 'No', 'NO', 'off', 'Off', 'OFF']);
const BINARY_TAG = 'tag:yaml.org,2002:binary';

/** The tree of a document, or what is wrong with its syntax. An empty document is a null scalar. */
export function parseTree(text: string): { readonly root: ConfigNode } | { readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    customTags: [{ tag: BINARY_TAG, resolve: (source: string) => source }],
  });
  const problems = document.errors.map((error): Problem => {
    const at = lines.linePos(error.pos[0]);
    return { line: at.line, column: at.col, path: '', message: `yaml: ${error.message}` };
  });
  if (problems.length > 0) return { problems };
  const builder = new TreeBuilder(document, lines);
  const root = builder.build(document.contents, 0);
  return builder.problems.length > 0 ? { problems: builder.problems } : { root };
}

class TreeBuilder {
  readonly problems: Problem[] = [];
  readonly #document: Document;
  readonly #lines: LineCounter;
  #aliasCount = 0;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  build(node: unknown, depth: number): ConfigNode {
    const at = this.#position(node);
    const nothing: ScalarNode = { type: 'scalar', ...at, text: '', value: undefined };
    if (depth > DEPTH_MAX) return this.#problem(nothing, `nested deeper than ${DEPTH_MAX} levels`);
    if (isAlias(node)) {
      if (++this.#aliasCount > ALIASES_MAX) return this.#problem(nothing, `more than ${ALIASES_MAX} uses of anchors`);
      return this.build(node.resolve(this.#document), depth + 1);
    }
    if (isSeq(node)) return { type: 'list', ...at, items: node.items.map((item) => this.build(item, depth + 1)) };
    if (isMap(node)) return this.#map(node.items, at, depth);
    return isScalar(node) ? this.#scalar(node, at) : nothing;
  }

  #map(
    items: readonly { readonly key: unknown; readonly value: unknown }[],
    at: { line: number; column: number },
    depth: number,
  ): MapNode {
    const entries: { key: ScalarNode; value: ConfigNode }[] = [];
    const merged: { key: ScalarNode; value: ConfigNode }[] = [];
    for (const { key, value } of items) {
      const keyNode = this.build(key, depth + 1);
      const valueNode = this.build(value ?? key, depth + 1);
      if (keyNode.type !== 'scalar') {
        this.problems.push({ line: keyNode.line, column: keyNode.column, path: '', message: 'a key must be a text' });
        continue;
      }
      const isAbsent = value === null || value === undefined;
      const found: ConfigNode = isAbsent ? { ...keyNode, text: '', value: undefined } : valueNode;
      if (keyNode.text !== '<<') entries.push({ key: keyNode, value: found });
      else
        for (const one of found.type === 'list' ? found.items : [found])
          if (one.type === 'map') merged.push(...one.entries);
    }
    // What stands in the map itself goes before what it merges in.
    for (const entry of merged) if (!entries.some(({ key }) => key.text === entry.key.text)) entries.push(entry);
    return { type: 'map', ...at, entries };
  }

  #scalar(node: Scalar, at: { line: number; column: number }): ScalarNode {
    const { value } = node;
    if (node.tag === BINARY_TAG) return this.#binary(String(value), at);
    if (value === null || value === undefined) return { type: 'scalar', ...at, text: '', value: undefined };
    if (typeof value === 'string') {
      const isPlain = node.type === 'PLAIN';
      const word = isPlain ? (BOOLEANS_1_1.get(value) ?? (FALSE_1_1.has(value) ? false : undefined)) : undefined;
      return { type: 'scalar', ...at, text: value, value: word ?? value };
    }
    const text = node.source ?? JSON.stringify(value);
    return {
      type: 'scalar',
      ...at,
      text,
      value: typeof value === 'number' || typeof value === 'boolean' ? value : text,
    };
  }

  /** Bytes that are not UTF-8 stand for themselves as lone surrogates, so that checks of text see them. */
  #binary(source: string, at: { line: number; column: number }): ScalarNode {
    const encoded = source.replaceAll(/\s/g, '');
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) {
      const empty: ScalarNode = { type: 'scalar', ...at, text: '', value: '' };
      return this.#problem(empty, '!!binary value contains invalid base64 data');
    }
    const bytes = Buffer.from(encoded, 'base64');
    let text = bytes.toString('utf8');
    if (!Buffer.from(text).equals(bytes)) {
      text = Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join('');
    }
    return { type: 'scalar', ...at, text, value: text };
  }

  #problem(node: ScalarNode, message: string): ScalarNode {
    this.problems.push({ line: node.line, column: node.column, path: '', message });
    return node;
  }

  #position(node: unknown): { line: number; column: number } {
    const start = (node as Node | null | undefined)?.range?.[0] ?? 0;
    const { line, col } = this.#lines.linePos(start);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}
