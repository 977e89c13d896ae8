// The `http_config` part of a scrape config: how to log in, TLS, redirects.
import type { Fs } from '../util/host.ts';
import type { FieldsReader, NodeReader } from '../util/decode.ts';
import { Secret } from '../util/secret.ts';
import { quoteGo } from '../model/labels.ts';
import type { TlsSettings } from './fetcher.ts';

/** A secret given in the file or named by one, re-read at each use. */
interface SecretSource {
  readonly secret: Secret | undefined;
  readonly file: string;
}

interface BasicAuth {
  readonly username: string;
  readonly usernameFile: string;
  readonly password: SecretSource;
}

interface Authorization {
  readonly type: string;
  readonly credentials: SecretSource;
}

interface TlsConfig {
  readonly ca: string;
  readonly caFile: string;
  readonly cert: string;
  readonly certFile: string;
  readonly key: SecretSource;
  readonly serverName: string;
  readonly insecureSkipVerify: boolean;
  readonly minVersion: string;
  readonly maxVersion: string;
}

interface HttpHeader {
  readonly values: readonly string[];
  readonly secrets: readonly Secret[];
  readonly files: readonly string[];
}

export interface HttpConfig {
  readonly basicAuth: BasicAuth | undefined;
  readonly authorization: Authorization | undefined;
  readonly tls: TlsConfig | undefined;
  readonly followRedirects: boolean;
  readonly enableHttp2: boolean;
  readonly headers: ReadonlyMap<string, HttpHeader>;
}

const TLS_VERSIONS: Readonly<Record<string, TlsSettings['minVersion']>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

/** Sections that are understood but not acted on yet. */
const LATER = ['oauth2', 'proxy_url', 'no_proxy', 'proxy_from_environment', 'proxy_connect_header'] as const;

export function decodeHttpConfig(fields: FieldsReader): HttpConfig {
  const hasBearer = fields.has('bearer_token') || fields.has('bearer_token_file');
  if (fields.has('bearer_token') && fields.has('bearer_token_file')) {
    fields.fail('bearer_token', 'at most one of bearer_token & bearer_token_file must be configured');
  }
  const hasBasic = fields.has('basic_auth');
  const hasOauth2 = fields.has('oauth2');
  const hasAuthorization = fields.has('authorization');
  if (hasBearer && (hasBasic || hasOauth2)) {
    fields.fail(
      'bearer_token',
      'at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured',
    );
  }
  if (hasAuthorization && hasBearer) {
    fields.fail('authorization', 'authorization is not compatible with bearer_token & bearer_token_file');
  }
  if (Number(hasBasic) + Number(hasOauth2) + Number(hasAuthorization) > 1) {
    fields.fail(undefined, 'at most one of basic_auth, oauth2 & authorization must be configured');
  }
  const bearer = secretSource(fields, 'bearer_token');
  for (const name of LATER) fields.at(name)?.warn(`${name} has no effect yet`);
  return {
    basicAuth: fields.get('basic_auth', decodeBasicAuth, undefined),
    authorization: hasBearer
      ? { type: 'Bearer', credentials: bearer }
      : fields.get('authorization', decodeAuthorization, undefined),
    tls: fields.get('tls_config', decodeTls, undefined),
    followRedirects: fields.boolean('follow_redirects', true),
    enableHttp2: fields.boolean('enable_http2', true),
    headers: new Map(fields.get('http_headers', (reader) => reader.entries(decodeHeader), [])),
  };
}

function decodeBasicAuth(reader: NodeReader): BasicAuth {
  const fields = reader.fields('config.BasicAuth');
  for (const name of ['username', 'password']) {
    if (fields.has(name) && fields.has(`${name}_file`)) {
      fields.fail(name, `at most one of basic_auth ${name} & ${name}_file must be configured`);
    }
  }
  const auth: BasicAuth = {
    username: fields.string('username'),
    usernameFile: fields.string('username_file'),
    password: secretSource(fields, 'password'),
  };
  for (const name of ['username_ref', 'password_ref']) fields.at(name)?.warn(`${name} has no effect yet`);
  fields.end();
  return auth;
}

