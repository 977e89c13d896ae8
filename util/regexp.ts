import { RE2JS } from 're2js';
import { CodedError, errorText } from './errors.ts';

/** A fully anchored RE2 pattern in which the dot matches newline, as Prometheus compiles every user pattern. */
export interface AnchoredPattern {
  matches(text: string): boolean;
  /**
   * Go's Regexp.Expand of `template` for the match of `text`: `$1`, `${1}`, `$name`, `${name}`, `$$`; a group that does
   * not exist or took no part is empty. undefined when the pattern does not match.
   */
  expand(text: string, template: string): string | undefined;
}

/** Compiles in linear-time RE2 semantics; user patterns never reach V8's RegExp. Throws bad_data. */
export function compileAnchored(pattern: string): AnchoredPattern {
  try {
    const compiled = RE2JS.compile(pattern, RE2JS.DOTALL);
    return {
      matches: (text) => compiled.matches(text),
      expand: (text, template) => {
        const matcher = compiled.matcher(text);
        if (!matcher.matches()) return undefined;
        return expandTemplate(template, (name) => groupText(matcher, name));
      },
    };
  } catch (error) {
    throw new CodedError('bad_data', `error parsing regexp: ${errorText(error)}`, { cause: error });
  }
}

// `$name` takes the longest run of letters, digits and underscores, so `$1x` is the group named "1x".
const REFERENCE = /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu;

function expandTemplate(template: string, group: (name: string) => string): string {
  return template.replace(REFERENCE, (whole: string, bare: string | undefined, braced: string | undefined) =>
    whole === '$$' ? '$' : group(bare ?? braced ?? ''),
  );
}

function groupText(matcher: ReturnType<RE2JS['matcher']>, name: string): string {
  if (/^\d+$/.test(name)) {
    const index = Number(name);
    return index <= matcher.groupCount() ? (matcher.group(index) ?? '') : '';
  }
  return matcher.pattern().namedGroups()[name] === undefined ? '' : (matcher.group(name) ?? '');
}
