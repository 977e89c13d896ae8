import { createToken, EOF, Lexer, type IToken, type ITokenConfig, type TokenType } from 'chevrotain';
import { quoteGo } from '../../model/labels.ts';
import { utf8Size } from '../../util/utf8.ts';
import { matchDuration, matchNumber, NUMBER_STARTS } from './numbers.ts';

// Token names are Prometheus'. Keywords have no pattern of their own: outside braces a word is one token, and lex.ts
// gives it its type by looking it up (45 patterns for one word would cost more than one look-up).

function category(name: string, categories: TokenType[] = []): TokenType {
  return createToken({ name, pattern: Lexer.NA, categories });
}

function keyword(name: string, categories: TokenType[]): TokenType {
  return createToken({ name, pattern: Lexer.NA, categories });
}

function punctuation(name: string, pattern: string | RegExp, categories: TokenType[] = []): TokenType {
  return createToken({ name, pattern, categories });
}

function numberPattern(pattern: typeof matchNumber): Omit<ITokenConfig, 'name'> {
  return { pattern, start_chars_hint: NUMBER_STARTS, line_breaks: false, categories: [NumberOrDuration] };
}

/** May stand where a metric name is expected. */
export const MetricName = category('MetricName');
/** May be a label in a grouping list. */
export const GroupingLabel = category('GroupingLabel');
export const AggregateOp = category('AggregateOp');
/** May be the name of a function. */
export const FunctionName = category('FunctionName');
export const BinaryOp = category('BinaryOp');
export const DurationOp = category('DurationOp');
export const Sign = category('Sign');
export const MatchOp = category('MatchOp');
/** `start` and `end`, also behind `@`. */
export const Preprocessor = category('Preprocessor');
/** `step` and `range` as durations. */
export const DurationCall = category('DurationCall');
/** `min_of` and `max_of` as durations. */
export const DurationPair = category('DurationPair');
export const NumberOrDuration = category('NumberOrDuration');

const NAME = [MetricName, GroupingLabel];
const NAME_AND_FUNCTION = [MetricName, GroupingLabel, FunctionName];

