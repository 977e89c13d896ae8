import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BusyError, Gate } from '../../../server/workers/gate.ts';

const never = new AbortController().signal;

describe('gate', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('lets the others in as places come free, in order', async () => {
    const gate = new Gate({ max: 1, queueMax: 5, queueMs: 1000 });
    const entered: string[] = [];
    await gate.enter(never);
    const waiting = ['a', 'b'].map(async (name) => {
      await gate.enter(never);
      entered.push(name);
    });
    expect(gate.queueLength).toBe(2);
    gate.leave();
    await waiting[0];
    expect(entered).toEqual(['a']);
    gate.leave();
    await waiting[1];
    expect(entered).toEqual(['a', 'b']);
    gate.leave();
    expect(gate.held).toBe(0);
  });

  test('refuses when too many wait, and who waits too long', async () => {
    const gate = new Gate({ max: 1, queueMax: 1, queueMs: 1000 });
    await gate.enter(never);
    const late = expect(gate.enter(never)).rejects.toMatchObject({ reason: 'queue_timeout' });
    await expect(gate.enter(never)).rejects.toMatchObject({ reason: 'queue_full' });
    await vi.advanceTimersByTimeAsync(1000);
    await late;
    expect(gate.queueLength).toBe(0);
    gate.leave();
    expect(gate.held).toBe(0);
  });

  test('forgets who went away', async () => {
    const gate = new Gate({ max: 1, queueMax: 1, queueMs: 1000 });
    await gate.enter(never);
    const gone = new AbortController();
    const waiting = expect(gate.enter(gone.signal)).rejects.toMatchObject({ code: 'canceled' });
    gone.abort();
    await waiting;
    expect(gate.queueLength).toBe(0);
  });

  test('refuses everyone at the end', async () => {
    const gate = new Gate({ max: 1, queueMax: 3, queueMs: 1000 });
    await gate.enter(never);
    const waiting = [gate.enter(never), gate.enter(never)].map((one) => expect(one).rejects.toThrow('over'));
    gate.clear(new BusyError('queue_full', 'over'));
    await Promise.all(waiting);
    expect(gate.held).toBe(1);
  });
});
