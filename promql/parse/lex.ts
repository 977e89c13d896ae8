import { createTokenInstance, Lexer, type IToken, type TokenType } from 'chevrotain';
import { ParseError } from './errors.ts';
import { badNumberText } from './numbers.ts';
import { quoteRune, stringFault } from './strings.ts';
import * as T from './tokens.ts';

/** Parentheses, signs or ranges within each other. Deeper text is refused before the parser recurses. */
export const NESTING_MAX = 1000;
/** UTF-16 units of query text. */
export const TEXT_SIZE_MAX = 100 * 1024;

/** `count_values` is the longest. */
const KEYWORD_SIZE_MAX = 12;

let lexer: Lexer | undefined;

/**
 * Tokens of a query, comments left out. The first fault ends the text as a token of type `LexError`, whose payload is
 * Prometheus' message; the parser may find a fault before it. Throws ParseError where a limit of ours is passed.
 */
export function lex(text: string): IToken[] {
  if (text.length > TEXT_SIZE_MAX) {
    throw limitError(`expression is longer than ${TEXT_SIZE_MAX} characters`, TEXT_SIZE_MAX, text);
  }
  lexer ??= new Lexer(T.LEXER_DEFINITION, {
    positionTracking: 'onlyOffset',
    recoveryEnabled: false,
    ensureOptimizations: true,
  });
  const { tokens, errors } = lexer.tokenize(text);
  return new Finisher(text, tokens).run(errors[0]?.offset);
}

/** Gives words their types, counts depth, and turns the first fault into a token. */
class Finisher {
  readonly #text: string;
  readonly #tokens: IToken[];
  #parenDepth = 0;
  /** Bracket groups in a row, as in `x[5m:][5m:]`, and signs in a row. */
  #chain = 0;
  #signs = 0;
  #inBraces = false;
  #inBrackets = false;
  #numberInBrackets = false;
  #numberEver = false;
  #colonInBrackets = false;

