/**
 * Names of C++ symbols from their mangled form (Itanium C++ ABI, 5.1.4), spelled as c++filt does. What a program's own
 * debug information names is not asked here; this is for symbols: functions, vtables, static variables. Expressions in
 * template arguments other than literals are not taken apart: such a symbol keeps its mangled name.
 */
class NotMangled extends Error {}

const builtins: Readonly<Record<string, string>> = {
  v: 'void',
  w: 'wchar_t',
  b: 'bool',
  c: 'char',
  a: 'signed char',
  h: 'unsigned char',
  s: 'short',
  t: 'unsigned short',
  i: 'int',
  j: 'unsigned int',
  l: 'long',
  m: 'unsigned long',
  x: 'long long',
  y: 'unsigned long long',
  n: '__int128',
  o: 'unsigned __int128',
  f: 'float',
  d: 'double',
  e: 'long double',
  g: '__float128',
  z: '...',
  Di: 'char32_t',
  Ds: 'char16_t',
  Du: 'char8_t',
  Dn: 'decltype(nullptr)',
  Da: 'auto',
};

const operators: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'nw new,na new[],dl delete,da delete[],ps +,ng -,ad &,de *,co ~,pl +,mi -,ml *,dv /,rm %,an &,or |,eo ^,aS =,pL +=,' +
    'mI -=,mL *=,dV /=,rM %=,aN &=,oR |=,eO ^=,ls <<,rs >>,lS <<=,rS >>=,eq ==,ne !=,lt <,gt >,le <=,ge >=,ss <=>,nt !,' +
    'aa &&,oo ||,pp ++,mm --,pm ->*,pt ->,cl (),ix []'
  )
    .split(',')
    .map((entry) => [entry.slice(0, 2), entry.slice(3)]),
);

const standard: Readonly<Record<string, string>> = {
  t: 'std',
  a: 'std::allocator',
  b: 'std::basic_string',
  s: 'std::string',
  i: 'std::istream',
  o: 'std::ostream',
  d: 'std::iostream',
};

/** As they are written in front of a member. */
const standardInFull: Readonly<Record<string, string | undefined>> = {
  'std::string': 'std::basic_string<char, std::char_traits<char>, std::allocator<char> >',
  'std::istream': 'std::basic_istream<char, std::char_traits<char> >',
  'std::ostream': 'std::basic_ostream<char, std::char_traits<char> >',
  'std::iostream': 'std::basic_iostream<char, std::char_traits<char> >',
};

const special: Readonly<Record<string, string>> = {
  TV: 'vtable for ',
  TT: 'VTT for ',
  TI: 'typeinfo for ',
  TS: 'typeinfo name for ',
};

/** A template parameter, while it is not known what is made of it. */
const openParameter = /<auto (\d+)>/g;

/** A type as it is written around a declarator: `int (*` and `)(char)`. */
interface Spelled {
  readonly left: string;
  readonly right: string;
  /** A function or an array: a pointer to it needs parentheses. */
  readonly needsParentheses: boolean;
}

const word = (text: string): Spelled => ({ left: text, right: '', needsParentheses: false });
const join = ({ left, right }: Spelled): string => left + right;

/** The text itself where it is no mangled name. */
export function demangle(symbol: string): string {
  if (!symbol.startsWith('_Z')) return symbol;
  try {
    return new Demangler(symbol).symbol();
  } catch (error) {
    if (error instanceof NotMangled) return symbol;
    throw error;
  }
}

/**
 * A function's name without its return type, and its parameters with the qualifiers of a method behind them; undefined where it is no
 * mangled name of a function.
 */
export function demangledFunction(symbol: string): { readonly name: string; readonly parameters: string } | undefined {
  if (!symbol.startsWith('_Z')) return undefined;
  try {
    return new Demangler(symbol).function();
  } catch (error) {
    if (error instanceof NotMangled) return undefined;
    throw error;
  }
}

interface Name {
  readonly text: string;
  /** Ends with template arguments: a function's return type stands before its parameters. */
  readonly isTemplate: boolean;
  /** Constructors, destructors and conversions have no return type. */
  readonly hasNoReturn: boolean;
  /** ` const` and the like of a method. */
  readonly qualifiers: string;
}

class Demangler {
  private at = 2;
  private depth = 0;
  private readonly substitutions: Spelled[] = [];
  private templateArguments: readonly (readonly Spelled[])[] = [];
  /** Which element of a parameter pack is meant, and how many the last one had. */
  private packIndex = 0;
  private packLength = 0;
  /** Template parameters are left open: their arguments come later. */
  private isOpen = false;

  constructor(private readonly text: string) {}

