import { assert } from '../../util/assert.ts';
import { CodedError } from '../../util/errors.ts';
import { loadRegion, mix, SYMBOL_SLOTS, type SharedSlots } from './shared-slots.ts';
import { CONTROL, type HeadTables } from './tables.ts';

/** Number of a label name or value in the head; 0 is the empty text. */
export type SymbolId = number;

const SYMBOL_WORDS = 2;
const ARENA_BYTES_MAX = 2 ** 32 - 1;
/** Texts a thread keeps decoded; the older half goes when there are more. */
const TEXTS_MAX = 200_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The texts of the head as any thread reads them. */
export class SymbolReader {
  readonly tables: HeadTables;
  readonly #region = { base: 0, mask: -1 };
  #recent = new Map<SymbolId, string>();
  #older = new Map<SymbolId, string>();

  constructor(tables: HeadTables) {
    this.tables = tables;
  }

  /** The id of a text; -1 when the head does not have it. */
  find(text: string): SymbolId {
    if (text === '') return 0;
    // A lone surrogate stands for a byte that is no UTF-8: no label has it, and as bytes it would be another text.
    return text.isWellFormed() ? this.findHashed(text, hashText(text)) : -1;
  }

  text(id: SymbolId): string {
    const known = this.#recent.get(id);
    if (known !== undefined) return known;
    const text = this.#older.get(id) ?? this.#decode(id);
    if (this.#recent.size >= TEXTS_MAX / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(id, text);
    return text;
  }

  /** Length of the text in UTF-8. */
  sizeBytes(id: SymbolId): number {
    if (id * SYMBOL_WORDS + 1 >= this.tables.symbols.u32.length) this.tables.symbols.refresh();
    return id === 0 ? 0 : this.#end(id) - this.#end(id - 1);
  }

  /** `find` of a non-empty, well-formed text whose hash is known. */
  findHashed(text: string, hash: number): SymbolId {
    const tables = this.tables;
    const region = this.#region;
    loadRegion(tables, SYMBOL_SLOTS, region);
    if (region.mask < 0) return -1;
    const words = tables.slots.i32;
    for (let slot = hash & region.mask; ; slot = (slot + 1) & region.mask) {
      const id = Atomics.load(words, region.base + slot);
      if (id === 0) return -1;
      if (id * SYMBOL_WORDS + 1 >= tables.symbols.u32.length) tables.symbols.refresh();
      if (tables.symbols.i32[id * SYMBOL_WORDS + 1] === hash && this.#isText(id, text)) return id;
    }
  }

  #isText(id: SymbolId, text: string): boolean {
    const start = this.#end(id - 1);
    const end = this.#end(id);
    if (end > this.tables.symbolBytes.sizeBytes) this.tables.symbolBytes.refresh();
    const bytes = this.tables.symbolBytes.u8;
    const length = text.length;
    if (end - start < length) return false;
    for (let i = 0; i < length; i++) {
      const byte = bytes[start + i]!;
      if (byte > 127) return this.#decode(id) === text;
      if (byte !== text.charCodeAt(i)) return false;
    }
    return end - start === length;
  }

  #end(id: SymbolId): number {
    return this.tables.symbols.u32[id * SYMBOL_WORDS]!;
  }

  #decode(id: SymbolId): string {
    if (id === 0) return '';
    const { symbols, symbolBytes } = this.tables;
    if (id * SYMBOL_WORDS + 1 >= symbols.u32.length) symbols.refresh();
    const start = this.#end(id - 1);
    const end = this.#end(id);
    if (end > symbolBytes.sizeBytes) symbolBytes.refresh();
    // A copy: decoders refuse shared memory.
    return decoder.decode(new Uint8Array(symbolBytes.u8.subarray(start, end)));
  }
}

/** The writer's: adds texts. */
export class SymbolTable {
  readonly reader: SymbolReader;
  readonly #tables: HeadTables;
  readonly #slots: SharedSlots;
  readonly #region = { base: 0, mask: -1 };
  #count = 0;
  #endBytes = 0;

  constructor(tables: HeadTables, slots: SharedSlots) {
    this.reader = new SymbolReader(tables);
    this.#tables = tables;
    this.#slots = slots;
    tables.symbols.cover(SYMBOL_WORDS * 4);
  }

  /** The id of a text, added when it is new. Throws `limit` when memory ends. */
  intern(text: string): SymbolId {
    if (text === '') return 0;
    if (!text.isWellFormed()) return this.intern(text.toWellFormed());
    const hash = hashText(text);
    const found = this.reader.findHashed(text, hash);
    return found >= 0 ? found : this.#add(text, hash);
  }

  #add(text: string, hash: number): SymbolId {
    const { symbols, symbolBytes, control } = this.#tables;
    const id = this.#count + 1;
    const room = this.#endBytes + text.length * 3;
    if (room > ARENA_BYTES_MAX) throw new CodedError('limit', 'label names and values of the head exceed 4 GiB');
    symbolBytes.cover(room);
    symbols.cover((id + 1) * SYMBOL_WORDS * 4);
    this.#slots.reserve(SYMBOL_SLOTS, this.#count, this.#hashOf);
    // Encoded apart: encoders refuse shared memory.
    const bytes = encoder.encode(text);
    symbolBytes.u8.set(bytes, this.#endBytes);
    this.#endBytes += bytes.length;
    assert(this.#endBytes <= room, 'UTF-8 takes at most three bytes per unit');
    symbols.u32[id * SYMBOL_WORDS] = this.#endBytes;
    symbols.i32[id * SYMBOL_WORDS + 1] = hash;
    this.#count = id;
    loadRegion(this.#tables, SYMBOL_SLOTS, this.#region);
    this.#slots.insert(this.#region, hash, id);
    Atomics.store(control.i32, CONTROL.symbolCount, id);
    return id;
  }

  readonly #hashOf = (id: SymbolId): number => this.#tables.symbols.i32[id * SYMBOL_WORDS + 1]!;
}

function hashText(text: string): number {
  let hash = 0x811c9dc5 ^ text.length;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}
