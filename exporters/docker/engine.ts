import { Agent, request } from 'node:http';
import { CodedError } from '../../util/errors.ts';

/** The newest API this client was written for; an older engine is asked in its own version. */
const API_VERSION = { major: 1, minor: 41 };
const TIMEOUT_MS = 3000;
/** An answer larger than this is refused; 10,000 containers list in about 20 MiB. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
const CONTAINER_ID = /^[0-9a-f]{12,64}$/;

/** Everything this client can ask: whoever talks to the socket is root on the host, so there is nothing else. */
export type EngineRequest =
  | { readonly type: 'version' }
  | { readonly type: 'containers' }
  | { readonly type: 'container'; readonly id: string };

/** What the engine says about itself. */
export interface EngineVersion {
  readonly version: string;
  readonly apiVersion: string;
}

/** The engine did not answer, or not as expected. */
export class EngineError extends CodedError {
  constructor(message: string, options?: ErrorOptions) {
    super('unavailable', message, options);
  }
}

/**
 * Reads from Docker's engine over its unix socket: GET requests of a fixed list only, keep-alive, each with a time and a
 * size limit. Answers are unknown data: the caller decodes them.
 */
export class DockerEngine {
  readonly #socketPath: string;
  readonly #timeoutMs: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4, maxFreeSockets: 1 });
  #prefix: string | undefined;

  constructor(socketPath: string, timeoutMs = TIMEOUT_MS) {
    this.#socketPath = socketPath;
    this.#timeoutMs = timeoutMs;
  }

  async version(): Promise<EngineVersion> {
    const answer = await this.#get('/version');
    const { Version: version, ApiVersion: apiVersion } = recordOf(answer);
    if (typeof version !== 'string' || typeof apiVersion !== 'string') {
      throw new EngineError(`docker engine at ${this.#socketPath}: /version has no version`);
    }
    this.#prefix = versionPrefix(apiVersion);
    return { version, apiVersion };
  }

  /** The decoded JSON of one answer; rejects with EngineError. */
  async read(what: EngineRequest): Promise<unknown> {
    if (what.type === 'version') return this.#get('/version');
    if (this.#prefix === undefined) await this.version();
    return this.#get(`${this.#prefix}${pathOf(what)}`);
  }

  close(): void {
    this.#agent.destroy();
  }

  #get(path: string): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const fail = (reason: string, cause?: unknown): void => {
      reject(new EngineError(`docker engine at ${this.#socketPath}: GET ${path}: ${reason}`, { cause }));
    };
    const outgoing = request(
      { socketPath: this.#socketPath, path, method: 'GET', agent: this.#agent, headers: { host: 'docker' } },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > BODY_BYTES_MAX) outgoing.destroy(new Error(`answer is larger than ${BODY_BYTES_MAX} bytes`));
          else chunks.push(chunk);
        });
        answer.on('error', (error) => fail(error.message, error));
        answer.on('end', () => {
          if (answer.statusCode !== 200) return fail(`status ${answer.statusCode}`);
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
          } catch (error) {
            fail('answer is not JSON', error);
          }
        });
      },
    );
    // Over the whole request: a socket that accepts and never answers must not hold a scrape.
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer in ${this.#timeoutMs} ms`)), this.#timeoutMs);
    outgoing.on('error', (error) => fail(error.message, error));
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.end();
    return promise;
  }
}

function pathOf(what: Exclude<EngineRequest, { type: 'version' }>): string {
  if (what.type === 'containers') return '/containers/json?all=1';
  if (!CONTAINER_ID.test(what.id)) throw new EngineError(`not a container id: "${what.id}"`);
  return `/containers/${what.id}/json`;
}

/** The path prefix of the newest version that both sides know. */
function versionPrefix(apiVersion: string): string {
  const match = /^(\d+)\.(\d+)$/.exec(apiVersion);
  if (!match) return '';
  const isOlder = Number(match[1]) < API_VERSION.major || Number(match[2]) < API_VERSION.minor;
  return isOlder ? `/v${apiVersion}` : `/v${API_VERSION.major}.${API_VERSION.minor}`;
}

/** The fields of a JSON object; of anything else none. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