  symbol(): string {
    const result = this.encoding();
    if (this.at < this.text.length && !'.@'.includes(this.text[this.at])) throw new NotMangled();
    const suffix = this.text.slice(this.at);
    return suffix === '' ? result : `${result} [clone ${suffix}]`;
  }

  function(): { readonly name: string; readonly parameters: string } | undefined {
    if (this.rest(2) in special || /^(GV|Th|Tv)/.test(this.rest(2))) return undefined;
    const { name, parameters } = this.parts();
    return parameters === undefined ? undefined : { name, parameters };
  }

  private encoding(): string {
    const kind = this.text.slice(this.at, this.at + 2);
    if (kind in special) {
      this.at += 2;
      return special[kind] + join(this.type());
    }
    if (this.take('GV')) return `guard variable for ${this.name().text}`;
    if (this.take('Th') || this.take('Tv')) {
      const isVirtual = this.text[this.at - 1] === 'v';
      for (let n = isVirtual ? 2 : 1; n > 0; n--) {
        this.take('n');
        this.number();
        this.need('_');
      }
      return `${isVirtual ? 'virtual' : 'non-virtual'} thunk to ${this.encoding()}`;
    }
    const { name, parameters = '', returned } = this.parts();
    return returned === undefined ? name + parameters : `${returned.left} ${name}${parameters}${returned.right}`;
  }

  /** A function, or a variable, which has no parameters. */
  private parts(): { readonly name: string; readonly parameters?: string; readonly returned?: Spelled | undefined } {
    const name = this.name();
    if (this.at >= this.text.length || '.E@'.includes(this.text[this.at])) return { name: name.text };
    const returned = name.isTemplate && !name.hasNoReturn ? this.type() : undefined;
    return { name: name.text, parameters: `(${this.parameters()})${name.qualifiers}`, returned };
  }

  private parameters(): string {
    const list: string[] = [];
    while (this.at < this.text.length && !'.E@'.includes(this.text[this.at])) {
      if (this.take('Dp')) list.push(...this.expansion());
      else list.push(join(this.type()));
    }
    return list.length === 1 && list[0] === 'void' ? '' : list.join(', ');
  }

  /** The types of an expanded pack: the pattern is read once for each of its elements. */
  private expansion(): string[] {
    const { at, packIndex } = this;
    const list: string[] = [];
    const noted = this.substitutions.length;
    let end = at;
    for (let n = 0, count = 1; n < count; n++) {
      this.at = at;
      this.packIndex = n;
      this.packLength = 1;
      if (n > 0) this.substitutions.length = noted;
      const text = join(this.type());
      count = this.packLength;
      end = this.at;
      if (count > 0) list.push(text);
    }
    this.at = end;
    this.packIndex = packIndex;
    return list;
  }

  // ---- names ----

  private name(): Name {
    if (this.take('N')) return this.nestedName();
    if (this.take('Z')) return this.localName();
    const isSubstitution = this.text[this.at] === 'S' && this.text[this.at + 1] !== 't';
    if (isSubstitution) return this.withArguments(join(this.substitution()));
    const prefix = this.take('St') ? 'std::' : '';
    const { text, hasNoReturn } = this.unqualified('');
    if (this.text[this.at] === 'I') this.substitutions.push(word(prefix + text));
    return { ...this.withArguments(prefix + text), hasNoReturn };
  }

  private withArguments(text: string): Name {
    const none = { hasNoReturn: false, qualifiers: '' };
    if (this.text[this.at] !== 'I') return { text, isTemplate: false, ...none };
    return { text: text + this.arguments(), isTemplate: true, ...none };
  }

  private nestedName(): Name {
    let qualifiers = '';
    for (;;) {
      if (this.take('K')) qualifiers += ' const';
      else if (this.take('V')) qualifiers += ' volatile';
      else if (this.take('R')) qualifiers += ' &';
      else if (this.take('O')) qualifiers += ' &&';
      else break;
    }
    let text = '';
    let last = '';
    let isTemplate = false;
    let hasNoReturn = false;
    while (!this.take('E')) {
      if (this.text[this.at] === 'I') {
        const list = this.arguments();
        text = this.closed(text) + list;
        isTemplate = true;
      } else if (this.text[this.at] === 'S' && this.text[this.at + 1] !== 't') {
        const short = join(this.substitution());
        text = standardInFull[short] ?? short;
        last = lastOf(text);
        continue;
      } else if (this.text[this.at] === 'T') {
        text = join(this.templateParameter());
      } else {
        const separator = text === '' ? '' : '::';
        if (this.take('St')) text = 'std';
        else {
          const part = this.unqualified(last);
          text += separator + part.text;
          last = part.text;
          ({ hasNoReturn } = part);
          isTemplate = false;
        }
      }
      if (this.text[this.at] !== 'E') this.substitutions.push(word(text));
      if (++this.depth > 4000) throw new NotMangled();
    }
    return { text: this.closed(text), isTemplate, hasNoReturn, qualifiers };
  }

