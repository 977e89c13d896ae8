import { envelopeOf } from './json.ts';
import { JSON_TYPE, type Route } from './http.ts';

const PATHS = ['delete_series', 'clean_tombstones', 'snapshot'];

/** The administration API, which is off: answered as Prometheus answers where it is off (S12). */
export function adminRoutes(): Route[] {
  const body = envelopeOf({ status: 'error', errorType: 'unavailable', error: 'admin APIs disabled' });
  return PATHS.map((name) => ({
    path: `api/v1/admin/tsdb/${name}`,
    methods: ['POST', 'PUT'],
    isApi: true,
    changesState: true,
    handle: () => ({ status: 500, type: JSON_TYPE, body }),
  }));
}
