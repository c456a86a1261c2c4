/**
 * The grammar of C expressions: how operators bind (C11 6.5, spelled with all parentheses), type names (6.7.7),
 * where errors are, and that no text, however random, makes it throw anything but ExpressionError.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTypeName, ExpressionError, parseExpression } from '../lib/c-expression';
import type { Expression, Initializer, TypeName } from '../lib/c-expression/syntax';
import { emptyScope } from './support/empty-scope';

const names = { isTypeName: (name: string) => name.endsWith('_t') };

function typeText({ specifier, qualifiers, derivations }: TypeName): string {
  let text = [...qualifiers, 'name' in specifier ? specifier.name : 'typeof'].join(' ');
  for (const derivation of derivations) {
    if (derivation.kind === 'pointer') text = `ptr(${[...derivation.qualifiers, text].join(' ')})`;
    else if (derivation.kind === 'reference') text = `ref(${text})`;
    else if (derivation.kind === 'array') text = `arr${derivation.size ? show(derivation.size) : ''}(${text})`;
    else
      text = `fn(${[...derivation.parameters.map(typeText), derivation.variadic ? '...' : ''].filter(Boolean).join(', ')})(${text})`;
  }
  return text;
}

function initializerText(initializer: Initializer): string {
  if (initializer.kind !== 'list') return show(initializer);
  const items = initializer.items.map(({ designators, value }) => {
    const path = designators.map((d) => (d.kind === 'member' ? `.${d.name}` : `[${show(d.index)}]`)).join('');
    return path === '' ? initializerText(value) : `${path}=${initializerText(value)}`;
  });
  return `{${items.join(', ')}}`;
}

/** The tree with every pair of parentheses. */
function show(e: Expression): string {
  switch (e.kind) {
    case 'integer':
    case 'float':
      return String(e.literal.value);
    case 'imaginary':
      return `${String(e.literal.value)}i`;
    case 'character':
      return `'${String.fromCharCode(...e.literal.units)}'`;
    case 'string':
      return `"${String.fromCharCode(...e.literal.units)}"`;
    case 'name': {
      const q = e.qualifier;
      const file = q?.file === undefined ? '' : `'${q.file}'::`;
      return `${q?.global ? '::' : ''}${file}${q?.within === undefined ? '' : `${q.within}::`}${e.name}`;
    }
    case 'register':
      return `$${e.name}`;
    case 'unary':
      return `(${e.operator}${show(e.operand)})`;
    case 'postfix':
      return `(${show(e.operand)}${e.operator})`;
    case 'binary':
      return `(${show(e.left)} ${e.operator} ${show(e.right)})`;
    case 'assignment':
      return `(${show(e.target)} ${e.operator ?? ''}= ${show(e.value)})`;
    case 'conditional':
      return `(${show(e.condition)} ? ${e.then ? show(e.then) : ''} : ${show(e.otherwise)})`;
    case 'index':
      return `${show(e.base)}[${show(e.index)}]`;
    case 'member':
      return `${show(e.base)}${e.arrow ? '->' : '.'}${e.name}`;
    case 'call':
      return `${show(e.callee)}(${e.arguments.map(show).join(', ')})`;
    case 'cast':
      return `(cast ${typeText(e.type)} ${show(e.operand)})`;
    case 'sizeof':
      return `sizeof(${show(e.operand)})`;
    case 'sizeof-type':
      return `sizeof<${typeText(e.type)}>`;
    case 'alignof':
      return e.type.kind === 'type-name' ? `alignof<${typeText(e.type)}>` : `alignof(${show(e.type)})`;
    case 'compound-literal':
      return `(${typeText(e.type)})${initializerText(e.initializer)}`;
    case 'generic':
      return `generic(${show(e.controlling)}; ${e.associations.map((a) => `${a.type ? typeText(a.type) : 'default'}: ${show(a.result)}`).join('; ')})`;
  }
}

