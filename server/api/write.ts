import { CodedError, errorText } from '../../util/errors.ts';
import { BODY_BYTES_MAX, type WriteReceiver } from '../../remote/write-receiver.ts';
import { text, type ApiAnswer, type ApiRequest, type Route } from './http.ts';

const MESSAGE_1 = 'prometheus.WriteRequest';
const MESSAGE_2 = 'io.prometheus.write.v2.Request';
const MEDIA_TYPE = 'application/x-protobuf';

/** POST /api/v1/write. The order of checks and their texts are Prometheus' (spec/http-api.md section 9). */
export function writeRoute(receiver: () => WriteReceiver, acceptedMessages: readonly string[]): Route {
  return {
    path: 'api/v1/write',
    methods: ['POST'],
    isApi: false,
    changesState: true,
    bodyBytesMax: BODY_BYTES_MAX,
    handle: async (request) => {
      const refusal = checkHeaders(request, acceptedMessages);
      if (refusal) return refusal;
      try {
        const error = await receiver().receive(request.body);
        return error === undefined ? { status: 204, type: '', body: '' } : text(400, `${error}\n`);
      } catch (error) {
        return failureAnswer(error);
      }
    },
  };
}

function checkHeaders({ headers }: ApiRequest, acceptedMessages: readonly string[]): ApiAnswer | undefined {
  const encoding = headers['content-encoding'] ?? '';
  if (encoding !== '' && encoding !== 'snappy') {
    const fate = 'encoding (compression) is not accepted by this server; only snappy is acceptable';
    return text(415, `${encoding} ${fate}\n`);
  }
  const contentType = headers['content-type'] ?? '';
  const [media = '', ...parameters] = (contentType === '' ? MEDIA_TYPE : contentType).split(';');
  if (media.trim() !== MEDIA_TYPE) {
    return text(415, `expected ${MEDIA_TYPE} as the first (media) part, got ${contentType} content-type\n`);
  }
  let message = MESSAGE_1;
  for (const parameter of parameters) {
    const [name, value, ...more] = parameter.trim().split('=');
    if (value === undefined || more.length > 0) {
      return text(
        415,
        `as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, got ${parameter.trim()} in ${contentType} content-type\n`,
      );
    }
    if (name === 'proto') message = value;
  }
  if (message !== MESSAGE_1 && message !== MESSAGE_2) {
    const known = `supported: ${MESSAGE_1}, ${MESSAGE_2}`;
    return text(
      415,
      `got ${contentType} content type; unknown type for remote write protobuf message ${message}, ${known}\n`,
    );
  }
  // 2.0 cannot be stored yet: answered as by a server that has it switched off, and the sender falls back to 1.0.
  const accepted: readonly string[] = acceptedMessages.filter((name) => name === MESSAGE_1);
  if (accepted.includes(message)) return undefined;
  return text(415, `${message} protobuf message is not accepted by this server; only accepts ${accepted.join(', ')}\n`);
}

function failureAnswer(error: unknown): ApiAnswer {
  const message = `${errorText(error)}\n`;
  if (!(error instanceof CodedError)) return text(500, message);
  if (error.code === 'bad_data') return text(400, message);
  if (error.code === 'unavailable') return { ...text(503, message), headers: { 'retry-after': '5' } };
  return text(500, message);
}
