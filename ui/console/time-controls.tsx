import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatDuration } from '../../model/time.ts';
import { formatTime, parseTime } from '../format.ts';
import { isUtc } from '../settings.ts';
import { chooseStepMs, nextRangeMs, parseRange, parseStep } from './url-state.ts';
import type { Density, PanelState } from './url-state.ts';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder: string;
  readonly width: string;
  /** Takes the text over; false when it cannot be read. */
  readonly onCommit: (text: string) => boolean;
}

/** A text field that is read on Enter and on leaving it, and says when it cannot be. */
function CommitField({ label, value, placeholder, width, onCommit }: FieldProps) {
  const text = useSignal(value);
  const isWrong = useSignal(false);
  useEffect(() => {
    text.value = value;
    isWrong.value = false;
  }, [value]);
  const commit = (): void => {
    if (text.value !== value) isWrong.value = !onCommit(text.value);
  };
  return (
    <input
      type="text"
      class={width}
      aria-label={label}
      aria-invalid={isWrong.value}
      title={isWrong.value ? `Not understood; as in: ${placeholder}` : label}
      placeholder={placeholder}
      value={text.value}
      onInput={(event) => (text.value = event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Enter' && commit()}
      onBlur={commit}
    />
  );
}

interface Props {
  readonly panel: PanelState;
  readonly onChange: (change: Partial<PanelState>) => void;
}

/** The moment (table), or range, end and resolution (graph). */
export function TimeControls({ panel, onChange }: Props) {
  return (
    <div class="controls">
      {panel.tab === 'graph' && <RangeControl panel={panel} onChange={onChange} />}
      <EndControl panel={panel} onChange={onChange} />
      {panel.tab === 'graph' && <ResolutionControl panel={panel} onChange={onChange} />}
    </div>
  );
}

function RangeControl({ panel, onChange }: Props) {
  const { rangeMs } = panel;
  const step = (direction: 1 | -1): void => onChange({ rangeMs: nextRangeMs(rangeMs, direction) });
  return (
    <div class="joined" role="group" aria-label="Range">
      <button type="button" aria-label="Shorter range" onClick={() => step(-1)}>
        −
      </button>
      <CommitField
        label="Range"
        value={formatDuration(rangeMs)}
        placeholder="1h"
        width="w-short"
        onCommit={(text) => {
          const ms = parseRange(text);
          if (ms !== undefined) onChange({ rangeMs: ms });
          return ms !== undefined;
        }}
      />
      <button type="button" aria-label="Longer range" onClick={() => step(1)}>
        +
      </button>
    </div>
  );
}

function EndControl({ panel, onChange }: Props) {
  const { endMs, rangeMs, tab } = panel;
  const shiftMs = tab === 'graph' ? Math.max(1000, rangeMs / 2) : 300_000;
  const name = tab === 'graph' ? 'End of the range' : 'Moment';
  const shift = (ms: number): void => onChange({ endMs: Math.round(((endMs ?? Date.now()) + ms) / 1000) * 1000 });
  return (
    <div class="joined" role="group" aria-label={name}>
      <button type="button" aria-label="Earlier" onClick={() => shift(-shiftMs)}>
        ‹
      </button>
      <CommitField
        label={name}
        value={endMs === undefined ? '' : formatTime(endMs, isUtc.value)}
        placeholder="now"
        width="w-time"
        onCommit={(text) => {
          const ms = text.trim() === '' || text.trim() === 'now' ? undefined : parseTime(text, isUtc.value);
          const isRead = ms !== undefined || /^(now)?$/.test(text.trim());
          if (isRead) onChange({ endMs: ms });
          return isRead;
        }}
      />
      <button type="button" aria-label="Later" onClick={() => shift(shiftMs)}>
        ›
      </button>
      {endMs !== undefined && (
        <button type="button" onClick={() => onChange({ endMs: undefined })}>
          Now
        </button>
      )}
    </div>
  );
}

const DENSITIES: readonly (readonly [Density, string])[] = [
  ['low', 'Low'],
  ['medium', 'Medium'],
  ['high', 'High'],
];

function ResolutionControl({ panel, onChange }: Props) {
  const { resolution, rangeMs, displayMode } = panel;
  const stepMs = chooseStepMs(rangeMs, resolution);
  return (
    <>
      <div class="joined" role="group" aria-label="Resolution">
        <select
          aria-label="Resolution"
          value={resolution.type === 'auto' ? resolution.density : 'custom'}
          onChange={(event) => {
            const density = DENSITIES.find(([name]) => name === event.currentTarget.value)?.[0];
            onChange({ resolution: density ? { type: 'auto', density } : { type: 'custom', stepMs } });
          }}
        >
          {DENSITIES.map(([density, title]) => (
            <option key={density} value={density}>
              {title} resolution
            </option>
          ))}
          <option value="custom">Fixed step</option>
        </select>
        <CommitField
          label="Step"
          value={formatDuration(stepMs)}
          placeholder="15s"
          width="w-short"
          onCommit={(text) => {
            const ms = parseStep(text);
            if (ms !== undefined) onChange({ resolution: { type: 'custom', stepMs: ms } });
            return ms !== undefined;
          }}
        />
      </div>
      <div class="joined" role="group" aria-label="Drawn as">
        {(['lines', 'stacked'] as const).map((mode) => (
          <button
            key={mode}
            type="button"
            aria-pressed={displayMode === mode}
            onClick={() => onChange({ displayMode: mode })}
          >
            {mode === 'lines' ? 'Lines' : 'Stacked'}
          </button>
        ))}
      </div>
    </>
  );
}
