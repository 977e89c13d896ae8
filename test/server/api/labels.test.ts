import { expect, test } from 'vitest';
import { unescapeName } from '../../../server/api/labels.ts';

test.each([
  ['job', 'job'],
  ['U__my_2e_label', 'my.label'],
  ['U__a__b', 'a_b'],
  ['U___fc_ber', 'über'],
  ['U___1f600_', '😀'],
  ['U__broken_2', 'U__broken_2'],
  ['U__broken_zz_', 'U__broken_zz_'],
  ['U__too_ffffff_', 'U__too_ffffff_'],
  ['U__', ''],
])('the escaped label name %s is %s', (escaped, name) => {
  expect(unescapeName(escaped)).toBe(name);
});
