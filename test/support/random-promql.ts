import fc from 'fast-check';

const label = fc.constantFrom('job', 'le', 'instance', '"dotted.name"', 'by', '__name__x');
const name = fc.constantFrom(
  'up',
  'http_requests_total',
  'a:b:rate5m',
  'sum',
  'offset',
  'step',
  'and',
  'inf_x',
  'min_of',
);
const text = fc.string({ unit: fc.constantFrom('a', '.', '*', '|', 'é', '"', '\\', '\n', "'", '😀'), maxLength: 5 });
const quoted = text.map((value) => JSON.stringify(value));
const matcher = fc.oneof(
  fc.tuple(label, fc.constantFrom('=', '!='), quoted).map((parts) => parts.join('')),
  fc
    .tuple(label, fc.constantFrom('=~', '!~'), fc.constantFrom('"a|b"', '`x\\.y.*`', '".+"', "'[ab]{2}'"))
    .map((p) => p.join('')),
);
const number = fc.oneof(
  fc.constantFrom(
    '0',
    '1',
    '-1',
    '+2',
    '1e3',
    '0x1F',
    '017',
    '1_000',
    '.5',
    '5.',
    'Inf',
    '-inf',
    'NaN',
    '1e-9',
    '5m',
    '1h30m',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);
const duration = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('5m', '1h30m', '300', '1w', '90s', '1500ms', '0x10', '1.5') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('step()', '2*step()+1m', '(5m)', 'max_of(range(), 1m)', '-1m+10m', '-(1m-2m)', '2^3'),
  },
);
const shift = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  fc.constantFrom(
    ' offset 5m',
    ' offset -90',
    ' @ 12.5',
    ' @ start()',
    ' offset 1m @ end()',
    ' @ -3 offset (1m+2)',
    ' offset -step()',
  ),
);
const extension = fc.constantFrom('', '', '', '', ' anchored', ' smoothed');
const labels = fc.array(label, { maxLength: 3 }).map((all) => `(${all.join(', ')})`);
const grouping = fc.oneof(
  fc.constant(''),
  fc.tuple(fc.constantFrom(' by ', ' without '), labels).map((all) => all.join('')),
);
const matching = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc
    .tuple(
      fc.constantFrom(' on', ' ignoring '),
      labels,
      fc.constantFrom('', ' group_left', ' group_right (x)'),
      fc.constantFrom('', ' fill(0)', ' fill_left(-1)', ' fill_right(2) fill_left(1)'),
    )
    .map((all) => all.join('')),
);

/** Texts of the PromQL grammar, most of them well typed; the generator knows nothing of our tree. */
export const { vector, scalar } = fc.letrec<{ vector: string; scalar: string; matrix: string; selector: string }>(
  (tie) => ({
    selector: fc
      .tuple(name, fc.array(matcher, { maxLength: 3 }))
      .map(([metric, all]) => (all.length > 0 ? `${metric}{${all.join(', ')}}` : metric)),
    matrix: fc.oneof(
      { depthSize: 'small' },
      fc.tuple(tie('selector'), duration, extension, shift).map(([a, d, e, s]) => `${a}[${d}]${e}${s}`),
      fc
        .tuple(tie('vector'), duration, fc.oneof(fc.constant(''), duration), shift)
        .map(([a, d, e, s]) => `(${a})[${d}:${e}]${s}`),
    ),
    scalar: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      number,
      fc
        .tuple(tie('scalar'), fc.constantFrom(' + ', '-', '*', '/', '^', ' % ', ' atan2 ', ' == bool '), tie('scalar'))
        .map((p) => p.join('')),
      tie('vector').map((each) => `scalar(${each})`),
      tie('scalar').map((each) => `-(${each})`),
      fc.constantFrom('time()', 'pi()'),
    ),
    vector: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.tuple(tie('selector'), extension, shift).map((all) => all.join('')),
      fc.tuple(fc.constantFrom('rate', 'avg_over_time', 'last_over_time'), tie('matrix')).map(([f, a]) => `${f}(${a})`),
      fc.tuple(fc.constantFrom('abs', 'sort', 'absent'), tie('vector')).map(([f, a]) => `${f}(${a})`),
      fc
        .tuple(fc.constantFrom('sum', 'AVG', 'group', 'stddev'), grouping, tie('vector'))
        .map(([f, g, a]) => `${f}${g}(${a})`),
      fc
        .tuple(fc.constantFrom('topk', 'quantile', 'limit_ratio'), tie('scalar'), tie('vector'), grouping)
        .map(([f, k, a, g]) => `${f}(${k}, ${a})${g}`),
      fc.tuple(tie('vector'), quoted, quoted).map(([a, b, c]) => `label_replace(${a}, "dst", ${b}, "src", ${c})`),
      fc
        .tuple(
          tie('vector'),
          fc.constantFrom(' + ', '-', ' / ', '^', ' > ', ' != bool ', ' atan2 ', ' </ '),
          matching,
          tie('vector'),
        )
        .map(([a, op, m, b]) => `${a}${op}${m} ${b}`),
      fc
        .tuple(
          tie('vector'),
          fc.constantFrom(' and ', ' or ', ' unless '),
          fc.constantFrom('', 'on(job) ', 'ignoring() '),
          tie('vector'),
        )
        .map((p) => p.join('')),
      fc.tuple(tie('vector'), fc.constantFrom('*', '>', '+'), tie('scalar')).map((p) => p.join('')),
      tie('vector').map((each) => `(${each})`),
      tie('vector').map((each) => `-${each}`),
    ),
  }),
);

const WORDS = (
  'sum by ( ) { } [ ] , : a "x" \'y\' `z` 5m 5mm 1h30m 1.5h 1 -1 0x1f 1e3 1_0 .5 5. + - * ^ == =~ = != !~ ! >= @ # ; $ ' +
  'offset on ignoring bool and or atan2 rate topk quantile count_values le without foo:bar inf abs( )[ {a=" é \n'
).split(' ');

/** Tokens in no order: hardly ever PromQL. */
const soup = fc
  .tuple(fc.array(fc.constantFrom(...WORDS), { maxLength: 9 }), fc.constantFrom('', ' '))
  .map(([parts, space]) => parts.join(space));

/** PromQL with a few characters replaced by a word. */
const mangled = fc
  .tuple(fc.oneof(vector, scalar), fc.nat(), fc.nat(3), fc.constantFrom(...WORDS))
  .map(([expression, place, size, word]) => {
    const start = place % (expression.length + 1);
    return expression.slice(0, start) + word + expression.slice(start + size);
  });

/** PromQL and what is not, in about equal parts. */
export const anyText = fc.oneof(vector, scalar, soup, mangled);
