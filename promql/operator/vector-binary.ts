// hot path: arithmetic and comparison between two vectors.
import type { Labels } from '../../model/labels.ts';
import { CodedError } from '../../util/errors.ts';
import { ARITHMETIC } from '../functions/binary.ts';
import type { BinaryOp, VectorMatching } from '../parse/ast.ts';
import { combiner, combineMixed, type CombineRow, type RowOperands } from './combine.ts';
import type { HistogramNotes } from './histogram-notes.ts';
import type { Evaluation } from './evaluation.ts';
import { matchLabelsOf, SeriesMatcher, type MatchGroups } from './match-groups.ts';
import { PENDING, READY, createBatch, type Batch, type Operator, type SeriesList } from './operator.ts';
import { OneSide } from './one-side.ts';
import { dropName, listOf } from './series-list.ts';
import { TableReader } from './table.ts';

export interface VectorBinaryOptions {
  readonly op: BinaryOp;
  readonly bool: boolean;
  readonly matching: VectorMatching;
  readonly lhs: Operator;
  readonly rhs: Operator;
  readonly stepCount: number;
  readonly notes: HistogramNotes;
}

/** Rows of the output: a series of the "many" side with one of the "one" side; -1 is a side that is filled in. */
class Pairs {
  readonly many: number[] = [];
  readonly one: number[] = [];

  add(many: number, one: number): void {
    this.many.push(many);
    this.one.push(one);
  }

  get count(): number {
    return this.many.length;
  }
}

const EMPTY = new Float64Array(0);

/**
 * The "one" side (the right, or the left with group_right) is read into memory, the other streams by. Each series of the
 * many side makes a row with each series of its match group, nearly always one; rows of the same labels are joined by
 * the DistinctOperator above. What Prometheus checks at each step is checked for groups with more than one series only.
 */
