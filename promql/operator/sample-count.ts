import { countPresent, type Batch, type Operator, type SeriesList } from './operator.ts';

/**
 * How a node of a step-wise evaluation holds samples, seen in Prometheus' `stats=all`:
 * - selector: its whole output.
 * - steps: the whole outputs of its inputs, its own, and once more the inputs' samples of one step.
 * - timestamp: a selector whose samples of one step are held besides.
 * - aggregate: the outputs of its inputs; then its own instead.
 * - range: the inputs' outputs, its own so far, and one window.
 * - same: works in place, on the output of its only input.
 * - invariant: its input's output, repeated for each step.
 */
export type CountKind = 'selector' | 'timestamp' | 'steps' | 'aggregate' | 'range' | 'same' | 'invariant';

/** Counts of one node. */
export class SampleCount {
  readonly kind: CountKind;
  readonly stepCount: number;
  readonly inputs: SampleCount[] = [];
  /** Samples that selectors and windows below look at are multiplied by this for the total. */
  readonly weight: number;
  /** Where the node is in the text: inputs are evaluated in that order, however they were built. */
  readonly position: number;
  #out = 0;
  #lastStep = 0;
  /** Most of output so far and current window together. */
  #inside = 0;

  constructor(kind: CountKind, stepCount: number, weight: number, position: number) {
    this.position = position;
    this.kind = kind;
    this.stepCount = stepCount;
    this.weight = weight;
  }

  addInput(input: SampleCount): void {
    this.inputs.push(input);
    this.inputs.sort((a, b) => a.position - b.position);
  }

  addRows({ present, stepCount, histograms }: Batch, rows: number): void {
    this.#out += countPresent(present, 0, rows * stepCount);
    for (let r = 1; r <= rows; r++) this.#lastStep += present[r * stepCount - 1]!;
    if (histograms === undefined) return;
    for (let i = 0; i < rows * stepCount; i++) {
      if (present[i] === 0) continue;
      const more = (histograms[i]?.sampleWeight ?? 1) - 1;
      this.#out += more;
      if ((i + 1) % stepCount === 0) this.#lastStep += more;
    }
  }

  /** Counts samples that are no rows of a batch: those of a result that is a range vector. */
  addSamples(count: number): void {
    this.#out += count;
  }

  /** Notes the samples in a window at the end of a series, besides all output so far and `rowSamples`. */
  noteWindow(windowSamples: number, rowSamples: number): void {
    this.#inside = Math.max(this.#inside, this.#out + rowSamples + windowSamples);
  }

  get out(): number {
    if (this.kind === 'same') return this.inputs[0]?.out ?? 0;
    if (this.kind === 'invariant') return (this.inputs[0]?.out ?? 0) * this.stepCount;
    return this.#out;
  }

  /** Samples put out at the last step. */
  get samplesOfStep(): number {
    if (this.kind === 'same' || this.kind === 'invariant') return this.inputs[0]?.samplesOfStep ?? 0;
    return this.#lastStep;
  }

  /**
   * The most samples held at once while the node is evaluated, `held` of them before it; a lower bound while the query
   * still runs. Inputs are evaluated one after the other and keep what they put out.
   */
  peak(held: number): number {
    let now = held;
    let peak = held;
    let samplesOfStep = 0;
    for (const input of this.inputs) {
      peak = Math.max(peak, input.peak(now));
      now += input.out;
      samplesOfStep += input.samplesOfStep;
    }
    const { out } = this;
    if (this.kind === 'steps') peak = Math.max(peak, now + out + samplesOfStep);
    if (this.kind === 'timestamp') peak = Math.max(peak, now + out + this.samplesOfStep);
    if (this.kind === 'range') peak = Math.max(peak, now + Math.max(out, this.#inside));
    return Math.max(peak, held + out);
  }
}

/** Counts what an operator puts out. */
export class CountedOperator implements Operator {
  readonly #source: Operator;
  readonly #count: SampleCount;

  constructor(source: Operator, count: SampleCount) {
    this.#source = source;
    this.#count = count;
  }

  open(): number {
    return this.#source.open();
  }

  series(): SeriesList {
    return this.#source.series();
  }

  next(batch: Batch): number {
    const rows = this.#source.next(batch);
    if (rows > 0) this.#count.addRows(batch, rows);
    return rows;
  }

  close(): void {
    this.#source.close();
  }
}