  /** Z <function> E <entity>: declared in a function. */
  private localName(): Name {
    const outer = this.encoding();
    this.need('E');
    if (this.take('s')) {
      this.discriminator();
      return { text: `${outer}::string literal`, isTemplate: false, hasNoReturn: false, qualifiers: '' };
    }
    const name = this.name();
    this.discriminator();
    return { ...name, text: `${outer}::${name.text}` };
  }

  private discriminator(): void {
    if (!this.take('_')) return;
    if (this.take('_')) {
      this.number();
      this.need('_');
    } else this.at++;
  }

  /** `within`: the class, whose name a constructor has. */
  private unqualified(within: string): { readonly text: string; readonly hasNoReturn: boolean } {
    const plain = (text: string, hasNoReturn = false) => ({ text, hasNoReturn });
    const code = this.text[this.at];
    if (code >= '0' && code <= '9') return plain(this.sourceName());
    if (this.take('L')) return plain(this.sourceName());
    if (/^C[1-5]/.test(this.rest(2))) {
      this.at += 2;
      return plain(lastOf(within), true);
    }
    if (/^D[0-5]/.test(this.rest(2))) {
      this.at += 2;
      return plain(`~${lastOf(within)}`, true);
    }
    if (this.take('Ul')) {
      const parameters = this.lambdaParameters();
      this.need('E');
      return plain(`{lambda(${parameters})#${this.ordinal()}}`);
    }
    if (this.take('Ut')) return plain(`{unnamed type#${this.ordinal()}}`);
    // What a conversion template converts to is an argument that stands behind it.
    if (this.take('cv')) return plain(`operator ${this.opened(() => join(this.type()))}`, true);
    const operator = this.rest(2);
    if (operator in operators) {
      this.at += 2;
      const text = operators[operator];
      return plain(`operator${/^[a-z]/.test(text) ? ' ' : ''}${text}`);
    }
    throw new NotMangled();
  }

  /** Template parameters there are the lambda's `auto`. */
  private lambdaParameters(): string {
    const text = this.opened(() => this.parameters());
    return text.replace(openParameter, (_, index: string) => `auto:${Number(index) + 1}`);
  }

  private opened(read: () => string): string {
    const { isOpen } = this;
    this.isOpen = true;
    const text = read();
    this.isOpen = isOpen;
    return text;
  }

  /** Nothing is the first, 0 the second. */
  private ordinal(): number {
    if (this.take('_')) return 1;
    const number = this.number() + 2;
    this.need('_');
    return number;
  }

  private sourceName(): string {
    const length = this.number();
    const text = this.rest(length);
    if (text.length !== length || length === 0) throw new NotMangled();
    this.at += length;
    const named = text.startsWith('_GLOBAL__N_') ? '(anonymous namespace)' : text;
    while (this.text[this.at] === 'B') {
      this.at++;
      this.sourceName();
    }
    return named;
  }

  // ---- types ----

  private type(): Spelled {
    if (++this.depth > 4000) throw new NotMangled();
    const two = this.rest(2);
    for (const code of [two, two[0]]) {
      if (code !== undefined && code in builtins) {
        this.at += code.length;
        return word(builtins[code]);
      }
    }
    if (two[0] === 'S' && two !== 'St') {
      const known = this.substitution();
      if (this.text[this.at] !== 'I') return known;
      return this.noted(word(join(known) + this.arguments()));
    }
    if (two[0] === 'T') {
      const parameter = this.noted(this.templateParameter());
      if (this.text[this.at] !== 'I' || this.isOpen) return parameter;
      return this.noted(word(join(parameter) + this.arguments()));
    }
    switch (two[0]) {
      case 'P':
      case 'R':
      case 'O':
        this.at++;
        return this.noted(pointer({ P: '*', R: '&', O: '&&' }[two[0]], this.type()));
      case 'K':
      case 'V':
      case 'r': {
        this.at++;
        const inner = this.type();
        const qualifier = { K: ' const', V: ' volatile', r: ' __restrict' }[two[0]];
        return this.noted({ ...inner, left: inner.left + qualifier });
      }
      case 'F':
        return this.noted(this.functionType());
      case 'A':
        return this.noted(this.arrayType());
      case 'M': {
        this.at++;
        const containing = join(this.type());
        return this.noted(pointer(`${containing}::*`, this.type()));
      }
      case 'D':
        if (this.take('Dp')) return this.type();
        throw new NotMangled();
      default:
        return this.noted(word(this.name().text));
    }
  }

  private functionType(): Spelled {
    this.need('F');
    this.take('Y');
    const returned = this.type();
    const parameters = this.parameters();
    this.need('E');
    return { left: `${returned.left} `, right: `(${parameters})${returned.right}`, needsParentheses: true };
  }

