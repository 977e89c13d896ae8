import type { Signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { readHistory } from './history.ts';

interface Props {
  readonly text: Signal<string>;
  readonly label: string;
  readonly isInvalid: boolean;
  readonly isLoading: boolean;
  readonly onRun: () => void;
}

/** The query field: Enter runs, Shift+Enter breaks the line, Alt+Up and Alt+Down walk through the history. */
export function QueryInput({ text, label, isInvalid, isLoading, onRun }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const walk = useRef({ entries: [] as string[], index: -1, draft: '' });
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [text.value]);

  function step(direction: 1 | -1): void {
    const state = walk.current;
    if (state.index < 0) {
      state.entries = readHistory().filter((entry) => entry !== text.value);
      state.draft = text.value;
    }
    state.index = Math.min(state.entries.length - 1, Math.max(-1, state.index + direction));
    text.value = state.index < 0 ? state.draft : state.entries[state.index]!;
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      onRun();
    } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      step(event.key === 'ArrowUp' ? 1 : -1);
    } else if (event.key === 'Escape') {
      field.current?.blur();
    }
  }

  return (
    <div class="query-line">
      <textarea
        ref={field}
        class="query-field mono"
        rows={1}
        value={text.value}
        placeholder="PromQL, as: sum by (name) (rate(container_cpu_usage_seconds_total[1m]))"
        aria-label={label}
        aria-invalid={isInvalid}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        onInput={(event) => {
          walk.current.index = -1;
          text.value = event.currentTarget.value;
        }}
        onKeyDown={onKeyDown}
      />
      <button type="button" class="primary run" onClick={onRun} title="Enter">
        {isLoading ? 'Running…' : 'Run'}
      </button>
    </div>
  );
}
