import { CodedError } from '../../util/errors.ts';
import type { Evaluation } from './evaluation.ts';
import type { MatchGroups } from './match-groups.ts';
import type { Table } from './table.ts';

export interface OneSideOptions {
  readonly stepCount: number;
  readonly isOneToOne: boolean;
  /** Remember at which steps each group had a series of the many side. */
  readonly tracksMany: boolean;
}

/**
 * The side of a vector match of which each group may have only one series at a step, and what must hold of both sides.
 * Groups with a single series on each side, which are nearly all, need no looking at.
 */
export class OneSide {
  readonly #evaluation: Evaluation;
  readonly #options: OneSideOptions;
  /** Rows of group g are #rows[#starts[g] .. #starts[g + 1]). */
  readonly #starts: Int32Array;
  readonly #rows: Int32Array;
  readonly #manyCounts: Int32Array;
  readonly #anyMany: Uint8Array;
  readonly #manySeen: Uint8Array;
  /** Steps at which a group with several series of the many side was matched. */
  readonly #matched = new Map<number, Uint8Array>();
  readonly #conflicts: { readonly step: number; readonly a: number; readonly b: number }[] = [];
  #table: Table | undefined;

  constructor(evaluation: Evaluation, groups: MatchGroups, options: OneSideOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
    this.#starts = new Int32Array(groups.count + 1);
    this.#rows = new Int32Array(groups.groupOfRight.length);
    this.#manyCounts = new Int32Array(groups.count);
    this.#anyMany = new Uint8Array(options.stepCount);
    this.#manySeen = evaluation.bytes(options.tracksMany ? groups.count * options.stepCount : 0);
    const { groupOfLeft, groupOfRight } = groups;
    for (let i = 0; i < groupOfLeft.length; i++) this.#manyCounts[groupOfLeft[i]!]!++;
    for (let i = 0; i < groupOfRight.length; i++) this.#starts[groupOfRight[i]! + 1]!++;
    for (let g = 0; g < groups.count; g++) this.#starts[g + 1]! += this.#starts[g]!;
    const next = this.#starts.slice();
    for (let i = 0; i < groupOfRight.length; i++) this.#rows[next[groupOfRight[i]!]!++] = i;
  }

  /** How many rows of this side are in a group. */
  sizeOf(group: number): number {
    return this.#starts[group + 1]! - this.#starts[group]!;
  }

  /** The n-th row of this side in a group. */
  rowOf(group: number, n: number): number {
    return this.#rows[this.#starts[group]! + n]!;
  }

  /** Some group has more than one series on one of its sides. */
  get hasSharedGroups(): boolean {
    for (let g = 0; g < this.#manyCounts.length; g++) {
      if (this.#manyCounts[g]! > 1 || this.sizeOf(g) > 1) return true;
    }
    return false;
  }

  get table(): Table | undefined {
    return this.#table;
  }

  /** Takes the samples of this side and looks for steps at which a group has more than one. */
  complete(table: Table): void {
    this.#table = table;
    const { present, stepCount } = table;
    for (let g = 0; g < this.#manyCounts.length; g++) {
      const size = this.sizeOf(g);
      if (size < 2) continue;
      const holder = new Int32Array(stepCount).fill(-1);
      for (let n = 0; n < size; n++) {
        const row = this.rowOf(g, n);
        for (let i = 0; i < stepCount; i++) {
          if (present[row * stepCount + i] === 0) continue;
          if (holder[i]! >= 0) this.#conflicts.push({ step: i, a: holder[i]!, b: row });
          holder[i] = row;
        }
      }
    }
  }

  /** True when this side has a sample of the group at a step. */
  hasAny(group: number, step: number): boolean {
    const { present, stepCount } = this.#table!;
    for (let i = this.#starts[group]!; i < this.#starts[group + 1]!; i++) {
      if (present[this.#rows[i]! * stepCount + step] === 1) return true;
    }
    return false;
  }

  /** True when the many side had a sample of the group at a step; only with `tracksMany`. */
  hasMany(group: number, step: number): boolean {
    return this.#manySeen[group * this.#options.stepCount + step] === 1;
  }

  /** Takes note of a row of the many side. Throws when a one-to-one match has a second match at a step. */
  noteMany(group: number, present: Uint8Array, base: number, isFilled: boolean): void {
    const { stepCount, isOneToOne, tracksMany } = this.#options;
    if (this.#conflicts.length > 0) for (let i = 0; i < stepCount; i++) this.#anyMany[i]! |= present[base + i]!;
    if (tracksMany) for (let i = 0; i < stepCount; i++) this.#manySeen[group * stepCount + i]! |= present[base + i]!;
    if (!isOneToOne || this.#manyCounts[group]! < 2 || this.duplicate !== undefined) return;
    let matched = this.#matched.get(group);
    if (matched === undefined) {
      matched = this.#evaluation.bytes(stepCount);
      this.#matched.set(group, matched);
    }
    for (let i = 0; i < stepCount; i++) {
      if (present[base + i] === 0 || !(isFilled || this.hasAny(group, i))) continue;
      if (matched[i] === 1) {
        throw new CodedError(
          'execution',
          'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
        );
      }
      matched[i] = 1;
    }
  }

  /** Two rows of one group that have a sample at the same step, where the many side has any; undefined when all is well. */
  get duplicate(): { readonly a: number; readonly b: number } | undefined {
    return this.#conflicts.find(({ step }) => this.#anyMany[step] === 1);
  }
}