export class VectorBinaryOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: VectorBinaryOptions;
  readonly #many: Operator;
  readonly #one: Operator;
  readonly #manyFill: number | undefined;
  readonly #oneFill: number | undefined;
  readonly #combine: CombineRow;
  readonly #input: Batch;
  #opened = 0;
  #matcher: SeriesMatcher | undefined;
  #groups: MatchGroups | undefined;
  #pairs = new Pairs();
  #list: SeriesList = listOf([]);
  #hasRepeats = true;
  #reader: TableReader | undefined;
  #oneSide: OneSide | undefined;
  #inputRows = 0;
  #inputFirst = 0;
  #isInputDone = false;
  #nextPair = 0;
  readonly #operands: RowOperands = { left: EMPTY, leftBase: 0, right: EMPTY, rightBase: 0 };

  constructor(evaluation: Evaluation, options: VectorBinaryOptions) {
    const { matching, lhs, rhs } = options;
    const isSwapped = matching.card === 'one-to-many';
    this.#evaluation = evaluation;
    this.#options = options;
    this.#many = isSwapped ? rhs : lhs;
    this.#one = isSwapped ? lhs : rhs;
    // With group_right Prometheus swaps the sides before it fills: fill_left is always that of the "many" side.
    this.#manyFill = matching.fillLeft;
    this.#oneFill = matching.fillRight;
    this.#combine = combiner(options.op, options.bool);
    this.#input = createBatch(options.stepCount);
  }

  open(): number {
    if (this.#opened === 0) {
      if (this.#options.lhs.open() === PENDING) return PENDING;
      this.#opened = 1;
    }
    if (this.#opened === 1) {
      if (this.#options.rhs.open() === PENDING) return PENDING;
      this.#opened = 2;
    }
    if (this.#opened === 2) {
      const { matching } = this.#options;
      this.#matcher ??= new SeriesMatcher(this.#evaluation, this.#many.series(), this.#one.series(), matching);
      if (this.#matcher.run() === PENDING) return PENDING;
      this.#opened = 3;
      this.#pairUp(this.#matcher.groups);
    }
    return READY;
  }

  series(): SeriesList {
    return this.#list;
  }

  /** False when the matching alone makes all output series distinct. */
  get mayRepeat(): boolean {
    return this.#hasRepeats;
  }

  #pairUp(groups: MatchGroups): void {
    const { matching, stepCount } = this.#options;
    const many = this.#many.series();
    const one = this.#one.series();
    const oneSide = new OneSide(this.#evaluation, groups, {
      stepCount,
      isOneToOne: matching.card === 'one-to-one',
      tracksMany: this.#manyFill !== undefined,
    });
    const pairs = new Pairs();
    for (let m = 0; m < many.count; m++) {
      const group = groups.groupOfLeft[m]!;
      const size = oneSide.sizeOf(group);
      for (let n = 0; n < size; n++) pairs.add(m, oneSide.rowOf(group, n));
      if (this.#oneFill !== undefined) pairs.add(m, -1);
    }
    if (this.#manyFill !== undefined) for (let o = 0; o < one.count; o++) pairs.add(-1, o);
    this.#groups = groups;
    this.#oneSide = oneSide;
    this.#pairs = pairs;
    const hasFill = this.#manyFill !== undefined || this.#oneFill !== undefined;
    this.#hasRepeats = hasFill || matching.card !== 'one-to-one' || oneSide.hasSharedGroups;
    this.#list = this.#outputSeries(many, one);
    this.#reader = new TableReader(this.#evaluation, this.#one, stepCount);
  }

  #outputSeries(many: SeriesList, one: SeriesList): SeriesList {
    const pairs = this.#pairs;
    const { matching } = this.#options;
    const virtual = (series: SeriesList, index: number): Labels => matchLabelsOf(series.labels(index), matching);
    const { bool } = this.#options;
    // Kept once made: in a chain of operators each asks its left side, and so on to the end of the chain.
    const made = new Map<number, Labels>();
    return {
      count: pairs.count,
      labels: (index) => {
        let labels = made.get(index);
        if (!labels) {
          const m = pairs.many[index]!;
          const o = pairs.one[index]!;
          const manyLabels = m < 0 ? virtual(one, o) : many.labels(m);
          const oneLabels = o < 0 ? virtual(many, m) : one.labels(o);
          labels = this.#resultLabels(manyLabels, oneLabels, o < 0);
          made.set(index, labels);
        }
        return labels;
      },
      dropsName: (index) => {
        const row = pairs.many[index]!;
        return (row >= 0 && many.dropsName(row)) || (bool && this.#evaluation.delayedNameRemoval);
      },
    };
  }

  #resultLabels(many: Labels, one: Labels, isOneFilled: boolean): Labels {
    const { op, bool, matching } = this.#options;
    const removesName = ARITHMETIC.has(op) || (bool && !this.#evaluation.delayedNameRemoval);
    let labels = removesName ? dropName(many) : many;
    if (matching.card === 'one-to-one') {
      const names = new Set(matching.labels);
      labels = matching.on ? labels.only(names) : labels.without(names);
    }
    for (const name of matching.include) {
      if (isOneFilled && !one.has(name)) labels = labels.with(name, '');
      else labels = labels.with(name, one.get(name));
    }
    return labels;
  }

  next(batch: Batch): number {
    if (this.#readOne() === PENDING) return PENDING;
    batch.first = this.#nextPair;
    batch.histograms = undefined;
    let rows = 0;
    while (rows < batch.capacity && this.#nextPair < this.#pairs.count) {
      const m = this.#pairs.many[this.#nextPair]!;
      const needsInput = m < 0 ? !this.#isInputDone : m >= this.#inputFirst + this.#inputRows;
      if (needsInput) {
        // Rows that are done go out first: reading may be PENDING, and then the batch must be as it was.
        if (rows > 0) break;
        if (this.#readMany() === PENDING) return PENDING;
        continue;
      }
      this.#fillRow(batch, rows * batch.stepCount, this.#nextPair);
      this.#nextPair++;
      rows++;
    }
    if (rows === 0) return this.#finish();
    this.#evaluation.spend(rows * batch.stepCount * 2);
    return rows;
  }

  #readOne(): number {
    const oneSide = this.#oneSide!;
    if (oneSide.table !== undefined) return READY;
    if (this.#reader!.read() === PENDING) return PENDING;
    oneSide.complete(this.#reader!.table);
    return READY;
  }

  /** The next batch of the many side. */
  #readMany(): number {
    const input = this.#input;
    const rows = this.#many.next(input);
    if (rows === PENDING) return PENDING;
    this.#inputFirst += this.#inputRows;
    this.#inputRows = rows;
    if (rows === 0) this.#isInputDone = true;
    const { groupOfLeft } = this.#groups!;
    for (let r = 0; r < rows; r++) {
      const group = groupOfLeft[input.first + r]!;
      this.#oneSide!.noteMany(group, input.present, r * input.stepCount, this.#oneFill !== undefined);
    }
    return READY;
  }

  #finish(): number {
    while (!this.#isInputDone) if (this.#readMany() === PENDING) return PENDING;
    const duplicate = this.#oneSide!.duplicate;
    if (duplicate !== undefined) this.#failDuplicate(duplicate.a, duplicate.b);
    this.#many.close();
    this.#one.close();
    return 0;
  }

  #fillRow(batch: Batch, base: number, pair: number): void {
    const { stepCount, matching } = this.#options;
    const table = this.#oneSide!.table!;
    const m = this.#pairs.many[pair]!;
    const o = this.#pairs.one[pair]!;
    const rowOfMany = (m - this.#inputFirst) * stepCount;
    const rowOfOne = o * stepCount;
    if (m < 0) this.#markUnmatchedOne(batch, base, o);
    else if (o < 0) this.#markUnmatchedMany(batch, base, m);
    else {
      const { present } = this.#input;
      for (let i = 0; i < stepCount; i++) {
        batch.present[base + i] = present[rowOfMany + i]! & table.present[rowOfOne + i]!;
      }
    }
    const many = m < 0 ? this.#fillColumn(this.#manyFill) : this.#input.values;
    const manyBase = m < 0 ? 0 : rowOfMany;
    const one = o < 0 ? this.#fillColumn(this.#oneFill) : table.values;
    const oneBase = o < 0 ? 0 : rowOfOne;
    const operands = this.#operands;
    const isSwapped = matching.card === 'one-to-many';
    operands.left = isSwapped ? one : many;
    operands.leftBase = isSwapped ? oneBase : manyBase;
    operands.right = isSwapped ? many : one;
    operands.rightBase = isSwapped ? manyBase : oneBase;
    if (this.#input.histograms === undefined && table.histograms === undefined) {
      this.#combine(batch, base, operands);
      return;
    }
    const manyHistograms = m < 0 ? undefined : this.#input.histograms;
    const oneHistograms = o < 0 ? undefined : table.histograms;
    combineMixed(batch, base, this.#combine, {
      ...operands,
      leftHistograms: isSwapped ? oneHistograms : manyHistograms,
      rightHistograms: isSwapped ? manyHistograms : oneHistograms,
      options: this.#options,
    });
  }

  /** Marks the steps at which a series of the "one" side has no partner. */
  #markUnmatchedOne({ present, stepCount }: Batch, base: number, one: number): void {
    const oneSide = this.#oneSide!;
    const group = this.#groups!.groupOfRight[one]!;
    const input = oneSide.table!.present;
    for (let i = 0; i < stepCount; i++) {
      present[base + i] = input[one * stepCount + i] === 1 && !oneSide.hasMany(group, i) ? 1 : 0;
    }
  }

  /** Marks the steps at which a series of the "many" side has no partner. */
  #markUnmatchedMany({ present, stepCount }: Batch, base: number, many: number): void {
    const oneSide = this.#oneSide!;
    const group = this.#groups!.groupOfLeft[many]!;
    const input = this.#input.present;
    const row = (many - this.#inputFirst) * stepCount;
    for (let i = 0; i < stepCount; i++) {
      present[base + i] = input[row + i] === 1 && !oneSide.hasAny(group, i) ? 1 : 0;
    }
  }

  #fillColumn(value: number | undefined): Float64Array {
    return new Float64Array(this.#options.stepCount).fill(value ?? 0);
  }

  #failDuplicate(a: number, b: number): never {
    const { matching } = this.#options;
    const one = this.#one.series();
    const side = matching.card === 'one-to-many' ? 'left' : 'right';
    const texts = [one.labels(a).toString(), one.labels(b).toString()].sort();
    throw new CodedError(
      'execution',
      `found duplicate series for the match group ${matchLabelsOf(one.labels(a), matching).toString()} on the ${side} ` +
        `hand-side of the operation: [${texts.join(', ')}];many-to-many matching not allowed: ` +
        'matching labels must be unique on one side',
    );
  }

  close(): void {
    this.#many.close();
    this.#one.close();
  }
}
