/** Half-open range of UTF-16 offsets into the query text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** At most this many warnings, and as many infos, are returned; the rest is counted. As Prometheus. */
const ANNOTATIONS_MAX = 10;

/** Warnings and infos of one query, deduplicated by text. Texts are complete: prefix and position included. */
export class Annotations {
  readonly #warnings = new Set<string>();
  readonly #infos = new Set<string>();

  warn(text: string): void {
    this.#warnings.add(text);
  }

  info(text: string): void {
    this.#infos.add(text);
  }

  get warnings(): string[] {
    return limited(this.#warnings, 'warning');
  }

  get infos(): string[] {
    return limited(this.#infos, 'info');
  }
}

function limited(texts: ReadonlySet<string>, kind: string): string[] {
  const shown = [...texts].slice(0, ANNOTATIONS_MAX);
  const omitted = texts.size - shown.length;
  if (omitted > 0) shown.push(`${omitted} more ${kind} annotations omitted`);
  return shown;
}
