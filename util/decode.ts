// Decoders over a positioned tree: what a YAML file becomes (server/config/load.ts makes the tree). A decoder checks,
// fills in defaults and converts in one pass; every problem is collected with its line, column and path.

interface Position {
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

export interface ScalarNode extends Position {
  readonly type: 'scalar';
  /** As it stands in the file, quotes and tags resolved. */
  readonly text: string;
  readonly value: string | number | boolean | undefined;
}

interface ListNode extends Position {
  readonly type: 'list';
  readonly items: readonly ConfigNode[];
}

export interface MapNode extends Position {
  readonly type: 'map';
  readonly entries: readonly { readonly key: ScalarNode; readonly value: ConfigNode }[];
}

export type ConfigNode = ScalarNode | ListNode | MapNode;

export interface Problem extends Position {
  readonly path: string;
  readonly message: string;
}

/** What decoding found beside the values: errors, in the order of the file, and warnings. */
export class Problems {
  readonly errors: Problem[] = [];
  readonly warnings: Problem[] = [];
}

/** A node of the tree together with where it is and where problems go. Reads of a wrong kind give a default. */
export class NodeReader {
  readonly node: ConfigNode;
  readonly path: string;
  readonly problems: Problems;

  constructor(node: ConfigNode, path: string, problems: Problems) {
    this.node = node;
    this.path = path;
    this.problems = problems;
  }

  fail(message: string): void {
    this.problems.errors.push({ line: this.node.line, column: this.node.column, path: this.path, message });
  }

  warn(message: string): void {
    this.problems.warnings.push({ line: this.node.line, column: this.node.column, path: this.path, message });
  }

  get isNull(): boolean {
    return this.node.type === 'scalar' && this.node.value === undefined;
  }

  /** Any scalar is a string, as in Go's yaml: `1`, `true`. Null is ''. */
  string(): string {
    if (this.node.type === 'scalar') return this.node.value === undefined ? '' : this.node.text;
    return this.#wrongKind('string', '');
  }

  boolean(): boolean {
    if (this.node.type === 'scalar') {
      if (typeof this.node.value === 'boolean') return this.node.value;
      if (this.node.value === undefined) return false;
    }
    return this.#wrongKind('bool', false);
  }

  number(): number {
    if (this.node.type === 'scalar') {
      if (typeof this.node.value === 'number') return this.node.value;
      if (this.node.value === undefined) return 0;
    }
    return this.#wrongKind('float64', 0);
  }

  /** An integer from 0. */
  count(): number {
    const value = this.number();
    if (Number.isSafeInteger(value) && value >= 0) return value;
    return this.#wrongKind('uint', 0);
  }

  /** What `parse` makes of the text; what it throws is a problem here, and the value is `fallback`. */
  parsed<T>(parse: (text: string) => T, fallback: T): T {
    try {
      return parse(this.string());
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
      return fallback;
    }
  }

  /** One of the words, or a problem. */
  oneOf<T extends string>(words: readonly T[], message: (found: string) => string): T {
    const text = this.string();
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    this.fail(message(text));
    return words[0]!;
  }

  list<T>(item: (reader: NodeReader) => T): T[] {
    if (this.isNull) return [];
    if (this.node.type !== 'list') return this.#wrongKind('list', []);
    return this.node.items.map((node, i) => item(new NodeReader(node, `${this.path}[${i}]`, this.problems)));
  }

  strings(): string[] {
    return this.list((item) => item.string());
  }

  /** Entries of a map with free keys, in the order of the file. */
  entries<T>(value: (reader: NodeReader, key: string) => T): [string, T][] {
    if (this.isNull) return [];
    if (this.node.type !== 'map') return this.#wrongKind('map', []);
    return this.node.entries.map(({ key, value: node }) => [
      key.text,
      value(new NodeReader(node, join(this.path, key.text), this.problems), key.text),
    ]);
  }

  /** Reads a map with known keys; `typeName` is what Prometheus calls it in its errors. Null counts as empty. */
  fields(typeName: string): FieldsReader {
    if (this.node.type !== 'map' && !this.isNull) this.#wrongKind(typeName, undefined);
    return new FieldsReader(this, typeName);
  }

  #wrongKind<T>(wanted: string, fallback: T): T {
    const found = this.node.type === 'scalar' ? `\`${shorten(this.node.text)}\`` : this.node.type;
    const tag = this.node.type === 'list' ? '!!seq' : this.node.type === 'map' ? '!!map' : scalarTag(this.node);
    this.fail(`yaml: unmarshal errors: cannot unmarshal ${tag} ${found} into ${wanted}`);
    return fallback;
  }
}

/** The fields of one map. Ask for each, then call `end`, which reports those nobody asked for. */
export class FieldsReader {
  readonly reader: NodeReader;
  readonly #typeName: string;
  readonly #values = new Map<string, { key: ScalarNode; value: ConfigNode }>();
  readonly #known = new Set<string>();

  constructor(reader: NodeReader, typeName: string) {
    this.reader = reader;
    this.#typeName = typeName;
    if (reader.node.type !== 'map') return;
    for (const { key, value } of reader.node.entries) {
      if (this.#values.has(key.text)) this.#keyProblem(key, `field ${key.text} already set in type ${typeName}`);
      else this.#values.set(key.text, { key, value });
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The reader of a field that is there. */
  at(name: string): NodeReader | undefined {
    this.#known.add(name);
    const found = this.#values.get(name);
    if (found === undefined) return undefined;
    return new NodeReader(found.value, join(this.reader.path, name), this.reader.problems);
  }

  /** What `decode` makes of a field; `fallback` when it is absent or null. */
  get<T>(name: string, decode: (reader: NodeReader) => T, fallback: T): T {
    const reader = this.at(name);
    return reader === undefined || reader.isNull ? fallback : decode(reader);
  }

  string(name: string, fallback = ''): string {
    return this.get(name, (reader) => reader.string(), fallback);
  }

  boolean(name: string, fallback: boolean): boolean {
    return this.get(name, (reader) => reader.boolean(), fallback);
  }

  count(name: string, fallback = 0): number {
    return this.get(name, (reader) => reader.count(), fallback);
  }

  list<T>(name: string, item: (reader: NodeReader) => T): T[] {
    return this.get<T[]>(name, (reader) => reader.list(item), []);
  }

  /** A problem of a field, or of the whole map when the field is absent. */
  fail(name: string | undefined, message: string): void {
    const reader = name === undefined ? undefined : this.at(name);
    (reader ?? this.reader).fail(message);
  }

  end(): void {
    for (const [name, { key }] of this.#values) {
      if (!this.#known.has(name)) this.#keyProblem(key, `field ${name} not found in type ${this.#typeName}`);
    }
  }

  #keyProblem(key: ScalarNode, message: string): void {
    const { line, column } = key;
    this.reader.problems.errors.push({ line, column, path: join(this.reader.path, key.text), message });
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function scalarTag(node: ScalarNode): string {
  if (typeof node.value === 'number') return Number.isInteger(node.value) ? '!!int' : '!!float';
  return typeof node.value === 'boolean' ? '!!bool' : '!!str';
}

function shorten(text: string): string {
  return text.length > 10 ? `${text.slice(0, 7)}...` : text;
}
