/** Series colours: at least 3.1:1 against the background and told apart under protan, deutan and tritan sight. */
const LIGHT = '#0b63ce #54140d #df6e1b #033076 #8b473d #a387a9 #5290f6 #66508b #956976 #781c42'.split(' ');
const DARK = '#5aa7ff #b63e03 #f5b005 #745e9b #56f4fd #ec676d #516ef2 #d2e59d #a48eb4 #9dcab1'.split(' ');
/** Beyond the first ten, colours come again with these patterns. */
const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [8, 3, 2, 3]];

/** Number of distinguishable strokes. */
export const STROKES = LIGHT.length * DASHES.length;

export interface Stroke {
  readonly color: string;
  readonly dash: readonly number[];
}

/** The look of a slot from `assignSlots`; slots beyond STROKES start over. */
export function strokeOf(slot: number, isDark: boolean): Stroke {
  const colors = isDark ? DARK : LIGHT;
  const dash = Math.floor(slot / colors.length) % DASHES.length;
  return { color: colors[slot % colors.length]!, dash: DASHES[dash]! };
}

/** The look of background series. */
export function mutedStroke(isDark: boolean): Stroke {
  return { color: isDark ? '#5f6b78' : '#8a949e', dash: [] };
}

/**
 * A slot per key: its hash, moved on to the next free one, so that a series keeps its colour over refreshes and pages
 * and no two of the first ten in a panel share one.
 */
export function assignSlots(keys: readonly string[]): number[] {
  const taken = new Set<number>();
  const colors = LIGHT.length;
  return keys.map((key, index) => {
    const level = Math.floor(index / colors) % DASHES.length;
    if (index % colors === 0) taken.clear();
    let color = hash(key) % colors;
    while (taken.has(color)) color = (color + 1) % colors;
    taken.add(color);
    return level * colors + color;
  });
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