const trees: readonly (readonly [string, string])[] = [
  ['a + b * c', '(a + (b * c))'],
  ['a * b + c', '((a * b) + c)'],
  ['a - b - c', '((a - b) - c)'],
  ['a / b % c', '((a / b) % c)'],
  ['a << b + c', '(a << (b + c))'],
  ['a < b << c', '(a < (b << c))'],
  ['a == b < c', '(a == (b < c))'],
  ['a & b == c', '(a & (b == c))'],
  ['a ^ b & c', '(a ^ (b & c))'],
  ['a | b ^ c', '(a | (b ^ c))'],
  ['a && b | c', '(a && (b | c))'],
  ['a || b && c', '(a || (b && c))'],
  ['a ? b : c ? d : e', '(a ? b : (c ? d : e))'],
  ['a ? b, c : d', '(a ? (b , c) : d)'],
  ['a ?: b', '(a ?  : b)'],
  ['a = b = c', '(a = (b = c))'],
  ['a += b ? c : d', '(a += (b ? c : d))'],
  ['a <<= b >>= c', '(a <<= (b >>= c))'],
  ['a, b = c, d', '((a , (b = c)) , d)'],
  ['-a++', '(-(a++))'],
  ['*p++', '(*(p++))'],
  ['(*p)++', '((*p)++)'],
  ['++*p', '(++(*p))'],
  ['- -a', '(-(-a))'],
  ['!~-+*&a', '(!(~(-(+(*(&a))))))'],
  ['a.b->c[d](e, f)', 'a.b->c[d](e, f)'],
  ['*a[1]', '(*a[1])'],
  ['&a->b.c', '(&a->b.c)'],
  ['a - -1', '(a - (-1))'],
  ['a---b', '((a--) - b)'],
  ['a@2', '(a @ 2)'],
  ['a + b @ c << d', '(((a + b) @ c) << d)'],
  ['rows[1][0]@2', '(rows[1][0] @ 2)'],
  ["'file.c'::x + f::y + ::z", "(('file.c'::x + f::y) + ::z)"],
  ["'dir/file.c'::f::x", "'dir/file.c'::f::x"],
  ['$sp + 4', '($sp + 4)'],
  ['$', '$'],
  ['(int)a + b', '((cast int a) + b)'],
  ['(int)-a', '(cast int (-a))'],
  ['(int)(a)', '(cast int a)'],
  ['(x)(a)', 'x(a)'],
  ['(x_t)(a)', '(cast x_t a)'],
  ['(x_t)*a', '(cast x_t (*a))'],
  ['(x)*a', '(x * a)'],
  ['(x_t)&a', '(cast x_t (&a))'],
  ['(struct s *)p', '(cast ptr(s) p)'],
  ['(union u)v', '(cast u v)'],
  ['(enum e)3', '(cast e 3)'],
  ['(unsigned)1', '(cast unsigned int 1)'],
  ['(long unsigned int long)1', '(cast unsigned long long 1)'],
  ['(const volatile char *const *)p', '(cast ptr(ptr(const const volatile char)) p)'],
  ['(int (*)(int, char *))p', '(cast ptr(fn(int, ptr(char))(int)) p)'],
  ['(int (*[3])(void))p', '(cast arr3(ptr(fn()(int))) p)'],
  ['(int *(*)[4])p', '(cast ptr(arr4(ptr(int))) p)'],
  ['(void (*)())p', '(cast ptr(fn(...)(void)) p)'],
  ['(int (*)(const char *fmt, ...))p', '(cast ptr(fn(ptr(const char), ...)(int)) p)'],
  ['(x_t[2][3])p', '(cast arr2(arr3(x_t)) p)'],
  ['(_Atomic(int) *)p', '(cast ptr(atomic typeof) p)'],
  ['(typeof(a) *)p', '(cast ptr(typeof) p)'],
  ['sizeof a + 1', '(sizeof(a) + 1)'],
  ['sizeof(a) + 1', '(sizeof(a) + 1)'],
  ['sizeof(int)', 'sizeof<int>'],
  ['sizeof(int *) * 2', '(sizeof<ptr(int)> * 2)'],
  ['sizeof (x_t)', 'sizeof<x_t>'],
  ['sizeof(x_t){1}', 'sizeof((x_t){1})'],
  ['sizeof sizeof a', 'sizeof(sizeof(a))'],
  ['_Alignof(long long)', 'alignof<long long>'],
  ['(x_t){1, .a = 2, [3].b = {4, 5},}', '(x_t){1, .a=2, [3].b={4, 5}}'],
  ['(int[]){1, 2}[1]', '(arr(int)){1, 2}[1]'],
  ['_Generic(a, int: 1, x_t *: 2, default: 3)', 'generic(a; int: 1; ptr(x_t): 2; default: 3)'],
  ['"a" "b"', '"ab"'],
  ["'\\x41'", "'A'"],
  ['f()', 'f()'],
  ['f(a, (b, c))', 'f(a, (b , c))'],
  ['1.5e3', '1500'],
  ['.5f', '0.5'],
  ['0x1p-1', '0.5'],
  ['0xffu', '255'],
  ['0b11', '3'],
  ['017', '15'],
  ['10ULL', '10'],
];

for (const [text, tree] of trees) {
  test(`tree of ${text}`, () => assert.equal(show(parseExpression(text, names)), tree));
}

