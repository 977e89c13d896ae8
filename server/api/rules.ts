import { CodedError } from '../../util/errors.ts';
import { invalidParameter } from './errors.ts';
import { envelope } from './json.ts';
import { json, type Route } from './http.ts';

/** Rules, alerts and Alertmanagers: there are none until rules are evaluated, and that is what is answered. */
export function ruleRoutes(): Route[] {
  const get = (path: string, handle: Route['handle']): Route => ({
    path: `api/v1/${path}`,
    methods: ['GET'],
    isApi: true,
    handle,
  });
  return [
    get('rules', ({ params }) => {
      const type = params.text('type').toLowerCase();
      if (!['', 'alert', 'record'].includes(type)) {
        throw invalidParameter('type', `not supported value ${JSON.stringify(params.text('type'))}`);
      }
      checkPaging(params.text('group_limit'), params.text('group_next_token'));
      return json(envelope({ groups: [] }));
    }),
    get('alerts', () => json(envelope({ alerts: [] }))),
    get('alertmanagers', () => json(envelope({ activeAlertmanagers: [], droppedAlertmanagers: [] }))),
    get('notifications', () => json(envelope([]))),
  ];
}

function checkPaging(limit: string, token: string): void {
  if (limit === '' && token !== '') {
    throw invalidParameter('group_next_token', 'group_limit needs to be present in order to paginate over the groups');
  }
  if (limit !== '' && !(Number.isSafeInteger(Number(limit)) && Number(limit) > 0)) {
    throw invalidParameter('group_limit', 'group_limit must be greater than 0');
  }
  if (token !== '') {
    throw new CodedError(
      'bad_data',
      `invalid parameter "group_next_token": invalid group_next_token '${token}'. were rule groups changed?`,
    );
  }
}
