import {
  compileRelabel,
  DEFAULT_RELABEL,
  RELABEL_ACTIONS,
  type NameValidation,
  type RelabelConfig,
} from '../model/relabel.ts';
import { quoteGo } from '../model/labels.ts';
import type { FieldsReader, NodeReader } from '../util/decode.ts';
import { errorText } from '../util/errors.ts';

/** A list of relabelling rules; `emptyMessage` is what an empty or null rule is told. Each rule is checked. */
export function decodeRelabelList(
  fields: FieldsReader,
  name: string,
  emptyMessage: string,
  validation: NameValidation,
): RelabelConfig[] {
  return fields
    .list(name, (reader) => {
      if (!reader.isNull) return decodeRelabel(reader, validation);
      reader.fail(emptyMessage);
      return undefined;
    })
    .filter((config) => config !== undefined);
}

function decodeRelabel(reader: NodeReader, validation: NameValidation): RelabelConfig {
  const fields = reader.fields('relabel.plain');
  const config: RelabelConfig = {
    sourceLabels: fields.list('source_labels', (item) => item.string()),
    // An empty text is a value of these three; null is the default of the second and third, and no regex matches all.
    separator: fields.at('separator')?.string() ?? DEFAULT_RELABEL.separator,
    regex: decodeRegex(fields),
    modulus: fields.count('modulus'),
    targetLabel: fields.string('target_label'),
    replacement: fields.at('replacement')?.string() ?? DEFAULT_RELABEL.replacement,
    action: fields.has('action')
      ? (fields.at('action')?.parsed(parseAction, DEFAULT_RELABEL.action) ?? DEFAULT_RELABEL.action)
      : DEFAULT_RELABEL.action,
  };
  fields.end();
  try {
    compileRelabel(config, validation);
  } catch (error) {
    reader.fail(errorText(error));
  }
  return config;
}

function decodeRegex(fields: FieldsReader): string {
  const reader = fields.at('regex');
  return reader === undefined || reader.isNull ? DEFAULT_RELABEL.regex : reader.string();
}

function parseAction(text: string): RelabelConfig['action'] {
  const action = RELABEL_ACTIONS.find((candidate) => candidate === text.toLowerCase());
  if (action !== undefined) return action;
  throw new Error(text === '' ? 'relabel action cannot be empty' : `unknown relabel action ${quoteGo(text)}`);
}