function decodeAuthorization(reader: NodeReader): Authorization {
  const fields = reader.fields('config.Authorization');
  const type = fields.string('type', 'Bearer').trim();
  if (type.toLowerCase() === 'basic')
    fields.fail('type', `authorization type cannot be set to "basic", use "basic_auth" instead`);
  if (fields.has('credentials') && fields.has('credentials_file')) {
    fields.fail('credentials', 'at most one of authorization credentials & credentials_file must be configured');
  }
  const credentials = secretSource(fields, 'credentials');
  fields.at('credentials_ref')?.warn('credentials_ref has no effect yet');
  fields.end();
  return { type, credentials };
}

function decodeTls(reader: NodeReader): TlsConfig {
  const fields = reader.fields('config.TLSConfig');
  for (const name of ['ca', 'cert', 'key']) {
    if (fields.has(name) && fields.has(`${name}_file`)) {
      fields.fail(name, `at most one of ${name} and ${name}_file must be configured`);
    }
  }
  const version = (name: string) => {
    const text = fields.string(name);
    if (text !== '' && !(text in TLS_VERSIONS)) fields.fail(name, `unknown TLS version: ${text}`);
    return text;
  };
  const tls: TlsConfig = {
    ca: fields.string('ca'),
    caFile: fields.string('ca_file'),
    cert: fields.string('cert'),
    certFile: fields.string('cert_file'),
    key: secretSource(fields, 'key'),
    serverName: fields.string('server_name'),
    insecureSkipVerify: fields.boolean('insecure_skip_verify', false),
    minVersion: version('min_version'),
    maxVersion: version('max_version'),
  };
  fields.end();
  return tls;
}

/** Headers that are the client's own business. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'transfer-encoding',
  'user-agent',
  'www-authenticate',
  'x-prometheus-scrape-timeout-seconds',
]);

function decodeHeader(reader: NodeReader, name: string): HttpHeader {
  if (RESERVED_HEADERS.has(name.toLowerCase())) reader.fail(`setting header ${quoteGo(name)} is not allowed`);
  if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(name)) reader.fail(`${quoteGo(name)} is not a valid header name`);
  const fields = reader.fields('config.Header');
  const header = {
    values: fields.list('values', (item) => item.string()),
    secrets: fields.list('secrets', (item) => new Secret(item.string())),
    files: fields.list('files', (item) => item.string()),
  };
  fields.end();
  return header;
}

function secretSource(fields: FieldsReader, name: string): SecretSource {
  return {
    secret: fields.get<Secret | undefined>(name, (reader) => new Secret(reader.string()), undefined),
    file: fields.string(`${name}_file`),
  };
}

/** The Authorization header as configured; undefined when there is no login. */
export function authorizationOf(config: HttpConfig, fs: Fs): (() => Promise<string>) | undefined {
  const { basicAuth, authorization } = config;
  if (basicAuth) {
    return async () => {
      const username = basicAuth.usernameFile === '' ? basicAuth.username : await readText(fs, basicAuth.usernameFile);
      const pair = `${username}:${await secretText(fs, basicAuth.password)}`;
      return `Basic ${Buffer.from(pair).toString('base64')}`;
    };
  }
  if (authorization) return async () => `${authorization.type} ${await secretText(fs, authorization.credentials)}`;
  return undefined;
}

/** TLS with the contents of its files, read at each connection. */
export function tlsOf(config: HttpConfig, fs: Fs): (() => Promise<TlsSettings>) | undefined {
  const { tls } = config;
  if (!tls) return undefined;
  const textOf = async (inline: string, file: string) =>
    file === '' ? (inline === '' ? undefined : inline) : await readText(fs, file);
  return async () => ({
    ca: await textOf(tls.ca, tls.caFile),
    cert: await textOf(tls.cert, tls.certFile),
    key: (await secretText(fs, tls.key)) || undefined,
    serverName: tls.serverName === '' ? undefined : tls.serverName,
    insecureSkipVerify: tls.insecureSkipVerify,
    minVersion: TLS_VERSIONS[tls.minVersion],
    maxVersion: TLS_VERSIONS[tls.maxVersion],
  });
}

async function secretText(fs: Fs, source: SecretSource): Promise<string> {
  if (source.secret) return source.secret.reveal();
  return source.file === '' ? '' : readText(fs, source.file);
}

async function readText(fs: Fs, path: string): Promise<string> {
  try {
    return new TextDecoder().decode(await fs.readFile(path)).trim();
  } catch (error) {
    throw new Error(`unable to read file ${quoteGo(path)}`, { cause: error });
  }
}