  constructor(text: string, tokens: IToken[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  run(stoppedAt: number | undefined): IToken[] {
    const tokens = this.#tokens;
    for (let i = 0; i < tokens.length; i++) {
      const fault = this.#finish(tokens[i]!);
      if (!fault) continue;
      // The fault takes the token's place, also where it stands behind it: so does Prometheus' lexer.
      tokens.length = i;
      tokens.push(fault);
      return tokens;
    }
    const fault = stoppedAt === undefined ? this.#faultAtEnd() : this.#faultAt(stoppedAt);
    if (fault) tokens.push(fault);
    return tokens;
  }

  #finish(token: IToken): IToken | undefined {
    const type = token.tokenType;
    if (type !== T.Add && type !== T.Sub) this.#signs = 0;
    switch (type) {
      case T.Word:
        retype(token, this.#wordType(token));
        return undefined;
      case T.StringToken:
        return this.#checkString(token);
      case T.LeftParen:
        this.#parenDepth++;
        if (this.#parenDepth > NESTING_MAX) this.#failTooDeep(token);
        return undefined;
      case T.RightParen:
        return --this.#parenDepth < 0 ? faultToken("unexpected right parenthesis ')'", endOf(token)) : undefined;
      case T.Add:
      case T.Sub:
        if (++this.#signs > NESTING_MAX) this.#failTooDeep(token);
        return undefined;
      case T.LeftBrace:
      case T.RightBrace:
        this.#inBraces = type === T.LeftBrace;
        return undefined;
      default:
        return this.#finishBrackets(token);
    }
  }

  #finishBrackets(token: IToken): IToken | undefined {
    switch (token.tokenType) {
      case T.LeftBracket:
        this.#inBrackets = true;
        this.#numberInBrackets = false;
        this.#colonInBrackets = false;
        if (++this.#chain > NESTING_MAX) this.#failTooDeep(token);
        return undefined;
      case T.RightBracket:
        this.#inBrackets = false;
        return undefined;
      case T.FirstNumber:
      case T.FirstDuration:
        retype(token, token.tokenType === T.FirstNumber ? T.NumberToken : T.DurationToken);
        this.#numberInBrackets = true;
        this.#numberEver = true;
        return undefined;
      case T.DurationWord:
        retype(token, T.KEYWORDS.get(token.image.toLowerCase())!);
        return undefined;
      case T.Colon:
        return this.#checkColon(token);
      default:
        if (!this.#inBrackets) this.#chain = 0;
        return undefined;
    }
  }

  #wordType(token: IToken): TokenType {
    const { image } = token;
    this.#chain = 0;
    if (image.length > KEYWORD_SIZE_MAX) return image.includes(':') ? T.MetricIdentifier : T.Identifier;
    const type = T.KEYWORDS.get(image) ?? T.KEYWORDS.get(image.toLowerCase());
    if (type === T.Fill || type === T.FillLeft || type === T.FillRight) {
      return this.#parenFollows(endOf(token)) ? type : T.Identifier;
    }
    return type ?? (image.includes(':') ? T.MetricIdentifier : T.Identifier);
  }

  #parenFollows(offset: number): boolean {
    let i = offset;
    while (' \t\r\n'.includes(this.#text[i] ?? 'x')) i++;
    return this.#text[i] === '(';
  }

  #checkString(token: IToken): IToken | undefined {
    const { image, startOffset } = token;
    if (!image.includes('\\') && !image.includes('\ufffd') && image.isWellFormed()) return undefined;
    const fault = stringFault(this.#text, startOffset);
    return fault === undefined ? undefined : faultToken(fault, startOffset);
  }

  #checkColon(token: IToken): IToken | undefined {
    const repeated = this.#colonInBrackets;
    this.#colonInBrackets = true;
    if (this.#numberInBrackets) return repeated ? faultToken("unexpected colon ':'", token.startOffset) : undefined;
    if (!this.#numberEver) return faultToken('unexpected colon before duration in duration expression', endOf(token));
    return repeated ? faultToken('unexpected repeated colon in duration expression', endOf(token)) : undefined;
  }

  #failTooDeep(token: IToken): never {
    throw nestingError(token.startOffset, this.#text);
  }

  #faultAtEnd(): IToken | undefined {
    const end = this.#text.length;
    if (this.#inBraces) return faultToken('unexpected end of input inside braces', end);
    if (this.#inBrackets && !this.#numberInBrackets) {
      return faultToken('unexpected end of input in duration expression', end);
    }
    if (this.#parenDepth !== 0) return faultToken('unclosed left parenthesis', end);
    return this.#inBrackets ? faultToken('unclosed left bracket', end) : undefined;
  }

  #faultAt(offset: number): IToken {
    return faultToken(this.#faultText(offset), offset);
  }

  #faultText(offset: number): string {
    const text = this.#text;
    const char = runeAt(text, offset);
    const shown = quoteRune(char);
    if (char === '"' || char === "'" || char === '`') {
      if (!this.#inBrackets || this.#numberInBrackets) return stringFault(text, offset) ?? `unexpected ${shown}`;
    }
    if (this.#inBraces) return faultInBraces(char, runeAt(text, offset + 1));
    if (/\d/.test(char) || (char === '.' && /\d/.test(text[offset + 1] ?? ''))) {
      return `bad number or duration syntax: "${badNumberText(text, offset)}"`;
    }
    if (this.#inBrackets) {
      if (!this.#numberInBrackets) return `unexpected character in duration expression: ${shown}`;
      if (/[A-Za-z_]/.test(char)) return `unexpected character: ${shown}, expected ':'`;
      if (char === '[') return `unexpected left bracket ${shown}`;
    }
    if (char === ']') return `unexpected right bracket ${shown}`;
    if (char === '=' || char === '!')
      return `unexpected character after '${char}': ${quoteRune(runeAt(text, offset + 1))}`;
    return `unexpected character: ${shown}`;
  }
}

/** For text that nests deeper than is read. */
export function nestingError(offset: number, text: string): ParseError {
  return limitError(`expression is nested deeper than ${NESTING_MAX} levels`, offset, text);
}

function limitError(detail: string, offset: number, text: string): ParseError {
  return new ParseError(detail, { start: offset, end: offset }, text);
}

function faultInBraces(char: string, next: string): string {
  if (char === '{') return "unexpected left brace '{'";
  if (char === '!') return `unexpected character after '!' inside braces: ${quoteRune(next)}`;
  return `unexpected character inside braces: ${quoteRune(char)}`;
}

function runeAt(text: string, offset: number): string {
  const code = text.codePointAt(offset);
  return code === undefined ? '\ufffd' : String.fromCodePoint(code);
}

function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}

function retype(token: IToken, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx!;
}

function faultToken(message: string, offset: number): IToken {
  const token = createTokenInstance(T.LexError, '', offset, NaN, NaN, NaN, NaN, NaN);
  token.payload = message;
  return token;
}
