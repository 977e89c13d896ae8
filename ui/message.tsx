import type { ComponentChildren } from 'preact';

interface Props {
  readonly kind: 'error' | 'warning' | 'info' | 'empty';
  readonly title: string;
  readonly children?: ComponentChildren;
}

const SIGN = { error: '✕', warning: '!', info: 'i', empty: '∅' } as const;

/** A notice with a sign and words, so that its kind is not colour alone. */
export function Message({ kind, title, children }: Props) {
  return (
    <div class={`message is-${kind}`} role={kind === 'error' ? 'alert' : undefined}>
      <span class="message-sign" aria-hidden="true">
        {SIGN[kind]}
      </span>
      <div class="message-body">
        <strong>{title}</strong>
        {children !== undefined && <div>{children}</div>}
      </div>
    </div>
  );
}

/** Warnings and infos of an answer. */
export function Notices({
  warnings,
  infos,
}: {
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}) {
  return (
    <>
      {warnings.map((text) => (
        <Message key={text} kind="warning" title={text} />
      ))}
      {infos.map((text) => (
        <Message key={text} kind="info" title={text} />
      ))}
    </>
  );
}