/** Text, where the error is (offset, length), what it says. */
const errors: readonly (readonly [string, number, number, RegExp])[] = [
  ['', 0, 0, /an expression is expected at the end/],
  ['   ', 3, 0, /an expression is expected/],
  ['a +', 3, 0, /an expression is expected at the end/],
  ['a b', 2, 1, /an operator or the end is expected, not 'b'/],
  ['(a', 2, 0, /'\)' is expected at the end/],
  ['a[1', 3, 0, /'\]' is expected/],
  ['a.1', 1, 2, /operator or the end is expected, not '.1'/],
  ['a.', 2, 0, /a name is expected/],
  ['a ? b', 5, 0, /':' is expected/],
  ['1 ` 2', 2, 1, /'`' has no meaning in C/],
  ["'a", 0, 2, /closing quote is missing/],
  ['"abc', 0, 4, /closing quote is missing/],
  ["''", 0, 2, /character constant is empty/],
  ["'\\q'", 1, 2, /no escape sequence/],
  ["'\\400'", 1, 4, /out of range/],
  ['12ab', 0, 4, /'12ab' is not a number/],
  ['1lu2', 0, 4, /is not a number/],
  ['1ulu', 0, 4, /'ulu' is no suffix/],
  ['089', 0, 3, /not an octal number/],
  ['0x1ffffffffffffffff', 0, 19, /does not fit 64 bits/],
  ['(int', 4, 0, /'\)' is expected/],
  ['(int)', 5, 0, /an expression is expected/],
  ['int', 0, 3, /a value is expected, not 'int'/],
  ['(long char)1', 1, 9, /'long char' is no type/],
  ['(struct)1', 7, 1, /a name is expected/],
  ['(struct {int a;})1', 8, 1, /cannot be defined in an expression/],
  ['({ 1; })', 1, 1, /statement cannot be evaluated/],
  ['f(a,', 4, 0, /an expression is expected/],
  ['a = ', 4, 0, /an expression is expected/],
  ['*', 1, 0, /an expression is expected/],
  ['a ++ b', 5, 1, /operator or the end/],
  ['if (a) b', 7, 1, /operator or the end/],
];

for (const [text, offset, length, message] of errors) {
  test(`error in ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseExpression(text, names),
      (error: unknown) => {
        assert.ok(error instanceof ExpressionError);
        assert.match(error.message, message);
        assert.deepEqual([error.offset, error.length], [offset, length], error.message);
        return true;
      },
    );
  });
}

test('positions span what a node was written as', () => {
  const text = 'first + second.third[4]';
  const tree = parseExpression(text);
  assert.ok(tree.kind === 'binary');
  const written = (e: Expression): string => text.slice(e.offset, e.offset + e.length);
  assert.deepEqual([tree, tree.left, tree.right].map(written), [text, 'first', 'second.third[4]']);
});

const typeTexts: readonly (readonly [string, string, number | undefined])[] = [
  ['unsigned', 'unsigned int', 4],
  ['long double', 'long double', 8],
  ['char *', 'char *', 4],
  ['int (*)[3]', 'int (*)[3]', 4],
  ['int (*)(int, char *)', 'int (*)(int, char *)', 4],
  ['short [2][3]', 'short [2][3]', 12],
  ['char (*(*)(void))[5]', 'char (*(*)(void))[5]', 4],
  ['const char *', 'const char *', 4],
  ['int[1 + 2 * 3]', 'int [7]', 28],
  ['int[sizeof(long long)]', 'int [8]', 32],
  ['double _Complex', 'complex double', 16],
];

for (const [text, spelling, size] of typeTexts) {
  test(`type ${text}`, () => {
    const type = compileTypeName(text, emptyScope());
    assert.deepEqual([type.displayName, type.byteSize], [spelling, size]);
  });
}

test('deep nesting and long chains are refused, not overflowed', () => {
  const cases = ['('.repeat(100_000), '-'.repeat(50_000) + '1', '1' + '+1'.repeat(50_000), 'a' + '[a'.repeat(50_000)];
  cases.push('(int'.repeat(10_000), '*'.repeat(20_000) + 'a', 'a' + '.a'.repeat(20_000), 'a?'.repeat(20_000));
  cases.push('(int (*'.repeat(10_000), 'sizeof '.repeat(30_000) + '1', 'a='.repeat(30_000) + '1', '++'.repeat(20_000));
  for (const text of cases) assert.throws(() => parseExpression(text, names), ExpressionError, text.slice(0, 20));
  assert.equal(parseExpression('('.repeat(150) + '1' + ')'.repeat(150)).kind, 'integer');
  assert.equal(parseExpression('1' + '+1'.repeat(400)).kind, 'binary');
});

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

test('random texts give a tree or an ExpressionError', () => {
  const seed = Number(process.env['SEED'] ?? 20260603);
  const next = random(seed);
  const pieces =
    '( ) [ ] { } . -> ++ -- + - * / % & | ^ ~ ! < > << >> <= >= == != && || ? : , = += ::  @ a b x_t 1 2.5 0x 1e \'c\' "s" \' " $r0 int long struct sizeof _Generic _Alignof const ... é \\ # ;'.split(
      ' ',
    );
  let parsed = 0;
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: Math.floor(next() * 12) }, () => pieces[Math.floor(next() * pieces.length)]).join(
      next() < 0.5 ? ' ' : '',
    );
    try {
      parseExpression(text, names);
      parsed++;
    } catch (error) {
      assert.ok(error instanceof ExpressionError, `seed ${seed}: ${JSON.stringify(text)}: ${String(error)}`);
      assert.ok(error.offset >= 0 && error.offset + error.length <= text.length, JSON.stringify(text));
    }
  }
  assert.ok(parsed > 300, `${parsed} parsed`);
});