  private arrayType(): Spelled {
    this.need('A');
    const size = /^\d*/.exec(this.text.slice(this.at))?.[0] ?? '';
    this.at += size.length;
    this.need('_');
    const element = this.type();
    return { left: element.left, right: ` [${size}]${element.right.trimStart()}`, needsParentheses: true };
  }

  private arguments(): string {
    this.need('I');
    const list: (readonly Spelled[])[] = [];
    while (!this.take('E')) list.push(this.argument());
    this.templateArguments = list;
    const text = list.flat().map(join).join(', ');
    return `<${text}${text.endsWith('>') ? ' ' : ''}>`;
  }

  private argument(): readonly Spelled[] {
    if (this.take('J')) {
      const pack: Spelled[] = [];
      while (!this.take('E')) pack.push(...this.argument());
      return pack;
    }
    if (!this.take('L')) return [this.type()];
    if (this.take('_Z')) {
      const text = this.encoding();
      this.need('E');
      return [word(`&${text}`)];
    }
    const type = join(this.type());
    const sign = this.take('n') ? '-' : '';
    const digits = /^[0-9a-f]*/.exec(this.text.slice(this.at))?.[0] ?? '';
    this.at += digits.length;
    this.need('E');
    return [word(literal(type, sign + digits))];
  }

  private templateParameter(): Spelled {
    this.need('T');
    const index = this.sequenceNumber(10);
    if (this.isOpen) return word(`<auto ${index}>`);
    const pack = this.templateArguments.at(index);
    if (pack === undefined) throw new NotMangled();
    if (pack.length !== 1) this.packLength = pack.length;
    return pack.at(pack.length === 1 ? 0 : this.packIndex) ?? word('');
  }

  private substitution(): Spelled {
    this.need('S');
    const code = this.text[this.at];
    if (code in standard) {
      this.at++;
      return word(standard[code]);
    }
    const found = this.substitutions.at(this.sequenceNumber(36));
    if (found === undefined) throw new NotMangled();
    return this.isOpen ? found : { ...found, left: this.closed(found.left), right: this.closed(found.right) };
  }

  /** With the arguments that are known now. */
  private closed(text: string): string {
    const argument = (index: number): string => join(this.templateArguments.at(index)?.at(0) ?? word(''));
    return text.replace(openParameter, (_, index: string) => argument(Number(index)));
  }

  /** Nothing is 0, 0 is 1. */
  private sequenceNumber(radix: number): number {
    if (this.take('_')) return 0;
    const digits = /^[0-9A-Z]+/.exec(this.text.slice(this.at))?.[0] ?? '';
    this.at += digits.length;
    this.need('_');
    const number = parseInt(digits, radix) + 1;
    if (Number.isNaN(number)) throw new NotMangled();
    return number;
  }

  private noted(type: Spelled): Spelled {
    this.substitutions.push(type);
    return type;
  }

  private number(): number {
    const digits = /^\d{1,6}/.exec(this.text.slice(this.at, this.at + 6))?.[0];
    if (digits === undefined) throw new NotMangled();
    this.at += digits.length;
    return Number(digits);
  }

  private rest(length: number): string {
    return this.text.slice(this.at, this.at + length);
  }

  private take(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private need(text: string): void {
    if (!this.take(text)) throw new NotMangled();
  }
}

function pointer(mark: string, target: Spelled): Spelled {
  const space = mark.endsWith('::*') && !target.needsParentheses ? ' ' : '';
  if (!target.needsParentheses) return { ...target, left: target.left + space + mark };
  return { left: `${target.left.trimEnd()} (${mark}`, right: `)${target.right}`, needsParentheses: false };
}

function literal(type: string, digits: string): string {
  switch (type) {
    case 'bool':
      return digits === '1' ? 'true' : 'false';
    case 'int':
      return digits;
    case 'unsigned int':
      return `${digits}u`;
    case 'long':
      return `${digits}l`;
    case 'unsigned long':
      return `${digits}ul`;
    case 'long long':
      return `${digits}ll`;
    case 'unsigned long long':
      return `${digits}ull`;
    default:
      return `(${type})${digits}`;
  }
}

/** The name of a class without what is around it and without its template arguments. */
function lastOf(qualified: string): string {
  let depth = 0;
  let start = 0;
  let end = qualified.length;
  for (let at = 0; at < qualified.length; at++) {
    if (qualified[at] === '<') {
      if (depth++ === 0) end = at;
    } else if (qualified[at] === '>') depth--;
    else if (depth === 0 && qualified.startsWith('::', at)) {
      start = at + 2;
      end = qualified.length;
    }
  }
  return qualified.slice(start, end);
}
