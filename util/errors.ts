/** The closed list of error codes; only server/api/errors.ts turns them into HTTP. */
export type ErrorCode =
  | 'bad_data'
  | 'execution'
  | 'timeout'
  | 'canceled'
  | 'unavailable'
  | 'not_found'
  | 'internal'
  | 'corruption'
  | 'limit';

/** Bad input or a bad world (disk, network): `message` is written for the user. Bugs of ours are InvariantError. */
export class CodedError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Bytes read back that cannot be what was written. `where` says file and offset when they are known. */
export class CorruptionError extends CodedError {
  constructor(message: string, where?: { readonly file: string; readonly offset: number }) {
    super('corruption', where ? `${message} (${where.file} at ${where.offset})` : message);
  }
}

/** The text of anything thrown, for logs and `lastError`. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
