// Sends one made-up history by remote write 1.0, so that peers hold the same samples.
import protobuf from 'protobufjs';
import snappy from 'snappyjs';

export interface HistoryPlan {
  readonly metric: string;
  readonly seriesCount: number;
  readonly jobCount: number;
  readonly startMs: number;
  readonly stepMs: number;
  readonly sampleCount: number;
}

/** Labels of series i: ten, sorted, as a middling real series has. */
function labelsOf(plan: HistoryPlan, i: number): [string, string][] {
  return [
    ['__name__', plan.metric],
    ['cluster', `cluster-${i % 2}`],
    ['code', ['200', '201', '404', '500', '503'][i % 5]!],
    ['handler', `/api/v1/resource/${i}`],
    ['instance', `10.0.${(i >> 6) & 255}.${i & 63}:9100`],
    ['job', `job-${i % plan.jobCount}`],
    ['method', ['GET', 'POST', 'PUT', 'DELETE'][i % 4]!],
    ['pod', `pod-${i}`],
    ['version', `v1.${i % 7}.${i % 3}`],
    ['zone', `zone-${i % 3}`],
  ];
}

function encodeLabels(plan: HistoryPlan, i: number): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [name, value] of labelsOf(plan, i)) {
    writer.uint32(10).fork().uint32(10).string(name).uint32(18).string(value).ldelim();
  }
  return writer.finish();
}

/** Value of a counter with its own rate and jitter; some series reset. */
export function historyValue(series: number, step: number): number {
  const rate = 1 + (series % 37);
  const reset = series % 50 === 1 ? 300 + (series % 200) : Infinity;
  const since = reset === Infinity ? step : step % reset;
  return since * rate * 15 + ((series * 7919 + step * 104729) % (rate * 5));
}

function encodeRequest(plan: HistoryPlan, labels: readonly Uint8Array[], from: number, to: number): Uint8Array {
  const writer = protobuf.Writer.create();
  for (let i = 0; i < plan.seriesCount; i++) {
    // The labels are encoded as fields of TimeSeries already.
    writer.uint32(10).fork().raw(labels[i]!);
    for (let step = from; step < to; step++) {
      const timeMs = plan.startMs + step * plan.stepMs;
      writer.uint32(18).fork().uint32(9).double(historyValue(i, step)).uint32(16).int64(timeMs).ldelim();
    }
    writer.ldelim();
  }
  return writer.finish();
}

/** Requests of about `samplesPerRequest` samples, in time order; the same bytes for every peer. */
export function* historyRequests(plan: HistoryPlan, samplesPerRequest = 50_000): Generator<Uint8Array> {
  const labels = Array.from({ length: plan.seriesCount }, (_, i) => encodeLabels(plan, i));
  const stepsPerRequest = Math.max(1, Math.floor(samplesPerRequest / plan.seriesCount));
  for (let from = 0; from < plan.sampleCount; from += stepsPerRequest) {
    const to = Math.min(plan.sampleCount, from + stepsPerRequest);
    yield new Uint8Array(snappy.compress(encodeRequest(plan, labels, from, to)));
  }
}

/** Posts one request body; throws with the server's answer unless it is 2xx. */
export async function postRemoteWrite(url: string, body: Uint8Array): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    },
    body: body as Uint8Array<ArrayBuffer>,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`remote write to ${url}: ${response.status} ${text.slice(0, 300)}`);
}
