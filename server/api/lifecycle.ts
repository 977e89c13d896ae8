import { errorText } from '../../util/errors.ts';
import { text, type Route } from './http.ts';

export interface Lifecycle {
  readonly isEnabled: boolean;
  readonly isReady: () => boolean;
  /** What is being waited for, in one line. */
  readonly progressText: () => string;
  /** Rejects when the configuration cannot be used; then nothing has changed. */
  readonly reload: () => Promise<void>;
  readonly quit: () => void;
}

const WRONG_METHOD = 'Only POST or PUT requests allowed';
const DISABLED = 'Lifecycle API is not enabled.';

/** Health, readiness, reload and shutdown. */
export function lifecycleRoutes(lifecycle: Lifecycle): Route[] {
  const { isEnabled, isReady, progressText, reload, quit } = lifecycle;
  const check = (path: string, handle: Route['handle']): Route => ({
    path: `-/${path}`,
    methods: ['GET', 'HEAD'],
    isApi: false,
    whileStarting: true,
    handle,
  });
  const change = (path: string, handle: Route['handle']): Route => ({
    path: `-/${path}`,
    methods: ['POST', 'PUT'],
    isApi: false,
    whileStarting: true,
    changesState: true,
    wrongMethodText: WRONG_METHOD,
    handle: (request) => (isEnabled ? handle(request) : text(403, DISABLED)),
  });
  return [
    check('healthy', () => text(200, 'Prometheus Server is Healthy.\n')),
    check('ready', () =>
      isReady() ? text(200, 'Prometheus Server is Ready.\n') : text(503, `Service Unavailable: ${progressText()}\n`),
    ),
    change('reload', async () => {
      try {
        await reload();
        return text(200, '');
      } catch (error) {
        return text(500, `failed to reload config: ${errorText(error)}\n`);
      }
    }),
    change('quit', () => {
      quit();
      return text(200, 'Requesting termination... Goodbye!');
    }),
  ];
}
