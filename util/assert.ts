/** A broken invariant: a bug of ours, never bad input. The process logs it and stops. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws InvariantError unless `condition` holds. Never called per sample. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Returns `value`, or throws InvariantError naming `what` when it is undefined. */
export function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new InvariantError(`missing ${what}`);
  return value;
}

/** Ends an exhaustive switch: the compiler proves it is never reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