export const Word = createToken({ name: 'WORD', pattern: /[A-Za-z_:][A-Za-z0-9_:]*/ });
export const Identifier = keyword('IDENTIFIER', NAME_AND_FUNCTION);
export const MetricIdentifier = keyword('METRIC_IDENTIFIER', NAME);
/** A name inside braces; keywords are names there. */
export const LabelName = createToken({ name: 'LABEL_NAME', pattern: /[A-Za-z_][A-Za-z0-9_]*/ });
export const StringToken = createToken({
  name: 'STRING',
  pattern: /"[^"\\\n]*(?:\\[^][^"\\\n]*)*"|'[^'\\\n]*(?:\\[^][^'\\\n]*)*'|`[^`]*`/,
  line_breaks: true,
});
export const NumberToken = createToken({ name: 'NUMBER', ...numberPattern(matchNumber) });
export const DurationToken = createToken({ name: 'DURATION', ...numberPattern(matchDuration) });
/** Stands where the text stops being PromQL; its payload is the message. Nothing follows it. */
export const LexError = category('ERROR');

const Space = createToken({ name: 'SPACE', pattern: /[ \t\r\n]+/, group: Lexer.SKIPPED, line_breaks: true });
const Comment = createToken({ name: 'COMMENT', pattern: /#[^\r\n]*/, group: Lexer.SKIPPED });

export const Comma = punctuation('COMMA', ',');
export const LeftParen = punctuation('LEFT_PAREN', '(');
export const RightParen = punctuation('RIGHT_PAREN', ')');
export const LeftBrace = createToken({ name: 'LEFT_BRACE', pattern: '{', push_mode: 'braces' });
export const RightBrace = createToken({ name: 'RIGHT_BRACE', pattern: '}', pop_mode: true });
export const LeftBracket = createToken({ name: 'LEFT_BRACKET', pattern: '[', push_mode: 'duration' });
export const RightBracket = createToken({ name: 'RIGHT_BRACKET', pattern: ']', pop_mode: true });
export const Colon = punctuation('COLON', ':');

const Eql = punctuation('EQL', /=(?![=~])/);
export const MatchEql = punctuation('MATCH_EQL', /=(?!~)/, [MatchOp]);
const MatchNeq = punctuation('MATCH_NEQ', '!=', [MatchOp]);
const EqlRegex = punctuation('EQL_REGEX', '=~', [MatchOp]);
const NeqRegex = punctuation('NEQ_REGEX', '!~', [MatchOp]);

export const Add = punctuation('ADD', '+', [BinaryOp, DurationOp, Sign]);
export const Sub = punctuation('SUB', '-', [BinaryOp, DurationOp, Sign]);
export const At = punctuation('AT', '@');
const ARITHMETIC = [
  punctuation('MUL', '*', [BinaryOp, DurationOp]),
  punctuation('DIV', '/', [BinaryOp, DurationOp]),
  punctuation('MOD', '%', [BinaryOp, DurationOp]),
  punctuation('POW', '^', [BinaryOp, DurationOp]),
];
const COMPARISONS = [
  punctuation('EQLC', '==', [BinaryOp]),
  punctuation('NEQ', '!=', [BinaryOp]),
  punctuation('LTE', '<=', [BinaryOp]),
  punctuation('TRIM_UPPER', '</', [BinaryOp]),
  punctuation('LSS', '<', [BinaryOp]),
  punctuation('GTE', '>=', [BinaryOp]),
  punctuation('TRIM_LOWER', '>/', [BinaryOp]),
  punctuation('GTR', '>', [BinaryOp]),
];

export const By = keyword('BY', NAME);
export const Without = keyword('WITHOUT', [MetricName]);
export const Offset = keyword('OFFSET', NAME);
export const Anchored = keyword('ANCHORED', NAME);
export const Smoothed = keyword('SMOOTHED', NAME);
export const On = keyword('ON', [GroupingLabel]);
export const Ignoring = keyword('IGNORING', [GroupingLabel]);
export const GroupLeft = keyword('GROUP_LEFT', [GroupingLabel]);
export const GroupRight = keyword('GROUP_RIGHT', [GroupingLabel]);
export const Bool = keyword('BOOL', [GroupingLabel]);
export const Fill = keyword('FILL', NAME);
export const FillLeft = keyword('FILL_LEFT', NAME);
export const FillRight = keyword('FILL_RIGHT', NAME);

const AGGREGATES = (
  'sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio' as const
).split(' ');
const aggregateTokens = AGGREGATES.map((name) => keyword(name.toUpperCase(), [MetricName, GroupingLabel, AggregateOp]));

/** Word in lower case -> its token type. */
export const KEYWORDS: ReadonlyMap<string, TokenType> = new Map<string, TokenType>([
  ['and', keyword('LAND', [...NAME, BinaryOp])],
  ['or', keyword('LOR', [...NAME, BinaryOp])],
  ['unless', keyword('LUNLESS', [...NAME, BinaryOp])],
  ['atan2', keyword('ATAN2', [GroupingLabel, BinaryOp])],
  ...AGGREGATES.map((name, i) => [name, aggregateTokens[i]!] as const),
  ['offset', Offset],
  ['smoothed', Smoothed],
  ['anchored', Anchored],
  ['by', By],
  ['without', Without],
  ['on', On],
  ['ignoring', Ignoring],
  ['group_left', GroupLeft],
  ['group_right', GroupRight],
  ['fill', Fill],
  ['fill_left', FillLeft],
  ['fill_right', FillRight],
  ['bool', Bool],
  ['start', keyword('START', [...NAME_AND_FUNCTION, Preprocessor])],
  ['end', keyword('END', [...NAME_AND_FUNCTION, Preprocessor])],
  ['step', keyword('STEP', [...NAME_AND_FUNCTION, DurationCall])],
  ['range', keyword('RANGE', [...NAME_AND_FUNCTION, DurationCall])],
  ['max_of', keyword('MAX_OF', [...NAME_AND_FUNCTION, DurationPair])],
  ['min_of', keyword('MIN_OF', [...NAME_AND_FUNCTION, DurationPair])],
  ['inf', NumberToken],
  ['nan', NumberToken],
]);

/** The first number between brackets: from there on the text is lexed as outside of them, but for words. */
export const FirstNumber = createToken({
  name: 'FIRST_NUMBER',
  pop_mode: true,
  push_mode: 'range',
  ...numberPattern(matchNumber),
});
export const FirstDuration = createToken({
  name: 'FIRST_DURATION',
  pop_mode: true,
  push_mode: 'range',
  ...numberPattern(matchDuration),
});
/** `step`, `range`, `min_of` or `max_of` between brackets, in any case. */
export const DurationWord = createToken({
  name: 'DURATION_WORD',
  pattern: /(?:[sS][tT][eE][pP]|[rR][aA][nN][gG][eE]|[mM](?:[iI][nN]|[aA][xX])_[oO][fF])(?![A-Za-z_])/,
});

const OUTSIDE = [
  Comma,
  LeftParen,
  RightParen,
  LeftBrace,
  StringToken,
  ...ARITHMETIC,
  Add,
  Sub,
  ...COMPARISONS,
  Eql,
  At,
];
const MODES: Record<string, TokenType[]> = {
  default: [Space, Word, NumberToken, DurationToken, ...OUTSIDE, LeftBracket, Comment],
  braces: [Space, LabelName, StringToken, Comma, EqlRegex, MatchEql, MatchNeq, NeqRegex, RightBrace, Comment],
  duration: [
    Space,
    FirstNumber,
    FirstDuration,
    DurationWord,
    RightBracket,
    Colon,
    LeftParen,
    RightParen,
    Comma,
    Add,
    Sub,
  ].concat(ARITHMETIC),
  range: [Space, NumberToken, DurationToken, DurationWord, RightBracket, Colon, ...OUTSIDE, Comment],
};

export const LEXER_DEFINITION = { modes: MODES, defaultMode: 'default' };

/** Every type the parser may meet. */
export const ALL_TOKENS: TokenType[] = [...new Set(listTokens())];

function listTokens(): TokenType[] {
  const categories = [MetricName, GroupingLabel, AggregateOp, FunctionName, BinaryOp, DurationOp, Sign, MatchOp];
  categories.push(Preprocessor, DurationCall, DurationPair, NumberOrDuration);
  const retyped = [Identifier, MetricIdentifier, LexError, ...KEYWORDS.values()];
  return [...categories, ...retyped, ...Object.values(MODES).flat()];
}

const KEYWORDS_SHOWN = [Offset, Smoothed, Anchored, By, Without, On, Ignoring, GroupLeft, GroupRight, Fill, FillLeft];
const KEYWORD_TEXT: ReadonlySet<TokenType> = new Set([...KEYWORDS_SHOWN, FillRight, Bool]);

/** How Prometheus' messages name a token: `identifier "x"`, `<op:+>`, `"}"`, `end of input`. */
export function describeToken(token: IToken): string {
  const { tokenType, image } = token;
  const categories = tokenType.CATEGORIES ?? [];
  if (tokenType === EOF) return 'end of input';
  if (tokenType === Identifier || tokenType === LabelName) return `identifier ${quoteGo(image)}`;
  if (tokenType === MetricIdentifier) return `metric identifier ${quoteGo(image)}`;
  if (categories.includes(AggregateOp)) return `<aggr:${image}>`;
  if (KEYWORD_TEXT.has(tokenType)) return `<${image}>`;
  if (tokenType !== MatchEql && (categories.includes(MatchOp) || categories.includes(BinaryOp) || tokenType === At)) {
    return `<op:${image}>`;
  }
  const shown = utf8Size(image) > 10 ? `${quoteGo(Array.from(image).slice(0, 10).join(''))}...` : quoteGo(image);
  if (tokenType === StringToken) return `string ${shown}`;
  if (tokenType === NumberToken) return `number ${shown}`;
  return tokenType === DurationToken ? `duration ${shown}` : shown;
}
