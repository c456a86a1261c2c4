"""Makes table.json: random C expressions with the type and value that GCC gives them, for two targets:
ILP32 (arm-none-eabi-gcc, char unsigned) and LP64 (gcc for x86-64, char signed).
Each row: [expression, ILP32 type, ILP32 value, LP64 type, LP64 value]; a target that GCC warns about there has null.

Run as: python3 record.py    (needs arm-none-eabi-gcc and gcc; --check compares with what is there)
"""
import json, os, random, re, struct, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
TYPES = ['char', 'signed char', 'unsigned char', 'short', 'unsigned short', 'int', 'unsigned int', 'long', 'unsigned long',
         'long long', 'unsigned long long', 'float', 'double', '_Bool']
ATOMS = ['0', '1', '2', '3', '7', '-1', '-5', '31', '100', '255', '256', '65535', '0x7fffffff', '0x80000000', '0xffffffff',
         '2147483648', '5u', '3000000000u', '7l', '-9l', '8ul', '1ll', '-3ll', '0x123456789all', '18446744073709551615ull',
         '010', '0b101', "'a'", "'\\n'", "'\\377'", '1.5', '-2.25f', '0.1', '1e10', '3.f', '1e-3', '0x1.8p3', '2.0l']

def atom(rng):
    a = rng.choice(ATOMS)
    if rng.random() < 0.45:
        a = '(%s)%s' % (rng.choice(TYPES), a if a[0] != '-' else '(%s)' % a)
    return a

def expression(rng, depth):
    if depth == 0 or rng.random() < 0.15:
        return atom(rng)
    kind = rng.random()
    sub = lambda: expression(rng, depth - 1)
    if kind < 0.62:
        op = rng.choice(['+', '-', '*', '/', '%', '<<', '>>', '&', '|', '^', '<', '>', '<=', '>=', '==', '!=', '&&', '||'])
        right = str(rng.randrange(0, 40)) if op in ('<<', '>>') and rng.random() < 0.8 else sub()
        left = sub()
        text = '%s %s %s' % (left, op, right)
        return '(%s)' % text if rng.random() < 0.7 else text
    if kind < 0.78:
        return '%s(%s)' % (rng.choice(['-', '~', '!', '+']), sub())
    if kind < 0.88:
        return '(%s)(%s)' % (rng.choice(TYPES), sub())
    if kind < 0.96:
        return '(%s ? %s : %s)' % (sub(), sub(), sub())
    return 'sizeof(%s)' % sub()

def compile_with(command, expressions, folder, pointer):
    """expression index -> (type, value); those that GCC has anything to say about are left out."""
    left = dict(enumerate(expressions))
    while left:
        order = sorted(left)
        source = os.path.join(folder, 'table.c')
        generic = ', '.join('%s: %d' % (t, i) for i, t in enumerate(TYPES + ['long double']))
        with open(source, 'w') as f:
            for name, ctype, wrap in (('types', 'unsigned char', '_Generic((%s), ' + generic + ')'),
                                      ('values', 'long long', '(long long)(%s)'), ('floats', 'double', '(double)(%s)')):
                f.write('const %s %s[] __attribute__((section(".%s"))) = {\n' % (ctype, name, name))
                # The value of an integer must not come from a conversion out of floating point: that is -Woverflow.
                for i in order:
                    text = wrap % left[i]
                    if name == 'values':
                        text = '_Generic((%s), float: 0, double: 0, long double: 0, default: (%s))' % (left[i], left[i])
                    f.write('#line %d "%s"\n%s,\n' % (i + 1, name, text))
                f.write('};\n')
        out = os.path.join(folder, 'table.o')
        result = subprocess.run(command + ['-std=gnu11', '-Wall', '-Wextra', '-Wno-sign-compare', '-Wno-parentheses',
            '-Wno-bool-operation', '-Wno-bool-compare', '-Wno-int-in-bool-context', '-Wno-type-limits', '-Wno-logical-op',
            '-Wno-tautological-compare', '-Wno-logical-not-parentheses', '-Wno-unused', '-Wno-extra', '-c', source, '-o', out],
            capture_output=True, text=True, env=dict(os.environ, LC_ALL='C'))
        bad = {int(m) - 1 for m in re.findall(r'^(?:types|values|floats):(\d+):', result.stderr, re.M)}
        if not bad:
            if result.returncode:
                sys.exit(result.stderr)
            break
        for i in bad:
            left.pop(i, None)
    objcopy = command[0].replace('gcc', 'objcopy')
    def section(name):
        path = os.path.join(folder, name)
        subprocess.run([objcopy, '-O', 'binary', '--only-section=.' + name, '--set-section-flags', '.' + name + '=alloc,contents',
                        out, path], check=True)
        return open(path, 'rb').read()
    types, values, floats = section('types'), section('values'), section('floats')
    rows = {}
    for n, i in enumerate(sorted(left)):
        name = (TYPES + ['long double'])[types[n]]
        if name in ('float', 'double', 'long double'):
            value = repr(struct.unpack_from('<d', floats, 8 * n)[0])
        else:
            number = struct.unpack_from('<q', values, 8 * n)[0]
            value = str(number % (1 << 64) if name == 'unsigned long long' or (name == 'unsigned long' and pointer == 8) else number)
        rows[i] = (name, value)
    return rows

def main():
    rng = random.Random(20260602)
    expressions = sorted({expression(rng, rng.choice([1, 1, 2, 2, 3])) for _ in range(4000)})
    with tempfile.TemporaryDirectory() as folder:
        arm = compile_with(['arm-none-eabi-gcc', '-mcpu=cortex-m3', '-mthumb'], expressions, folder, 4)
        host = compile_with(['gcc'], expressions, folder, 8)
    rows = []
    for i, text in enumerate(expressions):
        if i in arm or i in host:
            rows.append([text] + list(arm.get(i, (None, None))) + list(host.get(i, (None, None))))
    text = '[\n' + ',\n'.join(json.dumps(row) for row in rows) + '\n]\n'
    target = os.path.join(here, 'table.json')
    if '--check' in sys.argv:
        sys.exit(0 if open(target).read() == text else 'table.json is not what GCC says now')
    open(target, 'w').write(text)

main()
