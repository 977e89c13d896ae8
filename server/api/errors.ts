import { CodedError, errorText, type ErrorCode } from '../../util/errors.ts';

interface HttpError {
  readonly status: number;
  readonly errorType: string;
}

/** The one place where codes become HTTP (spec/http-api.md section 1). */
const HTTP_ERRORS: Readonly<Record<ErrorCode, HttpError>> = {
  bad_data: { status: 400, errorType: 'bad_data' },
  execution: { status: 422, errorType: 'execution' },
  limit: { status: 422, errorType: 'execution' },
  timeout: { status: 503, errorType: 'timeout' },
  canceled: { status: 499, errorType: 'canceled' },
  unavailable: { status: 503, errorType: 'unavailable' },
  not_found: { status: 404, errorType: 'not_found' },
  internal: { status: 500, errorType: 'internal' },
  corruption: { status: 500, errorType: 'internal' },
};

export function httpErrorOf(error: unknown): HttpError {
  return HTTP_ERRORS[error instanceof CodedError ? error.code : 'internal'];
}

/** What a client is told: the message of our own errors; nothing of a bug's (S21), which is for the log. */
export function publicText(error: unknown): string {
  return error instanceof CodedError ? errorText(error) : 'internal error; the log of the server has the details';
}

/** Bad request parameters; `name` is wrapped around the reason as Prometheus does. */
export function invalidParameter(name: string, reason: string): CodedError {
  return new CodedError('bad_data', `invalid parameter ${JSON.stringify(name)}: ${reason}`);
}
