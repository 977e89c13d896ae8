export type MetricType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'gaugehistogram'
  | 'summary'
  | 'info'
  | 'stateset'
  | 'unknown';

/** What a target says of a metric family. */
export interface Metadata {
  readonly type: MetricType;
  readonly unit: string;
  readonly help: string;
}
