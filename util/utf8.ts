/**
 * Orders strings as their UTF-8 bytes order, as Prometheus sorts label names and values. JavaScript's own `<` compares
 * UTF-16 units, which differs only when a surrogate meets a unit above the surrogate range.
 */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xIsSurrogate = (x & 0xf800) === 0xd800;
    const yIsSurrogate = (y & 0xf800) === 0xd800;
    if (xIsSurrogate !== yIsSurrogate) return xIsSurrogate ? 1 : -1;
    return x < y ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

/** Bytes of the text in UTF-8. */
export function utf8Size(text: string): number {
  let size = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) size += 1;
    else if (unit < 0x800) size += 2;
    // Each half of a surrogate pair stands for half of its four bytes.
    else size += (unit & 0xf800) === 0xd800 ? 2 : 3;
  }
  return size;
}
